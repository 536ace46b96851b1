//! What was learned of one endpoint, for the app to show.

use std::time::Duration;

use saldo_reading::{Failure, Role};

use crate::co_failure::CoFailure;
use crate::dispatcher::Dispatcher;
use crate::endpoint::Endpoint;
use crate::quarantine::Quarantine;

/// What was learned of one endpoint in one role by asking it. It decides the order of asking, and what is believed never
/// depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderStats {
    /// How long ago an answer of the endpoint was accepted last; `None` if none was yet.
    pub accepted: Option<Duration>,
    /// The median latency of its latest accepted answers, over all methods; `None` before the first.
    pub usual_latency: Option<Duration>,
    /// Its latest failure, and how long ago that was. It may have answered since.
    pub failed: Option<(Failure, Duration)>,
    /// How much longer it is left unasked because it asked for that. If no other endpoint is left, it is asked sooner.
    pub backed_off: Option<Duration>,
    /// How many of its proofs were false under the very block they were asked for.
    pub strikes: u32,
    /// Whether it is asked for proofs only when no other endpoint is left, because of its strikes.
    pub is_quarantined: bool,
}

impl Dispatcher {
    /// Which endpoints became unreachable together, and how often.
    pub fn co_failures(&self) -> Vec<CoFailure> {
        self.providers().co_failures.all()
    }

    /// What was learned of `endpoint` in the role `role`.
    pub fn provider_stats(&self, role: Role, endpoint: &Endpoint) -> ProviderStats {
        let now = self.io().clock().monotonic();
        let ago = |then: Duration| now.saturating_sub(then);
        let key = (role, endpoint.id().clone());
        let providers = self.providers();
        // Only a proof can be false in this way.
        let strikes = if role == Role::Execution { providers.quarantine.strikes(endpoint.id()) } else { 0 };
        let last_failure = providers.backoffs.last_failure(&key);
        let left = |until: Duration| until.checked_sub(now).filter(|left| !left.is_zero());
        ProviderStats {
            accepted: providers.latencies.last_accepted(&key).map(ago),
            usual_latency: providers.latencies.median(&key),
            failed: last_failure.map(|(failure, then)| (failure.clone(), ago(*then))),
            backed_off: providers.backoffs.backed_off_until(&key).and_then(left),
            strikes,
            is_quarantined: strikes >= Quarantine::STRIKES,
        }
    }
}
