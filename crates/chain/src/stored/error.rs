//! Why bytes are not the anchor that was stored.

use alloy_primitives::B256;

use crate::header::HeaderError;

/// The most bytes that are read.
pub(super) const MAX_BYTES: usize = 16_384;

/// Why bytes are not the anchor that was stored. The device's fault, or that of whoever else writes there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredAnchorError {
    /// More than [`Anchor::MAX_STORED_BYTES`](crate::Anchor::MAX_STORED_BYTES).
    #[error("a stored block of {got} bytes, at most {} are read", MAX_BYTES)]
    TooLarge {
        /// Bytes given.
        got: usize,
    },
    /// Not laid out as [`Anchor::to_bytes`](crate::Anchor::to_bytes) does.
    #[error("a stored block is malformed")]
    Malformed,
    /// It is of another chain.
    #[error("a stored block of chain {got}, expected chain {expected}")]
    OtherChain {
        /// The chain id stored.
        got: u64,
        /// The chain id expected.
        expected: u64,
    },
    /// The header does not hash to the hash stored beside it, or is no header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The payload header has another hash tree root than the one stored beside it.
    #[error("the stored payload header has the root {got}, expected {expected}")]
    PayloadRoot {
        /// Its hash tree root.
        got: B256,
        /// The root stored.
        expected: B256,
    },
}
