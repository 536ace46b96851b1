//! `saldo doctor`: which of a wallet's endpoints work, and which single failure would stop it.

mod json;
mod text;

use std::io::IsTerminal;
use std::sync::Arc;

use saldo_doctor::{Doctor, Finding, Limits, Progress, Report, Verdict};
use saldo_source::SystemClock;

use crate::arguments::DoctorArguments;
use crate::chain_id::wrong_chain_id;
use crate::failure::CommandFailure;
use crate::say::say_in_place;
use crate::{print, setup};

/// Examines the endpoints and prints the report. Returns the exit status: 0 if a balance can be proven now, 3 if not
/// and trying again may help, 4 if the user must act.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails. A provider that fails is not a failure of the command.
pub(crate) async fn run(arguments: DoctorArguments) -> Result<u8, CommandFailure> {
    let chosen = setup::choose(&arguments.endpoints, arguments.timeout)?;
    let examined = [&chosen.rpc.endpoints, &chosen.beacon.endpoints, &chosen.checkpoint_sources];
    if examined.iter().all(|endpoints| endpoints.is_empty()) {
        return Err(CommandFailure::usage(
            "nobody_to_ask",
            "no endpoint is configured",
            "Give execution providers with --rpc-url, and beacon sources with --beacon-url.",
        ));
    }
    let transport = setup::http_transport()?;
    // As for a balance: a given checkpoint, else the one that the checkpoint sources agree on, else the network's
    // own.
    let own = chosen.network.checkpoint().copied().filter(|_| chosen.checkpoint_sources.is_empty());
    let checkpoint = chosen.checkpoint.or(own);
    let mut doctor = Doctor::new(chosen.network, Arc::new(transport), Arc::new(SystemClock::new()))
        .checkpoint(checkpoint)
        .limits(Limits { total: arguments.timeout, ..Limits::default() });
    for endpoint in chosen.rpc.endpoints {
        doctor = doctor.provider(endpoint);
    }
    for endpoint in chosen.beacon.endpoints {
        doctor = doctor.source(endpoint);
    }
    for endpoint in chosen.checkpoint_sources {
        doctor = doctor.checkpoint_source(endpoint);
    }
    let is_interactive = std::io::stderr().is_terminal();
    let mut report = doctor.examine(&|progress| show_progress(is_interactive, &progress)).await;
    if let Some(other) = chosen.is_own.then(|| only_other_chain(&report)).flatten() {
        let failure = wrong_chain_id(report.chain_id, other);
        report.diagnosis.next_steps.insert(0, failure.to_line());
    }
    if is_interactive {
        say_in_place("\r\x1b[K");
    }
    if arguments.json {
        print(&json::report(&report).to_string())?;
    } else {
        print(text::report(&report).trim_end())?;
    }
    Ok(match report.diagnosis.verdict {
        Verdict::Works => 0,
        Verdict::NotNow => 3,
        Verdict::NeedsAction => 4,
    })
}

/// The chain of all providers that say one, if it is another than that of the network.
fn only_other_chain(report: &Report) -> Option<u64> {
    let mut said =
        report.providers.iter().flat_map(|provider| &provider.findings).filter_map(|finding| match finding {
            Finding::WrongChain { got, .. } => Some(*got),
            _ => None,
        });
    let other = said.next()?;
    let is_right = report.providers.iter().any(|provider| {
        provider.chain_id.is_found()
            && !provider.findings.iter().any(|finding| matches!(finding, Finding::WrongChain { .. }))
    });
    (said.all(|chain| chain == other) && !is_right).then_some(other)
}

fn show_progress(is_interactive: bool, progress: &Progress) {
    if is_interactive {
        let Progress { done, of, id, .. } = progress;
        say_in_place(format_args!("\r\x1b[Kexamined {done} of {of}: {id}"));
    }
}
