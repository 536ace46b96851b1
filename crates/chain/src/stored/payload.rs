//! A payload's header as bytes.

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use saldo_beacon::container::ExecutionPayloadHeader;

use super::error::StoredAnchorError;

/// The fields in the order of the specification. The two blob fields, which Deneb added, are a list of none or two.
#[derive(RlpEncodable, RlpDecodable)]
pub(super) struct Payload {
    parent_hash: B256,
    fee_recipient: Address,
    state_root: B256,
    receipts_root: B256,
    logs_bloom: Bloom,
    prev_randao: B256,
    block_number: u64,
    gas_limit: u64,
    gas_used: u64,
    timestamp: u64,
    extra_data: Bytes,
    base_fee_per_gas: U256,
    block_hash: B256,
    transactions_root: B256,
    withdrawals_root: B256,
    blobs: Vec<u64>,
}

impl From<&ExecutionPayloadHeader> for Payload {
    fn from(header: &ExecutionPayloadHeader) -> Self {
        Self {
            parent_hash: header.parent_hash,
            fee_recipient: header.fee_recipient,
            state_root: header.state_root,
            receipts_root: header.receipts_root,
            logs_bloom: header.logs_bloom,
            prev_randao: header.prev_randao,
            block_number: header.block_number,
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            timestamp: header.timestamp,
            extra_data: header.extra_data.clone(),
            base_fee_per_gas: header.base_fee_per_gas,
            block_hash: header.block_hash,
            transactions_root: header.transactions_root,
            withdrawals_root: header.withdrawals_root,
            blobs: [header.blob_gas_used, header.excess_blob_gas].into_iter().flatten().collect(),
        }
    }
}

impl TryFrom<Payload> for ExecutionPayloadHeader {
    type Error = StoredAnchorError;

    fn try_from(stored: Payload) -> Result<Self, StoredAnchorError> {
        let (blob_gas_used, excess_blob_gas) = match stored.blobs[..] {
            [] => (None, None),
            [used, excess] => (Some(used), Some(excess)),
            _ => return Err(StoredAnchorError::Malformed),
        };
        if stored.extra_data.len() > Self::MAX_EXTRA_DATA {
            return Err(StoredAnchorError::Malformed);
        }
        Ok(Self {
            parent_hash: stored.parent_hash,
            fee_recipient: stored.fee_recipient,
            state_root: stored.state_root,
            receipts_root: stored.receipts_root,
            logs_bloom: stored.logs_bloom,
            prev_randao: stored.prev_randao,
            block_number: stored.block_number,
            gas_limit: stored.gas_limit,
            gas_used: stored.gas_used,
            timestamp: stored.timestamp,
            extra_data: stored.extra_data,
            base_fee_per_gas: stored.base_fee_per_gas,
            block_hash: stored.block_hash,
            transactions_root: stored.transactions_root,
            withdrawals_root: stored.withdrawals_root,
            blob_gas_used,
            excess_blob_gas,
        })
    }
}
