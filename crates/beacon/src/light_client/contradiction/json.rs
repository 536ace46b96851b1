//! Evidence in the JSON of the beacon API.

use alloy_primitives::Bytes;
use serde_json::{Map, Value, json};

use super::{ConsensusFault, Contradiction, Testimony};
use crate::container::{BeaconBlockHeader, ExecutionPayloadHeader};
use crate::update::{Execution, LightClientHeader, LightClientUpdate};

impl ConsensusFault {
    /// Returns the fault as a JSON object, with the field names of the beacon API.
    ///
    /// Each signed element of `evidence` is an update in the form of the beacon API, with the period and the root of the
    /// committee that signed it. The object has no addresses and no sources, so it can be published.
    pub fn to_json(&self) -> String {
        fault(self).to_string()
    }
}

fn fault(fault: &ConsensusFault) -> Value {
    let contradiction = match fault.contradiction {
        Contradiction::Finalized => "finalized",
        Contradiction::Signed => "signed",
        Contradiction::Reverted => "reverted",
    };
    json!({
        "contradiction": contradiction,
        "slot": fault.slot,
        "roots": fault.roots,
        "genesis_validators_root": fault.genesis_validators_root,
        "evidence": fault.evidence.iter().map(testimony).collect::<Vec<_>>(),
    })
}

fn testimony(testimony: &Testimony) -> Value {
    match testimony {
        Testimony::Checkpoint(checkpoint) => json!({ "checkpoint": header(checkpoint) }),
        Testimony::Signed(signed) => json!({
            "sync_committee_period": signed.period,
            "sync_committee_root": signed.committee_root,
            "update": update(&signed.update),
        }),
    }
}

/// Writes the update without its next committee, because no contradiction is about it.
fn update(update: &LightClientUpdate) -> Value {
    let mut object = Map::new();
    object.insert("attested_header".into(), header(&update.attested_header));
    if let Some(part) = &update.finality {
        object.insert("finalized_header".into(), part.header.as_ref().map(header).into());
        object.insert("finality_branch".into(), json!(part.branch));
    }
    let aggregate = &update.sync_aggregate;
    let bits = Bytes::copy_from_slice(&aggregate.bits);
    object.insert(
        "sync_aggregate".into(),
        json!({ "sync_committee_bits": bits, "sync_committee_signature": aggregate.signature }),
    );
    object.insert("signature_slot".into(), json!(update.signature_slot));
    object.into()
}

fn header(header: &LightClientHeader) -> Value {
    let beacon = beacon(&header.beacon);
    let branch = &header.execution_branch;
    match &header.execution {
        Execution::Absent => json!({ "beacon": beacon }),
        Execution::Header(payload) => {
            json!({ "beacon": beacon, "execution": execution(payload), "execution_branch": branch })
        }
        Execution::Hash(hash) => {
            json!({ "beacon": beacon, "execution_block_hash": hash, "execution_branch": branch })
        }
    }
}

fn beacon(header: &BeaconBlockHeader) -> Value {
    json!({
        "slot": header.slot,
        "proposer_index": header.proposer_index.to_string(),
        "parent_root": header.parent_root,
        "state_root": header.state_root,
        "body_root": header.body_root,
    })
}

fn execution(header: &ExecutionPayloadHeader) -> Value {
    let blobs = [("blob_gas_used", header.blob_gas_used), ("excess_blob_gas", header.excess_blob_gas)];
    let mut object = json!({
        "parent_hash": header.parent_hash,
        "fee_recipient": header.fee_recipient,
        "state_root": header.state_root,
        "receipts_root": header.receipts_root,
        "logs_bloom": header.logs_bloom,
        "prev_randao": header.prev_randao,
        "block_number": header.block_number.to_string(),
        "gas_limit": header.gas_limit.to_string(),
        "gas_used": header.gas_used.to_string(),
        "timestamp": header.timestamp.to_string(),
        "extra_data": header.extra_data,
        "base_fee_per_gas": header.base_fee_per_gas.to_string(),
        "block_hash": header.block_hash,
        "transactions_root": header.transactions_root,
        "withdrawals_root": header.withdrawals_root,
    });
    if let Some(object) = object.as_object_mut() {
        let present =
            blobs.into_iter().filter_map(|(name, gas)| Some((name.to_owned(), gas?.to_string().into())));
        object.extend(present);
    }
    object
}
