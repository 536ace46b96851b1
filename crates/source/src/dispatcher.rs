//! Whom to ask: what was learned of the providers, shared by all who ask.

use std::sync::{Mutex, MutexGuard, PoisonError};

use saldo_reading::{Attempt, Outcome, ProviderId, Role};

use crate::endpoint::Endpoint;
use crate::event;
use crate::io::Io;
use crate::standing::{Leave, Standings, until_midnight};

/// Asks providers, and remembers how they answered. See [`Asker::race`](crate::Asker::race).
#[derive(Debug)]
pub struct Dispatcher {
    io: Io,
    standings: Mutex<Standings>,
}

impl Dispatcher {
    /// Nothing is known of anybody yet.
    pub fn new(io: Io) -> Self {
        let clock = io.clock();
        // Devices that were started at the same millisecond may do the same.
        let standings = Mutex::new(Standings::new(clock.wall().as_millis()));
        Self { io, standings }
    }

    /// How the outside world is reached.
    pub fn io(&self) -> &Io {
        &self.io
    }

    /// The `endpoints` in the order in which to ask them for `method`, best first: those that were of use when they were
    /// last asked, the faster the earlier, where speed counts by doublings; then the others, the latest last.
    pub fn order<'a>(
        &self,
        role: Role,
        method: &'static str,
        endpoints: &'a [Endpoint],
    ) -> Vec<&'a Endpoint> {
        self.standings().order(role, method, endpoints)
    }

    /// Takes note of what became of asking for `method`, outside of a race.
    pub fn note(&self, method: &'static str, attempts: &[Attempt]) {
        let clock = self.io.clock();
        let midnight = until_midnight(clock.wall().as_secs());
        let is_over =
            |attempt: &&Attempt| !matches!(attempt.outcome, Outcome::Overtaken | Outcome::Unfinished);
        for attempt in attempts.iter().filter(is_over) {
            self.standings().hear(&attempt.provider, attempt.outcome.failure(), clock.monotonic());
        }
        event::failed(method, attempts);
        self.standings().note(
            method,
            attempts,
            Standings::USUAL_HEDGE_DELAY,
            clock.monotonic(),
            Some(midnight),
        );
    }

    /// Counts a proof of this provider that is false under the very block it was asked for. After two of them it is asked for
    /// proofs only when nobody else is left.
    pub fn strike(&self, provider: &ProviderId) {
        let strikes = self.standings().strike(provider);
        event::struck(provider, strikes);
    }

    /// Says that the device's network changed, and whether there is one now. While there is none nobody is worse for not
    /// being reached; the first answer that is of use shows that there is one.
    pub fn network_changed(&self, online: bool) {
        self.standings().network_changed(online);
        event::network_changed(online);
    }

    /// Whether the app said that the device is offline, and nothing has shown otherwise since.
    pub fn is_offline(&self) -> bool {
        self.standings().is_offline
    }

    /// The endpoints that do not want to be left alone, in [`Asker::order`].
    pub fn willing<'a>(
        &self,
        role: Role,
        method: &'static str,
        endpoints: &'a [Endpoint],
    ) -> Vec<&'a Endpoint> {
        let now = self.io.clock().monotonic();
        let standings = self.standings();
        let mut willing = standings.order(role, method, endpoints);
        willing.retain(|endpoint| standings.leave(role, method, endpoint.id(), now) == Leave::Free);
        willing
    }

    /// Whether these attempts, all that were made in a read, say that this device has no network: nobody could be connected
    /// to, there are at least two, some could not be found at all, and nobody was heard a moment ago.
    pub fn is_cut_off(&self, attempts: &[Attempt]) -> bool {
        self.standings().is_cut_off(attempts, self.io.clock().monotonic())
    }

    pub(crate) fn standings(&self) -> MutexGuard<'_, Standings> {
        // A panic while the lock was held cannot have left half a state: every change is of one provider's numbers.
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
