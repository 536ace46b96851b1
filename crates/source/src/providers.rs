//! What was learned of the providers by asking them, shared by all calls.

use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role, TransportError};

use crate::backoff::{Availability, Backoffs};
use crate::budget::Budgets;
use crate::co_failure::CoFailures;
use crate::endpoint::Endpoint;
use crate::jitter::Jitter;
use crate::latency::Latencies;
use crate::quarantine::Quarantine;
use crate::ranking::Ranking;
use crate::reachability::Reachability;
use crate::sorted::SortedSet;

/// All that was learned. Pure: the moments, on the monotonic clock, come from the caller.
#[derive(Debug)]
pub(crate) struct Providers {
    pub(crate) ranking: Ranking,
    pub(crate) latencies: Latencies,
    pub(crate) backoffs: Backoffs,
    pub(crate) quarantine: Quarantine,
    pub(crate) reachability: Reachability,
    pub(crate) co_failures: CoFailures,
    pub(crate) budgets: Budgets,
    /// The providers that count the calls inside a request.
    pub(crate) counting_calls: SortedSet<ProviderId>,
    pub(crate) jitter: Jitter,
}

/// The results of one call's requests for `method`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished<'a> {
    pub(crate) method: &'static str,
    pub(crate) attempts: &'a [Attempt],
    /// An attempt that was overtaken sooner than this does not count against its provider.
    pub(crate) hedge_delay: Duration,
    /// When the call ended, on the monotonic clock.
    pub(crate) now: Duration,
    /// From then until the next midnight (UTC).
    pub(crate) until_midnight: Duration,
}

impl Providers {
    /// Nothing is known yet. `seed` decides the jitter.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            ranking: Ranking::default(),
            latencies: Latencies::default(),
            backoffs: Backoffs::default(),
            quarantine: Quarantine::default(),
            reachability: Reachability::default(),
            co_failures: CoFailures::default(),
            budgets: Budgets::default(),
            counting_calls: SortedSet::new(),
            jitter: Jitter::new(seed),
        }
    }

    /// The `endpoints` in the order in which to ask them for `method`, best first.
    pub(crate) fn order<'a>(
        &self,
        role: Role,
        method: &'static str,
        endpoints: &'a [Endpoint],
    ) -> Vec<&'a Endpoint> {
        self.ranking.order(&self.latencies, role, method, endpoints)
    }

    /// Whether a provider may be asked for `method` at `now`.
    pub(crate) fn availability(
        &self,
        role: Role,
        method: &'static str,
        id: &ProviderId,
        now: Duration,
    ) -> Availability {
        if self.quarantine.holds(id, method) {
            let last_resort_at = Some(Duration::ZERO);
            return Availability::BackedOff { last_resort_at, why: Failure::Quarantined };
        }
        self.backoffs.availability(&(role, id.clone()), now)
    }

    /// Records the result of a call. If this device has no network, only accepted answers count.
    pub(crate) fn record(&mut self, finished: Finished<'_>) {
        let Finished { attempts, hedge_delay, now, .. } = finished;
        let is_device = self.reachability.is_offline() || self.reachability.is_cut_off(attempts, now);
        if !is_device {
            self.co_failures.record(attempts, hedge_delay, now);
        }
        for attempt in attempts {
            if is_accepted(&attempt.outcome) {
                self.record_accepted(finished, attempt);
            } else if !is_device && !is_reported_offline(attempt) {
                self.record_failure(finished, attempt);
            }
        }
    }

    /// The device's network changed: who can be reached, and how fast, has to be learned again.
    pub(crate) fn network_changed(&mut self, online: bool) {
        self.reachability.network_changed(online);
        self.co_failures.network_changed();
        self.ranking.network_changed();
        self.latencies.network_changed();
    }

    fn record_accepted(&mut self, finished: Finished<'_>, attempt: &Attempt) {
        let key = (attempt.role, attempt.provider.clone());
        self.reachability.record_accepted(&attempt.provider);
        self.ranking.record_accepted(&key, finished.method);
        self.backoffs.record_accepted(&key);
        self.latencies.record_accepted(key, finished.method, attempt.took, finished.now);
    }

    fn record_failure(&mut self, finished: Finished<'_>, attempt: &Attempt) {
        let Finished { method, hedge_delay, now, until_midnight, .. } = finished;
        let key = (attempt.role, attempt.provider.clone());
        let is_unreachable = match &attempt.outcome {
            Outcome::Overtaken if attempt.took < hedge_delay => return,
            Outcome::Failed(failure) => {
                let jitter = &mut self.jitter;
                self.backoffs.record_failure(key.clone(), failure, now, until_midnight, jitter);
                failure.is_unreachable()
            }
            Outcome::Overtaken | Outcome::Unfinished => {
                self.backoffs.record_silence(key.clone(), attempt.took, now);
                true
            }
            _ => false,
        };
        self.ranking.record_failure(key, method, is_unreachable);
    }
}

fn is_accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Joined | Outcome::Accepted | Outcome::Named { .. })
}

/// Whether the device itself says that it is offline. That holds even if a provider answered a moment ago.
fn is_reported_offline(attempt: &Attempt) -> bool {
    attempt.outcome.failure() == Some(&TransportError::Offline.into())
}

#[cfg(test)]
#[path = "providers_tests.rs"]
mod tests;
