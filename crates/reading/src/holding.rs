//! What is asked about.

use alloy_primitives::Address;

/// A kind of value that an address can hold on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Asset {
    /// The chain's own coin, in wei.
    Native,
    /// An ERC-20 token, by its contract. Not readable yet: a reading of it is unknown, and says so.
    Erc20(Address),
}

/// One asset of one owner: what a reading is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holding {
    /// Whose.
    pub owner: Address,
    /// What.
    pub asset: Asset,
}

impl Holding {
    /// The chain's own coin held by `owner`.
    pub fn native(owner: Address) -> Self {
        Self { owner, asset: Asset::Native }
    }
}
