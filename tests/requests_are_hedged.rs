//! Promise 4 in time: with one honest provider an amount is proven within two hedge delays and one round trip, however many other
//! providers lie or are silent. Many holdings need few requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready, select};
use saldo::{Attempt, Client, Endpoint, Failure, Holding, Outcome, Policy, Role, TransportError};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use saldo_source::{Answer, Ask, Clock, Deadline, DisclosureSet, Dispatcher, Io, RequestSpec};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

/// The hedge delay of a provider that was never asked.
const HEDGE_DELAY: Duration = Duration::from_millis(400);
/// The longest latency of a request in the simulation, there and back.
const ROUND_TRIP: Duration = Duration::from_millis(80);

fn lies_and_silence() -> Vec<Fault> {
    vec![
        Fault::Hang,
        Fault::Refuse,
        Fault::Trickle { bytes_per_second: 1 },
        Fault::InventedTrie { balance: U256::ZERO },
        Fault::TruncatedProof { nodes: 1 },
        Fault::Status(503),
        Fault::Html,
        Fault::NoProofs,
        Fault::StaleBlock(12),
        Fault::RateLimited { retry_after: Some("30".to_owned()) },
    ]
}

/// The virtual time that a read of Alice takes; it must end proven.
#[track_caller]
fn time_to_proven(scene: &Scene) -> Duration {
    let clock = scene.simulation.clock();
    let before = clock.monotonic();
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    clock.monotonic() - before
}

/// The policy names two operators. The others are asked because these two prove nothing.
#[test]
fn one_honest_provider_of_six_proves_within_two_hedge_delays() {
    let faults = lies_and_silence();
    for seed in 0..40_usize {
        let scene = Scene::with_policy(seed.try_into().unwrap(), 6, 1, Policy::signed());
        let honest = seed % 6;
        for (place, provider) in scene.providers.iter().enumerate().filter(|(place, _)| *place != honest) {
            provider.add(faults[(seed * 7 + place * 3) % faults.len()].clone());
        }
        // Up to two round trips for the head, then one for the proof.
        let took = time_to_proven(&scene);
        assert!(took <= 2 * ROUND_TRIP + 2 * HEDGE_DELAY + ROUND_TRIP, "seed {seed}: {took:?}");
    }
}

/// A provider that is known to be fast has a shorter hedge delay.
#[test]
fn the_hedge_delay_follows_the_latency() {
    let scene = Scene::new(3, 3, 1);
    for _ in 0..5 {
        time_to_proven(&scene);
        scene.pass_slots(1);
    }
    scene.providers[0].add(Fault::Hang);
    let took = time_to_proven(&scene);
    assert!(took <= 2 * ROUND_TRIP + Duration::from_millis(150) + ROUND_TRIP, "{took:?}");
}

#[test]
fn a_thousand_accounts_in_eleven_requests() {
    let scene = Scene::new(4, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    let holdings: Vec<Holding> =
        (0_u16..1_000).map(|number| native(Address::left_padding_from(&number.to_be_bytes()))).collect();
    let before = scene.simulation.internet().log().len();
    let readings = scene.simulation.run(scene.client.read(&holdings));
    assert!(readings.iter().all(|reading| reading.proven().is_some()));
    let log = scene.simulation.internet().log();
    let asked = log[before..].iter().filter(|exchange| exchange.host.starts_with("provider")).count();
    assert!(asked <= 11, "{asked} requests");
}

/// A proof that is missing from one provider's batch comes from another provider; the other proofs of the batch are used.
#[test]
fn a_batch_may_fail_in_part() {
    let scene = Scene::new(5, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    let absent = Fault::PartialBatch.on("eth_getProof");
    scene.providers[0].add(absent);
    let holdings: Vec<Holding> = (0_u8..50).map(|byte| native(Address::repeat_byte(byte))).collect();
    let readings = scene.simulation.run(scene.client.read(&holdings));
    assert!(readings.iter().all(|reading| reading.proven().is_some()));
    let by = |name: &str| {
        readings.iter().filter(|reading| reading.proven().unwrap().provider().as_str() == name).count()
    };
    assert_eq!((by("provider0"), by("provider1")), (49, 1));
}

/// A client of these providers, each with its operator and declared hosting. The first is silent.
fn client_with_a_silent_first(
    policy: Policy,
    providers: &[(&str, &str, Option<&str>)],
) -> (Simulation, Client) {
    let chain = Chain::builder(6).accounts([(ALICE, BEFORE)]).build();
    let simulation = Simulation::new(6, &chain);
    let internet = simulation.internet();
    internet.register("http://source.test", BeaconSource::honest(&chain));
    let mut builder = Client::builder(chain.network())
        .beacon("http://source.test")
        .checkpoint(chain.checkpoint())
        .policy(policy)
        .transport(internet.clone())
        .clock(simulation.clock());
    for (place, (name, operator, hosting)) in providers.iter().enumerate() {
        let provider = Provider::honest(&chain);
        if place == 0 {
            provider.add(Fault::Hang);
        }
        internet.register(&format!("http://{name}.test"), provider);
        let endpoint: Endpoint = format!("{name}=http://{name}.test").parse().unwrap();
        let endpoint = endpoint.operator(operator).unwrap();
        builder = builder.rpc(match hosting {
            Some(hosting) => endpoint.hosting(hosting).unwrap(),
            None => endpoint,
        });
    }
    (simulation, builder.build().unwrap())
}

/// The hedge goes to another operator than the primary, and to other hosting where that is declared.
#[test]
fn the_hedge_goes_to_another_operator_and_other_hosting() {
    let providers = [
        ("first", "Alpha", Some("Cloud")),
        ("same-operator", "alpha ", Some("Cellar")),
        ("same-hosting", "Beta", Some("cloud")),
        ("unknown-hosting", "Gamma", None),
        ("other", "Delta", Some("Cellar")),
    ];
    let (simulation, client) = client_with_a_silent_first(Policy::default(), &providers);
    let reading = simulation.run(client.balance(ALICE));
    assert_eq!(reading.proven().unwrap().provider().as_str(), "other", "{:?}", reading.attempts());
}

/// If no other operator may see the address, the hedge goes to another server of the same operator, after the same delay: to one
/// with other hosting if there is one.
#[test]
fn the_hedge_goes_to_the_same_operator_if_no_other_may_be_asked() {
    let policy = Policy { operators_per_address: 1, ..Policy::default() };
    let providers = [
        ("first", "Alpha", Some("Cloud")),
        ("other", "Beta", Some("Cellar")),
        ("same-hosting", "Alpha", Some("Cloud")),
        ("same-operator", "Alpha", Some("Cellar")),
    ];
    let (simulation, client) = client_with_a_silent_first(policy, &providers);
    let clock = simulation.clock();
    let before = clock.monotonic();
    let reading = simulation.run(client.balance(ALICE));
    let took = clock.monotonic() - before;
    assert_eq!(reading.proven().unwrap().provider().as_str(), "same-operator", "{:?}", reading.attempts());
    assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy), "{:?}", reading.attempts());
    assert!(took <= 2 * ROUND_TRIP + HEDGE_DELAY + ROUND_TRIP, "{took:?}");
}

/// A failure that may pass is retried within the read.
#[test]
fn a_transient_failure_is_retried() {
    for fault in [
        Fault::Status(502),
        Fault::Reset { after: 3 },
        Fault::Error { code: -32000, message: "header not found".into() },
    ] {
        let scene = Scene::new(7, 1, 1);
        scene.assert_true(&scene.balance(ALICE), ALICE);
        scene.pass_slots(1);
        scene.providers[0].add(fault.clone().on("eth_getProof").times(2));
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{fault:?}");
    }
}

/// A dispatcher that knows nothing of these two providers yet, in a simulation of its own.
fn dispatcher_of(seed: u64, urls: [&str; 2]) -> (Simulation, Dispatcher, Vec<Endpoint>) {
    let simulation = Simulation::new(seed, &Chain::new(seed));
    let io = Io::new(Arc::new(simulation.internet()), Arc::new(simulation.clock()));
    let endpoints = urls.map(|url| url.parse().unwrap()).into();
    (simulation, Dispatcher::new(io), endpoints)
}

/// A caller may drop a call because it needs no answer any more. A provider that was silent in it is asked last all the same.
#[test]
fn a_dropped_call_still_records_what_it_learned() {
    let (simulation, dispatcher, endpoints) = dispatcher_of(8, ["http://silent.test", "http://good.test"]);
    let clock = simulation.clock();
    let order = || -> Vec<&str> {
        let ordered = dispatcher.order(Role::Execution, "method", &endpoints);
        ordered.into_iter().map(|endpoint| endpoint.id().as_str()).collect()
    };
    let ask = |endpoint: &Endpoint, turns: Vec<Ask>| -> BoxFuture<'_, Vec<Answer<()>>> {
        if endpoint.id().as_str() == "silent.test" {
            return pending().boxed();
        }
        let answer = |turn: Ask| match turn.item {
            0 => Answer::Accepted(()),
            _ => Answer::Failed(Failure::NoResult),
        };
        ready(turns.into_iter().map(answer).collect()).boxed()
    };
    let deadline = Deadline::after(&clock, Duration::from_secs(4));
    let spec = RequestSpec { role: Role::Execution, method: "method", deadline };
    let drop_after = |time: Duration| {
        let call = dispatcher.hedge(spec, &endpoints, vec![DisclosureSet::unrestricted(); 2], ask);
        let dropped = select(call.boxed(), clock.sleep(time));
        simulation.run(async { drop(dropped.await) });
    };
    // Before the hedge delay an attempt does not count.
    drop_after(HEDGE_DELAY / 2);
    assert_eq!(order(), ["silent.test", "good.test"]);
    drop_after(3 * HEDGE_DELAY);
    assert_eq!(order(), ["good.test", "silent.test"]);
}

/// While this call waits for a provider that is backed off, another call may use up the operators of the policy. The provider is
/// asked over the policy then, and its attempt says so.
#[test]
fn a_provider_withheld_in_the_last_round_is_asked_over_the_policy() {
    let (simulation, dispatcher, endpoints) = dispatcher_of(9, ["http://gone.test", "http://backs-off.test"]);
    let clock = simulation.clock();
    let backed_off = Attempt {
        provider: endpoints[1].id().clone(),
        role: Role::Execution,
        outcome: Outcome::Failed(Failure::RateLimited { retry_after: Some(Duration::from_secs(1)) }),
        took: Duration::ZERO,
        over_policy: false,
    };
    dispatcher.note("method", &[backed_off]);
    let asked = Mutex::new(Vec::new());
    let ask = |endpoint: &Endpoint, turns: Vec<Ask>| -> BoxFuture<'_, Vec<Answer<()>>> {
        let answer = match (endpoint.id().as_str(), turns[0].over_policy) {
            ("gone.test", _) => Answer::Failed(TransportError::Connect.into()),
            (_, false) => Answer::Withheld { operators: ["another".to_owned()].into() },
            (_, true) => Answer::Accepted(()),
        };
        asked.lock().unwrap().push((endpoint.id().to_string(), turns[0].over_policy));
        ready(vec![answer]).boxed()
    };
    let deadline = Deadline::after(&clock, Duration::from_secs(4));
    let spec = RequestSpec { role: Role::Execution, method: "method", deadline };
    let disclosure = |strict| vec![DisclosureSet { most: 1, strict, ..DisclosureSet::unrestricted() }];
    let hedged = simulation.run(dispatcher.hedge(spec, &endpoints, disclosure(false), ask)).remove(0);
    assert_eq!(hedged.winner.map(|(id, ())| id.to_string()).as_deref(), Some("backs-off.test"));
    let is_over_policy =
        |name: &str| hedged.attempts.iter().find(|it| it.provider.as_str() == name).unwrap().over_policy;
    assert!(is_over_policy("backs-off.test") && !is_over_policy("gone.test"));
    let expected = [("gone.test", false), ("backs-off.test", false), ("backs-off.test", true)];
    assert_eq!(*asked.lock().unwrap(), expected.map(|(name, over_policy)| (name.to_owned(), over_policy)));

    let hedged = simulation.run(dispatcher.hedge(spec, &endpoints, disclosure(true), ask)).remove(0);
    assert!(hedged.winner.is_none() && hedged.held_back, "{:?}", hedged.attempts);
}
