//! Promise 3 through the client: a genuine proof of an older block replaces nothing newer. A chain that contradicts
//! itself, or lacks the next committee's update, is not followed.

use std::time::Duration;

use saldo_drill::{Chain, Fault};
use saldo_tests::scene::{AFTER, ALICE, BEFORE, Scene, UNUSED};

/// A payment was proven. After that only one provider is left, which has not seen the payment yet, or pretends so.
#[test]
fn a_genuine_zero_of_before_the_payment() {
    for lag in [2, 5, 30] {
        let scene = Scene::new(lag, 2, 1);
        assert!(scene.assert_true(&scene.balance(UNUSED), UNUSED).is_zero());
        scene.chain.set_balance(UNUSED, AFTER);
        scene.pass_slots(2);
        assert_eq!(scene.assert_true(&scene.balance(UNUSED), UNUSED), AFTER);

        scene.providers[0].set_lag(lag);
        scene.providers[1].add(Fault::Refuse);
        scene.pass_slots(1);
        let reading = scene.balance(UNUSED);
        let Some(last) = reading.latest_proven() else { panic!("the payment is missing") };
        assert_eq!(last.amount().base_units(), AFTER, "{lag} blocks behind");
        assert!(reading.proven().is_none_or(|proven| proven.amount().base_units() == AFTER));
        // Two blocks behind is still after the payment. An older block is under no known header, so its proof is
        // pending, and the reason is that the provider lags.
        let expected = if lag <= 2 { None } else { Some("providers_behind") };
        assert_eq!(reading.why().map(|why| why.code()), expected, "{lag} blocks behind");
    }
}

/// A provider proves the block before the payment. That block is trusted and not too old, but older than the proven
/// one.
#[test]
fn a_trusted_block_older_than_the_reading_is_refused() {
    let scene = Scene::new(44, 2, 1);
    assert!(scene.assert_true(&scene.balance(UNUSED), UNUSED).is_zero());
    scene.chain.set_balance(UNUSED, AFTER);
    scene.pass_slots(2);
    assert_eq!(scene.assert_true(&scene.balance(UNUSED), UNUSED), AFTER);
    scene.providers[0].set_lag(4);
    scene.providers[1].add(Fault::NoProofs);
    scene.pass_slots(1);
    let reading = scene.balance(UNUSED);
    scene.assert_unknown(&reading, "only_old_blocks", AFTER);
    let is_old = |failure: &saldo::Failure| matches!(failure, saldo::Failure::OldBlock { .. });
    assert!(reading.attempts().iter().filter_map(|attempt| attempt.outcome.failure()).any(is_old));
}

/// Lag is no lie: a provider that is one block behind proves that block.
#[test]
fn a_provider_that_lags_a_little_still_proves() {
    let scene = Scene::new(1, 1, 1);
    scene.providers[0].set_lag(2);
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
    // One slot later the source serves the other branch as of the previous slot: another head for a known slot.
    scene.pass_slots(1);
    scene.sources[0].add(Fault::OtherChain(other));
    scene.sources[0].set_lag(1);
    scene.assert_unknown(&scene.balance(ALICE), "consensus_fault", BEFORE);
    scene.sources[0].clear();
    scene.sources[0].set_lag(0);
    scene.pass_slots(2);
    let reading = scene.balance(ALICE);
    scene.assert_unknown(&reading, "consensus_fault", BEFORE);
    assert!(reading.why().unwrap().needs_action());
}

/// No source serves the next committee's update: its heads cannot be verified, so nothing is proven under them.
#[test]
fn a_committee_update_that_no_source_serves_is_named() {
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
    let other_chain = Chain::builder(99).build();
    scene.simulation.follow(&other_chain);
    scene.sources[0].add(Fault::OtherChain(other_chain.clone()));
    let reading = scene.balance(ALICE);
    assert!(reading.proven().is_none());
    assert_eq!(
        reading.why().unwrap().code(),
        "checkpoint_not_served",
        "the other network does not know its root"
    );

    let mut scene = Scene::new(5, 1, 1);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.simulation.follow(&other_chain);
    scene.pass_slots(30);
    scene.sources[0].add(Fault::OtherChain(other_chain));
    scene.assert_unknown(&scene.balance(ALICE), "heads_refused", BEFORE);
}
