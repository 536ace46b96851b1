//! Promise 1, for sums: an unknown amount adds nothing and is named, a remembered one is kept apart, and no holding
//! is counted twice.

use futures_util::StreamExt;
use saldo::{
    Amount, Asset, Change, Client, Holding, MemoryStorage, NetworkId, Policy, Reading, Sum, Total,
    TotalError, Totals, U256,
};
use saldo_drill::{Chain, Fault};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, Scene, UNUSED};
use saldo_tests::{NETWORK, native};

const OWNERS: [Holding; 3] = [native(ALICE), native(BOB), native(UNUSED)];
const BOB_BALANCE: U256 = U256::from_limbs([7, 0, 0, 0]);

fn total(readings: &[(Holding, &Reading)]) -> Total {
    let mut totals = Totals::new();
    for (holding, reading) in readings {
        totals.add(*holding, reading).unwrap();
    }
    totals.of(NETWORK, Asset::Native).unwrap()
}

fn read(scene: &Scene, holdings: &[Holding]) -> Vec<Reading> {
    scene.simulation.run(scene.client.read(holdings))
}

fn each<'a>(holdings: &[Holding], readings: &'a [Reading]) -> Vec<(Holding, &'a Reading)> {
    holdings.iter().copied().zip(readings).collect()
}

/// The numbers of a sum, proven and remembered.
fn numbers(sum: Sum<'_>) -> (Option<U256>, Option<U256>) {
    let number = |amount: Amount| amount.base_units();
    match sum {
        Sum::Proven(amount) => (Some(number(amount)), None),
        Sum::Remembered { proven, remembered } => (proven.map(number), Some(number(remembered))),
        Sum::Partial { proven, remembered, .. } => (proven.map(number), remembered.map(number)),
        Sum::TooLarge => panic!("it fits"),
    }
}

#[test]
fn proven_readings_of_all_give_a_proven_sum() {
    let scene = Scene::new(1, 3, 2);
    let readings = read(&scene, &OWNERS);
    let total = total(&each(&OWNERS, &readings));
    let Sum::Proven(amount) = total.sum() else { panic!("{total:?}") };
    assert_eq!(amount.base_units(), BEFORE + BOB_BALANCE);
    let times = readings.iter().map(|reading| reading.proven().unwrap().anchor().timestamp());
    assert_eq!(total.as_of(), Some((amount, times.min().unwrap())));
}

#[test]
fn an_outage_makes_a_sum_remembered_and_never_smaller() {
    let scene = Scene::new(2, 3, 2);
    let known = [OWNERS[0], OWNERS[1]];
    let before = read(&scene, &known);
    let oldest = before[0].proven().unwrap().anchor().timestamp();
    scene.pass_slots(2);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    let after = read(&scene, &OWNERS);
    assert!(after.iter().all(|reading| matches!(reading, Reading::Unknown(_))), "{after:?}");

    let remembered = total(&each(&known, &after));
    assert!(matches!(remembered.sum(), Sum::Remembered { proven: None, .. }), "{remembered:?}");
    assert_eq!(numbers(remembered.sum()), (None, Some(BEFORE + BOB_BALANCE)));
    let (amount, time) = remembered.as_of().unwrap();
    assert_eq!((amount.base_units(), time), (BEFORE + BOB_BALANCE, oldest));

    let partial = total(&each(&OWNERS, &after));
    let Sum::Partial { missing, .. } = partial.sum() else { panic!("{partial:?}") };
    assert_eq!(missing, [native(UNUSED)]);
    assert_eq!(numbers(partial.sum()), (None, Some(BEFORE + BOB_BALANCE)));
    assert_eq!(partial.as_of(), None);

    // A holding that was never proven does not even add a zero.
    let nothing = total(&each(&OWNERS[2..], &after[2..]));
    assert_eq!((numbers(nothing.sum()), nothing.oldest()), ((None, None), None));
}

#[test]
fn remembered_and_proven_amounts_are_kept_apart() {
    let scene = Scene::new(3, 3, 2);
    let before = read(&scene, &OWNERS);
    scene.pass_slots(2);
    scene.chain.set_balance(BOB, AFTER);
    scene.pass_slots(2);
    let bob = read(&scene, &[native(BOB)]).remove(0);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    scene.pass_slots(1);
    let alice = read(&scene, &[native(ALICE)]).remove(0);

    let total = total(&[(native(ALICE), &alice), (native(BOB), &bob)]);
    assert_eq!(numbers(total.sum()), (Some(AFTER), Some(BEFORE)));
    let (amount, time) = total.as_of().unwrap();
    assert_eq!(amount.base_units(), AFTER + BEFORE);
    assert_eq!(time, before[0].proven().unwrap().anchor().timestamp());
}

#[test]
fn a_claim_adds_nothing() {
    let chain = Chain::builder(4).accounts([(ALICE, BEFORE)]).build();
    let scene = Scene::of(chain, 4, 2, 1, Policy::signed());
    for provider in &scene.providers {
        provider.set_proof_window(0);
    }
    let claim = scene.balance(ALICE);
    let Reading::Provisional(provisional) = &claim else { panic!("{claim:?}") };
    assert!(provisional.unconfirmed_amount().is_some());
    let total = total(&[(native(ALICE), &claim)]);
    assert_eq!(total.sum(), Sum::Partial { proven: None, remembered: None, missing: &[native(ALICE)] });
}

#[test]
fn a_holding_counts_once_with_its_last_reading() {
    let scene = Scene::new(5, 3, 2);
    let proven = scene.balance(ALICE);
    scene.pass_slots(2);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    let unknown = scene.balance(ALICE);
    let alice = native(ALICE);
    for (given, numbers_expected) in [
        (vec![&proven, &proven], (Some(BEFORE), None)),
        (vec![&proven, &unknown], (None, Some(BEFORE))),
        (vec![&unknown, &unknown, &proven], (Some(BEFORE), None)),
    ] {
        let given: Vec<(Holding, &Reading)> = given.into_iter().map(|reading| (alice, reading)).collect();
        assert_eq!(numbers(total(&given).sum()), numbers_expected, "{given:?}");
    }
}

/// A wallet that mixes up its lists gets an error, and no number for that holding.
#[test]
fn a_reading_of_something_else_is_refused_and_its_holding_missing() {
    let scene = Scene::new(6, 3, 2);
    let alice = scene.balance(ALICE);

    let mut totals = Totals::new();
    totals.add(native(BOB), &scene.balance(BOB)).unwrap();
    let error = totals.add(native(BOB), &alice).unwrap_err();
    assert_eq!(error, TotalError::Holding { got: native(ALICE), expected: native(BOB) });
    assert!(!error.to_string().contains("0x"), "no address in the message");
    let sum = Sum::Partial { proven: None, remembered: None, missing: &[native(BOB)] };
    assert_eq!(totals.of(NETWORK, Asset::Native).unwrap().sum(), sum);

    let mut totals = Totals::new();
    let other = NetworkId::new(NETWORK.chain_id() + 1);
    let elsewhere = Holding::native(other, ALICE);
    let error = totals.add(elsewhere, &alice).unwrap_err();
    assert_eq!(error, TotalError::Holding { got: native(ALICE), expected: elsewhere });
    assert_eq!(totals.of(NETWORK, Asset::Native), None);
    assert_eq!(numbers(totals.of(other, Asset::Native).unwrap().sum()), (None, None));
}

/// A total that follows a watch: missing at first, remembered after a restart, proven when all holdings were read.
#[test]
fn a_total_follows_a_watch() {
    let world = CheckpointWorld::new(9, 0);
    let storage = MemoryStorage::new();
    let start = || {
        let builder = world.builder().checkpoint(world.chain.checkpoint());
        builder.storage(storage.clone()).build().unwrap()
    };
    let known = [OWNERS[0], OWNERS[2]];
    let apply = |totals: &mut Totals, change: &Change| match change {
        Change::Remembered { holding, last, .. } | Change::Withdrawn { holding, last, .. } => {
            totals.remember(*holding, last.as_ref()).unwrap();
        }
        Change::Reading { holding, reading, .. } => totals.add(*holding, reading).unwrap(),
        _ => {}
    };
    let follow = |client: &Client, changes: usize| {
        let mut totals = Totals::new();
        let watch = client.watch(known).take(changes);
        let changes: Vec<Change> = world.simulation.run(watch.collect());
        changes.iter().for_each(|change| apply(&mut totals, change));
        totals.of(NETWORK, Asset::Native).unwrap()
    };
    assert!(matches!(follow(&start(), 2).sum(), Sum::Partial { missing: [_, _], .. }));
    // Two remembered readings, fetching, idle, and the two new readings.
    let total = follow(&start(), 6);
    assert!(matches!(total.sum(), Sum::Proven(amount) if amount.base_units() == BEFORE), "{total:?}");
    let restored = follow(&start(), 2);
    assert!(matches!(restored.sum(), Sum::Remembered { proven: None, .. }), "{restored:?}");
    assert_eq!(numbers(restored.sum()), (None, Some(BEFORE)));
    // This also holds if a caller passes a restored reading as a present one.
    let last = start().last(&known[0]).unwrap();
    let mut totals = Totals::new();
    totals.add(known[0], &Reading::Proven(last)).unwrap();
    assert!(matches!(totals.of(NETWORK, Asset::Native).unwrap().sum(), Sum::Remembered { .. }));
}
