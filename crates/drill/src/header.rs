//! Execution block headers of the Prague and Osaka layout.

use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256, b256, keccak256};
use saldo_beacon::container::ExecutionPayloadHeader;
use serde_json::{Value, json};

use crate::rlp;
use crate::trie::EMPTY_ROOT;

/// keccak of the RLP of an empty list: no block has uncles any more.
const NO_UNCLES: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
/// SHA-256 of nothing: no execution requests ([EIP-7685](https://eips.ethereum.org/EIPS/eip-7685)).
const NO_REQUESTS: B256 = b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// The SSZ root of an empty list of transactions.
const NO_TRANSACTIONS: B256 = b256!("7ffe241ea60187fdb0187bfa22de35d1f9bed7ab061d9401fd47e34a54fbede1");
/// The SSZ root of an empty list of withdrawals.
const NO_WITHDRAWALS: B256 = b256!("28ba1834a3a7b657460ce79fa3a1d909ab8828fd557659d4d0554a9bdbc0ec30");

/// What differs from one empty block to the next; the other fields of a header are constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionHeader {
    /// Hash of the parent block.
    pub parent_hash: B256,
    /// Who receives the fees.
    pub fee_recipient: Address,
    /// Root of the state after the block.
    pub state_root: B256,
    /// Number of the block.
    pub number: u64,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Free bytes, at most 32.
    pub extra_data: Bytes,
    /// Randomness of the beacon chain.
    pub prev_randao: B256,
    /// Base fee, in wei per gas.
    pub base_fee_per_gas: u64,
    /// Root of the parent beacon block ([EIP-4788](https://eips.ethereum.org/EIPS/eip-4788)).
    pub parent_beacon_block_root: B256,
}

impl ExecutionHeader {
    /// Gas a block may use.
    pub const GAS_LIMIT: u64 = 60_000_000;

    /// The header's RLP: 21 fields.
    pub fn rlp(&self) -> Vec<u8> {
        let number = |number: u64| rlp::integer(U256::from(number));
        let hash = |hash: B256| rlp::string(hash.as_slice());
        let fields = [
            hash(self.parent_hash),
            hash(NO_UNCLES),
            rlp::string(self.fee_recipient.as_slice()),
            hash(self.state_root),
            hash(EMPTY_ROOT),
            hash(EMPTY_ROOT),
            rlp::string(Bloom::ZERO.as_slice()),
            number(0),
            number(self.number),
            number(Self::GAS_LIMIT),
            number(0),
            number(self.timestamp),
            rlp::string(&self.extra_data),
            hash(self.prev_randao),
            rlp::string(B64::ZERO.as_slice()),
            number(self.base_fee_per_gas),
            hash(EMPTY_ROOT),
            number(0),
            number(0),
            hash(self.parent_beacon_block_root),
            hash(NO_REQUESTS),
        ];
        rlp::list(fields.iter().map(Vec::as_slice))
    }

    /// The block's hash: keccak of the RLP.
    pub fn hash(&self) -> B256 {
        keccak256(self.rlp())
    }

    /// The block as `eth_getBlockByNumber` gives it, with the fields that geth sends.
    pub fn json(&self) -> Value {
        let rlp = self.rlp();
        json!({
            "baseFeePerGas": quantity(self.base_fee_per_gas),
            "blobGasUsed": "0x0",
            "difficulty": "0x0",
            "excessBlobGas": "0x0",
            "extraData": self.extra_data,
            "gasLimit": quantity(Self::GAS_LIMIT),
            "gasUsed": "0x0",
            "hash": keccak256(&rlp),
            "logsBloom": Bloom::ZERO,
            "miner": self.fee_recipient,
            "mixHash": self.prev_randao,
            "nonce": B64::ZERO,
            "number": quantity(self.number),
            "parentBeaconBlockRoot": self.parent_beacon_block_root,
            "parentHash": self.parent_hash,
            "receiptsRoot": EMPTY_ROOT,
            "requestsHash": NO_REQUESTS,
            "sha3Uncles": NO_UNCLES,
            // The three empty lists of the body take one byte each, the outer list three.
            "size": format!("{:#x}", rlp.len().saturating_add(6)),
            "stateRoot": self.state_root,
            "timestamp": quantity(self.timestamp),
            "transactions": [],
            "transactionsRoot": EMPTY_ROOT,
            "uncles": [],
            "withdrawals": [],
            "withdrawalsRoot": EMPTY_ROOT,
        })
    }

    /// The same header as the beacon block commits to it.
    pub fn payload_header(&self) -> ExecutionPayloadHeader {
        ExecutionPayloadHeader {
            parent_hash: self.parent_hash,
            fee_recipient: self.fee_recipient,
            state_root: self.state_root,
            receipts_root: EMPTY_ROOT,
            logs_bloom: Bloom::ZERO,
            prev_randao: self.prev_randao,
            block_number: self.number,
            gas_limit: Self::GAS_LIMIT,
            gas_used: 0,
            timestamp: self.timestamp,
            extra_data: self.extra_data.clone(),
            base_fee_per_gas: U256::from(self.base_fee_per_gas),
            block_hash: self.hash(),
            transactions_root: NO_TRANSACTIONS,
            withdrawals_root: NO_WITHDRAWALS,
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
        }
    }
}

/// A number as JSON-RPC spells it.
pub(crate) fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, bytes};

    use super::*;

    /// An empty block of a real client (ethrex 24, Osaka).
    fn real() -> ExecutionHeader {
        ExecutionHeader {
            parent_hash: b256!("e57ea9916217febb2a9905ca3ea402bee83010c0177b392a7e3c4ec3401de1eb"),
            fee_recipient: address!("fefefefefefefefefefefefefefefefefefefefe"),
            state_root: b256!("874f26e315e982c51615fbcc9567622cfbd63ab60ba1c9823db4e5176c737802"),
            number: 63,
            timestamp: 0x6b02_aa6b,
            extra_data: bytes!("6465766e6574"),
            prev_randao: b256!("6cc5e0bc837ceaac0778372eec5a12643801af919798077629a6c5ea65632931"),
            base_fee_per_gas: 0x36610,
            parent_beacon_block_root: b256!(
                "321fe04e0fecaaa16f0968d286bfb41d4115831f05392870304c18b02f315129"
            ),
        }
    }

    #[test]
    fn the_hash_is_that_of_a_real_client() {
        let hash = b256!("716a142e366c7a77a5329e72963ce41f964e15fdc694a04f94baff517990c488");
        assert_eq!(real().hash(), hash);
        assert_eq!(real().payload_header().block_hash, hash);
    }

    #[test]
    fn the_json_is_that_of_a_real_client() {
        let json = real().json();
        assert_eq!(json["hash"], "0x716a142e366c7a77a5329e72963ce41f964e15fdc694a04f94baff517990c488");
        assert_eq!(json["size"], "0x26d");
        assert_eq!(json["nonce"], "0x0000000000000000");
        assert_eq!(json.as_object().unwrap().len(), 26);
    }
}
