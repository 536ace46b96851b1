//! What the setting `network` names: a network or a rollup, built in or as text.

use saldo::{Client, ClientBuilder, Directory, Network, Policy};

use crate::setup::SetupError;

/// A network that an app names.
pub(crate) enum Named {
    /// A network with a sync committee.
    Network(Box<Network>),
    /// A rollup, which is read beside its L1.
    #[cfg(feature = "rollup")]
    Rollup(Box<saldo::Profile>),
}

impl Named {
    /// Reads a name, or the text of a network file or of a rollup's profile.
    ///
    /// # Errors
    /// [`SetupError`] if it is none of them.
    pub(crate) fn read(text: &str) -> Result<Self, SetupError> {
        let name = text.trim();
        let is_name = !text.contains(['=', '\n']);
        if let Some(network) = network_named(name) {
            return Ok(Self::Network(Box::new(network)));
        }
        if let Some(rollup) = rollup(name, text)? {
            return Ok(rollup);
        }
        if is_name {
            let text = "no built-in network has this name; give `mainnet`, `sepolia`, `hoodi`, `gnosis`, a rollup such as `base`, or the \
                        text of a network file";
            return Err(SetupError::new("unknown_network", text));
        }
        Ok(Self::Network(Box::new(Network::from_toml(text)?)))
    }

    /// Reads the name or the text of a network with a sync committee.
    ///
    /// # Errors
    /// [`SetupError`] if it is none, also for a rollup.
    pub(crate) fn read_network(text: &str) -> Result<Network, SetupError> {
        match Self::read(text)? {
            Self::Network(network) => Ok(*network),
            #[cfg(feature = "rollup")]
            Self::Rollup(_) => {
                Err(SetupError::new("rollup", "this is a rollup; give a network with a sync committee"))
            }
        }
    }

    /// Starts building a client for it.
    pub(crate) fn builder(self) -> ClientBuilder {
        match self {
            Self::Network(network) => Client::builder(*network),
            #[cfg(feature = "rollup")]
            Self::Rollup(profile) => Client::rollup(*profile),
        }
    }

    /// Its built-in endpoints.
    pub(crate) fn directory(&self) -> Directory {
        match self {
            Self::Network(network) => Directory::of(network),
            #[cfg(feature = "rollup")]
            Self::Rollup(_) => Directory::default(),
        }
    }

    /// The usual policy for it.
    pub(crate) fn policy(&self) -> Policy {
        match self {
            Self::Network(_) => Policy::signed(),
            #[cfg(feature = "rollup")]
            Self::Rollup(_) => Policy::rollup(),
        }
    }

    /// The policy for its final blocks.
    pub(crate) fn finalized(&self) -> Policy {
        match self {
            Self::Network(_) => Policy::finalized(),
            #[cfg(feature = "rollup")]
            Self::Rollup(_) => Policy::rollup().at(saldo::Level::L1Finalized),
        }
    }
}

fn network_named(name: &str) -> Option<Network> {
    Network::named(name).or_else(|| Some(Network::gnosis()).filter(|gnosis| gnosis.name() == name))
}

/// Reads the name or the profile of a rollup; `None` if the text is neither.
///
/// # Errors
/// [`SetupError`] if the profile cannot be used.
#[cfg(feature = "rollup")]
fn rollup(name: &str, text: &str) -> Result<Option<Named>, SetupError> {
    use saldo::Profile;
    if let Some(profile) = Profile::named(name) {
        return Ok(Some(Named::Rollup(Box::new(profile))));
    }
    if !is_profile(text) {
        return Ok(None);
    }
    let profile = Profile::from_toml(text).map_err(|error| SetupError::new("rollup_file", error))?;
    Ok(Some(Named::Rollup(Box::new(profile))))
}

#[cfg(not(feature = "rollup"))]
fn rollup(name: &str, text: &str) -> Result<Option<Named>, SetupError> {
    const NAMES: [&str; 6] = ["base", "base-sepolia", "op", "op-sepolia", "unichain", "ink"];
    if NAMES.contains(&name) || is_profile(text) {
        let text = "this library was built without rollups; take the one with rollups (`saldo-rollup.wasm`, or saldo-ffi's feature `rollup`)";
        return Err(SetupError::new("no_rollups", text));
    }
    Ok(None)
}

/// Whether the text is the profile of a rollup: only that has a registry.
fn is_profile(text: &str) -> bool {
    let keys = text.lines().filter_map(|line| line.split_once('=')).map(|(key, _)| key.trim());
    keys.into_iter().any(|key| key == "registry")
}
