//! The subject of a reading.

use std::fmt;

use alloy_primitives::Address;
use saldo_beacon::Network;

/// A network, named by its chain id (EIP-155).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId(u64);

impl NetworkId {
    /// Returns the network with this chain id.
    pub const fn new(chain_id: u64) -> Self {
        Self(chain_id)
    }

    /// Returns the chain id.
    pub const fn chain_id(self) -> u64 {
        self.0
    }

    /// Returns the type of the network's coin ([SLIP-44](https://github.com/satoshilabs/slips/blob/master/slip-0044.md)), as CAIP-19
    /// writes it: 700 on Gnosis, whose coin is xDAI, and 60, which is ether, elsewhere.
    pub const fn coin_type(self) -> u32 {
        const GNOSIS: u64 = 100;
        if self.0 == GNOSIS { 700 } else { 60 }
    }
}

impl From<&Network> for NetworkId {
    fn from(network: &Network) -> Self {
        Self(network.chain_id())
    }
}

/// As [CAIP-2](https://chainagnostic.org/CAIPs/caip-2) writes it: `eip155:1`.
impl fmt::Display for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "eip155:{}", self.0)
    }
}

/// A kind of value that an address can hold on one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Asset {
    /// The network's own coin, in wei.
    Native,
    /// An ERC-20 token, by its contract. It is proven by the layout that was established for its code ([`saldo_token::layouts`]) or,
    /// with the feature `execute` of `saldo`, by running its code; else a reading of it is unknown, with the reason.
    Erc20(Address),
}

/// One asset of one owner on one network: the subject of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holding {
    network: NetworkId,
    owner: Address,
    asset: Asset,
}

impl Holding {
    /// Returns the holding of the network's own coin by `owner`.
    pub const fn native(network: NetworkId, owner: Address) -> Self {
        Self::of(network, owner, Asset::Native)
    }

    /// Returns the holding of the ERC-20 token at `token` by `owner`.
    pub const fn erc20(network: NetworkId, owner: Address, token: Address) -> Self {
        Self::of(network, owner, Asset::Erc20(token))
    }

    /// Returns the holding of `asset` by `owner`.
    pub const fn of(network: NetworkId, owner: Address, asset: Asset) -> Self {
        Self { network, owner, asset }
    }

    /// Returns the network that the asset is on.
    pub const fn network(&self) -> NetworkId {
        self.network
    }

    /// Returns the address that holds it.
    pub const fn owner(&self) -> Address {
        self.owner
    }

    /// Returns the kind of value.
    pub const fn asset(&self) -> Asset {
        self.asset
    }
}
