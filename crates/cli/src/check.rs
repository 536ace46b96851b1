//! `saldo check`: claims in, verdicts out.

mod amount;
mod arguments;
mod file;
mod line;
mod list;

use std::io::IsTerminal;

use saldo::{Claim, Client, Holding, Reading, Verdict};

use crate::chain_id::ChainCheck;
use crate::exchanged::ExchangeCheck;
use crate::failure::CommandFailure;
use crate::say::{say, say_in_place};
use crate::{input, print, setup};
use file::VerdictFile;
use line::ClaimForm;
use list::ListedClaim;

pub(crate) use arguments::CheckArguments;

/// How many claims are checked together, and lost where the command is stopped.
const CHECKED_TOGETHER: usize = 1_000;

/// Checks the claims of a list and prints the verdicts; returns the exit status.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails. A claim that is wrong, or is not checked, is not a failure.
pub(crate) async fn run(arguments: CheckArguments) -> Result<u8, CommandFailure> {
    let text = match arguments.list.as_str() {
        "-" => input::text_of_stdin().await?,
        path => input::text_of_file(path, arguments.timeout)?,
    };
    let listed = list::read(&text)?;
    let file = arguments.output.as_deref().map(VerdictFile::open).transpose()?;
    let (client, chain_check, exchange_check) = setup::client(&arguments.client_options())?;
    let claims: Vec<Claim> = listed.iter().map(|listed| claim(&client, listed)).collect();
    let check = Check {
        client,
        shows_progress: std::io::stderr().is_terminal() && !arguments.quiet && !arguments.json,
        arguments,
        file,
        counts: Counts::default(),
        chain_check,
        exchange_check: Some(exchange_check),
    };
    check.tell_storage_faults();
    check.run(&claims).await
}

fn claim(client: &Client, listed: &ListedClaim) -> Claim {
    let holding = Holding::of(client.network_id(), listed.owner, listed.asset);
    Claim { holding, amount: listed.amount, block: listed.block }
}

/// How many claims have which verdict.
#[derive(Default)]
struct Counts {
    confirmed: usize,
    changed: usize,
    different: usize,
    not_checked: usize,
    /// Of the first three: those whose verdict was in the file before.
    before: usize,
    /// Whether a claim was not checked for a reason that needs the user.
    needs_action: bool,
}

impl Counts {
    fn add(&mut self, code: &str) {
        let count = match code {
            "confirmed" => &mut self.confirmed,
            "changed" => &mut self.changed,
            "different" => &mut self.different,
            _ => &mut self.not_checked,
        };
        *count = count.saturating_add(1);
    }

    fn status(&self) -> u8 {
        match self {
            Self { different: 1.., .. } => 5,
            Self { not_checked: 1.., needs_action: true, .. } => 4,
            Self { not_checked: 1.., .. } => 3,
            _ => 0,
        }
    }

    fn line(&self) -> String {
        let Self { confirmed, changed, different, not_checked, before, .. } = self;
        let mut line = format!(
            "{confirmed} confirmed, {changed} changed since, {different} different, {not_checked} not checked"
        );
        if *before > 0 {
            line.push_str(&format!(" ({before} of them by the file)"));
        }
        line
    }
}

struct Check {
    client: Client,
    arguments: CheckArguments,
    file: Option<VerdictFile>,
    counts: Counts,
    /// The check of a network file's chain id, until it is done.
    chain_check: Option<ChainCheck>,
    /// The check for exchanged URLs, until it is done.
    exchange_check: Option<ExchangeCheck>,
    shows_progress: bool,
}

impl Check {
    async fn run(mut self, claims: &[Claim]) -> Result<u8, CommandFailure> {
        let mut open = Vec::with_capacity(claims.len());
        for claim in claims {
            let known = self.file.as_ref().and_then(|file| file.verdict_on(&ClaimForm::from(claim)));
            match known {
                Some(code) => {
                    self.counts.add(code);
                    self.counts.before = self.counts.before.saturating_add(1);
                }
                None => open.push(*claim),
            }
        }
        let mut done = claims.len().saturating_sub(open.len());
        for portion in open.chunks(CHECKED_TOGETHER) {
            self.tell_progress(done, claims.len(), false);
            self.check(portion).await?;
            done = done.saturating_add(portion.len());
        }
        self.tell_progress(done, claims.len(), true);
        if !self.arguments.json {
            print(&self.counts.line())?;
        }
        self.tell_storage_faults();
        Ok(self.counts.status())
    }

    async fn check(&mut self, claims: &[Claim]) -> Result<(), CommandFailure> {
        let verdicts = self.client.check_patiently(claims, self.arguments.timeout).await;
        let is_any_proven = verdicts.iter().any(|verdict| verdict.proven().is_some());
        if let Some(check) = self.chain_check.take_if(|_| is_any_proven) {
            check.run().await?;
        }
        if let Some(check) = self.exchange_check.take() {
            let readings: Vec<Reading> = verdicts.iter().map(reading).collect();
            if let Some(failure) = check.run(&readings).await? {
                return Err(failure);
            }
        }
        let lines = || claims.iter().zip(&verdicts);
        if let Some(file) = &mut self.file {
            let lines: Vec<String> =
                lines().map(|(claim, verdict)| line::json(claim, verdict).to_string()).collect();
            file.append(&lines)?;
        }
        self.clear_progress();
        for (claim, verdict) in lines() {
            self.counts.add(verdict.code());
            if let Verdict::NotChecked(unknown) = verdict {
                self.counts.needs_action |= unknown.why().needs_action();
            }
            if self.arguments.quiet && matches!(verdict, Verdict::Confirmed(_)) {
                continue;
            }
            if self.arguments.json {
                print(&line::json(claim, verdict).to_string())?;
            } else {
                print(&line::row(&self.client, claim, verdict))?;
            }
        }
        Ok(())
    }

    /// Says on a terminal how many claims are done.
    fn tell_progress(&self, done: usize, all: usize, is_end: bool) {
        if self.shows_progress && all > CHECKED_TOGETHER {
            say_in_place(format_args!("\r{done} of {all} claims checked{}", if is_end { "\n" } else { "" }));
        }
    }

    /// Takes that line away, so that a verdict begins its own.
    fn clear_progress(&self) {
        if self.shows_progress {
            say_in_place(format_args!("\r{:60}\r", ""));
        }
    }

    /// Says what is wrong with the file of `--store`.
    fn tell_storage_faults(&self) {
        for fault in self.client.storage_faults() {
            say(format_args!("the file of --store: {fault}\n  {}", setup::next_step_of(&fault)));
        }
    }
}

/// The reading that a verdict follows from.
fn reading(verdict: &Verdict) -> Reading {
    match verdict {
        Verdict::Confirmed(proven) | Verdict::Different { proven, .. } | Verdict::Changed { proven, .. } => {
            Reading::Proven(proven.clone())
        }
        Verdict::NotChecked(unknown) => Reading::Unknown(unknown.clone()),
    }
}
