//! The subject of a reading.

use saldo::NetworkId;

use crate::address;

/// One asset of one owner on one network. It is an address and no proof.
#[derive(Clone, Debug, PartialEq, Eq, Hash, uniffi::Record)]
pub struct Holding {
    /// The chain id (EIP-155) of the network. `SaldoClient::native` fills it in.
    pub network_id: u64,
    /// The address of the owner: 0x and 40 hexadecimal digits. With a wrong checksum, the reading is `malformed_address`.
    pub owner: String,
    /// The contract of an ERC-20 token; none for the network's own coin.
    #[uniffi(default = None)]
    pub token: Option<String>,
}

impl Holding {
    /// Returns the holding for the client; `None` if an address is malformed.
    pub(crate) fn read(&self) -> Option<saldo::Holding> {
        let owner = address::parse(&self.owner)?;
        let asset = match &self.token {
            None => saldo::Asset::Native,
            Some(token) => saldo::Asset::Erc20(address::parse(token)?),
        };
        Some(saldo::Holding::of(NetworkId::new(self.network_id), owner, asset))
    }
}

impl From<&saldo::Holding> for Holding {
    fn from(holding: &saldo::Holding) -> Self {
        let token = match holding.asset() {
            saldo::Asset::Erc20(token) => Some(token.to_checksum(None)),
            _ => None,
        };
        Self { network_id: holding.network().chain_id(), owner: holding.owner().to_checksum(None), token }
    }
}
