//! From a rollup that was chosen to the part of a client that reads it.

use std::time::Duration;

use saldo::{Client, ClientBuilder, Endpoint, Profile};

use super::choice::{Choice, Chosen, ChosenRollup, choose_all, no_l1};
use super::{Checks, ClientOptions, policy};
use crate::arguments::EndpointArguments;
use crate::chain_id::ChainCheck;
use crate::exchanged::ExchangeCheck;
use crate::failure::CommandFailure;
use crate::say::say;

/// The rollup for [`ClientBuilder::and`], and its checks. `sources` are the beacon sources of its L1.
///
/// # Errors
/// A usage failure if no provider is known.
pub(super) fn builder(
    chosen: ChosenRollup,
    sources: &[Endpoint],
    options: &ClientOptions<'_>,
) -> Result<(ClientBuilder, Checks), CommandFailure> {
    let ChosenRollup { profile, is_own, rpc } = chosen;
    if rpc.endpoints.is_empty() {
        return Err(CommandFailure::usage(
            "no_provider",
            format!("no execution provider is known for {}: none is listed for rollups", profile.name()),
            "Give at least one that serves eth_getProof with --rpc-url, or in ETH_RPC_URL. Of several rollups the first has it: read each alone.",
        ));
    }
    if !profile.is_pinned() && !options.is_quiet {
        say(format_args!(
            "{}: what is shown is provisional: saldo does not know the code of its contracts on Ethereum yet, so nothing of it can be proven",
            profile.name()
        ));
    }
    let policy = policy::of_rollup(options, &rpc);
    let check = is_own.then(|| ChainCheck::new(profile.chain_id(), &rpc.endpoints));
    let exchange = ExchangeCheck::new(&rpc.endpoints, sources);
    let builder = Client::rollup(profile).policy(policy);
    let builder = rpc.endpoints.into_iter().fold(builder, |builder, endpoint| builder.rpc(endpoint));
    Ok((builder, (check, exchange)))
}

/// Chooses the one network with a committee that is named, or the one rollup with its L1.
///
/// # Errors
/// A usage failure if several are named, or what is named is wrong.
pub(crate) fn choose_one(
    arguments: &EndpointArguments,
    l1_rpc_url: &[String],
    patience: Duration,
) -> Result<(Chosen, Option<ChosenRollup>), CommandFailure> {
    let (mut rollups, mut networks) = (Vec::new(), Vec::new());
    for choice in choose_all(arguments, l1_rpc_url, patience)? {
        match choice {
            Choice::Rollup(chosen) => rollups.push(*chosen),
            Choice::Network(chosen) => networks.push(*chosen),
        }
    }
    let (rollup, more) = (rollups.pop(), rollups);
    let is_own = |chosen: &Chosen| {
        rollup.as_ref().is_none_or(|rollup| rollup.profile.l1_chain_id() == chosen.network.chain_id())
    };
    match (<[Chosen; 1]>::try_from(networks), more.is_empty()) {
        (Ok([network]), true) if is_own(&network) => Ok((network, rollup)),
        _ => Err(CommandFailure::usage(
            "several_networks",
            "several networks are named",
            "Name one network after --network, or one rollup, with its L1 where that is from a file.",
        )),
    }
}

/// Chooses the one rollup that is named, and its L1, which is asked about the rollup's contracts alone.
///
/// # Errors
/// A usage failure if no rollup is named, or several are, or what is named of its L1 is wrong.
pub(crate) fn choose_rollup(
    arguments: &EndpointArguments,
    l1_rpc_url: &[String],
    patience: Duration,
) -> Result<(Profile, Chosen), CommandFailure> {
    let (mut rollups, mut networks) = (Vec::new(), Vec::new());
    for choice in choose_all(arguments, l1_rpc_url, patience)? {
        match choice {
            Choice::Rollup(chosen) => rollups.push(chosen.profile),
            Choice::Network(chosen) => networks.push(*chosen),
        }
    }
    let one = <[Profile; 1]>::try_from(rollups).map_err(|rollups| {
        let found = if rollups.is_empty() { "no rollup is named" } else { "several rollups are named" };
        let next = "Name one rollup of `saldo network list`, or the file of a profile.";
        CommandFailure::usage("no_rollup", found, next)
    })?;
    let [profile] = one;
    let l1 = networks.into_iter().find(|chosen| chosen.network.chain_id() == profile.l1_chain_id());
    let l1 = l1.ok_or_else(|| no_l1(&profile))?;
    Ok((profile, Chosen { is_named: false, ..l1 }))
}
