//! An execution header that has the expected hash, from raw RLP or from the JSON of a block.

use alloy_primitives::{B256, Bytes, U256, keccak256};
use saldo_beacon::unit::UnixTime;
use saldo_proof::StateRoot;
use serde_json::{Map, Value};

use crate::fields::{BadField, Fields};
use crate::layout::{ALWAYS, FIELDS, Kind, index};

/// Why bytes are not the requested header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The header is larger than any valid one ([`ExecutionHeader::MAX_BYTES`], or
    /// [`ExecutionHeader::MAX_JSON_BYTES`]). The provider's fault.
    #[error("the header has {got} bytes, more than {limit}")]
    TooLarge {
        /// Bytes received.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// The bytes have another hash: of another block, or of an edited one. The provider's fault.
    #[error("the header hashes to {got}, expected {expected}")]
    HashMismatch {
        /// keccak256 of the header's RLP.
        got: B256,
        /// The expected hash.
        expected: B256,
    },
    /// The block has fields that this version of saldo does not know, so its hash cannot be computed. No party is at
    /// fault: the wallet should be updated.
    #[error("the block has a field that this version does not know: its hash cannot be computed")]
    UnknownLayout,
    /// The bytes are not an RLP list or not a JSON object. The provider's fault.
    #[error("the bytes are not a header")]
    NotAHeader,
    /// A field is missing or has another type. The provider's fault.
    #[error("the header's field {field} is missing or malformed")]
    Field {
        /// The field's name in the execution API.
        field: &'static str,
    },
}

/// An execution header whose keccak256 is the expected hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionHeader {
    hash: B256,
    parent_hash: B256,
    state_root: StateRoot,
    number: u64,
    timestamp: UnixTime,
    rlp: Bytes,
}

impl ExecutionHeader {
    /// The most bytes of RLP that are read. A header of today's layout has about 650.
    pub const MAX_BYTES: usize = 4_096;
    /// The most bytes of JSON that are read. A block with transaction hashes and withdrawals has about 100 KB.
    pub const MAX_JSON_BYTES: usize = 1 << 20;

    /// Reads raw RLP (`debug_getRawHeader`). Later fields may be unknown to saldo, because the hash covers them too.
    ///
    /// # Errors
    /// [`HeaderError`] if the bytes do not hash to `expected` or are not a header.
    pub fn from_rlp(rlp: &[u8], expected: B256) -> Result<Self, HeaderError> {
        if rlp.len() > Self::MAX_BYTES {
            return Err(HeaderError::TooLarge { got: rlp.len(), limit: Self::MAX_BYTES });
        }
        let got = keccak256(rlp);
        if got != expected {
            return Err(HeaderError::HashMismatch { got, expected });
        }
        let fields =
            Fields::read(rlp).filter(|fields| fields.len() >= ALWAYS).ok_or(HeaderError::NotAHeader)?;
        let named = |BadField(field): BadField| HeaderError::Field { field };
        Ok(Self {
            hash: got,
            parent_hash: fields.word(index::PARENT_HASH).map_err(named)?,
            state_root: StateRoot::new(fields.word(index::STATE_ROOT).map_err(named)?),
            number: fields.integer(index::NUMBER).map_err(named)?,
            timestamp: UnixTime::from_secs(fields.integer(index::TIMESTAMP).map_err(named)?),
            rlp: Bytes::copy_from_slice(rlp),
        })
    }

    /// Encodes the JSON of a block (`eth_getBlockByHash`) as RLP again, by the table of known fields, and reads that.
    ///
    /// # Errors
    /// [`HeaderError`] if the result does not hash to `expected`; [`HeaderError::UnknownLayout`] if the reason may be
    /// that the block has a field that is not in the table.
    pub fn from_json(json: &[u8], expected: B256) -> Result<Self, HeaderError> {
        if json.len() > Self::MAX_JSON_BYTES {
            return Err(HeaderError::TooLarge { got: json.len(), limit: Self::MAX_JSON_BYTES });
        }
        let Ok(Value::Object(block)) = serde_json::from_slice(json) else {
            return Err(HeaderError::NotAHeader);
        };
        match Self::from_rlp(&rebuild(&block)?, expected) {
            Err(HeaderError::HashMismatch { .. }) if has_unknown_field(&block) => {
                Err(HeaderError::UnknownLayout)
            }
            outcome => outcome,
        }
    }

    /// Encodes the JSON of a block whose hash is not known yet, as [`ExecutionHeader::from_json`] does. The header has the hash that
    /// the JSON names; nothing says that such a block is in any chain.
    ///
    /// # Errors
    /// [`HeaderError`] if the JSON names no hash, or another one than that of its header.
    pub fn from_json_as_named(json: &[u8]) -> Result<Self, HeaderError> {
        #[derive(serde::Deserialize)]
        struct Named {
            hash: B256,
        }
        if json.len() > Self::MAX_JSON_BYTES {
            return Err(HeaderError::TooLarge { got: json.len(), limit: Self::MAX_JSON_BYTES });
        }
        let Named { hash } =
            serde_json::from_slice(json).map_err(|_| HeaderError::Field { field: "hash" })?;
        Self::from_json(json, hash)
    }

    /// Returns the block hash.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// Returns the parent's block hash.
    pub fn parent_hash(&self) -> B256 {
        self.parent_hash
    }

    /// Returns the root of the state after this block.
    pub fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns the block number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the block's own time.
    pub fn timestamp(&self) -> UnixTime {
        self.timestamp
    }

    /// Returns the root of the withdrawals; `None` if the header has none. In a rollup of the OP Stack it is, since the upgrade
    /// Isthmus, the storage root of the contract that holds the messages to L1.
    pub fn withdrawals_root(&self) -> Option<B256> {
        Fields::read(&self.rlp)?.word(index::WITHDRAWALS_ROOT).ok()
    }

    /// Returns the RLP, which hashes to the block's hash.
    pub fn rlp(&self) -> &Bytes {
        &self.rlp
    }

    /// Returns the fields by their names in the execution API, as that API writes them, with the block's `hash`. Fields that this
    /// version does not know are left out.
    ///
    /// # Errors
    /// [`HeaderError::Field`] if a field has another type than in every known layout.
    pub fn to_json(&self) -> Result<Map<String, Value>, HeaderError> {
        let fields = Fields::read(&self.rlp).ok_or(HeaderError::NotAHeader)?;
        let mut block = Map::new();
        block.insert("hash".to_owned(), self.hash.to_string().into());
        for (at, (name, kind)) in FIELDS.into_iter().enumerate().take(fields.len()) {
            let text = fields.text(at, kind).map_err(|BadField(field)| HeaderError::Field { field })?;
            block.insert(name.to_owned(), text.into());
        }
        Ok(block)
    }
}

/// Fields of a block object that are not part of its header (execution-apis, `Block`; older and L2 clients).
const BESIDE_THE_HEADER: [&str; 9] = [
    "hash",
    "size",
    "totalDifficulty",
    "transactions",
    "uncles",
    "withdrawals",
    "author",
    "sealFields",
    "number",
];

fn has_unknown_field(block: &Map<String, Value>) -> bool {
    block
        .keys()
        .any(|key| !FIELDS.iter().any(|(name, _)| name == key) && !BESIDE_THE_HEADER.contains(&key.as_str()))
}

fn rebuild(block: &Map<String, Value>) -> Result<Vec<u8>, HeaderError> {
    let mut payload = Vec::with_capacity(700);
    let mut ended = false;
    for (at, (name, kind)) in FIELDS.into_iter().enumerate() {
        let malformed = HeaderError::Field { field: name };
        let text = match block.get(name) {
            None | Some(Value::Null) if at >= ALWAYS => {
                ended = true;
                continue;
            }
            Some(Value::String(text)) if !ended => text,
            // The field is missing or of another type, or an optional field follows a missing one.
            _ => return Err(malformed),
        };
        encode(text, kind, &mut payload).ok_or(malformed)?;
    }
    let mut header = Vec::with_capacity(payload.len().saturating_add(4));
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut header);
    header.extend_from_slice(&payload);
    Ok(header)
}

fn encode(text: &str, kind: Kind, payload: &mut Vec<u8>) -> Option<()> {
    use alloy_rlp::Encodable;
    let digits = text.strip_prefix("0x")?;
    match kind {
        Kind::Integer => {
            if digits.is_empty() || digits.len() > 64 {
                return None;
            }
            U256::from_str_radix(digits, 16).ok()?.encode(payload);
        }
        Kind::Fixed(length) => {
            let bytes = alloy_primitives::hex::decode(digits).ok().filter(|bytes| bytes.len() == length)?;
            bytes.as_slice().encode(payload);
        }
        Kind::Bytes(most) => {
            let bytes = alloy_primitives::hex::decode(digits).ok().filter(|bytes| bytes.len() <= most)?;
            bytes.as_slice().encode(payload);
        }
    }
    Some(())
}

#[cfg(test)]
#[path = "header_tests.rs"]
pub(crate) mod tests;
