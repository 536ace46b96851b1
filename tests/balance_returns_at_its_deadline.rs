//! Promise 7: every wait has a deadline, and dropped futures leave no work behind.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{Holding, Policy, Reading};
use saldo_drill::Fault;
use saldo_source::Clock;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

fn timed(scene: &Scene) -> (Reading, Duration) {
    let clock = scene.simulation.clock();
    let start = clock.monotonic();
    let reading = scene.balance(ALICE);
    (reading, clock.monotonic() - start)
}

#[test]
fn a_read_returns_in_time_whoever_hangs() {
    let deadline = Policy::signed().deadline;
    for (providers, sources) in [(true, true), (true, false), (false, true)] {
        for fault in [Fault::Hang, Fault::Trickle { bytes_per_second: 1 }] {
            let scene = Scene::new(1, 3, 3);
            scene.providers.iter().filter(|_| providers).for_each(|provider| provider.add(fault.clone()));
            scene.sources.iter().filter(|_| sources).for_each(|source| source.add(fault.clone()));
            // Once on the first read, and once more after that.
            for _ in 0..2 {
                let (reading, took) = timed(&scene);
                assert!(reading.proven().is_none());
                assert!(took <= deadline, "{took:?} with {fault:?}");
                scene.pass_slots(1);
            }
        }
    }
}

#[test]
fn hanging_sources_leave_time_to_prove_under_the_known_head() {
    let scene = Scene::new(2, 2, 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.pass_slots(4);
    scene.sources.iter().for_each(|source| source.add(Fault::Hang));
    let (reading, took) = timed(&scene);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert!(took <= Policy::signed().deadline);
}

/// A read that is dropped at any moment loses nothing and blocks no other read.
#[test]
fn a_dropped_read_leaves_nothing_behind() {
    let scene = Scene::new(3, 2, 2);
    let clock = scene.simulation.clock();
    for millis in (0..1_000).step_by(7) {
        let read = scene.client.balance(ALICE).boxed();
        let given_up = clock.sleep(Duration::from_millis(millis));
        scene.simulation.run(async {
            if let Either::Left((reading, _)) = select(read, given_up).await {
                assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
            }
        });
        if millis % 100 == 0 {
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "after {millis} ms");
            scene.pass_slots(1);
        }
    }
}

/// The readings have the order and the number of the holdings, and reading many takes no longer than reading one.
#[test]
fn many_holdings_are_read_concurrently() {
    let scene = Scene::new(4, 2, 2);
    let _ = scene.balance(ALICE);
    scene.pass_slots(1);
    let holdings: Vec<Holding> = (0..10)
        .map(|index| {
            native(if index % 3 == 0 { ALICE } else { alloy_primitives::Address::repeat_byte(index) })
        })
        .collect();
    let clock = scene.simulation.clock();
    let start = clock.monotonic();
    let readings = scene.simulation.run(scene.client.read(&holdings));
    assert!(clock.monotonic() - start < Duration::from_millis(600));
    assert_eq!(readings.len(), holdings.len());
    for (holding, reading) in holdings.iter().zip(&readings) {
        assert_eq!(reading.proven().unwrap().holding(), holding);
        scene.assert_true(reading, holding.owner());
    }
}
