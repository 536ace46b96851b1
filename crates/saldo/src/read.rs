//! Reading holdings: the light client and the proofs side by side, then each holding to its end.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, join, join_all, select};
use futures_util::stream::{self, StreamExt};
use saldo_chain::{Anchor, Level};
use saldo_reading::{
    Attempt, Failure, Holding, Outcome, Proven, ProviderId, Provisional, Reading, Role, Unknown, Why,
};
use saldo_source::{Answer, Deadline, Race};

use crate::ask::{Aim, Target};
use crate::client::is_readable;
use crate::core::Core;
use crate::explain::explain;
use crate::parked::Waiting;
use crate::sync::Synced;

/// How many holdings are asked about at the same time.
const SIDE_BY_SIDE: usize = 8;

impl Core {
    /// Reads all `holdings`, in their order.
    pub(crate) async fn read(&self, holdings: &[Holding], deadline: Deadline) -> Vec<Reading> {
        let readable: Vec<Holding> =
            holdings.iter().copied().filter(|holding| is_readable(holding.asset)).collect();
        let (mut synced, early) = self.sync_beside_early_proofs(&readable, deadline).await;
        let is_waiting = || readable.iter().any(|holding| !self.waiting(*holding).is_empty());
        if readable.len() > 1 || is_waiting() {
            // One header for all. For a single holding it comes with the proof, in one request.
            let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
            let until = Deadline::after(self.outside.clock(), half);
            synced.attempts.extend(self.fetch_head(self.policy.assurance, until).await);
        }
        let each: Vec<_> = holdings
            .iter()
            .map(|holding| {
                let asked: Vec<Attempt> =
                    early.iter().filter(|(of, _)| of == holding).map(|(_, asked)| asked.clone()).collect();
                self.settle(*holding, &synced, asked, deadline).boxed()
            })
            .collect();
        let settled = stream::iter(each).buffered(SIDE_BY_SIDE).collect::<Vec<_>>();
        // What is needed only later is fetched while the proofs are under way.
        let later = join(self.learn_next_committee(deadline), self.learn_finalized_header(deadline));
        join(settled, later).await.0
    }

    /// Brings the light client up to date. As long as there is no head worth asking about, the first provider is asked
    /// for its tip at the same time: a provider that serves nothing else is then one slot ahead. Gives who was asked so.
    async fn sync_beside_early_proofs(
        &self,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> (Synced, Vec<(Holding, Attempt)>) {
        let clock = self.outside.clock();
        if self.has_young_head() {
            // Half the time is kept for proving under the head at hand.
            let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
            return (self.sync(Deadline::after(clock, half)).await, Vec::new());
        }
        let sync = self.sync(deadline).boxed();
        let first = self.known().order.of(Role::Execution, &self.execution).first().copied();
        let Some(first) = first.filter(|_| Self::takes_tips(self.policy.assurance)) else {
            return (sync.await, Vec::new());
        };
        let began = clock.monotonic();
        let asked: Vec<Holding> = holdings.iter().take(SIDE_BY_SIDE).copied().collect();
        let attempt = |outcome| {
            let took = clock.monotonic().saturating_sub(began);
            Attempt { provider: first.id().clone(), role: Role::Execution, outcome, took }
        };
        let early = asked.iter().map(|holding| async {
            let aim = self.aim(*holding, Target::Tip);
            let outcome = match self.ask(first, &aim, deadline).await {
                Ok(Answer::Wins(_)) => Outcome::Joined,
                Ok(Answer::Parks) => Outcome::Parked,
                Ok(Answer::Fails(failure)) | Err(failure) => Outcome::Failed(failure),
            };
            (*holding, attempt(outcome))
        });
        match select(sync, join_all(early).boxed()).await {
            Either::Left((synced, _)) => {
                let outcome =
                    if self.time_left(deadline).is_zero() { Outcome::Unfinished } else { Outcome::Overtaken };
                (synced, asked.iter().map(|holding| (*holding, attempt(outcome.clone()))).collect())
            }
            Either::Right((early, sync)) => (sync.await, early),
        }
    }

    /// Reads one holding under the heads that are known now. `early` is who was asked for it before.
    async fn settle(
        &self,
        holding: Holding,
        synced: &Synced,
        early: Vec<Attempt>,
        deadline: Deadline,
    ) -> Reading {
        let mut seen: BTreeSet<ProviderId> = early
            .iter()
            .filter(|attempt| may_have_been_seen(attempt))
            .map(|attempt| attempt.provider.clone())
            .collect();
        // One that was given up as soon as there was a head to ask about is asked again, and told of then.
        let told = early.into_iter().filter(|attempt| attempt.outcome != Outcome::Overtaken);
        let before: Vec<Attempt> = synced.attempts.iter().cloned().chain(told).collect();
        let unknown =
            |why, attempts: Vec<Attempt>| Reading::Unknown(Unknown::new(why, attempts, self.last(&holding)));
        if !is_readable(holding.asset) {
            return unknown(Why::TokenLayoutUnproven, Vec::new());
        }
        if self.known().faulted {
            return unknown(Why::ConsensusFault, before);
        }
        let (head, target) = self.head(self.policy.assurance);
        // What is proven under the newest head. While only that one's hash is known, nothing is.
        let is_at_head = |proven: &Proven| match &target {
            Target::Known(head) => proven.anchor().hash() == head.hash(),
            Target::ByHash(_) | Target::Tip => false,
        };
        let waiting = self.waiting(holding);
        if let Some(proven) = self.join_parked(holding, &waiting).filter(is_at_head) {
            let next = self.park_next_tip(&proven, &mut seen, deadline).await;
            return Reading::Proven(proven.with_attempts([before, next].concat()));
        }
        let at_first = self.last(&holding);
        if let Some(last) = at_first.clone().filter(is_at_head).filter(|last| self.is_young(last.anchor()))
            && self.head_is_newest()
        {
            return Reading::Proven(last.with_attempts(before));
        }
        let (race, bound) =
            self.prove_beside_links(&self.aim(holding, target.clone()), &waiting, seen, deadline).await;
        let attempts = [before, race.attempts.clone()].concat();
        if let Some((_, proven)) = race.winner {
            self.known().parked.remove_all(holding);
            return Reading::Proven(proven.with_attempts(attempts));
        }
        if let Some(proven) = bound {
            return Reading::Proven(proven.with_attempts(attempts));
        }
        // Another read may have proven it meanwhile, at a newer head than this one began with.
        let number = |proven: &Proven| proven.anchor().number();
        let newer = self.last(&holding).filter(|last| at_first.as_ref().map(number) < Some(number(last)));
        if let Some(last) = newer.filter(|last| self.is_young(last.anchor())) {
            return Reading::Proven(last.with_attempts(attempts));
        }
        let problem = synced.problem.as_ref();
        let head = self.known().chain.newest(self.policy.assurance).cloned().or(head);
        let why = explain(problem, &race.attempts, race.held_back, head.as_ref(), self.now(), &self.policy);
        let parked = race.attempts.iter().find(|attempt| attempt.outcome == Outcome::Parked);
        let claim =
            parked.and_then(|attempt| self.known().parked.newest(holding, &attempt.provider).cloned());
        match claim {
            Some(Waiting { provider, account, .. }) => {
                let last = self.last(&holding);
                Reading::Provisional(Provisional::new(&account, provider, why, attempts, last))
            }
            None => unknown(why, attempts),
        }
    }

    /// The newest trusted block of the assurance `level`, and what to ask about: that block, or a newer head's of which only
    /// the hash is known.
    pub(crate) fn head(&self, level: Level) -> (Option<Anchor>, Target) {
        let known = self.known();
        let newest = known.chain.newest(level).cloned();
        let target = match (known.chain.missing_head(level), &newest) {
            (Some(hash), _) => Target::ByHash(hash),
            (None, Some(newest)) => Target::Known(newest.clone()),
            (None, None) => Target::Tip,
        };
        (newest, target)
    }

    fn aim(&self, holding: Holding, target: Target) -> Aim {
        Aim { holding, target, level: self.policy.assurance }
    }

    /// The proofs that wait for `holding`. They wait for some slots: what is not signed by then will not be.
    fn waiting(&self, holding: Holding) -> Vec<Waiting> {
        let slots = u32::try_from(Self::LINK_DEPTH).unwrap_or(u32::MAX);
        let patience = self.network().slot_duration().saturating_mul(slots);
        let since = self.outside.clock().monotonic().saturating_sub(patience);
        self.known().parked.of(holding, since)
    }

    /// Asks for a proof at `head`. If nobody proves under it, but somebody does under a tip that is not signed yet, then a
    /// proof that waited, under a head a little older by now, is the newest there can be: its block is looked for when
    /// all have answered, or at half time beside those who have not.
    async fn prove_beside_links(
        &self,
        aim: &Aim,
        waiting: &[Waiting],
        seen: BTreeSet<ProviderId>,
        deadline: Deadline,
    ) -> (Race<Box<Proven>>, Option<Proven>) {
        let clock = self.outside.clock();
        let prove = self.prove(aim, seen, deadline).boxed();
        if waiting.is_empty() {
            return (prove.await, None);
        }
        let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
        let prove = match select(prove, clock.sleep(half)).await {
            Either::Left((race, _)) if race.winner.is_some() => return (race, None),
            Either::Left((mut race, _)) => {
                let (bound, fruitless) = self.bind(aim.holding, waiting, deadline).await;
                race.attempts.extend(fruitless);
                return (race, bound);
            }
            Either::Right(((), prove)) => prove,
        };
        match select(prove, self.bind(aim.holding, waiting, deadline).boxed()).await {
            Either::Left((race, _)) => (race, None),
            Either::Right(((None, _), prove)) => (prove.await, None),
            Either::Right(((bound, fruitless), _)) => {
                (Race { winner: None, attempts: fruitless, held_back: false }, bound)
            }
        }
    }

    /// Looks for the blocks of the `waiting` proofs, if somebody has parked another one since: only then is there a provider
    /// behind them. Gives the reading, and who was asked in vain.
    async fn bind(
        &self,
        holding: Holding,
        waiting: &[Waiting],
        deadline: Deadline,
    ) -> (Option<Proven>, Vec<Attempt>) {
        let known =
            |tip: &Waiting| waiting.iter().any(|held| held.account.state_root() == tip.account.state_root());
        if self.waiting(holding).iter().all(known) {
            return (None, Vec::new());
        }
        let fruitless = self.link(waiting, deadline).await;
        (self.join_parked(holding, waiting), fruitless)
    }

    /// A provider whose proof had to wait proves nothing but its tip: its next one is asked for while this one is good, so
    /// that it is there when its block is signed. Gives who was asked for what.
    async fn park_next_tip(
        &self,
        proven: &Proven,
        seen: &mut BTreeSet<ProviderId>,
        deadline: Deadline,
    ) -> Vec<Attempt> {
        let clock = self.outside.clock();
        let attempt = |outcome, took| Attempt {
            provider: proven.provider().clone(),
            role: Role::Execution,
            outcome,
            took,
        };
        let joined = attempt(Outcome::Joined, Duration::ZERO);
        self.note(std::slice::from_ref(&joined));
        seen.insert(proven.provider().clone());
        let provider = self.execution.iter().find(|known| known.id() == proven.provider());
        // Not at the cost of other holdings, nor of another operator seeing the address.
        let is_affordable = self.time_left(deadline)
            > self.policy.deadline.checked_div(2).unwrap_or_default()
            && seen.len() <= self.policy.operators_per_address;
        let Some(provider) = provider.filter(|_| is_affordable) else { return vec![joined] };
        let began = clock.monotonic();
        let aim = self.aim(*proven.holding(), Target::Tip);
        let ask = self.ask(provider, &aim, deadline).boxed();
        let outcome = match select(ask, clock.sleep(Self::HEDGE_AFTER.min(self.time_left(deadline)))).await {
            Either::Left((Ok(_), _)) => Outcome::Joined,
            Either::Left((Err(failure), _)) => Outcome::Failed(failure),
            Either::Right(_) => Outcome::Unfinished,
        };
        let next = attempt(outcome, clock.monotonic().saturating_sub(began));
        match next.outcome {
            Outcome::Joined => vec![joined],
            _ => vec![joined, next],
        }
    }
}

/// Whether the provider may have seen what was asked.
fn may_have_been_seen(attempt: &Attempt) -> bool {
    attempt.outcome.failure().is_none_or(Failure::may_have_been_seen)
}
