//! What the wallets of a drill show, as text.

use saldo::Assurance;
use saldo_drill::replay::{Known, Lane, Look, Record, Shown, Standing};
use saldo_drill::scenario::ether;

use crate::text::{ago, assurance};

/// What the naive wallet shows.
pub(super) fn naive(look: &Look) -> String {
    format!("{}{}", ether(look.naive), if look.naive_is_wrong { " (wrong)" } else { "" })
}

/// What saldo shows.
pub(super) fn saldo(shown: &Shown) -> String {
    if let Some(known) = &shown.proven {
        let assurance = assurance(&known.assurance);
        let stopped = shown.stopped_for.map_or_else(String::new, |age| {
            format!("; the rollup has stopped: its newest block is {} old", ago(age))
        });
        return format!("{}, {assurance}, served by {}{stopped}", amount(known), known.provider);
    }
    let why = shown.why.as_ref().map_or("nothing was read", |why| why.text.as_str());
    let last = match &shown.last {
        Some(known) => format!("last proven {}", amount(known)),
        None => "nothing was proven before".to_owned(),
    };
    let standing = if shown.standing == Standing::Provisional { "not proven yet" } else { "not known" };
    format!("{standing}: {why}; {last}")
}

/// What a wallet of saldo's says to the person who looks at it, in a sentence.
pub(super) fn sentence(shown: &Shown) -> String {
    let age = |known: &Known| known.age.map_or_else(|| "an unknown time".to_owned(), ago);
    match (&shown.proven, &shown.last) {
        (Some(known), _) if is_of_rollup(known) => {
            let stopped = shown.stopped_for.map_or("", |_| "The rollup has stopped. ");
            format!("{stopped}Ethereum vouches for {} as of {} ago.", quantity(known), age(known))
        }
        (Some(known), _) => format!("{} is proven, as of {} ago.", quantity(known), age(known)),
        (None, last) => {
            let why = shown.why.as_ref().map_or("nothing was read", |why| why.text.as_str());
            let last = last.as_ref().map_or_else(
                || "Nothing was proven before.".to_owned(),
                |known| format!("{} was proven last, as of {} ago.", quantity(known), age(known)),
            );
            format!("Not proven now: {why}. {last}")
        }
    }
}

/// The amount alone that was proven, now or before.
pub(super) fn large(shown: &Shown) -> String {
    let known = shown.proven.as_ref().or(shown.last.as_ref());
    known.map_or_else(|| "not known".to_owned(), quantity)
}

/// The amount that a screen shows large: proven now, or proven before.
pub(super) fn headline(shown: &Shown) -> String {
    match (&shown.proven, &shown.last) {
        (Some(known), _) if !is_of_rollup(known) => ether(known.amount),
        (Some(last), _) | (None, Some(last)) => format!("{} ({})", ether(last.amount), age(last)),
        (None, None) => "not known".to_owned(),
    }
}

/// Who runs the machines of a source, or which network it serves, where its name does not say it.
pub(super) fn beside(lane: &Lane) -> &str {
    match lane.role {
        "l1_provider" if lane.name == lane.hosting => "serves Ethereum",
        _ if lane.name == lane.hosting => "",
        _ => &lane.hosting,
    }
}

/// Whether Ethereum vouches for it: then it is always some time old.
fn is_of_rollup(known: &Known) -> bool {
    matches!(known.assurance, Assurance::Rollup(_))
}

fn quantity(known: &Known) -> String {
    format!("{} {}", ether(known.amount), known.unit)
}

fn amount(known: &Known) -> String {
    let falsely = if known.is_true { "" } else { " (FALSE)" };
    let frozen = if known.is_frozen { ", frozen," } else { "" };
    let (amount, unit, block) = (ether(known.amount), known.unit, known.block);
    format!("{amount} {unit}{frozen}{falsely} at block {block}, {}", age(known))
}

fn age(known: &Known) -> String {
    known.age.map_or_else(|| "of unknown age".to_owned(), |age| format!("{} old", ago(age)))
}

/// The result, in two sentences.
pub(super) fn verdict(record: &Record) -> String {
    let (wrong, looks) = record.share(|look| look.naive_is_wrong);
    let (proven, _) = record.share(|look| look.shown.proven.is_some());
    let (lies, _) = record.share(|look| look.shown.is_false());
    let falsely = match lies {
        0 => "never a false one".to_owned(),
        lies => format!("a FALSE one at {lies}"),
    };
    format!(
        "The naive wallet was wrong at {wrong} of {looks} looks. saldo showed a proven amount at {proven} of them, and {falsely}."
    )
}
