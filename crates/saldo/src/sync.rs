//! Bringing the light client up to the newest signed head.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, ready, select};
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{
    AdvanceError, BootstrapError, Checkpoint, LightClient, LightClientUpdate, Origin, Wants, decode,
};
use saldo_chain::Level;
use saldo_reading::{Attempt, Failure, Outcome, Role, Why};
use saldo_source::beacon::{Data, MAX_UPDATES, Route, fetch};
use saldo_source::{Answer, Deadline, Endpoint, mirror};

use crate::ahead::Ahead;
use crate::core::{CommonLag, Core};

/// What the sources are asked for, as it is remembered who was of use.
const UPDATES: &str = "light_client/updates";
const HEADS: &str = "light_client/heads";

/// What became of bringing the light client up to date.
#[derive(Clone, Debug, Default)]
pub(crate) struct Synced {
    /// Who was asked, and what became of it.
    pub(crate) attempts: Vec<Attempt>,
    /// What keeps the light client behind, if anything.
    pub(crate) problem: Option<Why>,
}

/// What the light client lacks.
pub(crate) enum Need {
    /// A place to start from.
    Start,
    /// Another place to start from: it has slept beyond weak subjectivity.
    StartAgain {
        /// The slot of the newest final head.
        held: Slot,
    },
    /// The hand-overs from this period on.
    Updates {
        start: Period,
        count: u64,
    },
    Heads,
    Nothing,
}

/// What became of one step.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) attempts: Vec<Attempt>,
    /// Whether it brought the light client on.
    pub(crate) won: bool,
    /// If not, what is wrong, if anything.
    pub(crate) problem: Option<Why>,
}

impl Round {
    pub(crate) fn lost(attempts: Vec<Attempt>, why: Why) -> Self {
        Self { attempts, won: false, problem: Some(why) }
    }
}

impl Core {
    /// How far the newest signed head is behind the clock when all is well, in slots: the signature over the head of one
    /// slot is published with the block of the next.
    const USUAL_LAG: u64 = 1;
    /// How long after starting, or after nobody served it, the next committee is asked for while it is not needed yet.
    const NEXT_COMMITTEE_PAUSE: Duration = Duration::from_secs(600);
    /// How long a read may take longer for a next committee that is not needed yet.
    const NEXT_COMMITTEE_PATIENCE: Duration = Duration::from_millis(1_500);
    /// How long the sources may take for a newer head where one is at hand already.
    const SMALL_GAIN: Duration = Duration::from_secs(1);
    /// For how many slots it is believed that the sources know nothing newer than what all of them know.
    const COMMON_LAG_SLOTS: u32 = 8;

    /// Brings the light client as far as the sources allow before `deadline`.
    pub(crate) async fn sync(&self, deadline: Deadline) -> Synced {
        let clock = self.clock();
        // Whoever comes second waits for the first, to save requests. But not for long: the first may be a future that
        // nobody polls any more, and doing the same twice does no harm.
        let patience = self.time_left(deadline).checked_div(4).unwrap_or_default();
        let _turn = match select(self.syncing.lock(), clock.sleep(patience)).await {
            Either::Left((turn, _)) => Some(turn),
            Either::Right(_) => None,
        };
        let mut synced = Synced::default();
        let mut looked_ahead = false;
        // Each round ends a period's hand-over or fails: the bound is only for a light client that would not move.
        for _ in 0..1_000 {
            let starts = self.known().starts;
            let need = self.need();
            let mut round = match need {
                Need::Nothing => break,
                Need::Start => self.start(starts, deadline).await,
                Need::StartAgain { held } => self.start_again(held, starts, deadline).await,
                Need::Updates { start, count } => {
                    let deadline =
                        if self.beginning.agreement().is_some() { self.half(deadline) } else { deadline };
                    let updates = self.ask_sources(UPDATES, deadline, |source| {
                        self.updates(source, start, count, deadline)
                    });
                    self.judge(&need, updates.await)
                }
                Need::Heads => {
                    let heads = self.newer_heads(deadline).await;
                    self.judge(&need, heads)
                }
            };
            let is_ahead = |attempt: &Attempt| {
                matches!(
                    attempt.outcome.failure(),
                    Some(Failure::Update(AdvanceError::CommitteeUnknown { .. }))
                )
            };
            if !round.won && !looked_ahead && round.attempts.iter().any(is_ahead) {
                // By their heads the chain is in a later period than by this clock: the hand-overs in between can be
                // verified, and prove the time.
                looked_ahead = true;
                self.look_ahead(deadline).await;
                continue;
            }
            if let Some(Why::HandOverMissing { .. }) = round.problem {
                round = self.go_round_missing_hand_over(round, starts, deadline).await;
            }
            let has_aged = !matches!(need, Need::StartAgain { .. });
            if !round.won && has_aged && matches!(self.need(), Need::StartAgain { .. }) {
                continue; // While somebody was asked the clock was set, or the device slept.
            }
            synced.problem = round.problem;
            synced.attempts.retain(|attempt| attempt.outcome != Outcome::Accepted);
            synced.attempts.extend(round.attempts);
            if !round.won || matches!(need, Need::Heads) {
                break;
            }
        }
        if !self.follow() {
            synced.problem = Some(Why::ConsensusFault);
        }
        synced
    }

    /// How long until a newer head can have been signed and published.
    pub(crate) fn until_next_head(&self) -> Duration {
        let wall = self.clock().wall();
        let slot_duration = self.network().slot_duration();
        let next = self.network().slot_at(wall).and_then(|slot| slot.checked_add(1));
        let start = next.map_or(wall, |slot| self.network().slot_start(slot));
        // Blocks are published early in their slot; a third of it later most of the committee's view has settled.
        start.saturating_sub(wall).saturating_add(slot_duration.checked_div(3).unwrap_or_default())
    }

    /// Whether no newer head than the known one can have been signed yet.
    pub(crate) fn head_is_newest(&self) -> bool {
        matches!(self.need(), Need::Nothing)
    }

    fn time(&self) -> UnixTime {
        self.now().time()
    }

    fn need(&self) -> Need {
        let now = self.time();
        let known = self.known();
        let Some(light_client) = &known.light_client else { return Need::Start };
        let held = light_client.finalized_head().slot();
        if self.is_beyond_weak_subjectivity(held, now) {
            return Need::StartAgain { held };
        }
        if let (false, Wants::Updates { start, count }) =
            (light_client.knows_committee_at(now), light_client.wants(now))
        {
            return Need::Updates { start, count: count.min(MAX_UPDATES) };
        }
        drop(known);
        if self.slots_missing() == Some(0) { Need::Nothing } else { Need::Heads }
    }

    /// What the attempts of a step amount to.
    pub(crate) fn judge(&self, need: &Need, attempts: Vec<Attempt>) -> Round {
        if attempts.iter().any(|attempt| attempt.outcome == Outcome::Accepted) {
            return Round { attempts, won: true, problem: None };
        }
        let problem = self.problem(need, &attempts);
        Round { attempts, won: false, problem }
    }

    /// No source gives a hand-over that is needed by this clock. A period is never skipped: either trust starts again, after
    /// it, or the light client stays where it is.
    async fn go_round_missing_hand_over(&self, missing: Round, starts: u64, deadline: Deadline) -> Round {
        if let Some(agreement) = self.beginning.agreement() {
            let final_slot =
                || self.known().light_client.as_ref().map(|client| client.finalized_head().slot());
            let before = final_slot();
            let again = self.start_by_agreement(agreement, starts, deadline).await;
            let is_further = final_slot() > before;
            let attempts = [missing.attempts.clone(), again.attempts].concat();
            if again.won && is_further {
                return Round { attempts, ..again };
            }
        }
        match self.newest_by_known_committees(deadline).await {
            // Nothing was handed over yet: it is this clock that is ahead, or the chain that stands.
            Some(newest) => Round::lost(missing.attempts, Why::LightClientBehind { newest: Some(newest) }),
            None => missing,
        }
    }

    /// Asks for the first hand-over that is not known and the one after it, whatever the clock says.
    async fn look_ahead(&self, deadline: Deadline) {
        let first = self
            .known()
            .light_client
            .as_ref()
            .map(|client| client.period().saturating_add(u64::from(client.next_committee_known())));
        if let Some(start) = first {
            let _ =
                self.ask_sources(UPDATES, deadline, |source| self.updates(source, start, 2, deadline)).await;
        }
    }

    /// Asks for newer heads, but no longer than worth while: a short time after one is at hand that can be proven under.
    async fn newer_heads(&self, deadline: Deadline) -> Vec<Attempt> {
        let clock = self.clock();
        let began = clock.monotonic();
        let good_enough = async {
            while !self.knows_young_head() {
                clock.sleep(Self::SMALL_GAIN.checked_div(10).unwrap_or_default()).await;
            }
            clock.sleep(Self::SMALL_GAIN).await;
        };
        let asked = self.ask_sources(HEADS, deadline, |source| self.heads(source, deadline));
        let attempts = match select(asked.boxed(), good_enough.boxed()).await {
            Either::Left((attempts, _)) => attempts,
            Either::Right(_) => Vec::new(),
        };
        self.learn_common_lag(began);
        attempts
    }

    /// Takes it that nobody knows more than was learned since `began`, if that is good enough to prove under. Where the
    /// clock is fast no source would ever be found good enough otherwise, and all were asked in each read.
    fn learn_common_lag(&self, began: Duration) {
        let Some(slots) = self.slots_behind() else { return };
        let is_good_enough = self.knows_young_head();
        let patience = self.network().slot_duration().saturating_mul(Self::COMMON_LAG_SLOTS);
        let now = self.clock().monotonic();
        let mut known = self.known();
        known.common_lag = match known.common_lag.filter(|lag| now < lag.until) {
            Some(lag) => Some(CommonLag { slots: lag.slots.min(slots), ..lag }),
            None if slots <= 1 || !is_good_enough || known.heads_answered < Some(began) => None,
            None => Some(CommonLag { slots, until: now.saturating_add(patience) }),
        };
    }

    /// By how many slots more than usual the newest head may be behind before somebody is asked for a newer one.
    fn common_lag(&self) -> u64 {
        let now = self.clock().monotonic();
        self.known().common_lag.filter(|lag| now < lag.until).map_or(0, |lag| lag.slots)
    }

    pub(crate) async fn ask_sources<'a>(
        &'a self,
        method: &'static str,
        deadline: Deadline,
        ask: impl Fn(&'a Endpoint) -> BoxFuture<'a, Answer<()>>,
    ) -> Vec<Attempt> {
        self.contest(Role::Beacon, method, deadline, ask).await.attempts
    }

    pub(crate) async fn fetch(
        &self,
        source: &Endpoint,
        route: Route,
        deadline: Deadline,
    ) -> Result<Data, Failure> {
        let (outside, time_left) = (self.asker.network(), self.time_left(deadline));
        if source.is_mirror() {
            return mirror::fetch(outside, &self.network(), self.time(), source, route, time_left).await;
        }
        fetch(outside, source, route, time_left).await
    }

    pub(crate) fn bootstrap<'a>(
        &'a self,
        source: &'a Endpoint,
        origin: Origin,
        starts: u64,
        deadline: Deadline,
    ) -> BoxFuture<'a, Answer<()>> {
        async move {
            let started = async {
                let Checkpoint { root, slot } = *origin.checkpoint();
                let ahead = async {
                    match slot {
                        Some(slot) => self.fetch_ahead(source, slot, deadline).await,
                        None => Ahead::default(),
                    }
                };
                let data = self.fetch(source, Route::Bootstrap(root), deadline);
                let (data, ahead) = match select(data.boxed(), ahead.boxed()).await {
                    Either::Left((data, ahead)) => (data?, ahead),
                    Either::Right((ahead, data)) => (data.await?, ready(ahead).boxed()),
                };
                let bootstrap =
                    decode::bootstrap(&data.bytes, data.encoding, data.fork.as_deref(), &self.network())?;
                let now = self.time();
                let light_client = LightClient::bootstrap(self.network(), origin, bootstrap, now)?;
                self.follow_from_now_on(light_client, starts);
                self.take_ahead(ahead).await;
                Ok(())
            };
            started.await.map_or_else(Answer::Fails, Answer::Wins)
        }
        .boxed()
    }

    fn updates<'a>(
        &'a self,
        source: &'a Endpoint,
        start: Period,
        count: u64,
        deadline: Deadline,
    ) -> BoxFuture<'a, Answer<()>> {
        async move {
            let handed_over = async {
                let data = self.fetch(source, Route::Updates { start, count }, deadline).await?;
                let updates = decode::updates(&data.bytes, data.encoding, &self.network())?;
                let before = self.hand_overs();
                let refusal = updates.into_iter().find_map(|update| self.advance(update).err());
                match refusal {
                    _ if self.hand_overs() > before => Ok(()),
                    // An empty list, or genuine updates of which the first brings no next committee, so that the others cannot be
                    // checked.
                    None | Some(Failure::Update(AdvanceError::CommitteeUnknown { .. })) => {
                        Err(Failure::NotServed { method: "light_client/updates" })
                    }
                    Some(refusal) => Err(refusal),
                }
            };
            handed_over.await.map_or_else(Answer::Fails, Answer::Wins)
        }
        .boxed()
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
                Either::Right((optimistic, finality)) if self.policy.assurance == Level::Signed => {
                    let grace = self.clock().sleep(Self::GRACE);
                    match select(finality, grace).await {
                        Either::Left((finality, _)) => optimistic.and(finality),
                        Either::Right(_) => optimistic,
                    }
                }
                Either::Right((optimistic, finality)) => optimistic.and(finality.await),
            };
            if outcome.is_ok() {
                let now = self.clock().monotonic();
                self.known().heads_answered = Some(now);
            }
            // One whose head is behind is no reason to stop asking the others, and one that gave nothing has won nothing.
            let has_finality = self.policy.assurance < Level::Finalized || !self.finality_is_due();
            let has_given = outcome.is_ok() || self.newest_slot() > before;
            match (outcome, self.slots_missing()) {
                (_, Some(0)) if has_finality => Answer::Wins(()),
                (_, Some(1)) if has_finality && has_given => Answer::Wins(()),
                (Err(failure), _) => Answer::Fails(failure),
                (Ok(()), slots) => Answer::Fails(Failure::Behind { slots: slots.unwrap_or(u64::MAX) }),
            }
        }
        .boxed()
    }

    /// Asks for the next committee while there is time: at the end of the period it is too late to find a source.
    pub(crate) async fn learn_next_committee(&self, deadline: Deadline) {
        let clock = self.clock();
        if matches!(self.need(), Need::StartAgain { .. }) {
            return;
        }
        let period = {
            let mut known = self.known();
            let lacking = known.light_client.as_ref().filter(|client| !client.next_committee_known());
            let Some(period) = lacking.map(LightClient::period) else { return };
            if clock.monotonic() < known.next_committee_after {
                return;
            }
            known.next_committee_after = self.next_committee_pause();
            period
        };
        let deadline = deadline.min(Deadline::after(clock, Self::NEXT_COMMITTEE_PATIENCE));
        // Not needed yet: whoever fails here is asked again before it is.
        let _ = self.ask_sources(UPDATES, deadline, |source| self.updates(source, period, 1, deadline)).await;
    }

    pub(crate) fn next_committee_pause(&self) -> Duration {
        self.clock().monotonic().saturating_add(Self::NEXT_COMMITTEE_PAUSE)
    }

    pub(crate) fn advance(&self, update: LightClientUpdate) -> Result<(), Failure> {
        let now = self.time();
        let mut known = self.known();
        let held = known.light_client.as_ref().map(|client| client.finalized_head().slot());
        if let Some(held) = held.filter(|held| self.is_beyond_weak_subjectivity(*held, now)) {
            // It was not when this was asked for: since then the clock was set, or the device slept.
            let (age_epochs, limit_epochs) = self.age_and_limit(held, now);
            return Err(BootstrapError::CheckpointTooOld { age_epochs, limit_epochs }.into());
        }
        // Not the time that signatures prove: where the clock is slow, that would follow an old committee bit by bit, each time
        // to where it has signed already, and past weak subjectivity unnoticed.
        let wall = self.clock().wall();
        let outcome = known.light_client.as_mut().map(|client| client.advance(update, wall));
        if let Some(Err(AdvanceError::FromFuture { starts, .. })) = &outcome {
            // The committee signed it, so that time has come: it is this device's clock that is behind.
            known.proven_time = Some(known.proven_time.map_or(*starts, |proven| proven.max(*starts)));
        }
        drop(known);
        match outcome {
            None | Some(Err(AdvanceError::NotNewer { .. })) => Ok(()),
            Some(Ok(_)) => {
                self.follow();
                Ok(())
            }
            Some(Err(refusal)) => Err(refusal.into()),
        }
    }

    /// Grows with every hand-over from one sync committee to the next.
    fn hand_overs(&self) -> (Option<Period>, bool) {
        let known = self.known();
        let light_client = known.light_client.as_ref();
        (light_client.map(LightClient::period), light_client.is_some_and(LightClient::next_committee_known))
    }

    /// Whether a newer finalized head than the known one should exist: two epochs end before one is final.
    fn finality_is_due(&self) -> bool {
        let Some(current) = self.network().slot_at(self.time()) else { return true };
        let current = current.saturating_sub(self.common_lag());
        let known = self.known();
        let Some(light_client) = &known.light_client else { return true };
        let finalized = self.network().epoch_at(light_client.finalized_head().slot());
        light_client.signed_head().is_none() || finalized.saturating_add(2) < self.network().epoch_at(current)
    }

    /// Whether a head is signed that is young enough to prove under, be it known by its hash alone.
    fn knows_young_head(&self) -> bool {
        let slot = match self.policy.assurance {
            Level::Finalized => {
                self.known().light_client.as_ref().map(|client| client.finalized_head().slot())
            }
            _ => self.newest_slot(),
        };
        let now = self.now();
        let age = slot.and_then(|slot| now.age_of(self.network().slot_start(slot)));
        age.is_some_and(|age| now.allows(age, &self.policy))
    }

    /// The slot of the newest signed head.
    fn newest_slot(&self) -> Option<Slot> {
        let known = self.known();
        Some(known.light_client.as_ref()?.signed_head()?.slot())
    }

    /// How many slots the newest signed head is behind where it usually is; `None` if there is none.
    pub(crate) fn slots_behind(&self) -> Option<u64> {
        let current = self.network().slot_at(self.time())?;
        let newest = self.newest_slot()?;
        Some(current.since(newest.saturating_add(Self::USUAL_LAG)).unwrap_or(0))
    }

    /// How many slots the newest signed head is behind what the sources are known to have; `None` if there is none.
    fn slots_missing(&self) -> Option<u64> {
        Some(self.slots_behind()?.saturating_sub(self.common_lag()))
    }
}
