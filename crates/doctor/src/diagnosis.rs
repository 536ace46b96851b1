//! Derives the diagnosis from a report.

use std::collections::BTreeSet;

use saldo_source::Endpoint;

use crate::finding::Finding;
use crate::report::{Diagnosis, Report, SingleFailure, Verdict};

/// The diagnosis of `report`. The report's own diagnosis is ignored.
pub(crate) fn diagnose(report: &Report) -> Diagnosis {
    let proving = report.providers.iter().filter(|provider| provider.can_prove()).count();
    let following = report.sources.iter().filter(|source| source.can_follow()).count();
    let works = proving > 0 && following > 0;
    let verdict = match works {
        true => Verdict::Works,
        false if needs_action(report, proving, following) => Verdict::NeedsAction,
        false => Verdict::NotNow,
    };
    let single_failures = if works { single_failures(report) } else { Vec::new() };
    Diagnosis {
        verdict,
        summary: summary(report, verdict, proving, following, single_failures.len()),
        next_steps: next_steps(report, &single_failures),
        single_failures,
    }
}

/// Whether none of the failing endpoints can recover by itself.
fn needs_action(report: &Report, proving: usize, following: usize) -> bool {
    let lasting = |findings: &[Finding]| findings.iter().any(Finding::needs_action);
    let providers = proving == 0 && report.providers.iter().all(|provider| lasting(&provider.findings));
    let sources = following == 0 && report.sources.iter().all(|source| lasting(&source.findings));
    // If there is no checkpoint, asking the checkpoint sources again may give one.
    let checkpoint = report.checkpoint.is_none() && report.checkpoint_sources.is_empty();
    providers || sources || checkpoint
}

fn summary(report: &Report, verdict: Verdict, proving: usize, following: usize, single: usize) -> String {
    let of = format!(
        "{proving} of {} providers and {following} of {} beacon sources",
        report.providers.len(),
        report.sources.len()
    );
    match (verdict, single) {
        (Verdict::Works, 0) => {
            format!("A balance can be proven now: {of} work, and no single failure stops it.")
        }
        (Verdict::Works, 1) => {
            format!("A balance can be proven now: {of} work, but one single failure would stop it.")
        }
        (Verdict::Works, many) => {
            format!(
                "A balance can be proven now: {of} work, but each of {many} single failures would stop it."
            )
        }
        (Verdict::NotNow, _) => format!("No balance can be proven now: {of} work. Trying again may help."),
        (Verdict::NeedsAction, _) => format!("No balance can be proven: {of} work. You need to act."),
    }
}

fn single_failures(report: &Report) -> Vec<SingleFailure> {
    let proving: Vec<_> = report.providers.iter().filter(|provider| provider.can_prove()).collect();
    let following: Vec<_> = report.sources.iter().filter(|source| source.can_follow()).collect();
    let mut found = Vec::new();
    if let Some(operator) = only(proving.iter().map(|provider| provider.run_by.as_str())) {
        found.push(SingleFailure {
            kind: "operator",
            detail: format!("Only {operator} serves proofs: when it fails, nothing newer can be proven."),
            next_step: "Add an execution provider of another operator with --rpc-url.".to_owned(),
        });
    } else if let Some(hosting) = declared_by_all(proving.iter().map(|provider| provider.hosting.as_deref()))
    {
        found.push(SingleFailure {
            kind: "hosting",
            detail: format!("All providers that serve proofs are hosted at {hosting}."),
            next_step: "Add an execution provider that is hosted elsewhere.".to_owned(),
        });
    }
    if let Some(operator) = only(following.iter().map(|source| source.run_by.as_str())) {
        found.push(SingleFailure {
            kind: "beacon_source",
            detail: format!(
                "Only {operator} serves signed heads: when it fails, nothing newer can be proven."
            ),
            next_step: "Add a beacon source of another operator with --beacon-url.".to_owned(),
        });
    }
    let starting = report.sources.iter().filter(|source| source.bootstrap.is_found());
    let starting: Vec<_> = starting.map(|source| source.run_by.as_str()).collect();
    if let (Some(operator), false) = (
        only(starting.iter().copied()),
        only(following.iter().map(|source| source.run_by.as_str())).is_some(),
    ) {
        found.push(SingleFailure {
            kind: "bootstrap",
            detail: format!(
                "Only {operator} has the bootstrap of the checkpoint: without it no new start is possible."
            ),
            next_step: "Add a beacon source that keeps bootstraps, or use a newer checkpoint.".to_owned(),
        });
    }
    if report.checkpoint_sources.is_empty() {
        found.push(SingleFailure {
            kind: "checkpoint",
            detail:
                "Trust starts from the one checkpoint given: once it is too old, no new start is possible."
                    .to_owned(),
            next_step: "Add checkpoint sources of at least three operators.".to_owned(),
        });
    } else if report.agreed_root.is_none() {
        found.push(SingleFailure {
            kind: "checkpoint",
            detail: "The checkpoint sources do not agree on a block: once the checkpoint is too old, no new start is possible.".to_owned(),
            next_step: "Add checkpoint sources, so that at least three operators answer.".to_owned(),
        });
    }
    found
}

/// The only distinct value, compared without case; `None` if there are several.
pub(crate) fn only<'a>(values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distinct: BTreeSet<String> = BTreeSet::new();
    let (_, first, many) = values.fold((distinct, None, false), |(mut distinct, first, many), value| {
        distinct.insert(Endpoint::operator_key_of(value));
        let many = many || distinct.len() > 1;
        (distinct, first.or(Some(value)), many)
    });
    first.filter(|_| !many)
}

/// The hosting that all declare; `None` if the hosting of one is unknown.
fn declared_by_all<'a>(hostings: impl Iterator<Item = Option<&'a str>>) -> Option<&'a str> {
    let all: Option<Vec<&str>> = hostings.collect();
    only(all?.into_iter())
}

fn next_steps(report: &Report, single_failures: &[SingleFailure]) -> Vec<String> {
    let mut steps = Vec::new();
    let mut add = |step: String| {
        if !steps.contains(&step) {
            steps.push(step);
        }
    };
    if report.providers.is_empty() {
        add("Give execution providers that serve eth_getProof with --rpc-url.".to_owned());
    }
    if report.sources.is_empty() {
        add("Give beacon sources that serve light-client data with --beacon-url: without one there is no signed head, and nothing can be proven.".to_owned());
    }
    if report.checkpoint.is_none() {
        add("Give the root of a finalized block that you trust with --checkpoint, or checkpoint sources of at least three operators.".to_owned());
    }
    let providers = report.providers.iter().map(|report| (&report.provider, &report.findings));
    let sources = report.sources.iter().map(|report| (&report.source, &report.findings));
    let checkpoints = report.checkpoint_sources.iter().map(|report| (&report.source, &report.findings));
    let mut found: Vec<_> = providers
        .chain(sources)
        .chain(checkpoints)
        .flat_map(|(id, findings)| findings.iter().map(move |finding| (id, finding)))
        .collect();
    found.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity()));
    for (id, finding) in found {
        if let Some(step) = finding.next_step() {
            add(format!("{id}: {step}"));
        }
    }
    single_failures.iter().for_each(|single| add(single.next_step.clone()));
    steps
}
