//! `saldo balance`: addresses in, readings out.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use saldo::{Address, Client, Holding, Reading};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

use crate::arguments::BalanceArguments;
use crate::failure::CommandFailure;
use crate::{address, json, print, setup, text, watch};

/// The most addresses from standard input that are read in one batch.
const BATCH_SIZE: usize = 32;
/// How long a read takes before a terminal user sees a progress message.
const PROGRESS_AFTER: Duration = Duration::from_secs(2);

/// Reads the balances and prints them; returns the exit status.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails. An unknown balance is not a failure.
pub(crate) async fn run(arguments: BalanceArguments) -> Result<u8, CommandFailure> {
    if arguments.verbose {
        log_to_stderr();
    }
    let from_stdin = arguments.addresses.iter().any(|address| address == "-");
    if from_stdin && arguments.addresses.len() > 1 {
        let next = "Give either addresses, or `-` alone.";
        return Err(CommandFailure::usage(
            "mixed_addresses",
            "`-` is given together with other addresses",
            next,
        ));
    }
    if from_stdin && arguments.watch {
        let next = "Give the addresses themselves.";
        return Err(CommandFailure::usage("watched_input", "`-` cannot be watched", next));
    }
    // Check the typed addresses before opening files or building a client.
    let owners: Vec<Address> = match from_stdin {
        true => Vec::new(),
        false => {
            arguments.addresses.iter().map(|address| address::parse(address)).collect::<Result<_, _>>()?
        }
    };
    let client = setup::client(&arguments)?;
    for fault in client.storage_faults() {
        eprintln!("{}: {fault}", arguments.store.as_deref().unwrap_or(Path::new("")).display());
    }
    if arguments.watch {
        return watch::run(&client, &owners, &arguments).await;
    }
    let mut output = Output { client, arguments, status: 0 };
    if from_stdin {
        output.read_from_stdin().await?;
    } else {
        output.read(&owners).await?;
    }
    Ok(output.status)
}

struct Output {
    client: Client,
    arguments: BalanceArguments,
    status: u8,
}

impl Output {
    /// Reads each line with the same client, so that the light client and proven readings are reused.
    async fn read_from_stdin(&mut self) -> Result<(), CommandFailure> {
        let (lines, mut incoming) = mpsc::channel::<String>(BATCH_SIZE);
        tokio::spawn(async move {
            let mut stdin = BufReader::new(tokio::io::stdin()).lines();
            while let Ok(Some(line)) = stdin.next_line().await {
                if lines.send(line).await.is_err() {
                    break;
                }
            }
        });
        let mut batch = Vec::new();
        while incoming.recv_many(&mut batch, BATCH_SIZE).await > 0 {
            let mut owners = Vec::new();
            for line in batch.drain(..) {
                match line.split('#').next().unwrap_or_default().trim() {
                    "" => {}
                    line => match address::parse(line) {
                        Ok(owner) => owners.push(owner),
                        Err(failure) => {
                            failure.report(self.arguments.json);
                            self.worsen(failure.status());
                        }
                    },
                }
            }
            self.read(&owners).await?;
        }
        Ok(())
    }

    async fn read(&mut self, owners: &[Address]) -> Result<(), CommandFailure> {
        let holdings: Vec<Holding> = owners.iter().map(|owner| self.client.native(*owner)).collect();
        let reading = async {
            if self.arguments.no_wait {
                self.client.read(&holdings).await
            } else {
                self.client.read_patiently(&holdings, self.arguments.read_timeout()).await
            }
        };
        let is_interactive = std::io::stderr().is_terminal() && !self.arguments.quiet && !self.arguments.json;
        let readings = tokio::select! {
            readings = reading => readings,
            never = report_progress(is_interactive) => match never {},
        };
        for (holding, reading) in holdings.iter().zip(&readings) {
            let line = if self.arguments.json {
                json::reading(&self.client, holding, reading).to_string()
            } else {
                let detail = match (self.arguments.quiet, self.arguments.verbose) {
                    (true, _) => text::Detail::Least,
                    (_, true) => text::Detail::Most,
                    _ => text::Detail::Usual,
                };
                text::reading(&self.client, holding, reading, detail)
            };
            print(&line)?;
            self.worsen(status(reading));
        }
        Ok(())
    }

    /// Keeps the highest status: 4 (you must act) over 3 (try again) over 2 (usage error on one line).
    fn worsen(&mut self, status: u8) {
        self.status = self.status.max(status);
    }
}

fn status(reading: &Reading) -> u8 {
    match reading {
        Reading::Proven(_) => 0,
        Reading::Provisional(provisional) if provisional.why().needs_action() => 4,
        Reading::Unknown(unknown) if unknown.why().needs_action() => 4,
        Reading::Provisional(_) | Reading::Unknown(_) => 3,
    }
}

async fn report_progress(is_interactive: bool) -> std::convert::Infallible {
    tokio::time::sleep(PROGRESS_AFTER).await;
    if is_interactive {
        eprintln!("still reading: catching up with the chain, or waiting for the committee to sign…");
    }
    std::future::pending().await
}

fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::new("off,saldo=debug,saldo_beacon=debug,saldo_source=debug");
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .without_time()
        .try_init();
}
