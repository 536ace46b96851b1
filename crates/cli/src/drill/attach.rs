//! `saldo drill attach`: proven readings from a development node.

use std::sync::Arc;
use std::time::Duration;

use saldo_drill::attach::{AttachError, Attached, NodeError, Noticed, Signing};
use saldo_drill::proxy::Proxy;
use saldo_drill::scenario::Role;
use saldo_source::HttpTransport;
use serde_json::json;

use super::arguments::AttachArguments;
use super::loopback::{Loopback, now};
use crate::failure::CommandFailure;
use crate::interrupt::interrupted;
use crate::{print, setup};

/// How many times per slot the node is polled, at least.
const POLLS_PER_SLOT: u32 = 5;

/// Signs the node's blocks until it is interrupted, or until the node was reset.
///
/// # Errors
/// A [`CommandFailure`] if the URL is not a node's, the node is of a built-in network, or the node was reset.
pub(super) async fn run(arguments: AttachArguments) -> Result<u8, CommandFailure> {
    let upstream = setup::endpoint(&arguments.upstream, "--upstream", 1)?;
    let transport = setup::http_transport()?;
    let transport = Arc::new(transport);
    let slot = Duration::from_secs(arguments.slot.as_secs().max(1));
    let signing = Signing { slot, finality: arguments.finality };
    let attached =
        Attached::to(upstream.clone(), Arc::<HttpTransport>::clone(&transport), signing, now()).await;
    let mut attached = attached.map_err(|error| failure(&error))?;
    let mut loopback = Loopback::new(arguments.listen)
        .only_for(arguments.allow_origin.clone())
        .write_to(arguments.out.clone());
    loopback.serve(Role::Provider, "node", Proxy::new(upstream, transport, Role::Provider)).await?;
    loopback.serve(Role::Beacon, "committee", attached.beacon()).await?;
    if !arguments.json {
        let mined = if attached.mined() { ", which it was made to mine" } else { "" };
        print(&format!("attached at block {}{mined}\n", attached.number()))?;
    }
    let interrupted = interrupted();
    loopback.write_network_file(&attached.network(), None, None, arguments.json)?;
    tokio::select! {
        outcome = follow(&mut attached, slot, &arguments) => outcome?,
        () = interrupted => {}
    }
    Ok(0)
}

async fn follow(
    attached: &mut Attached,
    slot: Duration,
    arguments: &AttachArguments,
) -> Result<(), CommandFailure> {
    let pause = slot.checked_div(POLLS_PER_SLOT).unwrap_or(slot);
    let mut is_away = false;
    loop {
        match attached.follow(now()).await {
            Ok(Noticed::WentBack { from, to }) => report(
                arguments,
                "went_back",
                &format!(
                    "the node went back from block {from} to {to}: readings of the removed blocks are withdrawn"
                ),
            )?,
            Ok(Noticed::Newer { number }) if arguments.verbose => {
                report(arguments, "newer", &format!("block {number}"))?;
            }
            Ok(_) if is_away => {
                is_away = false;
                report(arguments, "back", "the node answers again")?;
            }
            Ok(_) => {}
            Err(AttachError::Node(error)) if !is_away => {
                is_away = true;
                report(arguments, "away", &format!("{error}; nothing is signed until the node answers"))?;
            }
            Err(AttachError::Node(_)) => {}
            Err(error) => return Err(failure(&error)),
        }
        tokio::time::sleep(pause).await;
    }
}

fn report(arguments: &AttachArguments, noticed: &str, detail: &str) -> Result<(), CommandFailure> {
    if arguments.json {
        return print(
            &json!({ "schema": "saldo.drill/1", "noticed": noticed, "detail": detail }).to_string(),
        );
    }
    print(detail)
}

fn failure(error: &AttachError) -> CommandFailure {
    match error {
        AttachError::BuiltIn { .. } => CommandFailure::usage(
            "built_in_network",
            error,
            "Give the node a chain id of its own, for example `anvil --chain-id 31337`.",
        ),
        AttachError::Reset { .. } => CommandFailure::failed(
            "node_was_reset",
            error,
            "Start `saldo drill attach` again, and start the wallet with the new network file. Without --finality a node may go \
             back to the block at which attach began.",
        ),
        AttachError::Node(NodeError::Denied { .. }) => CommandFailure::failed(
            "denied",
            error,
            "Check the key in the URL, name the node by its IP address, or let it serve this host name (geth: --http.vhosts).",
        ),
        _ => CommandFailure::failed(
            "no_node",
            error,
            "Start the node, and give its JSON-RPC URL with --upstream.",
        ),
    }
}
