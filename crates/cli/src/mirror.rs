//! `saldo mirror`: writes light-client data as plain files after saldo has verified it, and keeps them fresh.

use std::path::Path;
use std::sync::Arc;

use saldo::{Attempt, Checkpoint};
use saldo_source::mirror::{KeepError, Keeper, Kept, newest_checkpoint};
use saldo_source::{Io, SystemClock};
use serde_json::{Value, json};

use crate::arguments::{EndpointArguments, MirrorArguments};
use crate::failure::CommandFailure;
use crate::say::say;
use crate::{print, setup};

/// The exit status when no source gave a head that verifies. Trying again may help.
const NO_NEWER_HEAD: u8 = 3;

/// Writes the mirror, once or repeatedly. Returns the exit status: 0 if the mirror has the newest heads, 3 if no
/// source gave a head that verifies.
///
/// # Errors
/// A [`CommandFailure`] if no source or checkpoint is known, or the folder cannot be written.
pub(crate) async fn run(arguments: MirrorArguments) -> Result<u8, CommandFailure> {
    let MirrorArguments { folder, network, beacon_url, mirror, checkpoint, periods, timeout, json, .. } =
        arguments;
    let (rpc_url, relay_url, providers) = Default::default();
    let named = EndpointArguments { network, rpc_url, beacon_url, relay_url, mirror, providers, checkpoint };
    let chosen = setup::choose(&named, timeout)?;
    let network = chosen.network;
    if chosen.beacon.endpoints.is_empty() {
        return Err(CommandFailure::usage(
            "no_beacon_source",
            format!("no beacon source is known for {}", network.name()),
            "Give at least one beacon node that serves light-client data with --beacon-url, or in SALDO_BEACON_URL.",
        ));
    }
    let own = || newest_checkpoint(&folder, &network).or(network.checkpoint().copied());
    let Some(checkpoint) = chosen.checkpoint.or_else(own) else {
        return Err(CommandFailure::usage(
            "no_checkpoint",
            format!("no checkpoint is known for {}", network.name()),
            "Give the root of a finalized beacon block from a source you trust with --checkpoint, or in SALDO_CHECKPOINT.",
        ));
    };
    let transport = setup::http_transport()?;
    let io = Io::new(Arc::new(transport), Arc::new(SystemClock::new()));
    let mut keeper = Keeper::new(io, network, chosen.beacon.endpoints, checkpoint, &folder);
    if let Some(periods) = periods {
        keeper = keeper.periods(periods.get());
    }
    let mut is_first = true;
    loop {
        let status = match (keeper.refresh(timeout).await, arguments.every) {
            (Ok(kept), _) => {
                report(&kept, &folder, is_first, json)?;
                is_first = false;
                if kept.head.is_some() { 0 } else { NO_NEWER_HEAD }
            }
            (Err(error @ KeepError::NotStarted { .. }), Some(_)) => {
                failure(&error, checkpoint).report(json);
                NO_NEWER_HEAD
            }
            (Err(error), _) => return Err(failure(&error, checkpoint)),
        };
        match arguments.every {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Ok(status),
        }
    }
}

fn failure(error: &KeepError, checkpoint: Checkpoint) -> CommandFailure {
    match error {
        KeepError::NotStarted { attempts } => {
            let lines: Vec<String> = attempts.iter().map(line).collect();
            let detail = format!("{error} ({checkpoint}): {}", lines.join("; "));
            let next = "Check the beacon nodes, or give a newer finalized block with --checkpoint.";
            CommandFailure::failed("not_started", detail, next)
        }
        _ => CommandFailure::failed(
            "folder",
            error,
            "Check that the folder can be written, and that there is room.",
        ),
    }
}

fn report(kept: &Kept, folder: &Path, is_first: bool, as_json: bool) -> Result<(), CommandFailure> {
    if as_json {
        return print(&object(kept, folder).to_string());
    }
    kept.attempts.iter().for_each(|attempt| say(format_args!("saldo: {}", line(attempt))));
    kept.written.iter().try_for_each(|path| print(&format!("wrote    {path}")))?;
    kept.removed.iter().try_for_each(|path| print(&format!("removed  {path}")))?;
    let head = kept.head.map_or("no newer head".to_owned(), |slot| format!("head at slot {slot}"));
    print(&format!("{head}, final {}", kept.finalized))?;
    if is_first {
        print(&format!("use it   saldo balance ADDRESS --mirror {}", folder.display()))?;
        print("         or, once it is served at a URL: --mirror URL")?;
    }
    Ok(())
}

fn line(attempt: &Attempt) -> String {
    format!("{}: {}", attempt.provider, attempt.outcome)
}

fn object(kept: &Kept, folder: &Path) -> Value {
    let attempts = kept
        .attempts
        .iter()
        .map(|attempt| json!({ "source": attempt.provider.as_str(), "outcome": attempt.outcome.code() }));
    json!({
        "schema": "saldo.mirror/1",
        "mirror": folder.display().to_string(),
        "written": kept.written,
        "removed": kept.removed,
        "head_slot": kept.head.map(|slot| slot.get()),
        "finalized": kept.finalized.to_string(),
        "attempts": attempts.collect::<Vec<_>>(),
    })
}
