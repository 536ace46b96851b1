//! Late binding: a provider that proves only its tip, which is not signed yet, can still serve a proven reading.

use std::time::Duration;

use saldo::{Outcome, Policy, Reading};
use saldo_drill::{Chain, Fault};
use saldo_tests::scene::{AFTER, ALICE, BEFORE, Scene, UNUSED};

fn tip_only(seed: u64) -> Scene {
    let scene = Scene::new(seed, 2, 1);
    for provider in &scene.providers {
        provider.set_proof_window(0);
    }
    scene
}

#[test]
fn the_next_call_finishes_it() {
    let scene = tip_only(1);
    let reading = scene.balance(ALICE);
    let Reading::Provisional(provisional) = &reading else { panic!("{reading:?}") };
    assert_eq!(provisional.why().code(), "unsigned_tip");
    assert_eq!(provisional.unconfirmed_amount().unwrap().base_units(), BEFORE);

    scene.pass_slots(1);
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert_eq!(reading.proven().unwrap().anchor().number(), scene.chain.signed().number);
}

#[test]
fn an_absent_account_claims_no_zero_until_it_is_proven() {
    let scene = tip_only(2);
    let Reading::Provisional(provisional) = scene.balance(UNUSED) else { panic!("not provisional") };
    assert!(provisional.unconfirmed_amount().is_none());
    scene.pass_slots(1);
    assert!(scene.assert_true(&scene.balance(UNUSED), UNUSED).is_zero());
}

#[test]
fn a_patient_read_waits_for_the_signature() {
    let scene = tip_only(3);
    let reading = scene.patient_balance(ALICE, Duration::from_secs(30));
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
}

/// The wallet reads again only when a later block is signed: parent headers lead back to the proof's block.
#[test]
fn parents_lead_back_to_it() {
    for slots in 2..12 {
        let scene = tip_only(u64::from(slots));
        let _ = scene.balance(ALICE);
        scene.pass_slots(1);
        // This read is proven, and a proof at the tip is pending again.
        scene.assert_true(&scene.balance(ALICE), ALICE);
        let tip = scene.chain.tip().number;
        scene.pass_slots(slots);
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "after {slots} slots");
        assert_eq!(reading.proven().unwrap().anchor().number(), tip, "after {slots} slots");
    }
}

/// A wallet reads every slot from a provider that proves only its tip. Every reading except the first is proven: the
/// proof at the next tip is fetched while the present one is good, and does not replace it.
#[test]
fn every_slot_is_served() {
    for lead in [1, 2, 3] {
        let chain = Chain::builder(lead).tip_lead(lead).accounts([(ALICE, BEFORE)]).build();
        let scene = Scene::of(chain, lead, 1, 1, Policy::signed());
        scene.providers[0].set_proof_window(0);
        let _ = scene.balance(ALICE);
        for _ in 0..lead {
            scene.pass_slots(1);
            let _ = scene.balance(ALICE);
        }
        for round in 0..10 {
            scene.pass_slots(1);
            let reading = scene.balance(ALICE);
            assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "lead {lead}, round {round}");
        }
    }
}

/// A payment is shown one signed block later. An older pending proof never hides it.
#[test]
fn a_pending_proof_never_hides_a_payment() {
    let scene = Scene::new(4, 1, 1);
    // The first read has no head yet, so it also asks at the tip: that proof may be pending.
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
}

/// If no provider can be reached, a pending proof does not show that its provider is reachable.
#[test]
fn a_pending_proof_does_not_make_its_provider_reachable() {
    let scene = tip_only(5);
    let _ = scene.balance(ALICE);
    scene.pass_slots(1);
    // This read is proven, and a proof at the tip is pending again.
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    scene.pass_slots(3);
    let reading = scene.balance(ALICE);
    scene.assert_unknown(&reading, "all_unreachable", BEFORE);
}

/// Thousands of invented states prove nothing, whatever they say, and do not end the search for a proof.
#[test]
fn invented_states_are_never_a_number() {
    for balance in [0_u64, 5_000_000_000_000_000_000] {
        let scene = Scene::new(6, 3, 1);
        let invented = Fault::InventedTrie { balance: alloy_primitives::U256::from(balance) };
        scene.providers[..2].iter().for_each(|provider| {
            provider.add(invented.clone());
            provider.set_proof_window(0);
        });
        for _ in 0..20 {
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
            scene.pass_slots(1);
        }
        // Alone, they are never more than a claim.
        scene.providers[2].add(Fault::Refuse);
        for _ in 0..20 {
            scene.pass_slots(1);
            let reading = scene.balance(ALICE);
            assert!(reading.proven().is_none());
            assert_eq!(reading.why().map(|why| why.code()), Some("unsigned_tip"));
            let pending = reading.attempts().iter().filter(|attempt| attempt.outcome == Outcome::Pending);
            assert_eq!(pending.count(), 2, "both proofs are pending, and neither ends the read");
            assert_eq!(reading.latest_proven().unwrap().amount().base_units(), BEFORE);
        }
    }
}

/// Under a finalized policy, proofs are requested at the finalized block.
#[test]
fn a_policy_of_finalized_proves_at_the_finalized_block() {
    let chain = Chain::builder(7).accounts([(ALICE, BEFORE)]).build();
    let scene = Scene::of(chain, 7, 2, 1, Policy::finalized());
    let reading = scene.balance(ALICE);
    scene.assert_true(&reading, ALICE);
    let anchor = reading.proven().unwrap().anchor();
    assert_eq!(anchor.assurance().level(), saldo::Level::Finalized);
    assert_eq!(anchor.number(), scene.chain.finalized().number);
}
