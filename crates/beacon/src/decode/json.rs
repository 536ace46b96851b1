//! The JSON of the beacon API. Unknown fields are refused within the objects, and ignored around them.

use core::fmt;

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::wire::{WireBootstrap, WireHeader, WireUpdate};
use crate::container::{
    BeaconBlockHeader, ExecutionPayloadHeader, PublicKeyBytes, SignatureBytes, SyncAggregate, SyncCommittee,
};
use crate::unit::{Slot, decimal};
use crate::update::Execution;

/// An object without its wrapper, if it had one.
pub(super) struct Envelope<'a> {
    pub(super) version: Option<String>,
    pub(super) body: &'a [u8],
}

/// Takes an object out of `{"version": …, "data": …}`. Servers leave out one or both of the two.
pub(super) fn envelope(bytes: &[u8]) -> Result<Envelope<'_>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Wrapper<'a> {
        #[serde(borrow)]
        version: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let Wrapper { version, data } = serde_json::from_slice(bytes)?;
    // The version is a hint: one that is no text is as good as none.
    let version = version.and_then(|version| serde_json::from_str(version.get()).ok());
    Ok(Envelope { version, body: data.map_or(bytes, |data| data.get().as_bytes()) })
}

/// Splits a list of objects, bare or as the `data` of a wrapper. Returns `None` if there are more than `limit`.
pub(super) fn elements(bytes: &[u8], limit: usize) -> Result<Option<Vec<&RawValue>>, serde_json::Error> {
    let is_bare = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let list = if is_bare { bytes } else { envelope(bytes)?.body };
    let mut deserializer = serde_json::Deserializer::from_slice(list);
    let elements = deserializer.deserialize_seq(Elements { limit })?;
    deserializer.end()?;
    Ok(elements)
}

/// Keeps no element beyond the limit, so that a list of millions of empty elements costs no memory.
struct Elements {
    limit: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element()? {
            if elements.len() == self.limit {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            elements.push(element);
        }
        Ok(Some(elements))
    }
}

/// Reads only the slot of the header. This works for the objects of every fork.
pub(super) fn slot(body: &[u8]) -> Result<Slot, serde_json::Error> {
    #[derive(Deserialize)]
    struct Object {
        #[serde(alias = "header")]
        attested_header: Header,
    }
    /// The beacon header, or the object around it.
    #[derive(Deserialize)]
    struct Header {
        slot: Option<Slot>,
        beacon: Option<Beacon>,
    }
    #[derive(Deserialize)]
    struct Beacon {
        slot: Slot,
    }
    let header = serde_json::from_slice::<Object>(body)?.attested_header;
    let slot = header.beacon.map(|beacon| beacon.slot).or(header.slot);
    slot.ok_or_else(|| Error::missing_field("slot"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BeaconJson {
    slot: Slot,
    #[serde(deserialize_with = "decimal::deserialize")]
    proposer_index: u64,
    parent_root: B256,
    state_root: B256,
    body_root: B256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExecutionJson {
    parent_hash: B256,
    fee_recipient: Address,
    state_root: B256,
    receipts_root: B256,
    logs_bloom: Bloom,
    prev_randao: B256,
    #[serde(deserialize_with = "decimal::deserialize")]
    block_number: u64,
    #[serde(deserialize_with = "decimal::deserialize")]
    gas_limit: u64,
    #[serde(deserialize_with = "decimal::deserialize")]
    gas_used: u64,
    #[serde(deserialize_with = "decimal::deserialize")]
    timestamp: u64,
    extra_data: Bytes,
    #[serde(deserialize_with = "decimal::deserialize")]
    base_fee_per_gas: U256,
    block_hash: B256,
    transactions_root: B256,
    withdrawals_root: B256,
    #[serde(default, deserialize_with = "present")]
    blob_gas_used: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    excess_blob_gas: Option<u64>,
}

/// A header of Altair or Bellatrix. Some servers leave out the object around the beacon header; some tools write the fields
/// of later forks, which are zero.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum BeaconHeaderJson {
    Wrapped(WrappedBeaconJson),
    Bare(BeaconJson),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrappedBeaconJson {
    beacon: BeaconJson,
    execution: Option<ExecutionJson>,
    #[serde(default)]
    execution_branch: Vec<B256>,
}

/// A header from Capella to Fulu.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExecutionHeaderJson {
    beacon: BeaconJson,
    execution: ExecutionJson,
    execution_branch: Vec<B256>,
}

/// A header from Gloas on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HashHeaderJson {
    beacon: BeaconJson,
    execution_block_hash: B256,
    execution_branch: Vec<B256>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitteeJson {
    pubkeys: Vec<PublicKeyBytes>,
    aggregate_pubkey: PublicKeyBytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AggregateJson {
    sync_committee_bits: Bytes,
    sync_committee_signature: SignatureBytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BootstrapJson<H> {
    header: H,
    current_sync_committee: CommitteeJson,
    current_sync_committee_branch: Vec<B256>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateJson<H> {
    attested_header: H,
    next_sync_committee: CommitteeJson,
    next_sync_committee_branch: Vec<B256>,
    finalized_header: H,
    finality_branch: Vec<B256>,
    sync_aggregate: AggregateJson,
    signature_slot: Slot,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FinalityUpdateJson<H> {
    attested_header: H,
    finalized_header: H,
    finality_branch: Vec<B256>,
    sync_aggregate: AggregateJson,
    signature_slot: Slot,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptimisticUpdateJson<H> {
    attested_header: H,
    sync_aggregate: AggregateJson,
    signature_slot: Slot,
}

/// Reads a field that may be missing. If it is present, it must be a number, not null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    decimal::deserialize(deserializer).map(Some)
}

impl From<BeaconJson> for BeaconBlockHeader {
    fn from(json: BeaconJson) -> Self {
        let BeaconJson { slot, proposer_index, parent_root, state_root, body_root } = json;
        Self { slot, proposer_index, parent_root, state_root, body_root }
    }
}

impl From<BeaconHeaderJson> for WireHeader {
    fn from(json: BeaconHeaderJson) -> Self {
        let (beacon, execution, execution_branch) = match json {
            BeaconHeaderJson::Wrapped(WrappedBeaconJson { beacon, execution, execution_branch }) => {
                (beacon, execution, execution_branch)
            }
            BeaconHeaderJson::Bare(beacon) => (beacon, None, Vec::new()),
        };
        let execution = execution.map_or(Execution::Absent, |execution| Execution::Header(execution.into()));
        Self { beacon: beacon.into(), execution, execution_branch }.without_zeros()
    }
}

impl From<HashHeaderJson> for WireHeader {
    fn from(json: HashHeaderJson) -> Self {
        let HashHeaderJson { beacon, execution_block_hash, execution_branch } = json;
        Self { beacon: beacon.into(), execution: Execution::Hash(execution_block_hash), execution_branch }
    }
}

impl From<ExecutionHeaderJson> for WireHeader {
    fn from(json: ExecutionHeaderJson) -> Self {
        let ExecutionHeaderJson { beacon, execution, execution_branch } = json;
        Self { beacon: beacon.into(), execution: Execution::Header(execution.into()), execution_branch }
    }
}

impl From<ExecutionJson> for ExecutionPayloadHeader {
    fn from(json: ExecutionJson) -> Self {
        Self {
            parent_hash: json.parent_hash,
            fee_recipient: json.fee_recipient,
            state_root: json.state_root,
            receipts_root: json.receipts_root,
            logs_bloom: json.logs_bloom,
            prev_randao: json.prev_randao,
            block_number: json.block_number,
            gas_limit: json.gas_limit,
            gas_used: json.gas_used,
            timestamp: json.timestamp,
            extra_data: json.extra_data,
            base_fee_per_gas: json.base_fee_per_gas,
            block_hash: json.block_hash,
            transactions_root: json.transactions_root,
            withdrawals_root: json.withdrawals_root,
            blob_gas_used: json.blob_gas_used,
            excess_blob_gas: json.excess_blob_gas,
        }
    }
}

impl From<CommitteeJson> for SyncCommittee {
    fn from(json: CommitteeJson) -> Self {
        Self { pubkeys: json.pubkeys, aggregate_pubkey: json.aggregate_pubkey }
    }
}

impl<H: Into<WireHeader>> From<BootstrapJson<H>> for WireBootstrap {
    fn from(json: BootstrapJson<H>) -> Self {
        Self {
            header: json.header.into(),
            current_sync_committee: json.current_sync_committee.into(),
            current_sync_committee_branch: json.current_sync_committee_branch,
        }
    }
}

impl AggregateJson {
    fn of_members(self, size: usize) -> SyncAggregate {
        let signature = self.sync_committee_signature;
        SyncAggregate { bits: self.sync_committee_bits.to_vec(), size, signature }
    }
}

impl<H: Into<WireHeader>> UpdateJson<H> {
    pub(super) fn into_wire(self, committee_size: usize) -> WireUpdate {
        WireUpdate {
            attested_header: self.attested_header.into(),
            next_sync_committee: Some((self.next_sync_committee.into(), self.next_sync_committee_branch)),
            finality: Some((self.finalized_header.into(), self.finality_branch)),
            sync_aggregate: self.sync_aggregate.of_members(committee_size),
            signature_slot: self.signature_slot,
        }
    }
}

impl<H: Into<WireHeader>> FinalityUpdateJson<H> {
    pub(super) fn into_wire(self, committee_size: usize) -> WireUpdate {
        WireUpdate {
            attested_header: self.attested_header.into(),
            next_sync_committee: None,
            finality: Some((self.finalized_header.into(), self.finality_branch)),
            sync_aggregate: self.sync_aggregate.of_members(committee_size),
            signature_slot: self.signature_slot,
        }
    }
}

impl<H: Into<WireHeader>> OptimisticUpdateJson<H> {
    pub(super) fn into_wire(self, committee_size: usize) -> WireUpdate {
        WireUpdate {
            attested_header: self.attested_header.into(),
            next_sync_committee: None,
            finality: None,
            sync_aggregate: self.sync_aggregate.of_members(committee_size),
            signature_slot: self.signature_slot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_bounded_and_other_values_are_refused() {
        let count =
            |json: &str, limit| elements(json.as_bytes(), limit).unwrap().map(|elements| elements.len());
        for list in [" [1, 2]", r#"{"data": [1, 2]}"#, r#"{"version": "deneb", "data": [1, 2]}"#] {
            assert_eq!(count(list, 2), Some(2), "{list}");
            assert_eq!(count(list, 1), None, "{list}");
        }
        for other in ["7", r#"{"data": 7}"#, r#"{"data": {}}"#] {
            let error = elements(other.as_bytes(), 2).unwrap_err().to_string();
            assert!(error.contains("expected"), "{error}");
        }
        let error = elements(br#"{"data": 7}"#, 2).unwrap_err().to_string();
        assert!(error.contains("expected a list"), "{error}");
        assert!(elements(b"[1] 2", 2).is_err());
    }
}
