//! A watch tells what is known at once, and then every change, and nothing that is not proven.

use std::time::Duration;

use alloy_primitives::U256;
use futures_util::future::select;
use futures_util::{FutureExt, StreamExt};
use saldo::{
    Activity, Change, Client, Clock, Freshness, Holding, Level, MemoryStorage, Pace, Policy, Reading, Why,
};
use saldo_drill::{Fault, Provider};
use saldo_tests::council::Council;
use saldo_tests::heard::{ALICES, SLOT, hear, readings};
use saldo_tests::scene::{AFTER, ALICE, BEFORE, NOBODY, Scene};

const NOBODYS: Holding = Holding { owner: NOBODY, asset: saldo::Asset::Native };

fn activities(heard: &[(Duration, Change)]) -> Vec<Activity> {
    let activity = |(_, change): &(Duration, Change)| match change {
        Change::Activity(activity) => Some(*activity),
        _ => None,
    };
    heard.iter().filter_map(activity).collect()
}

/// Every amount that was told is the one that the chain has at the block it names.
#[track_caller]
fn assert_all_true(scene: &Scene, heard: &[(Duration, Change)]) {
    for proven in heard.iter().filter_map(|(_, change)| change.latest_proven()) {
        let true_amount = scene.chain.balance_at_hash(proven.anchor().hash(), proven.holding().owner);
        assert_eq!(Some(proven.amount().base_units()), true_amount);
    }
}

fn requests(scene: &Scene) -> usize {
    scene.simulation.internet().log().len()
}

fn of_method(scene: &Scene, method: &str) -> u64 {
    scene.providers.iter().filter_map(|provider| provider.requests().get(method).copied()).sum()
}

/// How many requests for proofs named Alice.
fn proofs_of_alice(scene: &Scene) -> usize {
    let names = |body: &[u8]| {
        let body = String::from_utf8_lossy(body).to_lowercase();
        body.contains("eth_getproof") && body.contains(&format!("{ALICE:#x}"))
    };
    scene.simulation.internet().log().iter().filter(|exchange| names(&exchange.body)).count()
}

#[test]
fn what_is_known_at_once_and_then_what_is_read() {
    let (council, storage) = (Council::new(1, 0), MemoryStorage::new());
    let start = || {
        let builder = council.builder().checkpoint(council.chain.checkpoint());
        builder.storage(storage.clone()).build().unwrap()
    };
    council.assert_true(&council.read(&start()));
    council.pass_slots(100);
    let before = council.simulation.internet().log().len();
    let client = start();
    let mut watch = client.watch([ALICES, NOBODYS, ALICES]);
    // Two holdings, each once, before anything is asked.
    let first = watch.next().now_or_never().unwrap();
    let Change::Remembered { holding, last: Some(last), freshness: Some(Freshness::Old(_)) } = &first else {
        panic!("{first:?}")
    };
    assert!(*holding == ALICES && last.is_restored() && last.amount().base_units() == BEFORE);
    let second = watch.next().now_or_never().unwrap();
    assert_eq!(second, Change::Remembered { holding: NOBODYS, last: None, freshness: None });
    assert_eq!(watch.next().now_or_never(), Some(Change::Activity(Activity::Fetching)));
    assert_eq!(watch.next().now_or_never(), None);
    let then: Vec<Change> =
        council.simulation.run(async { vec![watch.next().await, watch.next().await, watch.next().await] });
    assert_eq!(then[0], Change::Activity(Activity::Idle));
    for (change, amount) in then[1..].iter().zip([BEFORE, U256::ZERO]) {
        let Change::Reading { reading, freshness: Some(Freshness::Fresh(_)), .. } = change else {
            panic!("{change:?}")
        };
        assert_eq!(reading.proven().unwrap().amount().base_units(), amount);
        assert!(!reading.proven().unwrap().is_restored());
    }
    assert!(council.simulation.internet().log().len() > before);
    assert_eq!(format!("{watch:?}"), "Watch { holdings: 2, .. }");
}

/// In the foreground a change is told some slots later; nothing but a proof tells it.
#[test]
fn a_hint_has_a_change_proven() {
    let scene = Scene::new(2, 2, 1);
    scene.chain.stall_finality(true);
    let mut watch = scene.client.watch([ALICES, NOBODYS]);
    let first = hear(&scene, &mut watch, SLOT * 4);
    assert_eq!(readings(&first).len(), 2);
    let proofs = of_method(&scene, "eth_getProof");
    let quiet = hear(&scene, &mut watch, SLOT * 10);
    assert_eq!(quiet, [], "nothing changed, and nothing is said");
    assert_eq!(of_method(&scene, "eth_getProof"), proofs);
    assert!(of_method(&scene, "eth_getBalance") >= 2);

    scene.chain.set_balance(ALICE, AFTER);
    let heard = hear(&scene, &mut watch, SLOT * 8);
    let told = readings(&heard);
    let [(at, reading, _)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(scene.assert_true(reading, ALICE), AFTER);
    assert!(*at <= SLOT * 5, "{at:?}");
    assert_eq!(activities(&heard), [Activity::Fetching, Activity::Idle]);
    // The one that did not change was not proven again.
    assert_eq!(of_method(&scene, "eth_getProof"), proofs + 1);
}

/// A provider that says something else every time makes some proofs, fewer and fewer, and no other amount.
#[test]
fn a_false_hint_changes_nothing() {
    let scene = Scene::new(3, 1, 1);
    scene.providers[0].add(Fault::Result(serde_json::json!("0x0")).on("eth_getBalance"));
    let mut watch = scene.client.watch([ALICES]);
    let heard = hear(&scene, &mut watch, Duration::from_secs(3_600));
    assert_all_true(&scene, &heard);
    let amounts: Vec<U256> =
        heard.iter().filter_map(|(_, change)| Some(change.latest_proven()?.amount().base_units())).collect();
    assert!(amounts.len() > 3 && amounts.iter().all(|amount| *amount == BEFORE));
    let proofs = proofs_of_alice(&scene);
    // Twelve are due in an hour anyhow.
    assert!((12..=20).contains(&proofs), "{proofs}");
}

/// Nobody answers: what was proven is shown until it is old, then as old, with the reason; and it is right when they return.
#[test]
fn what_is_shown_grows_old_when_nobody_answers() {
    let scene = Scene::new(4, 2, 1);
    scene.chain.stall_finality(true);
    let mut watch = scene.client.watch([ALICES]);
    hear(&scene, &mut watch, SLOT * 2);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    scene.chain.set_balance(ALICE, AFTER);
    let before = requests(&scene);
    let heard = hear(&scene, &mut watch, Duration::from_secs(1_200));
    assert_all_true(&scene, &heard);
    let told = readings(&heard);
    let code = |reading: &Reading| reading.why().map(Why::code);
    let [(failed, unknown, fresh), (aged, still, old)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((code(unknown), code(still)), (Some("all_unreachable"), Some("all_unreachable")));
    assert!(matches!(fresh, Some(Freshness::Fresh(_))) && matches!(old, Some(Freshness::Old(_))));
    assert!(unknown.latest_proven() == still.latest_proven() && still.latest_proven().is_some());
    // Proven again when it is five minutes old, and old when it is six: it was half a minute old when this began.
    let (failed, aged) = (failed.as_secs(), aged.as_secs());
    assert!((250..=290).contains(&failed) && (310..=340).contains(&aged), "{failed} {aged}");
    // And not a storm: some twenty slots' glances, and then a few tries.
    assert!(requests(&scene) - before < 120, "{}", requests(&scene) - before);
    let backing_off =
        activities(&heard).into_iter().filter(|activity| matches!(activity, Activity::BackingOff { .. }));
    assert!(backing_off.count() >= 3);

    scene.providers.iter().for_each(Provider::clear);
    scene.client.network_changed(true);
    let heard = hear(&scene, &mut watch, SLOT * 2);
    let told = readings(&heard);
    assert_eq!(scene.assert_true(&told.last().unwrap().1, ALICE), AFTER);
    assert_eq!(activities(&heard)[..2], [Activity::Fetching, Activity::Idle]);
}

#[test]
fn a_device_without_network_says_so_and_is_back_at_once() {
    let scene = Scene::new(5, 2, 1);
    let mut watch = scene.client.watch([ALICES]);
    scene.simulation.internet().set_offline(true);
    let heard = hear(&scene, &mut watch, Duration::from_secs(60));
    assert!(activities(&heard).contains(&Activity::Offline), "{heard:?}");
    assert_eq!(readings(&heard).last().unwrap().1.why(), Some(&Why::DeviceOffline));
    scene.simulation.internet().set_offline(false);
    scene.client.network_changed(true);
    let heard = hear(&scene, &mut watch, Duration::from_secs(4));
    assert_eq!(scene.assert_true(&readings(&heard).last().unwrap().1, ALICE), BEFORE);
}

/// The same block, once signed and then final: told as a reading of its own, without a new proof of the address.
#[test]
fn what_is_signed_becomes_final_in_place() {
    let scene = Scene::new(7, 1, 1);
    let mut watch = scene.client.watch([ALICES]);
    let heard = hear(&scene, &mut watch, Duration::from_secs(299));
    let told = readings(&heard);
    let level = |reading: &Reading| reading.proven().unwrap().anchor().assurance().level();
    let number = |reading: &Reading| reading.proven().unwrap().anchor().number();
    let (_, first, _) = &told[0];
    let raised = told
        .iter()
        .find(|(_, reading, _)| number(reading) == number(first) && level(reading) == Level::Finalized);
    assert_eq!(level(first), Level::Signed);
    assert!(
        raised.is_some(),
        "{:?}",
        told.iter().map(|(at, reading, _)| (at, number(reading), level(reading))).collect::<Vec<_>>()
    );
}

#[test]
fn the_pace_says_how_much_is_asked() {
    let scene = Scene::new(8, 1, 1);
    let hour = Duration::from_secs(3_600);
    let mut watch = scene.client.watch([ALICES]);
    scene.client.set_pace(Pace::Paused);
    let heard = hear(&scene, &mut watch, hour);
    assert_eq!(heard.len(), 1, "what is known, and nothing else: {heard:?}");
    assert_eq!(requests(&scene), 0);

    scene.client.set_pace(Pace::Background);
    let heard = hear(&scene, &mut watch, hour);
    assert_eq!(of_method(&scene, "eth_getBalance"), 0);
    // Twice each time: under the head, and beside fetching that, at the tip.
    let proofs = proofs_of_alice(&scene);
    assert!((4..=6).contains(&proofs), "{proofs}");
    // What has become too old is no reading any more, but what is remembered.
    let is_old =
        |change: &Change| matches!(change, Change::Remembered { freshness: Some(Freshness::Old(_)), .. });
    assert!(heard.iter().any(|(_, change)| is_old(change)), "{heard:?}");
    assert!(readings(&heard).iter().all(|(_, _, freshness)| matches!(freshness, Some(Freshness::Fresh(_)))));

    let before = requests(&scene);
    scene.client.set_pace(Pace::Paused);
    scene.chain.set_balance(ALICE, AFTER);
    let heard = hear(&scene, &mut watch, hour);
    assert_eq!(requests(&scene), before);
    assert!(readings(&heard).iter().all(|(_, reading, _)| reading.proven().is_some()));

    // Back in the foreground: right one glance later.
    scene.client.set_pace(Pace::Foreground);
    let heard = hear(&scene, &mut watch, Duration::from_secs(5));
    assert_eq!(scene.assert_true(&readings(&heard).last().unwrap().1, ALICE), AFTER);
}

/// The caller distrusts what was shown and starts again: it is gone from the screen at once, and what follows is told.
#[test]
fn a_new_start_takes_what_is_shown_away() {
    let scene = Scene::new(16, 1, 1);
    let mut watch = scene.client.watch([ALICES]);
    hear(&scene, &mut watch, SLOT);
    scene.client.set_pace(Pace::Paused);
    hear(&scene, &mut watch, SLOT);
    scene.client.start_again(scene.chain.checkpoint());
    let heard = hear(&scene, &mut watch, SLOT);
    let nothing = Change::Remembered { holding: ALICES, last: None, freshness: None };
    assert_eq!(heard.into_iter().map(|(_, change)| change).collect::<Vec<_>>(), [nothing]);
    scene.client.set_pace(Pace::Foreground);
    let heard = hear(&scene, &mut watch, Duration::from_secs(6));
    assert_eq!(scene.assert_true(&readings(&heard).last().unwrap().1, ALICE), BEFORE);
    // A withdrawal after it is told like any other.
    scene.chain.reorg(2);
    let heard = hear(&scene, &mut watch, SLOT * 6);
    assert!(heard.iter().any(|(_, change)| matches!(change, Change::Withdrawn { .. })), "{heard:?}");
}

/// A provider that says what was hides no change for long: another is asked the next time.
#[test]
fn hints_are_taken_from_all_who_know() {
    let scene = Scene::new(17, 2, 1);
    scene.chain.stall_finality(true);
    let mut watch = scene.client.watch([ALICES]);
    // Both come to know of the address.
    scene.providers[0].add(Fault::NullResult);
    hear(&scene, &mut watch, SLOT * 2);
    scene.providers[0].clear();
    let stale = serde_json::json!(format!("{BEFORE:#x}"));
    scene.providers[0].add(Fault::Result(stale).on("eth_getBalance"));
    scene.chain.set_balance(ALICE, AFTER);
    let heard = hear(&scene, &mut watch, SLOT * 10);
    let told = readings(&heard);
    let (at, reading, _) = told
        .iter()
        .find(|(_, reading, _)| reading.proven().is_some_and(|proven| proven.amount().base_units() == AFTER))
        .expect("it was noticed");
    scene.assert_true(reading, ALICE);
    assert!(*at <= SLOT * 8, "{at:?}");
}

/// An age that no block can keep has each slot's head proven under, and no more.
#[test]
fn an_age_that_cannot_be_kept_is_no_reason_to_ask_all_the_time() {
    let policy = Policy { max_age: Duration::from_secs(1), ..Policy::signed() };
    let scene = Scene::with_policy(15, 1, 1, policy);
    let mut watch = scene.client.watch([ALICES]);
    let heard = hear(&scene, &mut watch, SLOT * 50);
    assert_all_true(&scene, &heard);
    let proofs = proofs_of_alice(&scene);
    assert!((45..=52).contains(&proofs), "{proofs}");
}

/// Nor where nobody answers: a try per slot at most.
#[test]
fn an_age_that_cannot_be_kept_is_no_reason_to_try_all_the_time() {
    let policy = Policy { max_age: Duration::from_secs(1), ..Policy::signed() };
    let scene = Scene::with_policy(16, 1, 1, policy);
    scene.simulation.internet().set_offline(true);
    let mut watch = scene.client.watch([ALICES]);
    let heard = hear(&scene, &mut watch, SLOT * 50);
    assert!(readings(&heard).iter().all(|(_, reading, _)| reading.proven().is_none()));
    let tries = activities(&heard).into_iter().filter(|activity| *activity == Activity::Fetching).count();
    assert!((2..=51).contains(&tries), "{tries}");
}

/// The device slept: its wall clock went on, and what is shown is looked at again within a minute.
#[test]
fn after_a_sleep_what_is_shown_is_proven_again() {
    let scene = Scene::new(9, 1, 1);
    let mut watch = scene.client.watch([ALICES]);
    hear(&scene, &mut watch, SLOT * 3);
    scene.chain.set_balance(ALICE, AFTER);
    scene.simulation.clock().sleep_device(Duration::from_secs(36_000));
    let heard = hear(&scene, &mut watch, Duration::from_secs(61));
    assert_eq!(scene.assert_true(&readings(&heard).last().unwrap().1, ALICE), AFTER);
}

/// However often waiting is given up, the same is told.
#[test]
fn nothing_is_lost_when_waiting_is_given_up() {
    let tell = |patience: Option<Duration>| {
        let scene = Scene::new(10, 2, 1);
        let mut watch = scene.client.watch([ALICES, NOBODYS]);
        let mut all = Vec::new();
        for round in 0_u64..12 {
            scene.chain.set_balance(ALICE, U256::from(round / 4));
            match patience {
                None => all.extend(hear(&scene, &mut watch, SLOT * 5)),
                Some(patience) => {
                    let times = (SLOT * 5).as_millis() / patience.as_millis();
                    (0..times).for_each(|_| all.extend(hear(&scene, &mut watch, patience)));
                }
            }
        }
        assert_all_true(&scene, &all);
        let amounts = all.iter().filter_map(|(_, change)| {
            let proven = change.latest_proven()?;
            matches!(change, Change::Reading { .. })
                .then(|| (proven.holding().owner, proven.amount().base_units()))
        });
        let mut amounts: Vec<_> = amounts.collect();
        amounts.dedup();
        amounts
    };
    let whole = tell(None);
    assert_eq!(tell(Some(Duration::from_millis(250))), whole);
    assert!(whole.len() >= 4, "{whole:?}");
}

#[test]
fn a_dropped_watch_leaves_no_work() {
    let scene = Scene::new(11, 1, 1);
    let mut watch = scene.client.watch([ALICES]);
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
    // That it compiles is the test.
}

/// It is a stream like any other.
#[test]
fn it_is_a_stream() {
    let scene = Scene::new(12, 1, 1);
    let changes: Vec<Change> =
        scene.simulation.run(StreamExt::take(scene.client.watch([ALICES]), 4).collect());
    assert_eq!(changes.len(), 4);
    assert!(matches!(changes[3], Change::Reading { .. }), "{changes:?}");
    is_sent(&scene.client.watch([]));
}

/// What another part of the app reads, every watch tells.
#[test]
fn a_reading_of_somebody_else_is_told_too() {
    let scene = Scene::new(13, 1, 1);
    let mut watch = scene.client.watch([ALICES]);
    hear(&scene, &mut watch, SLOT);
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

/// For a background job: everything that is watched, or was proven before.
#[test]
fn a_refresh_reads_all_that_is_known() {
    let (council, storage) = (Council::new(14, 0), MemoryStorage::new());
    let start = || -> Client {
        let builder = council.builder().checkpoint(council.chain.checkpoint());
        builder.storage(storage.clone()).build().unwrap()
    };
    let refresh = |client: &Client| council.simulation.run(client.refresh(Duration::from_secs(20)));
    let client = start();
    assert_eq!(refresh(&client), []);
    council.assert_true(&council.read(&client));
    council.chain.set_balance(ALICE, AFTER);
    council.pass_slots(3);
    let again = start();
    let watch = again.watch([NOBODYS]);
    let amounts: Vec<(Holding, U256)> = refresh(&again)
        .iter()
        .map(|(holding, reading)| (*holding, reading.proven().unwrap().amount().base_units()))
        .collect();
    assert_eq!(amounts, [(NOBODYS, U256::ZERO), (ALICES, AFTER)]);
    drop(watch);
    assert_eq!(start().last(&ALICES).unwrap().amount().base_units(), AFTER);
}
