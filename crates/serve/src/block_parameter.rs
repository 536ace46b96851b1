//! The block that a call names: a tag, a number, a hash, or an object with one of them.

use alloy_primitives::B256;
use saldo::BlockId;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::RpcError;
use crate::quantity::read_quantity;

/// The block that a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockParameter {
    /// A block that can be proven, or not known.
    Block(BlockId),
    /// The next block, which no committee has signed.
    Pending,
}

/// The object of EIP-1898. Its block is always proven to be of the chain that the committee signs, so `requireCanonical` changes
/// nothing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BlockObject<'a> {
    block_number: Option<&'a str>,
    block_hash: Option<&'a str>,
    #[serde(default, rename = "requireCanonical")]
    _require_canonical: Option<bool>,
}

impl BlockParameter {
    const NEXT: &'static str =
        "Name `latest`, `finalized`, the number or the hash of one of the last 64 blocks.";

    /// Reads the parameter. Without one it is the newest block.
    ///
    /// # Errors
    /// [`RpcError`] if it is malformed, or names a block that is never proven.
    pub(crate) fn read(parameter: Option<&RawValue>) -> Result<Self, RpcError> {
        let Some(text) = parameter.map(RawValue::get).filter(|text| *text != "null") else {
            return Ok(Self::Block(BlockId::Latest));
        };
        if text.starts_with('{') {
            return Self::of_object(text);
        }
        let text: &str = serde_json::from_str(text).map_err(|_| malformed())?;
        match text {
            "latest" => Ok(Self::Block(BlockId::Latest)),
            // Of the blocks that a light client knows, the finalized ones are safe from being replaced.
            "finalized" | "safe" => Ok(Self::Block(BlockId::Finalized)),
            "pending" => Ok(Self::Pending),
            "earliest" => Err(RpcError::refused(
                "earliest_refused",
                "the block `earliest` is not proven: only the last 64 blocks are",
                Self::NEXT,
            )),
            _ => number(text).or_else(|| hash(text)).map(Self::Block).ok_or_else(malformed),
        }
    }

    fn of_object(text: &str) -> Result<Self, RpcError> {
        let object: BlockObject<'_> = serde_json::from_str(text).map_err(|_| malformed())?;
        let id = match (object.block_number, object.block_hash) {
            (Some(text), None) => number(text),
            (None, Some(text)) => hash(text),
            // Two blocks at once, or none.
            _ => None,
        };
        id.map(Self::Block).ok_or_else(malformed)
    }

    /// The block, or a refusal of `pending`.
    ///
    /// # Errors
    /// [`RpcError`] for `pending`.
    pub(crate) fn provable(self) -> Result<BlockId, RpcError> {
        match self {
            Self::Block(id) => Ok(id),
            Self::Pending => Err(RpcError::refused(
                "pending_refused",
                "the block `pending` is not proven: what is not in a block cannot be",
                "Name `latest`, or start the server with --pass-through, which answers without proof.",
            )),
        }
    }
}

fn number(text: &str) -> Option<BlockId> {
    read_quantity(text).and_then(|number| number.try_into().ok()).map(BlockId::Number)
}

fn hash(text: &str) -> Option<BlockId> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 64)?;
    digits.parse::<B256>().ok().map(BlockId::Hash)
}

fn malformed() -> RpcError {
    RpcError::invalid_params(
        "the block must be a tag, a quantity without leading zeros, a hash, or an object with one of `blockNumber` and `blockHash`",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Result<BlockParameter, RpcError> {
        let raw = serde_json::value::to_raw_value(value).unwrap();
        BlockParameter::read(Some(&raw))
    }

    #[test]
    fn every_form_of_a_block_is_read() {
        let hash = B256::repeat_byte(0xab);
        let cases = [
            (json!("latest"), BlockId::Latest),
            (json!(null), BlockId::Latest),
            (json!("finalized"), BlockId::Finalized),
            (json!("safe"), BlockId::Finalized),
            (json!("0x0"), BlockId::Number(0)),
            (json!("0x10"), BlockId::Number(16)),
            (json!(hash), BlockId::Hash(hash)),
            (json!({ "blockNumber": "0x10" }), BlockId::Number(16)),
            (json!({ "blockHash": hash }), BlockId::Hash(hash)),
            (json!({ "blockHash": hash, "requireCanonical": true }), BlockId::Hash(hash)),
        ];
        for (value, id) in cases {
            assert_eq!(read(&value), Ok(BlockParameter::Block(id)), "{value}");
        }
        assert_eq!(BlockParameter::read(None), Ok(BlockParameter::Block(BlockId::Latest)));
        assert_eq!(read(&json!("pending")), Ok(BlockParameter::Pending));
    }

    #[test]
    fn what_names_no_block_is_refused() {
        for value in [
            json!(16),
            json!("16"),
            json!("0x010"),
            json!("0x"),
            json!("newest"),
            json!("0x10000000000000000"),
            json!({}),
            json!([]),
            json!(true),
            json!({ "blockNumber": "latest" }),
            json!({ "blockNumber": "0x1", "blockHash": B256::ZERO }),
            json!({ "blockHash": "0x1" }),
            json!({ "blockNumber": "0x1", "other": 1 }),
        ] {
            let error = read(&value).unwrap_err();
            assert!(json!(error)["code"] == -32_602, "{value}: {error:?}");
        }
        let error = json!(read(&json!("earliest")).unwrap_err());
        assert_eq!((&error["code"], &error["data"]["reason"]), (&json!(-32_004), &json!("earliest_refused")));
    }
}
