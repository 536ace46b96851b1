//! All output of `saldo balance --json` follows the schema in `docs`, and it has an amount only if the amount is
//! proven.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::Duration;

use jsonschema::Validator;
use saldo_drill::Fault;
use serde_json::{Value, json};

use testbed::{ALICE, ALICE_WEI, Conversation, Services, UNUSED, run, saldo};

fn schema() -> Validator {
    let text = include_str!("../../../docs/saldo.reading-1.schema.json");
    let schema: Value = serde_json::from_str(text).unwrap();
    jsonschema::draft202012::meta::validate(&schema).expect("a valid schema");
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Checks a line against the schema, and against the rules that the schema stands for.
#[track_caller]
fn check(line: &Value) {
    let errors: Vec<String> = schema().iter_errors(line).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}: {line}");
    if line.get("error").is_some() {
        return;
    }
    assert_eq!(line["amount"].is_string(), line["state"] == "proven", "{line}");
    assert_eq!(line["why"].is_null(), line["state"] == "proven", "{line}");
    assert_eq!(line["chain_id"], 31337);
    assert_eq!(line["asset"], "eip155:31337/slip44:60");
}

#[track_caller]
fn check_age(object: &Value) {
    let age = object["age_seconds"].as_u64().expect("an age");
    assert!(age < 120, "the chain adds a block every second: {object}");
    let timestamp = Duration::from_secs(object["block"]["timestamp"].as_u64().unwrap());
    let since = std::time::UNIX_EPOCH.elapsed().unwrap().saturating_sub(timestamp).as_secs();
    assert!(age <= since && since <= age + 30, "{age} s by the command, {since} s by the test: {object}");
}

#[test]
fn a_proven_amount() {
    let reading = Services::new(2, 2).run_for(ALICE, &["--json"]);
    assert_eq!(reading.status, 0, "{reading:?}");
    let line = reading.only();
    check(&line);
    check_age(&line);
    assert_eq!(line["state"], "proven");
    assert_eq!(line["origin"]["agreed_by"], "given");
    assert_eq!(line["amount"], ALICE_WEI);
    assert_eq!(line["address"], ALICE.to_string().to_lowercase());
    assert_eq!(line["provider"], "anna");
    assert_eq!(line["block"]["assurance"], "signed");
    assert_eq!(line["block"]["committee_size"], 32);
    assert!((22..=32).contains(&line["block"]["signers"].as_u64().unwrap()), "{line}");
    let block = testbed::test_chain().chain.block(line["block"]["number"].as_u64().unwrap()).unwrap();
    assert_eq!(line["block"]["hash"], block.hash.to_string());
    let joined = |attempt: &&Value| attempt["provider"] == "anna" && attempt["outcome"] == "joined";
    assert_eq!(line["attempts"].as_array().unwrap().iter().filter(joined).count(), 1, "{line}");
}

#[test]
fn a_proven_zero() {
    let reading = Services::new(1, 1).run_for(UNUSED, &["--json"]);
    assert_eq!(reading.status, 0, "{reading:?}");
    let line = reading.only();
    check(&line);
    check_age(&line);
    assert_eq!(line["amount"], "0");
}

#[test]
fn a_proven_amount_at_a_finalized_block() {
    let reading = Services::new(1, 1).run_for(ALICE, &["--json", "--finalized"]);
    assert_eq!(reading.status, 0, "{reading:?}");
    let line = reading.only();
    check(&line);
    check_age(&line);
    assert_eq!(line["block"]["assurance"], "finalized");
}

#[test]
fn a_claim_at_an_unsigned_tip() {
    let services = Services::new(2, 1);
    for provider in &services.providers {
        provider.set_proof_window(0);
    }
    let reading = services.run_for(ALICE, &["--json", "--no-wait"]);
    assert_eq!(reading.status, 3, "{reading:?}");
    let line = reading.only();
    check(&line);
    assert_eq!(line["state"], "provisional");
    assert_eq!(line["why"]["code"], "unsigned_tip");
    assert_eq!(line["amount"], Value::Null, "a claim is no amount");
    assert_eq!(line["last"], Value::Null);
    assert!(!line.to_string().contains(ALICE_WEI), "the claimed amount does not occur: {line}");

    let patient = services.run_for(ALICE, &["--json", "--timeout", "10s"]);
    assert_eq!(patient.status, 0, "it is proven one slot later: {patient:?}");
    check(&patient.only());
}

#[test]
fn everything_is_down() {
    let services = Services::new(2, 1);
    services.refuse_all_connections();
    let reading = services.run_for(ALICE, &["--json"]);
    assert_eq!(reading.status, 3, "{reading:?}");
    let line = reading.only();
    check(&line);
    assert_eq!(line["state"], "unknown");
    assert_eq!(line["why"]["code"], "all_unreachable");
    assert_eq!(line["last"], Value::Null);
    let attempts = line["attempts"].as_array().unwrap();
    for name in ["anna", "bert", "north"] {
        let of_name: Vec<_> = attempts.iter().filter(|attempt| attempt["provider"] == name).collect();
        assert!(
            !of_name.is_empty() && of_name.iter().all(|attempt| attempt["outcome"] == "connect"),
            "{line}"
        );
    }
}

#[test]
fn an_outage_leaves_the_last_amount_with_its_age() {
    let services = Services::new(2, 1);
    let mut command = services.balance();
    let mut conversation =
        Conversation::start(command.args(["-", "--line-by-line", "--json", "--timeout", "5s"]));
    conversation.send_line(&ALICE.to_string());
    let before: Value = serde_json::from_str(&conversation.read_line()).unwrap();
    check(&before);
    assert_eq!(before["state"], "proven");

    services.refuse_all_connections();
    std::thread::sleep(Duration::from_secs(3));
    conversation.send_line(&ALICE.to_string());
    let during: Value = serde_json::from_str(&conversation.read_line()).unwrap();
    check(&during);
    assert_eq!(during["state"], "unknown", "{during}");
    assert_eq!(during["amount"], Value::Null);
    assert_eq!(during["last"]["amount"], ALICE_WEI);
    assert_eq!(during["last"]["block"], before["block"]);
    check_age(&during["last"]);
    let age = |object: &Value| object["age_seconds"].as_u64().unwrap();
    assert!(age(&during["last"]) >= age(&before) + 3, "{before} {during}");

    services.providers.iter().for_each(saldo_drill::Provider::clear);
    services.sources.iter().for_each(saldo_drill::BeaconSource::clear);
    std::thread::sleep(Duration::from_millis(200));
    conversation.send_line(&ALICE.to_string());
    let after: Value = serde_json::from_str(&conversation.read_line()).unwrap();
    check(&after);
    assert_eq!(after["state"], "proven", "{after}");
    assert_eq!(conversation.end(), (3, String::new()), "the outage decides the status");
}

#[test]
fn a_providers_retry_after_is_in_the_reason() {
    let services = Services::new(1, 1);
    services.providers[0].add(Fault::RateLimited { retry_after: Some("7".to_owned()) });
    let line = services.run_for(ALICE, &["--json"]).only();
    check(&line);
    assert_eq!(line["why"]["code"], "rate_limited");
    assert_eq!(line["why"]["retry_after_seconds"], 7);
}

#[test]
fn failures_of_the_command_itself() {
    for arguments in [&["balance", "--json"][..], &["balance", "x.eth", "--json"], &["--json", "balance"]] {
        let failed = run(&mut saldo(arguments));
        assert_eq!(failed.status, 2, "{failed:?}");
        assert_eq!(failed.err, "");
        check(&failed.only());
        assert!(failed.only()["error"]["code"].is_string());
    }
}

#[test]
fn the_schema_refuses_invalid_readings() {
    let schema = schema();
    let block = json!({
        "number": 1, "hash": format!("0x{}", "ab".repeat(32)), "timestamp": 1, "assurance": "signed",
        "state_root": format!("0x{}", "cd".repeat(32)), "signers": 30, "committee_size": 32, "vouched": null,
    });
    let proven = json!({
        "schema": "saldo.reading/1", "chain_id": 1, "address": format!("0x{}", "11".repeat(20)),
        "asset": "eip155:1/slip44:60", "decimals": 18, "state": "proven", "amount": "5", "block": block,
        "token": null, "frozen": false, "derivation": null, "decimals_from": "network",
        "formatted": "0.000000000000000005", "symbol": null,
        "coverage": { "native": true, "tokens": 1, "other_networks": 0, "skipped": 0 },
        "provider": "anna", "age_seconds": 3, "why": null, "last": null, "quorum": null, "announced": null,
        "origin": { "root": format!("0x{}", "ef".repeat(32)), "slot": 8, "agreed_by": ["anna", "bert"] },
        "attempts": [{ "provider": "anna", "role": "execution", "outcome": "joined", "detail": "joined", "ms": 4, "over_policy": false }],
    });
    let why = json!({
        "code": "deadline", "detail": "time was up", "fault": "providers", "needs_action": false, "retry_after_seconds": null,
        "next_step": "Try again.",
    });
    let with = |base: &Value, changes: &[(&str, Value)]| {
        let mut line = base.clone();
        for (key, value) in changes {
            line[*key] = value.clone();
        }
        line
    };
    let none = Value::Null;
    let unknown = with(
        &proven,
        &[
            ("state", json!("unknown")),
            ("amount", none.clone()),
            ("formatted", none.clone()),
            ("frozen", none.clone()),
            ("block", none.clone()),
            ("provider", none.clone()),
            ("age_seconds", none.clone()),
            ("origin", none.clone()),
            ("why", why.clone()),
        ],
    );
    let provisional = with(&unknown, &[("state", json!("provisional")), ("provider", json!("anna"))]);
    let failure = json!({ "error": { "code": "usage", "detail": "no", "next_step": "See." } });
    let contract = format!("0x{}", "22".repeat(20));
    let derivation = json!({
        "kind": "slot", "layout": "WETH9", "code_hash": format!("0x{}", "ab".repeat(32)), "implementation": null,
        "touched": null,
    });
    let token = with(
        &proven,
        &[
            ("asset", json!(format!("eip155:1/erc20:{contract}"))),
            ("token", json!(contract)),
            ("derivation", derivation.clone()),
            ("decimals", json!(6)),
            ("decimals_from", json!("list")),
            ("formatted", json!("0.000005")),
            ("symbol", json!({ "text": "USDC", "from": "list", "flaws": ["look_alike"] })),
        ],
    );
    let no_info = [("decimals", &none), ("decimals_from", &none), ("formatted", &none), ("symbol", &none)];
    let without_decimals = with(&token, &no_info.map(|(key, value)| (key, value.clone())));
    let quorum = |operators: u64| json!({ "operators": operators, "trust": "They do not lie together." });
    let address = format!("0x{}", "11".repeat(20));
    let announced = |signer: &str| json!({ "signer": signer, "trust": "Its key does not sign two blocks." });
    let named = with(&provisional, &[("quorum", quorum(2)), ("announced", announced(&address))]);
    for right in [&proven, &unknown, &provisional, &named, &failure, &token, &without_decimals] {
        assert!(schema.is_valid(right), "{right}");
    }

    let mut last = json!({ "restored": false });
    for key in [
        "chain_id",
        "address",
        "asset",
        "token",
        "amount",
        "frozen",
        "derivation",
        "block",
        "provider",
        "age_seconds",
        "decimals",
        "formatted",
        "origin",
    ] {
        last[key] = proven[key].clone();
    }
    assert!(schema.is_valid(&with(&unknown, &[("last", last.clone())])));
    let mut without_age = last;
    without_age.as_object_mut().unwrap().remove("age_seconds");

    for key in proven.as_object().unwrap().keys() {
        for base in [&proven, &unknown, &provisional, &token] {
            let mut lacking = base.clone();
            lacking.as_object_mut().unwrap().remove(key);
            assert!(!schema.is_valid(&lacking), "without {key}");
        }
    }
    for (base, key, value) in [
        (&proven, "announced", announced(&address)),
        (&unknown, "announced", announced(&address)),
        (&provisional, "announced", announced("0x1")),
        (&proven, "quorum", quorum(2)),
        (&unknown, "quorum", quorum(2)),
        (&provisional, "quorum", quorum(1)),
        (&unknown, "amount", json!("0")),
        (&provisional, "amount", json!("0")),
        (&proven, "origin", none.clone()),
        (&proven, "origin", with(&proven["origin"], &[("agreed_by", json!(["anna"]))])),
        (&proven, "origin", with(&proven["origin"], &[("agreed_by", json!("anna"))])),
        (&unknown, "origin", proven["origin"].clone()),
        (&unknown, "block", proven["block"].clone()),
        (&unknown, "why", none.clone()),
        (&proven, "why", why.clone()),
        (&proven, "amount", none.clone()),
        (&proven, "amount", json!(5)),
        (&proven, "amount", json!("05")),
        (&proven, "amount", json!("0x5")),
        (&proven, "amount", json!("-5")),
        (&proven, "state", json!("unknown")),
        (&proven, "state", json!("pending")),
        (&proven, "provider", none.clone()),
        (&proven, "age_seconds", json!(-1)),
        (&proven, "schema", json!("saldo.reading/2")),
        (&proven, "extra", json!(1)),
        (&failure, "extra", json!(1)),
        (&failure, "error", json!({ "code": "usage", "detail": "no" })),
        (&proven, "block", with(&proven["block"], &[("assurance", json!("justified"))])),
        (&proven, "block", with(&proven["block"], &[("signers", none.clone())])),
        (&proven, "block", with(&proven["block"], &[("assurance", "l1_finalized".into())])),
        (&proven, "block", with(&proven["block"], &[("extra", json!(1))])),
        (&unknown, "why", with(&why, &[("fault", json!("somebody"))])),
        (&unknown, "why", with(&why, &[("extra", json!(1))])),
        (&unknown, "last", json!({ "amount": "5" })),
        (&unknown, "last", without_age),
        (&unknown, "chain_id", none.clone()),
        (&unknown, "address", none.clone()),
        (&unknown, "age_seconds", json!(3)),
        (&unknown, "frozen", json!(false)),
        (&unknown, "derivation", derivation.clone()),
        (&unknown, "formatted", json!("0")),
        (&proven, "asset", json!(format!("eip155:1/erc20:{contract}"))),
        (&proven, "token", json!(contract)),
        (&proven, "derivation", derivation.clone()),
        (&proven, "frozen", none.clone()),
        (&proven, "decimals", json!(6)),
        (&proven, "decimals_from", json!("list")),
        (&proven, "coverage", json!({ "native": false, "tokens": 1, "other_networks": 0, "skipped": 0 })),
        (&token, "token", none.clone()),
        (&token, "asset", json!("eip155:1/slip44:60")),
        (&token, "derivation", none.clone()),
        (&token, "derivation", with(&derivation, &[("kind", json!("guess"))])),
        (&token, "decimals", none.clone()),
        (&token, "decimals", json!(256)),
        (&token, "decimals", json!(6.5)),
        (&token, "decimals_from", json!("network")),
        (&token, "decimals_from", none.clone()),
        (&token, "formatted", json!(0.5)),
        (&token, "formatted", json!("0.50")),
        (&token, "formatted", json!("1e3")),
        (&token, "symbol", json!("USDC")),
        (&without_decimals, "formatted", json!("5")),
    ] {
        let wrong = with(base, &[(key, value)]);
        assert!(!schema.is_valid(&wrong), "{wrong}");
    }
}
