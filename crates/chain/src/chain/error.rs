//! Why a header or a head was not taken into the chain.

use alloy_primitives::B256;

/// How many blocks below a signed head are taken.
pub(super) const MAX_ANCESTRY: u64 = 64;

/// Why a header or a head was not taken into the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The header is nobody's parent here, and no head's. The caller's fault: it was not asked for, or no longer.
    #[error("block {hash} is no head's, and the parent of no block that is trusted")]
    NotAParent {
        /// The header's hash.
        hash: B256,
    },
    /// The header says another number than its child's minus one. Whoever signed the child signed nonsense.
    #[error("block {hash} says number {got}, expected {expected}")]
    Number {
        /// The header's hash.
        hash: B256,
        /// The number it says.
        got: u64,
        /// One less than its child's.
        expected: u64,
    },
    /// More than [`Chain::MAX_ANCESTRY`](crate::Chain::MAX_ANCESTRY) blocks below the signed head. The caller's fault.
    #[error("more than {} blocks below the signed head", MAX_ANCESTRY)]
    TooDeep,
    /// The head lies below what is final: there is nothing to learn from it. Nobody's fault.
    #[error("block {number} lies below block {finalized}, which is final")]
    BelowFinal {
        /// The block's number.
        number: u64,
        /// The number of the finalized head.
        finalized: u64,
    },
    /// Two signed blocks of one number, one of them finalized: the validators contradicted themselves.
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
