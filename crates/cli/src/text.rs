//! A reading for people.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use saldo::{Assurance, Attempt, Client, Finality, Holding, Origin, Proven, Reading, Role, Voucher};

/// How much is printed for a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One line a reading.
    Least,
    /// All that a user needs to judge a reading.
    Usual,
    /// Everything, including the attempts of a proven reading.
    Most,
}

/// The text of one reading, without a line break at its end.
pub(crate) fn reading(client: &Client, holding: &Holding, reading: &Reading, detail: Detail) -> String {
    let mut text = String::new();
    let _ = match reading {
        Reading::Proven(proven) => write!(text, "{}  {}", holding.owner(), good(&ether(proven))),
        Reading::Provisional(provisional) => {
            let _ = write!(text, "{}  {}: {}", holding.owner(), warn("provisional"), provisional.why());
            provisional.unconfirmed_amount().map_or(Ok(()), |amount| {
                write!(
                    text,
                    "\n  claimed by {}, not proven: {} ether",
                    provisional.provider(),
                    amount.format(18)
                )
            })
        }
        Reading::Unknown(unknown) => {
            write!(text, "{}  {}: {}", holding.owner(), warn("unknown"), unknown.why())
        }
    };
    if detail == Detail::Least {
        return text;
    }
    if let Some(proven) = reading.proven() {
        let _ = write!(text, "\n  {}", provenance(client, proven));
    } else {
        for attempt in reading.attempts() {
            let _ = write!(text, "\n  {}", attempt_line(attempt));
        }
        if let Some(why) = reading.why() {
            let _ = write!(text, "\n  {}", why.next_step());
        }
        match reading.latest_proven() {
            Some(last) => {
                let _ = write!(text, "\n  last proven: {}, {}", ether(last), provenance(client, last));
            }
            None => text.push_str("\n  nothing was proven before: the amount is not known (it is not 0)"),
        }
    }
    if detail == Detail::Most {
        if let Some(proven) = reading.proven() {
            for attempt in reading.attempts() {
                let _ = write!(text, "\n  {}", attempt_line(attempt));
            }
            let _ = write!(
                text,
                "\n  nonce {}",
                proven.nonce().map_or("-".to_owned(), |nonce| nonce.to_string())
            );
            let _ =
                write!(text, "\n  block {}, state {}", proven.anchor().hash(), proven.anchor().state_root());
        }
        if let Some(proven) = reading.latest_proven() {
            let _ = write!(text, "\n  {}", origin(proven.anchor().origin()));
        }
    }
    text
}

pub(crate) fn ether(proven: &Proven) -> String {
    format!("{} ether", proven.amount().format(18))
}

pub(crate) fn provenance(client: &Client, proven: &Proven) -> String {
    let anchor = proven.anchor();
    let age = match client.now().age_of(anchor.timestamp()) {
        Some(age) => format!("{} old", ago(age)),
        None => "of unknown age (this device's clock is off)".to_owned(),
    };
    let assurance = match anchor.assurance() {
        Assurance::Signed { signers, size } => format!("signed by {signers} of {size}"),
        Assurance::Finalized(Finality::Signed { .. }) => "finalized".to_owned(),
        Assurance::Finalized(Finality::Checkpoint) => "finalized (the checkpoint itself)".to_owned(),
        Assurance::Finalized(Finality::Forced { .. }) => "finalized (taken by force)".to_owned(),
    };
    format!("block {}, {age}, {assurance}, served by {}", anchor.number(), proven.provider())
}

fn origin(origin: &Origin) -> String {
    let checkpoint = origin.checkpoint();
    match origin.voucher() {
        Voucher::Agreement { operators, .. } => {
            format!("trust starts from checkpoint {checkpoint}, named by {}", operators.join(", "))
        }
        _ => format!("trust starts from checkpoint {checkpoint}, as given"),
    }
}

fn attempt_line(attempt: &Attempt) -> String {
    let role = match attempt.role {
        Role::Execution => "",
        Role::Beacon => " (beacon)",
        Role::Checkpoint => " (checkpoint)",
    };
    let over_policy = if attempt.over_policy { ", over the policy" } else { "" };
    format!("{}{role}: {} ({} ms{over_policy})", attempt.provider, attempt.outcome, attempt.took.as_millis())
}

/// A duration in its largest suitable unit.
pub(crate) fn ago(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

pub(crate) fn good(text: &str) -> String {
    paint(text, "32")
}

pub(crate) fn warn(text: &str) -> String {
    paint(text, "33")
}

/// Colours are used only in a terminal, and not if `NO_COLOR` is set to a non-empty value.
fn paint(text: &str, colour: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain || !std::io::stdout().is_terminal() {
        text.to_owned()
    } else {
        format!("\x1b[{colour}m{text}\x1b[0m")
    }
}
