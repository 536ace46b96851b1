//! The results for a whole configuration.

use alloy_primitives::B256;
use saldo_beacon::Checkpoint;
use saldo_beacon::unit::{Slot, UnixTime};

use crate::finding::Finding;
use crate::provider::ProviderReport;
use crate::source::{CheckpointReport, SeenHead, SourceReport};

/// The results for a whole configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The network's name.
    pub network: String,
    /// Its chain id (EIP-155).
    pub chain_id: u64,
    /// When the examination began, by the device's clock.
    pub begun: UnixTime,
    /// The checkpoint from which light clients were started: the given one, else the one that the checkpoint sources
    /// agree on.
    pub checkpoint: Option<Checkpoint>,
    /// The slot that checkpoint sources were asked about.
    pub checkpoint_slot: Option<Slot>,
    /// The root for that slot which at least two of at least three operators name.
    pub agreed_root: Option<B256>,
    /// The newest verified head of all sources.
    pub signed_head: Option<SeenHead>,
    /// The execution providers, in the order given.
    pub providers: Vec<ProviderReport>,
    /// The beacon sources, in the order given.
    pub sources: Vec<SourceReport>,
    /// The checkpoint sources, in the order given.
    pub checkpoint_sources: Vec<CheckpointReport>,
    /// The diagnosis.
    pub diagnosis: Diagnosis,
}

/// The diagnosis of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Whether a balance can be proven now.
    pub verdict: Verdict,
    /// One sentence for people.
    pub summary: String,
    /// The single failures that would stop this configuration.
    pub single_failures: Vec<SingleFailure>,
    /// What to do; the most urgent step is first.
    pub next_steps: Vec<String>,
}

/// Whether a balance can be proven now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// A balance can be proven.
    Works,
    /// No balance can be proven. Trying again may help.
    NotNow,
    /// No balance can be proven until the user acts.
    #[default]
    NeedsAction,
}

/// A single failure that would stop a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleFailure {
    /// A stable name of the kind: `operator`, `hosting`, `beacon_source`, `bootstrap` or `checkpoint`.
    pub kind: &'static str,
    /// One sentence for people.
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
    /// The codes of all findings of the provider or source with that name.
    pub fn findings_at(&self, name: &str) -> Vec<&'static str> {
        let at = |findings: &[Finding]| findings.iter().map(Finding::code).collect::<Vec<_>>();
        let providers = self.providers.iter().map(|report| (&report.provider, &report.findings));
        let sources = self.sources.iter().map(|report| (&report.source, &report.findings));
        let checkpoints = self.checkpoint_sources.iter().map(|report| (&report.source, &report.findings));
        let all = providers.chain(sources).chain(checkpoints);
        all.filter(|(id, _)| id.as_str() == name).flat_map(|(_, findings)| at(findings)).collect()
    }
}
