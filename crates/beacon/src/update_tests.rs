use alloy_primitives::{Address, Bloom, Bytes, U256};

use super::*;
use crate::container::{PublicKeyBytes, SignatureBytes};

const PERIOD: u64 = 8_192;

fn payload() -> ExecutionPayloadHeader {
    ExecutionPayloadHeader {
        parent_hash: B256::ZERO,
        fee_recipient: Address::ZERO,
        state_root: B256::ZERO,
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        prev_randao: B256::ZERO,
        block_number: 1,
        gas_limit: 0,
        gas_used: 0,
        timestamp: 0,
        extra_data: Bytes::new(),
        base_fee_per_gas: U256::ZERO,
        block_hash: B256::repeat_byte(1),
        transactions_root: B256::ZERO,
        withdrawals_root: B256::ZERO,
        blob_gas_used: None,
        excess_blob_gas: None,
    }
}

fn header(slot: u64, execution: Execution, execution_branch: Vec<B256>) -> LightClientHeader {
    let beacon = BeaconBlockHeader {
        slot: Slot::new(slot),
        proposer_index: 0,
        parent_root: B256::ZERO,
        state_root: B256::ZERO,
        body_root: B256::ZERO,
    };
    LightClientHeader { beacon, execution, execution_branch }
}

/// Signed by two of three members, without further parts.
fn update(attested: u64) -> LightClientUpdate {
    LightClientUpdate {
        attested_header: header(attested, Execution::Absent, Vec::new()),
        next_sync_committee: None,
        finality: None,
        sync_aggregate: SyncAggregate { bits: vec![0b011], size: 3, signature: SignatureBytes::ZERO },
        signature_slot: Slot::new(attested.saturating_add(1)),
    }
}

fn with_committee(mut update: LightClientUpdate) -> LightClientUpdate {
    let committee = SyncCommittee { pubkeys: Vec::new(), aggregate_pubkey: PublicKeyBytes::ZERO };
    update.next_sync_committee = Some(NextSyncCommittee { committee, branch: Vec::new() });
    update
}

fn finalizing(mut update: LightClientUpdate, slot: u64) -> LightClientUpdate {
    let header = Some(header(slot, Execution::Absent, Vec::new()));
    update.finality = Some(FinalizedPart { header, branch: Vec::new() });
    update
}

fn signed_by(mut update: LightClientUpdate, bits: u8) -> LightClientUpdate {
    update.sync_aggregate.bits = vec![bits];
    update
}

/// Source: `is_better_update`: the first difference in this order decides.
#[test]
fn the_first_difference_decides_which_update_is_better() {
    let network = Network::mainnet();
    let across = LightClientUpdate { signature_slot: Slot::new(2 * PERIOD), ..update(2 * PERIOD - 1) };
    let same = finalizing(with_committee(update(PERIOD + 70)), PERIOD + 1);
    let later = LightClientUpdate { signature_slot: Slot::new(102), ..update(100) };
    for (why, better, worse) in [
        ("two thirds signed", update(100), signed_by(same.clone(), 0b001)),
        ("more signed, of fewer than two thirds", signed_by(update(100), 0b001), signed_by(same.clone(), 0)),
        ("a committee", with_committee(update(100)), finalizing(signed_by(update(100), 0b111), 1)),
        (
            "a committee of the period that signed",
            with_committee(update(100)),
            with_committee(across.clone()),
        ),
        ("finality", finalizing(update(PERIOD + 70), 1), signed_by(update(PERIOD + 70), 0b111)),
        ("finality in the same period", same, finalizing(with_committee(update(PERIOD + 70)), 1)),
        ("more signed", signed_by(update(100), 0b111), update(100)),
        ("an older head", update(100), update(101)),
        ("an older signature", update(100), later),
    ] {
        assert!(better.is_better_than(&worse, &network), "{why}");
        assert!(!worse.is_better_than(&better, &network), "{why}");
    }
    // A committee in an update that another period signed does not count.
    assert!(!with_committee(across.clone()).is_better_than(&across, &network));
    assert!(!update(100).is_better_than(&update(100), &network));
}

#[test]
fn two_thirds_are_enough_and_fewer_are_not() {
    for (signers, size, enough) in [
        (0, 0, false),
        (0, 3, false),
        (1, 3, false),
        (2, 3, true),
        (3, 3, true),
        (341, 512, false),
        (342, 512, true),
        (21, 32, false),
        (22, 32, true),
    ] {
        assert_eq!(has_supermajority(signers, size), enough, "{signers} of {size}");
    }
}

#[test]
fn one_object_never_holds_a_whole_header_and_a_hash() {
    let absent = header(1, Execution::Absent, Vec::new());
    let whole = header(1, Execution::Header(payload()), Vec::new());
    let hash = header(1, Execution::Hash(B256::ZERO), Vec::new());
    for (one, other, fits) in [
        (&whole, &hash, false),
        (&hash, &whole, false),
        (&whole, &whole, true),
        (&hash, &hash, true),
        (&absent, &hash, true),
        (&whole, &absent, true),
    ] {
        assert_eq!(one.fits_in_one_object_with(other), fits, "{one:?} {other:?}");
    }
}

#[test]
fn a_branch_without_a_header_still_counts_as_an_execution_part() {
    assert!(!header(1, Execution::Absent, Vec::new()).tells_of_execution());
    assert!(header(1, Execution::Absent, vec![B256::ZERO]).tells_of_execution());
    assert!(header(1, Execution::Hash(B256::ZERO), Vec::new()).tells_of_execution());
}

#[test]
fn the_hash_and_the_header_are_returned_if_they_are_there() {
    let (payload, hash) = (payload(), B256::repeat_byte(2));
    let whole = Execution::Header(payload.clone());
    assert_eq!((whole.block_hash(), whole.header()), (Some(payload.block_hash), Some(&payload)));
    assert_eq!((Execution::Hash(hash).block_hash(), Execution::Hash(hash).header()), (Some(hash), None));
    assert_eq!((Execution::Absent.block_hash(), Execution::Absent.header()), (None, None));
}
