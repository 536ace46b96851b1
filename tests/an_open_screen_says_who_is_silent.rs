//! An outage while a screen is open: the watch says which sources are silent, what is shown keeps its amount and age, and
//! after the outage the screen is true again within half a minute.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join_all, select};
use saldo::{Activity, Change, Clock, Freshness, Pace, Policy, Reading, Watch};
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, Scene, UNUSED};
use saldo_tests::watched::{ALICE_HOLDING, SLOT, changes_within, readings};

fn stop(scene: &Scene) {
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    scene.sources.iter().for_each(|source| source.add(Fault::Refuse));
}

fn go_on(scene: &Scene) {
    scene.providers.iter().for_each(Provider::clear);
    scene.sources.iter().for_each(BeaconSource::clear);
}

fn silent(changes: &[(Duration, Change)]) -> Option<(Duration, Vec<String>)> {
    changes.iter().find_map(|(at, change)| match change {
        Change::Activity(Activity::NoNewHeads { sources, .. }) => {
            Some((*at, sources.iter().map(ToString::to_string).collect()))
        }
        _ => None,
    })
}

#[test]
fn after_two_failed_heads_the_silent_sources_are_named() {
    let scene = Scene::new(1, 3, 2);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    changes_within(&scene, &mut watch, SLOT * 2);
    stop(&scene);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(45));
    let (at, sources) = silent(&changes).expect("the watch says that no head comes");
    assert!(at <= SLOT * 3, "{at:?}");
    assert_eq!(sources, ["source0", "source1"]);
    // The line of the holding stays as it is.
    assert!(readings(&changes).is_empty(), "{changes:?}");
    let last = scene.client.last(&ALICE_HOLDING).unwrap();
    assert_eq!(last.amount().base_units(), BEFORE);

    go_on(&scene);
    let changes = changes_within(&scene, &mut watch, SLOT * 3);
    assert!(changes.iter().any(|(_, change)| *change == Change::Activity(Activity::Idle)), "{changes:?}");
}

/// One source that answers is enough: no new head is due to it, and nothing is reported.
#[test]
fn one_source_that_answers_is_enough() {
    let scene = Scene::new(2, 3, 2);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    changes_within(&scene, &mut watch, SLOT * 2);
    scene.sources[0].add(Fault::Refuse);
    let changes = changes_within(&scene, &mut watch, SLOT * 20);
    assert_eq!(silent(&changes), None);
}

/// Two watches of one client share each new head: the watch that did not ask for it is not told of silent sources.
#[test]
fn a_head_that_another_watch_fetched_ends_the_silence_for_both() {
    let scene = Scene::new(6, 3, 2);
    let mut watches = [scene.client.watch([ALICE_HOLDING]), scene.client.watch([native(BOB)])];
    let follow = |watches: &mut [Watch; 2], duration: Duration| {
        let over = scene.simulation.clock().sleep(duration);
        let mut last = [Activity::Fetching, Activity::Fetching];
        let all = watches.iter_mut().zip(&mut last).map(|(watch, last)| async move {
            loop {
                if let Change::Activity(activity) = watch.next().await {
                    *last = activity;
                }
            }
        });
        scene.simulation.run(select(join_all(all).map(|_: Vec<()>| ()), over));
        last
    };
    follow(&mut watches, SLOT * 2);
    stop(&scene);
    let during = follow(&mut watches, SLOT * 5);
    assert!(during.iter().all(|last| matches!(last, Activity::NoNewHeads { .. })), "{during:?}");
    go_on(&scene);
    assert_eq!(follow(&mut watches, SLOT * 5), [Activity::Idle, Activity::Idle]);
}

#[test]
fn after_a_long_outage_the_screen_is_true_within_half_a_minute() {
    let scene = Scene::new(3, 3, 2);
    let mut watch = scene.client.watch([ALICE_HOLDING, native(UNUSED)]);
    changes_within(&scene, &mut watch, SLOT * 2);
    stop(&scene);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(1_800));
    let (_, reading, freshness) = readings(&changes).pop().expect("the outage is reported");
    assert!(reading.proven().is_none() && reading.latest_proven().is_some(), "{reading:?}");
    assert!(matches!(freshness, Some(Freshness::Old(_))));

    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(3);
    go_on(&scene);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(35));
    let proven = readings(&changes).into_iter().filter(|(_, reading, _)| reading.proven().is_some());
    assert_eq!(proven.count(), 2, "{changes:?}");
    assert_eq!(scene.client.last(&ALICE_HOLDING).unwrap().amount().base_units(), AFTER);
}

/// A screen that was opened during the outage has nothing proven yet. It recovers as quickly.
#[test]
fn a_screen_opened_during_an_outage_recovers_as_quickly() {
    let scene = Scene::new(4, 3, 2);
    stop(&scene);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(1_800));
    assert!(readings(&changes).iter().all(|(_, reading, _)| reading.latest_proven().is_none()));
    let (at, sources) = silent(&changes).expect("the watch says that no head comes");
    assert!(at <= SLOT * 4, "{at:?}");
    assert_eq!(sources, ["source0", "source1"]);
    go_on(&scene);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(35));
    let proven = readings(&changes).into_iter().find_map(|(_, reading, _)| reading.proven().cloned());
    assert_eq!(proven.expect("it is proven").amount().base_units(), BEFORE);
}

/// In the background no head is polled for: a proof that succeeds ends the silence.
#[test]
fn in_the_background_the_silence_ends_with_the_next_proof() {
    let scene = Scene::new(30, 3, 2);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    scene.client.set_pace(Pace::Background);
    stop(&scene);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(6 * 3_600));
    assert!(silent(&changes).is_some(), "{changes:?}");
    go_on(&scene);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(3 * 3_600));
    let mut activities = changes.iter().filter_map(|(_, change)| match change {
        Change::Activity(activity) => Some(activity.clone()),
        _ => None,
    });
    assert_eq!(activities.next_back(), Some(Activity::Idle));
}

/// The user solves the problem, by logging in or by setting the clock. Nothing tells the app.
#[test]
fn what_the_user_mends_is_noticed_as_quickly() {
    for (seed, fault) in (20..).zip([Fault::Html, Fault::Forbidden, Fault::NoProofs]) {
        let scene = Scene::new(seed, 2, 1);
        scene.providers.iter().for_each(|provider| provider.add(fault.clone()));
        let mut watch = scene.client.watch([ALICE_HOLDING]);
        let changes = changes_within(&scene, &mut watch, Duration::from_secs(600));
        assert!(readings(&changes).iter().all(|(_, reading, _)| reading.latest_proven().is_none()));
        go_on(&scene);
        let changes = changes_within(&scene, &mut watch, Duration::from_secs(35));
        let proven = readings(&changes).into_iter().find_map(|(_, reading, _)| reading.proven().cloned());
        assert_eq!(proven.map(|proven| proven.amount().base_units()), Some(BEFORE), "{fault:?}");
    }
}

/// An app that applies all changes at once never adds a new amount of one holding to an old one of another.
#[test]
fn all_changes_of_one_moment_come_together() {
    let scene = Scene::new(5, 3, 2);
    let holdings = [ALICE, BOB, UNUSED].map(native);
    let mut watch = scene.client.watch(holdings);
    let first = scene.simulation.run(watch.next_all());
    assert!(matches!(
        first[..],
        [Change::Remembered { .. }, Change::Remembered { .. }, Change::Remembered { .. }, ..]
    ));
    let clock = scene.simulation.clock();
    let (begin, mut together) = (clock.monotonic(), Vec::new());
    while together.is_empty() && clock.monotonic() < begin + SLOT * 4 {
        let changes = scene.simulation.run(watch.next_all());
        let is_proven =
            |change: &Change| matches!(change, Change::Reading { reading: Reading::Proven(_), .. });
        together = changes.into_iter().filter(is_proven).collect();
    }
    assert_eq!(together.len(), 3, "{together:?}");
}

/// The providers are gone, and the sources give heads: the screen says so within a minute, however short the slots are, and wherever in
/// the slot it was opened.
#[test]
fn providers_that_are_gone_are_noticed_with_short_slots_too() {
    for (seed, opened) in [(7, 0), (8, 250), (9, 333), (10, 400), (11, 990)] {
        let slot = Duration::from_secs(1);
        let chain = Chain::builder(seed).slot_duration(slot).accounts([(ALICE, BEFORE)]).build();
        let policy = Policy { max_age: Duration::from_secs(20), ..Policy::signed() };
        let scene = Scene::of(chain, seed, 3, 2, policy);
        scene.simulation.pass(Duration::from_millis(opened));
        let mut watch = scene.client.watch([ALICE_HOLDING]);
        changes_within(&scene, &mut watch, Duration::from_secs(30));
        scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
        let changes = changes_within(&scene, &mut watch, Duration::from_secs(60));
        let gone = readings(&changes).into_iter().find(|(_, reading, _)| reading.proven().is_none());
        let (at, reading, _) = gone.unwrap_or_else(|| panic!("opened at {opened} ms: {changes:?}"));
        assert!(reading.latest_proven().is_some(), "{reading:?}");
        println!("opened at {opened} ms: noticed after {at:?}");
    }
}
