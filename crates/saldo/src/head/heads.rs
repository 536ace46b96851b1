//! Asks the sources for newer heads, and learns how far all of them lag.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo_beacon::{AdvanceError, decode};
use saldo_chain::Level;
use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};
use saldo_source::beacon::Route;
use saldo_source::{Answer, BoxedFuture, Deadline, Endpoint, IntoBoxed, SortedMap, SortedSet};

use super::Head;
use super::state::CommonLag;
use crate::env::Env;

/// Whether a head was refused because its committee is not known: it is of a later period.
fn is_of_later_period(answer: &Answer<()>) -> bool {
    matches!(answer, Answer::Failed(Failure::Update(AdvanceError::CommitteeUnknown { .. })))
}

/// The name under which the dispatcher ranks sources of heads.
pub(super) const HEADS: &str = "light_client/heads";

impl Head {
    /// The time that the sources get for a newer head when there is a usable head already.
    const SMALL_GAIN: Duration = Duration::from_secs(1);
    /// Number of slots for which a common lag is believed, if every source showed it.
    const COMMON_LAG_SLOTS: u64 = 8;

    /// Asks for newer heads, and stops a short time after there is a head that can be proven under. Returns the
    /// attempts, and whether a source gave a head of a later period.
    pub(super) async fn newer_heads(&self, deadline: Deadline, may_look_ahead: bool) -> (Vec<Attempt>, bool) {
        let clock = self.env.clock();
        let began = clock.monotonic();
        let of_later_period = &AtomicBool::new(false);
        let is_ahead = || may_look_ahead && of_later_period.load(Ordering::Relaxed);
        let step = Self::SMALL_GAIN.checked_div(10).unwrap_or_default();
        let good_enough = async {
            let mut gained = 0_u8;
            while gained < 10 && !is_ahead() {
                clock.sleep(step).await;
                gained = if self.knows_young_head() { gained.saturating_add(1) } else { 0 };
            }
        };
        // Kept outside the hedged request, which is cancelled once a head is good enough.
        let recorded: Mutex<SortedMap<ProviderId, Attempt>> = Mutex::default();
        let record = |source: &Endpoint, outcome| {
            let (provider, took) = (source.id().clone(), clock.monotonic().saturating_sub(began));
            let attempt = Attempt { provider, role: Role::Beacon, outcome, took, over_policy: false };
            let mut recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
            recorded.insert(source.id().clone(), attempt);
        };
        let ask = |source| {
            record(source, Outcome::Unfinished);
            let heads = self.heads(source, deadline);
            let recording = heads.inspect(move |answer| {
                of_later_period.fetch_or(is_of_later_period(answer), Ordering::Relaxed);
                if let Answer::Failed(failure) = answer {
                    record(source, Outcome::Failed(failure.clone()));
                }
            });
            recording.into_boxed()
        };
        let asked = self.ask_sources(HEADS, deadline, ask);
        let attempts = match select(asked.into_boxed(), good_enough.into_boxed()).await {
            Either::Left((attempts, _)) => attempts,
            Either::Right(_) => {
                let recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
                recorded.values().cloned().collect()
            }
        };
        self.learn_common_lag(began, self.have_all_answered(&attempts));
        (attempts, of_later_period.load(Ordering::Relaxed))
    }

    /// Whether every source said that it has no newer head. A source that did not answer twice in a row counts
    /// too: otherwise all sources would be asked in every slot.
    fn have_all_answered(&self, attempts: &[Attempt]) -> bool {
        let is_behind = |attempt: &Attempt| matches!(attempt.outcome.failure(), Some(Failure::Behind { .. }));
        let is_silent = |attempt: &&Attempt| !is_behind(attempt) && attempt.outcome != Outcome::Accepted;
        let silent: SortedSet<ProviderId> =
            attempts.iter().filter(is_silent).map(|attempt| attempt.provider.clone()).collect();
        let were_silent = {
            let mut state = self.state();
            let before = state.silent_sources.clone();
            state.silent_sources.retain(|source| attempts.iter().all(|attempt| attempt.provider != *source));
            state.silent_sources.extend(silent.iter().cloned());
            before
        };
        let counts = |attempt: &Attempt| {
            let provider = &attempt.provider;
            is_behind(attempt) || (silent.contains(provider) && were_silent.contains(provider))
        };
        attempts.len() == self.env.beacon.len()
            && attempts.iter().any(is_behind)
            && attempts.iter().all(counts)
    }

    /// Caches that all sources lag by what was learned since `began`, if the head is good enough to prove
    /// under. Without this, a fast clock would make every source look behind, and each read would ask all of
    /// them. Unless all sources said so, the lag is believed only until a newer head can come.
    fn learn_common_lag(&self, began: Duration, have_all_answered: bool) {
        let current = self.network().slot_at(self.time());
        let (Some(slots), Some(since)) = (self.slots_behind(), current) else { return };
        let is_good_enough = self.knows_young_head();
        let lasts = if have_all_answered { Self::COMMON_LAG_SLOTS } else { 0 };
        let mut state = self.state();
        state.common_lag = match state.common_lag.filter(|lag| lag.is_believed(since)) {
            Some(lag) if lag.lasts >= lasts => Some(CommonLag { slots: lag.slots.min(slots), ..lag }),
            _ if slots <= 1 || !is_good_enough || state.heads_answered < Some(began) => None,
            _ => Some(CommonLag { slots, since, lasts }),
        };
    }

    fn heads<'a>(&'a self, source: &'a Endpoint, deadline: Deadline) -> BoxedFuture<'a, Answer<()>> {
        async move {
            let before = self.newest_slot();
            let finality = async {
                if !self.finality_is_due() {
                    return Ok(());
                }
                self.take_finality(source, deadline).await
            };
            let optimistic = async {
                let data = self.fetch(source, Route::OptimisticUpdate, deadline).await?;
                self.advance_to(&data, decode::optimistic_update).map(drop)
            };
            // One half of the answer counts even if the other half fails. If the policy does not ask for
            // finality, a late finality update does not delay a good head.
            let outcome = match select(finality.into_boxed(), optimistic.into_boxed()).await {
                Either::Left((finality, optimistic)) => finality.and(optimistic.await),
                Either::Right((optimistic, finality)) if self.env.policy.assurance == Level::Signed => {
                    let grace = self.env.clock().sleep(Env::GRACE);
                    match select(finality, grace).await {
                        Either::Left((finality, _)) => optimistic.and(finality),
                        Either::Right(_) => optimistic,
                    }
                }
                Either::Right((optimistic, finality)) => optimistic.and(finality.await),
            };
            if outcome.is_ok() {
                let now = self.env.clock().monotonic();
                self.state().heads_answered = Some(now);
                self.note_publication(before);
            }
            // A source whose head is behind does not stop the requests to the others. A source that gave no
            // newer head is not accepted.
            let has_finality = self.env.policy.assurance < Level::Finalized || !self.finality_is_due();
            let has_given = outcome.is_ok() || self.newest_slot() > before;
            match (outcome, self.slots_missing()) {
                (_, Some(0)) if has_finality => Answer::Accepted(()),
                (_, Some(1)) if has_finality && has_given => Answer::Accepted(()),
                (Err(failure), _) => Answer::Failed(failure),
                (Ok(()), slots) => Answer::Failed(Failure::Behind { slots: slots.unwrap_or(u64::MAX) }),
            }
        }
        .into_boxed()
    }
}
