//! Block ids in the form of alloy.

use alloy_eips::{BlockId as Named, BlockNumberOrTag};
use saldo::BlockId;

use crate::error::NotAnswered;

/// The block that `named` means.
pub(crate) fn block_id(named: Named) -> Result<BlockId, NotAnswered> {
    match named {
        // A block that is proven to be canonical satisfies both forms.
        Named::Hash(hash) => Ok(BlockId::Hash(hash.block_hash)),
        Named::Number(BlockNumberOrTag::Latest) => Ok(BlockId::Latest),
        Named::Number(BlockNumberOrTag::Safe | BlockNumberOrTag::Finalized) => Ok(BlockId::Finalized),
        Named::Number(BlockNumberOrTag::Number(number)) => Ok(BlockId::Number(number)),
        Named::Number(BlockNumberOrTag::Pending) => {
            Err(NotAnswered::Unsupported { what: "the block `pending` (name `latest` or another block)" })
        }
        Named::Number(BlockNumberOrTag::Earliest) => {
            Err(NotAnswered::Unsupported { what: "the block `earliest`" })
        }
    }
}
