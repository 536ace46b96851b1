//! Derives the diagnosis of a rollup from its report.

use saldo::{Anchor, Reading, Why};

use crate::diagnosis::only;
use crate::finding::Finding;
use crate::report::{Diagnosis, SingleFailure, Verdict};
use crate::rollup_report::RollupReport;

impl Verdict {
    /// What a reading says of whether a balance can be proven.
    pub fn of(reading: &Reading) -> Self {
        match reading.why() {
            None => Self::Works,
            Some(why) if why.needs_action() => Self::NeedsAction,
            Some(_) => Self::NotNow,
        }
    }
}

/// The diagnosis of `report`. The report's own diagnosis is ignored.
pub(crate) fn diagnose(report: &RollupReport) -> Diagnosis {
    let verdict = report.reading.as_ref().map_or(Verdict::NeedsAction, Verdict::of);
    let single_failures = single_failures(report);
    Diagnosis {
        verdict,
        summary: summary(report),
        next_steps: next_steps(report, &single_failures),
        single_failures,
    }
}

fn summary(report: &RollupReport) -> String {
    let name = &report.network;
    let Some(reading) = &report.reading else {
        return format!(
            "No balance on {name} can be proven: an endpoint or a checkpoint is missing. You need to act."
        );
    };
    match (reading, reading.why()) {
        (Reading::Proven(proven), _) => {
            format!("A balance on {name} can be proven now: Ethereum vouches for {}.", block(proven.anchor()))
        }
        (_, Some(why)) if is_only_new(why) => format!(
            "A balance on {name} is not proven at the first read: {why}. What is read now is proven once it does."
        ),
        (_, Some(why)) if why.needs_action() => {
            format!("No balance on {name} can be proven: {why}. You need to act.")
        }
        (_, Some(why)) => format!("No balance on {name} can be proven now: {why}."),
        (_, None) => format!("No balance on {name} can be proven now."),
    }
}

/// Whether nothing is wrong: a proof was taken, and L1 will vouch for a block after it.
fn is_only_new(why: &Why) -> bool {
    matches!(why, Why::NotVouchedYet)
}

fn block(anchor: &Anchor) -> String {
    format!("block {} of {}", anchor.number(), anchor.timestamp())
}

fn single_failures(report: &RollupReport) -> Vec<SingleFailure> {
    let is_fine = report.reading.as_ref().is_some_and(|reading| reading.why().is_none_or(is_only_new));
    if !is_fine {
        return Vec::new();
    }
    let name = &report.network;
    let proving = report.providers.iter().filter(|provider| provider.can_prove());
    let own = only(proving.map(|provider| provider.run_by.as_str())).map(|operator| SingleFailure {
        kind: "operator",
        detail: format!(
            "Only {operator} serves proofs of {name}: when it fails, nothing newer can be read, and whether {name} stands still cannot be told."
        ),
        next_step: format!("Add an execution provider of {name} of another operator with --rpc-url."),
    });
    let of_l1 = report.l1.diagnosis.single_failures.iter().map(|single| SingleFailure {
        kind: single.kind,
        detail: format!("On {}: {}", report.l1.network, single.detail),
        next_step: step_of_l1(report, &single.next_step),
    });
    own.into_iter().chain(of_l1).collect()
}

/// A step for L1, with the option that names its providers beside a rollup.
fn step_of_l1(report: &RollupReport, step: &str) -> String {
    format!("{}: {}", report.l1.network, step.replace("--rpc-url", "--l1-rpc-url"))
}

fn next_steps(report: &RollupReport, single_failures: &[SingleFailure]) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut add = |step: String| {
        if !steps.contains(&step) {
            steps.push(step);
        }
    };
    if report.providers.is_empty() {
        add(format!(
            "Give execution providers of {} that serve eth_getProof with --rpc-url.",
            report.network
        ));
    }
    let own = report.findings.iter().filter_map(Finding::next_step);
    own.for_each(|step| add(format!("{}: {step}", report.network)));
    let why = report.reading.as_ref().and_then(Reading::why);
    why.into_iter().for_each(|why| add(why.next_step().to_owned()));
    let mut found: Vec<_> = report
        .providers
        .iter()
        .flat_map(|provider| provider.findings.iter().map(move |finding| (&provider.provider, finding)))
        .collect();
    found.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity()));
    for (id, finding) in found {
        finding.next_step().into_iter().for_each(|step| add(format!("{id}: {step}")));
    }
    // The steps for single failures come last, those of L1 too.
    let is_last = |step: &String| single_failures.iter().any(|single| single.next_step == *step);
    let of_l1 = report.l1.diagnosis.next_steps.iter().map(|step| step_of_l1(report, step));
    of_l1.filter(|step| !is_last(step)).for_each(&mut add);
    single_failures.iter().for_each(|single| add(single.next_step.clone()));
    steps
}
