//! The containers, written from the specification alone: `ethereum_ssz` decodes them, `tree_hash` hashes them.
//!
//! Source: consensus-specs `phase0/beacon-chain.md`, `altair/beacon-chain.md`, and `light-client/sync-protocol.md` of
//! altair, capella, deneb, electra and gloas.

use std::fmt::Debug;

use alloy_primitives::{Address, B256, FixedBytes, U256};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ssz::{Decode, Encode};
use ssz_derive::{Decode, Encode};
use ssz_types::typenum::{self, Unsigned};
use ssz_types::{BitVector, FixedVector, VariableList};
use tree_hash::TreeHash;
use tree_hash_derive::TreeHash;

/// A length that is part of a type.
pub trait Length: Unsigned + Clone + Debug + Default + PartialEq {}
impl<N: Unsigned + Clone + Debug + Default + PartialEq> Length for N {}

/// `BeaconBlockHeader`.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeaconBlockHeader {
    /// Slot.
    #[serde(with = "serde_utils::quoted_u64")]
    pub slot: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    pub(super) proposer_index: u64,
    pub(super) parent_root: B256,
    pub(super) state_root: B256,
    pub(super) body_root: B256,
}

/// `ExecutionPayloadHeader` of Capella.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapellaPayloadHeader {
    parent_hash: B256,
    fee_recipient: Address,
    state_root: B256,
    receipts_root: B256,
    #[serde(with = "ssz_types::serde_utils::hex_fixed_vec")]
    logs_bloom: FixedVector<u8, typenum::U256>,
    prev_randao: B256,
    #[serde(with = "serde_utils::quoted_u64")]
    block_number: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    gas_limit: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    gas_used: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    timestamp: u64,
    #[serde(with = "ssz_types::serde_utils::hex_var_list")]
    extra_data: VariableList<u8, typenum::U32>,
    #[serde(with = "serde_utils::quoted_u256")]
    base_fee_per_gas: U256,
    block_hash: B256,
    transactions_root: B256,
    withdrawals_root: B256,
}

/// `ExecutionPayloadHeader` from Deneb on.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenebPayloadHeader {
    parent_hash: B256,
    fee_recipient: Address,
    state_root: B256,
    receipts_root: B256,
    #[serde(with = "ssz_types::serde_utils::hex_fixed_vec")]
    logs_bloom: FixedVector<u8, typenum::U256>,
    prev_randao: B256,
    #[serde(with = "serde_utils::quoted_u64")]
    block_number: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    gas_limit: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    gas_used: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    timestamp: u64,
    #[serde(with = "ssz_types::serde_utils::hex_var_list")]
    extra_data: VariableList<u8, typenum::U32>,
    #[serde(with = "serde_utils::quoted_u256")]
    base_fee_per_gas: U256,
    block_hash: B256,
    transactions_root: B256,
    withdrawals_root: B256,
    #[serde(with = "serde_utils::quoted_u64")]
    blob_gas_used: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    excess_blob_gas: u64,
}

/// A payload header of one of the forks.
pub trait Payload:
    Encode + Decode + TreeHash + Clone + Debug + Default + PartialEq + DeserializeOwned
{
    /// Its root if the block is before Deneb, when the blob fields do not exist; `None` if they have values.
    fn root_before_deneb(&self) -> Option<B256>;
}

impl Payload for CapellaPayloadHeader {
    fn root_before_deneb(&self) -> Option<B256> {
        Some(self.tree_hash_root())
    }
}

impl Payload for DenebPayloadHeader {
    fn root_before_deneb(&self) -> Option<B256> {
        let older = CapellaPayloadHeader {
            parent_hash: self.parent_hash,
            fee_recipient: self.fee_recipient,
            state_root: self.state_root,
            receipts_root: self.receipts_root,
            logs_bloom: self.logs_bloom.clone(),
            prev_randao: self.prev_randao,
            block_number: self.block_number,
            gas_limit: self.gas_limit,
            gas_used: self.gas_used,
            timestamp: self.timestamp,
            extra_data: self.extra_data.clone(),
            base_fee_per_gas: self.base_fee_per_gas,
            block_hash: self.block_hash,
            transactions_root: self.transactions_root,
            withdrawals_root: self.withdrawals_root,
        };
        (self.blob_gas_used == 0 && self.excess_blob_gas == 0).then(|| older.tree_hash_root())
    }
}

/// `LightClientHeader` of Altair and Bellatrix.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AltairHeader {
    pub(super) beacon: BeaconBlockHeader,
}

/// `LightClientHeader` from Capella to Fulu.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(bound = "E: Payload", deny_unknown_fields)]
pub struct PayloadHeader<E: Payload> {
    pub(super) beacon: BeaconBlockHeader,
    pub(super) execution: E,
    pub(super) execution_branch: FixedVector<B256, typenum::U4>,
}

/// `LightClientHeader` of Gloas.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GloasHeader {
    pub(super) beacon: BeaconBlockHeader,
    pub(super) execution_block_hash: B256,
    pub(super) execution_branch: FixedVector<B256, typenum::U11>,
}

/// `SyncCommittee`.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct SyncCommittee<N: Length> {
    pubkeys: FixedVector<FixedBytes<48>, N>,
    aggregate_pubkey: FixedBytes<48>,
}

/// `SyncAggregate`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct SyncAggregate<N: Length> {
    pub(super) sync_committee_bits: BitVector<N>,
    sync_committee_signature: FixedBytes<96>,
}

/// `LightClientBootstrap`, with `N` members and a committee branch of length `C`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(bound = "H: DeserializeOwned", deny_unknown_fields)]
pub struct Bootstrap<H: Encode + Decode + TreeHash, N: Length, C: Length> {
    pub(super) header: H,
    pub(super) current_sync_committee: SyncCommittee<N>,
    pub(super) current_sync_committee_branch: FixedVector<B256, C>,
}

/// `LightClientUpdate`, with `N` members, a committee branch of length `C` and a finality branch of length `F`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(bound = "H: DeserializeOwned", deny_unknown_fields)]
pub struct Update<H: Encode + Decode + TreeHash, N: Length, C: Length, F: Length> {
    pub(super) attested_header: H,
    pub(super) next_sync_committee: SyncCommittee<N>,
    pub(super) next_sync_committee_branch: FixedVector<B256, C>,
    pub(super) finalized_header: H,
    pub(super) finality_branch: FixedVector<B256, F>,
    pub(super) sync_aggregate: SyncAggregate<N>,
    #[serde(with = "serde_utils::quoted_u64")]
    pub(super) signature_slot: u64,
}

/// `LightClientFinalityUpdate`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(bound = "H: DeserializeOwned", deny_unknown_fields)]
pub struct FinalityUpdate<H: Encode + Decode + TreeHash, N: Length, F: Length> {
    pub(super) attested_header: H,
    pub(super) finalized_header: H,
    pub(super) finality_branch: FixedVector<B256, F>,
    pub(super) sync_aggregate: SyncAggregate<N>,
    #[serde(with = "serde_utils::quoted_u64")]
    pub(super) signature_slot: u64,
}

/// `LightClientOptimisticUpdate`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash, Deserialize)]
#[serde(bound = "H: DeserializeOwned", deny_unknown_fields)]
pub struct OptimisticUpdate<H: Encode + Decode + TreeHash, N: Length> {
    pub(super) attested_header: H,
    pub(super) sync_aggregate: SyncAggregate<N>,
    #[serde(with = "serde_utils::quoted_u64")]
    pub(super) signature_slot: u64,
}
