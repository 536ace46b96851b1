//! The specification's store and saldo's client where they differ: one signer of 32 is enough to lead the store away.

use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{AdvanceError, Finality, LightClient};
use saldo_tests::beacon::{Forge, PERIOD};
use saldo_tests::spec_store::SpecStore;

/// Both start from the block at slot 8.
fn side_by_side(forge: &Forge) -> (SpecStore, LightClient) {
    let (checkpoint, bootstrap) = forge.bootstrap(8);
    (SpecStore::new(forge.network.clone(), checkpoint.root, bootstrap).unwrap(), forge.client(8))
}

#[test]
fn one_signer_and_a_forced_update_install_a_false_committee() {
    let forge = Forge::default();
    let (mut spec, mut client) = side_by_side(&forge);
    // One member of the committee signs a block whose next committee consists of the member's own keys.
    let strangers = Forge { seed: 2, ..forge.clone() };
    let (own, theirs) = (forge.committee(Period::new(0)), strangers.committee(Period::new(1)));
    let block = forge.block_with(20, None, &own, &theirs);
    let mut update = forge.update_of(&block, None, Some(theirs.clone()));
    forge.sign(&mut update, 1);
    let (slot, late) = (Slot::new(21), Slot::new(8 + PERIOD + 1));
    assert_eq!(spec.process(&update, slot), Ok(()));
    let refusal = client.advance(update, forge.network.slot_start(slot)).unwrap_err();
    assert_eq!(refusal, AdvanceError::TooFewSigners { signers: 1, size: 32 });

    assert_eq!(spec.force_update(late), Ok(()));
    assert_eq!(spec.next_sync_committee, Some(theirs));
    assert_eq!(spec.finalized_header, block.header);
    assert_eq!(client.force_update(forge.network.slot_start(late)), None);
    assert!(!client.next_committee_known());

    // After that all 32 keys of "the committee" sign whatever this member wants.
    let forged = strangers.optimistic(PERIOD + 20);
    assert_eq!(spec.process(&forged, forged.signature_slot), Ok(()));
    assert_eq!(spec.optimistic_header, forged.attested_header);
    let refusal = client.advance(forged, forge.now(PERIOD + 20)).unwrap_err();
    assert_eq!(refusal, AdvanceError::CommitteeUnknown { period: Period::new(1), known: Period::new(0) });
    assert_eq!(client.finalized_head().finality(), Finality::Checkpoint);
    assert_eq!(client.signed_head(), None);
}

/// The specification accepts a head with more than half of the highest number of signers so far, saldo only one with
/// two thirds.
#[test]
fn a_head_by_less_than_two_thirds_is_a_head_for_the_specification() {
    let forge = Forge::default();
    for (signers, is_ours) in [(1, false), (21, false), (22, true)] {
        let (mut spec, mut client) = side_by_side(&forge);
        let mut update = forge.optimistic(20);
        forge.sign(&mut update, signers);
        assert_eq!(spec.process(&update, update.signature_slot), Ok(()));
        assert_eq!(spec.optimistic_header, update.attested_header);
        assert_eq!(client.advance(update, forge.now(20)).is_ok(), is_ours, "{signers}");
        assert_eq!(client.signed_head().is_some(), is_ours);
    }
}

#[test]
fn the_specification_does_not_see_that_a_committee_contradicts_itself() {
    let forge = Forge::default();
    let (mut spec, mut client) = side_by_side(&forge);
    let first = forge.optimistic(20);
    let mut second = Forge { seed: 2, ..forge.clone() }.optimistic(20);
    forge.sign(&mut second, 32);
    assert_ne!(first.attested_header.beacon, second.attested_header.beacon);
    assert_eq!(spec.process(&first, first.signature_slot), Ok(()));
    assert_eq!(spec.process(&second, second.signature_slot), Ok(()));
    client.advance(first, forge.now(20)).unwrap();
    let refusal = client.advance(second, forge.now(20)).unwrap_err();
    assert!(matches!(refusal, AdvanceError::ConsensusFault(_)), "{refusal}");
    assert!(client.consensus_fault().is_some());
}

/// If two thirds sign and no member lies, both agree.
#[test]
fn otherwise_they_agree() {
    let forge = Forge::default();
    let (mut spec, mut client) = side_by_side(&forge);
    for (attested, finalized) in [(20, 16), (33, 24), (PERIOD + 20, PERIOD + 16)] {
        let update = forge.update(attested, finalized);
        assert_eq!(spec.process(&update, update.signature_slot), Ok(()));
        client.advance(update, forge.now(attested)).unwrap();
        let root = spec.finalized_header.beacon.hash_tree_root();
        assert_eq!(client.finalized_head().beacon_root(), root);
        let root = spec.optimistic_header.beacon.hash_tree_root();
        assert_eq!(client.signed_head().unwrap().beacon_root(), root);
        assert_eq!(client.next_committee_known(), spec.next_sync_committee.is_some());
    }
}
