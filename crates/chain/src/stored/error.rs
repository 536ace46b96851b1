//! Why bytes are not the anchor that was stored.

use alloy_primitives::B256;

use crate::header::HeaderError;

/// The most bytes that are read.
pub(super) const MAX_BYTES: usize = 16_384;

/// Why bytes are not the anchor that was stored. The fault of the device, or of other software that writes there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredAnchorError {
    /// The bytes are more than [`Anchor::MAX_STORED_BYTES`](crate::Anchor::MAX_STORED_BYTES).
    #[error("the stored block has {got} bytes, at most {} are read", MAX_BYTES)]
    TooLarge {
        /// Bytes given.
        got: usize,
    },
    /// The bytes do not have the layout of [`Anchor::to_bytes`](crate::Anchor::to_bytes).
    #[error("the stored block is malformed")]
    Malformed,
    /// The block is of another chain.
    #[error("the stored block is of chain {got}, expected chain {expected}")]
    OtherChain {
        /// The chain id stored.
        got: u64,
        /// The chain id expected.
        expected: u64,
    },
    /// The header does not hash to the stored hash, or is not a header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The hash tree root of the payload header is not the stored root.
    #[error("the stored payload header has the root {got}, expected {expected}")]
    PayloadRoot {
        /// Its hash tree root.
        got: B256,
        /// The root stored.
        expected: B256,
    },
}
