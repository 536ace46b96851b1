//! From a rollup that was chosen to the part of a client that reads it.

use saldo::{Client, ClientBuilder, Endpoint};

use super::choice::ChosenRollup;
use super::{Checks, ClientOptions, policy};
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
