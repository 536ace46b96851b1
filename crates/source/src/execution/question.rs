//! The questions, as JSON-RPC calls.

use alloy_primitives::{Address, B256, Bytes, hex};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::json;

use crate::jsonrpc::Call;

/// Largest reply with an account proof, in bytes. On mainnet a proof has about 9 KB of JSON; some clients add other fields.
const MAX_PROOF_REPLY: usize = 256 * 1024;
/// What each storage key adds to [`MAX_PROOF_REPLY`].
const MAX_SLOT_REPLY: usize = 64 * 1024;
/// Largest reply with a block: the hashes of its transactions, and its withdrawals.
const MAX_BLOCK_REPLY: usize = 1024 * 1024;
/// Largest reply with a block and its full transactions. A block has at most 8 MiB of RLP (EIP-7934), and JSON twice as many.
const MAX_FULL_BLOCK_REPLY: usize = 24 * 1024 * 1024;
/// Largest reply with a contract's code. Deployed code has at most 24 KB (EIP-170), and twice as much in hexadecimal text.
const MAX_CODE_REPLY: usize = 256 * 1024;
/// Largest reply with an access list. A run reads at most 32 accounts and 128 slots.
const MAX_LIST_REPLY: usize = 64 * 1024;
const MAX_SMALL_REPLY: usize = 16 * 1024;
const MAX_BALANCE_REPLY: usize = 1024;

/// The first four bytes of the hash of `balanceOf(address)`.
const BALANCE_OF: [u8; 4] = hex!("70a08231");

/// The block that a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The provider's newest block.
    Latest,
    /// The block with this number. Every client takes this form.
    Number(u64),
    /// The block with this hash ([EIP-1898](https://eips.ethereum.org/EIPS/eip-1898)). Not every client takes this form.
    Hash(B256),
}

/// A block as a JSON-RPC parameter.
struct Block(At);

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            At::Latest => serializer.serialize_str("latest"),
            At::Number(number) => serializer.collect_str(&format_args!("{number:#x}")),
            At::Hash(hash) => {
                let mut block = serializer.serialize_struct("Block", 1)?;
                block.serialize_field("blockHash", &hash)?;
                block.end()
            }
        }
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `eth_getProof` (EIP-1186).
    Proof {
        /// The account.
        address: Address,
        /// The account's storage keys; sent as 32 bytes each, which every client takes.
        keys: Vec<B256>,
        /// The block.
        at: At,
    },
    /// `eth_getBalance`, for [`balance`](super::balance): a claim, which proves nothing.
    Balance {
        /// The account.
        address: Address,
        /// The block.
        at: At,
    },
    /// `eth_call` of `balanceOf(address)`, for [`balance`](super::balance): a claim, which proves nothing.
    TokenBalance {
        /// The token's contract.
        token: Address,
        /// The owner.
        owner: Address,
        /// The block.
        at: At,
    },
    /// `eth_getCode`, for [`code`](super::code): a claim, until its hash is that of a proven account.
    Code {
        /// The account.
        address: Address,
        /// The block.
        at: At,
    },
    /// `eth_createAccessList`, for [`access_list`](super::access_list): what a call reads, as the provider says. It proves nothing, and
    /// many providers do not have it.
    AccessList {
        /// The contract.
        to: Address,
        /// The input.
        data: Bytes,
        /// The block.
        at: At,
    },
    /// `eth_getBlockByHash` without full transactions: the block object.
    Block(B256),
    /// `eth_getBlockByNumber` without full transactions: the block object. At a hash it is the same as [`Question::Block`].
    BlockAt(At),
    /// `eth_getBlockByHash` with full transactions: the block object.
    FullBlock(B256),
    /// `debug_getRawHeader` by hash: the header's RLP, for [`raw_header`](super::raw_header).
    RawHeader(B256),
    /// `eth_chainId`, for [`chain_id_of`](super::chain_id_of).
    ChainId,
    /// `eth_blockNumber`, for [`block_number_of`](super::block_number_of).
    BlockNumber,
    /// `eth_capabilities`, for [`state_proofs`](super::state_proofs).
    Capabilities,
}

impl Question {
    pub(super) fn call(&self) -> Call {
        match self {
            Self::Proof { address, keys, at } => {
                let max_bytes = MAX_PROOF_REPLY.saturating_add(keys.len().saturating_mul(MAX_SLOT_REPLY));
                Call::new("eth_getProof", &(address, keys, Block(*at)), max_bytes)
            }
            Self::Balance { address, at } => {
                Call::new("eth_getBalance", &(address, Block(*at)), MAX_BALANCE_REPLY)
            }
            Self::TokenBalance { token, owner, at } => {
                // Source: EIP-20.
                let data = hex::encode_prefixed([&BALANCE_OF[..], owner.into_word().as_slice()].concat());
                let call = json!({ "to": token, "data": data });
                Call::new("eth_call", &(call, Block(*at)), MAX_BALANCE_REPLY)
            }
            Self::Code { address, at } => Call::new("eth_getCode", &(address, Block(*at)), MAX_CODE_REPLY),
            Self::AccessList { to, data, at } => {
                let call = json!({ "to": to, "data": data });
                Call::new("eth_createAccessList", &(call, Block(*at)), MAX_LIST_REPLY)
            }
            Self::Block(hash) => Call::new("eth_getBlockByHash", &(hash, false), MAX_BLOCK_REPLY),
            Self::BlockAt(At::Hash(hash)) => Self::Block(*hash).call(),
            Self::BlockAt(at) => Call::new("eth_getBlockByNumber", &(Block(*at), false), MAX_BLOCK_REPLY),
            Self::FullBlock(hash) => Call::new("eth_getBlockByHash", &(hash, true), MAX_FULL_BLOCK_REPLY),
            Self::RawHeader(hash) => Call::new("debug_getRawHeader", &[hash], MAX_SMALL_REPLY),
            Self::ChainId => Call::new("eth_chainId", &json!([]), MAX_SMALL_REPLY),
            Self::BlockNumber => Call::new("eth_blockNumber", &json!([]), MAX_SMALL_REPLY),
            Self::Capabilities => Call::new("eth_capabilities", &json!([]), MAX_SMALL_REPLY),
        }
    }

    /// Whether it is the same method, and for a proof or a code the same block. A provider that cannot answer one cannot answer the other.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Proof { at, .. }, Self::Proof { at: other, .. })
            | (Self::Code { at, .. }, Self::Code { at: other, .. }) => at == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}
