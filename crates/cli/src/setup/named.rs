//! What `--network` names: a network or a rollup, built in or from a file.

use std::fmt::Display;
use std::time::Duration;

use saldo::{Directory, Network, Profile};

use crate::failure::CommandFailure;
use crate::file::{self, PATIENCE};

/// A network that a user names.
pub(crate) enum Named {
    /// A network with a committee, and its endpoints.
    Network(Box<NamedNetwork>),
    /// A rollup.
    Rollup(Box<NamedRollup>),
}

/// A network with a committee.
pub(crate) struct NamedNetwork {
    pub(crate) network: Network,
    /// Its listed endpoints, and those of its file.
    pub(crate) directory: Directory,
    /// Whether it is from a file.
    pub(crate) is_own: bool,
}

/// A rollup.
pub(crate) struct NamedRollup {
    pub(crate) profile: Profile,
    /// The providers of its file; none are listed.
    pub(crate) directory: Directory,
    /// Whether it is from a file.
    pub(crate) is_own: bool,
}

impl Named {
    /// All networks with a directory of endpoints, and then all rollups, as they come with saldo.
    pub(super) fn all_built_in() -> Vec<Self> {
        let networks = Network::built_in().into_iter().map(NamedNetwork::built_in);
        let networks = networks.map(|network| Self::Network(Box::new(network)));
        let rollups = Profile::built_in().into_iter().map(NamedRollup::built_in);
        networks.chain(rollups.map(|rollup| Self::Rollup(Box::new(rollup)))).collect()
    }

    /// The name that the network calls itself.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Network(network) => network.network.name(),
            Self::Rollup(rollup) => rollup.profile.name(),
        }
    }

    /// The rollup as data, if it is one.
    pub(crate) fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Rollup(rollup) => Some(&rollup.profile),
            Self::Network(_) => None,
        }
    }

    pub(crate) fn chain_id(&self) -> u64 {
        match self {
            Self::Network(network) => network.network.chain_id(),
            Self::Rollup(rollup) => rollup.profile.chain_id(),
        }
    }
}

impl NamedNetwork {
    /// The network with that chain id that comes with saldo.
    pub(crate) fn of_chain(chain_id: u64) -> Option<Self> {
        let mut all = Network::built_in().into_iter().chain([Network::gnosis()]);
        all.find(|network| network.chain_id() == chain_id).map(Self::built_in)
    }

    fn built_in(network: Network) -> Self {
        Self { directory: Directory::of(&network), network, is_own: false }
    }
}

impl NamedRollup {
    fn built_in(profile: Profile) -> Self {
        Self { profile, directory: Directory::default(), is_own: false }
    }
}

/// The network or rollup called `text`, or the one in the file at that path. Errors do not repeat `text`: it may be a URL by
/// mistake.
///
/// # Errors
/// A usage failure.
pub(crate) fn named(text: &str, patience: Duration) -> Result<Named, CommandFailure> {
    if let Some(network) = Network::named(text) {
        return Ok(Named::Network(Box::new(NamedNetwork::built_in(network))));
    }
    if let Some(profile) = Profile::named(text) {
        return Ok(Named::Rollup(Box::new(NamedRollup::built_in(profile))));
    }
    if !text.contains(['/', '.']) {
        return Err(unknown());
    }
    let file = file::read_text(text, patience.min(PATIENCE)).map_err(|error| {
        let next = "Check the path; `saldo network import` makes a network file from a beacon node.";
        CommandFailure::usage("network_file", format!("the network file cannot be read: {error}"), next)
    })?;
    if is_profile(&file) {
        let wrong = |error: &dyn Display| {
            unusable("the rollup's profile", error, "Correct the file; docs/rollups.md says what is in it.")
        };
        let profile = Profile::from_toml(&file).map_err(|error| wrong(&error))?;
        let directory = Directory::from_toml(&file).map_err(|error| wrong(&error))?;
        return Ok(Named::Rollup(Box::new(NamedRollup { profile, directory, is_own: true })));
    }
    let wrong =
        |error: &dyn Display| unusable("the network file", error, "Correct the file, or import it again.");
    let network = Network::from_toml(&file).map_err(|error| wrong(&error))?;
    let own = Directory::from_toml(&file).map_err(|error| wrong(&error))?;
    let directory = Directory::of(&network).extended_by(own);
    Ok(Named::Network(Box::new(NamedNetwork { network, directory, is_own: true })))
}

/// The network with a committee that is called `text`, or the one in the file at that path.
///
/// # Errors
/// A usage failure, also for a rollup.
pub(crate) fn network(text: &str, patience: Duration) -> Result<NamedNetwork, CommandFailure> {
    match named(text, patience)? {
        Named::Network(network) => Ok(*network),
        Named::Rollup(rollup) => Err(CommandFailure::usage(
            "rollup",
            format!("{} is a rollup, and this command reads none", rollup.profile.name()),
            "`saldo balance`, `serve` and `doctor` read rollups. Give another command a network with a committee.",
        )),
    }
}

/// The failure for a name that nothing has.
pub(crate) fn unknown() -> CommandFailure {
    CommandFailure::usage(
        "unknown_network",
        "no network of that name is built in",
        "Use mainnet, sepolia, hoodi or gnosis, a rollup of `saldo network list`, or a network file; `saldo network import` makes one from a beacon node.",
    )
}

/// Whether the text is the profile of a rollup: only that has a registry.
fn is_profile(text: &str) -> bool {
    let keys = text.lines().filter_map(|line| line.split_once('=')).map(|(key, _)| key.trim());
    keys.into_iter().any(|key| key == "registry")
}

fn unusable(what: &str, error: &dyn Display, next: &str) -> CommandFailure {
    let mut detail = format!("{what} cannot be used: {error}");
    if detail.contains("://") {
        detail = format!("{what} cannot be used: it holds a URL");
    }
    CommandFailure::usage("network_file", detail, next)
}
