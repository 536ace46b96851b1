//! Examining one checkpoint source, and what they say together.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{Checkpoint, Network};
use saldo_source::checkpoint::block_root;
use saldo_source::{Clock, Deadline, Endpoint};

use crate::check::{Check, Unchecked};
use crate::finding::Finding;
use crate::probe::ProbeClient;
use crate::source::CheckpointReport;

/// How many operators must name one block, and how many must answer at all.
const AGREEMENT: usize = 2;
const LEAST_ANSWERS: usize = 3;
/// Blocks of this age, in epochs, are final everywhere while all is well.
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

/// The slot that is asked about: the checkpoint's, else the start of an epoch that is surely final.
pub(crate) fn slot(network: &Network, checkpoint: Option<Checkpoint>, now: UnixTime) -> Option<Slot> {
    if let Some(slot) = checkpoint.and_then(|checkpoint| checkpoint.slot) {
        return Some(slot);
    }
    let epoch = network.epoch_at(network.slot_at(now)?).checked_sub(EPOCHS_BACK)?;
    Some(Slot::new(epoch.get().checked_mul(network.slots_per_epoch())?))
}

/// Asks one source which block stands at `slot`.
pub(crate) async fn examine(probe: &ProbeClient<'_>, slot: Option<Slot>) -> CheckpointReport {
    let mut report = CheckpointReport::new(probe.endpoint);
    if let Some(slot) = slot {
        let clock: &dyn Clock = probe.io.clock();
        let deadline = Deadline::after(clock, probe.patience());
        report.names = block_root(&probe.io, probe.endpoint, slot, deadline).await.into();
    }
    let seen = probe.meter.seen();
    (report.requests, report.latency, report.clock_offset) =
        (seen.requests, seen.latency(), seen.clock_offset());
    let finding = report.names.failure().map(Finding::of);
    report.findings.extend(finding);
    report.findings.extend(Finding::of_pace(seen.latency(), seen.clock_offset()));
    report
}

/// The root that enough operators name and no other is named by as many; marks who names another.
pub(crate) fn agree(reports: &mut [CheckpointReport]) -> Option<B256> {
    let mut voices: BTreeMap<B256, BTreeSet<String>> = BTreeMap::new();
    for report in reports.iter() {
        if let Some(root) = report.names.found() {
            voices.entry(*root).or_default().insert(report.run_by.trim().to_lowercase());
        }
    }
    let answered: BTreeSet<&String> = voices.values().flatten().collect();
    if answered.len() < LEAST_ANSWERS {
        return None;
    }
    let mut reached = voices.iter().filter(|(_, operators)| operators.len() >= AGREEMENT);
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
