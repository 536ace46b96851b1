//! Two blocks at one slot, each signed by two thirds: the client reports both and stops.

use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::Slot;
use saldo_beacon::{
    AdvanceError, ConsensusFault, Contradiction, Fault, LightClient, LightClientHeader, LightClientUpdate,
    Testimony,
};
use saldo_tests::beacon::{Block, Forge};
use serde_json::Value;

/// The block at this slot with another proposer: everything except its execution payload is a different block.
fn fork(forge: &Forge, slot: u64, finalized: Option<&LightClientHeader>) -> Block {
    let mut block = forge.block(slot, finalized);
    block.header.beacon.proposer_index += 1;
    block
}

/// Asserts that the client refuses `update` as a contradiction of its own head, and stops for good.
fn stopped(
    client: &mut LightClient,
    forge: &Forge,
    update: LightClientUpdate,
    contradiction: Contradiction,
) -> ConsensusFault {
    let (finalized, signed) = (client.finalized_head().clone(), client.signed_head().cloned());
    let now = forge.now(update.attested_slot().get());
    let refusal = client.advance(update, now).unwrap_err();
    assert_eq!(refusal.fault(), Fault::Chain, "the source only delivered the contradiction");
    let AdvanceError::ConsensusFault(fault) = refusal else { panic!("{refusal:?}") };
    assert_eq!(fault.contradiction(), contradiction);
    assert_eq!(client.consensus_fault(), Some(&fault));
    assert_eq!(client.finalized_head(), &finalized, "the client applied nothing");
    assert_eq!(client.signed_head(), signed.as_ref());

    let before = format!("{client:?}");
    let refusal = client.advance(forge.update(40, 36), forge.now(40)).unwrap_err();
    assert_eq!(refusal, AdvanceError::ConsensusFault(fault.clone()));
    assert_eq!(client.force_update(forge.now(4000)), None);
    assert_eq!(format!("{client:?}"), before);
    // Loading a snapshot does not clear the fault.
    let mut again = LightClient::load(&client.snapshot(), forge.network.clone(), now).unwrap();
    assert_eq!(again.consensus_fault(), Some(&fault));
    let refusal = again.advance(forge.update(40, 36), forge.now(40)).unwrap_err();
    assert_eq!(refusal, AdvanceError::ConsensusFault(fault.clone()));
    fault
}

/// The evidence's updates, decoded from its JSON as if a beacon node had sent it.
fn updates(fault: &ConsensusFault, forge: &Forge) -> Vec<LightClientUpdate> {
    let json: Value = serde_json::from_str(&fault.to_json()).unwrap();
    assert_eq!(json["slot"], fault.slot().to_string());
    assert_eq!(json["roots"], serde_json::json!(fault.roots()));
    assert_eq!(json["genesis_validators_root"], serde_json::json!(forge.network.genesis_validators_root()));
    let signed =
        json["evidence"].as_array().unwrap().iter().filter(|testimony| !testimony["update"].is_null());
    signed
        .map(|testimony| {
            let update = &testimony["update"];
            let bytes = update.to_string().into_bytes();
            let decode = if update["finalized_header"].is_null() {
                decode::optimistic_update
            } else {
                decode::finality_update
            };
            let update = decode(&bytes, Encoding::Json, None, &forge.network).unwrap();
            let period = forge.network.period_at(update.signature_slot);
            assert_eq!(testimony["sync_committee_period"], period.to_string());
            let root = forge.committee(period).hash_tree_root();
            assert_eq!(testimony["sync_committee_root"], serde_json::json!(root));
            update
        })
        .collect()
}

/// Another client that follows the chain to a block before the contradiction finds both blocks signed.
fn assert_verifiable(fault: &ConsensusFault, forge: &Forge, from: u64) {
    let updates = updates(fault, forge);
    assert_eq!(updates.len(), 2);
    for (update, root) in updates.into_iter().zip(fault.roots()) {
        let named = [Some(&update.attested_header), update.finalized_header()];
        assert!(named.into_iter().flatten().any(|header| header.beacon.hash_tree_root() == root));
        let now = forge.now(update.attested_slot().get());
        assert!(forge.client(from).advance(update, now).unwrap().signed);
    }
}

#[test]
fn two_final_blocks_at_one_slot() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    let held = client.finalized_head().beacon_root();
    let other = fork(&forge, 16, None).header;
    let update = forge.update_of(&forge.block(24, Some(&other)), Some(other.clone()), None);
    let fault = stopped(&mut client, &forge, update, Contradiction::Finalized);
    assert_eq!((fault.slot(), fault.roots()), (Slot::new(16), [held, other.beacon.hash_tree_root()]));
    assert_verifiable(&fault, &forge, 8);
}

#[test]
fn two_signed_heads_at_one_slot() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.optimistic(20), forge.now(20)).unwrap();
    let held = client.signed_head().unwrap().beacon_root();
    let other = fork(&forge, 20, None);
    let update = forge.update_of(&other, None, None);
    let fault = stopped(&mut client, &forge, update, Contradiction::Signed);
    assert_eq!((fault.slot(), fault.roots()), (Slot::new(20), [held, other.header.beacon.hash_tree_root()]));
    assert_verifiable(&fault, &forge, 8);
}

/// The signature slot is not signed, so a different signature slot does not excuse a contradiction.
#[test]
fn another_signature_slot_is_no_excuse() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.optimistic(20), forge.now(20)).unwrap();
    let mut update = forge.update_of(&fork(&forge, 20, None), None, None);
    update.signature_slot = Slot::new(23);
    forge.sign(&mut update, 32);
    let refusal = client.advance(update, forge.now(23)).unwrap_err();
    assert!(matches!(refusal, AdvanceError::ConsensusFault(_)), "{refusal:?}");
}

#[test]
fn a_final_block_that_contradicts_the_checkpoint() {
    let forge = Forge::default();
    let mut client = forge.client(16);
    let other = fork(&forge, 16, None).header;
    let update = forge.update_of(&forge.block(24, Some(&other)), Some(other.clone()), None);
    let fault = stopped(&mut client, &forge, update, Contradiction::Finalized);
    let [Testimony::Checkpoint(checkpoint), Testimony::Signed(signed)] = fault.evidence() else {
        panic!("{fault:?}")
    };
    assert_eq!(checkpoint.beacon.hash_tree_root(), fault.roots()[0]);
    assert_eq!(signed.update().finalized_header(), Some(&other));
    assert_eq!(updates(&fault, &forge).len(), 1, "the checkpoint has no signature");
}

/// Linking the blocks in between can show a contradiction that the heads alone do not show.
#[test]
fn who_links_the_blocks_can_stop_the_client() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.stop_for_reverted_finality();
    assert_eq!(client.consensus_fault(), None, "there is no signed head to contradict anything");
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    client.stop_for_reverted_finality();
    let fault = client.consensus_fault().unwrap().clone();
    assert_eq!(fault.contradiction(), Contradiction::Reverted);
    assert_eq!(fault.roots()[1], client.signed_head().unwrap().beacon_root());
    client.stop_for_reverted_finality();
    assert_eq!(client.consensus_fault(), Some(&fault));
    assert!(
        fault.to_string().starts_with("consensus fault: two contradicting blocks at slot 20: "),
        "{fault}"
    );
    let Testimony::Signed(signed) = &fault.evidence()[1] else { panic!("{fault:?}") };
    let period = signed.sync_committee_period();
    let root = forge.committee(period).hash_tree_root();
    assert_eq!(signed.sync_committee_root(), root);
    // For logs: the block and the committee by root, not thousands of digits of keys and branches.
    let text = format!("{signed:?}");
    assert!(
        text.contains(&format!("{root:?}")) && text.contains("attested_slot") && text.len() < 400,
        "{text}"
    );
    // Loading a snapshot does not clear this fault either.
    let again = LightClient::load(&client.snapshot(), forge.network.clone(), forge.now(20)).unwrap();
    assert_eq!(again.consensus_fault(), Some(&fault));
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

/// A head that was signed and then reorganised away is no contradiction: the next head is at another slot.
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
