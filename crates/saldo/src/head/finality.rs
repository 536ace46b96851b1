//! Fetches finality updates, and tells a source without them from a chain that does not finalize.

use saldo_beacon::decode;
use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role, Why};
use saldo_source::beacon::Route;
use saldo_source::{Answer, Deadline, Endpoint, IntoBoxed};

use super::Head;
use super::step::Need;
use crate::why;

impl Head {
    /// Advances the light client with the finality update of `source`.
    pub(super) async fn take_finality(&self, source: &Endpoint, deadline: Deadline) -> Result<(), Failure> {
        let clock = self.env.clock();
        let began = clock.monotonic();
        let taken = match self.fetch(source, Route::FinalityUpdate, deadline).await {
            Ok(data) => self.advance_to(&data, decode::finality_update),
            Err(failure) => Err(failure),
        };
        let now = clock.monotonic();
        let answers = &mut self.state().finality;
        answers.answered.insert(source.id().clone(), now);
        match taken {
            Ok(attested) => {
                answers.attested = answers.attested.max(Some(attested));
                answers.failed.remove(source.id());
                Ok(())
            }
            Err(failure) => {
                let provider = source.id().clone();
                let outcome = Outcome::Failed(failure.clone());
                let took = now.saturating_sub(began);
                let attempt = Attempt { provider, role: Role::Beacon, outcome, took, over_policy: false };
                answers.failed.insert(source.id().clone(), attempt);
                Err(failure)
            }
        }
    }

    /// Asks for a finality update, if one is due. A source that has just answered is not asked again. Returns the
    /// attempts.
    pub(crate) async fn learn_finality(&self, deadline: Deadline) -> Vec<Attempt> {
        let has_started = self.finalized_slot().is_some();
        let answered: Vec<ProviderId> = self.state().finality.answered.keys().cloned().collect();
        let is_known =
            self.chain_finalizes_late() && answered.iter().any(|source| self.has_just_answered(source));
        if !has_started || !self.finality_is_due() || is_known {
            return Vec::new();
        }
        let ask = |source| self.finality_of(source, deadline).into_boxed();
        self.ask_sources(Route::FinalityUpdate.name(), deadline, ask).await
    }

    async fn finality_of(&self, source: &Endpoint, deadline: Deadline) -> Answer<()> {
        let behind = || Failure::Behind { slots: self.slots_since_finality() };
        if self.has_just_answered(source.id()) {
            let failed = self.state().finality.failed.get(source.id()).cloned();
            let failure = failed.and_then(|attempt| attempt.outcome.failure().cloned());
            return Answer::Failed(failure.unwrap_or_else(behind));
        }
        match self.take_finality(source, deadline).await {
            Ok(()) if !self.finality_is_due() || self.chain_finalizes_late() => Answer::Accepted(()),
            Ok(()) => Answer::Failed(behind()),
            Err(failure) => Answer::Failed(failure),
        }
    }

    fn has_just_answered(&self, source: &ProviderId) -> bool {
        let pause = self.network().slot_duration().checked_div(6).unwrap_or_default();
        let now = self.env.clock().monotonic();
        let answered = self.state().finality.answered.get(source).copied();
        answered.is_some_and(|answered| now.saturating_sub(answered) < pause)
    }

    /// The number of slots since the newest finalized head.
    fn slots_since_finality(&self) -> u64 {
        let current = self.network().slot_at(self.time());
        let since = current.zip(self.finalized_slot()).and_then(|(current, held)| current.since(held));
        since.unwrap_or(u64::MAX)
    }

    /// Whether the chain itself does not finalize: a signature of the last epoch is over a block that finalizes nothing new.
    fn chain_finalizes_late(&self) -> bool {
        let network = self.network();
        let Some(current) = network.slot_at(self.time()) else { return false };
        let current = current.saturating_sub(self.common_lag());
        let attested = self.state().finality.attested;
        let age = attested.map(|attested| current.since(attested).unwrap_or(0));
        age.is_some_and(|age| age <= network.slots_per_epoch().saturating_add(Self::USUAL_LAG))
    }

    /// Why there is no newer finalized head, if one is due and the chain has one.
    pub(crate) fn why_finality_is_late(&self) -> Option<Why> {
        if !self.finality_is_due() || self.chain_finalizes_late() {
            return None;
        }
        let newest = self.state().newest_signed_time(&self.network());
        let failed: Vec<Attempt> = self.state().finality.failed.values().cloned().collect();
        let behind = Why::LightClientBehind { newest };
        why::of_heads(Need::Heads, &failed, Some(behind), |epochs| self.epochs(epochs))
    }
}
