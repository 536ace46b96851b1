//! Who may be asked: endpoints, and what is publicly said of them.
//!
//! A directory is data. One comes with saldo for each built-in network; a user's own replaces or extends it; none is
//! ever fetched. What stands in it was found documented, not probed: nobody promises that an endpoint answers, and
//! nothing that one answers is believed because of who it is.

mod error;
mod file;

use saldo_beacon::Network;

use crate::endpoint::Endpoint;

pub use error::DirectoryError;

const MAINNET: &str = include_str!("directory/mainnet.toml");
const SEPOLIA: &str = include_str!("directory/sepolia.toml");
const HOODI: &str = include_str!("directory/hoodi.toml");

/// Endpoints of one network, by what they are asked for, in the order in which they are to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    rpc: Vec<Listed>,
    beacon: Vec<Listed>,
    checkpoint_sources: Vec<Listed>,
}

/// An endpoint of a [`Directory`], with what is publicly said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    endpoint: Endpoint,
    documented: Option<Documented>,
    get_proof: Option<String>,
    light_client: Option<String>,
    tracking: Option<String>,
    built_in: bool,
}

/// Where an endpoint is documented, and when that was last looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Documented {
    page: String,
    read_on: String,
}

impl Directory {
    /// Returns the directory that comes with saldo for the network with this one's genesis validators root; an empty
    /// one for any other network.
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

    /// Reads the tables `[[rpc]]`, `[[beacon]]` and `[[checkpoint_source]]` from TOML: from a file of their own, or from
    /// a network file ([`Network::from_toml`]), whose other fields are not looked at.
    ///
    /// # Errors
    /// [`DirectoryError`] if a field is missing, unknown, malformed or too long, or two endpoints of one kind have one
    /// name.
    pub fn from_toml(text: &str) -> Result<Self, DirectoryError> {
        file::read(text)
    }

    /// Returns this directory with `other` put before it: of two endpoints of one kind with the same name, the one in
    /// `other` stays.
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

    /// Returns the sources of checkpoints: beacon nodes, or servers made for checkpoints alone.
    pub fn checkpoint_sources(&self) -> &[Listed] {
        &self.checkpoint_sources
    }

    fn listed_mut(&mut self) -> impl Iterator<Item = &mut Listed> {
        self.rpc.iter_mut().chain(&mut self.beacon).chain(&mut self.checkpoint_sources)
    }
}

impl Listed {
    /// What is said where nothing is documented.
    pub const UNKNOWN: &'static str = "unknown";

    /// Returns the endpoint, with its name, operator and hosting.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the public page that documents or announces the endpoint, or a list that has it.
    pub fn documented_on(&self) -> Option<&str> {
        self.documented.as_ref().map(|documented| documented.page.as_str())
    }

    /// Returns the day (YYYY-MM-DD) on which the endpoint was last found documented.
    pub fn read_on(&self) -> Option<&str> {
        self.documented.as_ref().map(|documented| documented.read_on.as_str())
    }

    /// Returns what is documented of `eth_getProof`, in a few words; [`Listed::UNKNOWN`] if nothing is.
    pub fn get_proof(&self) -> &str {
        self.get_proof.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Returns what is documented of the light-client routes, in a few words; [`Listed::UNKNOWN`] if nothing is.
    pub fn light_client(&self) -> &str {
        self.light_client.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Returns what the operator says of tracking, in a few words; [`Listed::UNKNOWN`] if nothing was found.
    pub fn tracking(&self) -> &str {
        self.tracking.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Whether it came with saldo, so that its URL is public and holds no key.
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
