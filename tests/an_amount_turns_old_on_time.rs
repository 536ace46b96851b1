//! A watch reports that its last reading is too old at the moment when it is, also if nothing else happens then.

use std::time::Duration;

use saldo::{Change, Freshness, Pace, Policy};
use saldo_tests::scene::Scene;
use saldo_tests::watched::{ALICE_HOLDING, changes_within, readings};

/// In the background a watch sends no request for half an hour, and looks at the clock once a minute. The four greatest
/// ages differ by a quarter of a minute, so at most one of them passes when the watch looks anyway.
#[test]
fn a_watch_in_the_background_reports_it_at_that_moment() {
    for (seed, seconds) in [(1, 150), (2, 165), (3, 180), (4, 195)] {
        let policy = Policy { max_age: Duration::from_secs(seconds), ..Policy::signed() };
        let scene = Scene::with_policy(seed, 1, 1, policy);
        scene.client.set_pace(Pace::Background);
        let mut watch = scene.client.watch([ALICE_HOLDING]);
        let first = changes_within(&scene, &mut watch, Duration::from_secs(6));
        let (_, reading, freshness) = readings(&first).pop().unwrap();
        assert!(matches!(freshness, Some(Freshness::Fresh(_))));
        let proven = reading.proven().unwrap().clone();
        scene.simulation.internet().set_offline(true);

        let (now, then) = (scene.client.now(), proven.anchor().timestamp());
        let left = now.fresh_for(then, &policy).expect("it is fresh");
        let oldest = now.age_of(then).expect("the clock is right") + left;
        let old = scene.simulation.run(async {
            loop {
                match watch.next().await {
                    Change::Remembered { last: Some(last), freshness: Some(Freshness::Old(age)), .. } => {
                        assert_eq!(last.anchor(), proven.anchor());
                        return age;
                    }
                    Change::Activity(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        });
        assert_eq!(old, oldest + Duration::from_millis(1));
    }
}
