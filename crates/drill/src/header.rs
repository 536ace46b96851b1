//! Execution block headers, in the layout of each fork.

use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256, b256, keccak256};
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::fork::Fork;
use saldo_beacon::merkle::{hash_pair, merkleize};
use serde_json::{Value, json};

use crate::rlp;
use crate::tree::Tree;
use crate::trie::EMPTY_ROOT;

/// keccak of the RLP of an empty list: no block has uncles any more.
const NO_UNCLES: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
/// SHA-256 of nothing: no execution requests ([EIP-7685](https://eips.ethereum.org/EIPS/eip-7685)).
const NO_REQUESTS: B256 = b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// The SSZ root of an empty list of transactions.
const NO_TRANSACTIONS: B256 = b256!("7ffe241ea60187fdb0187bfa22de35d1f9bed7ab061d9401fd47e34a54fbede1");
/// The SSZ root of an empty list of withdrawals.
const NO_WITHDRAWALS: B256 = b256!("28ba1834a3a7b657460ce79fa3a1d909ab8828fd557659d4d0554a9bdbc0ec30");

/// Where the payload header has the block's own hash (consensus-specs `capella/beacon-chain.md`).
const BLOCK_HASH: u64 = 12;

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
    /// Root of the parent beacon block ([EIP-4788](https://eips.ethereum.org/EIPS/eip-4788)); told from Deneb on.
    pub parent_beacon_block_root: B256,
    /// Slot of the beacon block ([EIP-7843](https://eips.ethereum.org/EIPS/eip-7843)); told from Gloas on.
    pub slot_number: u64,
    /// The fork of the beacon block, which decides which fields there are.
    pub fork: Fork,
}

impl ExecutionHeader {
    /// Gas a block may use.
    pub const GAS_LIMIT: u64 = 60_000_000;

    /// The header's RLP: 16 fields before Capella, then 17, 20 in Deneb, 21 in Electra and Fulu, 23 in Gloas.
    pub fn rlp(&self) -> Vec<u8> {
        let number = |number: u64| rlp::integer(U256::from(number));
        let hash = |hash: B256| rlp::string(hash.as_slice());
        let mut fields = vec![
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
        ];
        fields.extend(self.withdrawals_root().map(hash));
        if self.fork >= Fork::Deneb {
            fields.extend([number(0), number(0), hash(self.parent_beacon_block_root)]);
        }
        if self.fork >= Fork::Electra {
            fields.push(hash(NO_REQUESTS));
        }
        if self.fork >= Fork::Gloas {
            fields.extend([hash(self.block_access_list_hash()), number(self.slot_number)]);
        }
        rlp::list(fields.iter().map(Vec::as_slice))
    }

    /// The root of the block's withdrawals, of which there are none; from Capella on.
    pub(crate) fn withdrawals_root(&self) -> Option<B256> {
        (self.fork >= Fork::Capella).then_some(EMPTY_ROOT)
    }

    /// The block's hash: keccak of the RLP.
    pub fn hash(&self) -> B256 {
        keccak256(self.rlp())
    }

    /// The block as `eth_getBlockByNumber` gives it, with the fields that geth sends.
    pub fn json(&self) -> Value {
        let rlp = self.rlp();
        let mut block = json!({
            "baseFeePerGas": quantity(self.base_fee_per_gas),
            "difficulty": "0x0",
            "extraData": self.extra_data,
            "gasLimit": quantity(Self::GAS_LIMIT),
            "gasUsed": "0x0",
            "hash": keccak256(&rlp),
            "logsBloom": Bloom::ZERO,
            "miner": self.fee_recipient,
            "mixHash": self.prev_randao,
            "nonce": B64::ZERO,
            "number": quantity(self.number),
            "parentHash": self.parent_hash,
            "receiptsRoot": EMPTY_ROOT,
            "sha3Uncles": NO_UNCLES,
            // The empty lists of the body take one byte each, the outer list three.
            "size": format!("{:#x}", rlp.len().saturating_add(if self.fork >= Fork::Capella { 6 } else { 5 })),
            "stateRoot": self.state_root,
            "timestamp": quantity(self.timestamp),
            "transactions": [],
            "transactionsRoot": EMPTY_ROOT,
            "uncles": [],
        });
        let mut set = |name: &str, value: Value| {
            if let Some(block) = block.as_object_mut() {
                block.insert(name.to_owned(), value);
            }
        };
        if let Some(root) = self.withdrawals_root() {
            set("withdrawals", json!([]));
            set("withdrawalsRoot", json!(root));
        }
        if self.fork >= Fork::Deneb {
            set("blobGasUsed", json!("0x0"));
            set("excessBlobGas", json!("0x0"));
            set("parentBeaconBlockRoot", json!(self.parent_beacon_block_root));
        }
        if self.fork >= Fork::Electra {
            set("requestsHash", json!(NO_REQUESTS));
        }
        if self.fork >= Fork::Gloas {
            set("blockAccessListHash", json!(self.block_access_list_hash()));
            set("slotNumber", json!(quantity(self.slot_number)));
        }
        block
    }

    /// Hash of the accesses of the block ([EIP-7928](https://eips.ethereum.org/EIPS/eip-7928)): made up, as the
    /// list itself does not exist here.
    fn block_access_list_hash(&self) -> B256 {
        keccak256(self.state_root)
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
            blob_gas_used: self.has_blobs().then_some(0),
            excess_blob_gas: self.has_blobs().then_some(0),
        }
    }

    /// Proof of the block's hash under the root of [`ExecutionHeader::payload_header`], and its generalized index.
    pub(crate) fn block_hash_branch(&self) -> (u64, Vec<B256>) {
        let payload = self.payload_header();
        let chunk = B256::right_padding_from;
        let uint = |number: u64| chunk(&number.to_le_bytes());
        let length = u64::try_from(payload.extra_data.len()).unwrap_or(u64::MAX);
        let leaves = [
            payload.parent_hash,
            chunk(payload.fee_recipient.as_slice()),
            payload.state_root,
            payload.receipts_root,
            merkleize(&[], 3),
            payload.prev_randao,
            uint(payload.block_number),
            uint(payload.gas_limit),
            uint(payload.gas_used),
            uint(payload.timestamp),
            // At most 32 bytes: one chunk, none where there are no bytes, which is the same.
            hash_pair(chunk(&payload.extra_data), uint(length)),
            B256::from(payload.base_fee_per_gas.to_le_bytes()),
            payload.block_hash,
            payload.transactions_root,
            payload.withdrawals_root,
        ];
        let depth = if self.has_blobs() { 5 } else { 4 };
        // What follows is zero, also where there are blob fields.
        let first = 1_u64 << depth;
        let places = first..first << 1;
        let padded = leaves.into_iter().chain(std::iter::repeat(B256::ZERO));
        let index = first.saturating_add(BLOCK_HASH);
        (index, Tree::new(B256::ZERO, places.zip(padded)).branch(index))
    }

    fn has_blobs(&self) -> bool {
        self.fork >= Fork::Deneb
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
            slot_number: 63,
            fork: Fork::Fulu,
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

    #[test]
    fn each_fork_has_its_fields() {
        let fields = [16, 16, 17, 20, 21, 21, 23];
        for (fork, fields) in Fork::ALL.into_iter().zip(fields) {
            let header = ExecutionHeader { fork, ..real() };
            let rlp = header.rlp();
            let Ok(alloy_rlp::PayloadView::List(items)) = alloy_rlp::Header::decode_raw(&mut rlp.as_slice())
            else {
                panic!("{fork}: no list")
            };
            assert_eq!(items.len(), fields, "{fork}");
            // Beside the header's fields the JSON has `hash`, `size`, `transactions`, `uncles` and `withdrawals`.
            let beside = if fork >= Fork::Capella { 5 } else { 4 };
            assert_eq!(header.json().as_object().unwrap().len(), fields + beside, "{fork}");
        }
    }

    #[test]
    fn the_hash_is_proven_under_the_payload_header() {
        for fork in [Fork::Capella, Fork::Deneb, Fork::Fulu] {
            let header = ExecutionHeader { fork, ..real() };
            let (index, branch) = header.block_hash_branch();
            let root = header.payload_header().hash_tree_root();
            assert!(saldo_beacon::merkle::branch_is_valid(header.hash(), &branch, index, root), "{fork}");
        }
    }
}
