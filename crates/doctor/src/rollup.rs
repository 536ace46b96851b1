//! Examines a rollup with its L1.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use saldo::{Holding, NetworkId, Profile, Reading, RollupHealth};
use saldo_beacon::unit::UnixTime;
use saldo_source::{Deadline, Endpoint};

use crate::clock::{self, Seen};
use crate::doctor::{Doctor, Limits, Progress};
use crate::finding::Finding;
use crate::provider::ProviderReport;
use crate::reply::PROBED;
use crate::report::Diagnosis;
use crate::rollup_finding::RollupFinding;
use crate::rollup_report::RollupReport;
use crate::{execution, rollup_client, rollup_diagnosis};

/// A rollup to examine, with its L1.
///
/// Whether a balance can be proven is asked of the client that a wallet has: it reads one, of [`PROBED`], and its reading is the
/// verdict. What each provider and source serves is examined besides.
#[derive(Clone, Debug)]
#[must_use]
pub struct RollupDoctor {
    l1: Doctor,
    profile: Profile,
    providers: Vec<Endpoint>,
    relays: Vec<Endpoint>,
}

impl RollupDoctor {
    /// The rollup `profile` without providers. `l1` is the configuration of the chain that its contracts are on; its limits are those of
    /// the whole examination.
    pub fn new(l1: Doctor, profile: Profile) -> Self {
        Self { l1, profile, providers: Vec::new(), relays: Vec::new() }
    }

    /// Adds an execution provider of the rollup.
    pub fn provider(mut self, endpoint: Endpoint) -> Self {
        self.providers.push(endpoint);
        self
    }

    /// Adds a relay of the sequencer's signatures. It is asked while the balance is not proven.
    #[cfg(feature = "sequencer")]
    pub fn relay(mut self, endpoint: Endpoint) -> Self {
        self.relays.push(endpoint);
        self
    }

    /// Reads a balance on the rollup, and then examines all endpoints concurrently. Calls `report_progress` after each one. Takes hardly
    /// longer than [`Limits::total`].
    pub async fn examine(&self, report_progress: &(dyn Fn(Progress) + Sync)) -> RollupReport {
        let deadline = Deadline::after(&*self.l1.clock, self.l1.limits.total);
        let read = self.read(self.l1.limits.total.checked_div(2).unwrap_or_default()).await;
        let (reading, health) = read.map_or((None, None), |(reading, health)| (Some(reading), health));
        let left = deadline.left(&*self.l1.clock);
        let (l1, providers) = {
            let done = AtomicUsize::new(0);
            let next = |progress: Progress| {
                let done = done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                report_progress(Progress { done, ..progress });
            };
            let of_l1 = [&self.l1.providers, &self.l1.sources, &self.l1.checkpoint_sources];
            let of_l1: usize = of_l1.iter().map(|endpoints| endpoints.len()).sum();
            let of = of_l1.saturating_add(self.providers.len());
            let next_of_l1 = |progress: Progress| next(Progress { of, ..progress });
            let l1 = self.l1.clone().limits(Limits { total: left, ..self.l1.limits });
            let providers = self.providers.iter().map(|endpoint| {
                let next = &next;
                async move {
                    let probe = self.l1.probe(endpoint, deadline);
                    let report = execution::examine_of_rollup(&probe, self.profile.chain_id()).await;
                    next(Progress { id: endpoint.id().clone(), done: 0, of });
                    report
                }
            });
            join(l1.examine(&next_of_l1), join_all(providers)).await
        };
        let is_pinned = self.profile.is_pinned();
        let findings =
            health.as_ref().map(|health| RollupFinding::of(health, is_pinned, self.l1.clock.wall()));
        let mut report = RollupReport {
            l1,
            network: self.profile.name().to_owned(),
            chain_id: self.profile.chain_id(),
            is_pinned,
            providers,
            reading,
            findings: findings.into_iter().flatten().map(Finding::OfRollup).collect(),
            health,
            diagnosis: Diagnosis::default(),
        };
        self.find_old_heads(&mut report);
        self.blame_clock(&mut report.providers);
        report.diagnosis = rollup_diagnosis::diagnose(&report);
        report
    }

    /// What a wallet's client says of a balance, and what it knows of the rollup then; `None` if no client can be built.
    async fn read(&self, patience: Duration) -> Option<(Reading, Option<RollupHealth>)> {
        if self.l1.checkpoint.is_none() && self.l1.checkpoint_sources.is_empty() {
            return None;
        }
        let client =
            rollup_client::client(&self.l1, &self.profile, (&self.providers, &self.relays), patience).ok()?;
        let network = NetworkId::new(self.profile.chain_id());
        let holding = Holding::native(network, PROBED);
        let reading = client.read_patiently(&[holding], patience).await.pop()?;
        Some((reading, client.on(network)?.health().rollup))
    }

    /// Names providers whose newest block is old. Where the rollup stands still, those that stand at its newest block do not lag.
    fn find_old_heads(&self, report: &mut RollupReport) {
        let stopped = report.health.as_ref().and_then(|health| health.stopped);
        let newest = stopped.unwrap_or_else(|| self.l1.clock.wall());
        for provider in &mut report.providers {
            provider.findings.extend(old_head(provider, newest));
        }
    }

    /// Names this device's clock where it is the reason of what was found.
    fn blame_clock(&self, providers: &mut [ProviderReport]) {
        let seen = self.providers.iter().zip(providers).map(|(endpoint, report)| Seen {
            endpoint,
            clock_offset: report.clock_offset,
            findings: &mut report.findings,
        });
        clock::blame(&mut seen.collect::<Vec<_>>());
    }
}

fn old_head(provider: &ProviderReport, newest: UnixTime) -> Option<Finding> {
    let tip = provider.tip.found()?;
    let is_old = newest.saturating_sub(tip.timestamp) >= RollupHealth::STANDSTILL;
    is_old.then(|| Finding::OldHead { age: newest.saturating_sub(tip.timestamp) })
}
