//! The execution payload header.

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};

use crate::merkle::{chunks, hash_pair, merkleize, uint};

/// The header of an execution block as a beacon block commits to it.
///
/// Source: `ExecutionPayloadHeader`, consensus-specs `capella/beacon-chain.md` and `deneb/beacon-chain.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionPayloadHeader {
    /// Hash of the parent execution block.
    pub parent_hash: B256,
    /// The address that receives the fees.
    pub fee_recipient: Address,
    /// Root of the execution state, which account proofs are checked against.
    pub state_root: B256,
    /// Root of the receipts trie.
    pub receipts_root: B256,
    /// Bloom filter of the logs.
    pub logs_bloom: Bloom,
    /// Randomness of the beacon chain.
    pub prev_randao: B256,
    /// Number of the execution block.
    pub block_number: u64,
    /// Gas the block may use.
    pub gas_limit: u64,
    /// Gas the block used.
    pub gas_used: u64,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Bytes that the block's builder may choose, at most [`ExecutionPayloadHeader::MAX_EXTRA_DATA`].
    pub extra_data: Bytes,
    /// Base fee, in wei per gas.
    pub base_fee_per_gas: U256,
    /// Hash of the execution block.
    pub block_hash: B256,
    /// Root of the transactions.
    pub transactions_root: B256,
    /// Root of the withdrawals.
    pub withdrawals_root: B256,
    /// Blob gas the block used; `None` before Deneb.
    pub blob_gas_used: Option<u64>,
    /// Blob gas above the target so far; `None` before Deneb.
    pub excess_blob_gas: Option<u64>,
}

impl ExecutionPayloadHeader {
    /// The most bytes of `extra_data`.
    pub const MAX_EXTRA_DATA: usize = 32;

    /// Returns the header of zeros, before Deneb. On the wire it means that there is none.
    pub(crate) fn empty() -> Self {
        Self {
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
            blob_gas_used: None,
            excess_blob_gas: None,
        }
    }

    /// Returns the hash tree root, over 15 fields, or over 17 if both blob fields are present.
    pub fn hash_tree_root(&self) -> B256 {
        let mut leaves = vec![
            self.parent_hash,
            B256::right_padding_from(self.fee_recipient.as_slice()),
            self.state_root,
            self.receipts_root,
            merkleize(&chunks(self.logs_bloom.as_slice()), 3),
            self.prev_randao,
            uint(self.block_number),
            uint(self.gas_limit),
            uint(self.gas_used),
            uint(self.timestamp),
            self.extra_data_root(),
            B256::from(self.base_fee_per_gas.to_le_bytes()),
            self.block_hash,
            self.transactions_root,
            self.withdrawals_root,
        ];
        if let (Some(blob_gas_used), Some(excess_blob_gas)) = (self.blob_gas_used, self.excess_blob_gas) {
            leaves.extend([uint(blob_gas_used), uint(excess_blob_gas)]);
            return merkleize(&leaves, 5);
        }
        merkleize(&leaves, 4)
    }

    fn extra_data_root(&self) -> B256 {
        let length = u64::try_from(self.extra_data.len()).unwrap_or(u64::MAX);
        hash_pair(merkleize(&chunks(&self.extra_data), 0), uint(length))
    }
}
