//! Starting the light client: at a given checkpoint, or at one that the checkpoint sources agree on.
//!
//! The reasons for the rules are in `docs/decisions/011-trust-starts-from-agreement.md`.

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, ready, select};
use saldo_beacon::unit::{Epoch, Slot};
use saldo_beacon::{BootstrapError, Checkpoint, LightClient, Origin, Voucher, decode};
use saldo_reading::{Attempt, Failure, Generation, TransportError, Why};
use saldo_source::beacon::Route;
use saldo_source::{Answer, Deadline, Endpoint};

use super::Head;
use super::agreement::{Verdict, needed};
use super::ahead::Ahead;
use super::poll::Heard;
use super::step::{Need, Round};
use super::trust_start::{Agreement, TrustStart};
use crate::event;

impl Head {
    /// The block asked for is this many epochs old: final everywhere, also where a source or this clock is a little off.
    const FINAL_AFTER: u64 = 4;
    /// How many epochs are tried, each earlier than the one before: where the slot of one is empty, or nobody serves its
    /// bootstrap, another will do.
    const EPOCHS_TRIED: usize = 4;

    /// Starts the light client for the first time. `generation` is the trust start at which this was found to be needed: if
    /// trust is restarted meanwhile, what is learned here does not count.
    pub(super) async fn start(&self, generation: Generation, deadline: Deadline) -> Round {
        let restarted_at = self.state().restarted_at;
        if let Some(checkpoint) = restarted_at {
            return self.start_at(&Origin::from(checkpoint), generation, deadline).await;
        }
        let (given, agreement) = match &self.trust_start {
            TrustStart::Given(given) => {
                return self.start_at(&Origin::from(*given), generation, deadline).await;
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

    /// Starts anew after an absence beyond weak subjectivity: validators who have left since could have signed another
    /// chain without risk, so that the committee known from before proves nothing any more. `held` is the slot of the newest
    /// final head.
    pub(super) async fn restart(&self, held: Slot, generation: Generation, deadline: Deadline) -> Round {
        match self.trust_start.agreement() {
            Some(agreement) => self.start_by_agreement(agreement, generation, deadline).await,
            None => {
                let newest = self.newest_by_known_committees(deadline).await;
                let why = match newest {
                    // The chain is where the light client is: it is this clock that is ahead, or the chain that stands.
                    Some(_) => Why::LightClientBehind { newest },
                    None => {
                        let (age, limit) = self.age_and_limit(held, self.now().time());
                        Why::CheckpointTooOld { age: self.epochs(age), limit: self.epochs(limit) }
                    }
                };
                Round::lost(Vec::new(), why)
            }
        }
    }

    pub(super) fn bootstrap<'a>(
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
                    match slot.filter(|_| !self.state().without_bootstrap.contains(source.id())) {
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
            let mut state = self.state();
            match started {
                Ok(()) => state.without_bootstrap.remove(source.id()),
                Err(_) => state.without_bootstrap.insert(source.id().clone()),
            };
            drop(state);
            started.map_or_else(Answer::Failed, Answer::Accepted)
        }
        .boxed()
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
        // The try in which most operators answered says best what is wrong.
        let mut best: Option<Try> = None;
        let mut doubts_clock = true;
        for age in (Self::FINAL_AFTER..).take(Self::EPOCHS_TRIED) {
            let Some(slot) = present.checked_sub(age).map(|epoch| self.first_slot(epoch)) else { break };
            let heard = self.ask_which_block(agreement, slot, self.env.half(deadline)).await;
            // Where no source at all has this slot, the clock is more likely wrong than the slot empty.
            if doubts_clock && heard.attempts.iter().all(is_elsewhere) {
                doubts_clock = false;
                let why = self.why_no_answer(agreement, present, &heard.attempts, deadline).await;
                if let Some(why) = why {
                    return Round::lost(heard.attempts, why);
                }
            }
            let tried = self.start_as_agreed(agreement, slot, heard, generation, deadline).await;
            let (goes_on, is_over) = (tried.goes_on, tried.is_over);
            if is_over || best.as_ref().is_none_or(|best| tried.answered > best.answered) {
                best = Some(tried);
            }
            if is_over || !goes_on {
                break;
            }
        }
        let best = best.unwrap_or_else(|| {
            // The chain is too young for anything to be final for long enough.
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

    /// Starts at the block at `slot`, if what the sources said of it is an agreement.
    async fn start_as_agreed(
        &self,
        agreement: &Agreement,
        slot: Slot,
        heard: Heard,
        generation: Generation,
        deadline: Deadline,
    ) -> Try {
        let over = |answered, round| Try { answered, goes_on: false, is_over: true, round };
        match heard.voices.verdict(agreement.k) {
            Verdict::Disagreed => {
                let round = self.decide_by_chain(agreement, heard.attempts, generation, deadline).await;
                over(agreement.k, round)
            }
            Verdict::TooFew { answered, needed } => {
                let goes_on = heard.attempts.iter().any(is_elsewhere);
                let why = Why::TooFewCheckpointSources { answered, needed };
                Try { answered, goes_on, is_over: false, round: Round::lost(heard.attempts, why) }
            }
            Verdict::Agreed { root, operators } => {
                let answered = operators.len();
                if let Some(contradiction) = self.contradiction(agreement, deadline).await {
                    return over(answered, Round::lost(contradiction, Why::CheckpointSourcesDisagree));
                }
                let origin = agreed(slot, root, operators);
                let started = self.start_at(&origin, generation, self.env.half(deadline)).await;
                let is_not_served = started.attempts.iter().any(is_elsewhere);
                let round = Round { attempts: [heard.attempts, started.attempts].concat(), ..started };
                if round.won || !is_not_served {
                    return over(answered, round);
                }
                let round = Round { problem: Some(Why::CheckpointNotServed), ..round };
                Try { answered, goes_on: true, is_over: false, round }
            }
        }
    }

    /// Where the sources disagree: trust starts at the newest final block that the committee updates lead to, from the newest
    /// checkpoint at hand, if enough operators name that block too.
    async fn decide_by_chain(
        &self,
        agreement: &Agreement,
        disagreement: Vec<Attempt>,
        generation: Generation,
        deadline: Deadline,
    ) -> Round {
        if let Some((slot, root)) = self.newest_final_by_hand_overs(self.env.half(deadline)).await
            && !self.is_beyond_weak_subjectivity(slot, self.now().time())
        {
            let heard = self.ask_which_block(agreement, slot, self.env.half(deadline)).await;
            let operators = heard.voices.naming(root);
            if operators.len() >= agreement.k {
                let begun = self.start_at(&agreed(slot, root, operators), generation, deadline).await;
                return Round { attempts: [heard.attempts, begun.attempts].concat(), ..begun };
            }
            self.forget_probe();
        }
        Round::lost(disagreement, Why::CheckpointSourcesDisagree)
    }

    /// Who names another block than the one that the light client held as final, if enough do for it to count.
    async fn contradiction(&self, agreement: &Agreement, deadline: Deadline) -> Option<Vec<Attempt>> {
        let (slot, root) = {
            let state = self.state();
            let held = state.light_client.as_ref()?.finalized_head();
            (held.slot(), held.beacon_root())
        };
        let heard = self.ask_which_block(agreement, slot, self.env.half(deadline)).await;
        heard.voices.contradict(root, agreement.k).then_some(heard.attempts)
    }

    /// Why no source named a block, if more can be said than that. It is said to the user, and nothing follows from it.
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
        // A block that is there and not final tells of a chain that does not finalize, not of a clock.
        if any(Failure::NotFinal) {
            return None;
        }
        let finalized = self.ask_finalized_epoch(agreement, self.env.half(deadline)).await;
        // Finality that lags by a little is usual, and no reason to doubt the clock.
        let earliest = present.get().saturating_sub(Self::FINAL_AFTER).saturating_sub(Self::FINAL_AFTER);
        let is_another_time = |epoch: &Epoch| *epoch > present || epoch.get() < earliest;
        let is_off = finalized.len() >= agreement.k && finalized.values().all(is_another_time);
        is_off.then_some(Why::ClockOff)
    }

    /// Takes `light_client` as the one to follow, unless the one at hand is newer: another read may have been faster. `generation`
    /// is the trust start at which its bootstrap was asked for.
    pub(super) fn follow_from_now_on(&self, mut light_client: LightClient, generation: Generation) {
        let after = self.next_committee_pause();
        let mut state = self.state();
        if state.generation != generation {
            return; // It began where trust does not start any more.
        }
        if light_client.adopt(self.network()).is_err() {
            return; // A newer table came meanwhile, and contradicts it.
        }
        let slot = light_client.finalized_head().slot();
        if state.light_client.as_ref().is_none_or(|held| held.finalized_head().slot() < slot) {
            // Time that was proven to have come stays so.
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

/// What came of one epoch boundary.
struct Try {
    /// How many operators answered.
    answered: usize,
    /// Whether an earlier epoch may be answered better.
    goes_on: bool,
    /// Whether no other epoch is to be tried, whatever came of this one.
    is_over: bool,
    round: Round,
}

fn agreed(slot: Slot, root: B256, operators: Vec<String>) -> Origin {
    let checkpoint = Checkpoint { root, slot: Some(slot) };
    Origin::new(checkpoint, Voucher::Agreement { slot, operators: operators.into() })
}

/// Whether an earlier or later epoch may be answered where this one was not.
fn is_elsewhere(attempt: &Attempt) -> bool {
    matches!(
        attempt.outcome.failure(),
        Some(
            Failure::NotServed { .. }
                | Failure::NotFinal
                | Failure::Bootstrap(BootstrapError::WrongSlot { .. })
        )
    )
}
