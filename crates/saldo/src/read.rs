//! Reading holdings: the light client and the proofs side by side, then each holding to its end.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, join, join_all, select};
use futures_util::stream::{self, StreamExt};
use saldo_chain::Anchor;
use saldo_reading::{
    Attempt, Holding, Outcome, Proven, ProviderId, Provisional, Reading, Role, Unknown, Why,
};
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
        let each: Vec<_> =
            holdings.iter().map(|holding| self.settle(*holding, &synced, deadline).boxed()).collect();
        let settled = stream::iter(each).buffered(SIDE_BY_SIDE).collect::<Vec<_>>();
        // What is needed only later is fetched while the proofs are under way.
        let (readings, ()) = join(settled, self.learn_next_committee(deadline)).await;
        readings
    }

    /// Brings the light client up to date. As long as there is no head worth asking about, the first provider is asked
    /// for its tip at the same time: a provider that serves nothing else is then one slot ahead.
    async fn sync_beside_early_proofs(&self, holdings: &[Holding], deadline: Deadline) -> Synced {
        let clock = self.outside.clock();
        let head = self.known().chain.newest(self.policy.assurance).cloned();
        if head.is_some_and(|head| self.is_young(&head)) {
            // Half the time is kept for proving under the head at hand.
            let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
            return self.sync(Deadline::after(clock, half)).await;
        }
        let sync = self.sync(deadline).boxed();
        let first = self.known().order.of(Role::Execution, &self.execution).first().copied();
        let Some(first) = first else { return sync.await };
        let early =
            holdings.iter().take(SIDE_BY_SIDE).map(|holding| self.ask(first, *holding, None, deadline));
        match select(sync, join_all(early).boxed()).await {
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
        if self.known().faulted {
            return unknown(Why::ConsensusFault, synced.attempts.clone());
        }
        let head = self.known().chain.newest(self.policy.assurance).cloned();
        let is_at_head =
            |proven: &Proven| head.as_ref().is_some_and(|head| proven.anchor().hash() == head.hash());
        let waiting = self.known().parked.of(holding, head.as_ref().map(Anchor::number), Self::LINK_DEPTH);
        if let Some(proven) = self.join_parked(holding, &waiting).filter(is_at_head) {
            self.park_next_tip(proven.provider(), holding, deadline).await;
            return Reading::Proven(self.bound(proven, synced, Vec::new()));
        }
        let last_at_head = self.last(&holding).filter(is_at_head);
        if let Some(last) = last_at_head.filter(|last| self.is_young(last.anchor()))
            && self.head_is_newest()
        {
            return Reading::Proven(self.noting(last, synced, Vec::new()));
        }
        let Race { winner, mut attempts, held_back } =
            self.prove_in_time(holding, head.as_ref(), &waiting, deadline).await;
        if let Some((_, proven)) = winner {
            self.known().parked.remove_all(holding);
            return Reading::Proven(self.noting(*proven, synced, attempts));
        }
        // Nobody proves under the newest head, but somebody does under a tip that is not signed yet: then the proof that
        // waited, under a head a little older by now, is the newest there can be.
        let parked = attempts.iter().find(|attempt| attempt.outcome == Outcome::Parked).cloned();
        if parked.is_some() {
            attempts.extend(self.link(&waiting, deadline).await);
            if let Some(proven) = self.join_parked(holding, &waiting) {
                return Reading::Proven(self.bound(proven, synced, attempts));
            }
        }
        let why =
            explain(synced.problem.as_ref(), &attempts, held_back, head.as_ref(), self.now(), &self.policy);
        let claim =
            parked.and_then(|attempt| self.known().parked.newest(holding, &attempt.provider).cloned());
        let all = [synced.attempts.clone(), attempts].concat();
        match claim {
            Some(Waiting { provider, account, .. }) => {
                Reading::Provisional(Provisional::new(&account, provider, why, all, self.last(&holding)))
            }
            None => unknown(why, all),
        }
    }

    /// Asks for a proof at `head`. Where proofs wait, half the time is kept for finding their blocks; where there is no
    /// time left, nobody is asked at all.
    async fn prove_in_time(
        &self,
        holding: Holding,
        head: Option<&Anchor>,
        waiting: &[Waiting],
        deadline: Deadline,
    ) -> Race<Box<Proven>> {
        let left = self.time_left(deadline);
        if left.is_zero() {
            return Race { winner: None, attempts: Vec::new(), held_back: false };
        }
        let time = if waiting.is_empty() { left } else { left.checked_div(2).unwrap_or_default() };
        self.prove(holding, head, Deadline::after(self.outside.clock(), time)).await
    }

    /// A provider whose proof had to wait proves nothing but its tip: its next one is asked for while this one is good, so
    /// that it is there when its block is signed.
    async fn park_next_tip(&self, provider: &ProviderId, holding: Holding, deadline: Deadline) {
        let clock = self.outside.clock();
        let Some(provider) = self.execution.iter().find(|known| known.id() == provider) else { return };
        let ask = self.ask(provider, holding, None, deadline).boxed();
        let _ = select(ask, clock.sleep(Self::HEDGE_AFTER.min(self.time_left(deadline)))).await;
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
