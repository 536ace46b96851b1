//! What a command reads: networks with their endpoints, from the arguments, else the environment, else the directory.

use std::path::Path;
use std::time::Duration;

use saldo::{Checkpoint, Endpoint, Network, Profile};

use super::endpoints::{EndpointChoice, variable};
use super::given::{Given, Own, Targets};
use super::named::{Named, NamedNetwork, NamedRollup, named, network, unknown};
use crate::arguments::EndpointArguments;
use crate::failure::CommandFailure;

/// A network with a committee, with its endpoints.
pub(crate) struct Chosen {
    pub(crate) network: Network,
    /// Whether the network is from a file.
    pub(crate) is_own: bool,
    /// Whether the user named it. Else it is there because a rollup is on it.
    pub(crate) is_named: bool,
    pub(crate) rpc: EndpointChoice,
    /// How a user gives its providers.
    pub(crate) rpc_option: String,
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
    /// Of its sequencer's signatures.
    pub(crate) relays: Vec<Endpoint>,
}

/// One of the networks that a command reads.
pub(crate) enum Choice {
    Network(Box<Chosen>),
    Rollup(Box<ChosenRollup>),
}

impl Choice {
    /// The chain id and the execution providers.
    pub(crate) fn providers(&self) -> (u64, Vec<Endpoint>) {
        match self {
            Self::Network(chosen) => (chosen.network.chain_id(), chosen.rpc.endpoints.clone()),
            Self::Rollup(chosen) => (chosen.profile.chain_id(), chosen.rpc.endpoints.clone()),
        }
    }

    /// The chain id and the beacon sources of a network that has some.
    pub(super) fn sources(&self) -> Option<(u64, Vec<Endpoint>)> {
        match self {
            Self::Network(chosen) => Some((chosen.network.chain_id(), chosen.beacon.endpoints.clone())),
            Self::Rollup(_) => None,
        }
    }
}

/// What a command reads.
pub(crate) struct Choices {
    pub(crate) all: Vec<Choice>,
    /// The rollups that `all` leaves out, because no endpoint is given for them.
    pub(crate) left_out: Vec<String>,
}

/// Chooses the network and its endpoints. Waits for each file at most `patience`, and at most [`PATIENCE`](crate::file::PATIENCE).
///
/// # Errors
/// A usage failure that names what is wrong, but never repeats a URL.
pub(crate) fn choose(arguments: &EndpointArguments, patience: Duration) -> Result<Chosen, CommandFailure> {
    let named = network(&name_of_network(arguments), patience)?;
    let (name, chain_id) = (named.network.name().to_owned(), named.network.chain_id());
    let targets = Targets { rpc: chain_id, l1_rpc: None, beacon: chain_id };
    let given = Given::read(arguments, None, &[(name.clone(), chain_id)], patience)?;
    given.demand_rollups(&[], chain_id)?;
    Ok(Chosen::new(named, given.of(&name, chain_id, targets)))
}

/// Chooses all networks that `--network` names, those that are named `also`, and before each rollup its L1, unless that is named too.
///
/// An endpoint can name its network. The others, the checkpoint and the file of providers are those of the first network. If a rollup
/// is named there, the providers are those of the first rollup, and the rest is of its L1, with the providers of `l1_rpc_url`. A network for
/// which nothing is given has its listed endpoints, and those of its file. `all` names the built-in networks, and the built-in rollups
/// for which a provider is given.
///
/// # Errors
/// A usage failure that names what is wrong, but never repeats a URL.
pub(crate) fn choose_all(
    arguments: &EndpointArguments,
    also: &[String],
    l1_rpc_url: &[String],
    patience: Duration,
) -> Result<Choices, CommandFailure> {
    let text = name_of_network(arguments);
    let is_all = text == "all";
    let names: Vec<&str> = if text.contains(',') && !Path::new(&text).exists() {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
    } else {
        vec![&text]
    };
    let mut all = match is_all {
        true => Named::all_built_in(),
        false => names.into_iter().map(|name| named(name, patience)).collect::<Result<Vec<_>, _>>()?,
    };
    // With `all` the L1 of each rollup is there, and the first one is the first network.
    let first = all.first().map(Named::chain_id).ok_or_else(unknown)?;
    let first_rollup = |all: &[Named]| {
        let rollup = all.iter().find_map(Named::profile).filter(|_| !is_all);
        rollup.map(|profile| (profile.chain_id(), profile.l1_chain_id()))
    };
    let rollup = first_rollup(&all);
    if is_all && !also.is_empty() {
        return Err(all_and_more());
    }
    for name in also {
        all.push(named(name, patience)?);
    }
    let l1_rpc = first_rollup(&all).map(|(_, l1)| l1);
    let (rpc, beacon) = rollup.unwrap_or((first, first));
    let targets = Targets { rpc, l1_rpc, beacon };
    if l1_rpc.is_none() && !l1_rpc_url.is_empty() {
        return Err(no_rollup());
    }
    let l1s = all.iter().filter_map(Named::profile).filter_map(|of| NamedNetwork::of_chain(of.l1_chain_id()));
    let l1s = l1s.map(|l1| (l1.network.name().to_owned(), l1.network.chain_id()));
    let names: Vec<(String, u64)> =
        all.iter().map(|named| (named.name().to_owned(), named.chain_id())).chain(l1s).collect();
    let given = Given::read(arguments, l1_rpc.map(|_| l1_rpc_url), &names, patience)?;
    let rollups: Vec<u64> = all.iter().filter_map(Named::profile).map(Profile::chain_id).collect();
    given.demand_rollups(&rollups, rpc)?;
    let is_left_out = |named: &Named| is_all && named.profile().is_some() && !given.names(named.chain_id());
    let left_out =
        all.iter().filter(|named| is_left_out(named)).map(|named| named.name().to_owned()).collect();
    all.retain(|named| !is_left_out(named));
    let choose = |(named, is_named): (Named, bool)| {
        let own = given.of(named.name(), named.chain_id(), targets);
        match named {
            Named::Network(network) => {
                Choice::Network(Box::new(Chosen { is_named, ..Chosen::new(*network, own) }))
            }
            Named::Rollup(rollup) => Choice::Rollup(Box::new(ChosenRollup::new(*rollup, own))),
        }
    };
    Ok(Choices { all: with_l1(all)?.into_iter().map(choose).collect(), left_out })
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
    fn new(named: NamedNetwork, own: Own) -> Self {
        let NamedNetwork { network, directory, is_own } = named;
        let extended = match own.providers {
            Some(providers) => directory.clone().extended_by(providers),
            None => directory.clone(),
        };
        let rpc = if own.is_of_l1 { directory.rpc() } else { extended.rpc() };
        let sources = extended.checkpoint_sources().iter();
        Self {
            network,
            is_own,
            is_named: true,
            rpc: EndpointChoice::new(own.rpc, rpc),
            rpc_option: own.rpc_option,
            beacon: EndpointChoice::new(own.beacon, extended.beacon()),
            checkpoint: own.checkpoint,
            checkpoint_sources: sources.map(|listed| listed.endpoint().clone()).collect(),
        }
    }
}

impl ChosenRollup {
    fn new(NamedRollup { profile, directory, is_own }: NamedRollup, own: Own) -> Self {
        let listed = match own.providers {
            Some(providers) => directory.extended_by(providers),
            None => directory,
        };
        Self { profile, is_own, rpc: EndpointChoice::new(own.rpc, listed.rpc()), relays: own.relays }
    }
}

fn name_of_network(arguments: &EndpointArguments) -> String {
    arguments.network.clone().or_else(|| variable("SALDO_NETWORK")).unwrap_or("mainnet".into())
}

fn all_and_more() -> CommandFailure {
    let next = "Name the networks one by one, or leave --also out.";
    CommandFailure::usage("all_and_more", "`all` and further networks are named", next)
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

#[cfg(test)]
#[path = "choice_tests.rs"]
mod tests;
