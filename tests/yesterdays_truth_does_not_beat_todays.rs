//! Promise 3 through the client: a genuine proof of an older block replaces nothing newer, and a chain that contradicts
//! itself or keeps the next committee back is not followed.

use std::time::Duration;

use saldo_drill::{Chain, Fault};
use saldo_tests::scene::{AFTER, ALICE, BEFORE, NOBODY, Scene};

/// A payment was proven; then only a provider is left that has not seen it yet, or pretends not to have.
#[test]
fn a_genuine_zero_of_before_the_payment() {
    for lag in [2, 5, 30] {
        let scene = Scene::new(lag, 2, 1);
        assert!(scene.assert_true(&scene.balance(NOBODY), NOBODY).is_zero());
        scene.chain.set_balance(NOBODY, AFTER);
        scene.pass_slots(2);
        assert_eq!(scene.assert_true(&scene.balance(NOBODY), NOBODY), AFTER);

        let _ = scene.providers[0].clone().lag(lag);
        scene.providers[1].add(Fault::Refuse);
        scene.pass_slots(1);
        let reading = scene.balance(NOBODY);
        let Some(last) = reading.latest_proven() else { panic!("the payment is forgotten") };
        assert_eq!(last.amount().base_units(), AFTER, "{lag} blocks behind");
        assert!(reading.proven().is_none_or(|proven| proven.amount().base_units() == AFTER));
        // Two blocks behind is after the payment; what is older is under no header that is known, and waits for one.
        let why = reading.why().map(|why| why.code());
        assert_eq!(why, (lag > 2).then_some("unsigned_tip"), "{lag} blocks behind");
    }
}

/// A provider that proves the block before the payment, which is trusted and not too old, but older than what is proven.
#[test]
fn a_trusted_block_older_than_the_reading_is_refused() {
    let scene = Scene::new(44, 2, 1);
    assert!(scene.assert_true(&scene.balance(NOBODY), NOBODY).is_zero());
    scene.chain.set_balance(NOBODY, AFTER);
    scene.pass_slots(2);
    assert_eq!(scene.assert_true(&scene.balance(NOBODY), NOBODY), AFTER);
    let _ = scene.providers[0].clone().lag(4);
    scene.providers[1].add(Fault::NoProofs);
    scene.pass_slots(1);
    let reading = scene.balance(NOBODY);
    scene.assert_unknown(&reading, "only_old_blocks", AFTER);
    let is_old = |failure: &saldo::Failure| matches!(failure, saldo::Failure::OldBlock { .. });
    assert!(reading.attempts().iter().filter_map(|attempt| attempt.outcome.failure()).any(is_old));
}

/// Lagging is no lie: a provider one block behind proves what it has, at the block it has.
#[test]
fn a_provider_that_lags_a_little_is_of_use() {
    let scene = Scene::new(1, 1, 1);
    let _ = scene.providers[0].clone().lag(2);
    let _ = scene.balance(ALICE);
    for _ in 0..5 {
        scene.pass_slots(1);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    }
}

/// Two heads of one slot, both signed by two thirds: the client stops, and stays stopped.
#[test]
fn a_contradiction_stops_the_client() {
    let mut scene = Scene::new(2, 2, 1);
    let other = scene.chain.split();
    scene.simulation.follow(&other);
    scene.pass_slots(3);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    // One slot later the source serves the other branch as of the slot before: another head for a slot we know.
    scene.pass_slots(1);
    scene.sources[0].add(Fault::OtherChain(other));
    let _ = scene.sources[0].clone().lag(1);
    scene.assert_unknown(&scene.balance(ALICE), "consensus_fault", BEFORE);
    scene.sources[0].clear();
    let _ = scene.sources[0].clone().lag(0);
    scene.pass_slots(2);
    let reading = scene.balance(ALICE);
    scene.assert_unknown(&reading, "consensus_fault", BEFORE);
    assert!(reading.why().unwrap().needs_action());
}

/// Nobody serves the next committee: heads that it signed cannot be checked, so nothing is proven under them.
#[test]
fn a_hand_over_that_nobody_serves_is_named() {
    let scene = Scene::new(3, 1, 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.pass_slots(150);
    scene.sources.iter().for_each(|source| source.add(Fault::NoUpdates));
    let reading = scene.patient_balance(ALICE, Duration::from_secs(30));
    scene.assert_unknown(&reading, "hand_over_missing", BEFORE);
    scene.sources.iter().for_each(saldo_drill::BeaconSource::clear);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
}

/// Genuine data of another network, signed by its own committee, is refused by root and by domain.
#[test]
fn sources_of_another_network_are_refused() {
    let mut scene = Scene::new(4, 1, 1);
    let elsewhere = Chain::builder(99).build();
    scene.simulation.follow(&elsewhere);
    scene.sources[0].add(Fault::OtherChain(elsewhere.clone()));
    let reading = scene.balance(ALICE);
    assert!(reading.proven().is_none());
    assert_eq!(reading.why().unwrap().code(), "checkpoint_not_served", "its root is unknown there");

    let mut scene = Scene::new(5, 1, 1);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.simulation.follow(&elsewhere);
    scene.pass_slots(30);
    scene.sources[0].add(Fault::OtherChain(elsewhere));
    scene.assert_unknown(&scene.balance(ALICE), "heads_refused", BEFORE);
}
