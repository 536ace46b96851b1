//! A report about a rollup for people.

use std::fmt::Write;
use std::time::Duration;

use saldo::{ClaimsHealth, RelayHealth, RollupHealth, UnixTime};
use saldo_doctor::{ProviderReport, RollupReport};

use super::text::{cell, clock, conclusion, findings, found, list, pace, section, table, tables};
use crate::text::{ago, assurance};

const COLUMNS: [&str; 12] = [
    "name", "run by", "hosting", "chain", "head", "age", "at head", "depth", "forms", "batch", "ms", "clock",
];

/// The tables of L1 and of the rollup, what L1 says of it, the findings and the next steps.
pub(crate) fn report(report: &RollupReport) -> String {
    let (name, now) = (&report.network, report.l1.begun);
    let mut text = tables(&report.l1);
    let _ = writeln!(text, "\nrollup {name} (chain {}), on {}", report.chain_id, report.l1.network);
    let rows = report.providers.iter().map(|report| provider(report, now));
    text.push_str(&section(&format!("execution providers of {name}"), &table(&COLUMNS, rows)));
    if let Some(health) = &report.health {
        let says = says(health, now);
        text.push_str(&section(&format!("what {} says of {name}", report.l1.network), &says));
    }
    let own = report.providers.iter().map(|report| findings(&report.provider, &report.findings));
    let all: String =
        std::iter::once(findings(name, &report.findings)).chain(own).chain([found(&report.l1)]).collect();
    text.push_str(&section("findings", &all));
    text.push_str(&conclusion(&report.diagnosis));
    text
}

fn provider(report: &ProviderReport, now: UnixTime) -> Vec<String> {
    let forms = [
        ("number", report.proof_at_tip.is_found()),
        ("tag", report.by_tag.is_found()),
        ("hash", report.by_hash.is_found()),
    ];
    vec![
        report.provider.to_string(),
        if report.operator_is_declared { report.run_by.clone() } else { "unknown".to_owned() },
        report.hosting.clone().unwrap_or_else(|| "unknown".to_owned()),
        cell(&report.chain_id, u64::to_string),
        cell(&report.tip, |tip| tip.number.to_string()),
        cell(&report.tip, |tip| ago(now.saturating_sub(tip.timestamp))),
        cell(&report.proof_at_tip, |_| "proven".to_owned()),
        cell(&report.depth, ToString::to_string),
        list(&forms),
        cell(&report.batch, usize::to_string),
        pace(report.latency),
        clock(report.clock_offset),
    ]
}

fn says(health: &RollupHealth, now: UnixTime) -> String {
    let block = match &health.newest {
        Some(block) => {
            let age = ago(now.saturating_sub(block.timestamp()));
            format!(
                "  it vouches for block {}, {age} old: {}\n",
                block.number(),
                assurance(&block.assurance())
            )
        }
        None => "  it vouches for no block that could be read\n".to_owned(),
    };
    let claims = health.claims.as_ref().map(claims).unwrap_or_default();
    let signed = |relay: &RelayHealth| {
        let newest = ago(now.saturating_sub(relay.newest?));
        Some(format!("  {} shows a block that the sequencer signed, {newest} old\n", relay.relay))
    };
    let signed: String = health.relays.iter().filter_map(signed).collect();
    format!("{block}{claims}{signed}")
}

fn claims(claims: &ClaimsHealth) -> String {
    let since = ago(claims.read_at.saturating_sub(claims.newest));
    let usual = |usual: Duration| format!(", and one is usual every {}", ago(usual));
    let usual = claims.usual.map(usual).unwrap_or_default();
    format!("  the newest claim about it was {since} old there{usual}\n")
}
