//! The providers' state behind one lock, and what a caller may ask of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use saldo_reading::{Attempt, Outcome, ProviderId, Role};

use crate::backoff::{Availability, until_midnight};
use crate::endpoint::Endpoint;
use crate::event;
use crate::io::Io;
use crate::latency::Latencies;
use crate::providers::{Finished, Providers};

/// Asks providers, and learns from how they answer. See [`Dispatcher::hedge`].
#[derive(Debug)]
pub struct Dispatcher {
    io: Io,
    providers: Mutex<Providers>,
}

impl Dispatcher {
    /// Nothing is known of any provider yet.
    pub fn new(io: Io) -> Self {
        // Jitter is no secret: devices that were started in the same millisecond may draw the same.
        let providers = Mutex::new(Providers::new(io.clock().wall().as_millis()));
        Self { io, providers }
    }

    /// The transport and the clock.
    pub fn io(&self) -> &Io {
        &self.io
    }

    /// The `endpoints` in the order in which to ask them for `method`, best first.
    ///
    /// Endpoints whose last answer failed come last, the latest failure the very last. The others are ranked by speed, where
    /// two within a factor of two are equal; equals keep their order.
    pub fn order<'a>(
        &self,
        role: Role,
        method: &'static str,
        endpoints: &'a [Endpoint],
    ) -> Vec<&'a Endpoint> {
        self.providers().order(role, method, endpoints)
    }

    /// Records requests for `method` that were sent without [`Dispatcher::hedge`].
    pub fn note(&self, method: &'static str, attempts: &[Attempt]) {
        let clock = self.io.clock();
        let (now, until_midnight) = (clock.monotonic(), until_midnight(clock.wall().as_secs()));
        event::failed(self.io.network(), method, attempts);
        let hedge_delay = Latencies::DEFAULT_HEDGE_DELAY;
        let mut providers = self.providers();
        for attempt in attempts {
            if !matches!(attempt.outcome, Outcome::Overtaken | Outcome::Unfinished) {
                providers.reachability.record_answer(&attempt.provider, attempt.outcome.failure(), now);
            }
        }
        providers.record(Finished { method, attempts, hedge_delay, now, until_midnight });
    }

    /// Counts a proof of this provider that is false under the very block it was asked for. After two of them the provider is
    /// asked for proofs only when no other is left.
    pub fn strike(&self, provider: &ProviderId) {
        let strikes = self.providers().quarantine.strike(provider);
        event::struck(self.io.network(), provider, strikes);
    }

    /// Records whether a provider counts the calls inside a request. To such a provider, each question that is asked again is one extra
    /// request of the budgets.
    pub fn record_counts_calls(&self, provider: &ProviderId, counts_calls: bool) {
        let counting = &mut self.providers().counting_calls;
        if counts_calls {
            counting.insert(provider.clone());
        } else {
            counting.remove(provider);
        }
    }

    /// Takes the app's word that the device's network changed, and whether there is one now. While there is none, failures do
    /// not count against providers; the next accepted answer shows that there is one.
    pub fn network_changed(&self, online: bool) {
        self.providers().network_changed(online);
        event::network_changed(online);
    }

    /// Whether the app said that the device is offline, and no accepted answer has shown otherwise since.
    pub fn is_offline(&self) -> bool {
        self.providers().reachability.is_offline()
    }

    /// The endpoints that are not backed off, in [`Dispatcher::order`].
    pub fn willing<'a>(
        &self,
        role: Role,
        method: &'static str,
        endpoints: &'a [Endpoint],
    ) -> Vec<&'a Endpoint> {
        let now = self.io.clock().monotonic();
        let providers = self.providers();
        let mut ready = providers.order(role, method, endpoints);
        ready.retain(|endpoint| {
            providers.availability(role, method, endpoint.id(), now) == Availability::Ready
        });
        ready
    }

    /// Whether these attempts, all that were made in a read, say that this device has no network: at least two providers were
    /// asked, no connection came about, some hosts were not found at all, and no provider answered within ten seconds.
    pub fn is_cut_off(&self, attempts: &[Attempt]) -> bool {
        self.providers().reachability.is_cut_off(attempts, self.io.clock().monotonic())
    }

    pub(crate) fn providers(&self) -> MutexGuard<'_, Providers> {
        // A panic while the lock was held cannot have left half a state: every change is of one provider's numbers.
        self.providers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
