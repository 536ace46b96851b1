//! A report for people.

use std::fmt::Write;
use std::time::Duration;

use saldo_doctor::{
    Check, CheckpointReport, Finding, NamesFork, PROBED, ProviderReport, Report, SourceReport, Unchecked,
};

/// The tables, the findings and the next steps.
pub(crate) fn report(report: &Report) -> String {
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
    if !report.providers.is_empty() {
        let _ = write!(
            text,
            "\nexecution providers\n{}",
            table(&PROVIDER_COLUMNS, report.providers.iter().map(provider))
        );
    }
    if !report.sources.is_empty() {
        let _ =
            write!(text, "\nbeacon sources\n{}", table(&SOURCE_COLUMNS, report.sources.iter().map(source)));
    }
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
    let found = found(report);
    if !found.is_empty() {
        let _ = write!(text, "\nfindings\n{found}");
    }
    if !report.diagnosis.single_failures.is_empty() {
        text.push_str("\nsingle failures that would stop this configuration\n");
        for single in &report.diagnosis.single_failures {
            let _ = writeln!(text, "  {}", single.detail);
        }
    }
    if !report.diagnosis.next_steps.is_empty() {
        text.push_str("\nwhat to do\n");
        for step in &report.diagnosis.next_steps {
            let _ = writeln!(text, "  {step}");
        }
    }
    let _ = writeln!(text, "\n{}", report.diagnosis.summary);
    text
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

fn found(report: &Report) -> String {
    let mut text = String::new();
    let mut write = |id: &dyn std::fmt::Display, findings: &[Finding]| {
        for finding in findings {
            let _ = writeln!(text, "  {id}: {} ({}: {finding})", finding.code(), finding.severity().code());
        }
    };
    report.providers.iter().for_each(|report| write(&report.provider, &report.findings));
    report.sources.iter().for_each(|report| write(&report.source, &report.findings));
    report.checkpoint_sources.iter().for_each(|report| write(&report.source, &report.findings));
    text
}

fn cell<T>(check: &Check<T>, found: impl Fn(&T) -> String) -> String {
    match check {
        Check::Found(value) => found(value),
        Check::Failed(failure) => failure.code().to_owned(),
        // The failure of the earlier check is in the same column.
        Check::NotChecked(Unchecked::NotReached) => "-".to_owned(),
        Check::NotChecked(why) => format!("not checked: {why}"),
    }
}

fn list(things: &[(&str, bool)]) -> String {
    let present: Vec<&str> =
        things.iter().filter_map(|(name, is_present)| is_present.then_some(*name)).collect();
    if present.is_empty() { "-".to_owned() } else { present.join(" ") }
}

fn pace(latency: Option<Duration>) -> String {
    latency.map_or_else(|| "-".to_owned(), |latency| latency.as_millis().to_string())
}

fn clock(offset: Option<i64>) -> String {
    offset.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:+} s"))
}

/// A table with one column for each endpoint, so that it stays narrow: four endpoints side by side, the others below.
fn table(columns: &[&str], examined: impl Iterator<Item = Vec<String>>) -> String {
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
