//! A provider or source that takes few requests a second is waited for, and asked as seldom as it wants.

use std::time::Duration;

use saldo::{Policy, Why};
use saldo_drill::Fault;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene};

/// A server's `Retry-After` header, if it sends one.
const HINTS: [Option<&str>; 4] = [None, Some("1"), Some("0"), Some("soon")];

/// One provider and one source, which both take `per_second` requests a second.
fn scene(seed: u64, per_second: usize, hint: Option<&str>) -> Scene {
    let policy = Policy { deadline: Duration::from_secs(30), ..Policy::signed() };
    let scene = Scene::with_policy(seed, 1, 1, policy);
    let rate = Fault::RequestRate { per_second, retry_after: hint.map(str::to_owned) };
    scene.providers[0].add(rate.clone());
    scene.sources[0].add(rate);
    scene
}

/// A wallet that starts without any knowledge asks both servers several times at once.
#[test]
fn a_first_balance_is_proven_within_thirty_seconds() {
    for (seed, hint) in (0..40).map(|seed| (seed, HINTS[usize::try_from(seed).unwrap() % HINTS.len()])) {
        let scene = scene(seed, 1, hint);
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{hint:?}");
        let asked = scene.simulation.internet().log().len();
        assert!(asked <= 30, "{hint:?}: {asked} requests");
    }
}

/// The screen stays open: each refresh needs a new head and a new proof.
#[test]
fn later_balances_are_proven_as_well() {
    for (seed, hint) in (100..).zip(HINTS) {
        let scene = scene(seed, 1, hint);
        for _ in 0..5 {
            let reading = scene.balance(ALICE);
            assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{hint:?}");
            scene.pass_slots(1);
        }
    }
}

/// Two screens read at the same time, and take the limit from each other.
#[test]
fn two_reads_at_once_are_proven() {
    for (seed, hint) in (200..).zip(HINTS) {
        let scene = scene(seed, 1, hint);
        let holdings = [ALICE, BOB].map(|owner| scene.client.native(owner));
        let read = |place: usize| scene.client.read(&holdings[place..=place]);
        let both = futures_util::future::join(read(0), read(1));
        let (alice, bob) = scene.simulation.run(both);
        scene.assert_true(&alice[0], ALICE);
        scene.assert_true(&bob[0], BOB);
    }
}

/// A server that refuses for longer than the read may last has few requests, and the reason names it.
#[test]
fn a_server_that_refuses_everything_is_asked_seldom() {
    for (seed, hint) in (300..).zip(HINTS) {
        let scene = scene(seed, 8, hint);
        scene.assert_true(&scene.balance(ALICE), ALICE);
        scene.pass_slots(1);
        let none = Fault::RequestRate { per_second: 0, retry_after: hint.map(str::to_owned) };
        scene.providers[0].set(none);
        let before = scene.providers[0].requests().values().sum::<u64>();
        let reading = scene.balance(ALICE);
        assert_eq!(reading.why().map(Why::code), Some("rate_limited"), "{hint:?}");
        let asked = scene.providers[0].requests().values().sum::<u64>() - before;
        assert!((3..=16).contains(&asked), "{hint:?}: {asked} requests in 30 seconds");
    }
}
