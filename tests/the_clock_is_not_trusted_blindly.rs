//! A wrong device clock makes no old amount look new, and a small error stops nothing.

use std::time::Duration;

use saldo::{Clock, Freshness};
use saldo_drill::Fault;
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, Scene};

#[test]
fn a_clock_set_back_shows_no_old_amount_as_new() {
    for back in [Duration::from_secs(3_600), Duration::from_secs(10 * 86_400)] {
        let scene = Scene::new(1, 2, 2);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        scene.chain.set_balance(ALICE, AFTER);
        scene.pass_slots(5);
        scene.simulation.clock().set_behind(back);
        scene.assert_unknown(&scene.balance(ALICE), "clock_off", BEFORE);
        // The clock is corrected: the next read is proven.
        scene.simulation.clock().set_behind(Duration::ZERO);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    }
}

#[test]
fn a_clock_that_is_slow_or_fast_by_a_little_stops_nothing() {
    for (seed, slow, fast) in [(2, 25, 0), (3, 0, 240)] {
        let scene = Scene::new(seed, 2, 2);
        scene.simulation.clock().set_behind(Duration::from_secs(slow));
        scene.simulation.clock().set_ahead(Duration::from_secs(fast));
        for _ in 0..5 {
            assert_eq!(
                scene.assert_true(&scene.balance(ALICE), ALICE),
                BEFORE,
                "{slow} s slow, {fast} s fast"
            );
            scene.pass_slots(1);
        }
    }
}

/// The clock is set back between two reads, but not before the newest known head. Only the heads that the sources
/// serve show it, because the committee signed them.
#[test]
fn a_clock_behind_the_chain_is_detected() {
    for (seed, slots, behind) in [(7, 20_u32, 18_u32), (8, 60, 58)] {
        let scene = Scene::new(seed, 2, 2);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        scene.chain.set_balance(ALICE, AFTER);
        scene.pass_slots(slots);
        scene.simulation.clock().set_behind(scene.chain.network().slot_duration() * behind);
        let reading = scene.balance(ALICE);
        assert!(reading.proven().is_none(), "{slots} slots later, {behind} slots behind");
        assert_eq!(reading.why().unwrap().code(), "clock_off");
        scene.simulation.clock().set_behind(Duration::ZERO);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    }
}

/// A clock far behind at the start: the checkpoint itself is from the future.
#[test]
fn a_clock_far_behind_is_told_at_the_start() {
    let scene = Scene::new(4, 2, 2);
    scene.simulation.clock().set_behind(Duration::from_secs(10 * 86_400));
    let reading = scene.balance(ALICE);
    assert!(reading.proven().is_none());
    assert_eq!(reading.why().unwrap().code(), "clock_off");
}

/// A phone slept: its wall clock advanced by hours, while its monotonic clock, which measures deadlines, stood still.
#[test]
fn after_sleep_the_wall_clock_is_read_again() {
    let scene = Scene::new(9, 2, 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.chain.set_balance(ALICE, AFTER);
    let before = scene.simulation.clock().monotonic();
    scene.simulation.clock().sleep_device(Duration::from_secs(3 * 3_600));
    assert_eq!(scene.simulation.clock().monotonic(), before);
    let last = scene.client.last(&native(ALICE)).unwrap();
    let shown = last.freshness(scene.client.now(), scene.client.policy());
    assert!(matches!(shown, Freshness::Old(age) if age > Duration::from_secs(3 * 3_600)), "{shown:?}");
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    // If no endpoint can be reached, the amount proven before the sleep is not called fresh.
    scene.simulation.clock().sleep_device(Duration::from_secs(3 * 3_600));
    scene.simulation.internet().set_offline(true);
    scene.assert_unknown(&scene.balance(ALICE), "device_offline", AFTER);
}

/// The other way round: the monotonic clock advances by hours, and the wall clock still shows the time of the last
/// reading.
#[test]
fn a_stopped_wall_clock_is_detected() {
    let scene = Scene::new(10, 2, 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.chain.set_balance(ALICE, AFTER);
    let hours = Duration::from_secs(3 * 3_600);
    scene.simulation.pass(hours);
    scene.simulation.clock().set_behind(hours - scene.chain.network().slot_duration() * 2);
    scene.assert_unknown(&scene.balance(ALICE), "clock_off", BEFORE);
    scene.simulation.clock().set_behind(Duration::ZERO);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
}

/// The clock is set back to when the last reading was new, or a little later. Then no signed block is after it. The
/// client still knows that time has passed, whether the sources are honest or replay old data.
#[test]
fn a_clock_set_back_to_the_last_reading_is_found_out() {
    for (slots, later) in [(30_u32, 0), (30, 2), (90, 0)] {
        for is_replayed in [false, true] {
            let scene = Scene::new(11, 2, 2);
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
            scene.pass_slots(slots - 5);
            scene.chain.set_balance(ALICE, AFTER);
            scene.pass_slots(5);
            scene.simulation.clock().set_behind(scene.chain.network().slot_duration() * (slots - later));
            if is_replayed {
                let blocks = u64::from(slots - later);
                scene.providers.iter().for_each(|provider| provider.set_lag(blocks));
                scene.sources.iter().for_each(|source| source.set_lag(blocks));
            }
            scene.assert_unknown(&scene.balance(ALICE), "clock_off", BEFORE);
            let last = scene.client.last(&native(ALICE)).unwrap();
            assert_eq!(last.freshness(scene.client.now(), scene.client.policy()), Freshness::Unknown);
            // The clock is corrected, and the chain continues.
            scene.simulation.clock().set_behind(Duration::ZERO);
            scene.providers.iter().for_each(|provider| provider.set_lag(0));
            scene.sources.iter().for_each(|source| source.set_lag(0));
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
        }
    }
}

/// Without finality the last final reading ages: when it is older than the policy's limit, it is no longer proven.
#[test]
fn stalled_finality_grows_too_old() {
    let policy = saldo::Policy {
        operators_per_address: 2,
        max_age: Duration::from_secs(600),
        ..saldo::Policy::finalized()
    };
    let scene = Scene::with_policy(5, 2, 1, policy);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.chain.stall_finality(true);
    scene.pass_slots(60);
    let reading = scene.balance(ALICE);
    scene.assert_unknown(&reading, "only_old_blocks", BEFORE);
}

/// One source that lies about time or fork does not stop the wallet, and does not decide the reason.
#[test]
fn one_lying_source_does_not_decide_the_reason() {
    let scene = Scene::new(6, 1, 2);
    scene.sources[0].add(Fault::Relabelled(saldo_beacon::Fork::Gloas));
    scene.sources[0].add(Fault::Truncated);
    scene.sources[1].add(Fault::NoBootstrap);
    let reading = scene.balance(ALICE);
    assert_ne!(reading.why().unwrap().code(), "unknown_fork");
}

/// One source is behind and the other one silent for a moment. That no newer head was found is not believed for long.
#[test]
fn a_source_that_is_behind_does_not_hide_a_newer_head() {
    let scene = Scene::new(12, 1, 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.sources[0].set_lag(6);
    scene.sources[1].add(Fault::Hang);
    scene.pass_slots(10);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.sources[1].clear();
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(3);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
}

/// Both sources are behind. The client relies on that for some slots, but no longer after the device slept for
/// longer.
#[test]
fn a_sleep_ends_the_belief_that_there_is_no_newer_head() {
    let scene = Scene::new(13, 1, 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.sources.iter().for_each(|source| source.set_lag(6));
    scene.pass_slots(10);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.sources[1].set_lag(0);
    let slot = scene.chain.network().slot_duration();
    scene.simulation.clock().sleep_device(slot * 8);
    // The source that is behind does not have the newer head.
    scene.simulation.pass(Duration::from_millis(1));
    scene.chain.set_balance(ALICE, AFTER);
    scene.simulation.clock().sleep_device(slot * 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
}
