//! A device clock that is 30 s slow or five minutes fast stops nothing, and costs almost nothing.

use std::time::Duration;

use saldo::{Freshness, Policy};
use saldo_drill::Fault;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, Scene};

const SLOW: Duration = Duration::from_secs(30);
const FAST: Duration = Duration::from_secs(300);

/// The requests and the time of one proven read.
fn cost(scene: &Scene) -> (usize, Duration) {
    let (internet, clock) = (scene.simulation.internet(), scene.simulation.clock());
    let (requests, began) = (internet.log().len(), clock.true_time());
    scene.assert_true(&scene.balance(ALICE), ALICE);
    (internet.log().len() - requests, clock.true_time().saturating_sub(began))
}

#[test]
fn half_a_minute_slow() {
    let scene = Scene::new(1, 2, 2);
    scene.simulation.clock().set_behind(SLOW);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.chain.set_balance(ALICE, AFTER);
    // The client asks for newer heads when they are due by this slow clock.
    scene.pass_slots(4);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    assert!(!scene.client.now().clock_off());
}

/// The default policy allows five minutes, and the newest head is always some slots old as well.
#[test]
fn five_minutes_fast() {
    for policy in [Policy::signed(), Policy::finalized()] {
        let scene = Scene::with_policy(2, 2, 2, policy);
        scene.simulation.clock().set_ahead(FAST);
        for _ in 0..5 {
            let reading = scene.balance(ALICE);
            scene.assert_true(&reading, ALICE);
            let proven = reading.proven().unwrap();
            let now = scene.client.now();
            let age = now.age_of(proven.anchor().timestamp()).unwrap();
            assert!(age > FAST, "the age is computed with the device's clock: {age:?}");
            assert_eq!(proven.freshness(now, &policy), Freshness::Fresh(age));
            scene.pass_slots(1);
        }
    }
}

/// The tolerance is only a few slots: a clock that is fast by more than the policy is reported.
#[test]
fn six_minutes_fast_is_reported() {
    let scene = Scene::with_policy(3, 2, 2, Policy::signed());
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.simulation.clock().set_ahead(FAST + scene.chain.network().slot_duration() * 6);
    let reading = scene.balance(ALICE);
    scene.assert_unknown(&reading, "clock_off", BEFORE);
    let shown = reading.latest_proven().unwrap();
    assert!(matches!(shown.freshness(scene.client.now(), &Policy::signed()), Freshness::Old(_)));
}

/// Heads as new as this clock expects do not exist. The client learns that once, not in each read, and does not wait
/// again and again for a source that hangs.
#[test]
fn a_fast_clock_costs_as_little_as_a_right_one() {
    for hanging in [0, 1] {
        for fast in [30, 60, 120, 240, 300].map(Duration::from_secs) {
            let (right, off) = (Scene::new(4, 2, 3), Scene::new(4, 2, 3));
            for scene in [&right, &off] {
                scene.sources[..hanging].iter().for_each(|source| source.add(Fault::Hang));
            }
            off.simulation.clock().set_ahead(fast);
            let mut spent = [(0, Duration::ZERO); 2];
            for _ in 0..20 {
                for (scene, spent) in [&right, &off].into_iter().zip(&mut spent) {
                    let (requests, took) = cost(scene);
                    *spent = (spent.0 + requests, spent.1 + took);
                    assert_eq!(cost(scene).0, 0, "the head is the newest one, {fast:?} fast");
                    scene.pass_slots(1);
                }
            }
            let [(few, short), (requests, took)] = spent;
            // Every eight slots the client asks all three sources again, for two objects each. The first time it asks
            // once more, until it knows that one of them never answers.
            assert!(requests <= few + 4 * 6, "{requests} requests instead of {few}, {fast:?} fast");
            assert!(took <= short + 4 * Duration::from_millis(1_500), "{took:?} instead of {short:?}");
        }
    }
}

/// The client treats the sources' newest head as the newest one only for a short time. A source that returns with
/// newer heads is used.
#[test]
fn a_source_that_returns_is_asked_again() {
    let scene = Scene::new(5, 2, 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.sources[0].set_lag(12);
    scene.sources[1].add(Fault::Refuse);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(12);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "no source has a newer head");
    scene.sources[1].clear();
    scene.pass_slots(9);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    let lag =
        scene.client.now().time().saturating_sub(scene.balance(ALICE).proven().unwrap().anchor().timestamp());
    assert!(lag <= scene.chain.network().slot_duration() * 3, "{lag:?}");
}
