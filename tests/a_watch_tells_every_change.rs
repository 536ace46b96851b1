//! A watch reports the last known readings at once, and then every change, and only proven amounts.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::future::select;
use futures_util::{FutureExt, StreamExt};
use saldo::{
    Activity, Change, Client, Clock, Freshness, Holding, Level, MemoryStorage, Pace, Policy, Reading, Why,
};
use saldo_drill::{Fault, Provider};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, Scene, UNUSED};
use saldo_tests::watched::{ALICE_HOLDING, SLOT, changes_within, readings};

const UNUSED_HOLDING: Holding = native(UNUSED);

fn activities(changes: &[(Duration, Change)]) -> Vec<Activity> {
    let activity = |(_, change): &(Duration, Change)| match change {
        Change::Activity(activity) => Some(activity.clone()),
        _ => None,
    };
    changes.iter().filter_map(activity).collect()
}

/// Every reported amount is the chain's balance at the block that the reading names.
#[track_caller]
fn assert_all_true(scene: &Scene, changes: &[(Duration, Change)]) {
    for proven in changes.iter().filter_map(|(_, change)| change.latest_proven()) {
        let true_amount = scene.chain.balance_at_hash(proven.anchor().hash(), proven.holding().owner());
        assert_eq!(Some(proven.amount().base_units()), true_amount);
    }
}

fn requests(scene: &Scene) -> usize {
    scene.simulation.internet().log().len()
}

fn of_method(scene: &Scene, method: &str) -> u64 {
    scene.providers.iter().filter_map(|provider| provider.requests().get(method).copied()).sum()
}

/// The number of proof requests that named Alice.
fn proofs_of_alice(scene: &Scene) -> usize {
    proofs_of(scene, ALICE)
}

/// The number of proof requests that named `owner`.
fn proofs_of(scene: &Scene, owner: Address) -> usize {
    let names = |body: &[u8]| {
        let body = String::from_utf8_lossy(body).to_lowercase();
        body.contains("eth_getproof") && body.contains(&format!("{owner:#x}"))
    };
    scene.simulation.internet().log().iter().filter(|exchange| names(&exchange.body)).count()
}

#[test]
fn the_stored_readings_come_first_and_then_the_new_ones() {
    let (world, storage) = (CheckpointWorld::new(1, 0), MemoryStorage::new());
    let start = || {
        let builder = world.builder().checkpoint(world.chain.checkpoint());
        builder.storage(storage.clone()).build().unwrap()
    };
    world.assert_true(&world.read(&start()));
    world.pass_slots(100);
    let before = world.simulation.internet().log().len();
    let client = start();
    let mut watch = client.watch([ALICE_HOLDING, UNUSED_HOLDING, ALICE_HOLDING]);
    // Two holdings, each once, before any request.
    let first = watch.next().now_or_never().unwrap();
    let Change::Remembered { holding, last: Some(last), freshness: Some(Freshness::Old(_)) } = &first else {
        panic!("{first:?}")
    };
    assert!(*holding == ALICE_HOLDING && last.is_restored() && last.amount().base_units() == BEFORE);
    let second = watch.next().now_or_never().unwrap();
    assert_eq!(second, Change::Remembered { holding: UNUSED_HOLDING, last: None, freshness: None });
    assert_eq!(watch.next().now_or_never(), Some(Change::Activity(Activity::Fetching)));
    assert_eq!(watch.next().now_or_never(), None);
    let then: Vec<Change> =
        world.simulation.run(async { vec![watch.next().await, watch.next().await, watch.next().await] });
    assert_eq!(then[0], Change::Activity(Activity::Idle));
    for (change, amount) in then[1..].iter().zip([BEFORE, U256::ZERO]) {
        let Change::Reading { reading, freshness: Some(Freshness::Fresh(_)), .. } = change else {
            panic!("{change:?}")
        };
        assert_eq!(reading.proven().unwrap().amount().base_units(), amount);
        assert!(!reading.proven().unwrap().is_restored());
    }
    assert!(world.simulation.internet().log().len() > before);
    assert_eq!(format!("{watch:?}"), "Watch { holdings: 2, .. }");
}

/// In the foreground a change is reported some slots later, and only after a proof.
#[test]
fn a_hint_has_a_change_proven() {
    let scene = Scene::new(2, 2, 1);
    scene.chain.stall_finality(true);
    let mut watch = scene.client.watch([ALICE_HOLDING, UNUSED_HOLDING]);
    let first = changes_within(&scene, &mut watch, SLOT * 4);
    assert_eq!(readings(&first).len(), 2);
    let proofs = of_method(&scene, "eth_getProof");
    let asked = [ALICE, UNUSED].map(|owner| proofs_of(&scene, owner));
    let quiet = changes_within(&scene, &mut watch, SLOT * 10);
    assert_eq!(quiet, [], "no change without a change of the balance");
    assert_eq!(of_method(&scene, "eth_getProof"), proofs);
    assert!(of_method(&scene, "eth_getBalance") >= 2);

    scene.chain.set_balance(ALICE, AFTER);
    let changes = changes_within(&scene, &mut watch, SLOT * 8);
    let reported = readings(&changes);
    let [(at, reading, _)] = &reported[..] else { panic!("{reported:?}") };
    assert_eq!(scene.assert_true(reading, ALICE), AFTER);
    assert!(*at <= SLOT * 5, "{at:?}");
    assert_eq!(activities(&changes), [Activity::Fetching, Activity::Idle]);
    // The holding that did not change was not proven again.
    assert_eq!([ALICE, UNUSED].map(|owner| proofs_of(&scene, owner)), [asked[0] + 1, asked[1]]);
}

/// A provider whose hint changes every time causes some proofs, fewer and fewer, and no other amount.
#[test]
fn a_false_hint_changes_nothing() {
    let scene = Scene::new(3, 1, 1);
    scene.providers[0].add(Fault::Result(serde_json::json!("0x0")).on("eth_getBalance"));
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(3_600));
    assert_all_true(&scene, &changes);
    let amounts: Vec<U256> = changes
        .iter()
        .filter_map(|(_, change)| Some(change.latest_proven()?.amount().base_units()))
        .collect();
    assert!(amounts.len() > 3 && amounts.iter().all(|amount| *amount == BEFORE));
    let proofs = proofs_of_alice(&scene);
    // Twelve proofs are due in an hour anyway.
    assert!((12..=20).contains(&proofs), "{proofs}");
}

/// No provider answers. The proven amount is shown until it is old, then as old with the reason. When they return, it
/// is fresh again.
#[test]
fn the_shown_amount_grows_old_when_no_provider_answers() {
    let scene = Scene::new(4, 2, 1);
    scene.chain.stall_finality(true);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    changes_within(&scene, &mut watch, SLOT * 2);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    scene.chain.set_balance(ALICE, AFTER);
    let before = requests(&scene);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(1_200));
    assert_all_true(&scene, &changes);
    let reported = readings(&changes);
    let code = |reading: &Reading| reading.why().map(Why::code);
    let [(failed, unknown, fresh), (aged, still, old)] = &reported[..] else { panic!("{reported:?}") };
    assert_eq!((code(unknown), code(still)), (Some("all_unreachable"), Some("all_unreachable")));
    assert!(matches!(fresh, Some(Freshness::Fresh(_))) && matches!(old, Some(Freshness::Old(_))));
    assert!(unknown.latest_proven() == still.latest_proven() && still.latest_proven().is_some());
    // A new proof is due at an age of five minutes, and the reading is old at six. It was half a minute old at the
    // start.
    let (failed, aged) = (failed.as_secs(), aged.as_secs());
    assert!((250..=290).contains(&failed) && (310..=340).contains(&aged), "{failed} {aged}");
    // A poll for a head in each slot makes 100 requests. About thirty tries follow, one in thirty seconds, and each asks two
    // providers, at most three times.
    assert!(requests(&scene) - before < 320, "{}", requests(&scene) - before);
    let backing_off =
        activities(&changes).into_iter().filter(|activity| matches!(activity, Activity::BackingOff { .. }));
    assert!(backing_off.count() >= 3);

    scene.providers.iter().for_each(Provider::clear);
    scene.client.network_changed(true);
    let changes = changes_within(&scene, &mut watch, SLOT * 2);
    let reported = readings(&changes);
    assert_eq!(scene.assert_true(&reported.last().unwrap().1, ALICE), AFTER);
    assert_eq!(activities(&changes)[..2], [Activity::Fetching, Activity::Idle]);
}

#[test]
fn a_device_without_network_says_so_and_is_back_at_once() {
    let scene = Scene::new(5, 2, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    scene.simulation.internet().set_offline(true);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(60));
    assert!(activities(&changes).contains(&Activity::Offline), "{changes:?}");
    assert_eq!(readings(&changes).last().unwrap().1.why(), Some(&Why::DeviceOffline));
    scene.simulation.internet().set_offline(false);
    scene.client.network_changed(true);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(4));
    assert_eq!(scene.assert_true(&readings(&changes).last().unwrap().1, ALICE), BEFORE);
}

/// The same block is first signed and then final. That is reported as a reading of its own, without a new proof
/// request.
#[test]
fn a_signed_reading_becomes_final_in_place() {
    let scene = Scene::new(7, 1, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(299));
    let reported = readings(&changes);
    let level = |reading: &Reading| reading.proven().unwrap().anchor().assurance().level();
    let number = |reading: &Reading| reading.proven().unwrap().anchor().number();
    let (_, first, _) = &reported[0];
    let raised = reported
        .iter()
        .find(|(_, reading, _)| number(reading) == number(first) && level(reading) == Level::Finalized);
    assert_eq!(level(first), Level::Signed);
    assert!(
        raised.is_some(),
        "{:?}",
        reported.iter().map(|(at, reading, _)| (at, number(reading), level(reading))).collect::<Vec<_>>()
    );
}

#[test]
fn the_pace_limits_the_requests() {
    let scene = Scene::new(8, 1, 1);
    let hour = Duration::from_secs(3_600);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    scene.client.set_pace(Pace::Paused);
    let changes = changes_within(&scene, &mut watch, hour);
    assert_eq!(changes.len(), 1, "only the last known reading: {changes:?}");
    assert_eq!(requests(&scene), 0);

    scene.client.set_pace(Pace::Background);
    let changes = changes_within(&scene, &mut watch, hour);
    assert_eq!(of_method(&scene, "eth_getBalance"), 0);
    // Two proofs each time: one under the head and, while the head is fetched, one at the tip.
    let proofs = proofs_of_alice(&scene);
    assert!((4..=6).contains(&proofs), "{proofs}");
    // A reading that is too old is reported as remembered.
    let is_old =
        |change: &Change| matches!(change, Change::Remembered { freshness: Some(Freshness::Old(_)), .. });
    assert!(changes.iter().any(|(_, change)| is_old(change)), "{changes:?}");
    assert!(
        readings(&changes).iter().all(|(_, _, freshness)| matches!(freshness, Some(Freshness::Fresh(_))))
    );

    let before = requests(&scene);
    scene.client.set_pace(Pace::Paused);
    scene.chain.set_balance(ALICE, AFTER);
    let changes = changes_within(&scene, &mut watch, hour);
    assert_eq!(requests(&scene), before);
    assert!(readings(&changes).iter().all(|(_, reading, _)| reading.proven().is_some()));

    // Back in the foreground, the reading is right after one poll.
    scene.client.set_pace(Pace::Foreground);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(5));
    assert_eq!(scene.assert_true(&readings(&changes).last().unwrap().1, ALICE), AFTER);
}

/// The caller restarts trust: the shown reading is withdrawn at once, and the following readings are reported.
#[test]
fn restarting_trust_withdraws_the_shown_reading() {
    let scene = Scene::new(16, 1, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    changes_within(&scene, &mut watch, SLOT);
    scene.client.set_pace(Pace::Paused);
    changes_within(&scene, &mut watch, SLOT);
    scene.client.start_again(scene.chain.checkpoint());
    let changes = changes_within(&scene, &mut watch, SLOT);
    let nothing = Change::Remembered { holding: ALICE_HOLDING, last: None, freshness: None };
    assert_eq!(changes.into_iter().map(|(_, change)| change).collect::<Vec<_>>(), [nothing]);
    scene.client.set_pace(Pace::Foreground);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(6));
    assert_eq!(scene.assert_true(&readings(&changes).last().unwrap().1, ALICE), BEFORE);
    // A later withdrawal is reported like any other.
    scene.chain.reorg(2);
    let changes = changes_within(&scene, &mut watch, SLOT * 6);
    assert!(changes.iter().any(|(_, change)| matches!(change, Change::Withdrawn { .. })), "{changes:?}");
}

/// A provider with outdated answers does not hide a change for long: the next hint is taken from another provider.
#[test]
fn hints_are_taken_from_all_providers_that_know_the_address() {
    let scene = Scene::new(17, 2, 1);
    scene.chain.stall_finality(true);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    // Both providers learn the address.
    scene.providers[0].add(Fault::NullResult);
    changes_within(&scene, &mut watch, SLOT * 2);
    scene.providers[0].clear();
    let stale = serde_json::json!(format!("{BEFORE:#x}"));
    scene.providers[0].add(Fault::Result(stale).on("eth_getBalance"));
    scene.chain.set_balance(ALICE, AFTER);
    let changes = changes_within(&scene, &mut watch, SLOT * 10);
    let reported = readings(&changes);
    let (at, reading, _) = reported
        .iter()
        .find(|(_, reading, _)| reading.proven().is_some_and(|proven| proven.amount().base_units() == AFTER))
        .expect("a reading with the new amount");
    scene.assert_true(reading, ALICE);
    assert!(*at <= SLOT * 8, "{at:?}");
}

/// With an age limit that no block can meet, each slot's head is proven under, and no more.
#[test]
fn an_impossible_age_causes_one_proof_per_slot() {
    let policy = Policy { max_age: Duration::from_secs(1), ..Policy::signed() };
    let scene = Scene::with_policy(15, 1, 1, policy);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    let changes = changes_within(&scene, &mut watch, SLOT * 50);
    assert_all_true(&scene, &changes);
    let proofs = proofs_of_alice(&scene);
    assert!((45..=52).contains(&proofs), "{proofs}");
}

/// If no provider answers, it causes at most one attempt per slot.
#[test]
fn an_impossible_age_causes_one_attempt_per_slot() {
    let policy = Policy { max_age: Duration::from_secs(1), ..Policy::signed() };
    let scene = Scene::with_policy(16, 1, 1, policy);
    scene.simulation.internet().set_offline(true);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    let changes = changes_within(&scene, &mut watch, SLOT * 50);
    assert!(readings(&changes).iter().all(|(_, reading, _)| reading.proven().is_none()));
    let tries = activities(&changes).into_iter().filter(|activity| *activity == Activity::Fetching).count();
    assert!((2..=51).contains(&tries), "{tries}");
}

/// The device slept: its wall clock advanced, and the shown reading is proven again within a minute.
#[test]
fn after_a_sleep_the_shown_reading_is_proven_again() {
    let scene = Scene::new(9, 1, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    changes_within(&scene, &mut watch, SLOT * 3);
    scene.chain.set_balance(ALICE, AFTER);
    scene.simulation.clock().sleep_device(Duration::from_secs(36_000));
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(61));
    assert_eq!(scene.assert_true(&readings(&changes).last().unwrap().1, ALICE), AFTER);
}

/// Dropping `next` often changes no report.
#[test]
fn dropping_next_loses_no_change() {
    let changes_with = |wait: Option<Duration>| {
        let scene = Scene::new(10, 2, 1);
        let mut watch = scene.client.watch([ALICE_HOLDING, UNUSED_HOLDING]);
        let mut all = Vec::new();
        for round in 0_u64..12 {
            scene.chain.set_balance(ALICE, U256::from(round / 4));
            match wait {
                None => all.extend(changes_within(&scene, &mut watch, SLOT * 5)),
                Some(wait) => {
                    let times = (SLOT * 5).as_millis() / wait.as_millis();
                    (0..times).for_each(|_| all.extend(changes_within(&scene, &mut watch, wait)));
                }
            }
        }
        assert_all_true(&scene, &all);
        let amounts = all.iter().filter_map(|(_, change)| {
            let proven = change.latest_proven()?;
            matches!(change, Change::Reading { .. })
                .then(|| (proven.holding().owner(), proven.amount().base_units()))
        });
        let mut amounts: Vec<_> = amounts.collect();
        amounts.dedup();
        amounts
    };
    let whole = changes_with(None);
    assert_eq!(changes_with(Some(Duration::from_millis(250))), whole);
    assert!(whole.len() >= 4, "{whole:?}");
}

/// Changes can be lost on the way to the screen, where an app waits in another language. They are reported again, from the
/// state of that moment and in their order, as often as they are lost.
#[test]
fn lost_changes_are_reported_again() {
    let scene = Scene::new(6, 1, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING, UNUSED_HOLDING]);
    watch.report_again();
    let first = scene.simulation.run(watch.next_all());
    assert_eq!(
        first.iter().filter_map(Change::holding).collect::<Vec<_>>(),
        [&ALICE_HOLDING, &UNUSED_HOLDING]
    );
    for _ in 0..3 {
        watch.report_again();
        assert_eq!(scene.simulation.run(watch.next_all()), first);
    }
    changes_within(&scene, &mut watch, Duration::from_secs(6));
    scene.chain.set_balance(ALICE, AFTER);
    scene.chain.reorg(2);
    let is_withdrawal = |change: &Change| matches!(change, Change::Withdrawn { .. });
    let mut batches = (0..50).map(|_| scene.simulation.run(watch.next_all()));
    let withdrawn = batches.find(|batch| batch.iter().any(is_withdrawal)).expect("a withdrawal");
    for _ in 0..3 {
        watch.report_again();
        let again = scene.simulation.run(watch.next_all());
        assert_eq!(again[..withdrawn.len()], withdrawn);
    }
    // What arrived is not reported again.
    let later = changes_within(&scene, &mut watch, SLOT * 6);
    assert!(!later.iter().any(|(_, change)| is_withdrawal(change)), "{later:?}");
    assert_eq!(scene.assert_true(&readings(&later).last().unwrap().1, ALICE), AFTER);
}

#[test]
fn a_dropped_watch_leaves_no_work() {
    let scene = Scene::new(11, 1, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    // In the middle of a read.
    scene.simulation.run(async {
        let _ = (watch.next().await, watch.next().await);
        select(watch.next().boxed(), scene.simulation.clock().sleep(Duration::from_millis(1))).await;
    });
    drop(watch);
    let before = requests(&scene);
    scene.simulation.pass(Duration::from_secs(3_600));
    assert_eq!(requests(&scene), before);
}

fn is_sent<T: Send + Unpin + 'static>(_: &T) {
    // The test is that this compiles.
}

/// A watch is a stream like any other.
#[test]
fn it_is_a_stream() {
    let scene = Scene::new(12, 1, 1);
    let changes: Vec<Change> =
        scene.simulation.run(StreamExt::take(scene.client.watch([ALICE_HOLDING]), 4).collect());
    assert_eq!(changes.len(), 4);
    assert!(matches!(changes[3], Change::Reading { .. }), "{changes:?}");
    is_sent(&scene.client.watch([]));
}

/// Every watch reports the readings of other calls too.
#[test]
fn readings_of_other_calls_are_reported_too() {
    let scene = Scene::new(13, 1, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    changes_within(&scene, &mut watch, SLOT);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(2);
    let reading = scene.balance(ALICE);
    let next = scene.simulation.run(watch.next());
    assert_eq!(
        next.latest_proven().map(|proven| proven.amount()),
        reading.proven().map(|proven| proven.amount())
    );
    assert_eq!(next.latest_proven().unwrap().amount().base_units(), AFTER);
}

/// For a background job: reads every holding that is watched or was proven before.
#[test]
fn a_refresh_reads_all_known_holdings() {
    let (world, storage) = (CheckpointWorld::new(14, 0), MemoryStorage::new());
    let start = || -> Client {
        let builder = world.builder().checkpoint(world.chain.checkpoint());
        builder.storage(storage.clone()).build().unwrap()
    };
    let refresh = |client: &Client| world.simulation.run(client.refresh(Duration::from_secs(20)));
    let client = start();
    assert_eq!(refresh(&client), []);
    world.assert_true(&world.read(&client));
    world.chain.set_balance(ALICE, AFTER);
    world.pass_slots(3);
    let again = start();
    let watch = again.watch([UNUSED_HOLDING]);
    let amounts: Vec<(Holding, U256)> = refresh(&again)
        .iter()
        .map(|(holding, reading)| (*holding, reading.proven().unwrap().amount().base_units()))
        .collect();
    assert_eq!(amounts, [(UNUSED_HOLDING, U256::ZERO), (ALICE_HOLDING, AFTER)]);
    drop(watch);
    assert_eq!(start().last(&ALICE_HOLDING).unwrap().amount().base_units(), AFTER);
}
