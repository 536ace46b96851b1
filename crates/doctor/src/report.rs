//! Everything that was found, and what follows from it.

use alloy_primitives::B256;
use saldo_beacon::Checkpoint;
use saldo_beacon::unit::{Slot, UnixTime};

use crate::finding::Finding;
use crate::provider::ProviderReport;
use crate::source::{CheckpointReport, SeenHead, SourceReport};

/// Everything that was found, and what follows from it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The network's name.
    pub network: String,
    /// Its chain id (EIP-155).
    pub chain_id: u64,
    /// When the examination began, by the device's clock.
    pub begun: UnixTime,
    /// The checkpoint that light clients were started from: the given one, else what the checkpoint sources agree on.
    pub checkpoint: Option<Checkpoint>,
    /// The slot that checkpoint sources were asked about.
    pub checkpoint_slot: Option<Slot>,
    /// The root that at least two operators of at least three name there.
    pub agreed_root: Option<B256>,
    /// The newest head that the sync committee signed, of all sources, verified.
    pub signed_head: Option<SeenHead>,
    /// The execution providers, in the order given.
    pub providers: Vec<ProviderReport>,
    /// The beacon sources, in the order given.
    pub sources: Vec<SourceReport>,
    /// The checkpoint sources, in the order given.
    pub checkpoint_sources: Vec<CheckpointReport>,
    /// What follows.
    pub diagnosis: Diagnosis,
}

/// What follows from what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Whether a balance can be proven now.
    pub verdict: Verdict,
    /// One sentence.
    pub summary: String,
    /// What single failure would stop this configuration.
    pub single_failures: Vec<SingleFailure>,
    /// What to do, most urgent first.
    pub next_steps: Vec<String>,
}

/// Whether a balance can be proven now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It can.
    Works,
    /// It cannot, and trying again may help.
    NotNow,
    /// It cannot until somebody does something.
    #[default]
    NeedsAction,
}

/// What single failure would stop a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleFailure {
    /// A stable name of what it is about: `operator`, `hosting`, `beacon_source`, `bootstrap` or `checkpoint`.
    pub kind: &'static str,
    /// A sentence.
    pub detail: String,
    /// What to add.
    pub next_step: String,
}

impl Verdict {
    /// A stable name, in snake case.
    pub fn code(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::NotNow => "not_now",
            Self::NeedsAction => "needs_action",
        }
    }
}

impl Report {
    /// The code of every finding at the provider or source of that name.
    pub fn findings_at(&self, name: &str) -> Vec<&'static str> {
        let at = |findings: &[Finding]| findings.iter().map(Finding::code).collect::<Vec<_>>();
        let providers = self.providers.iter().map(|report| (&report.provider, &report.findings));
        let sources = self.sources.iter().map(|report| (&report.source, &report.findings));
        let checkpoints = self.checkpoint_sources.iter().map(|report| (&report.source, &report.findings));
        let all = providers.chain(sources).chain(checkpoints);
        all.filter(|(id, _)| id.as_str() == name).flat_map(|(_, findings)| at(findings)).collect()
    }
}
