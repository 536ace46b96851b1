//! What a command reads: networks with their endpoints, from the arguments, else the environment, else the directory.

use std::path::Path;
use std::time::Duration;

use saldo::{Checkpoint, Directory, Endpoint, Network, Profile};

use super::endpoints::{EndpointChoice, endpoints, mirror, variable};
use super::named::{Named, NamedNetwork, NamedRollup, named, network};
use crate::arguments::EndpointArguments;
use crate::failure::CommandFailure;
use crate::file::{self, PATIENCE};

/// A network with a committee, with its endpoints.
pub(crate) struct Chosen {
    pub(crate) network: Network,
    /// Whether the network is from a file.
    pub(crate) is_own: bool,
    /// Whether the user named it. Else it is there because a rollup is on it.
    pub(crate) is_named: bool,
    pub(crate) rpc: EndpointChoice,
    /// How a user gives its providers.
    pub(crate) rpc_option: &'static str,
    pub(crate) beacon: EndpointChoice,
    /// The checkpoint that the user gave.
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) checkpoint_sources: Vec<Endpoint>,
}

/// A rollup, with its providers.
pub(crate) struct ChosenRollup {
    pub(crate) profile: Profile,
    /// Whether the profile is from a file.
    pub(crate) is_own: bool,
    pub(crate) rpc: EndpointChoice,
}

/// One of the networks that a command reads.
pub(crate) enum Choice {
    Network(Box<Chosen>),
    Rollup(Box<ChosenRollup>),
}

impl Choice {
    /// The chain id and the beacon sources of a network that has some.
    pub(super) fn sources(&self) -> Option<(u64, Vec<Endpoint>)> {
        match self {
            Self::Network(chosen) => Some((chosen.network.chain_id(), chosen.beacon.endpoints.clone())),
            Self::Rollup(_) => None,
        }
    }
}

/// The endpoints and the trust start that the user gave.
#[derive(Clone, Default)]
struct Given {
    rpc: Vec<Endpoint>,
    beacon: Vec<Endpoint>,
    checkpoint: Option<Checkpoint>,
    /// The file of `--providers`.
    providers: Option<Directory>,
    /// Whether they are of the L1 of a rollup: then the providers of that file are not.
    is_of_l1: bool,
}

/// Chooses the network and its endpoints. Waits for each file at most `patience`, and at most [`PATIENCE`].
///
/// # Errors
/// A usage failure that names what is wrong, but never repeats a URL.
pub(crate) fn choose(arguments: &EndpointArguments, patience: Duration) -> Result<Chosen, CommandFailure> {
    let named = network(&name_of_network(arguments), patience)?;
    Ok(Chosen::new(named, Given::read(arguments, patience)?))
}

/// Chooses the network `text` with its listed endpoints, whatever the environment says.
///
/// # Errors
/// A usage failure that names what is wrong, but never repeats a URL.
pub(crate) fn choose_listed(text: &str, patience: Duration) -> Result<Chosen, CommandFailure> {
    Ok(Chosen::new(network(text, patience)?, Given::default()))
}

/// Chooses all networks that `--network` names, and before each rollup its L1, unless that is named too.
///
/// The endpoints and the checkpoint of the other options and of the environment are those of the first network. If a rollup is named,
/// the providers are those of the first rollup, and the rest is of its L1, with the providers of `l1_rpc_url`. All other networks have
/// their listed endpoints, and those of their files.
///
/// # Errors
/// A usage failure that names what is wrong, but never repeats a URL.
pub(crate) fn choose_all(
    arguments: &EndpointArguments,
    l1_rpc_url: &[String],
    patience: Duration,
) -> Result<Vec<Choice>, CommandFailure> {
    let text = match name_of_network(arguments) {
        all if all == "all" => Network::built_in().map(|network| network.name().to_owned()).join(","),
        named => named,
    };
    let names: Vec<&str> = if text.contains(',') && !Path::new(&text).exists() {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
    } else {
        vec![&text]
    };
    let all = names.into_iter().map(|name| named(name, patience)).collect::<Result<Vec<_>, _>>()?;
    let first_rollup =
        all.iter().find_map(Named::profile).map(|first| (first.chain_id(), first.l1_chain_id()));
    let mut given = Given::read(arguments, patience)?;
    let Some((rollup, l1)) = first_rollup else {
        if !l1_rpc_url.is_empty() {
            return Err(no_rollup());
        }
        let chosen = all
            .into_iter()
            .filter_map(Named::network)
            .map(|network| Choice::Network(Box::new(Chosen::new(network, std::mem::take(&mut given)))));
        return Ok(chosen.collect());
    };
    let of_l1 = given.of_l1(endpoints(l1_rpc_url, "SALDO_L1_RPC_URL", "--l1-rpc-url")?);
    let choose = |(named, is_named)| match named {
        Named::Network(network) => {
            let is_l1 = network.network.chain_id() == l1;
            let chosen = Chosen::new(*network, if is_l1 { of_l1.clone() } else { Given::default() });
            Choice::Network(Box::new(Chosen { is_named, ..chosen }))
        }
        Named::Rollup(named) => {
            let is_first = named.profile.chain_id() == rollup;
            let given = if is_first { given.clone() } else { Given::default() };
            Choice::Rollup(Box::new(ChosenRollup::new(*named, given)))
        }
    };
    Ok(with_l1(all)?.into_iter().map(choose).collect())
}

/// All networks, each with whether the user named it. The L1 of a rollup comes before it, if the user named it nowhere.
fn with_l1(all: Vec<Named>) -> Result<Vec<(Named, bool)>, CommandFailure> {
    let mut present: Vec<u64> = all.iter().map(Named::chain_id).collect();
    let mut with_l1 = Vec::new();
    for named in all {
        if let Some(profile) = named.profile()
            && !present.contains(&profile.l1_chain_id())
        {
            let l1 = NamedNetwork::of_chain(profile.l1_chain_id()).ok_or_else(|| no_l1(profile))?;
            present.push(profile.l1_chain_id());
            with_l1.push((Named::Network(Box::new(l1)), false));
        }
        with_l1.push((named, true));
    }
    Ok(with_l1)
}

impl Chosen {
    fn new(named: NamedNetwork, given: Given) -> Self {
        let NamedNetwork { network, directory, is_own } = named;
        let extended = match given.providers {
            Some(own) => directory.clone().extended_by(own),
            None => directory.clone(),
        };
        let rpc = if given.is_of_l1 { directory.rpc() } else { extended.rpc() };
        let sources = extended.checkpoint_sources().iter();
        Self {
            network,
            is_own,
            is_named: true,
            rpc: EndpointChoice::new(given.rpc, rpc),
            rpc_option: if given.is_of_l1 {
                "--l1-rpc-url, or in SALDO_L1_RPC_URL"
            } else {
                "--rpc-url, or in ETH_RPC_URL"
            },
            beacon: EndpointChoice::new(given.beacon, extended.beacon()),
            checkpoint: given.checkpoint,
            checkpoint_sources: sources.map(|listed| listed.endpoint().clone()).collect(),
        }
    }
}

impl ChosenRollup {
    fn new(NamedRollup { profile, is_own }: NamedRollup, given: Given) -> Self {
        let listed = given.providers.as_ref().map_or(&[][..], Directory::rpc);
        Self { profile, is_own, rpc: EndpointChoice::new(given.rpc, listed) }
    }
}

impl Given {
    fn read(arguments: &EndpointArguments, patience: Duration) -> Result<Self, CommandFailure> {
        let providers = arguments.providers.as_ref();
        let mut beacon = endpoints(&arguments.beacon_url, "SALDO_BEACON_URL", "--beacon-url")?;
        let mirrors = arguments.mirror.iter().zip(1..).map(|(text, position)| mirror(text, position));
        beacon.extend(mirrors.collect::<Result<Vec<_>, _>>()?);
        let checkpoint = arguments.checkpoint.clone().or_else(|| variable("SALDO_CHECKPOINT"));
        let checkpoint = checkpoint.map(|text| text.parse::<Checkpoint>()).transpose().map_err(|error| {
            let next = "Copy the checkpoint again: --checkpoint ROOT or ROOT@SLOT.";
            CommandFailure::usage("not_a_checkpoint", error, next)
        })?;
        Ok(Self {
            rpc: endpoints(&arguments.rpc_url, "ETH_RPC_URL", "--rpc-url")?,
            beacon,
            checkpoint,
            providers: providers.map(|path| self::providers(path, patience.min(PATIENCE))).transpose()?,
            is_of_l1: false,
        })
    }

    /// The same for the L1 of the rollup whose providers were given.
    fn of_l1(&self, rpc: Vec<Endpoint>) -> Self {
        Self { rpc, is_of_l1: true, ..self.clone() }
    }
}

fn name_of_network(arguments: &EndpointArguments) -> String {
    arguments.network.clone().or_else(|| variable("SALDO_NETWORK")).unwrap_or("mainnet".into())
}

fn no_rollup() -> CommandFailure {
    let next = "Give the providers of the network with --rpc-url.";
    CommandFailure::usage("no_rollup", "--l1-rpc-url is given, and no rollup is named", next)
}

pub(super) fn no_l1(profile: &Profile) -> CommandFailure {
    let (name, l1) = (profile.name(), profile.l1_chain_id());
    CommandFailure::usage(
        "no_l1",
        format!("the contracts of {name} are on chain {l1}, and no network of that chain is built in"),
        "Name the network file of that chain too, before the rollup: L1.toml,ROLLUP.toml.",
    )
}

fn providers(path: &str, patience: Duration) -> Result<Directory, CommandFailure> {
    let file = file::read_text(path, patience).map_err(|error| {
        let detail = format!("the file of providers cannot be read: {error}");
        CommandFailure::usage("providers_file", detail, "Check the path after --providers.")
    })?;
    Directory::from_toml(&file).map_err(|error| {
        let detail = format!("the file of providers cannot be used: {error}");
        CommandFailure::usage(
            "providers_file",
            detail,
            "Write [[rpc]], [[beacon]] and [[checkpoint_source]] tables.",
        )
    })
}
