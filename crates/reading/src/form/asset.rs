//! Holdings and assets in serialised forms.

use std::fmt;

use alloy_primitives::Address;
use serde::{Serialize, Serializer};

use crate::holding::{Asset, Holding};

/// An asset with its chain, as [CAIP-19](https://chainagnostic.org/CAIPs/caip-19) writes it. The native coin of every
/// chain with Ethereum's addresses has the coin type 60 of SLIP-44.
pub(super) struct AssetId {
    pub(super) chain_id: u64,
    pub(super) asset: Asset,
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.asset {
            Asset::Native => write!(f, "eip155:{}/slip44:60", self.chain_id),
            Asset::Erc20(contract) => write!(f, "eip155:{}/erc20:{contract:#x}", self.chain_id),
        }
    }
}

impl Serialize for AssetId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Serialize)]
struct HoldingForm {
    address: Address,
    token: Option<Address>,
}

/// As `address` and `token`, the token's contract; `token` is null for the chain's own coin.
impl Serialize for Holding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let token = match self.asset {
            Asset::Native => None,
            Asset::Erc20(contract) => Some(contract),
        };
        HoldingForm { address: self.owner, token }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_named_with_its_chain() {
        let contract = Address::repeat_byte(0xab);
        let [native, token] =
            [Asset::Native, Asset::Erc20(contract)].map(|asset| AssetId { chain_id: 10, asset });
        assert_eq!(native.to_string(), "eip155:10/slip44:60");
        assert_eq!(token.to_string(), format!("eip155:10/erc20:0x{}", "ab".repeat(20)));
    }
}
