//! Why a header or a head was not taken into the chain.

use alloy_primitives::B256;

/// How many blocks below a signed head are taken.
pub(super) const MAX_ANCESTRY: u64 = 64;

/// Why a header or a head was not taken into the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The header is not of a head, and not of the parent of a trusted block. The caller's fault: the chain did not ask
    /// for it, or no longer needs it.
    #[error("block {hash} is neither a head nor the parent of a trusted block")]
    NotAParent {
        /// The header's hash.
        hash: B256,
    },
    /// The header's number is not its child's minus one. The validators that signed the child signed an invalid block.
    #[error("block {hash} has the number {got}, expected {expected}")]
    Number {
        /// The header's hash.
        hash: B256,
        /// The number in the header.
        got: u64,
        /// One less than its child's.
        expected: u64,
    },
    /// The block is more than [`Chain::MAX_ANCESTRY`](crate::Chain::MAX_ANCESTRY) blocks below the signed head. The
    /// caller's fault.
    #[error("the block is more than {} blocks below the signed head", MAX_ANCESTRY)]
    TooDeep,
    /// The head lies below the final head, so it adds nothing. No party is at fault.
    #[error("block {number} lies below block {finalized}, which is final")]
    BelowFinal {
        /// The block's number.
        number: u64,
        /// The number of the finalized head.
        finalized: u64,
    },
    /// The block excludes a block of a rollup for which L1 vouches. Neither is dropped for the other here: which of two games counts is
    /// decided where they are [accepted](crate::Chain::accept).
    #[error("block {number} is {got}, but L1 vouches for {held}")]
    Vouched {
        /// The number of both blocks.
        number: u64,
        /// The hash of the block that is held.
        held: B256,
        /// The hash of the other one.
        got: B256,
    },
    /// Validators signed two blocks of one number, one of which is finalized: they contradicted themselves.
    #[error("block {finalized} is finalized, but block {signed} of the same number {number} was signed")]
    ConsensusFault {
        /// The block number.
        number: u64,
        /// The finalized block's hash.
        finalized: B256,
        /// The other block's hash.
        signed: B256,
    },
}
