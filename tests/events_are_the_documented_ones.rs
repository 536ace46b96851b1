//! saldo's `tracing` events are those of `docs/events.md`, field by field, and contain no address, amount or URL.
//! This is checked for every event that wallets emit during outages and lies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saldo::{Client, Policy, U256};
use saldo_drill::replay::replay;
use saldo_drill::scenario::built_in;
use saldo_drill::simulate::Simulation;
use saldo_drill::stage::OWNER;
use saldo_drill::{BeaconSource, Chain, Fault, Provider, RollupKind};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::key_recorder::{assert_no_key, client_with_keys, with_keys};
use saldo_tests::native;
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, Scene, UNUSED};
use saldo_tests::supply::repository;
use saldo_tests::token::{USDC, deploy, erc20, set_word};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The form of an event: target, level and fields.
type Form = (String, String, BTreeSet<String>);

/// An emitted event.
#[derive(Clone)]
struct Sent {
    name: String,
    form: Form,
    /// All its values, as text.
    text: String,
}

#[derive(Default)]
struct Reader {
    name: String,
    fields: BTreeSet<String>,
    text: String,
}

impl Visit for Reader {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.name = format!("{value:?}");
        } else {
            self.fields.insert(field.name().to_owned());
            write!(self.text, " {}={value:?}", field.name()).unwrap();
        }
    }
}

#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<Sent>>>);

impl<S: tracing::Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if !metadata.target().starts_with("saldo") && !metadata.module_path().unwrap().starts_with("saldo") {
            return;
        }
        let mut reader = Reader::default();
        event.record(&mut reader);
        let level = metadata.level().to_string().to_lowercase();
        let form = (metadata.target().to_owned(), level, reader.fields);
        let text = format!("{}{}", reader.name, reader.text);
        self.0.lock().unwrap().push(Sent { name: reader.name, form, text });
    }
}

/// Collects the events that are emitted while `life` runs.
fn events_during(life: impl FnOnce()) -> Vec<Sent> {
    let listener = Listener::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(listener.clone()), life);
    let events = listener.0.lock().unwrap();
    events.clone()
}

/// The table in the document.
fn documented() -> BTreeMap<String, Form> {
    let text = std::fs::read_to_string(repository().join("docs/events.md")).unwrap();
    let ticked =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    text.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, target, level, fields, _] = cells[..] else { panic!("{row}") };
            let form = (ticked(target).remove(0), level.to_owned(), ticked(fields).into_iter().collect());
            (ticked(name).remove(0), form)
        })
        .collect()
}

/// All kinds of outages and lies, a reorganisation, and a chain that contradicts itself.
fn scenarios() {
    const SCENARIOS: [&str; 8] = [
        "false-zero",
        "edited-claim",
        "everyone-down",
        "rate-limit-storm",
        "reorganised",
        "tip-only",
        "two-lie-one-is-honest",
        "wrong-chain",
    ];
    let scenarios = built_in();
    for name in SCENARIOS {
        let (name, scenario) = scenarios.iter().find(|(known, _)| *known == name).unwrap();
        replay(name, scenario).unwrap();
    }
}

/// Events that an app causes itself, and the rarest events of a chain.
fn rare_events() {
    a_payment_is_withdrawn(&Scene::new(2, 2, 1));

    let policy = Policy { operators_per_address: 2, ..Policy::finalized() };
    let mut scene = Scene::with_policy(1, 2, 2, policy);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.client.network_changed(false);
    scene.client.network_changed(true);
    let other = scene.chain.split();
    scene.simulation.follow(&other);
    scene.chain.set_balance(ALICE, AFTER);
    // The first source gives no finality, so the second source is asked for the same heads.
    scene.pass_slots(40);
    scene.sources[0].add(Fault::Status(503).on("finality_update"));
    scene.sources[1].add(Fault::OtherChain(other));
    scene.assert_unknown(&scene.balance(ALICE), "consensus_fault", BEFORE);
    scene.client.start_again(scene.chain.checkpoint());
    a_game_is_taken_back(&RollupWorld::new(3, RollupKind::Multiproof { interval: 60, step: 30 }));
}

fn a_game_is_taken_back(world: &RollupWorld) {
    let client = world.client();
    let _ = world.read(&client, ALICE);
    let proposal = world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let _ = world.read(&client, ALICE);
    world.rollup.blacklist(proposal.game());
    world.pass(9);
    let _ = world.read(&client, ALICE);
}

fn a_payment_is_withdrawn(scene: &Scene) {
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.chain.reorg(3);
    scene.pass_slots(1);
    let _ = scene.balance(ALICE);
}

/// A wallet whose URLs contain keys, with providers that lie and fail.
fn with_secrets() {
    let chain = Chain::builder(8).accounts([(ALICE, BEFORE)]).build();
    let simulation = Simulation::new(8, &chain);
    let (provider, source) = (Provider::honest(&chain), BeaconSource::honest(&chain));
    let client = client_with_keys(&chain, &simulation, provider.clone(), source.clone());
    let holdings = [native(ALICE), native(UNUSED)];
    let everybodys = [
        Fault::Refuse,
        Fault::Redirect(with_keys("http://elsewhere.test")),
        Fault::Body(with_keys("http://elsewhere.test")),
    ];
    let lies = [Fault::TruncatedProof { nodes: 1 }, Fault::InventedTrie { balance: U256::ZERO }];
    let at_both = everybodys.map(|fault| (fault.clone(), Some(fault)));
    for (at_provider, at_source) in at_both.into_iter().chain(lies.map(|lie| (lie, None))) {
        provider.set(at_provider);
        at_source.into_iter().for_each(|fault| source.set(fault));
        let _ = simulation.run(client.read(&holdings));
        provider.clear();
        source.clear();
        let _ = simulation.run(client.read(&holdings));
        simulation.pass(chain.network().slot_duration() * 2);
    }
    let _ = simulation.run(client.finalized(&holdings));
}

/// Forty hexadecimal digits in a row are an address, and sixty-four are a hash or a key.
fn has_long_hex(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_hexdigit()).any(|run| run.len() >= 40)
}

#[test]
fn every_event_is_documented_and_every_documented_event_occurs() {
    let documented = documented();
    let sent = events_during(|| {
        scenarios();
        rare_events();
        with_secrets();
        // Trust that starts from an agreement.
        let world = CheckpointWorld::new(5, 3);
        let _ = world.read_until_proven(&world.client());
    });
    for Sent { name, form, text } in &sent {
        let expected = documented.get(name).unwrap_or_else(|| panic!("not documented: {text} {form:?}"));
        assert_eq!(form, expected, "{name}");
    }
    let names = |of: &mut dyn Iterator<Item = &String>| of.cloned().collect::<BTreeSet<String>>();
    assert_eq!(names(&mut sent.iter().map(|sent| &sent.name)), names(&mut documented.keys()));
}

#[test]
fn no_event_contains_an_address_an_amount_or_a_url() {
    let sent = events_during(|| {
        scenarios();
        with_secrets();
    });
    assert!(sent.len() > 500, "only {} events", sent.len());
    assert!(
        has_long_hex(&format!("{ALICE:x}")) && !has_long_hex("block=4040404040"),
        "the check finds an address"
    );
    let written = [ALICE, UNUSED, OWNER].map(|address| format!("{address:x}"));
    for Sent { text, .. } in &sent {
        assert!(!has_long_hex(text), "{text}");
        assert!(!text.contains("://") && !text.contains("0x"), "{text}");
        assert_no_key(text, "event");
        assert!(!written.iter().any(|address| text.to_lowercase().contains(address)), "{text}");
        // The scenarios' amounts in wei.
        assert!(!text.contains("000000000000000"), "{text}");
    }
}

/// A subscriber that calls the client must not wait for ever.
#[test]
fn no_lock_is_held_while_an_event_is_emitted() {
    struct CallsClient(Client, Arc<Mutex<BTreeSet<String>>>);
    impl<S: tracing::Subscriber> Layer<S> for CallsClient {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            let _ = (self.0.health(), self.0.last(&native(ALICE)), self.0.evidence());
            let mut reader = Reader::default();
            event.record(&mut reader);
            self.1.lock().unwrap().insert(reader.name);
        }
    }
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let scene = Scene::new(3, 2, 1);
        let called_at = Arc::default();
        let asks = CallsClient(scene.client.clone(), Arc::clone(&called_at));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(asks), || {
            scene.assert_true(&scene.balance(ALICE), ALICE);
            scene.providers.iter().for_each(|provider| provider.add(Fault::TruncatedProof { nodes: 1 }));
            scene.pass_slots(1);
            let _ = scene.balance(ALICE);
            scene.providers.iter().for_each(Provider::clear);
            scene.pass_slots(1);
            a_payment_is_withdrawn(&scene);
        });
        done.send(called_at.lock().unwrap().clone()).unwrap();
    });
    let called_at = finished.recv_timeout(Duration::from_secs(60)).expect("it came to an end");
    for name in ["trust.started", "head.signed", "reading.withdrawn", "provider.struck", "reading.unknown"] {
        assert!(called_at.contains(name), "{name} is not among {called_at:?}");
    }
}

#[test]
fn a_claim_beside_the_proof_of_a_token_is_compared() {
    let zero = serde_json::json!("0x0");
    let lie = Fault::Field { name: "balance".into(), value: Some(zero) };
    for (seed, fault, is_told) in [
        (60, Some(Fault::ZeroBalance), true),
        (61, Some(lie), false),
        (62, Some(Fault::ShortKeys), false),
        (63, None, false),
    ] {
        let scene = Scene::new(seed, 1, 1);
        deploy(&scene.chain);
        set_word(&scene.chain, USDC, "FiatTokenV2_2", ALICE, U256::from(7));
        scene.pass_slots(4);
        fault.clone().into_iter().for_each(|fault| scene.providers[0].add(fault));
        let events = events_during(|| {
            let reading = scene.simulation.run(scene.client.read(&[erc20(ALICE, USDC)])).pop().unwrap();
            assert_eq!(reading.proven().unwrap().amount().base_units(), U256::from(7), "{fault:?}");
        });
        let told = events.iter().filter(|event| event.name == "provider.claim_contradicts_proof").count();
        assert_eq!(told > 0, is_told, "{fault:?}");
    }
}
