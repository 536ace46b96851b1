//! A report for people.

use std::fmt::{Display, Write};
use std::time::Duration;

use saldo_doctor::{
    Check, CheckpointReport, Diagnosis, Finding, NamesFork, PROBED, ProviderReport, Report, SourceReport,
    Unchecked,
};

/// The tables, the findings and the next steps.
pub(crate) fn report(report: &Report) -> String {
    let found = section("findings", &found(report));
    format!("{}{found}{}", tables(report), conclusion(&report.diagnosis))
}

/// What each endpoint serves.
pub(super) fn tables(report: &Report) -> String {
    let mut text = format!("network {} (chain {}), ", report.network, report.chain_id);
    let _ = match &report.signed_head {
        Some(head) => writeln!(
            text,
            "newest signed head: slot {}, signed by {} of {}{}",
            head.slot,
            head.signers,
            head.committee_size,
            head.number.map_or(String::new(), |number| format!(", block {number}"))
        ),
        None => writeln!(text, "no signed head"),
    };
    let _ = writeln!(text, "proofs are requested for {PROBED}, an address that reveals nothing about you");
    let providers = table(&PROVIDER_COLUMNS, report.providers.iter().map(provider));
    text.push_str(&section("execution providers", &providers));
    let sources = table(&SOURCE_COLUMNS, report.sources.iter().map(source));
    text.push_str(&section("beacon sources", &sources));
    if !report.checkpoint_sources.is_empty() {
        let slot = report.checkpoint_slot.map_or_else(|| "-".to_owned(), |slot| slot.to_string());
        let rows = report.checkpoint_sources.iter().map(checkpoint_source);
        let _ =
            write!(text, "\ncheckpoint sources, asked for slot {slot}\n{}", table(&CHECKPOINT_COLUMNS, rows));
        let _ = match report.agreed_root {
            Some(root) => writeln!(text, "  named by at least two operators of three: {root}"),
            None => writeln!(text, "  at least two operators of three do not name the same block"),
        };
    }
    text
}

/// What would stop the configuration, what to do, and the verdict.
pub(super) fn conclusion(diagnosis: &Diagnosis) -> String {
    let lines =
        |lines: &mut dyn Iterator<Item = &str>| lines.map(|line| format!("  {line}\n")).collect::<String>();
    let single = lines(&mut diagnosis.single_failures.iter().map(|single| single.detail.as_str()));
    let steps = lines(&mut diagnosis.next_steps.iter().map(String::as_str));
    format!(
        "{}{}\n{}\n",
        section("single failures that would stop this configuration", &single),
        section("what to do", &steps),
        diagnosis.summary
    )
}

/// A section with a title; nothing if it has no lines.
pub(super) fn section(title: &str, lines: &str) -> String {
    if lines.is_empty() { String::new() } else { format!("\n{title}\n{lines}") }
}

const PROVIDER_COLUMNS: [&str; 15] = [
    "name",
    "run by",
    "hosting",
    "chain",
    "tip",
    "to signed",
    "at tip",
    "at signed",
    "depth",
    "forms",
    "batch",
    "headers",
    "claims",
    "ms",
    "clock",
];
const SOURCE_COLUMNS: [&str; 12] = [
    "name",
    "run by",
    "genesis",
    "bootstrap",
    "updates",
    "finality",
    "head",
    "behind",
    "forms",
    "since period",
    "ms",
    "clock",
];
const CHECKPOINT_COLUMNS: [&str; 5] = ["name", "run by", "names", "ms", "clock"];

fn provider(report: &ProviderReport) -> Vec<String> {
    let forms = [
        ("number", report.proof_at_tip.is_found()),
        ("tag", report.by_tag.is_found()),
        ("hash", report.by_hash.is_found()),
    ];
    let headers = [("json", report.block_rebuilds.is_found()), ("raw", report.raw_header.is_found())];
    vec![
        report.provider.to_string(),
        if report.operator_is_declared { report.run_by.clone() } else { "unknown".to_owned() },
        report.hosting.clone().unwrap_or_else(|| "unknown".to_owned()),
        cell(&report.chain_id, u64::to_string),
        cell(&report.tip, |tip| tip.number.to_string()),
        report.ahead_of_signed.map_or_else(|| "-".to_owned(), |ahead| format!("{ahead:+}")),
        cell(&report.proof_at_tip, |_| "proven".to_owned()),
        cell(&report.proof_at_signed_head, |_| "proven".to_owned()),
        cell(&report.depth, ToString::to_string),
        list(&forms),
        cell(&report.batch, usize::to_string),
        list(&headers),
        cell(&report.capabilities, |capabilities| match (capabilities.disabled, capabilities.oldest_block) {
            (true, _) => "no proofs".to_owned(),
            (false, Some(oldest)) => format!("from {oldest}"),
            (false, None) => "proofs".to_owned(),
        }),
        pace(report.latency),
        clock(report.clock_offset),
    ]
}

fn source(report: &SourceReport) -> Vec<String> {
    let forms = [
        ("ssz", report.ssz.found() == Some(&true)),
        ("json", report.json.is_found()),
        ("version", report.json.found() == Some(&NamesFork::Yes)),
    ];
    vec![
        report.source.to_string(),
        report.run_by.clone(),
        cell(&report.genesis, |()| "matches".to_owned()),
        cell(&report.bootstrap, |()| "verified".to_owned()),
        cell(&report.updates, u64::to_string),
        cell(&report.finality, |slot| slot.to_string()),
        cell(&report.optimistic, |head| head.slot.to_string()),
        report.behind.map_or_else(|| "-".to_owned(), |slots| slots.to_string()),
        list(&forms),
        cell(&report.oldest_period, |period| period.to_string()),
        pace(report.latency),
        clock(report.clock_offset),
    ]
}

fn checkpoint_source(report: &CheckpointReport) -> Vec<String> {
    vec![
        report.source.to_string(),
        report.run_by.clone(),
        cell(&report.names, |root| format!("{root:#x}")),
        pace(report.latency),
        clock(report.clock_offset),
    ]
}

pub(super) fn found(report: &Report) -> String {
    let providers = report.providers.iter().map(|report| findings(&report.provider, &report.findings));
    let sources = report.sources.iter().map(|report| findings(&report.source, &report.findings));
    let checkpoint_sources =
        report.checkpoint_sources.iter().map(|report| findings(&report.source, &report.findings));
    providers.chain(sources).chain(checkpoint_sources).collect()
}

/// The findings about `id`, one a line.
pub(super) fn findings(id: impl Display, findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        format!("  {id}: {} ({}: {finding})\n", finding.code(), finding.severity().code())
    };
    findings.iter().map(line).collect()
}

pub(super) fn cell<T>(check: &Check<T>, found: impl Fn(&T) -> String) -> String {
    match check {
        Check::Found(value) => found(value),
        Check::Failed(failure) => failure.code().to_owned(),
        // The failure of the earlier check is in the same column.
        Check::NotChecked(Unchecked::NotReached) => "-".to_owned(),
        Check::NotChecked(why) => format!("not checked: {why}"),
    }
}

pub(super) fn list(things: &[(&str, bool)]) -> String {
    let present: Vec<&str> =
        things.iter().filter_map(|(name, is_present)| is_present.then_some(*name)).collect();
    if present.is_empty() { "-".to_owned() } else { present.join(" ") }
}

pub(super) fn pace(latency: Option<Duration>) -> String {
    latency.map_or_else(|| "-".to_owned(), |latency| latency.as_millis().to_string())
}

pub(super) fn clock(offset: Option<i64>) -> String {
    offset.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:+} s"))
}

/// A table with one column for each endpoint, so that it stays narrow: four endpoints side by side, the others below.
pub(super) fn table(columns: &[&str], examined: impl Iterator<Item = Vec<String>>) -> String {
    const ENDPOINTS_PER_ROW: usize = 4;
    let width = columns.iter().map(|column| column.len()).max().unwrap_or_default();
    let examined: Vec<Vec<String>> = examined.collect();
    let mut text = String::new();
    for group in examined.chunks(ENDPOINTS_PER_ROW) {
        if !text.is_empty() {
            text.push('\n');
        }
        let widths =
            group.iter().map(|one| one.iter().map(|value| value.chars().count()).max().unwrap_or_default());
        let widths: Vec<usize> = widths.collect();
        for (at, column) in columns.iter().enumerate() {
            let mut line = format!("  {column:width$}");
            for (one, width) in group.iter().zip(&widths) {
                let _ = write!(line, "  {:width$}", one.get(at).map_or("", String::as_str));
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}
