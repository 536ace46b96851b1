//! Lists of endpoints, with what is publicly documented about each.
//!
//! A directory is data. saldo has one for each built-in network, and a user's own replaces or extends it. No directory is ever
//! fetched. Its entries were found in documentation, not tested: an endpoint may not answer. No answer is believed because of
//! the endpoint that gave it.

mod error;
mod file;

use saldo_beacon::Network;

use crate::endpoint::Endpoint;

pub use error::DirectoryError;

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

/// An endpoint of a [`Directory`], with what is publicly documented about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    endpoint: Endpoint,
    documented: Option<Documented>,
    get_proof: Option<String>,
    light_client: Option<String>,
    tracking: Option<String>,
    built_in: bool,
}

/// Where an endpoint is documented, and when that page was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Documented {
    page: String,
    read_on: String,
}

impl Directory {
    /// Returns the built-in directory of the network with this genesis validators root; an empty one for other networks.
    pub fn of(network: &Network) -> Self {
        let built_in = Network::built_in().into_iter().zip([MAINNET, SEPOLIA, HOODI]);
        let is_same = |known: &Network| known.genesis_validators_root() == network.genesis_validators_root();
        let file = built_in.into_iter().find(|(known, _)| is_same(known)).map(|(_, file)| file);
        let mut directory = file.map_or_else(Self::default, |file| {
            Self::from_toml(file).expect("the files are part of the crate, and a test reads each of them")
        });
        for listed in directory.listed_mut() {
            listed.built_in = true;
        }
        directory
    }

    /// Reads the tables `[[rpc]]`, `[[beacon]]` and `[[checkpoint_source]]` from TOML: from a file of their own, or from a network
    /// file ([`Network::from_toml`]), whose other fields are not read.
    ///
    /// # Errors
    /// [`DirectoryError`] if a field is missing, unknown, malformed or too long, or two endpoints in one table have the same name.
    pub fn from_toml(text: &str) -> Result<Self, DirectoryError> {
        file::read(text)
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

impl Listed {
    /// The text for what is not documented.
    pub const UNKNOWN: &'static str = "unknown";

    /// Returns the endpoint, with its name, operator and hosting.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the public page that documents, announces or lists the endpoint.
    pub fn documented_on(&self) -> Option<&str> {
        self.documented.as_ref().map(|documented| documented.page.as_str())
    }

    /// Returns the day (YYYY-MM-DD) on which that page was last read.
    pub fn read_on(&self) -> Option<&str> {
        self.documented.as_ref().map(|documented| documented.read_on.as_str())
    }

    /// Returns what is documented about `eth_getProof`, in a few words; else [`Listed::UNKNOWN`].
    pub fn get_proof(&self) -> &str {
        self.get_proof.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Returns what is documented about the light-client routes, in a few words; else [`Listed::UNKNOWN`].
    pub fn light_client(&self) -> &str {
        self.light_client.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Returns what the operator says about tracking, in a few words; else [`Listed::UNKNOWN`].
    pub fn tracking(&self) -> &str {
        self.tracking.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Whether the entry is built into saldo. Then its URL is public and holds no key.
    pub fn is_built_in(&self) -> bool {
        self.built_in
    }
}

fn put_before(first: Vec<Listed>, then: Vec<Listed>) -> Vec<Listed> {
    let mut all = first;
    for listed in then {
        if all.iter().all(|known| known.endpoint.id() != listed.endpoint.id()) {
            all.push(listed);
        }
    }
    all
}

#[cfg(test)]
mod tests;
