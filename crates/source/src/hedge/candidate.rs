//! The providers of one call, as they stand when it begins.

use std::sync::Arc;
use std::time::Duration;

use saldo_reading::Role;

use crate::backoff::Availability;
use crate::endpoint::Endpoint;
use crate::providers::Providers;

/// A provider that may be asked, with what was known of it when the call began. All questions of the call share it.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// Its [`Endpoint::operator_key`].
    pub(super) operator: Arc<str>,
    /// The key of its declared hosting.
    hosting: Option<Arc<str>>,
    pub(super) availability: Availability,
    /// Whether its last answer to the method failed.
    pub(super) has_failed: bool,
    /// Whether it counts the calls inside a request.
    pub(super) counts_calls: bool,
    /// How long to wait for it before another is asked as well.
    pub(super) hedge_delay: Duration,
}

impl<'a> Candidate<'a> {
    /// The `endpoints` in the order in which to ask them, best first.
    pub(super) fn all(
        providers: &Providers,
        role: Role,
        method: &'static str,
        endpoints: &'a [Endpoint],
        now: Duration,
    ) -> Vec<Arc<Self>> {
        let candidate = |endpoint: &'a Endpoint| {
            let key = (role, endpoint.id().clone());
            Self {
                endpoint,
                operator: endpoint.operator_key().into(),
                hosting: endpoint.hosted_by().map(|name| Endpoint::operator_key_of(name).into()),
                availability: providers.availability(role, method, endpoint.id(), now),
                has_failed: providers.ranking.has_failed(&key, method),
                counts_calls: providers.counting_calls.contains(endpoint.id()),
                hedge_delay: providers.latencies.hedge_delay(&key, method),
            }
        };
        providers.order(role, method, endpoints).into_iter().map(candidate).map(Arc::new).collect()
    }

    /// Whether both may be hosted by one company: where hosting is not declared, it may be the same.
    pub(super) fn may_share_hosting(&self, other: &Self) -> bool {
        match (&self.hosting, &other.hosting) {
            (Some(one), Some(another)) => one == another,
            _ => true,
        }
    }
}
