//! Reading holdings: the light client and the proofs side by side, then each holding to its end.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, join_all, select};
use futures_util::stream::{self, StreamExt};
use saldo_reading::{Attempt, Holding, Outcome, Proven, Provisional, Reading, Role, Unknown, Why};
use saldo_source::{Deadline, Race};

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
        let synced = self.sync_beside_early_proofs(&readable, deadline).await;
        let settled = stream::iter(holdings)
            .map(|holding| self.settle(*holding, &synced, deadline))
            .buffered(SIDE_BY_SIDE)
            .collect::<Vec<_>>();
        // What is needed only later is fetched while the proofs are under way, and given up when they are there.
        match select(settled.boxed(), self.learn_next_committee(deadline).boxed()).await {
            Either::Left((readings, _)) => readings,
            Either::Right(((), settled)) => settled.await,
        }
    }

    /// Brings the light client up to date. As long as there is no signed head to ask about, the first provider is asked
    /// for its tip at the same time: a provider that serves nothing else is then one slot ahead.
    async fn sync_beside_early_proofs(&self, holdings: &[Holding], deadline: Deadline) -> Synced {
        let clock = self.outside.clock();
        let has_head = self.known().chain.newest(self.policy.assurance).is_some();
        // With a head at hand, half the time is kept for proving under it.
        let half = Deadline::after(clock, deadline.left(clock).checked_div(2).unwrap_or_default());
        let sync = self.sync(if has_head { half } else { deadline }).boxed();
        let Some(first) = self.execution.first().filter(|_| !has_head) else { return sync.await };
        let early = join_all(
            holdings.iter().take(SIDE_BY_SIDE).map(|holding| self.ask(first, *holding, None, deadline)),
        );
        match select(sync, early.boxed()).await {
            Either::Left((synced, _)) => synced,
            Either::Right((_, sync)) => sync.await,
        }
    }

    /// Reads one holding under the heads that are known now.
    async fn settle(&self, holding: Holding, synced: &Synced, deadline: Deadline) -> Reading {
        let unknown =
            |why, attempts: Vec<Attempt>| Reading::Unknown(Unknown::new(why, attempts, self.last(&holding)));
        if !is_readable(holding.asset) {
            return unknown(Why::TokenLayoutUnproven, Vec::new());
        }
        if synced.problem == Some(Why::ConsensusFault) {
            return unknown(Why::ConsensusFault, synced.attempts.clone());
        }
        let head = self.known().chain.newest(self.policy.assurance).cloned();
        let is_at_head =
            |proven: &Proven| head.as_ref().is_some_and(|head| proven.anchor().hash() == head.hash());
        let waiting = self.known().parked.of(holding);
        if let Some(proven) = self.join_parked(holding, &waiting).filter(is_at_head) {
            return Reading::Proven(self.bound(proven, synced, Vec::new()));
        }
        if let Some(last) = self.last(&holding).filter(is_at_head)
            && self.head_is_newest()
        {
            return Reading::Proven(self.noting(last, synced, Vec::new()));
        }
        let Race { winner, attempts, held_back } = self.prove(holding, head.as_ref(), deadline).await;
        if let Some((_, proven)) = winner {
            self.known().parked.remove_all(holding);
            return Reading::Proven(self.noting(*proven, synced, attempts));
        }
        // Nobody proves under the newest head, but somebody does under a tip that is not signed yet: then the proof that
        // waited, under a head a little older by now, is the newest there can be.
        let parked = attempts.iter().rev().find(|attempt| attempt.outcome == Outcome::Parked);
        if let Some(attempt) = parked.filter(|_| !waiting.is_empty()) {
            self.link(&waiting, &attempt.provider, deadline).await;
            if let Some(proven) = self.join_parked(holding, &waiting) {
                return Reading::Proven(self.bound(proven, synced, attempts));
            }
        }
        let why =
            explain(synced.problem.as_ref(), &attempts, held_back, head.as_ref(), self.now(), &self.policy);
        let claim = parked.and_then(|attempt| self.known().parked.get(holding, &attempt.provider).cloned());
        let all = [synced.attempts.clone(), attempts].concat();
        match claim {
            Some(Waiting { provider, account, .. }) => {
                Reading::Provisional(Provisional::new(&account, provider, why, all, self.last(&holding)))
            }
            None => unknown(why, all),
        }
    }

    fn noting(&self, proven: Proven, synced: &Synced, attempts: Vec<Attempt>) -> Proven {
        proven.with_attempts([synced.attempts.clone(), attempts].concat())
    }

    /// A reading whose proof came earlier, and was waiting for its block to be signed.
    fn bound(&self, proven: Proven, synced: &Synced, mut attempts: Vec<Attempt>) -> Proven {
        attempts.push(Attempt {
            provider: proven.provider().clone(),
            role: Role::Execution,
            outcome: Outcome::Joined,
            took: Duration::ZERO,
        });
        self.noting(proven, synced, attempts)
    }
}
