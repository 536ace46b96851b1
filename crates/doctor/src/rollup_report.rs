//! The results for a rollup with its L1.

use saldo::{Reading, RollupHealth};

use crate::finding::Finding;
use crate::provider::ProviderReport;
use crate::report::{Diagnosis, Report};

/// The results for a rollup with its L1.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RollupReport {
    /// The L1, as it is examined without a rollup, with a diagnosis of its own.
    pub l1: Report,
    /// The rollup's name.
    pub network: String,
    /// Its chain id (EIP-155).
    pub chain_id: u64,
    /// Whether its profile names the codes of all contracts that a level needs.
    pub is_pinned: bool,
    /// The rollup's providers, in the order given.
    pub providers: Vec<ProviderReport>,
    /// What a client said that read the balance of [`PROBED`](crate::PROBED) on the rollup. `None` if no client can be built, because a
    /// provider, a beacon source or a checkpoint is missing.
    pub reading: Option<Reading>,
    /// What that client knew then of the rollup.
    pub health: Option<RollupHealth>,
    /// The findings about the rollup as a whole.
    pub findings: Vec<Finding>,
    /// The diagnosis: whether a balance on the rollup can be proven now, as that reading says.
    pub diagnosis: Diagnosis,
}

impl RollupReport {
    /// The codes of all findings of the rollup's provider with that name, or of the provider or source of L1.
    pub fn findings_at(&self, name: &str) -> Vec<&'static str> {
        let of_rollup = self.providers.iter().filter(|report| report.provider.as_str() == name);
        let of_rollup = of_rollup.flat_map(|report| &report.findings).map(Finding::code);
        of_rollup.chain(self.l1.findings_at(name)).collect()
    }
}
