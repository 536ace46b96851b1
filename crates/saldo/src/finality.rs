//! Raising what was proven at a signed block to final, the cheapest way first.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use futures_util::FutureExt;
use saldo_chain::{Anchor, Chain, ChainError, HISTORY_CONTRACT, HistoryError, Level, history_key};
use saldo_proof::eip1186::AccountReply;
use saldo_reading::gate::Found;
use saldo_reading::{Attempt, Candidate, Failure, Holding, Role, Why};
use saldo_source::execution::{At, Question, ask};
use saldo_source::{Answer, Deadline, DisclosureSet, Endpoint, RequestSpec};

use crate::ask::{BlockRef, ProofTarget};
use crate::client::is_readable;
use crate::core::Core;
use crate::explain::{Case, explain};
use crate::sync::Synced;

impl Core {
    /// How many blocks one history proof is asked for at most.
    const RECORDED_TOGETHER: usize = 32;
    /// How long a read may take longer for the header of a finalized head that it does not need itself.
    const FINALIZED_HEADER_PATIENCE: std::time::Duration = std::time::Duration::from_millis(1_500);

    /// Finds the newest finalized amount of each of the `holdings`, in their order.
    pub(crate) async fn find_finalized(
        &self,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> Vec<(Found, Vec<Attempt>)> {
        let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
        let until = Deadline::after(self.clock(), half);
        let mut synced = self.sync(until).await;
        synced.attempts.extend(self.fetch_head(Level::Finalized, until).await);
        self.follow();
        self.load_older(holdings);
        let readable = holdings.iter().copied().filter(|holding| is_readable(holding.asset));
        self.raise(readable.collect(), deadline).await;
        self.settle_finalized(holdings, &synced, deadline).await
    }

    /// Fetches the header of a finalized head that is known by hash alone, when it is not needed yet: with it the chain
    /// notices a head that contradicts finality, and what was proven below becomes final.
    pub(crate) async fn learn_finalized_header(&self, deadline: Deadline) {
        let missing = self.known().chain.missing_head(Level::Finalized);
        let Some(hash) = missing.filter(|_| self.policy.assurance < Level::Finalized) else { return };
        let tried = self.known().finalized_header_tried.replace(hash);
        if tried == Some(hash) {
            return; // Once for each: whoever needs it asks again.
        }
        let patience = Deadline::after(self.clock(), Self::FINALIZED_HEADER_PATIENCE);
        let _ = self.fetch_head(Level::Finalized, deadline.min(patience)).await;
    }

    /// Raises signed readings of `holdings` whose blocks are not above the finalized head: by one proof of the history
    /// contract for all, else by the headers in between where they are few enough. Where links are known this has
    /// happened already.
    pub(crate) async fn raise(&self, holdings: Vec<Holding>, deadline: Deadline) {
        let Some(head) = self.known().chain.newest(Level::Finalized).cloned() else { return };
        let mut blocks: Vec<Anchor> = Vec::new();
        for holding in holdings {
            let (_, awaiting) = self.finalized_record(&holding);
            let newest = awaiting.into_iter().rev().find(|anchor| anchor.number() < head.number());
            blocks.extend(newest.filter(|newest| self.is_final_enough(newest)));
        }
        blocks.sort_by_key(Anchor::number);
        blocks.dedup_by_key(|anchor| anchor.hash());
        let Some(lowest) = blocks.first().map(Anchor::number) else { return };
        let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
        let until = Deadline::after(self.clock(), half);
        for some in blocks.chunks(Self::RECORDED_TOGETHER) {
            self.record(&head, some, until).await;
        }
        let is_final = |block: &Anchor| self.is_final(block);
        if !blocks.iter().all(is_final) && head.number().saturating_sub(lowest) <= Chain::MAX_ANCESTRY {
            self.link_finalized(lowest, until).await;
        }
    }

    /// Asks one provider after another for a proof of the history contract at `head`, until one vouches for `blocks`.
    async fn record(&self, head: &Anchor, blocks: &[Anchor], deadline: Deadline) {
        let ask = |provider| {
            let recorded = self.confirm(provider, head, blocks, deadline);
            recorded.map(|recorded| recorded.map_or_else(Answer::Failed, Answer::Accepted)).boxed()
        };
        // The proof names no address, so everybody may be asked.
        let disclosure =
            DisclosureSet { last: self.too_shallow(head.number()), ..DisclosureSet::unrestricted() };
        let hedge = RequestSpec { role: Role::Execution, method: "history", deadline };
        let _ = self.dispatcher.hedge_one(hedge, &self.execution, disclosure, ask).await;
        self.follow();
    }

    /// Asks one provider for a proof of the history contract at `head`, and confirms `blocks` by it.
    async fn confirm(
        &self,
        provider: &Endpoint,
        head: &Anchor,
        blocks: &[Anchor],
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let keys: Vec<B256> = blocks.iter().map(|block| history_key(block.number())).collect();
        let at = At::Number(head.number());
        let question = Question::Proof { address: HISTORY_CONTRACT, keys, at };
        let reply = ask(self.dispatcher.io(), provider, &question, self.time_left(deadline)).await;
        self.learn_depth(provider, head.number(), [&reply]);
        let reply: AccountReply = serde_json::from_str(reply?.get())
            .map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })?;
        let account = reply.verify(head.state_root(), HISTORY_CONTRACT)?;
        for block in blocks {
            let key = history_key(block.number());
            let slot =
                reply.storage(key).ok_or(Failure::Malformed { what: "no proof of a slot asked for" })?;
            let slot = account.slot(key, &slot.proof)?;
            let mut known = self.known();
            let confirmed = known.chain.confirm_by_history(head, &account, &slot, block).map(|_| ());
            // Any other refusal says that the chain has another block there, or none.
            if let Err(HistoryError::Chain(ChainError::ConsensusFault { .. })) = confirmed {
                known.stop();
            }
        }
        Ok(())
    }

    /// Fetches the headers between the finalized head and the block number `lowest`, newest first.
    async fn link_finalized(&self, lowest: u64, deadline: Deadline) {
        loop {
            let missing = self.known().chain.missing_final_parent(lowest);
            let Some((_, hash)) = missing else { return };
            let Some(header) = self.fetch_header(hash, deadline).await.0 else { return };
            if !self.take(&header) {
                return;
            }
        }
    }

    /// What is known of the `holdings` at a finalized block; what is not young enough is proven at the finalized head.
    async fn settle_finalized(
        &self,
        holdings: &[Holding],
        synced: &Synced,
        deadline: Deadline,
    ) -> Vec<(Found, Vec<Attempt>)> {
        let (head, block) = self.head(Level::Finalized);
        let known: Vec<Option<Found>> =
            holdings.iter().map(|holding| self.finalized_already(*holding, synced, &block)).collect();
        let open = holdings.iter().zip(&known).filter(|(_, known)| known.is_none());
        let open: Vec<Holding> = open.map(|(holding, _)| *holding).collect();
        let target = ProofTarget { block, level: Level::Finalized };
        let results = self.prove(&open, &target, deadline).await;
        let mut results: BTreeMap<Holding, _> = open.into_iter().zip(results).collect();
        let policy = self.policy_at(Level::Finalized);
        let settle = |(holding, known): (&Holding, Option<Found>)| {
            let before = synced.attempts.clone();
            let result = results.remove(holding);
            let result = match (known, result) {
                (Some(known), _) => return (known, before),
                (None, None) => return (Found::Nothing(Why::InternalFault), before),
                (None, Some(result)) => result,
            };
            let attempts = [before, result.attempts.clone()].concat();
            if let Some((_, candidate)) = result.winner {
                return (Found::Candidate(candidate), attempts);
            }
            let why = explain(&Case {
                problem: synced.problem.as_ref(),
                heads: &synced.attempts,
                attempts: &result.attempts,
                held_back: result.held_back,
                head: head.as_ref(),
                now: self.now(),
                policy: &policy,
                dispatcher: &self.dispatcher,
            });
            (Found::Nothing(why), attempts)
        };
        holdings.iter().zip(known).map(settle).collect()
    }

    /// What is known of one holding for which no provider has to be asked.
    fn finalized_already(&self, holding: Holding, synced: &Synced, block: &BlockRef) -> Option<Found> {
        if !is_readable(holding.asset) {
            return Some(Found::Nothing(Why::TokenLayoutUnproven));
        }
        if self.known().faulted {
            return Some(Found::Nothing(Why::ConsensusFault));
        }
        let (finalized, _) = self.finalized_record(&holding);
        // A provider has to confirm what was restored, and the chain has to hold the block still.
        let is_enough = |finalized: &Candidate| {
            !finalized.is_restored()
                && self.is_final(finalized.anchor())
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

    fn is_final(&self, block: &Anchor) -> bool {
        let known = self.known();
        known.chain.anchor_again(block).is_some_and(|again| again.assurance().level() == Level::Finalized)
    }

    /// Whether a block that is final is young enough to be shown as such.
    fn is_final_enough(&self, anchor: &Anchor) -> bool {
        let (now, policy) = (self.now(), self.policy_at(Level::Finalized));
        now.age_of(anchor.timestamp()).is_some_and(|age| now.allows(age, &policy))
    }
}
