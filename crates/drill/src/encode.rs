//! Light-client objects as servers send them, in JSON and in SSZ, in the shape of their fork.
//!
//! The fork is that of the newest header; an older one in the same object gets its shape.
//! An update is written as what it holds: with a next committee as a `LightClientUpdate`, else with a finalized
//! header as a `LightClientFinalityUpdate`, else as a `LightClientOptimisticUpdate`.

use alloy_primitives::{Address, B256, Bloom, Bytes, U256, hex};
use saldo_beacon::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use saldo_beacon::encode;
use saldo_beacon::fork::{Fork, HeaderLayout};
use saldo_beacon::unit::Slot;
use saldo_beacon::update::FinalizedPart;
use saldo_beacon::{Execution, LightClientBootstrap, LightClientHeader, LightClientUpdate};
use serde_json::{Map, Value, json};

/// Something light-client servers send.
pub trait Encode {
    /// The object in JSON, without the wrapper that names its fork.
    fn json(&self) -> Value;
    /// The object in SSZ.
    fn ssz(&self) -> Vec<u8>;
}

impl Encode for LightClientBootstrap {
    fn json(&self) -> Value {
        json!({
            "header": header_json(&self.header, layout_of(&self.header)),
            "current_sync_committee": committee_json(&self.current_sync_committee),
            "current_sync_committee_branch": self.current_sync_committee_branch,
        })
    }

    fn ssz(&self) -> Vec<u8> {
        encode::bootstrap(self)
    }
}

impl Encode for LightClientUpdate {
    fn json(&self) -> Value {
        let layout = layout_of(newest_header(self));
        let mut object = Map::new();
        object.insert("attested_header".into(), header_json(&self.attested_header, layout));
        if let Some(next) = &self.next_sync_committee {
            object.insert("next_sync_committee".into(), committee_json(&next.committee));
            object.insert("next_sync_committee_branch".into(), json!(next.branch));
        }
        if let Some(finality) = &self.finality {
            object.insert("finalized_header".into(), header_json(&finalized_header(finality), layout));
            object.insert("finality_branch".into(), json!(finality.branch));
        }
        object.insert("sync_aggregate".into(), aggregate_json(&self.sync_aggregate));
        object.insert("signature_slot".into(), json!(self.signature_slot));
        object.into()
    }

    fn ssz(&self) -> Vec<u8> {
        encode::update(self)
    }
}

/// A beacon block header in JSON.
pub fn beacon_header_json(header: &BeaconBlockHeader) -> Value {
    json!({
        "slot": header.slot,
        "proposer_index": header.proposer_index.to_string(),
        "parent_root": header.parent_root,
        "state_root": header.state_root,
        "body_root": header.body_root,
    })
}

/// The attested header, unless the finalized one is newer: no client takes such an update, but it can be written.
fn newest_header(update: &LightClientUpdate) -> &LightClientHeader {
    let attested = &update.attested_header;
    let finalized = update.finality.as_ref().and_then(|finality| finality.header.as_ref());
    finalized.filter(|finalized| finalized.beacon.slot > attested.beacon.slot).unwrap_or(attested)
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

/// The header on the wire: while only genesis is final, one of zeros.
fn finalized_header(finality: &FinalizedPart) -> LightClientHeader {
    finality.header.clone().unwrap_or_else(|| LightClientHeader {
        beacon: BeaconBlockHeader {
            slot: Slot::new(0),
            proposer_index: 0,
            parent_root: B256::ZERO,
            state_root: B256::ZERO,
            body_root: B256::ZERO,
        },
        execution: Execution::Absent,
        execution_branch: Vec::new(),
    })
}

/// The payload header of a header; zeros where it has none.
fn payload(header: &LightClientHeader) -> ExecutionPayloadHeader {
    header.execution.header().cloned().unwrap_or_else(empty_execution)
}

/// The execution branch; zeros where there is none.
fn execution_branch(header: &LightClientHeader, layout: HeaderLayout) -> Vec<B256> {
    if !header.execution_branch.is_empty() {
        return header.execution_branch.clone();
    }
    let fork = Fork::ALL.into_iter().find(|fork| fork.rules().layout == layout);
    let depth = fork.and_then(|fork| fork.rules().execution?.checked_ilog2()).unwrap_or(0);
    vec![B256::ZERO; usize::try_from(depth).unwrap_or(0)]
}

fn empty_execution() -> ExecutionPayloadHeader {
    ExecutionPayloadHeader {
        parent_hash: B256::ZERO,
        fee_recipient: Address::ZERO,
        state_root: B256::ZERO,
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        prev_randao: B256::ZERO,
        block_number: 0,
        gas_limit: 0,
        gas_used: 0,
        timestamp: 0,
        extra_data: Bytes::new(),
        base_fee_per_gas: U256::ZERO,
        block_hash: B256::ZERO,
        transactions_root: B256::ZERO,
        withdrawals_root: B256::ZERO,
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
    }
}

fn header_json(header: &LightClientHeader, layout: HeaderLayout) -> Value {
    let beacon = beacon_header_json(&header.beacon);
    let branch = execution_branch(header, layout);
    match layout {
        HeaderLayout::Beacon => json!({ "beacon": beacon }),
        HeaderLayout::Execution15 | HeaderLayout::Execution17 => {
            let execution = execution_json(&payload(header), layout);
            json!({ "beacon": beacon, "execution": execution, "execution_branch": branch })
        }
        HeaderLayout::ExecutionHash => {
            let hash = header.execution.block_hash().unwrap_or_default();
            json!({ "beacon": beacon, "execution_block_hash": hash, "execution_branch": branch })
        }
    }
}

fn execution_json(execution: &ExecutionPayloadHeader, layout: HeaderLayout) -> Value {
    let mut object = json!({
        "parent_hash": execution.parent_hash,
        "fee_recipient": execution.fee_recipient,
        "state_root": execution.state_root,
        "receipts_root": execution.receipts_root,
        "logs_bloom": execution.logs_bloom,
        "prev_randao": execution.prev_randao,
        "block_number": execution.block_number.to_string(),
        "gas_limit": execution.gas_limit.to_string(),
        "gas_used": execution.gas_used.to_string(),
        "timestamp": execution.timestamp.to_string(),
        "extra_data": execution.extra_data,
        "base_fee_per_gas": execution.base_fee_per_gas.to_string(),
        "block_hash": execution.block_hash,
        "transactions_root": execution.transactions_root,
        "withdrawals_root": execution.withdrawals_root,
    });
    if let Some(object) = object.as_object_mut().filter(|_| layout == HeaderLayout::Execution17) {
        let number = |field: Option<u64>| Value::from(field.unwrap_or(0).to_string());
        object.insert("blob_gas_used".into(), number(execution.blob_gas_used));
        object.insert("excess_blob_gas".into(), number(execution.excess_blob_gas));
    }
    object
}

fn committee_json(committee: &SyncCommittee) -> Value {
    json!({ "pubkeys": committee.pubkeys, "aggregate_pubkey": committee.aggregate_pubkey })
}

fn aggregate_json(aggregate: &SyncAggregate) -> Value {
    json!({
        "sync_committee_bits": hex::encode_prefixed(&aggregate.bits),
        "sync_committee_signature": aggregate.signature,
    })
}
