//! Asking the sources for newer heads, and how far behind the known one is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use saldo_beacon::{AdvanceError, decode};
use saldo_chain::Level;
use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};
use saldo_source::beacon::Route;
use saldo_source::{Answer, Deadline, Endpoint};

use super::Head;
use super::state::CommonLag;
use crate::env::Env;

/// Whether a head was refused because it is of a period whose committee is not known.
fn is_of_later_period(answer: &Answer<()>) -> bool {
    matches!(answer, Answer::Failed(Failure::Update(AdvanceError::CommitteeUnknown { .. })))
}

/// The name under which the dispatcher ranks sources of heads.
pub(super) const HEADS: &str = "light_client/heads";

impl Head {
    /// How long the sources may take for a newer head where one is at hand already.
    const SMALL_GAIN: Duration = Duration::from_secs(1);
    /// For how many slots more it is believed that the sources know nothing newer, where each of them said so.
    const COMMON_LAG_SLOTS: u64 = 8;

    /// Asks for newer heads, but no longer than worth while: a short time after one is at hand that can be proven under.
    /// Gives who was asked, and whether somebody gave a head of a period whose committee is not known.
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
        // Kept apart from the race, which is given up as soon as a head is good enough.
        let told: Mutex<BTreeMap<ProviderId, Attempt>> = Mutex::default();
        let tell = |source: &Endpoint, outcome| {
            let (provider, took) = (source.id().clone(), clock.monotonic().saturating_sub(began));
            let attempt = Attempt { provider, role: Role::Beacon, outcome, took, over_policy: false };
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.insert(source.id().clone(), attempt);
        };
        let ask = |source| {
            tell(source, Outcome::Unfinished);
            let heads = self.heads(source, deadline);
            let noted = heads.inspect(move |answer| {
                of_later_period.fetch_or(is_of_later_period(answer), Ordering::Relaxed);
                if let Answer::Failed(failure) = answer {
                    tell(source, Outcome::Failed(failure.clone()));
                }
            });
            noted.boxed()
        };
        let asked = self.ask_sources(HEADS, deadline, ask);
        let attempts = match select(asked.boxed(), good_enough.boxed()).await {
            Either::Left((attempts, _)) => attempts,
            Either::Right(_) => {
                let told = told.lock().unwrap_or_else(PoisonError::into_inner);
                told.values().cloned().collect()
            }
        };
        self.learn_common_lag(began, self.have_all_answered(&attempts));
        (attempts, of_later_period.load(Ordering::Relaxed))
    }

    /// Whether every source said that it knows no newer head. A source that does not answer for the second time counts as if
    /// it had: otherwise all of them would be asked in every slot.
    fn have_all_answered(&self, attempts: &[Attempt]) -> bool {
        let is_behind = |attempt: &Attempt| matches!(attempt.outcome.failure(), Some(Failure::Behind { .. }));
        let is_silent = |attempt: &&Attempt| !is_behind(attempt) && attempt.outcome != Outcome::Accepted;
        let silent: BTreeSet<ProviderId> =
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

    /// Caches that all sources lag by what was learned since `began`, if the head is good enough to prove under. Where the
    /// clock is fast, no source would ever be found good enough otherwise, and all of them would be asked in each read. Where
    /// not all have said so, that is believed only until a newer head may come.
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

    fn heads<'a>(&'a self, source: &'a Endpoint, deadline: Deadline) -> BoxFuture<'a, Answer<()>> {
        async move {
            let before = self.newest_slot();
            let finality = async {
                if !self.finality_is_due() {
                    return Ok(());
                }
                let data = self.fetch(source, Route::FinalityUpdate, deadline).await?;
                self.advance(decode::finality_update(
                    &data.bytes,
                    data.encoding,
                    data.fork.as_deref(),
                    &self.network(),
                )?)
            };
            let optimistic = async {
                let data = self.fetch(source, Route::OptimisticUpdate, deadline).await?;
                self.advance(decode::optimistic_update(
                    &data.bytes,
                    data.encoding,
                    data.fork.as_deref(),
                    &self.network(),
                )?)
            };
            // What a source gives counts even if the other half fails. Where finality is not asked for, it does not hold
            // a good head up.
            let outcome = match select(finality.boxed(), optimistic.boxed()).await {
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
            }
            // One whose head is behind is no reason to stop asking the others, and one that gave nothing has won nothing.
            let has_finality = self.env.policy.assurance < Level::Finalized || !self.finality_is_due();
            let has_given = outcome.is_ok() || self.newest_slot() > before;
            match (outcome, self.slots_missing()) {
                (_, Some(0)) if has_finality => Answer::Accepted(()),
                (_, Some(1)) if has_finality && has_given => Answer::Accepted(()),
                (Err(failure), _) => Answer::Failed(failure),
                (Ok(()), slots) => Answer::Failed(Failure::Behind { slots: slots.unwrap_or(u64::MAX) }),
            }
        }
        .boxed()
    }
}
