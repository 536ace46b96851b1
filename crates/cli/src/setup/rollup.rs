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
pub(super) fn builder(
    chosen: ChosenRollup,
    sources: &[Endpoint],
    options: &ClientOptions<'_>,
) -> (ClientBuilder, Checks) {
    let ChosenRollup { profile, is_own, rpc, relays } = chosen;
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
    let builder = relays.into_iter().fold(builder, |builder, relay| builder.sequencer_relay(relay));
    (builder, (check, exchange))
}

/// The failure for a rollup without a provider.
pub(crate) fn no_provider(profile: &Profile) -> CommandFailure {
    let name = profile.name();
    CommandFailure::usage(
        "no_provider",
        format!("no execution provider is known for {name}: none is listed for rollups"),
        format!("Give at least one that serves eth_getProof with --rpc-url {name}:URL, or in ETH_RPC_URL."),
    )
}

/// What `all` says of the rollups that it leaves out.
pub(super) fn left_out(names: &[String]) -> String {
    format!(
        "left out, because no provider is given for them: {}. --rpc-url NAME:URL reads one too",
        names.join(", ")
    )
}

/// The same without the L1s that the user did not name and that no rollup with a provider is on.
///
/// # Errors
/// A usage failure if nothing that the user named can be read: no provider is known for any of it.
pub(super) fn without_idle_l1s(chosen: Vec<Choice>) -> Result<Vec<Choice>, CommandFailure> {
    let rollups = chosen.iter().filter_map(|choice| match choice {
        Choice::Rollup(rollup) => Some(&**rollup),
        Choice::Network(_) => None,
    });
    let (lacking, read): (Vec<_>, Vec<_>) = rollups.partition(|rollup| rollup.rpc.endpoints.is_empty());
    let l1s: Vec<u64> = read.iter().map(|rollup| rollup.profile.l1_chain_id()).collect();
    let has_named =
        chosen.iter().any(|choice| matches!(choice, Choice::Network(network) if network.is_named));
    if let Some(first) = lacking.first().filter(|_| read.is_empty() && !has_named) {
        return Err(no_provider(&first.profile));
    }
    let is_used = |choice: &Choice| match choice {
        Choice::Network(network) => network.is_named || l1s.contains(&network.network.chain_id()),
        Choice::Rollup(_) => true,
    };
    Ok(chosen.into_iter().filter(is_used).collect())
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
    for choice in choose_all(arguments, &[], l1_rpc_url, patience)?.all {
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
    for choice in choose_all(arguments, &[], l1_rpc_url, patience)?.all {
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
