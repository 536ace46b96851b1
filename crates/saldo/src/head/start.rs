//! Starts the light client: at a given checkpoint, or at one that the checkpoint sources agree on.
//!
//! The reasons for the rules are in `docs/decisions/011-trust-starts-from-agreement.md`.

use alloy_primitives::B256;
use futures_util::future::{Either, ready, select};
use saldo_beacon::unit::{Epoch, Slot};
use saldo_beacon::{BootstrapError, Checkpoint, LightClient, Origin, Voucher, decode};
use saldo_reading::{Attempt, Failure, Generation, TransportError, Why};
use saldo_source::beacon::Route;
use saldo_source::{Answer, BoxedFuture, Deadline, Endpoint, IntoBoxed};

use super::Head;
use super::agreement::{Verdict, needed};
use super::ahead::Ahead;
use super::poll::PollResult;
use super::step::{Need, Round};
use super::trust_start::{Agreement, TrustStart};
use crate::{event, why};

impl Head {
    /// The age of the requested block, in epochs. It is final everywhere, even if a source or this clock is a
    /// little wrong.
    const FINAL_AFTER: u64 = 4;
    /// The number of epochs that are tried, each earlier than the one before. The slot of one may be empty, or
    /// no source may serve its bootstrap.
    const EPOCHS_TRIED: usize = 4;

    /// Starts the light client for the first time. `generation` is that of the trust start when this began: if
    /// trust is restarted meanwhile, the result does not count.
    pub(super) async fn start(&self, generation: Generation, deadline: Deadline) -> Round {
        let restarted_at = self.state().restarted_at;
        if let Some(checkpoint) = restarted_at {
            return self.start_at_given(checkpoint, generation, deadline).await;
        }
        let (given, agreement) = match &self.trust_start {
            TrustStart::Given(given) => {
                return self.start_at_given(*given, generation, deadline).await;
            }
            TrustStart::Agreement { given, agreement } => (given, agreement),
        };
        let mut before = Vec::new();
        let now = self.now().time();
        let is_too_old =
            |given: &Checkpoint| given.slot.is_some_and(|slot| self.is_beyond_weak_subjectivity(slot, now));
        if let Some(given) = given.filter(|given| !is_too_old(given)) {
            let round = self.start_at(&Origin::from(given), generation, deadline).await;
            if !matches!(round.problem, Some(Why::CheckpointTooOld { .. })) {
                return round;
            }
            before = round.attempts;
        }
        let round = self.start_by_agreement(agreement, generation, deadline).await;
        Round { attempts: [before, round.attempts].concat(), ..round }
    }

    /// Restarts after an absence longer than the weak subjectivity period. Validators that have left since
    /// could have signed another chain without risk, so the known committee proves nothing any more. `held` is
    /// the slot of the newest final head.
    pub(super) async fn restart(&self, held: Slot, generation: Generation, deadline: Deadline) -> Round {
        match self.trust_start.agreement() {
            Some(agreement) => self.start_by_agreement(agreement, generation, deadline).await,
            None => {
                let newest = self.newest_by_known_committees(deadline).await;
                let why = match newest {
                    // The chain has not gone past the light client: this clock is ahead, or the chain stands
                    // still.
                    Some(_) => Why::LightClientBehind { newest },
                    None => self.checkpoint_too_old(held),
                };
                Round::lost(Vec::new(), why)
            }
        }
    }

    /// Starts at the only checkpoint that may be used. If its slot says that it is too old, no answer can help.
    async fn start_at_given(&self, given: Checkpoint, generation: Generation, deadline: Deadline) -> Round {
        let now = self.now().time();
        match given.slot.filter(|slot| self.is_beyond_weak_subjectivity(*slot, now)) {
            Some(slot) => Round::lost(Vec::new(), self.checkpoint_too_old(slot)),
            None => self.start_at(&Origin::from(given), generation, deadline).await,
        }
    }

    fn checkpoint_too_old(&self, slot: Slot) -> Why {
        let (age, limit) = self.age_and_limit(slot, self.now().time());
        Why::CheckpointTooOld { age: self.epochs(age), limit: self.epochs(limit) }
    }

    pub(super) fn bootstrap<'a>(
        &'a self,
        source: &'a Endpoint,
        origin: Origin,
        generation: Generation,
        deadline: Deadline,
    ) -> BoxedFuture<'a, Answer<()>> {
        async move {
            let started = async {
                let Checkpoint { root, slot } = *origin.checkpoint();
                let ahead = async {
                    // Four requests at a time are too many for a source that fails repeatedly.
                    match slot.filter(|_| !self.state().without_bootstrap.contains(source.id())) {
                        Some(slot) => self.fetch_ahead(source, slot, deadline).await,
                        None => Ahead::default(),
                    }
                };
                let data = self.fetch(source, Route::Bootstrap(root), deadline);
                let (data, ahead) = match select(data.into_boxed(), ahead.into_boxed()).await {
                    Either::Left((data, ahead)) => (data?, ahead),
                    Either::Right((ahead, data)) => (data.await?, ready(ahead).into_boxed()),
                };
                let bootstrap =
                    decode::bootstrap(&data.bytes, data.encoding, data.fork.as_deref(), &self.network())?;
                let now = self.time();
                let light_client = LightClient::bootstrap(self.network(), origin, bootstrap, now)?;
                self.replace_light_client(light_client, generation);
                self.take_ahead(ahead).await;
                Ok(())
            };
            let started = started.await;
            let mut state = self.state();
            match started {
                Ok(()) => state.without_bootstrap.remove(source.id()),
                Err(_) => state.without_bootstrap.insert(source.id().clone()),
            };
            drop(state);
            started.map_or_else(Answer::Failed, Answer::Accepted)
        }
        .into_boxed()
    }

    /// Starts at `origin`, with the bootstrap of the first source that has it.
    async fn start_at(&self, origin: &Origin, generation: Generation, deadline: Deadline) -> Round {
        let ask = |source| self.bootstrap(source, origin.clone(), generation, deadline);
        let attempts = self.ask_sources("light_client/bootstrap", deadline, ask).await;
        self.judge(Need::Start, attempts)
    }

    /// Starts at the newest of some epoch boundaries that enough operators name and that a source serves.
    pub(super) async fn start_by_agreement(
        &self,
        agreement: &Agreement,
        generation: Generation,
        deadline: Deadline,
    ) -> Round {
        let Some(present) = self.network().slot_at(self.now().time()) else {
            return Round::lost(Vec::new(), Why::ClockOff);
        };
        let present = self.network().epoch_at(present);
        // The try with the most answers gives the best reason for a failure.
        let mut best: Option<Try> = None;
        let mut doubts_clock = true;
        for age in (Self::FINAL_AFTER..).take(Self::EPOCHS_TRIED) {
            let Some(slot) = present.checked_sub(age).map(|epoch| self.first_slot(epoch)) else { break };
            let polled = self.ask_which_block(agreement, slot, self.env.half(deadline)).await;
            // If no source has this slot, a wrong clock is more likely than an empty slot.
            if doubts_clock && polled.attempts.iter().all(may_have_another_epoch) {
                doubts_clock = false;
                let why = self.why_no_answer(agreement, present, &polled.attempts, deadline).await;
                if let Some(why) = why {
                    return Round::lost(polled.attempts, why);
                }
            }
            let tried = self.start_as_agreed(agreement, slot, polled, generation, deadline).await;
            let (goes_on, is_over) = (tried.goes_on, tried.is_over);
            if is_over || best.as_ref().is_none_or(|best| tried.answered > best.answered) {
                best = Some(tried);
            }
            if is_over || !goes_on {
                break;
            }
        }
        let best = best.unwrap_or_else(|| {
            // The chain is too young to have a block that has been final for long enough.
            let why = Why::TooFewCheckpointSources { answered: 0, needed: needed(agreement.k) };
            Try { answered: 0, goes_on: false, is_over: false, round: Round::lost(Vec::new(), why) }
        });
        let mut round = best.round;
        if best.answered == 0 && doubts_clock {
            let why = self.why_no_answer(agreement, present, &round.attempts, deadline).await;
            round.problem = why.or(round.problem);
        }
        round
    }

    /// Starts at the block at `slot`, if the sources agree on it.
    async fn start_as_agreed(
        &self,
        agreement: &Agreement,
        slot: Slot,
        polled: PollResult,
        generation: Generation,
        deadline: Deadline,
    ) -> Try {
        let over = |answered, round| Try { answered, goes_on: false, is_over: true, round };
        match polled.votes.verdict(agreement.k) {
            Verdict::Disagreed => {
                let round = self.decide_by_chain(agreement, polled.attempts, generation, deadline).await;
                over(agreement.k, round)
            }
            Verdict::TooFew { answered, needed } => {
                let goes_on = polled.attempts.iter().any(may_have_another_epoch);
                let too_few = Why::TooFewCheckpointSources { answered, needed };
                let lacking = needed.saturating_sub(answered);
                let cause = why::of_tls(&polled.attempts).or_else(|| polled.shared_cause(agreement, lacking));
                let why = cause.unwrap_or(too_few);
                Try { answered, goes_on, is_over: false, round: Round::lost(polled.attempts, why) }
            }
            Verdict::Agreed { root, operators } => {
                let answered = operators.len();
                if let Some(contradiction) = self.contradiction(agreement, deadline).await {
                    return over(answered, Round::lost(contradiction, Why::CheckpointSourcesDisagree));
                }
                let origin = agreed(slot, root, operators);
                let started = self.start_at(&origin, generation, self.env.half(deadline)).await;
                let is_not_served = started.attempts.iter().any(may_have_another_epoch);
                let round = Round { attempts: [polled.attempts, started.attempts].concat(), ..started };
                if round.won || !is_not_served {
                    return over(answered, round);
                }
                let round = Round { problem: Some(Why::CheckpointNotServed), ..round };
                Try { answered, goes_on: true, is_over: false, round }
            }
        }
    }

    /// Decides a disagreement of the sources. The probe client follows the committee updates from the newest
    /// known checkpoint to the newest final block. Trust starts there, if enough operators name that block too.
    async fn decide_by_chain(
        &self,
        agreement: &Agreement,
        disagreement: Vec<Attempt>,
        generation: Generation,
        deadline: Deadline,
    ) -> Round {
        if let Some((slot, root)) = self.newest_final_by_probe(self.env.half(deadline)).await
            && !self.is_beyond_weak_subjectivity(slot, self.now().time())
        {
            let polled = self.ask_which_block(agreement, slot, self.env.half(deadline)).await;
            let operators = polled.votes.naming(root);
            if operators.len() >= agreement.k {
                let begun = self.start_at(&agreed(slot, root, operators), generation, deadline).await;
                return Round { attempts: [polled.attempts, begun.attempts].concat(), ..begun };
            }
            self.drop_probe();
        }
        Round::lost(disagreement, Why::CheckpointSourcesDisagree)
    }

    /// The attempts that name another block than the light client's final one, if enough operators do.
    async fn contradiction(&self, agreement: &Agreement, deadline: Deadline) -> Option<Vec<Attempt>> {
        let (slot, root) = {
            let state = self.state();
            let held = state.light_client.as_ref()?.finalized_head();
            (held.slot(), held.beacon_root())
        };
        let polled = self.ask_which_block(agreement, slot, self.env.half(deadline)).await;
        polled.votes.contradict(root, agreement.k).then_some(polled.attempts)
    }

    /// The reason why no source named a block, if there is a better one. It is only shown to the user; nothing
    /// else depends on it.
    async fn why_no_answer(
        &self,
        agreement: &Agreement,
        present: Epoch,
        asked: &[Attempt],
        deadline: Deadline,
    ) -> Option<Why> {
        let any = |failure: Failure| asked.iter().any(|attempt| attempt.outcome.failure() == Some(&failure));
        let offline = Failure::Transport(TransportError::Offline);
        if !asked.is_empty() && asked.iter().all(|attempt| attempt.outcome.failure() == Some(&offline)) {
            return Some(Why::DeviceOffline);
        }
        // A block that exists but is not final means that the chain does not finalize. It says nothing about
        // the clock.
        if any(Failure::NotFinal) {
            return None;
        }
        let finalized = self.ask_finalized_epoch(agreement, self.env.half(deadline)).await;
        // A small lag of finality is usual, and no reason to doubt the clock.
        let earliest = present.get().saturating_sub(Self::FINAL_AFTER).saturating_sub(Self::FINAL_AFTER);
        let is_another_time = |epoch: &Epoch| *epoch > present || epoch.get() < earliest;
        let is_off = finalized.len() >= agreement.k && finalized.values().all(is_another_time);
        is_off.then_some(Why::ClockOff)
    }

    /// Replaces the light client by `light_client`, unless the present one is newer: another read may have been
    /// faster. `generation` is that of the trust start when its bootstrap was requested.
    pub(super) fn replace_light_client(&self, mut light_client: LightClient, generation: Generation) {
        let after = self.next_committee_pause();
        let mut state = self.state();
        if state.generation != generation {
            return; // Trust was restarted elsewhere meanwhile.
        }
        if light_client.adopt(self.network()).is_err() {
            return; // A newer table was adopted meanwhile, and contradicts it.
        }
        let slot = light_client.finalized_head().slot();
        if state.light_client.as_ref().is_none_or(|held| held.finalized_head().slot() < slot) {
            // A time that was proven to have come stays proven.
            state.proven_time = state.newest_signed_time(&self.network()).or(state.proven_time);
            let origin = light_client.origin().clone();
            state.light_client = Some(light_client);
            state.next_committee_after = Some(after);
            drop(state);
            event::started(&origin, slot);
        }
    }

    fn first_slot(&self, epoch: Epoch) -> Slot {
        Slot::new(epoch.get().saturating_mul(self.network().slots_per_epoch()))
    }
}

/// The result of trying one epoch boundary.
struct Try {
    /// The number of operators that answered.
    answered: usize,
    /// Whether an earlier epoch may have a better answer.
    goes_on: bool,
    /// Whether no other epoch is tried, whatever this result is.
    is_over: bool,
    round: Round,
}

fn agreed(slot: Slot, root: B256, operators: Vec<String>) -> Origin {
    let checkpoint = Checkpoint { root, slot: Some(slot) };
    Origin::new(checkpoint, Voucher::Agreement { slot, operators: operators.into() })
}

/// Whether the source may have another epoch, although it did not serve this one. Some servers answer HTTP 500 for a block that
/// they do not have.
fn may_have_another_epoch(attempt: &Attempt) -> bool {
    matches!(
        attempt.outcome.failure(),
        Some(
            Failure::NotServed { .. }
                | Failure::Http { status: 500 }
                | Failure::NotFinal
                | Failure::Bootstrap(BootstrapError::WrongSlot { .. })
        )
    )
}
