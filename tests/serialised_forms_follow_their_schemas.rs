//! With the feature `serde` every kind of reading, change, total, verdict and health is written as its schema in `docs` says, and
//! no form has a secret or an amount that is not proven.

use std::time::Duration;

use alloy_primitives::U256;
use jsonschema::{Registry, Validator};
use saldo::{Asset, Change, Claim, Client, Endpoint, Holding, Policy, Proven, Reading, Totals, Unknown};
use saldo_drill::{Chain, Fault};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::key_recorder::{assert_no_key, with_keys};
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, Scene, UNUSED};
use saldo_tests::stopped_clock::StoppedClock;
use saldo_tests::watched::{ALICE_HOLDING, SLOT, changes_within};
use saldo_tests::{NETWORK, native};
use serde::Serialize;
use serde_json::{Value, json};

/// The schemas, by their names in `docs`.
const SCHEMAS: [(&str, &str); 5] = [
    ("reading", include_str!("../docs/saldo.reading-1.schema.json")),
    ("change", include_str!("../docs/saldo.change-1.schema.json")),
    ("total", include_str!("../docs/saldo.total-1.schema.json")),
    ("health", include_str!("../docs/saldo.health-1.schema.json")),
    ("verdict", include_str!("../docs/saldo.verdict-1.schema.json")),
];

/// A validator of the schema at `reference`, such as `total:1` or `reading:1#/$defs/last`.
fn schema(reference: &str) -> Validator {
    let mut registry = Registry::new();
    for (name, text) in SCHEMAS {
        let schema: Value = serde_json::from_str(text).unwrap();
        jsonschema::draft202012::meta::validate(&schema).expect("a valid schema");
        registry = registry.add(format!("urn:saldo:{name}:1"), schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let root = json!({ "$ref": format!("urn:saldo:{reference}") });
    jsonschema::draft202012::options().with_registry(&registry).build(&root).unwrap()
}

/// Writes `value`, and checks it against the schema at `reference`.
#[track_caller]
fn written(value: &impl Serialize, reference: &str) -> Value {
    let form = serde_json::to_value(value).unwrap();
    let errors: Vec<String> = schema(reference).iter_errors(&form).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}: {form}");
    form
}

#[track_caller]
fn reading(value: &Reading) -> Value {
    written(value, "reading:1#/$defs/serialised")
}

#[track_caller]
fn proven(value: &Proven) -> Value {
    written(value, "reading:1#/$defs/last")
}

fn unreachable(scene: &Scene) {
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    scene.sources.iter().for_each(|source| source.add(Fault::Refuse));
}

#[test]
fn a_proven_reading() {
    let scene = Scene::new(1, 2, 1);
    let balance = scene.balance(ALICE);
    let form = reading(&balance);
    let own = balance.proven().unwrap();
    assert_eq!((&form["state"], &form["amount"]), (&json!("proven"), &json!(BEFORE.to_string())));
    assert_eq!(form["address"], format!("{ALICE:#x}"));
    assert_eq!(form["chain_id"], NETWORK.chain_id());
    assert_eq!(form["asset"], format!("{NETWORK}/slip44:60"));
    assert_eq!(form["block"]["hash"], own.anchor().hash().to_string());
    assert_eq!(form["block"]["timestamp"], own.anchor().timestamp().as_secs());
    assert_eq!(form["block"]["assurance"], "signed");
    assert_eq!(form["provider"], own.provider().as_str());
    assert_eq!(form["origin"]["agreed_by"], "given");
    assert_eq!(form["attempts"].as_array().unwrap().len(), balance.attempts().len());

    let alone = proven(own);
    for key in ["chain_id", "address", "asset", "amount", "block", "provider", "origin"] {
        assert_eq!(alone[key], form[key], "{key}");
    }
    assert_eq!(alone["restored"], false);
    assert_eq!(reading(&scene.balance(UNUSED))["amount"], "0");
}

#[test]
fn a_finalized_reading() {
    let scene = Scene::new(2, 1, 1);
    let readings = scene.simulation.run(scene.client.finalized(&[native(ALICE)]));
    assert_eq!(reading(&readings[0])["block"]["assurance"], "finalized");
}

#[test]
fn a_reading_whose_checkpoint_was_agreed_on() {
    let world = CheckpointWorld::new(3, 3);
    let form = reading(&world.read(&world.client()));
    assert_eq!(form["origin"]["agreed_by"], json!(["operator0", "operator1", "operator2"]));
}

#[test]
fn an_unknown_reading_with_and_without_a_last_amount() {
    let scene = Scene::new(4, 2, 1);
    scene.balance(ALICE).proven().expect("all are honest");
    scene.pass_slots(100);
    unreachable(&scene);
    let with_last = scene.balance(ALICE);
    let form = reading(&with_last);
    assert_eq!((&form["state"], &form["amount"]), (&json!("unknown"), &Value::Null));
    assert_eq!((&form["address"], &form["chain_id"]), (&Value::Null, &Value::Null));
    assert_eq!(form["why"]["code"], "all_unreachable");
    assert_eq!(form["why"]["needs_action"], false);
    assert_eq!(form["last"]["amount"], BEFORE.to_string());
    let Reading::Unknown(unknown) = &with_last else { panic!("{with_last:?}") };
    let _: &Unknown = unknown;
    assert_eq!(serde_json::to_value(unknown).unwrap(), form);
    assert_eq!(reading(&scene.balance(BOB))["last"], Value::Null);
}

#[test]
fn a_provisional_reading_has_no_unconfirmed_amount() {
    let scene = Scene::new(5, 1, 1);
    let _ = scene.providers[0].clone().proof_window(0);
    let claim = scene.balance(ALICE);
    let Reading::Provisional(provisional) = &claim else { panic!("{claim:?}") };
    assert_eq!(provisional.unconfirmed_amount().unwrap().base_units(), BEFORE);
    let form = reading(&claim);
    assert_eq!((&form["state"], &form["why"]["code"]), (&json!("provisional"), &json!("unsigned_tip")));
    assert_eq!(form["provider"], "provider0");
    assert!(!form.to_string().contains(&BEFORE.to_string()), "{form}");
    assert_eq!(serde_json::to_value(provisional).unwrap(), form);
}

#[test]
fn a_provider_that_was_asked_over_the_policy_is_named_as_such() {
    let policy = Policy { operators_per_address: 1, ..Policy::signed() };
    let scene = Scene::with_policy(6, 2, 1, policy);
    scene.balance(ALICE).proven().expect("all are honest");
    let first = scene.balance(ALICE).proven().unwrap().provider().clone();
    let place = usize::from(first.as_str() == "provider1");
    scene.providers[place].add(Fault::Status(500));
    scene.pass_slots(2);
    let form = reading(&scene.balance(ALICE));
    let over = form["attempts"].as_array().unwrap().iter().filter(|attempt| attempt["over_policy"] == true);
    assert_eq!(over.count(), 1, "{form}");
}

#[test]
fn every_change_of_a_watch() {
    let scene = Scene::new(7, 1, 1);
    let token = Holding::erc20(NETWORK, ALICE, BOB);
    let mut watch = scene.client.watch([ALICE_HOLDING, token]);
    let mut changes = changes_within(&scene, &mut watch, Duration::from_secs(6));
    scene.chain.set_balance(ALICE, AFTER);
    scene.chain.reorg(2);
    changes.extend(changes_within(&scene, &mut watch, SLOT * 6));
    scene.providers[0].add(Fault::Refuse);
    changes.extend(changes_within(&scene, &mut watch, SLOT * 60));
    unreachable(&scene);
    changes.extend(changes_within(&scene, &mut watch, SLOT * 6));

    let forms: Vec<Value> =
        changes.iter().map(|(_, change)| written(change, "change:1#/$defs/serialised")).collect();
    for kind in ["remembered", "reading", "withdrawn", "activity"] {
        assert!(forms.iter().any(|form| form["change"] == kind), "{kind}: {forms:#?}");
    }
    for activity in ["backing_off", "no_new_heads"] {
        assert!(
            forms.iter().any(|form| form["activity"] == activity && form["until"].is_u64()),
            "{activity}"
        );
    }
    assert!(forms.iter().any(|form| form["token"] == format!("{BOB:#x}")));
    for (form, (_, change)) in forms.iter().zip(&changes) {
        match change {
            Change::Reading { freshness, reading, .. } => {
                assert_eq!(form["freshness"].as_str(), freshness.map(|freshness| freshness.code()));
                assert_eq!(form["reading"], serde_json::to_value(reading).unwrap());
            }
            Change::Withdrawn { withdrawn, .. } => {
                assert_eq!(form["withdrawn"], serde_json::to_value(withdrawn).unwrap());
            }
            _ => {}
        }
    }
}

#[test]
fn every_kind_of_total() {
    let most = Chain::builder(8).accounts([(ALICE, U256::MAX), (BOB, U256::from(7))]).build();
    let scene = Scene::of(most, 8, 1, 1, Policy::signed());
    let mut totals = Totals::new();
    let mut add = |owner, reading: &Reading| {
        totals.add(native(owner), reading).unwrap();
        let form = written(&totals.of(NETWORK, Asset::Native).unwrap(), "total:1");
        assert_eq!(serde_json::to_value(&totals).unwrap(), json!([form]));
        form
    };
    let bob = scene.balance(BOB);
    let all_proven = add(BOB, &bob);
    assert_eq!((&all_proven["state"], &all_proven["amount"]), (&json!("proven"), &json!("7")));
    let too_large = add(ALICE, &scene.balance(ALICE));
    assert_eq!((&too_large["state"], &too_large["as_of"]), (&json!("too_large"), &Value::Null));

    scene.pass_slots(100);
    unreachable(&scene);
    let unknown = scene.balance(UNUSED);
    let mut totals = Totals::new();
    totals.add(native(BOB), &scene.balance(BOB)).unwrap();
    let remembered = written(&totals.of(NETWORK, Asset::Native).unwrap(), "total:1");
    assert_eq!((&remembered["state"], &remembered["amount"]), (&json!("remembered"), &Value::Null));
    assert_eq!((&remembered["remembered_part"], &remembered["as_of"]["amount"]), (&json!("7"), &json!("7")));
    totals.add(native(UNUSED), &unknown).unwrap();
    let partial = written(&totals.of(NETWORK, Asset::Native).unwrap(), "total:1");
    assert_eq!((&partial["state"], &partial["amount"]), (&json!("partial"), &Value::Null));
    assert_eq!(partial["missing"], json!([format!("{UNUSED:#x}")]));
}

#[test]
fn the_health_of_a_client() {
    let scene = Scene::new(9, 2, 1);
    let before = written(&scene.client.health(), "health:1");
    assert_eq!((&before["heads"], &before["endpoints"][0]["state"]), (&Value::Null, &json!("unasked")));
    scene.balance(ALICE).proven().expect("all are honest");
    scene.providers[0].add(Fault::RateLimited { retry_after: Some("600".to_owned()) });
    scene.pass_slots(2);
    scene.balance(ALICE).proven().expect("one is honest");
    let form = written(&scene.client.health(), "health:1");
    let health = scene.client.health();
    assert_eq!(form["heads"]["signed_slot"], health.heads.unwrap().signed.unwrap().get());
    let states: Vec<_> = health.endpoints.iter().map(|endpoint| json!(endpoint.state().code())).collect();
    let written: Vec<_> =
        form["endpoints"].as_array().unwrap().iter().map(|row| row["state"].clone()).collect();
    assert_eq!(written, states);
    assert!(!form.to_string().contains("http:"), "{form}");
}

#[test]
fn no_form_has_a_secret() {
    let chain = Chain::new(10);
    let secret: Endpoint = with_keys("https://node.example").parse().unwrap();
    let client = Client::builder(chain.network())
        .checkpoint(chain.checkpoint())
        .rpc(secret.clone())
        .beacon(secret)
        .clock(StoppedClock)
        .build()
        .unwrap();
    assert_no_key(&written(&client.health(), "health:1").to_string(), "health");
}

/// The schemas refuse what the forms are made to exclude.
#[test]
fn the_schemas_refuse_false_forms() {
    let scene = Scene::new(11, 1, 1);
    let right = reading(&scene.balance(ALICE));
    scene.pass_slots(100);
    unreachable(&scene);
    let unknown = reading(&scene.balance(ALICE));
    let refused = |base: &Value, key: &str, value: Value| {
        let mut wrong = base.clone();
        wrong[key] = value;
        assert!(!schema("reading:1#/$defs/serialised").is_valid(&wrong), "{key}: {wrong}");
    };
    refused(&unknown, "amount", json!("0"));
    refused(&right, "chain_id", Value::Null);
    refused(&right, "age_seconds", json!(1));
    refused(&right, "amount", json!(0));
    let mut last = unknown["last"].clone();
    last["age_seconds"] = json!(1);
    refused(&unknown, "last", last);
    for key in right.as_object().unwrap().keys() {
        let mut lacking = right.clone();
        lacking.as_object_mut().unwrap().remove(key);
        assert!(!schema("reading:1#/$defs/serialised").is_valid(&lacking), "without {key}");
    }

    let mut totals = Totals::new();
    totals.add(ALICE_HOLDING, &scene.balance(ALICE)).unwrap();
    let mut total = written(&totals.of(NETWORK, Asset::Native).unwrap(), "total:1");
    total["amount"] = total["remembered_part"].clone();
    assert!(!schema("total:1").is_valid(&total), "a remembered part is not the whole: {total}");
}

#[test]
fn each_verdict() {
    let scene = Scene::new(21, 1, 1);
    scene.pass_slots(3);
    let before = scene.chain.signed().number;
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(3);
    let claim = |amount, block| Claim { holding: native(ALICE), amount, block };
    let claims = [
        claim(AFTER, None),
        claim(U256::ZERO, None),
        claim(BEFORE, Some(before)),
        claim(U256::ZERO, Some(before + 1_000)),
    ];
    let verdicts = scene.simulation.run(scene.client.check(&claims));
    let forms: Vec<Value> =
        verdicts.iter().map(|verdict| written(verdict, "verdict:1#/$defs/serialised")).collect();
    let codes: Vec<&Value> = forms.iter().map(|form| &form["verdict"]).collect();
    assert_eq!(codes, ["confirmed", "different", "changed", "not_checked"]);
    assert_eq!(forms[0]["proven"]["amount"], AFTER.to_string());
    assert_eq!(
        (&forms[1]["claimed"], &forms[1]["proven"]["amount"]),
        (&json!("0"), &json!(AFTER.to_string()))
    );
    assert_eq!(forms[2]["at"]["number"], before);
    assert_eq!((&forms[3]["claimed"], &forms[3]["proven"]), (&Value::Null, &Value::Null));
    assert_eq!(forms[3]["why"]["code"], "unsigned_tip");
    assert_eq!(forms[3]["last"]["amount"], AFTER.to_string(), "what is proven is still said");
    assert!(
        forms.iter().all(|form| form["attempts"].as_array().is_some_and(|attempts| !attempts.is_empty()))
    );
}
