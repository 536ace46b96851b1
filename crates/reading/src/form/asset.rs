//! Holdings and assets in serialised forms.

use std::fmt;

use alloy_primitives::Address;
use serde::{Serialize, Serializer};

use crate::holding::{Asset, Holding, NetworkId};

/// An asset with its network, as [CAIP-19](https://chainagnostic.org/CAIPs/caip-19) writes it.
pub(super) struct AssetId {
    pub(super) network: NetworkId,
    pub(super) asset: Asset,
}

impl AssetId {
    pub(super) fn of(holding: &Holding) -> Self {
        Self { network: holding.network(), asset: holding.asset() }
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.asset {
            Asset::Native => write!(f, "{}/slip44:{}", self.network, self.network.coin_type()),
            Asset::Erc20(contract) => write!(f, "{}/erc20:{contract:#x}", self.network),
        }
    }
}

impl Serialize for AssetId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The contract of the token; `None` for the network's own coin.
pub(super) fn token_of(holding: &Holding) -> Option<Address> {
    match holding.asset() {
        Asset::Native => None,
        Asset::Erc20(contract) => Some(contract),
    }
}

#[derive(Serialize)]
struct HoldingForm {
    chain_id: u64,
    address: Address,
    token: Option<Address>,
}

/// As `chain_id`, `address` and `token`, the token's contract; `token` is null for the network's own coin.
impl Serialize for Holding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (chain_id, address, token) = (self.network().chain_id(), self.owner(), token_of(self));
        HoldingForm { chain_id, address, token }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_named_with_its_chain() {
        let contract = Address::repeat_byte(0xab);
        let [native, token] = [Asset::Native, Asset::Erc20(contract)]
            .map(|asset| AssetId { network: NetworkId::new(10), asset });
        assert_eq!(native.to_string(), "eip155:10/slip44:60");
        let gnosis = AssetId { network: NetworkId::new(100), asset: Asset::Native };
        assert_eq!(gnosis.to_string(), "eip155:100/slip44:700");
        assert_eq!(token.to_string(), format!("eip155:10/erc20:0x{}", "ab".repeat(20)));
    }
}
