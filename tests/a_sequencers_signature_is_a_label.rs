//! A relay shows the newest block that a rollup's sequencer signed. That the sequencer announced the block of a provisional reading is a
//! label, with what one trusts in a sentence. No policy lifts it, and no relay can spoil a reading.

use std::time::Duration;

use saldo::{
    BuildError, Client, Clock, Level, NetworkId, Policy, Profile, Provisional, Reading, RelayProblem,
    RollupHealth, U256, Why,
};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::{Chain, Fault, Provider, RollupKind, SequencerRelay};
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::{ALICE, BOB};

const KIND: RollupKind = RollupKind::Multiproof { interval: 60, step: 30 };
const RELAY: &str = "relay=http://relay.test";

/// A rollup with a relay. Its contracts are in a final block of L1.
fn world(seed: u64) -> (RollupWorld, SequencerRelay) {
    let world = RollupWorld::new(seed, KIND);
    world.pass(9);
    let relay = SequencerRelay::honest(world.rollup.chain());
    world.simulation.internet().register("http://relay.test", relay.clone());
    (world, relay)
}

fn client_of(world: &RollupWorld, profile: Profile, policy: Policy) -> Client {
    let rollup = Client::rollup(profile).policy(policy).rpc("l2=http://l2.test").sequencer_relay(RELAY);
    world.of_l1().and(rollup).build().unwrap()
}

fn client(world: &RollupWorld) -> Client {
    client_of(world, world.rollup.profile(), Policy::rollup())
}

#[track_caller]
fn provisional(reading: Reading) -> Provisional {
    let Reading::Provisional(provisional) = reading else { panic!("{reading:?}") };
    provisional
}

fn is_announced(world: &RollupWorld, client: &Client) -> bool {
    provisional(world.read(client, ALICE)).announced().is_some()
}

fn health(client: &Client) -> RollupHealth {
    client.on(NetworkId::new(KIND.chain_id())).unwrap().health().rollup.unwrap()
}

#[track_caller]
fn problem(client: &Client) -> RelayProblem {
    let [relay] = &health(client).relays[..] else { panic!("one relay") };
    relay.problem.clone().unwrap()
}

#[test]
fn that_the_sequencer_announced_a_block_is_a_label_and_no_proof() {
    let (world, _) = world(1);
    let usual = Policy::rollup();
    let finalized =
        Policy { assurance: Level::L1Finalized, max_age: Duration::from_secs(30 * 24 * 3_600), ..usual };
    for policy in [usual, finalized] {
        let client = client_of(&world, world.rollup.profile(), policy);
        let reading = world.read(&client, ALICE);
        let form = serde_json::to_value(&reading).unwrap();
        let claim = provisional(reading);
        let label = claim.announced().unwrap();
        assert!(label.to_string().contains("that proves nothing: one trusts its key"), "{label}");
        assert_eq!(claim.unconfirmed_amount().unwrap().base_units(), U256::from(100));
        assert_eq!((&form["amount"], &form["block"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        assert_eq!(form["announced"]["signer"], serde_json::to_value(label.signer()).unwrap(), "{form}");
        assert_eq!(form["announced"]["trust"], label.to_string());
        assert_eq!(client.last(&world.holding(ALICE)), None, "it is not recorded");
        let health = health(&client);
        let [relay] = &health.relays[..] else { panic!("{health:?}") };
        assert_eq!((relay.relay.as_str(), relay.newest.is_some(), &relay.problem), ("relay", true, &None));
    }
}

#[test]
fn a_block_before_the_one_that_was_signed_is_linked_to_it() {
    let (world, relay) = world(2);
    // Only the first provider sees the address. The other one has the headers.
    world.simulation.internet().register("http://other.test", Provider::honest(world.rollup.chain()));
    let policy = Policy { operators_per_address: 1, ..Policy::rollup() };
    let rollup = Client::rollup(world.rollup.profile()).policy(policy).sequencer_relay(RELAY);
    let rollup = rollup.rpc("l2=http://l2.test").rpc("other=http://other.test");
    let client = world.of_l1().and(rollup).build().unwrap();
    world.provider.set_lag(20);
    assert!(is_announced(&world, &client));
    // A minute of blocks, and no more.
    world.provider.set_lag(40);
    assert!(!is_announced(&world, &client));
    // A relay that lags says nothing of a later block.
    world.provider.set_lag(0);
    relay.set_lag(1);
    assert!(!is_announced(&world, &client));
}

/// The sequencer can sign two blocks of one number: what it signed is the label, and nothing else of that number.
#[test]
fn a_signature_is_of_its_own_block_alone() {
    let (world, relay) = world(3);
    let fork = world.rollup.chain().split();
    fork.set_balance(ALICE, U256::from(999));
    world.pass(1);
    fork.advance_to(world.rollup.chain().now());
    relay.set(Fault::OtherChain(fork));
    let client = client(&world);
    for lag in [0, 3, 10] {
        world.provider.set_lag(lag);
        assert!(!is_announced(&world, &client), "{lag}");
    }
    let [relay] = &health(&client).relays[..] else { panic!() };
    assert_eq!(relay.problem, None, "the signature itself is true");
}

/// An app does not wait for a relay longer than for a label, and leaves one alone for a minute that showed no signed block.
#[test]
fn a_relay_that_fails_costs_the_label_and_nothing_else() {
    let (world, relay) = world(4);
    let client = client(&world);
    let clock = world.simulation.clock();
    for fault in [Fault::Hang, Fault::Status(503), Fault::Refuse, Fault::Status(200)] {
        world.pass(2);
        relay.set(fault.clone());
        let (began, asked) = (clock.monotonic(), relay.exchanges());
        assert!(!is_announced(&world, &client), "{fault:?}");
        assert!(clock.monotonic() - began < Duration::from_secs(4), "{fault:?}");
        let _ = problem(&client);
        assert!(!is_announced(&world, &client));
        assert!(relay.exchanges() <= asked + 1, "{fault:?}: it is left alone");
    }
    relay.clear();
    world.pass(2);
    assert!(is_announced(&world, &client), "it is asked again");
    assert_eq!(health(&client).relays[0].problem, None);
}

/// Answers with a text.
struct Says(String);

impl Service for Says {
    fn answer(&self, _: &HttpRequest) -> Reaction {
        Reaction::Reply(Reply::new(200, "application/json", self.0.clone()))
    }

    fn refuses(&self) -> bool {
        false
    }
}

/// What the relay of a rollup with that chain id says of the newest block.
fn message(world: &RollupWorld, chain_id: u64) -> serde_json::Value {
    let chain = Chain::builder(9).chain_id(chain_id).build();
    chain.advance_to(world.rollup.chain().now());
    let relay =
        SequencerRelay::honest(if chain_id == KIND.chain_id() { world.rollup.chain() } else { &chain });
    let request =
        HttpRequest { method: "GET".to_owned(), path: "/latest".to_owned(), ..HttpRequest::default() };
    let Reaction::Reply(reply) = relay.answer(&request) else { panic!("no reply") };
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn what_another_key_signed_or_was_changed_is_refused_by_name() {
    let (world, _) = world(5);
    let client = client(&world);
    let own = message(&world, KIND.chain_id());
    let data = own["data"].as_str().unwrap();
    let changed = |at: usize| {
        let digit = if data.as_bytes()[at] == b'0' { "1" } else { "0" };
        let mut message = own.clone();
        message["data"] = format!("{}{digit}{}", &data[..at], &data[at + 1..]).into();
        message
    };
    let cut = |to: usize| {
        let mut message = own.clone();
        message["data"] = data[..to].into();
        message
    };
    let mut zero = own.clone();
    zero["signature"]["r"] = "0x0".into();
    let cases = [
        ("of another rollup", message(&world, 10), "other_signer"),
        ("a changed state root", changed(2 + 2 * (32 + 52)), "other_signer"),
        ("a changed number", changed(2 + 2 * (32 + 404)), "other_signer"),
        ("cut", cut(2 + 2 * 500), "not_signed"),
        ("empty", cut(2), "not_signed"),
        ("no signature", zero, "not_signed"),
        ("no message", serde_json::json!({ "data": 1 }), "malformed"),
    ];
    for (name, message, code) in cases {
        world.pass(2);
        world.simulation.internet().register("http://relay.test", Says(message.to_string()));
        assert!(!is_announced(&world, &client), "{name}");
        assert_eq!(problem(&client).code(), code, "{name}");
    }
}

/// L1 names the key, also where the codes of the other contracts are not known.
#[test]
fn the_label_needs_no_known_contracts_but_the_key_that_l1_names() {
    let (world, _) = world(6);
    let text = world.rollup.profile().to_toml();
    let unpinned = text.split("[[").next().unwrap();
    let profile = Profile::from_toml(unpinned).unwrap();
    assert!(!profile.is_pinned());
    let client = client_of(&world, profile, Policy::rollup());
    let claim = provisional(world.read(&client, ALICE));
    assert!(claim.announced().is_some(), "{claim:?}");
    assert!(matches!(claim.why(), Why::RollupNotVouched { .. }), "{:?}", claim.why());
}

#[test]
fn a_key_that_l1_replaced_counts_no_more() {
    let (world, _) = world(7);
    let client = client(&world);
    assert!(is_announced(&world, &client));
    world.rollup.set_sequencer(BOB);
    world.pass(10);
    assert!(!is_announced(&world, &client));
    assert!(matches!(problem(&client), RelayProblem::OtherSigner { expected: BOB, .. }));
}

/// Providers that stand at one old block are no rollup that stands still while its sequencer signs new ones.
#[test]
fn a_signature_tells_providers_that_lag_from_a_rollup_that_stands_still() {
    let (world, relay) = world(8);
    let other = Provider::honest(world.rollup.chain()).proof_window(1_000);
    world.simulation.internet().register("http://other.test", other.clone());
    let rollup =
        Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test").rpc("other=http://other.test");
    let client = world.of_l1().and(rollup.sequencer_relay(RELAY)).build().unwrap();
    assert!(is_announced(&world, &client));
    let stand = |minutes: u64| minutes * 60 / 2;
    world.pass(20);
    [&world.provider, &other].iter().for_each(|provider| provider.set_lag(stand(20)));
    let claim = provisional(world.read(&client, ALICE));
    assert_ne!(claim.why().code(), "rollup_stopped", "the sequencer signs");
    assert_eq!(health(&client).stopped, None);
    // The relay stands there too.
    relay.set_lag(stand(20));
    let claim = provisional(world.read(&client, ALICE));
    assert_eq!(claim.why().code(), "rollup_stopped");
    assert!(health(&client).stopped.is_some());
    // A silent relay is waited for a moment only.
    relay.set(Fault::Hang);
    let clock = world.simulation.clock();
    let began = clock.monotonic();
    let claim = provisional(world.read(&client, ALICE));
    assert_eq!(claim.why().code(), "rollup_stopped");
    assert!(clock.monotonic() - began < Duration::from_secs(6), "{:?}", clock.monotonic() - began);
    relay.clear();
    world.pass(2);
    [&world.provider, &other].iter().for_each(|provider| provider.set_lag(stand(22)));
    relay.set_lag(stand(22));
    // One provider and the relay, which are two operators, tell the same.
    other.set(Fault::Refuse);
    let claim = provisional(world.read(&client, ALICE));
    assert_eq!(claim.why().code(), "rollup_stopped");
}

#[test]
fn nothing_is_asked_of_a_relay_for_what_is_proven() {
    let (world, relay) = world(9);
    let client = client(&world);
    assert!(is_announced(&world, &client));
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let _ = world.read(&client, ALICE);
    let asked = relay.exchanges();
    let reading = world.read(&client, ALICE);
    assert!(reading.proven().is_some(), "{reading:?}");
    assert_eq!(relay.exchanges(), asked);
}

#[test]
fn a_relay_of_a_network_that_is_no_rollup_is_a_callers_mistake() {
    let (world, _) = world(10);
    assert_eq!(world.of_l1().sequencer_relay(RELAY).build().unwrap_err(), BuildError::NoRollup);
    let named = |url| {
        world
            .of_l1()
            .and(Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test").sequencer_relay(url))
    };
    assert!(matches!(named("ftp://x").build().unwrap_err(), BuildError::Relay { position: 1, .. }));
    assert_eq!(named(RELAY).build().map(|_| ()), Ok(()));
}
