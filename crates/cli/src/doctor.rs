//! `saldo doctor`: who of those a wallet would ask can be used, and what would stop it.

mod json;
mod text;

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use saldo_doctor::{Doctor, Limits, Progress, Verdict};
use saldo_source::{HttpTransport, SystemClock};

use crate::arguments::DoctorArguments;
use crate::failure::CommandFailure;
use crate::{print, setup};

/// Examines and prints; gives the exit status: 0 if a balance can be proven now, 3 if not and trying again may help, 4
/// if it needs the user.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails; a provider that does is no failure.
pub(crate) async fn run(arguments: DoctorArguments) -> Result<u8, CommandFailure> {
    let chosen = setup::choose(&arguments.endpoints)?;
    let examined = [&chosen.rpc.endpoints, &chosen.beacon.endpoints, &chosen.checkpoint_sources];
    if examined.iter().all(|endpoints| endpoints.is_empty()) {
        return Err(CommandFailure::usage(
            "nobody_to_ask",
            "nobody to examine is known",
            "Give execution providers with --rpc-url, and beacon sources with --beacon-url.",
        ));
    }
    let transport = HttpTransport::new().map_err(|_| {
        CommandFailure::internal("TLS cannot be set up", "Check this machine's installation.")
    })?;
    // As for a balance: a given checkpoint, else what the checkpoint sources agree on, else the network's own.
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
    let tells = std::io::stderr().is_terminal();
    let report = doctor.examine(&|progress| tell(tells, &progress)).await;
    if tells {
        eprint!("\r\x1b[K");
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

fn tell(tells: bool, progress: &Progress) {
    if tells {
        eprint!("\r\x1b[Kexamined {} of {}: {}", progress.done, progress.of, progress.id);
        let _ = std::io::stderr().flush();
    }
}
