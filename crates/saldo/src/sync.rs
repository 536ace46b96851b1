//! Bringing the light client up to the newest signed head.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, ready, select};
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{
    AdvanceError, BootstrapError, Checkpoint, LightClient, LightClientUpdate, Origin, Wants, decode,
};
use saldo_reading::{Attempt, Failure, Generation, Outcome, Role, Why};
use saldo_source::beacon::{Data, MAX_UPDATES, Route, fetch};
use saldo_source::{Answer, Deadline, Endpoint, mirror};

use crate::ahead::Ahead;
use crate::core::Core;
use crate::event;

/// What the sources are asked for, as it is remembered who was of use.
const UPDATES: &str = "light_client/updates";
pub(crate) const HEADS: &str = "light_client/heads";

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
    /// How long after starting, or after nobody served it, the next committee is asked for while it is not needed yet.
    const NEXT_COMMITTEE_PAUSE: Duration = Duration::from_secs(600);
    /// How long a read may take longer for a next committee that is not needed yet.
    const NEXT_COMMITTEE_PATIENCE: Duration = Duration::from_millis(1_500);
    /// The same where it is asked for the first time since the app was opened: somebody looks at the screen.
    const NEXT_COMMITTEE_GRACE: Duration = Duration::from_millis(100);

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
            let generation = self.known().generation;
            let need = self.need();
            let mut is_ahead = false;
            let mut round = match need {
                Need::Nothing => break,
                Need::Start => self.start(generation, deadline).await,
                Need::StartAgain { held } => self.start_again(held, generation, deadline).await,
                Need::Updates { start, count } => {
                    let deadline =
                        if self.trust_start.agreement().is_some() { self.half(deadline) } else { deadline };
                    let updates = self.ask_sources(UPDATES, deadline, |source| {
                        self.updates(source, start, count, deadline)
                    });
                    self.judge(&need, updates.await)
                }
                Need::Heads => {
                    let heads;
                    (heads, is_ahead) = self.newer_heads(deadline, !looked_ahead).await;
                    self.judge(&need, heads)
                }
            };
            if !round.won && !looked_ahead && is_ahead {
                // By their heads the chain is in a later period than by this clock: the hand-overs in between can be
                // verified, and prove the time.
                looked_ahead = true;
                self.look_ahead(deadline).await;
                continue;
            }
            if let Some(Why::HandOverMissing { .. }) = round.problem {
                round = self.go_round_missing_hand_over(round, generation, deadline).await;
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

    pub(crate) fn time(&self) -> UnixTime {
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
    async fn go_round_missing_hand_over(
        &self,
        missing: Round,
        generation: Generation,
        deadline: Deadline,
    ) -> Round {
        if let Some(agreement) = self.trust_start.agreement() {
            let final_slot =
                || self.known().light_client.as_ref().map(|client| client.finalized_head().slot());
            let before = final_slot();
            let again = self.start_by_agreement(agreement, generation, deadline).await;
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

    pub(crate) async fn ask_sources<'a>(
        &'a self,
        method: &'static str,
        deadline: Deadline,
        ask: impl Fn(&'a Endpoint) -> BoxFuture<'a, Answer<()>>,
    ) -> Vec<Attempt> {
        self.hedge(Role::Beacon, method, deadline, ask).await.attempts
    }

    pub(crate) async fn fetch(
        &self,
        source: &Endpoint,
        route: Route,
        deadline: Deadline,
    ) -> Result<Data, Failure> {
        let (io, time_left) = (self.dispatcher.io(), self.time_left(deadline));
        if source.is_mirror() {
            return mirror::fetch(io, &self.network(), self.time(), source, route, time_left).await;
        }
        fetch(io, source, route, time_left).await
    }

    pub(crate) fn bootstrap<'a>(
        &'a self,
        source: &'a Endpoint,
        origin: Origin,
        generation: Generation,
        deadline: Deadline,
    ) -> BoxFuture<'a, Answer<()>> {
        async move {
            let started = async {
                let Checkpoint { root, slot } = *origin.checkpoint();
                let ahead = async {
                    // Four requests at a time are too many for one that fails again and again.
                    match slot.filter(|_| !self.known().without_bootstrap.contains(source.id())) {
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
                self.follow_from_now_on(light_client, generation);
                self.take_ahead(ahead).await;
                Ok(())
            };
            let started = started.await;
            let mut known = self.known();
            match started {
                Ok(()) => known.without_bootstrap.remove(source.id()),
                Err(_) => known.without_bootstrap.insert(source.id().clone()),
            };
            drop(known);
            started.map_or_else(Answer::Failed, Answer::Accepted)
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
            handed_over.await.map_or_else(Answer::Failed, Answer::Accepted)
        }
        .boxed()
    }

    /// Asks for the next committee while `read` goes on, and for a little longer: at the end of the period it is too late to
    /// find a source.
    pub(crate) async fn learn_next_committee_beside<T: Send>(
        &self,
        read: impl Future<Output = T> + Send,
        deadline: Deadline,
    ) -> T {
        let is_first = self.known().next_committee_after.is_none();
        match select(read.boxed(), self.learn_next_committee(deadline).boxed()).await {
            Either::Left((read, learning)) if is_first => {
                select(learning, self.clock().sleep(Self::NEXT_COMMITTEE_GRACE)).await;
                read
            }
            // Whoever gave it up each time would ask for it again and again.
            Either::Left((read, learning)) => {
                learning.await;
                read
            }
            Either::Right(((), read)) => read.await,
        }
    }

    async fn learn_next_committee(&self, deadline: Deadline) {
        let clock = self.clock();
        if matches!(self.need(), Need::StartAgain { .. }) {
            return;
        }
        let period = {
            let mut known = self.known();
            let lacking = known.light_client.as_ref().filter(|client| !client.next_committee_known());
            let Some(period) = lacking.map(LightClient::period) else { return };
            if known.next_committee_after.is_some_and(|after| clock.monotonic() < after) {
                return;
            }
            known.next_committee_after = Some(self.next_committee_pause());
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
        let before = known.light_client.as_ref().map(event::Progress::of);
        let outcome = known.light_client.as_mut().map(|client| client.advance(update, wall));
        if let Some(Err(AdvanceError::FromFuture { starts, .. })) = &outcome {
            // The committee signed it, so that time has come: it is this device's clock that is behind.
            known.proven_time = Some(known.proven_time.map_or(*starts, |proven| proven.max(*starts)));
        }
        let after = known.light_client.as_ref().map(event::Progress::of);
        drop(known);
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

    /// Grows with every hand-over from one sync committee to the next.
    fn hand_overs(&self) -> (Option<Period>, bool) {
        let known = self.known();
        let light_client = known.light_client.as_ref();
        (light_client.map(LightClient::period), light_client.is_some_and(LightClient::next_committee_known))
    }
}
