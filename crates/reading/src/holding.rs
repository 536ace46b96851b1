//! The subject of a reading.

use alloy_primitives::Address;

/// A kind of value that an address can hold on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Asset {
    /// The chain's own coin, in wei.
    Native,
    /// An ERC-20 token, by its contract. This version cannot read tokens: a reading of one is unknown, with that reason.
    Erc20(Address),
}

/// One asset of one owner: the subject of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holding {
    /// The address that holds it.
    pub owner: Address,
    /// The kind of value.
    pub asset: Asset,
}

impl Holding {
    /// Returns the holding of the chain's own coin by `owner`.
    pub fn native(owner: Address) -> Self {
        Self { owner, asset: Asset::Native }
    }
}
