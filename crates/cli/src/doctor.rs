//! `saldo doctor`: which of a wallet's endpoints work, and which single failure would stop it.

mod json;
mod rollup_json;
mod rollup_text;
mod text;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use saldo_doctor::{Diagnosis, Doctor, Finding, Limits, Progress, ProviderReport, RollupDoctor, Verdict};
use saldo_source::{HttpTransport, SystemClock};

use crate::arguments::DoctorArguments;
use crate::chain_id::wrong_chain_id;
use crate::failure::CommandFailure;
use crate::say::say_in_place;
use crate::setup::{Chosen, ChosenRollup};
use crate::{print, setup};

/// Examines the endpoints and prints the report. Returns the exit status: 0 if a balance can be proven now, 3 if not
/// and trying again may help, 4 if the user must act.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails. A provider that fails is not a failure of the command.
pub(crate) async fn run(arguments: DoctorArguments) -> Result<u8, CommandFailure> {
    let (chosen, rollup) = setup::choose_one(&arguments.endpoints, &arguments.l1_rpc_url, arguments.timeout)?;
    let examined = [&chosen.rpc.endpoints, &chosen.beacon.endpoints, &chosen.checkpoint_sources];
    let is_empty = examined.iter().all(|endpoints| endpoints.is_empty());
    if is_empty && rollup.as_ref().is_none_or(|rollup| rollup.rpc.endpoints.is_empty()) {
        return Err(CommandFailure::usage(
            "nobody_to_ask",
            "no endpoint is configured",
            "Give execution providers with --rpc-url, and beacon sources with --beacon-url.",
        ));
    }
    let transport = setup::http_transport()?;
    let is_interactive = std::io::stderr().is_terminal();
    let progress = |progress| show_progress(is_interactive, &progress);
    let is_own = chosen.is_own;
    let doctor = doctor(chosen, transport, arguments.timeout);
    let (text, json, verdict) = match rollup {
        None => {
            let mut report = doctor.examine(&progress).await;
            note_other_chain(&mut report.diagnosis, report.chain_id, &report.providers, is_own);
            (text::report(&report), json::report(&report), report.diagnosis.verdict)
        }
        Some(ChosenRollup { profile, is_own, rpc, relays }) => {
            let doctor = RollupDoctor::new(doctor, profile);
            let doctor = rpc.endpoints.into_iter().fold(doctor, RollupDoctor::provider);
            let doctor = relays.into_iter().fold(doctor, RollupDoctor::relay);
            let mut report = doctor.examine(&progress).await;
            note_other_chain(&mut report.diagnosis, report.chain_id, &report.providers, is_own);
            (rollup_text::report(&report), rollup_json::report(&report), report.diagnosis.verdict)
        }
    };
    if is_interactive {
        say_in_place("\r\x1b[K");
    }
    if arguments.json {
        print(&json.to_string())?;
    } else {
        print(text.trim_end())?;
    }
    Ok(match verdict {
        Verdict::Works => 0,
        Verdict::NotNow => 3,
        Verdict::NeedsAction => 4,
    })
}

/// The examination of a network with a committee.
fn doctor(chosen: Chosen, transport: HttpTransport, timeout: Duration) -> Doctor {
    // As for a balance: a given checkpoint, else the one that the checkpoint sources agree on, else the network's
    // own.
    let own = chosen.network.checkpoint().copied().filter(|_| chosen.checkpoint_sources.is_empty());
    let doctor = Doctor::new(chosen.network, Arc::new(transport), Arc::new(SystemClock::new()))
        .checkpoint(chosen.checkpoint.or(own))
        .limits(Limits { total: timeout, ..Limits::default() });
    let doctor = chosen.rpc.endpoints.into_iter().fold(doctor, Doctor::provider);
    let doctor = chosen.beacon.endpoints.into_iter().fold(doctor, Doctor::source);
    chosen.checkpoint_sources.into_iter().fold(doctor, Doctor::checkpoint_source)
}

/// Says first that all providers serve another chain, if the network is from a file: then its chain id is wrong.
fn note_other_chain(diagnosis: &mut Diagnosis, chain_id: u64, providers: &[ProviderReport], is_own: bool) {
    if let Some(other) = is_own.then(|| only_other_chain(providers)).flatten() {
        diagnosis.next_steps.insert(0, wrong_chain_id(chain_id, other).to_line());
    }
}

/// The chain of all providers that say one, if it is another than that of the network.
fn only_other_chain(providers: &[ProviderReport]) -> Option<u64> {
    let mut said =
        providers.iter().flat_map(|provider| &provider.findings).filter_map(|finding| match finding {
            Finding::WrongChain { got, .. } => Some(*got),
            _ => None,
        });
    let other = said.next()?;
    let is_right = providers.iter().any(|provider| {
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
