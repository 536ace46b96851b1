//! Every built-in scenario from start to end: saldo never shows a false amount. A naive wallet, which believes the
//! first reply, does so where the scenario says it. `docs/what-happens-when.md` states the results.

use std::fmt::Write;
use std::sync::LazyLock;
use std::time::Duration;

use saldo_drill::replay::{Known, Look, Record, replay};
use saldo_drill::scenario::{Naive, Scenario, brief, built_in, ether};
use saldo_tests::supply::repository;

/// If this variable is set, the test rewrites the document instead of comparing it.
const WRITE: &str = "SALDO_WRITE_WHAT_HAPPENS";
/// The text between these two lines is generated from the scenarios.
const BEGIN: &str = "<!-- from the scenarios -->\n";
const END: &str = "<!-- to here -->\n";

/// The record of each scenario. Two run at a time.
static RUNS: LazyLock<Vec<(Scenario, Record)>> = LazyLock::new(|| {
    let scenarios = built_in();
    let run = |part: &[(&'static str, Scenario)]| -> Vec<(Scenario, Record)> {
        part.iter().map(|(name, scenario)| (scenario.clone(), replay(name, scenario).expect(name))).collect()
    };
    let (first, second) = scenarios.split_at(scenarios.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| run(second));
        let first = run(first);
        first.into_iter().chain(second.join().expect("its scenarios ran")).collect()
    })
});

#[test]
fn no_scenario_makes_saldo_show_a_false_amount() {
    assert!(RUNS.len() >= 60, "{} scenarios", RUNS.len());
    for (_, record) in RUNS.iter() {
        for look in &record.looks {
            let shown = &look.shown;
            assert!(!shown.is_false(), "{} at {:?}: {shown:?}", record.name, look.at);
            // An amount that is not proven is not shown, and there is a reason.
            assert_eq!(shown.proven.is_none(), shown.why.is_some(), "{} at {:?}", record.name, look.at);
            assert!(
                shown.claimed.is_none_or(|claimed| !claimed.is_zero()),
                "{}: a claimed zero",
                record.name
            );
        }
    }
}

#[test]
fn a_proven_amount_stays_on_the_screen() {
    for (_, record) in RUNS.iter() {
        let mut proven = false;
        for look in &record.looks {
            let shown = &look.shown;
            assert!(
                !proven || shown.proven.is_some() || shown.last.is_some(),
                "{} at {:?}",
                record.name,
                look.at
            );
            proven |= shown.proven.is_some();
        }
    }
}

#[test]
fn every_scenario_ends_with_the_truth() {
    for (_, record) in RUNS.iter() {
        let last = record.looks.last().expect("there are looks");
        let proven = last.shown.proven.as_ref().map(|known| known.amount);
        assert_eq!(proven, Some(last.truth), "{}: {:?}", record.name, last.shown);
    }
}

#[test]
fn the_naive_wallet_is_wrong_where_the_scenario_says_so() {
    for (scenario, record) in RUNS.iter() {
        assert_eq!(record.naive_was_wrong(), scenario.naive == Naive::Wrong, "{}", record.name);
    }
    let wrong = RUNS.iter().filter(|(scenario, _)| scenario.naive == Naive::Wrong).count();
    assert!(wrong >= 30, "{wrong} scenarios in which the naive wallet is wrong prove little");
}

#[test]
fn a_region_outage_of_15_hours_stops_saldo_for_one_hour() {
    let (_, record) =
        RUNS.iter().find(|(_, record)| record.name == "cloud-region-down").expect("it is built in");
    let hours = Duration::from_secs(3_600);
    for look in &record.looks {
        let all_are_down = look.at >= 9 * hours && look.at < 10 * hours;
        assert_eq!(look.shown.proven.is_none(), all_are_down, "at {:?}: {:?}", look.at, look.shown);
        let is_down = look.at >= hours && look.at < 16 * hours;
        assert_eq!(look.naive_is_wrong, is_down, "at {:?}", look.at);
    }
}

#[test]
fn a_scenario_runs_the_same_every_time() {
    for name in ["two-lie-one-is-honest", "tip-only", "rate-limit-storm"] {
        let (scenario, first) = RUNS.iter().find(|(_, record)| record.name == name).expect(name);
        let again = replay(name, scenario).expect(name);
        assert_eq!(format!("{first:?}"), format!("{again:?}"));
    }
}

#[test]
fn the_document_states_what_happens() {
    let path = repository().join("docs/what-happens-when.md");
    let document = std::fs::read_to_string(&path).expect("the document is there");
    let (before, rest) = document.split_once(BEGIN).expect("the table has a beginning");
    let (written, after) = rest.split_once(END).expect("the table has an end");
    let table = table();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}"))
            .expect("the document can be written");
        return;
    }
    for (written, happened) in written.lines().zip(table.lines()) {
        assert_eq!(written, happened, "run this test with {WRITE}=1 if what happens now is right");
    }
    assert_eq!(written.len(), table.len(), "rows are missing, or too many: run this test with {WRITE}=1");
}

/// A heading for each thing that saldo shows, with the scenarios that lead to it in their order.
fn table() -> String {
    let mut groups: Vec<(String, String)> = Vec::new();
    for (_, record) in RUNS.iter() {
        let why = distinct(record, |look| look.shown.why.as_ref().map(|why| format!("`{}`", why.code)));
        let fault = distinct(record, |look| look.shown.why.as_ref().map(|why| why.fault.to_owned()));
        let mut heading = saldo(record);
        if !why.is_empty() {
            let _ = write!(heading, " ({}: {})", why.join(", "), fault.join(", "));
        }
        let line = format!(
            "- {}[{}](../crates/drill/scenarios/{}.toml)\n",
            naive(record),
            record.title,
            record.name
        );
        match groups.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, lines)) => lines.push_str(&line),
            None => groups.push((heading, line)),
        }
    }
    let sections = groups.iter().map(|(heading, lines)| format!("\n### {heading}\n\n{lines}"));
    sections.chain(["\n".to_owned()]).collect()
}

/// The values that the looks have, in order of first appearance.
fn distinct(record: &Record, of: impl Fn(&Look) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for word in record.looks.iter().filter_map(of) {
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

fn naive(record: &Record) -> String {
    let wrong = distinct(record, |look| look.naive_is_wrong.then(|| ether(look.naive)));
    if wrong.is_empty() { String::new() } else { format!("**{}**: ", wrong.join(", ")) }
}

fn saldo(record: &Record) -> String {
    let mut parts = Vec::new();
    let shown =
        |known: &Known| format!("{}{}", ether(known.amount), if known.is_frozen { " frozen" } else { "" });
    let proven = distinct(record, |look| look.shown.proven.as_ref().map(shown));
    if !proven.is_empty() {
        parts.push(format!("{}, proven", proven.join(", then ")));
    }
    let unproven: Vec<&Look> = record.looks.iter().filter(|look| look.shown.proven.is_none()).collect();
    if unproven.iter().any(|look| look.shown.last.is_none()) {
        parts.push("nothing yet, and no 0".to_owned());
    }
    let ages = unproven.iter().filter_map(|look| look.shown.last.as_ref());
    let oldest = ages
        .clone()
        .map(|last| last.age.map(|age| Duration::from_secs(age.as_secs().div_ceil(60) * 60)))
        .max();
    match oldest {
        Some(Some(age)) => parts.push(format!("else the last proven, up to {} old", brief(age))),
        Some(None) => parts.push("else the last proven, of unknown age".to_owned()),
        None => {}
    }
    parts.join("; ")
}
