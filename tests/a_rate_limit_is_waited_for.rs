//! A patient read waits for a rate limit, also one that lasts longer than the deadline of a single read.

use std::time::Duration;

use futures_util::future::join;
use saldo::{Clock, Policy, Reading, Why};
use saldo_drill::{Fault, Rule};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene};

const PATIENCE: Duration = Duration::from_secs(120);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Each read has four seconds.
fn scene(seed: u64) -> Scene {
    let policy = Policy { deadline: seconds(4), ..Policy::signed() };
    Scene::with_policy(seed, 1, 1, policy)
}

fn limited(hint: Option<&str>) -> Fault {
    Fault::RateLimited { retry_after: hint.map(str::to_owned) }
}

/// A patient reading, how long it takes, and the number of requests. After `healed` the servers work.
fn read(scene: &Scene, patience: Duration, healed: Duration) -> (Vec<Reading>, Duration, usize) {
    let clock = scene.simulation.clock();
    let (began, before) = (clock.monotonic(), scene.simulation.internet().log().len());
    let holdings = [native(ALICE), native(BOB)];
    let read = async {
        let readings = scene.client.read_patiently(&holdings, patience).await;
        (readings, clock.monotonic() - began)
    };
    let heal = async {
        clock.sleep(healed).await;
        scene.providers.iter().for_each(saldo_drill::Provider::clear);
        scene.sources.iter().for_each(saldo_drill::BeaconSource::clear);
    };
    let ((readings, took), ()) = scene.simulation.run(join(read, heal));
    (readings, took, scene.simulation.internet().log().len() - before)
}

fn assert_proven(scene: &Scene, readings: &[Reading]) {
    assert_eq!(scene.assert_true(&readings[0], ALICE), BEFORE);
    scene.assert_true(&readings[1], BOB);
}

#[test]
fn a_provider_that_limits_the_rate_is_waited_for() {
    for (seed, (hint, healed)) in
        (0..).zip([(Some("20"), 20), (Some("1"), 15), (Some("0"), 15), (None, 15), (Some("soon"), 40)])
    {
        let scene = scene(seed);
        scene.providers[0].add(limited(hint));
        let (readings, took, requests) = read(&scene, PATIENCE, seconds(healed));
        assert_proven(&scene, &readings);
        assert!(took >= seconds(healed) && took <= seconds(2 * healed + 5), "{hint:?}: {took:?}");
        assert!(requests <= 60, "{hint:?}: {requests} requests in {took:?}");
    }
}

/// The same at the first start, when nothing is known of the chain.
#[test]
fn a_beacon_source_that_limits_the_rate_is_waited_for() {
    for (seed, (hint, healed)) in (10..).zip([(Some("20"), 20), (Some("1"), 15), (None, 15)]) {
        let scene = scene(seed);
        scene.sources[0].add(limited(hint));
        let (readings, took, requests) = read(&scene, PATIENCE, seconds(healed));
        assert_proven(&scene, &readings);
        assert!(took >= seconds(healed) && took <= seconds(2 * healed + 5), "{hint:?}: {took:?}");
        assert!(requests <= 60, "{hint:?}: {requests} requests in {took:?}");
    }
}

/// A pause that is longer than the caller's patience is not waited for: the reason says how long it lasts.
#[test]
fn a_pause_beyond_the_patience_is_not_waited_for() {
    let scene = scene(20);
    scene.providers[0].add(limited(Some("300")));
    let (readings, took, _) = read(&scene, PATIENCE, seconds(30));
    assert_eq!(readings[0].why().map(Why::code), Some("rate_limited"));
    assert!(readings[0].why().and_then(Why::retry_after).is_some_and(|after| after > PATIENCE));
    assert!(took <= seconds(30), "{took:?}");
}

/// The patience ends while the server still refuses.
#[test]
fn a_limit_that_does_not_end_is_named_in_time() {
    for (seed, hint) in (30..).zip([None, Some("1"), Some("7")]) {
        let scene = scene(seed);
        scene.providers[0].add(limited(hint));
        let (readings, took, requests) = read(&scene, seconds(60), seconds(60));
        assert_eq!(readings[0].why().map(Why::code), Some("rate_limited"), "{hint:?}");
        assert!(took <= seconds(61), "{hint:?}: {took:?}");
        assert!(requests <= 90, "{hint:?}: {requests} requests");
    }
}

/// A used-up quota, an outage and a refusal are no rate limit: there is nothing to wait for.
#[test]
fn other_failures_are_not_waited_for() {
    for (seed, fault) in (40..).zip([Fault::QuotaExhausted, Fault::Refuse, Fault::NoProofs, Fault::Html]) {
        let scene = scene(seed);
        scene.providers[0].add(fault.clone());
        let (readings, took, _) = read(&scene, PATIENCE, PATIENCE);
        assert!(readings[0].proven().is_none(), "{fault:?}");
        assert!(took < seconds(6), "{fault:?}: {took:?}");
    }
}

/// What was proven during a call is handed out at its end, also if the last look at it failed.
#[test]
fn what_was_proven_during_a_call_is_handed_out() {
    let scene = scene(90);
    let busy = || Fault::Error { code: -32_005, message: "too many requests".to_owned() };
    scene.providers[0].add(Rule::from(busy()).about(BOB));
    let holdings = [native(ALICE), native(BOB)];
    let read = scene.client.read_patiently(&holdings, seconds(60));
    let turn = async {
        scene.simulation.clock().sleep(seconds(20)).await;
        let was_proven = scene.client.last(&holdings[0]).is_some();
        scene.providers[0].set(Rule::from(busy()).about(ALICE));
        was_proven
    };
    let (readings, was_proven) = scene.simulation.run(join(read, turn));
    assert!(was_proven, "it was proven in the first round");
    for (reading, owner) in readings.iter().zip([ALICE, BOB]) {
        scene.assert_true(reading, owner);
    }
}
