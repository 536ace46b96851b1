//! Examines a configuration.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, join, join_all};
use saldo_beacon::{Checkpoint, LightClient, Network, SignedHead};
use saldo_reading::ProviderId;
use saldo_source::{Clock, Deadline, Endpoint, Transport};

use crate::check::{Check, Unchecked};
use crate::clock::Seen;
use crate::meter::Meter;
use crate::probe::ProbeClient;
use crate::report::{Diagnosis, Report};
use crate::source::{CheckpointReport, SeenHead, SourceReport};
use crate::{beacon, checkpoint, clock, diagnosis, execution};

/// Limits for the cost of an examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time limit of one request.
    pub request: Duration,
    /// The time limit of the whole examination.
    pub total: Duration,
    /// The most requests that one provider or source receives.
    pub requests: u32,
}

impl Default for Limits {
    /// 5 s a request, 30 s in all, 40 requests to each.
    fn default() -> Self {
        Self { request: Duration::from_secs(5), total: Duration::from_secs(30), requests: 40 }
    }
}

/// The progress of an examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The endpoint that has just been examined.
    pub id: ProviderId,
    /// How many endpoints have been examined.
    pub done: usize,
    /// How many endpoints there are.
    pub of: usize,
}

/// A configuration to examine: the endpoints that a wallet would ask.
#[derive(Clone)]
#[must_use]
pub struct Doctor {
    pub(crate) network: Network,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) providers: Vec<Endpoint>,
    pub(crate) sources: Vec<Endpoint>,
    pub(crate) checkpoint_sources: Vec<Endpoint>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) limits: Limits,
}

impl Doctor {
    /// A configuration without endpoints. The network's own checkpoint is used until another one is given.
    pub fn new(network: Network, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let checkpoint = network.checkpoint().copied();
        Self {
            network,
            transport,
            clock,
            providers: Vec::new(),
            sources: Vec::new(),
            checkpoint_sources: Vec::new(),
            checkpoint,
            limits: Limits::default(),
        }
    }

    /// Adds an execution provider.
    pub fn provider(mut self, endpoint: Endpoint) -> Self {
        self.providers.push(endpoint);
        self
    }

    /// Adds a beacon source.
    pub fn source(mut self, endpoint: Endpoint) -> Self {
        self.sources.push(endpoint);
        self
    }

    /// Adds a checkpoint source.
    pub fn checkpoint_source(mut self, endpoint: Endpoint) -> Self {
        self.checkpoint_sources.push(endpoint);
        self
    }

    /// Sets the checkpoint to start from; `None` to use the one that the checkpoint sources agree on.
    pub fn checkpoint(mut self, checkpoint: Option<Checkpoint>) -> Self {
        self.checkpoint = checkpoint;
        self
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Examines all endpoints concurrently, and calls `report_progress` after each one. Never takes longer than
    /// [`Limits::total`].
    pub async fn examine(&self, report_progress: &(dyn Fn(Progress) + Sync)) -> Report {
        let begun = self.clock.wall();
        let deadline = Deadline::after(&*self.clock, self.limits.total);
        let done = AtomicUsize::new(0);
        let of = self
            .providers
            .len()
            .saturating_add(self.sources.len())
            .saturating_add(self.checkpoint_sources.len());
        let report_progress = |id: &ProviderId| {
            let done = done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            report_progress(Progress { id: id.clone(), done, of });
        };

        let beacon_side = self.beacon_side(deadline, &report_progress).boxed_local().shared();
        let head = beacon_side
            .clone()
            .map(|found| found.client.as_ref().and_then(|client| client.signed_head().cloned()));
        let head: Shared<_> = head.boxed_local().shared();
        let providers = join_all(self.providers.iter().map(|endpoint| {
            let head = head.clone();
            let report_progress = &report_progress;
            async move {
                let report =
                    execution::examine(&self.probe(endpoint, deadline), self.network.chain_id(), head).await;
                report_progress(endpoint.id());
                report
            }
        }));
        let (found, providers) = join(beacon_side, providers).await;

        let mut report = Report {
            network: self.network.name().to_owned(),
            chain_id: self.network.chain_id(),
            begun,
            checkpoint: found.checkpoint,
            checkpoint_slot: found.checkpoint_slot,
            agreed_root: found.agreed_root,
            signed_head: found.client.as_ref().and_then(LightClient::signed_head).map(seen),
            providers,
            sources: found.sources.clone(),
            checkpoint_sources: found.checkpoint_sources.clone(),
            diagnosis: Diagnosis::default(),
        };
        self.blame_clock(&mut report);
        report.diagnosis = diagnosis::diagnose(&report);
        report
    }

    /// Names this device's clock where it is the reason of what was found.
    fn blame_clock(&self, report: &mut Report) {
        let providers = self.providers.iter().zip(&mut report.providers).map(|(endpoint, report)| Seen {
            endpoint,
            clock_offset: report.clock_offset,
            findings: &mut report.findings,
        });
        let sources = self.sources.iter().zip(&mut report.sources).map(|(endpoint, report)| Seen {
            endpoint,
            clock_offset: report.clock_offset,
            findings: &mut report.findings,
        });
        let checkpoint_sources = self.checkpoint_sources.iter().zip(&mut report.checkpoint_sources);
        let checkpoint_sources = checkpoint_sources.map(|(endpoint, report)| Seen {
            endpoint,
            clock_offset: report.clock_offset,
            findings: &mut report.findings,
        });
        clock::blame(&mut providers.chain(sources).chain(checkpoint_sources).collect::<Vec<_>>());
    }

    /// Examines checkpoint sources and beacon sources. Returns also the light client with the newest head.
    async fn beacon_side(
        &self,
        deadline: Deadline,
        report_progress: &impl Fn(&ProviderId),
    ) -> Arc<BeaconSide> {
        let slot = checkpoint::slot(&self.network, self.checkpoint, self.clock.wall());
        let checkpoint_sources = join_all(self.checkpoint_sources.iter().map(|endpoint| async move {
            let report = checkpoint::examine(&self.probe(endpoint, deadline), slot).await;
            report_progress(endpoint.id());
            report
        }));
        let mut side =
            BeaconSide { checkpoint: self.checkpoint, checkpoint_slot: slot, ..BeaconSide::default() };
        if self.checkpoint.is_some() {
            let sources = self.follow_all(self.checkpoint, deadline, report_progress);
            let (checkpoint_sources, (sources, client)) = join(checkpoint_sources, sources).await;
            (side.checkpoint_sources, side.sources, side.client) = (checkpoint_sources, sources, client);
            side.agreed_root = checkpoint::agree(&mut side.checkpoint_sources);
        } else {
            side.checkpoint_sources = checkpoint_sources.await;
            side.agreed_root = checkpoint::agree(&mut side.checkpoint_sources);
            side.checkpoint = side.agreed_root.map(|root| Checkpoint { root, slot });
            (side.sources, side.client) = self.follow_all(side.checkpoint, deadline, report_progress).await;
        }
        if self.checkpoint_sources.is_empty() {
            side.checkpoint_slot = None;
        }
        Arc::new(side)
    }

    /// Examines all beacon sources. A source without the bootstrap is examined with the light client of a source that
    /// has it.
    async fn follow_all(
        &self,
        checkpoint: Option<Checkpoint>,
        deadline: Deadline,
        report_progress: &impl Fn(&ProviderId),
    ) -> (Vec<SourceReport>, Option<LightClient>) {
        let first = join_all(self.sources.iter().map(|endpoint| async move {
            let probe = self.probe(endpoint, deadline);
            let mut report = SourceReport::new(endpoint);
            let mut client = beacon::start(&probe, &self.network, checkpoint, &mut report).await;
            if let Some(client) = &mut client {
                beacon::follow(&probe, client, &mut report).await;
            }
            (probe, report, client)
        }));
        let first = first.await;
        let furthest = |clients: &mut dyn Iterator<Item = &LightClient>| {
            clients.max_by_key(|client| client.signed_head().map(SignedHead::slot)).cloned()
        };
        let reference = furthest(&mut first.iter().filter_map(|(_, _, client)| client.as_ref()));
        let leads = reference.as_ref().is_some_and(|client| client.signed_head().is_some());
        let all = join_all(first.into_iter().map(|(probe, mut report, mut client)| {
            let reference = reference.clone();
            async move {
                let may_serve = client.is_none() && !beacon::is_lost(&report);
                // It may limit that route alone.
                let is_limited = leads && report.bootstrap.is_rate_limited();
                if is_limited && let Some(mut borrowed) = reference {
                    beacon::follow_heads(&probe, &mut borrowed, &mut report).await;
                    client = Some(borrowed);
                } else if may_serve && let Some(mut borrowed) = reference {
                    beacon::follow(&probe, &mut borrowed, &mut report).await;
                    client = Some(borrowed);
                } else if may_serve && checkpoint.is_some() {
                    beacon::look_for_routes(&probe, &self.network, &mut report).await;
                } else if client.is_none() && checkpoint.is_none() {
                    report.optimistic = Check::NotChecked(Unchecked::NoCheckpoint);
                }
                beacon::judge(&probe, leads, &mut report);
                report_progress(probe.endpoint.id());
                (report, client)
            }
        }));
        let (reports, clients): (Vec<_>, Vec<_>) = all.await.into_iter().unzip();
        let client = furthest(&mut clients.iter().flatten());
        (reports, client)
    }

    pub(crate) fn probe<'a>(&'a self, endpoint: &'a Endpoint, deadline: Deadline) -> ProbeClient<'a> {
        let meter = Meter::new(Arc::clone(&self.transport), Arc::clone(&self.clock), self.limits.requests);
        ProbeClient::new(endpoint, &self.network, meter, &self.clock, deadline, self.limits.request)
    }
}

impl std::fmt::Debug for Doctor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Doctor").field("network", &self.network.name()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct BeaconSide {
    checkpoint: Option<Checkpoint>,
    checkpoint_slot: Option<saldo_beacon::unit::Slot>,
    agreed_root: Option<alloy_primitives::B256>,
    sources: Vec<SourceReport>,
    checkpoint_sources: Vec<CheckpointReport>,
    client: Option<LightClient>,
}

fn seen(head: &SignedHead) -> SeenHead {
    SeenHead {
        slot: head.slot(),
        signers: head.signers(),
        committee_size: head.committee_size(),
        number: head.execution().header().map(|header| header.block_number),
        hash: head.execution().block_hash(),
    }
}
