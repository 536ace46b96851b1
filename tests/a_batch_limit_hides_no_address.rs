//! Free tiers and clients refuse batches in many ways. None of them says anything about the provider, so every address is proven.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use saldo::{Client, Clock, Failure, Holding, MemoryStorage, Policy, Reading};
use saldo_drill::{BatchRefusal, Chain, Fault};
use saldo_source::execution::{At, Question, ask_together};
use saldo_source::{BatchSize, Io};
use saldo_tests::native;
use saldo_tests::scene::Scene;

/// The longest latency of a request in the simulation, there and back.
const ROUND_TRIP: Duration = Duration::from_millis(80);

fn owner(number: u8) -> Address {
    Address::repeat_byte(number + 1)
}

/// A scene in which sixty addresses hold something, with a running light client.
fn sixty(seed: u64, providers: usize, policy: Policy) -> (Scene, Vec<Holding>) {
    let accounts = (0..60).map(|number| (owner(number), U256::from(number) + U256::from(1)));
    let chain = Chain::builder(seed).accounts(accounts).build();
    let scene = Scene::of(chain, seed, providers, 1, policy);
    let holdings: Vec<Holding> = (0..60).map(|number| native(owner(number))).collect();
    (scene, holdings)
}

fn proven(scene: &Scene, holdings: &[Holding], readings: &[Reading]) -> usize {
    for (holding, reading) in holdings.iter().zip(readings).filter(|(_, reading)| reading.proven().is_some())
    {
        scene.assert_true(reading, holding.owner());
    }
    readings.iter().filter(|reading| reading.proven().is_some()).count()
}

/// The limits that the refusing providers have.
fn limits() -> Vec<Fault> {
    let refusals = BatchRefusal::ALL.into_iter();
    let mut limits: Vec<Fault> = refusals
        .flat_map(|form| [1, 2, 3, 5, 10, 20].map(|calls| Fault::BatchLimit { calls, form }))
        .collect();
    limits.extend([2_000, 8_000, 20_000, 60_000].map(|bytes| Fault::ResponseLimit { bytes }));
    limits
}

#[test]
fn two_refusing_providers_and_three_honest_ones_prove_sixty_of_sixty() {
    for (seed, limit) in (1..).zip(limits()) {
        let (scene, holdings) = sixty(seed, 5, Policy::signed());
        scene.assert_true(&scene.balance(owner(0)), owner(0));
        scene.pass_slots(1);
        scene.assert_true(&scene.balance(owner(0)), owner(0));
        scene.providers[..2].iter().for_each(|provider| provider.add(limit.clone()));
        let clock = scene.simulation.clock();
        let began = clock.monotonic();
        let readings = scene.simulation.run(scene.client.read(&holdings));
        let took = clock.monotonic() - began;
        assert_eq!(proven(&scene, &holdings, &readings), 60, "{limit:?}");
        assert!(took <= 4 * ROUND_TRIP, "{limit:?}: {took:?}");
    }
}

/// The first call may meet the limit while the light client starts. The provider is then the only one.
#[test]
fn a_refusing_provider_alone_proves_sixty_of_sixty_and_is_not_punished() {
    for (seed, limit) in (101..).zip(limits()) {
        let (scene, holdings) = sixty(seed, 1, Policy::signed());
        scene.providers[0].add(limit.clone());
        for _ in 0..3 {
            let readings = scene.simulation.run(scene.client.read(&holdings));
            assert_eq!(proven(&scene, &holdings, &readings), 60, "{limit:?}");
            scene.pass_slots(1);
        }
        let health = scene.client.health();
        let stats = &health.endpoints[0].stats;
        assert_eq!((stats.strikes, stats.backed_off, stats.failed.clone()), (0, None, None), "{limit:?}");
    }
}

/// The size is learned: a later read sends no refused batch, until it tries a larger one.
#[test]
fn a_learned_size_is_kept() {
    let (scene, holdings) = sixty(7, 1, Policy::signed());
    let limit = Fault::BatchLimit { calls: 3, form: BatchRefusal::FreeTier };
    scene.providers[0].add(limit);
    let requests = || {
        let log = scene.simulation.internet().log();
        log.iter().filter(|exchange| exchange.host.starts_with("provider")).count()
    };
    scene.simulation.run(scene.client.read(&holdings));
    scene.pass_slots(1);
    let before = requests();
    let readings = scene.simulation.run(scene.client.read(&holdings));
    assert_eq!(proven(&scene, &holdings, &readings), 60);
    assert!(requests() - before <= 20 + 1, "{} requests", requests() - before);
}

fn questions() -> Vec<Question> {
    (0..60)
        .map(|number| Question::Proof { address: owner(number), keys: Vec::new(), at: At::Latest })
        .collect()
}

/// Asks sixty questions of a provider with these faults. Returns the failures, the size, and the number of round trips.
fn asked(faults: &[Fault], batch: BatchSize) -> (Vec<Failure>, BatchSize, usize) {
    let (scene, _) = sixty(9, 1, Policy::signed());
    faults.iter().for_each(|fault| scene.providers[0].add(fault.clone()));
    let io = Io::new(Arc::new(scene.simulation.internet()), Arc::new(scene.simulation.clock()));
    let provider = "http://provider0.test".parse().unwrap();
    let before = scene.simulation.internet().log().len();
    let questions = questions();
    let ask = ask_together(&io, &provider, &questions, batch, Duration::from_secs(4));
    let together = scene.simulation.run(ask);
    let log = scene.simulation.internet().log();
    let mut moments: Vec<Duration> = log[before..].iter().map(|exchange| exchange.at).collect();
    moments.dedup();
    let failures = together.each.into_iter().filter_map(Result::err).collect();
    (failures, together.batch, moments.len())
}

/// The batch that is refused, one call alone with smaller batches beside it, and the rest: three moments at which something is sent.
#[test]
fn every_refusal_is_learned_in_two_more_round_trips() {
    for form in BatchRefusal::ALL {
        for (calls, learned) in [(1, 1), (2, 1), (3, 3), (5, 3), (9, 3), (10, 10), (50, 10)] {
            let (failures, batch, moments) =
                asked(&[Fault::BatchLimit { calls, form }], BatchSize::default());
            // The text of a free tier names the limit.
            let learned = if form == BatchRefusal::FreeTier { calls } else { learned };
            assert_eq!((failures.len(), batch.size()), (0, learned), "{form:?} {calls}");
            // Single calls are too many to be sent all at once: those beyond the first thirty-two follow as the others end.
            let single_calls_that_follow = if learned == 1 { 59 - 32 } else { 0 };
            assert!((3..=3 + single_calls_that_follow).contains(&moments), "{form:?} {calls}: {moments}");
        }
    }
}

/// After a rate limit no more requests are sent.
#[test]
fn a_rate_limit_is_no_refusal_of_a_batch() {
    let limited = Fault::RateLimited { retry_after: None };
    let (failures, batch, moments) = asked(&[limited], BatchSize::default());
    assert_eq!((failures.len(), batch.size(), moments), (60, 100, 1));
    assert!(failures.iter().all(|failure| *failure == Failure::RateLimited { retry_after: None }));
}

/// A provider that fails alone too has no limit of batches. Its own failure is reported.
#[test]
fn an_outage_is_not_mistaken_for_a_limit() {
    for fault in
        [Fault::Status(503), Fault::QuotaExhausted, Fault::Forbidden, Fault::Html, Fault::Reset { after: 0 }]
    {
        let (failures, batch, moments) = asked(std::slice::from_ref(&fault), BatchSize::default());
        assert_eq!((failures.len(), batch.size()), (60, 100), "{fault:?}");
        assert!(moments <= 2, "{fault:?}: {moments}");
    }
}

/// A provider that took large batches before refuses them now. Its first refusal may look like an outage, the second does not.
#[test]
fn a_limit_that_begins_later_is_learned() {
    for (seed, limit) in (401..).zip(limits()) {
        let (scene, holdings) = sixty(seed, 1, Policy::signed());
        let readings = scene.simulation.run(scene.client.read(&holdings));
        assert_eq!(proven(&scene, &holdings, &readings), 60);
        scene.providers[0].add(limit.clone());
        let numbers = [(); 2].map(|()| {
            scene.pass_slots(1);
            let readings = scene.simulation.run(scene.client.read(&holdings));
            proven(&scene, &holdings, &readings)
        });
        assert_eq!(numbers[1], 60, "{limit:?}: {numbers:?}");
        assert_eq!(numbers[0], 60, "{limit:?}: {numbers:?}");
    }
}

/// The only provider counts the calls inside a batch, and takes few of them in a second. The pace is learned and kept.
#[test]
fn a_provider_that_counts_the_calls_inside_a_batch_is_paced() {
    for (seed, (per_second, hint)) in
        (600..).zip([(5, None), (10, None), (20, None), (20, Some("1")), (45, None), (59, Some("2"))])
    {
        let policy = Policy { deadline: Duration::from_secs(30), ..Policy::signed() };
        let (scene, holdings) = sixty(seed, 1, policy);
        let retry_after = hint.map(str::to_owned);
        scene.providers[0].add(Fault::CallRate { per_second, retry_after });
        let patience = Duration::from_secs(90);
        for round in 0..2 {
            let before = scene.simulation.internet().log().len();
            let readings = scene.simulation.run(scene.client.read_patiently(&holdings, patience));
            assert_eq!(proven(&scene, &holdings, &readings), 60, "{per_second} a second, round {round}");
            let requests = scene.simulation.internet().log().len() - before;
            let most = 60 / per_second * 4 + 16;
            assert!(requests <= most, "{per_second} a second, round {round}: {requests} requests");
            scene.pass_slots(1);
        }
        let stats = scene.client.health().endpoints;
        assert!(stats.iter().all(|endpoint| !endpoint.stats.is_quarantined), "it is not punished");
    }
}

/// The number of calls in the body of a request.
fn calls_of(body: &[u8]) -> usize {
    match serde_json::from_slice(body) {
        Ok(serde_json::Value::Array(calls)) => calls.len(),
        _ => 1,
    }
}

/// The pace is kept with the size: after a restart of the app its batches do not all come at once.
#[test]
fn a_learned_pace_survives_a_restart() {
    for (seed, per_second) in (800..).zip([5, 10, 20]) {
        let policy = Policy { deadline: Duration::from_secs(30), ..Policy::signed() };
        let (scene, holdings) = sixty(seed, 1, policy);
        let storage = MemoryStorage::new();
        let start = || {
            let builder = Client::builder(scene.chain.network()).checkpoint(scene.chain.checkpoint());
            let builder = builder.policy(policy).transport(scene.simulation.internet());
            let builder = builder.clock(scene.simulation.clock()).storage(storage.clone());
            builder
                .rpc("provider0=http://provider0.test")
                .beacon("source0=http://source0.test")
                .build()
                .unwrap()
        };
        // The most calls within a second, in requests from that one on.
        let most_at_once = |from: usize| {
            let log = scene.simulation.internet().log();
            let sent = log[from..].iter().filter(|exchange| exchange.host == "provider0.test");
            let sent: Vec<(Duration, usize)> =
                sent.map(|exchange| (exchange.at, calls_of(&exchange.body))).collect();
            let within = |then: Duration| {
                let near = sent.iter().filter(|(at, _)| (then..then + Duration::from_secs(1)).contains(at));
                near.map(|(_, calls)| calls).sum::<usize>()
            };
            sent.iter().map(|(at, _)| within(*at)).max().unwrap()
        };
        scene.providers[0].add(Fault::CallRate { per_second, retry_after: None });
        let patience = Duration::from_secs(90);
        let client = start();
        scene.simulation.run(client.read_patiently(&holdings, patience));
        assert!(most_at_once(0) > per_second, "{per_second} a second: the limit is met while it is learned");
        drop(client);
        scene.pass_slots(1);
        let client = start();
        let before = scene.simulation.internet().log().len();
        let readings = scene.simulation.run(client.read_patiently(&holdings, patience));
        assert_eq!(proven(&scene, &holdings, &readings), 60, "{per_second} a second");
        // The first batch before the new head is known, and one after it. Without the pace all sixty calls come at once.
        let most = most_at_once(before);
        assert!(most <= 2 * per_second, "{per_second} a second: {most}");
    }
}

/// A limit of requests is no limit of calls: the whole list is asked for in few requests.
#[test]
fn a_limit_of_requests_is_not_taken_for_one_of_calls() {
    for (seed, per_second) in (700..).zip([1, 2, 3]) {
        let policy = Policy { deadline: Duration::from_secs(30), ..Policy::signed() };
        let (scene, holdings) = sixty(seed, 1, policy);
        scene.providers[0].add(Fault::RequestRate { per_second, retry_after: None });
        let clock = scene.simulation.clock();
        let began = clock.monotonic();
        let readings = scene.simulation.run(scene.client.read(&holdings));
        assert_eq!(proven(&scene, &holdings, &readings), 60, "{per_second} a second");
        assert!(clock.monotonic() - began <= Duration::from_secs(20), "{:?}", clock.monotonic() - began);
    }
}
