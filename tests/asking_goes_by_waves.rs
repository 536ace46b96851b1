//! Promise 4 in time: with one honest provider an amount is proven within two waits and one way there and back, however
//! many others lie or are silent; and with many holdings within few requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready, select};
use saldo::{Attempt, Client, Endpoint, Failure, Holding, Outcome, Policy, Role, TransportError};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use saldo_source::{Answer, Ask, Clock, Deadline, DisclosureSet, Dispatcher, Io, RequestSpec};
use saldo_tests::scene::{ALICE, BEFORE, Scene};

/// How long one is waited for where nothing is known of him.
const PATIENCE: Duration = Duration::from_millis(400);
/// The longest way in the simulation.
const WAY: Duration = Duration::from_millis(80);

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

/// How long a read of Alice takes in virtual time; it must be proven.
#[track_caller]
fn time_to_proven(scene: &Scene) -> Duration {
    let clock = scene.simulation.clock();
    let before = clock.monotonic();
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    clock.monotonic() - before
}

/// With the default policy, which names two operators: the others are asked because these two prove nothing.
#[test]
fn five_of_six_lie_or_are_silent() {
    let faults = lies_and_silence();
    for seed in 0..40_usize {
        let scene = Scene::with_policy(seed.try_into().unwrap(), 6, 1, Policy::signed());
        let honest = seed % 6;
        for (place, provider) in scene.providers.iter().enumerate().filter(|(place, _)| *place != honest) {
            provider.add(faults[(seed * 7 + place * 3) % faults.len()].clone());
        }
        // The head comes first, then the proof.
        let took = time_to_proven(&scene);
        assert!(took <= 2 * WAY + 2 * PATIENCE + WAY, "seed {seed}: {took:?}");
    }
}

/// What is known to be fast is not waited for so long.
#[test]
fn patience_follows_what_answers_take() {
    let scene = Scene::new(3, 3, 1);
    for _ in 0..5 {
        time_to_proven(&scene);
        scene.pass_slots(1);
    }
    scene.providers[0].add(Fault::Hang);
    let took = time_to_proven(&scene);
    assert!(took <= 2 * WAY + Duration::from_millis(150) + WAY, "{took:?}");
}

#[test]
fn a_thousand_accounts_in_eleven_requests() {
    let scene = Scene::new(4, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    let holdings: Vec<Holding> = (0_u16..1_000)
        .map(|number| Holding::native(Address::left_padding_from(&number.to_be_bytes())))
        .collect();
    let before = scene.simulation.internet().log().len();
    let readings = scene.simulation.run(scene.client.read(&holdings));
    assert!(readings.iter().all(|reading| reading.proven().is_some()));
    let log = scene.simulation.internet().log();
    let asked = log[before..].iter().filter(|exchange| exchange.host.starts_with("provider")).count();
    assert!(asked <= 11, "{asked} requests");
}

/// What one provider lacks for some of many holdings comes from another, and the rest stays.
#[test]
fn a_batch_may_fail_in_part() {
    let scene = Scene::new(5, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    let absent = Fault::PartialBatch.on("eth_getProof");
    scene.providers[0].add(absent);
    let holdings: Vec<Holding> = (0_u8..50).map(|byte| Holding::native(Address::repeat_byte(byte))).collect();
    let readings = scene.simulation.run(scene.client.read(&holdings));
    assert!(readings.iter().all(|reading| reading.proven().is_some()));
    let by = |name: &str| {
        readings.iter().filter(|reading| reading.proven().unwrap().provider().as_str() == name).count()
    };
    assert_eq!((by("provider0"), by("provider1")), (49, 1));
}

/// A client of these providers, each with its operator and declared hosting, of which the one named first is silent.
fn beside_a_silent_one(policy: Policy, providers: &[(&str, &str, Option<&str>)]) -> (Simulation, Client) {
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

/// The first two who are asked are run by different operators, and hosted by different companies where that is declared.
#[test]
fn the_second_is_of_another_operator_and_other_hosting() {
    let providers = [
        ("first", "Alpha", Some("Cloud")),
        ("same-operator", "alpha ", Some("Cellar")),
        ("same-hosting", "Beta", Some("cloud")),
        ("unknown-hosting", "Gamma", None),
        ("other", "Delta", Some("Cellar")),
    ];
    let (simulation, client) = beside_a_silent_one(Policy::default(), &providers);
    let reading = simulation.run(client.balance(ALICE));
    assert_eq!(reading.proven().unwrap().provider().as_str(), "other", "{:?}", reading.attempts());
}

/// Where no other operator may see the address, its second server has the second turn, and nobody waits longer for it: one
/// of other hosting, if there is one.
#[test]
fn the_second_is_of_the_same_operator_if_no_other_may_be_asked() {
    let policy = Policy { operators_per_address: 1, ..Policy::default() };
    let providers = [
        ("first", "Alpha", Some("Cloud")),
        ("other", "Beta", Some("Cellar")),
        ("same-hosting", "Alpha", Some("Cloud")),
        ("same-operator", "Alpha", Some("Cellar")),
    ];
    let (simulation, client) = beside_a_silent_one(policy, &providers);
    let clock = simulation.clock();
    let before = clock.monotonic();
    let reading = simulation.run(client.balance(ALICE));
    let took = clock.monotonic() - before;
    assert_eq!(reading.proven().unwrap().provider().as_str(), "same-operator", "{:?}", reading.attempts());
    assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy), "{:?}", reading.attempts());
    assert!(took <= 2 * WAY + PATIENCE + WAY, "{took:?}");
}

/// A failure that passes by itself is tried again within the read.
#[test]
fn what_passes_is_tried_again() {
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

/// An asker that knows nothing of these two yet, in a world of its own.
fn asker_of(seed: u64, urls: [&str; 2]) -> (Simulation, Dispatcher, Vec<Endpoint>) {
    let simulation = Simulation::new(seed, &Chain::new(seed));
    let network = Io::new(Arc::new(simulation.internet()), Arc::new(simulation.clock()));
    let endpoints = urls.map(|url| url.parse().unwrap()).into();
    (simulation, Dispatcher::new(network), endpoints)
}

/// A race may be given up because what it was begun for came another way. Who was silent in it is asked last all the same.
#[test]
fn what_a_race_has_shown_is_kept_when_it_is_given_up() {
    let (simulation, dispatcher, endpoints) = asker_of(8, ["http://silent.test", "http://good.test"]);
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
    let given_up_after = |time: Duration| {
        let race = dispatcher.hedge(spec, &endpoints, vec![DisclosureSet::unrestricted(); 2], ask);
        let given_up = select(race.boxed(), clock.sleep(time));
        simulation.run(async { drop(given_up.await) });
    };
    // Nobody had a chance.
    given_up_after(PATIENCE / 2);
    assert_eq!(order(), ["silent.test", "good.test"]);
    given_up_after(3 * PATIENCE);
    assert_eq!(order(), ["good.test", "silent.test"]);
}

/// Another race may fill the circle while this one waits for somebody who wants to be left alone: he is asked all the same when
/// the turn of those beyond comes, and that is said.
#[test]
fn who_finds_no_room_in_the_last_round_is_asked_beyond() {
    let (simulation, dispatcher, endpoints) = asker_of(9, ["http://gone.test", "http://rests.test"]);
    let clock = simulation.clock();
    let rests = Attempt {
        provider: endpoints[1].id().clone(),
        role: Role::Execution,
        outcome: Outcome::Failed(Failure::RateLimited { retry_after: Some(Duration::from_secs(1)) }),
        took: Duration::ZERO,
        over_policy: false,
    };
    dispatcher.note("method", &[rests]);
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
    let race = simulation.run(dispatcher.hedge(spec, &endpoints, disclosure(false), ask)).remove(0);
    assert_eq!(race.winner.map(|(id, ())| id.to_string()).as_deref(), Some("rests.test"));
    let told = |name: &str| race.attempts.iter().find(|it| it.provider.as_str() == name).unwrap().over_policy;
    assert!(told("rests.test") && !told("gone.test"));
    let expected = [("gone.test", false), ("rests.test", false), ("rests.test", true)];
    assert_eq!(*asked.lock().unwrap(), expected.map(|(name, over_policy)| (name.to_owned(), over_policy)));

    let race = simulation.run(dispatcher.hedge(spec, &endpoints, disclosure(true), ask)).remove(0);
    assert!(race.winner.is_none() && race.held_back, "{:?}", race.attempts);
}
