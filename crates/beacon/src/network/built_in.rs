//! The networks that come with saldo. Their files have the same format as those of a user.

use super::Network;
use super::file::NetworkFile;

const MAINNET: &str = include_str!("mainnet.toml");
const SEPOLIA: &str = include_str!("sepolia.toml");
const HOODI: &str = include_str!("hoodi.toml");
const GNOSIS: &str = include_str!("gnosis.toml");

impl Network {
    /// Returns Ethereum mainnet. Its checkpoint is too old to start from. It only decides which source is right when
    /// checkpoint sources disagree.
    pub fn mainnet() -> Self {
        parsed(MAINNET)
    }

    /// Returns the Sepolia testnet, without a checkpoint.
    pub fn sepolia() -> Self {
        parsed(SEPOLIA)
    }

    /// Returns the Hoodi testnet, without a checkpoint.
    pub fn hoodi() -> Self {
        parsed(HOODI)
    }

    /// Returns Gnosis, without a checkpoint: slots of 5 s, 16 in an epoch, and 512 epochs in a period of its sync committee.
    ///
    /// It is not one of [`Network::built_in`]: there is no directory of its endpoints yet.
    pub fn gnosis() -> Self {
        parsed(GNOSIS)
    }

    /// Returns the networks that come with saldo and with a directory of endpoints: mainnet, Sepolia, Hoodi.
    pub fn built_in() -> [Self; 3] {
        [Self::mainnet(), Self::sepolia(), Self::hoodi()]
    }

    /// Returns the network with that name, if it comes with saldo: one of [`Network::built_in`], or [`Network::gnosis`].
    pub fn named(name: &str) -> Option<Self> {
        Self::built_in().into_iter().chain([Self::gnosis()]).find(|network| network.name() == name)
    }
}

fn parsed(file: &str) -> Network {
    let network = NetworkFile::plain(file).ok().and_then(|file| Network::of_file(file).ok());
    network.expect("the files are part of the crate, and a test reads each of them")
}

#[cfg(test)]
#[cfg(feature = "toml")]
mod tests {
    use super::*;

    #[test]
    fn the_general_parser_reads_the_same_networks() {
        let files = [MAINNET, SEPOLIA, HOODI].map(|file| Network::from_toml(file).unwrap());
        assert_eq!(files, Network::built_in());
        assert_eq!(Network::from_toml(GNOSIS).unwrap(), Network::gnosis());
    }
}
