//! The body of a block: its transactions and withdrawals, which the header commits to.

use alloy_primitives::{B256, Bytes, b256, keccak256};
use alloy_rlp::Encodable;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::{BadField, Fields};
use crate::header::ExecutionHeader;
use crate::layout::index;
use crate::ordered_root::{list, ordered_root};
use crate::transaction::{TransactionJson, Unencoded, Withdrawal, WithdrawalJson};

/// The hash of an empty list of uncles. Source: EIP-3675.
const NO_UNCLES: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");

/// Why JSON is not the body of a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The JSON is larger than any valid block's. The provider's fault.
    #[error("the block has {got} bytes of JSON, more than {limit}")]
    TooLarge {
        /// Bytes received.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// The JSON is not a block with full transactions. The provider's fault.
    #[error("the bytes are not a block with its transactions")]
    NotABlock,
    /// The transaction at this place is malformed. The provider's fault.
    #[error("transaction {place} is malformed")]
    Malformed {
        /// Its place in the block.
        place: usize,
    },
    /// The transaction at this place has a type that this version of saldo does not know. No party is at fault: saldo should be
    /// updated.
    #[error("transaction {place} has a type that this version does not know")]
    UnknownTransaction {
        /// Its place in the block.
        place: usize,
    },
    /// The header commits to another list. The provider's fault.
    #[error("the list gives {field} {got}, expected {expected}")]
    RootMismatch {
        /// The field of the header.
        field: &'static str,
        /// The root of the list.
        got: B256,
        /// The root in the header.
        expected: B256,
    },
    /// The header has uncles, as no block after the merge has, or lacks a field. No party is at fault.
    #[error("the header's field {field} is not one of a block after the merge")]
    Header {
        /// The field of the header.
        field: &'static str,
    },
}

/// The body of a block. Its lists are complete, and in the order of the block: they rebuild the header's roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    transactions: Vec<B256>,
    raw: Vec<Bytes>,
    withdrawals: Option<Vec<Withdrawal>>,
    size: usize,
}

#[derive(Deserialize)]
struct BlockJson<'a> {
    #[serde(borrow)]
    transactions: Vec<&'a RawValue>,
    #[serde(borrow)]
    withdrawals: Option<Vec<WithdrawalJson<'a>>>,
}

impl Body {
    /// The most bytes of JSON that are read. A block has at most 8 MiB of RLP (EIP-7934), and JSON twice as many.
    pub const MAX_JSON_BYTES: usize = 24 << 20;

    /// Reads the JSON of a block with full transactions (`eth_getBlockByHash`), as the body of the block of `header`. Each transaction
    /// is encoded again, and all of them must rebuild the roots in the header.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn from_json(json: &[u8], header: &ExecutionHeader) -> Result<Self, BodyError> {
        if json.len() > Self::MAX_JSON_BYTES {
            return Err(BodyError::TooLarge { got: json.len(), limit: Self::MAX_JSON_BYTES });
        }
        let block: BlockJson<'_> = serde_json::from_slice(json).map_err(|_| BodyError::NotABlock)?;
        let fields = Fields::read(header.rlp()).ok_or(BodyError::NotABlock)?;
        let named = |BadField(field): BadField| BodyError::Header { field };
        if fields.word(index::UNCLES).map_err(named)? != NO_UNCLES {
            return Err(BodyError::Header { field: "sha3Uncles" });
        }
        let transactions = encode_all(&block.transactions)?;
        let expected = fields.word(index::TRANSACTIONS_ROOT).map_err(named)?;
        check("transactionsRoot", ordered_root(&transactions), expected)?;
        let withdrawals = if fields.len() > index::WITHDRAWALS_ROOT {
            let expected = fields.word(index::WITHDRAWALS_ROOT).map_err(named)?;
            Some(withdrawals(block.withdrawals.as_deref().unwrap_or_default(), expected)?)
        } else {
            None
        };
        let size = size(header, &transactions, withdrawals.as_deref());
        let hashes = transactions.iter().map(keccak256).collect();
        let raw = transactions.into_iter().map(Bytes::from).collect();
        Ok(Self { transactions: hashes, raw, withdrawals, size })
    }

    /// Returns the hashes of the transactions.
    pub fn transactions(&self) -> &[B256] {
        &self.transactions
    }

    /// Returns the transactions as the trie of transactions has them (EIP-2718): what their hashes are of.
    pub fn raw_transactions(&self) -> &[Bytes] {
        &self.raw
    }

    /// Returns the withdrawals; `None` before Shanghai.
    pub fn withdrawals(&self) -> Option<&[Withdrawal]> {
        self.withdrawals.as_deref()
    }

    /// Returns the length of the block's RLP, in bytes.
    pub const fn size(&self) -> usize {
        self.size
    }
}

fn encode_all(transactions: &[&RawValue]) -> Result<Vec<Vec<u8>>, BodyError> {
    let encode = |(place, raw): (usize, &&RawValue)| {
        let read: Result<TransactionJson<'_>, _> = serde_json::from_str(raw.get());
        let encoded = read.map_err(|_| Unencoded::Malformed).and_then(|transaction| transaction.encode());
        encoded.map_err(|error| match error {
            Unencoded::UnknownType => BodyError::UnknownTransaction { place },
            Unencoded::Malformed => BodyError::Malformed { place },
        })
    };
    transactions.iter().enumerate().map(encode).collect()
}

fn withdrawals(list: &[WithdrawalJson<'_>], expected: B256) -> Result<Vec<Withdrawal>, BodyError> {
    let read: Option<Vec<Withdrawal>> = list.iter().map(WithdrawalJson::read).collect();
    let read = read.ok_or(BodyError::NotABlock)?;
    let encoded: Vec<Vec<u8>> = read.iter().map(Withdrawal::encode).collect();
    check("withdrawalsRoot", ordered_root(&encoded), expected)?;
    Ok(read)
}

fn check(field: &'static str, got: B256, expected: B256) -> Result<(), BodyError> {
    if got == expected { Ok(()) } else { Err(BodyError::RootMismatch { field, got, expected }) }
}

/// The length of the block's RLP: the header, and the lists of transactions, uncles and withdrawals.
fn size(header: &ExecutionHeader, transactions: &[Vec<u8>], withdrawals: Option<&[Withdrawal]>) -> usize {
    let mut items = Vec::new();
    for transaction in transactions {
        match transaction.first() {
            // A list stands as it is; a typed transaction is a string in the list (EIP-2718).
            Some(first) if *first >= alloy_rlp::EMPTY_LIST_CODE => items.extend_from_slice(transaction),
            _ => transaction.as_slice().encode(&mut items),
        }
    }
    let mut block = header.rlp().len().saturating_add(list(&items).len()).saturating_add(1);
    if let Some(withdrawals) = withdrawals {
        let encoded: Vec<u8> = withdrawals.iter().flat_map(Withdrawal::encode).collect();
        block = block.saturating_add(list(&encoded).len());
    }
    alloy_rlp::Header { list: true, payload_length: block }.length().saturating_add(block)
}
