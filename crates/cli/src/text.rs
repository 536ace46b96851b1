//! A reading for people.

use std::fmt::{Display, Write};
use std::io::IsTerminal;
use std::time::Duration;

use saldo::{
    Anchor, Assurance, Attempt, Client, Derivation, Finality, Holding, Origin, Pause, Proven, Provers,
    Reading, Role, Vouched, Voucher, Why,
};

use crate::failure::CommandFailure;
use crate::tokens::{Tokens, token_of};

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
pub(crate) fn reading(
    client: &Client,
    tokens: &Tokens,
    holding: &Holding,
    reading: &Reading,
    detail: Detail,
) -> String {
    let mut text = format!("{}  ", tokens.subject(holding));
    let _ = match reading {
        Reading::Proven(proven) => write!(text, "{}", good(&tokens.amount(proven))),
        Reading::Provisional(provisional) => {
            let _ = write!(text, "{}: {}", warn("provisional"), provisional.why());
            provisional
                .unconfirmed_amount()
                .map_or(Ok(()), |amount| {
                    let amount = tokens.quantity(holding, amount);
                    write!(text, "\n  claimed by {}, not proven: {amount}", provisional.provider())
                })
                .and_then(|()| provisional.quorum().map_or(Ok(()), |quorum| write!(text, "\n  {quorum}")))
                .and_then(|()| provisional.announced().map_or(Ok(()), |label| write!(text, "\n  {label}")))
        }
        Reading::Unknown(unknown) => write!(text, "{}: {}", warn("unknown"), unknown.why()),
    };
    let lines = match detail {
        Detail::Least => Vec::new(),
        Detail::Usual | Detail::Most => below(client, tokens, holding, reading, detail == Detail::Most),
    };
    lines.iter().for_each(|line| {
        let _ = write!(text, "\n  {line}");
    });
    text
}

/// The text for a holding of a network that the client does not read because of that lack.
pub(crate) fn lack(tokens: &Tokens, holding: &Holding, lack: &CommandFailure, is_short: bool) -> String {
    let line = format!("{}  {}: {}", tokens.subject(holding), warn("unknown"), lack.detail());
    if is_short { line } else { format!("{line}\n  {}", lack.next_step()) }
}

/// The lines below the first one.
fn below(
    client: &Client,
    tokens: &Tokens,
    holding: &Holding,
    reading: &Reading,
    is_verbose: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(proven) = reading.proven() {
        lines.push(provenance(client, proven));
        lines.extend(derivation(proven));
    } else {
        lines.extend(reading.attempts().iter().map(attempt_line));
        lines.extend(reading.why().map(|why| why.next_step().to_owned()));
        lines.extend(token_of(holding).zip(reading.why()).and_then(|(token, why)| match why {
            Why::NotAToken { .. } | Why::TokenLayoutUnproven | Why::TokenNotRun { .. } => {
                Some(format!("`saldo token {token}` shows what is known of it."))
            }
            _ => None,
        }));
        match reading.latest_proven() {
            Some(last) => {
                lines.push(format!("last proven: {}, {}", tokens.amount(last), provenance(client, last)));
                lines.extend(derivation(last));
            }
            None => {
                lines.push("nothing was proven before: the amount is not known (it is not 0)".to_owned());
            }
        }
    }
    lines.extend(tokens.warning(holding));
    if is_verbose {
        if let Some(proven) = reading.proven() {
            lines.extend(reading.attempts().iter().map(attempt_line));
            lines.extend(proven.nonce().map(|nonce| format!("nonce {nonce}")));
            let anchor = proven.anchor();
            lines.push(format!("block {}, state {}", anchor.hash(), anchor.state_root()));
        }
        lines.extend(reading.latest_proven().map(|proven| origin(proven.anchor().origin())));
    }
    lines
}

/// How the balance of a token was derived.
fn derivation(proven: &Proven) -> Option<String> {
    let derivation = match proven.token()?.derivation() {
        Derivation::Slot { layout, code_hash, implementation: None } => {
            format!("derived by the layout {layout}, which holds for the token's code {code_hash}")
        }
        Derivation::Slot { layout, code_hash, implementation: Some(implementation) } => format!(
            "derived by the layout {layout}, which holds for the code {code_hash} of its implementation {implementation}"
        ),
        Derivation::Executed { code_hash, touched } => format!(
            "derived by running the token's own code {code_hash} over proven state: {}, {}",
            counted(touched.accounts, "account"),
            counted(touched.slots, "slot")
        ),
        _ => "derived in a way that this command has no words for".to_owned(),
    };
    Some(derivation)
}

pub(crate) fn provenance(client: &Client, proven: &Proven) -> String {
    place(client, proven.anchor(), proven.provider())
}

/// The block, its age, how it is known, and the provider.
pub(crate) fn place(client: &Client, anchor: &Anchor, provider: impl Display) -> String {
    let age = match client.now().age_of(anchor.timestamp()) {
        Some(age) => format!("{} old", ago(age)),
        None => "of unknown age (this device's clock is off)".to_owned(),
    };
    let assurance = assurance(&anchor.assurance());
    format!("block {}, {age}, {assurance}, served by {provider}", anchor.number())
}

/// How it is known that a block belongs to the chain.
pub(crate) fn assurance(assurance: &Assurance) -> String {
    match assurance {
        Assurance::Signed { signers, size } => format!("signed by {signers} of {size}"),
        Assurance::Finalized(Finality::Signed { .. }) => "finalized".to_owned(),
        Assurance::Finalized(Finality::Checkpoint) => "finalized (the checkpoint itself)".to_owned(),
        Assurance::Finalized(Finality::Forced { .. }) => "finalized (taken by force)".to_owned(),
        Assurance::Rollup(vouched) => self::vouched(vouched),
    }
}

/// How far Ethereum stands behind a block of a rollup.
fn vouched(vouched: &Vouched) -> String {
    let level = if vouched.level().is_strongest() {
        "Ethereum counts it as true, and the time to challenge it is over".to_owned()
    } else {
        let provers = match vouched.provers() {
            Provers::Tee => " (trusted execution environment)",
            Provers::Zk => " (zero knowledge)",
            Provers::Both => " (trusted execution environment, and zero knowledge)",
            _ => "",
        };
        format!("Ethereum checked a proof of it{provers}; it can still be challenged")
    };
    let pause = if vouched.pause() == Pause::NotPaused {
        ""
    } else {
        "; whether the rollup is paused was not checked"
    };
    format!("{level}{pause}")
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

pub(crate) fn attempt_line(attempt: &Attempt) -> String {
    let role = match attempt.role {
        Role::Execution => "",
        Role::Beacon => " (beacon)",
        Role::Checkpoint => " (checkpoint)",
    };
    let over_policy = if attempt.over_policy { ", over the policy" } else { "" };
    format!("{}{role}: {} ({} ms{over_policy})", attempt.provider, attempt.outcome, attempt.took.as_millis())
}

/// A number of things that are called `one` if there is one of them, and have an `s` otherwise.
pub(crate) fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
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
