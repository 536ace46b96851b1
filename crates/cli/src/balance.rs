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

/// How many addresses from standard input are read together.
const TOGETHER: usize = 32;
/// After how long a reader at a terminal is told that it goes on.
const STILL_READING: Duration = Duration::from_secs(2);

/// Reads and prints; gives the exit status.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails; a balance that cannot be known is no failure.
pub(crate) async fn run(arguments: BalanceArguments) -> Result<u8, CommandFailure> {
    if arguments.verbose {
        log_to_stderr();
    }
    let from_stdin = arguments.addresses.iter().any(|address| address == "-");
    if from_stdin && arguments.addresses.len() > 1 {
        let next = "Give either addresses, or `-` alone.";
        return Err(CommandFailure::usage("mixed_addresses", "`-` stands beside other addresses", next));
    }
    if from_stdin && arguments.watch {
        let next = "Give the addresses themselves.";
        return Err(CommandFailure::usage("watched_input", "`-` cannot be watched", next));
    }
    // What was typed is looked at before anything that it would need.
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
    /// Answers each line as it comes, all by one client: it keeps its light client and what it has proven.
    async fn read_from_stdin(&mut self) -> Result<(), CommandFailure> {
        let (lines, mut incoming) = mpsc::channel::<String>(TOGETHER);
        tokio::spawn(async move {
            let mut stdin = BufReader::new(tokio::io::stdin()).lines();
            while let Ok(Some(line)) = stdin.next_line().await {
                if lines.send(line).await.is_err() {
                    break;
                }
            }
        });
        let mut batch = Vec::new();
        while incoming.recv_many(&mut batch, TOGETHER).await > 0 {
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
        let holdings: Vec<Holding> = owners.iter().map(|owner| Holding::native(*owner)).collect();
        let reading = async {
            if self.arguments.no_wait {
                self.client.read(&holdings).await
            } else {
                self.client.read_patiently(&holdings, self.arguments.patience()).await
            }
        };
        let tells = std::io::stderr().is_terminal() && !self.arguments.quiet && !self.arguments.json;
        let readings = tokio::select! {
            readings = reading => readings,
            never = tell_that_it_goes_on(tells) => match never {},
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

    /// 4 wins over 3; a usage error on one line is not forgotten, but readings that need somebody win over it.
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

async fn tell_that_it_goes_on(tells: bool) -> std::convert::Infallible {
    tokio::time::sleep(STILL_READING).await;
    if tells {
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
