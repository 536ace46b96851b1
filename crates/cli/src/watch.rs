//! `saldo balance --watch`: the last known readings at once, and then every change.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use saldo::{
    Activity, Address, Change, Client, Freshness, Holding, NetworkId, Proven, ProviderId, Reading,
    StorageFault,
};

use crate::arguments::BalanceArguments;
use crate::exchanged::ExchangeCheck;
use crate::failure::CommandFailure;
use crate::parts::{Part, Parts};
use crate::say::say;
use crate::text::{ago, good, provenance, warn};
use crate::tokens::Tokens;
use crate::{json, print, setup};

/// How often the ages in a terminal are redrawn.
const TICK: Duration = Duration::from_secs(1);

/// Runs until it is interrupted.
///
/// # Errors
/// A [`CommandFailure`] if the output was closed, or if the first readings fail because URLs were exchanged and no amount is known.
pub(crate) async fn run(
    client: &Client,
    parts: &mut Parts,
    owners: &[Address],
    arguments: &BalanceArguments,
) -> Result<u8, CommandFailure> {
    let mut checks: BTreeMap<NetworkId, ExchangeCheck> = BTreeMap::new();
    for part in parts.iter_mut() {
        checks.extend(part.exchange_check.take().map(|check| (part.client.network_id(), check)));
    }
    let parts = &*parts;
    let is_told = !arguments.quiet && !arguments.json;
    parts
        .iter()
        .filter_map(|part| part.lack.as_ref())
        .filter(|_| is_told)
        .for_each(|lack| say(lack.to_line()));
    let holdings: Vec<Holding> = owners.iter().flat_map(|owner| parts.holdings(*owner)).collect();
    let mut watch = client.watch(holdings.iter().copied());
    let is_drawn = std::io::stdout().is_terminal() && !arguments.json;
    let mut screen = Screen { parts, shown: BTreeMap::new(), activity: Activity::Idle, drawn: 0 };
    let mut tick = tokio::time::interval(TICK);
    loop {
        let changes = tokio::select! {
            changes = watch.next_all() => changes,
            _ = tick.tick(), if is_drawn => Vec::new(),
            // Returning closes the storage in good order.
            _ = tokio::signal::ctrl_c() => return Ok(0),
        };
        for failure in exchanged(&changes, &mut checks).await? {
            if !holdings.iter().any(|holding| client.last(holding).is_some()) {
                return Err(failure);
            }
            failure.report(arguments.json);
            screen.drawn = 0;
        }
        for change in changes {
            if arguments.json {
                let Part { client, tokens, .. } = change.holding().map_or(parts.first(), |it| parts.of(it));
                print(&json::change(client, tokens, &change).to_string())?;
            } else if let Change::Storage { unwritten: Some(error) } = change {
                // It concerns no reading: in a terminal it stands above the next drawing.
                let fault = StorageFault::Unwritten(error);
                say(format_args!("saldo: {fault}\n  {}", setup::next_step_of(&fault)));
                screen.drawn = 0;
            } else if is_drawn {
                screen.apply(change);
            } else if let Some(line) = line(parts, &change) {
                print(&line)?;
            }
        }
        if is_drawn {
            screen.draw()?;
        }
    }
}

/// The failures to report if the first readings of a network among `changes` fail because URLs were exchanged.
async fn exchanged(
    changes: &[Change],
    checks: &mut BTreeMap<NetworkId, ExchangeCheck>,
) -> Result<Vec<CommandFailure>, CommandFailure> {
    let mut of: BTreeMap<NetworkId, Vec<Reading>> = BTreeMap::new();
    for change in changes {
        if let Change::Reading { holding, reading, .. } = change {
            of.entry(holding.network()).or_default().push(reading.clone());
        }
    }
    let mut failures = Vec::new();
    for (network, readings) in of {
        if let Some(check) = checks.remove(&network) {
            failures.extend(check.run(&readings).await?);
        }
    }
    Ok(failures)
}

/// One change as one line; `None` if it says nothing of a holding and nothing of the sources.
fn line(parts: &Parts, change: &Change) -> Option<String> {
    if let Change::Activity(Activity::NoNewHeads { sources, .. }) = change {
        return Some(no_new_heads(sources));
    }
    let holding = change.holding()?;
    let Part { client, tokens, .. } = parts.of(holding);
    let warning = tokens.warning(holding).map_or(String::new(), |warning| format!("; {}", warn(&warning)));
    Some(format!("{}  {}{warning}", tokens.subject(holding), describe(client, tokens, change)?))
}

fn no_new_heads(sources: &[ProviderId]) -> String {
    let names: Vec<&str> = sources.iter().map(ProviderId::as_str).collect();
    format!("no source gives a new head (failed: {})", names.join(", "))
}

/// The text for a change of a holding. It contains a number only if that number was proven.
fn describe(client: &Client, tokens: &Tokens, change: &Change) -> Option<String> {
    let amount = |proven: &Proven| tokens.amount(proven);
    let text = match change {
        Change::Remembered { last: None, .. } => "not known yet (it is not 0)".to_owned(),
        Change::Remembered { last: Some(last), .. } => {
            format!("{}, {}", amount(last), last_proven(client, last))
        }
        Change::Reading { reading: Reading::Proven(proven), freshness, .. } => match freshness {
            Some(Freshness::Fresh(_)) => format!("{}, {}", good(&amount(proven)), provenance(client, proven)),
            _ => format!("{}, {}", amount(proven), provenance(client, proven)),
        },
        Change::Reading { reading, .. } => {
            let why = reading.why().map(ToString::to_string).unwrap_or_default();
            match reading.latest_proven() {
                Some(last) => format!("{}, {}; {}", amount(last), last_proven(client, last), warn(&why)),
                None => format!("not known (it is not 0); {}", warn(&why)),
            }
        }
        Change::Withdrawn { withdrawn, last, .. } => {
            let gone = format!("block {} was withdrawn by the chain", withdrawn.anchor().number());
            match last {
                Some(last) => format!("{}, {}; {}", amount(last), last_proven(client, last), warn(&gone)),
                None => format!("not known (it is not 0); {}", warn(&gone)),
            }
        }
        _ => return None,
    };
    Some(text)
}

fn last_proven(client: &Client, last: &Proven) -> String {
    let from = if last.is_restored() { "proven before this start" } else { "last proven" };
    format!("{from}: {}", provenance(client, last))
}

fn is_proven(change: &Change) -> bool {
    matches!(change, Change::Reading { reading: Reading::Proven(_), .. })
}

/// The readings in the terminal, drawn over the previous ones.
struct Screen<'a> {
    parts: &'a Parts,
    shown: BTreeMap<Holding, Change>,
    activity: Activity,
    /// The number of lines drawn last.
    drawn: usize,
}

impl Screen<'_> {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Activity(activity) => self.activity = activity,
            change => {
                if let Some(holding) = change.holding() {
                    self.shown.insert(*holding, change);
                }
            }
        }
    }

    fn draw(&mut self) -> Result<(), CommandFailure> {
        // Lines longer than the terminal are cut, not wrapped, because the next drawing counts lines.
        let mut text = "\x1b[?7l".to_owned();
        if self.drawn > 0 {
            let _ = write!(text, "\x1b[{}A", self.drawn);
        }
        let lines: Vec<String> = self.shown.values().filter_map(|change| line(self.parts, change)).collect();
        for line in lines.iter().chain(std::iter::once(&self.activity())) {
            let _ = writeln!(text, "\x1b[2K{line}");
        }
        self.drawn = lines.len().saturating_add(1);
        print(&format!("{}\x1b[?7h", text.trim_end_matches('\n')))
    }

    fn activity(&self) -> String {
        let now = self.parts.first().client.now().time();
        match &self.activity {
            Activity::NoNewHeads { sources, until } => {
                format!("{}; trying again in {}", no_new_heads(sources), ago(until.saturating_sub(now)))
            }
            Activity::Fetching => "asking…".to_owned(),
            Activity::Offline => "this device has no network".to_owned(),
            Activity::BackingOff { until } => format!("trying again in {}", ago(until.saturating_sub(now))),
            _ if self.shown.values().all(is_proven) => "up to date".to_owned(),
            _ => "waiting for the next block".to_owned(),
        }
    }
}
