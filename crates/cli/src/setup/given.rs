//! What the user gave: endpoints, each for a network, and a trust start.

use std::time::Duration;

use saldo::{Checkpoint, Directory, Endpoint, Network, Profile};

use super::endpoints::{endpoint, mirror, variable};
use crate::arguments::EndpointArguments;
use crate::failure::CommandFailure;
use crate::file::{self, PATIENCE};

/// The networks that a command reads, by name and chain id: an endpoint can be given for each.
pub(super) type Names = [(String, u64)];

/// The networks whose endpoints name no network, and the trust start.
#[derive(Clone, Copy)]
pub(super) struct Targets {
    /// The network of `--rpc-url`.
    pub(super) rpc: u64,
    /// The network of `--l1-rpc-url`: the L1 of the first rollup.
    pub(super) l1_rpc: Option<u64>,
    /// The network of beacon sources and the checkpoint.
    pub(super) beacon: u64,
}

/// The endpoints and the trust start that the user gave. An endpoint that names no network has none.
pub(super) struct Given {
    rpc: Vec<(Option<u64>, Endpoint)>,
    l1_rpc: Vec<(Option<u64>, Endpoint)>,
    beacon: Vec<(Option<u64>, Endpoint)>,
    /// Of sequencers' signatures.
    relays: Vec<(Option<u64>, Endpoint)>,
    /// Whether they are from the option, and not from the variable, which serves many commands.
    are_relays_named: bool,
    checkpoint: Option<Checkpoint>,
    /// The file of `--providers`.
    providers: Option<Directory>,
}

/// What is given for one network.
#[derive(Default)]
pub(super) struct Own {
    pub(super) rpc: Vec<Endpoint>,
    pub(super) beacon: Vec<Endpoint>,
    /// Of its sequencer's signatures.
    pub(super) relays: Vec<Endpoint>,
    pub(super) checkpoint: Option<Checkpoint>,
    /// The file of `--providers`.
    pub(super) providers: Option<Directory>,
    /// Whether the network is the L1 of the first rollup: then the providers of that file are not of it.
    pub(super) is_of_l1: bool,
    /// How the user gives its providers.
    pub(super) rpc_option: String,
}

impl Own {
    const RPC_OPTION: &str = "--rpc-url, or in ETH_RPC_URL";
}

impl Given {
    /// Reads options and environment for the networks `names`. Waits for the file of `--providers` at most `patience`. Without
    /// `l1_rpc_url` no provider of an L1 is read.
    ///
    /// # Errors
    /// A usage failure that names what is wrong, but never repeats a URL.
    pub(super) fn read(
        arguments: &EndpointArguments,
        l1_rpc_url: Option<&[String]>,
        names: &Names,
        patience: Duration,
    ) -> Result<Self, CommandFailure> {
        let mut beacon = endpoints(&arguments.beacon_url, "SALDO_BEACON_URL", "--beacon-url", names)?;
        for (text, position) in arguments.mirror.iter().zip(1..) {
            let (network, text) = split(text, names).map_err(|_| not_read("--mirror", position))?;
            beacon.push((network, mirror(text, position)?));
        }
        let checkpoint = arguments.checkpoint.clone().or_else(|| variable("SALDO_CHECKPOINT"));
        let checkpoint = checkpoint.map(|text| text.parse::<Checkpoint>()).transpose().map_err(|error| {
            let next = "Copy the checkpoint again: --checkpoint ROOT or ROOT@SLOT.";
            CommandFailure::usage("not_a_checkpoint", error, next)
        })?;
        let providers = arguments.providers.as_ref();
        let l1_rpc = l1_rpc_url.map(|url| endpoints(url, "SALDO_L1_RPC_URL", "--l1-rpc-url", names));
        Ok(Self {
            rpc: endpoints(&arguments.rpc_url, "ETH_RPC_URL", "--rpc-url", names)?,
            l1_rpc: l1_rpc.transpose()?.unwrap_or_default(),
            beacon,
            relays: endpoints(&arguments.relay_url, "SALDO_RELAY_URL", "--relay-url", names)?,
            are_relays_named: !arguments.relay_url.is_empty(),
            checkpoint,
            providers: providers.map(|path| self::providers(path, patience.min(PATIENCE))).transpose()?,
        })
    }

    /// Requires that each relay of the option is of one of the `rollups`. Without a network it is of `target`.
    ///
    /// # Errors
    /// A usage failure if one is not.
    pub(super) fn demand_rollups(&self, rollups: &[u64], target: u64) -> Result<(), CommandFailure> {
        let is_of_rollup = |(network, _): &(Option<u64>, _)| rollups.contains(&network.unwrap_or(target));
        if !self.are_relays_named || self.relays.iter().all(is_of_rollup) {
            return Ok(());
        }
        Err(CommandFailure::usage(
            "no_rollup",
            "--relay-url is for a network that is no rollup",
            "Name a rollup with --network, or its relay with --relay-url NETWORK:URL.",
        ))
    }

    /// Whether a provider is given for the network of that chain id by its name.
    pub(super) fn names(&self, chain_id: u64) -> bool {
        self.rpc.iter().any(|(network, _)| *network == Some(chain_id))
    }

    /// What is given for the network of that name and chain id.
    pub(super) fn of(&self, name: &str, chain_id: u64, targets: Targets) -> Own {
        let of = |list: &[(Option<u64>, Endpoint)], target: Option<u64>| -> Vec<Endpoint> {
            let is_own = |network: &Option<u64>| network.or(target) == Some(chain_id);
            list.iter().filter(|(network, _)| is_own(network)).map(|(_, endpoint)| endpoint.clone()).collect()
        };
        let is_first = chain_id == targets.rpc || chain_id == targets.beacon;
        // An L1 that is named before the rollup has the endpoints that name no network.
        let is_of_l1 = targets.l1_rpc == Some(chain_id) && chain_id != targets.rpc;
        let rpc_option = match (chain_id == targets.rpc, is_of_l1) {
            (true, _) => Own::RPC_OPTION.to_owned(),
            (false, true) => "--l1-rpc-url, or in SALDO_L1_RPC_URL".to_owned(),
            (false, false) => format!("--rpc-url {name}:URL"),
        };
        Own {
            rpc: [of(&self.rpc, Some(targets.rpc)), of(&self.l1_rpc, targets.l1_rpc)].concat(),
            beacon: of(&self.beacon, Some(targets.beacon)),
            relays: of(&self.relays, Some(targets.rpc)),
            checkpoint: self.checkpoint.filter(|_| chain_id == targets.beacon),
            providers: self.providers.clone().filter(|_| is_first),
            is_of_l1,
            rpc_option,
        }
    }
}

/// The endpoints of an option, else of the variable. A variable serves many commands, so that its endpoints for other built-in networks
/// are not used. An unknown network is an error: if its endpoint were not used, public servers would be asked about the address.
fn endpoints(
    given: &[String],
    variable_name: &str,
    option: &str,
    names: &Names,
) -> Result<Vec<(Option<u64>, Endpoint)>, CommandFailure> {
    let is_given = !given.is_empty();
    let list = variable(variable_name).filter(|_| !is_given).unwrap_or_default();
    let of_variable = list.split(',').map(str::trim).filter(|url| !url.is_empty());
    let texts = given.iter().map(String::as_str).chain(of_variable);
    let called = if is_given { option } else { variable_name };
    let mut endpoints = Vec::new();
    for (text, position) in texts.zip(1..) {
        match split(text, names) {
            Ok((network, text)) => endpoints.push((network, endpoint(text, called, position)?)),
            Err(network) if is_given || !is_known(network) => return Err(not_read(called, position)),
            Err(_) => {}
        }
    }
    Ok(endpoints)
}

/// Whether it is a built-in network or rollup, or a chain id.
fn is_known(network: &str) -> bool {
    let is_number = network.parse::<u64>().is_ok();
    let is_network = || Network::named(network).is_some() || Network::gnosis().name() == network;
    is_number || is_network() || Profile::named(network).is_some()
}

/// Splits `NETWORK:[NAME=]URL`. The network is a name or a chain id of `names`. If it is none of them, it is the error.
fn split<'a>(text: &'a str, names: &Names) -> Result<(Option<u64>, &'a str), &'a str> {
    let Some((network, rest)) = text.split_once(':') else { return Ok((None, text)) };
    if rest.starts_with("//") || network.contains('=') {
        return Ok((None, text));
    }
    let is_it = |(name, chain_id): &&(String, u64)| name == network || chain_id.to_string() == network;
    match names.iter().find(is_it) {
        Some((_, chain_id)) => Ok((Some(*chain_id), rest)),
        None if rest.contains("://") => Err(network),
        None => Ok((None, text)),
    }
}

fn not_read(option: &str, position: usize) -> CommandFailure {
    CommandFailure::usage(
        "unknown_network",
        format!("{option} number {position} is for a network that is unknown or not read"),
        format!(
            "Write NETWORK:[NAME=]URL in {option}, with the name or the chain id of a network of --network."
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_name_its_network() {
        let names = [("base".to_owned(), 8_453), ("mainnet".to_owned(), 1)];
        let split = |text| split(text, &names);
        assert_eq!(split("https://a.example"), Ok((None, "https://a.example")));
        assert_eq!(split("anna=https://a.example"), Ok((None, "anna=https://a.example")));
        assert_eq!(split("base:https://a.example"), Ok((Some(8_453), "https://a.example")));
        assert_eq!(split("1:anna=https://a.example"), Ok((Some(1), "anna=https://a.example")));
        assert_eq!(split("mainnet:/a/folder"), Ok((Some(1), "/a/folder")));
        assert_eq!(split("localhost:8545"), Ok((None, "localhost:8545")), "no URL, as it is told then");
        assert_eq!(split("op:https://a.example"), Err("op"), "it is not read");
        assert_eq!(split("/a/folder"), Ok((None, "/a/folder")));
    }

    /// A variable may have endpoints for other commands. One whose network is mistyped is no such endpoint.
    #[test]
    fn a_mistyped_network_is_not_known() {
        assert!(["mainnet", "base", "gnosis", "op-sepolia", "8453"].into_iter().all(is_known));
        assert!(!["mainet", "", "0x1", "Base"].into_iter().any(is_known));
    }
}
