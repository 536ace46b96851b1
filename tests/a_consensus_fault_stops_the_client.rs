//! Two blocks at one slot, each vouched for by two thirds: the client reports both and goes no further.

use saldo_beacon::unit::Slot;
use saldo_beacon::{AdvanceError, ConsensusFault, Contradiction, Fault, LightClient, LightClientHeader};
use saldo_tests::beacon::{Block, Forge};

/// The same chain with other contents at some slot: everything but that block's execution is alike.
fn fork(forge: &Forge, slot: u64, finalized: Option<&LightClientHeader>) -> Block {
    let mut block = forge.block(slot, finalized);
    block.header.beacon.proposer_index += 1;
    block
}

fn stopped(client: &mut LightClient, forge: &Forge, fault: ConsensusFault) {
    assert_eq!(client.consensus_fault(), Some(&fault));
    let before = format!("{client:?}");
    let refusal = client.advance(forge.update(40, 36), forge.now(40)).unwrap_err();
    assert_eq!(refusal, AdvanceError::ConsensusFault(fault));
    assert_eq!(client.force_update(forge.now(4000)), None);
    assert_eq!(format!("{client:?}"), before);
}

#[test]
fn two_final_blocks_at_one_slot() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    let held = client.finalized_head().beacon_root();
    let other = fork(&forge, 16, None).header;
    let update = forge.update_of(&forge.block(24, Some(&other)), Some(other.clone()), None);
    let refusal = client.advance(update, forge.now(24)).unwrap_err();
    let fault = ConsensusFault {
        contradiction: Contradiction::Finalized,
        slot: Slot::new(16),
        roots: [held, other.beacon.hash_tree_root()],
    };
    assert_eq!(refusal, AdvanceError::ConsensusFault(fault));
    assert_eq!(refusal.fault(), Fault::Chain, "the source only brought the news");
    assert_eq!(client.finalized_head().beacon_root(), held);
    assert_eq!(client.signed_head().unwrap().slot(), Slot::new(20));
    stopped(&mut client, &forge, fault);
}

#[test]
fn two_signed_heads_at_one_slot() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.optimistic(20), forge.now(20)).unwrap();
    let held = client.signed_head().unwrap().beacon_root();
    let other = fork(&forge, 20, None);
    let update = forge.update_of(&other, None, None);
    let refusal = client.advance(update, forge.now(20)).unwrap_err();
    let fault = ConsensusFault {
        contradiction: Contradiction::Signed,
        slot: Slot::new(20),
        roots: [held, other.header.beacon.hash_tree_root()],
    };
    assert_eq!(refusal, AdvanceError::ConsensusFault(fault));
    assert_eq!(client.signed_head().unwrap().beacon_root(), held);
    stopped(&mut client, &forge, fault);
}

#[test]
fn a_final_block_that_contradicts_the_checkpoint() {
    let forge = Forge::default();
    let mut client = forge.client(16);
    let other = fork(&forge, 16, None).header;
    let update = forge.update_of(&forge.block(24, Some(&other)), Some(other.clone()), None);
    let refusal = client.advance(update, forge.now(24)).unwrap_err();
    assert!(matches!(
        refusal,
        AdvanceError::ConsensusFault(ConsensusFault { contradiction: Contradiction::Finalized, .. })
    ));
}

/// A contradiction counts only if it is signed: otherwise anyone could stop every client.
#[test]
fn a_forged_contradiction_is_only_a_forgery() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.optimistic(20), forge.now(20)).unwrap();
    let mut few = forge.update_of(&fork(&forge, 20, None), None, None);
    let mut forged = few.clone();
    forge.sign(&mut few, 21);
    Forge { seed: 2, ..forge.clone() }.sign(&mut forged, 32);
    let refusal = client.advance(few, forge.now(20)).unwrap_err();
    assert_eq!(refusal, AdvanceError::TooFewSigners { signers: 21, size: 32 });
    let refusal = client.advance(forged, forge.now(20)).unwrap_err();
    assert!(matches!(refusal, AdvanceError::Signature(_)));
    assert_eq!(client.consensus_fault(), None);
    assert!(client.advance(forge.optimistic(21), forge.now(21)).unwrap().signed);
}

/// A head that was signed and then reorganised away is no contradiction: the next one is at another slot.
#[test]
fn a_reorganised_head_is_replaced() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.optimistic(20), forge.now(20)).unwrap();
    let update = forge.update_of(&fork(&forge, 21, None), None, None);
    assert!(client.advance(update, forge.now(21)).unwrap().signed);
    assert!(!client.advance(forge.optimistic(20), forge.now(21)).unwrap().signed);
    assert_eq!(client.signed_head().unwrap().slot(), Slot::new(21));
}
