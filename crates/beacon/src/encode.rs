//! Light-client objects as SSZ, in the shape of their fork: what [`decode`](crate::decode) reads.
//!
//! The fork is that of the newest header; an older header in the same object has its layout.
//! Source: consensus-specs `ssz/simple-serialize.md`.

mod writer;

pub use writer::Writer;

use alloy_primitives::B256;

use crate::container::{BeaconBlockHeader, ExecutionPayloadHeader, PublicKeyBytes, SyncCommittee};
use crate::fork::{Fork, HeaderLayout};
use crate::unit::Slot;
use crate::update::{Execution, FinalizedPart, LightClientBootstrap, LightClientHeader, LightClientUpdate};

/// Writes a bootstrap.
pub fn bootstrap(bootstrap: &LightClientBootstrap) -> Vec<u8> {
    let mut writer = Writer::default();
    header(&mut writer, &bootstrap.header, layout_of(&bootstrap.header));
    committee(&mut writer, &bootstrap.current_sync_committee);
    writer.roots(&bootstrap.current_sync_committee_branch);
    writer.finish()
}

/// Writes an update as what it holds: with a next committee as a `LightClientUpdate`, else with a finalized header as a
/// `LightClientFinalityUpdate`, else as a `LightClientOptimisticUpdate`.
pub fn update(update: &LightClientUpdate) -> Vec<u8> {
    let layout = layout_of(newest_header(update));
    let mut writer = Writer::default();
    header(&mut writer, &update.attested_header, layout);
    if let Some(next) = &update.next_sync_committee {
        committee(&mut writer, &next.committee);
        writer.roots(&next.branch);
    }
    match (&update.finality, &update.next_sync_committee) {
        (Some(part), _) => {
            header(&mut writer, &finalized_header(part), layout);
            writer.roots(&part.branch);
        }
        // In this object the part is always there; where it says nothing, it is zero.
        (None, Some(next)) => {
            header(&mut writer, &no_header(), layout);
            writer.roots(&vec![B256::ZERO; finality_depth(layout, next.branch.len())]);
        }
        (None, None) => {}
    }
    writer.fixed(&update.sync_aggregate.bits);
    writer.fixed(update.sync_aggregate.signature.as_slice());
    writer.uint64(update.signature_slot.get());
    writer.finish()
}

/// Writes a beacon block header, which has one length.
pub fn beacon_header(writer: &mut Writer, header: &BeaconBlockHeader) {
    writer.uint64(header.slot.get());
    writer.uint64(header.proposer_index);
    writer.roots(&[header.parent_root, header.state_root, header.body_root]);
}

/// The attested header, unless the finalized one is newer. No client takes such an update, but it can be written.
fn newest_header(update: &LightClientUpdate) -> &LightClientHeader {
    let attested = &update.attested_header;
    let later = |finalized: &&LightClientHeader| finalized.beacon.slot > attested.beacon.slot;
    update.finalized_header().filter(later).unwrap_or(attested)
}

/// The layout of an object whose newest header this is.
fn layout_of(header: &LightClientHeader) -> HeaderLayout {
    match &header.execution {
        Execution::Absent => HeaderLayout::Beacon,
        Execution::Header(header) if header.blob_gas_used.is_none() => HeaderLayout::Execution15,
        Execution::Header(_) => HeaderLayout::Execution17,
        Execution::Hash(_) => HeaderLayout::ExecutionHash,
    }
}

/// The depth of the finalized root, in the fork of this layout whose committees are proven by branches of that length.
fn finality_depth(layout: HeaderLayout, committee_depth: usize) -> usize {
    let depth =
        |gindex: u64| gindex.checked_ilog2().and_then(|depth| usize::try_from(depth).ok()).unwrap_or(0);
    let rules = Fork::ALL
        .into_iter()
        .map(Fork::rules)
        .find(|rules| rules.layout == layout && depth(rules.next_sync_committee) == committee_depth);
    rules.map_or(0, |rules| depth(rules.finalized_root))
}

/// The finalized header on the wire: while only genesis is final, one of zeros.
fn finalized_header(part: &FinalizedPart) -> LightClientHeader {
    part.header.clone().unwrap_or_else(no_header)
}

fn no_header() -> LightClientHeader {
    let beacon = BeaconBlockHeader {
        slot: Slot::new(0),
        proposer_index: 0,
        parent_root: B256::ZERO,
        state_root: B256::ZERO,
        body_root: B256::ZERO,
    };
    LightClientHeader { beacon, execution: Execution::Absent, execution_branch: Vec::new() }
}

fn committee(writer: &mut Writer, committee: &SyncCommittee) {
    let keys = committee.pubkeys.iter().chain([&committee.aggregate_pubkey]);
    keys.for_each(|key: &PublicKeyBytes| writer.fixed(key.as_slice()));
}

/// Writes a header: of one size where it has no payload header.
fn header(writer: &mut Writer, header: &LightClientHeader, layout: HeaderLayout) {
    let mut own = Writer::default();
    beacon_header(&mut own, &header.beacon);
    match layout {
        HeaderLayout::Beacon => return writer.fixed(&own.finish()),
        HeaderLayout::Execution15 | HeaderLayout::Execution17 => {
            let payload = header.execution.header().cloned();
            own.variable(execution(&payload.unwrap_or_else(ExecutionPayloadHeader::empty), layout));
        }
        HeaderLayout::ExecutionHash => {
            own.roots(&[header.execution.block_hash().unwrap_or_default()]);
        }
    }
    if header.execution_branch.is_empty() {
        own.roots(&vec![B256::ZERO; execution_depth(layout)]);
    } else {
        own.roots(&header.execution_branch);
    }
    if layout == HeaderLayout::ExecutionHash {
        writer.fixed(&own.finish());
    } else {
        writer.variable(own.finish());
    }
}

fn execution_depth(layout: HeaderLayout) -> usize {
    let fork = Fork::ALL.into_iter().find(|fork| fork.rules().layout == layout);
    let depth = fork.and_then(|fork| fork.rules().execution?.checked_ilog2()).unwrap_or(0);
    usize::try_from(depth).unwrap_or(0)
}

fn execution(execution: &ExecutionPayloadHeader, layout: HeaderLayout) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.roots(&[execution.parent_hash]);
    writer.fixed(execution.fee_recipient.as_slice());
    writer.roots(&[execution.state_root, execution.receipts_root]);
    writer.fixed(execution.logs_bloom.as_slice());
    writer.roots(&[execution.prev_randao]);
    writer.uint64(execution.block_number);
    writer.uint64(execution.gas_limit);
    writer.uint64(execution.gas_used);
    writer.uint64(execution.timestamp);
    writer.variable(execution.extra_data.to_vec());
    writer.fixed(&execution.base_fee_per_gas.to_le_bytes::<32>());
    writer.roots(&[execution.block_hash, execution.transactions_root, execution.withdrawals_root]);
    if layout == HeaderLayout::Execution17 {
        writer.uint64(execution.blob_gas_used.unwrap_or(0));
        writer.uint64(execution.excess_blob_gas.unwrap_or(0));
    }
    writer.finish()
}
