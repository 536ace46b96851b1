//! The contents of a `scenario.json`. Unknown fields are refused, so that none is skipped.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_beacon::container::PublicKeyBytes;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) network: String,
    pub(super) genesis_validators_root: B256,
    #[serde(rename = "description")]
    pub(super) _description: String,
    #[serde(rename = "source")]
    pub(super) _source: serde_json::Value,
    #[serde(rename = "derived")]
    pub(super) _derived: Vec<String>,
    #[serde(default, rename = "note")]
    pub(super) _note: String,
    #[serde(default, rename = "initial")]
    pub(super) _initial: serde_json::Value,
    #[serde(default)]
    pub(super) erc20: Vec<Token>,
    pub(super) genesis_time: Option<u64>,
    #[serde(default, rename = "chain_id")]
    _chain_id: Option<u64>,
    pub(super) fork_parameters: Option<BTreeMap<String, serde_json::Value>>,
    pub(super) checkpoint: Option<B256>,
    pub(super) trusted_committee: Option<TrustedCommittee>,
    pub(super) steps: Vec<Step>,
    pub(super) proofs: Vec<Proof>,
    pub(super) expected_store: Option<Store>,
    pub(super) beacon_block_root: Option<B256>,
    pub(super) historical_header: Option<HistoricalHeader>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustedCommittee {
    pub(super) file: String,
    pub(super) period: u64,
    pub(super) root: B256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoricalHeader {
    pub(super) beacon_slot: u64,
    pub(super) block_number: u64,
    pub(super) block_hash: B256,
    pub(super) state_root: B256,
    pub(super) participants: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) file: String,
    pub(super) r#type: String,
    pub(super) fork: String,
    #[serde(rename = "encoding")]
    pub(super) _encoding: String,
    pub(super) expect: String,
    pub(super) slot: Option<u64>,
    pub(super) period: Option<u64>,
    pub(super) attested_slot: Option<u64>,
    pub(super) finalized_slot: Option<u64>,
    pub(super) signature_slot: Option<u64>,
    pub(super) participants: Option<usize>,
    pub(super) signed_by: Option<String>,
    pub(super) finalized_block_number: Option<u64>,
    pub(super) finalized_block_hash: Option<B256>,
    pub(super) finalized_state_root: Option<B256>,
    pub(super) store_after: Option<Store>,
    #[serde(default, rename = "note")]
    pub(super) _note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    pub(super) finalized_slot: u64,
    pub(super) optimistic_slot: u64,
    pub(super) next_sync_committee_known: bool,
    pub(super) finalized_block_number: Option<u64>,
    pub(super) finalized_block_hash: Option<B256>,
    pub(super) finalized_state_root: Option<B256>,
    pub(super) optimistic_block_number: Option<u64>,
    pub(super) optimistic_block_hash: Option<B256>,
    pub(super) optimistic_state_root: Option<B256>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Proof {
    pub(super) file: String,
    pub(super) against: String,
    pub(super) address: Address,
    pub(super) exists: bool,
    pub(super) nonce: String,
    pub(super) balance: String,
    pub(super) storage_hash: Option<B256>,
    pub(super) code_hash: Option<B256>,
    #[serde(default)]
    pub(super) storage: Vec<Storage>,
    #[serde(rename = "proof_nodes")]
    pub(super) proof_nodes: Option<usize>,
    #[serde(default, rename = "format")]
    pub(super) _format: String,
    #[serde(default, rename = "note")]
    pub(super) _note: String,
}

/// A balance of a token, which the files of `proofs` prove together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub(super) token: Address,
    pub(super) holder: Address,
    #[serde(rename = "mapping_slot")]
    pub(super) _mapping_slot: u64,
    pub(super) storage_key: B256,
    pub(super) balance: String,
    #[serde(rename = "proof")]
    pub(super) _proof: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Storage {
    pub(super) key: B256,
    pub(super) value: U256,
    pub(super) included: bool,
}

/// The proofs of an `eth_getProof` reply. The server's claims are ignored here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply {
    pub(super) account_proof: Vec<Bytes>,
    #[serde(default)]
    pub(super) storage_proof: Vec<StorageReply>,
}

#[derive(Deserialize)]
pub(super) struct StorageReply {
    pub(super) key: U256,
    pub(super) proof: Vec<Bytes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommitteeFile {
    pub(super) pubkeys: Vec<PublicKeyBytes>,
    pub(super) aggregate_pubkey: PublicKeyBytes,
}
