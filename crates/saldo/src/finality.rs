//! Raises readings at a signed block to final, the cheapest way first.

use std::collections::HashMap;

use saldo_chain::{Anchor, Chain, Level};
use saldo_reading::gate::Found;
use saldo_reading::{Attempt, Candidate, Holding, Why};
use saldo_source::{Deadline, sort_by_key};

use crate::head::{BlockRef, Synced};
use crate::inner::ClientInner;
use crate::proofs::ProofTarget;
use crate::why;

impl ClientInner {
    /// The most blocks that one history proof covers.
    const RECORDED_TOGETHER: usize = 32;

    /// Finds the newest finalized amount of each of the `holdings`, in their order.
    pub(crate) async fn find_finalized(
        &self,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> Vec<(Found, Vec<Attempt>)> {
        let half = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
        let until = Deadline::after(self.env.clock(), half);
        let mut synced = self.sync(until).await;
        if synced.problem.is_none() {
            synced.attempts.extend(self.head.learn_finality(until).await);
            synced.problem = self.head.why_finality_is_late();
        }
        synced.attempts.extend(self.fetch_head(Level::Finalized, until).await);
        self.follow();
        self.readings.load_older(holdings);
        let readable = holdings.iter().copied().filter(|holding| self.unreadable(holding).is_none());
        self.raise(readable.collect(), deadline).await;
        self.settle_finalized(holdings, &synced, deadline).await
    }

    /// Raises signed readings of `holdings` whose blocks are not above the finalized head. Uses one proof of
    /// the history contract for all of them, else the headers in between, if they are few enough. Where the
    /// chain already has the links, the readings are final already.
    pub(crate) async fn raise(&self, holdings: Vec<Holding>, deadline: Deadline) {
        let Some(head) = self.head.newest(Level::Finalized) else { return };
        let mut blocks: Vec<Anchor> = Vec::new();
        for holding in holdings {
            let awaiting = self.readings.awaiting_finality(&holding);
            let newest = awaiting.into_iter().rev().find(|anchor| anchor.number() < head.number());
            blocks.extend(newest.filter(|newest| self.is_final_enough(newest)));
        }
        sort_by_key(&mut blocks, Anchor::number);
        blocks.dedup_by_key(|anchor| anchor.hash());
        let Some(lowest) = blocks.first().map(Anchor::number) else { return };
        let half = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
        let until = Deadline::after(self.env.clock(), half);
        for some in blocks.chunks(Self::RECORDED_TOGETHER) {
            self.proofs.confirm_by_history(&head, some, until).await;
            self.follow();
        }
        let is_final = |block: &Anchor| self.head.is_final(block);
        if !blocks.iter().all(is_final) && head.number().saturating_sub(lowest) <= Chain::MAX_ANCESTRY {
            self.link_finalized(lowest, until).await;
        }
    }

    /// Finds each of the `holdings` at a finalized block. One without a reading that is young enough is proven
    /// at the finalized head.
    async fn settle_finalized(
        &self,
        holdings: &[Holding],
        synced: &Synced,
        deadline: Deadline,
    ) -> Vec<(Found, Vec<Attempt>)> {
        let (head, block) = self.head.target(Level::Finalized);
        let known: Vec<Option<Found>> =
            holdings.iter().map(|holding| self.without_proof(*holding, synced, &block)).collect();
        let open = holdings.iter().zip(&known).filter(|(_, known)| known.is_none());
        let open: Vec<Holding> = open.map(|(holding, _)| *holding).collect();
        let target = ProofTarget { block, level: Level::Finalized };
        let proving = self.prove(&open, &target, deadline);
        let results = self.proofs.learn_chain_beside(proving, deadline).await;
        let mut results: HashMap<Holding, _> = open.into_iter().zip(results).collect();
        let policy = self.env.policy_at(Level::Finalized);
        let settle = |(holding, known): (&Holding, Option<Found>)| {
            let before = synced.attempts.clone();
            let result = results.remove(holding);
            let result = match (known, result) {
                (Some(known), _) => return (known, before),
                (None, None) => return (Found::Nothing(Why::InternalFault), before),
                (None, Some(result)) => result,
            };
            let attempts = [before, result.attempts.clone()].concat();
            if let Some((_, settled)) = result.winner {
                return (settled.found(), attempts);
            }
            let why = why::of_read(&why::Case {
                problem: synced.problem.as_ref(),
                heads: &synced.attempts,
                attempts: &result.attempts,
                held_back: result.held_back,
                head: head.as_ref(),
                now: self.head.now(),
                policy: &policy,
                env: &self.env,
            });
            (Found::Nothing(self.proofs.or_lag(why, &result.attempts)), attempts)
        };
        holdings.iter().zip(known).map(settle).collect()
    }

    /// The finding of one holding that needs no request; `None` if it has to be proven.
    fn without_proof(&self, holding: Holding, synced: &Synced, block: &BlockRef) -> Option<Found> {
        if let Some(why) = self.unreadable(&holding) {
            return Some(Found::Nothing(why));
        }
        if self.head.is_faulted() {
            return Some(Found::Nothing(Why::ConsensusFault));
        }
        let finalized = self.readings.finalized(&holding);
        // A restored reading needs a provider to confirm it, and the chain must still have the block.
        let is_enough = |finalized: &Candidate| {
            !finalized.is_restored()
                && self.head.is_final(finalized.anchor())
                && self.is_final_enough(finalized.anchor())
        };
        if let Some(finalized) = finalized.filter(is_enough) {
            return Some(Found::Candidate(Box::new(finalized)));
        }
        match block {
            BlockRef::Tip => {
                let why = synced.problem.clone().unwrap_or(Why::LightClientBehind { newest: None });
                Some(Found::Nothing(why))
            }
            BlockRef::Known(_) | BlockRef::ByHash(_) => None,
        }
    }

    /// Whether a final block is young enough to be shown as such.
    fn is_final_enough(&self, anchor: &Anchor) -> bool {
        let (now, policy) = (self.head.now(), self.env.policy_at(Level::Finalized));
        now.age_of(anchor.timestamp()).is_some_and(|age| now.allows(age, &policy))
    }
}
