//! A provider that fails does not get more requests because it fails, and one that asks for a pause gets the pause.

use std::time::Duration;

use saldo::Policy;
use saldo_drill::Fault;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

/// The most requests to one provider in any minute, however often a wallet reads.
const PER_MINUTE: usize = 400;

/// The most requests to `host` within any minute.
fn most_in_a_minute(scene: &Scene, host: &str) -> usize {
    let log = scene.simulation.internet().log();
    let times: Vec<Duration> =
        log.iter().filter(|exchange| exchange.host == host).map(|exchange| exchange.at).collect();
    let within = |from: &Duration| {
        times.iter().filter(|at| **at >= *from && **at < *from + Duration::from_secs(60)).count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

/// A wallet reads ten times a second for three minutes while every provider fails.
#[test]
fn while_all_providers_fail_the_number_of_requests_is_bounded() {
    for (seed, fault) in (0..).zip([
        Fault::Status(503),
        Fault::Refuse,
        Fault::NullResult,
        Fault::Error { code: -32603, message: "internal error".to_owned() },
        Fault::TruncatedProof { nodes: 1 },
    ]) {
        let scene = Scene::new(seed, 3, 1);
        scene.assert_true(&scene.balance(ALICE), ALICE);
        scene.providers.iter().for_each(|provider| provider.add(fault.clone()));
        for _ in 0..1_800 {
            let reading = scene.balance(ALICE);
            assert!(reading.latest_proven().is_some());
            scene.simulation.pass(Duration::from_millis(100));
        }
        for place in 0..3 {
            let most = most_in_a_minute(&scene, &format!("provider{place}.test"));
            assert!(most <= PER_MINUTE, "{fault:?}: {most} requests to one provider in a minute");
        }
        scene.providers.iter().for_each(saldo_drill::Provider::clear);
        scene.simulation.pass(Duration::from_secs(12));
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{fault:?}");
    }
}

/// The forms in which a provider asks for a pause have unit tests; this tests that the pause is kept.
#[test]
fn a_provider_that_asks_for_a_pause_is_not_asked_during_it() {
    let scene = Scene::new(9, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.providers[0].add(Fault::RateLimited { retry_after: Some("60".to_owned()) });
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.providers[0].clear();
    let asked = || {
        let log = scene.simulation.internet().log();
        log.iter().filter(|exchange| exchange.host == "provider0.test").count()
    };
    let before = asked();
    for _ in 0..4 {
        scene.pass_slots(1);
        scene.assert_true(&scene.balance(ALICE), ALICE);
    }
    assert_eq!(asked(), before);
    scene.providers[1].add(Fault::Refuse);
    scene.pass_slots(2);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    assert!(asked() > before);
}

/// If there is no other provider and the pause is short, the read waits for it.
#[test]
fn a_short_pause_is_waited_for() {
    let scene = Scene::with_policy(10, 1, 1, Policy::signed());
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.providers[0].add(Fault::RateLimited { retry_after: Some("2".to_owned()) }.times(1));
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    // A provider that always asks for a pause is not asked for ever.
    scene.pass_slots(1);
    scene.providers[0].add(Fault::RateLimited { retry_after: Some("0".to_owned()) });
    let before = scene.simulation.internet().log().len();
    assert_eq!(scene.balance(ALICE).why().map(saldo::Why::code), Some("rate_limited"));
    let asked = scene.simulation.internet().log().len() - before;
    assert!(asked <= 6, "{asked} requests");
}

/// At the start of trust a source is asked for the bootstrap and both updates at once. If it fails, only the bootstrap is retried.
#[test]
fn nothing_is_fetched_ahead_of_a_source_that_fails() {
    let scene = Scene::new(11, 1, 1);
    scene.sources[0].add(Fault::Status(503));
    assert!(scene.balance(ALICE).proven().is_none());
    let requests = scene.sources[0].requests();
    assert!(requests["bootstrap"] > 1, "{requests:?}");
    assert_eq!((requests["finality_update"], requests["optimistic_update"]), (1, 1));
    scene.sources[0].clear();
    scene.pass_slots(1);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
}
