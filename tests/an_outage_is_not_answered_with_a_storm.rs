//! Whoever fails is not asked more because he fails, and whoever asks to be left alone is.

use std::time::Duration;

use saldo::Policy;
use saldo_drill::Fault;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

/// The most requests that one provider or source gets in any minute, however often a wallet reads.
const PER_MINUTE: usize = 400;

/// The most requests that came to `host` within one minute.
fn most_in_a_minute(scene: &Scene, host: &str) -> usize {
    let log = scene.simulation.internet().log();
    let times: Vec<Duration> =
        log.iter().filter(|exchange| exchange.host == host).map(|exchange| exchange.at).collect();
    let within = |from: &Duration| {
        times.iter().filter(|at| **at >= *from && **at < *from + Duration::from_secs(60)).count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

/// A wallet that reads ten times a second for three minutes while everything fails.
#[test]
fn everything_fails_and_a_wallet_reads_on_and_on() {
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

/// How long a provider asks for is unit-tested in all its forms; here it counts what it is for.
#[test]
fn who_asks_to_be_left_alone_is() {
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

/// If nobody else is there and the wait is short, the read waits for it.
#[test]
fn a_short_wait_is_waited_for() {
    let scene = Scene::with_policy(10, 1, 1, Policy::signed());
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.providers[0].add(Fault::RateLimited { retry_after: Some("2".to_owned()) }.times(1));
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    // One that always says so is not asked for ever.
    scene.pass_slots(1);
    scene.providers[0].add(Fault::RateLimited { retry_after: Some("0".to_owned()) });
    let before = scene.simulation.internet().log().len();
    assert_eq!(scene.balance(ALICE).why().map(saldo::Why::code), Some("rate_limited"));
    let asked = scene.simulation.internet().log().len() - before;
    assert!(asked <= 6, "{asked} requests");
}

/// Where trust starts a source is asked for all that is needed at once; one that fails at it is not asked for all of that
/// again.
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
