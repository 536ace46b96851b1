//! From arguments and environment to a client.

use saldo::{Client, Endpoint, Level, Network, Policy};

use crate::arguments::BalanceArguments;
use crate::failure::CommandFailure;

/// Sets a client up as the arguments say, and where they are silent, the environment.
///
/// # Errors
/// A usage failure that names what is missing or wrong, but never repeats a URL.
pub(crate) fn client(arguments: &BalanceArguments) -> Result<Client, CommandFailure> {
    let network = network(
        &arguments.network.clone().or_else(|| variable("SALDO_NETWORK")).unwrap_or("mainnet".into()),
    )?;
    let name = network.name().to_owned();
    let rpc = endpoints(&arguments.rpc_url, "ETH_RPC_URL", "--rpc-url")?;
    let beacon = endpoints(&arguments.beacon_url, "SALDO_BEACON_URL", "--beacon-url")?;
    let checkpoint = arguments.checkpoint.clone().or_else(|| variable("SALDO_CHECKPOINT"));

    if rpc.is_empty() {
        return Err(CommandFailure::usage(
            "no_provider",
            format!("no execution provider is known for {name}"),
            "Give at least one with --rpc-url, or in ETH_RPC_URL; more than one, run by different operators, survive an outage.",
        ));
    }
    if beacon.is_empty() {
        return Err(CommandFailure::usage(
            "no_beacon_source",
            format!("no beacon source is known for {name}"),
            "Give at least one beacon node that serves light-client data with --beacon-url, or in SALDO_BEACON_URL.",
        ));
    }
    if checkpoint.is_none() && network.checkpoint().is_none() {
        return Err(CommandFailure::usage(
            "no_checkpoint",
            format!("no checkpoint is known for {name}"),
            "Give the root of a finalized beacon block from a source you trust with --checkpoint, or in SALDO_CHECKPOINT.",
        ));
    }

    // Whoever names providers on the command line lets all of them see the address.
    let operators_per_address = usize::MAX;
    let base = if arguments.finalized { Policy::finalized() } else { Policy::signed() };
    let policy = Policy {
        max_age: arguments.max_age.unwrap_or(base.max_age),
        deadline: arguments.timeout,
        operators_per_address,
        ..base
    };
    debug_assert!(!arguments.finalized || policy.assurance == Level::Finalized);
    let mut builder = Client::builder(network).policy(policy);
    if let Some(text) = checkpoint {
        let checkpoint = text.parse::<saldo::Checkpoint>().map_err(|error| {
            CommandFailure::usage(
                "not_a_checkpoint",
                error,
                "Copy the checkpoint again: --checkpoint ROOT or ROOT@SLOT.",
            )
        })?;
        builder = builder.checkpoint(checkpoint);
    }
    builder = rpc.into_iter().fold(builder, |builder, endpoint| builder.rpc(endpoint));
    builder = beacon.into_iter().fold(builder, |builder, endpoint| builder.beacon(endpoint));
    builder.build().map_err(|error| {
        CommandFailure::usage(
            "setup",
            error,
            "Give names with NAME=URL where two providers have the same host.",
        )
    })
}

/// The URL's endpoint; the position is all that an error tells of it.
///
/// # Errors
/// A usage failure.
pub(crate) fn endpoint(text: &str, option: &str, position: usize) -> Result<Endpoint, CommandFailure> {
    text.parse().map_err(|error| {
        let detail = format!("{option} number {position}: {error}");
        CommandFailure::usage("not_a_url", detail, format!("Write {option} [NAME=]https://host/path."))
    })
}

fn endpoints(given: &[String], variable_name: &str, option: &str) -> Result<Vec<Endpoint>, CommandFailure> {
    let from_environment = || {
        let list = variable(variable_name).unwrap_or_default();
        list.split(',').map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned).collect()
    };
    let (texts, called) =
        if given.is_empty() { (from_environment(), variable_name) } else { (given.to_vec(), option) };
    texts.iter().zip(1..).map(|(text, position)| endpoint(text, called, position)).collect()
}

/// The network called `text`, or the one in the file there. Not repeated: a URL may stand there by mistake.
fn network(text: &str) -> Result<Network, CommandFailure> {
    if let Some(network) = Network::named(text) {
        return Ok(network);
    }
    if !text.contains(['/', '.']) {
        return Err(CommandFailure::usage(
            "unknown_network",
            "no network of that name is built in",
            "Use mainnet, sepolia or hoodi, or a network file; `saldo network import` makes one from a beacon node.",
        ));
    }
    let file = std::fs::read_to_string(text).map_err(|error| {
        let next = "Check the path; `saldo network import` makes a network file from a beacon node.";
        CommandFailure::usage("network_file", format!("the network file cannot be read: {error}"), next)
    })?;
    Network::from_toml(&file).map_err(|error| {
        let mut detail = format!("the network file cannot be used: {error}");
        if detail.contains("://") {
            "the network file cannot be used: it holds a URL".clone_into(&mut detail);
        }
        CommandFailure::usage("network_file", detail, "Correct the file, or import it again.")
    })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
