//! What is known of one endpoint by asking it.

use std::time::Duration;

use saldo_reading::{Failure, Role};

use crate::co_failure::CoFailure;
use crate::dispatcher::Dispatcher;
use crate::endpoint::Endpoint;
use crate::standing::Standings;

/// What is known of one endpoint in one role by asking it. Nothing of it is believed: it decides whom to ask first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderStats {
    /// How long ago an answer of it was used last; `None` if none was yet.
    pub accepted: Option<Duration>,
    /// What half of its latest useful answers took at most, whatever they were asked for; `None` before the first.
    pub usual_latency: Option<Duration>,
    /// Why it was of no use the last time that it was of none, and how long ago. It may have been of use since.
    pub failed: Option<(Failure, Duration)>,
    /// For how long yet it is left alone because it asked for that; it is asked earlier if nobody else is left.
    pub backed_off: Option<Duration>,
    /// How many of its proofs were false under the very block they were asked for.
    pub strikes: u32,
    /// Whether there were so many of them that it is asked for proofs only when nobody else is left.
    pub is_quarantined: bool,
}

impl Dispatcher {
    /// Which endpoints were found unreachable together, and how often.
    pub fn co_failures(&self) -> Vec<CoFailure> {
        self.standings().co_failures.all()
    }

    /// What is known of `endpoint` in the role `role`.
    pub fn provider_stats(&self, role: Role, endpoint: &Endpoint) -> ProviderStats {
        let now = self.io().clock().monotonic();
        let standings = self.standings();
        // Only a proof can be false in this way.
        let strikes = if role == Role::Execution { standings.strikes(endpoint.id()) } else { 0 };
        let is_quarantined = strikes >= Standings::STRIKES;
        let Some(standing) = standings.standing(role, endpoint.id()) else {
            let (accepted, usual_latency, failed, backed_off) = Default::default();
            return ProviderStats { accepted, usual_latency, failed, backed_off, strikes, is_quarantined };
        };
        let ago = |then: Duration| now.saturating_sub(then);
        ProviderStats {
            accepted: standing.accepted.map(ago),
            usual_latency: standing.usual_latency(),
            failed: standing.last.clone().map(|(failure, then)| (failure, ago(then))),
            backed_off: standing
                .backed_off_until()
                .filter(|until| *until > now)
                .map(|until| until.saturating_sub(now)),
            strikes,
            is_quarantined,
        }
    }
}
