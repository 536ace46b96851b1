//! Lists of endpoints, with what is publicly documented about each.
//!
//! A directory is data. saldo has one for each built-in network, and a user's own replaces or extends it. No directory is ever
//! fetched. Its entries were found in documentation, not tested: an endpoint may not answer. No answer is believed because of
//! the endpoint that gave it.

mod error;
mod file;
mod listed;
#[cfg(feature = "toml")]
mod toml_file;

use saldo_beacon::Network;

use file::Tables;

pub use error::DirectoryError;
pub use listed::Listed;

const MAINNET: &str = include_str!("directory/mainnet.toml");
const SEPOLIA: &str = include_str!("directory/sepolia.toml");
const HOODI: &str = include_str!("directory/hoodi.toml");

/// The endpoints of one network, by role, in the order in which they are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    rpc: Vec<Listed>,
    beacon: Vec<Listed>,
    checkpoint_sources: Vec<Listed>,
}

impl Directory {
    /// Returns the built-in directory of the network with this genesis validators root; an empty one for other networks.
    pub fn of(network: &Network) -> Self {
        let built_in = Network::built_in().into_iter().zip([MAINNET, SEPOLIA, HOODI]);
        let is_same = |known: &Network| known.genesis_validators_root() == network.genesis_validators_root();
        let file = built_in.into_iter().find(|(known, _)| is_same(known)).map(|(_, file)| file);
        let mut directory = file.map_or_else(Self::default, |file| {
            let read = file::read_built_in(file).map(Self::new);
            read.expect("the files are part of the crate, and a test reads each of them")
        });
        for listed in directory.listed_mut() {
            listed.mark_built_in();
        }
        directory
    }

    /// Reads the tables `[[rpc]]`, `[[beacon]]` and `[[checkpoint_source]]` from TOML: from a file of their own, or from a network
    /// file ([`Network::from_toml`]) or the profile of a rollup, whose other fields are not read. Without the feature `toml`, the text must be
    /// in [plain lines](saldo_beacon::plain_toml).
    ///
    /// # Errors
    /// [`DirectoryError`] if a field is missing, unknown, malformed or too long, or two endpoints in one table have the same name.
    pub fn from_toml(text: &str) -> Result<Self, DirectoryError> {
        file::read(text).map(Self::new)
    }

    fn new(tables: Tables) -> Self {
        let Tables { rpc, beacon, checkpoint_sources } = tables;
        Self { rpc, beacon, checkpoint_sources }
    }

    /// Returns this directory with the entries of `other` before its own. If two endpoints in one table have the same name, the
    /// one in `other` stays.
    #[must_use]
    pub fn extended_by(self, other: Self) -> Self {
        Self {
            rpc: put_before(other.rpc, self.rpc),
            beacon: put_before(other.beacon, self.beacon),
            checkpoint_sources: put_before(other.checkpoint_sources, self.checkpoint_sources),
        }
    }

    /// Returns the execution providers.
    pub fn rpc(&self) -> &[Listed] {
        &self.rpc
    }

    /// Returns the sources of light-client data.
    pub fn beacon(&self) -> &[Listed] {
        &self.beacon
    }

    /// Returns the sources of checkpoints: beacon nodes, or servers that have only checkpoints.
    pub fn checkpoint_sources(&self) -> &[Listed] {
        &self.checkpoint_sources
    }

    fn listed_mut(&mut self) -> impl Iterator<Item = &mut Listed> {
        self.rpc.iter_mut().chain(&mut self.beacon).chain(&mut self.checkpoint_sources)
    }
}

fn put_before(first: Vec<Listed>, then: Vec<Listed>) -> Vec<Listed> {
    let mut all = first;
    for listed in then {
        if all.iter().all(|known| known.endpoint().id() != listed.endpoint().id()) {
            all.push(listed);
        }
    }
    all
}

#[cfg(test)]
mod tests;
