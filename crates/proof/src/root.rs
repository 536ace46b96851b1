//! Roots of tries. A root alone proves nothing: other crates check that a signed header contains it.

use core::fmt;

use alloy_primitives::B256;

use crate::trie::EMPTY_ROOT_HASH;

/// The root of a state trie, as in a header's `state_root`: all accounts of a chain at one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateRoot(B256);

/// The root of a storage trie: all slots of one account at one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageRoot(B256);

impl StorageRoot {
    /// The storage root of an account without storage.
    pub const EMPTY: Self = Self(EMPTY_ROOT_HASH);
}

macro_rules! root {
    ($name:ident) => {
        impl $name {
            /// Names a root. It is only a claim until a signed header contains it.
            pub const fn new(hash: B256) -> Self {
                Self(hash)
            }

            /// Returns the hash.
            pub const fn get(self) -> B256 {
                self.0
            }
        }

        impl AsRef<B256> for $name {
            fn as_ref(&self) -> &B256 {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                // `#` writes all digits; without it the hash is shortened.
                write!(formatter, "{:#x}", self.0)
            }
        }
    };
}

root!(StateRoot);
root!(StorageRoot);
