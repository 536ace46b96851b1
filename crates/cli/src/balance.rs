//! `saldo balance`: addresses in, readings out.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use saldo::{Address, Client, Holding, Reading, StorageFault};

use crate::arguments::BalanceArguments;
use crate::failure::CommandFailure;
use crate::parts::{Part, Parts};
use crate::say::say;
use crate::tokens;
use crate::{input, json, log, print, setup, text, token_list, watch};

/// How many amounts are read together. A longer list takes more memory, and its first line comes later.
const READ_TOGETHER: usize = 2_000;
/// How long a read takes before a terminal user sees a progress message.
const PROGRESS_AFTER: Duration = Duration::from_secs(2);

/// Reads the balances and prints them; returns the exit status.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails. An unknown balance is not a failure.
pub(crate) async fn run(arguments: BalanceArguments) -> Result<u8, CommandFailure> {
    if arguments.verbose {
        log::to_stderr();
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
    if arguments.line_by_line && !from_stdin {
        let next = "Give `-`, and write the addresses to standard input.";
        return Err(CommandFailure::usage("mixed_addresses", "--line-by-line reads standard input", next));
    }
    // Check all addresses before opening files or building a client.
    let owners: Vec<Address> = match (from_stdin, arguments.line_by_line) {
        (false, _) => input::of_arguments(&arguments.addresses)?,
        (true, false) => input::of_stdin().await?,
        (true, true) => Vec::new(),
    };
    let named = tokens::of_arguments(&arguments.token)?;
    let list = match &arguments.token_list {
        Some(place) => Some(token_list::read(place, arguments.read_timeout()).await?),
        None => None,
    };
    let options = arguments.client_options();
    let chosen = setup::choose_all(options.endpoints, &[], &arguments.l1_rpc_url, options.timeout)?;
    let (client, built) = setup::build_all(chosen, &options)?;
    let parts = Parts::new(&client, built, &named, list.as_ref())?;
    let mut output = Output { client, parts, arguments, status: 0, told: Vec::new() };
    output.tell_storage_faults();
    if output.arguments.watch {
        output.tell_coverage()?;
        let Output { client, parts, arguments, .. } = &mut output;
        for check in parts.iter().filter_map(|part| part.chain_check.as_ref()) {
            check.run().await?;
        }
        return watch::run(client, parts, &owners, arguments).await;
    }
    if output.arguments.line_by_line {
        output.read_line_by_line().await?;
    } else {
        output.read_all(&owners).await?;
    }
    output.tell_coverage()?;
    Ok(output.status)
}

struct Output {
    client: Client,
    parts: Parts,
    arguments: BalanceArguments,
    status: u8,
    /// The faults of the storage that were printed.
    told: Vec<StorageFault>,
}

impl Output {
    /// Reads each line with the same client, so that the light client and proven readings are reused.
    async fn read_line_by_line(&mut self) -> Result<(), CommandFailure> {
        let mut incoming = input::line_by_line();
        while let Some(line) = incoming.recv().await {
            match line {
                Ok(owner) => self.read(&[owner], self.arguments.read_timeout()).await?,
                Err(failure) => {
                    failure.report(self.arguments.json);
                    self.worsen(failure.status());
                }
            }
        }
        Ok(())
    }

    /// Says what is wrong with the file of `--store`, each fault once.
    fn tell_storage_faults(&mut self) {
        let file = self.arguments.store.as_deref().unwrap_or(Path::new("")).display().to_string();
        for fault in self.client.storage_faults() {
            if !self.told.contains(&fault) {
                say(format_args!("{file}: {fault}\n  {}", setup::next_step_of(&fault)));
                self.told.push(fault);
            }
        }
    }

    /// Says which tokens are looked at. In JSON each reading says it.
    fn tell_coverage(&self) -> Result<(), CommandFailure> {
        let is_told = !self.arguments.quiet && !self.arguments.json;
        let lines = self.parts.iter().filter_map(|part| part.tokens.coverage_line());
        lines.filter(|_| is_told).try_for_each(|line| print(&line))
    }

    /// Reads a list in portions, within one timeout. What belongs to one address is in one portion, and so at one block.
    async fn read_all(&mut self, owners: &[Address]) -> Result<(), CommandFailure> {
        let began = Instant::now();
        let together = READ_TOGETHER.checked_div(self.parts.holdings_of_one()).unwrap_or_default();
        for portion in owners.chunks(together.max(1)) {
            let left = self.arguments.read_timeout().saturating_sub(began.elapsed());
            self.read(portion, left).await?;
        }
        Ok(())
    }

    async fn read(&mut self, owners: &[Address], timeout: Duration) -> Result<(), CommandFailure> {
        let holdings: Vec<Holding> = owners.iter().flat_map(|owner| self.parts.holdings(*owner)).collect();
        let checks = join_all(self.parts.iter().map(async |part| match &part.chain_check {
            Some(check) => check.run().await,
            None => Ok(()),
        }));
        let reading = async {
            if self.arguments.no_wait {
                self.client.read(&holdings).await
            } else {
                self.client.read_patiently(&holdings, timeout).await
            }
        };
        let is_interactive = std::io::stderr().is_terminal() && !self.arguments.quiet && !self.arguments.json;
        let (checked, readings) = tokio::select! {
            both = join(checks, reading) => both,
            never = report_progress(is_interactive) => match never {},
        };
        let mut exchanged = Vec::new();
        for (part, checked) in self.parts.iter_mut().zip(checked) {
            exchanged.extend(part.take_in(&holdings, &readings, checked).await?);
        }
        // An amount that was proven before is shown all the same, and so are other networks.
        let is_shown = |(holding, reading): (&Holding, &Reading)| {
            remembers(reading) && !self.parts.of(holding).is_refused
        };
        if !holdings.iter().zip(&readings).any(is_shown)
            && let Some(failure) = exchanged.pop()
        {
            return Err(failure);
        }
        for (holding, reading) in holdings.iter().zip(&readings) {
            let Part { client, tokens, is_refused, lack, .. } = self.parts.of(holding);
            if *is_refused {
                continue;
            }
            let line = if self.arguments.json {
                json::reading_of(client, tokens, holding, reading, lack.as_ref()).to_string()
            } else if let Some(lack) = lack {
                text::lack(tokens, holding, lack, self.arguments.quiet)
            } else {
                let detail = match (self.arguments.quiet, self.arguments.verbose) {
                    (true, _) => text::Detail::Least,
                    (_, true) => text::Detail::Most,
                    _ => text::Detail::Usual,
                };
                text::reading(client, tokens, holding, reading, detail)
            };
            print(&line)?;
            self.worsen(status(reading));
        }
        for failure in exchanged {
            failure.report(self.arguments.json);
            self.worsen(failure.status());
        }
        self.tell_storage_faults();
        Ok(())
    }

    /// Keeps the highest status: 4 (you must act) over 3 (try again) over 2 (usage error on one line).
    fn worsen(&mut self, status: u8) {
        self.status = self.status.max(status);
    }
}

/// Whether the reading has an amount to show.
fn remembers(reading: &Reading) -> bool {
    match reading {
        Reading::Proven(_) => true,
        Reading::Provisional(provisional) => provisional.last().is_some(),
        Reading::Unknown(unknown) => unknown.last().is_some(),
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
        say("still reading: catching up with the chain, or waiting for the committee to sign…");
    }
    std::future::pending().await
}
