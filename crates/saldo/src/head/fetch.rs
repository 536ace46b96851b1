//! Fetches light-client data from the sources, and advances the light client with it.

use saldo_beacon::decode::{self, DecodeError, Encoding};
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{AdvanceError, BootstrapError, LightClient, LightClientUpdate, Network};
use saldo_reading::{Attempt, Failure, Role};
use saldo_source::beacon::{Data, Route, fetch};
use saldo_source::{Answer, BoxedFuture, Deadline, Endpoint, mirror};

use super::Head;
use crate::event;

/// Decodes an update, by its bytes, encoding, label and network.
pub(super) type DecodeUpdate =
    fn(&[u8], Encoding, Option<&str>, &Network) -> Result<LightClientUpdate, DecodeError>;

impl Head {
    pub(super) async fn ask_sources<'a>(
        &'a self,
        method: &'static str,
        deadline: Deadline,
        ask: impl Fn(&'a Endpoint) -> BoxedFuture<'a, Answer<()>>,
    ) -> Vec<Attempt> {
        self.env.hedge(Role::Beacon, method, deadline, ask).await.attempts
    }

    pub(super) async fn fetch(
        &self,
        source: &Endpoint,
        route: Route,
        deadline: Deadline,
    ) -> Result<Data, Failure> {
        let (io, time_left) = (self.env.dispatcher.io(), self.env.time_left(deadline));
        if source.is_mirror() {
            return mirror::fetch(io, &self.network(), self.time(), source, route, time_left).await;
        }
        fetch(io, source, route, time_left).await
    }

    /// Advances the light client with one head, and returns its slot. If its label names an unknown fork, a signature that does not
    /// verify may be genuine under the version of that fork.
    pub(super) fn advance_to(&self, data: &Data, decode: DecodeUpdate) -> Result<Slot, Failure> {
        let (network, label) = (self.network(), data.fork.as_deref());
        let update = decode(&data.bytes, data.encoding, label, &network)?;
        let slot = update.attested_slot();
        match self.advance(update) {
            Ok(()) => Ok(slot),
            Err(Failure::Update(AdvanceError::Signature(_)))
                if label.is_some_and(|label| decode::names_unknown_fork(label, &network)) =>
            {
                Err(Failure::UnknownFork)
            }
            Err(refusal) => Err(refusal),
        }
    }

    pub(super) fn advance(&self, update: LightClientUpdate) -> Result<(), Failure> {
        let now = self.time();
        let mut state = self.state();
        let held = state.light_client.as_ref().map(|client| client.finalized_head().slot());
        if let Some(held) = held.filter(|held| self.is_beyond_weak_subjectivity(*held, now)) {
            // It was young enough when the request was sent: since then the clock was set, or the device slept.
            let (age_epochs, limit_epochs) = self.age_and_limit(held, now);
            return Err(BootstrapError::CheckpointTooOld { age_epochs, limit_epochs }.into());
        }
        // The wall clock decides, not the time that signatures prove. With a slow clock, signed time would
        // follow an old committee step by step, and past weak subjectivity unnoticed.
        let wall = self.env.clock().wall();
        let before = state.light_client.as_ref().map(event::Progress::of);
        let outcome = state.light_client.as_mut().map(|client| client.advance(update, wall));
        if let Some(Err(AdvanceError::FromFuture { starts, .. })) = &outcome {
            // The committee signed it, so that time has come: this device's clock is behind.
            state.proven_time = Some(state.proven_time.map_or(*starts, |proven| proven.max(*starts)));
        }
        let after = state.light_client.as_ref().map(event::Progress::of);
        // Under the same lock: no other call may prove anything from a chain that has contradicted itself.
        let contradiction = match &outcome {
            Some(Err(AdvanceError::ConsensusFault(_))) => state.follow(),
            _ => None,
        };
        drop(state);
        event::contradicted(contradiction);
        event::advanced(before, after);
        match outcome {
            None | Some(Err(AdvanceError::NotNewer { .. })) => Ok(()),
            Some(Ok(_)) => {
                self.follow();
                Ok(())
            }
            Some(Err(refusal)) => Err(refusal.into()),
        }
    }

    /// The known committees: the period, and whether the next committee is known. It grows with every committee
    /// update.
    pub(super) fn committees_known(&self) -> (Option<Period>, bool) {
        let state = self.state();
        let light_client = state.light_client.as_ref();
        (light_client.map(LightClient::period), light_client.is_some_and(LightClient::next_committee_known))
    }
}
