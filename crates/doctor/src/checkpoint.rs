//! Examines one checkpoint source, and compares the sources' answers.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{Checkpoint, Network};
use saldo_source::checkpoint::block_root;
use saldo_source::{Deadline, Endpoint};

use crate::check::{Check, Unchecked};
use crate::finding::Finding;
use crate::probe::ProbeClient;
use crate::source::CheckpointReport;

/// How many operators must name the same block, and how many must answer at least.
const AGREEMENT: usize = 2;
const LEAST_ANSWERS: usize = 3;
/// Blocks of this age, in epochs, are final everywhere under normal conditions.
const EPOCHS_BACK: u64 = 4;

impl CheckpointReport {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        Self {
            source: endpoint.id().clone(),
            run_by: endpoint.run_by().to_owned(),
            requests: 0,
            latency: None,
            clock_offset: None,
            names: Check::NotChecked(Unchecked::NotReached),
            findings: Vec::new(),
        }
    }
}

/// The slot to ask about: the checkpoint's, else the start of an epoch that is certainly final.
pub(crate) fn slot(network: &Network, checkpoint: Option<Checkpoint>, now: UnixTime) -> Option<Slot> {
    if let Some(slot) = checkpoint.and_then(|checkpoint| checkpoint.slot) {
        return Some(slot);
    }
    let epoch = network.epoch_at(network.slot_at(now)?).checked_sub(EPOCHS_BACK)?;
    Some(Slot::new(epoch.get().checked_mul(network.slots_per_epoch())?))
}

/// Asks one source which block is at `slot`.
pub(crate) async fn examine(probe: &ProbeClient<'_>, slot: Option<Slot>) -> CheckpointReport {
    let mut report = CheckpointReport::new(probe.endpoint);
    if let Some(slot) = slot {
        let ask = async |timeout| {
            let deadline = Deadline::after(probe.io.clock(), timeout);
            block_root(&probe.io, probe.endpoint, slot, deadline).await
        };
        report.names = probe.patiently(ask).await.into();
    }
    let seen = probe.meter.seen();
    (report.requests, report.latency, report.clock_offset) =
        (seen.requests, seen.latency(), seen.clock_offset());
    let finding = report.names.failure().map(Finding::of);
    report.findings.extend(finding);
    report.findings.extend(Finding::of_rate(probe.rate(), &report.findings));
    report.findings.extend(Finding::of_pace(seen.latency(), seen.clock_offset()));
    report
}

/// The root that enough operators name, if it is the only such root. Marks the sources that name another root.
pub(crate) fn agree(reports: &mut [CheckpointReport]) -> Option<B256> {
    let mut votes: BTreeMap<B256, BTreeSet<String>> = BTreeMap::new();
    for report in reports.iter() {
        if let Some(root) = report.names.found() {
            votes.entry(*root).or_default().insert(Endpoint::operator_key_of(&report.run_by));
        }
    }
    let answered: BTreeSet<&String> = votes.values().flatten().collect();
    if answered.len() < LEAST_ANSWERS {
        return None;
    }
    let mut reached = votes.iter().filter(|(_, operators)| operators.len() >= AGREEMENT);
    let root = match (reached.next(), reached.next()) {
        (Some((root, _)), None) => *root,
        _ => return None,
    };
    for report in reports.iter_mut() {
        if report.names.found().is_some_and(|named| *named != root) {
            report.findings.push(Finding::OutvotedRoot);
        }
    }
    Some(root)
}
