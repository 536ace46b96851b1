//! Reading holdings: the light client and the proofs side by side, then each holding to its end.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, join_all, select};
use futures_util::stream::{self, StreamExt};
use saldo_chain::{Anchor, ExecutionHeader};
use saldo_proof::claimed_root;
use saldo_proof::eip1186::AccountReply;
use saldo_reading::{
    Attempt, Failure, Holding, Outcome, Proven, ProviderId, Provisional, Reading, Role, Unknown, Why,
};
use saldo_source::execution::{At, account_proof, block_by_hash, chain_id};
use saldo_source::{Answer, Contest, Deadline, Endpoint, Race, race};
use serde_json::value::RawValue;
use std::time::Duration;

use crate::client::is_readable;
use crate::core::{Core, Joined};
use crate::explain::explain;
use crate::sync::Synced;

/// How many holdings are asked about at the same time.
const SIDE_BY_SIDE: usize = 8;

impl Core {
    /// Reads all `holdings`, in their order.
    pub(crate) async fn read(&self, holdings: &[Holding], deadline: Deadline) -> Vec<Reading> {
        let readable: Vec<Holding> =
            holdings.iter().copied().filter(|holding| is_readable(holding.asset)).collect();
        let synced = self.sync_beside_early_proofs(&readable, deadline).await;
        self.link_parked(deadline).await;
        stream::iter(holdings)
            .map(|holding| self.settle(*holding, &synced, deadline))
            .buffered(SIDE_BY_SIDE)
            .collect()
            .await
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
        let bound = self.join_parked(holding);
        let head = self.known().chain.newest(self.policy.assurance).cloned();
        let is_at_head =
            |proven: &Proven| head.as_ref().is_some_and(|head| proven.anchor().hash() == head.hash());
        if let Some(proven) = bound.clone().filter(is_at_head) {
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
        // Nobody proves under the newest head; but a proof that waited is now under one a little older.
        if let Some(proven) = bound {
            return Reading::Proven(self.bound(proven, synced, attempts));
        }
        let why =
            explain(synced.problem.as_ref(), &attempts, held_back, head.as_ref(), self.now(), &self.policy);
        let waiting = attempts.iter().rev().find(|attempt| attempt.outcome == Outcome::Parked);
        let claim = waiting.and_then(|attempt| self.known().parked.get(&attempt.provider, holding));
        let all = [synced.attempts.clone(), attempts].concat();
        match claim {
            Some((provider, account)) => {
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

    async fn prove(&self, holding: Holding, head: Option<&Anchor>, deadline: Deadline) -> Race<Box<Proven>> {
        let contest = Contest {
            role: Role::Execution,
            hedge_after: Self::HEDGE_AFTER,
            deadline,
            most: self.policy.operators_per_address,
        };
        let asked = self.execution.iter().map(|provider| {
            let answer: BoxFuture<'_, _> = self.ask(provider, holding, head, deadline).boxed();
            (provider.id().clone(), answer)
        });
        race(self.outside.clock(), contest, asked.collect()).await
    }

    /// Asks one provider for a proof at `head`; where it has none there, at its own tip, which may be signed later.
    async fn ask(
        &self,
        provider: &Endpoint,
        holding: Holding,
        head: Option<&Anchor>,
        deadline: Deadline,
    ) -> Answer<Box<Proven>> {
        let proof_at =
            |at| account_proof(&self.outside, provider, holding.owner, at, self.attempt_timeout(deadline));
        let mut missed = None;
        if let Some(head) = head {
            match proof_at(At::Number(head.number())).await {
                Ok(reply) => return self.judge(&reply, holding, provider.id(), Some(head)),
                Err(failure) if is_about_the_block(&failure) => missed = Some(failure),
                Err(failure) => return Answer::Fails(failure),
            }
        }
        let answer = match proof_at(At::Latest).await {
            Ok(reply) => self.judge(&reply, holding, provider.id(), None),
            Err(failure) => Answer::Fails(missed.unwrap_or(failure)),
        };
        match answer {
            // Before a claim is kept that nothing vouches for: is it at least about this chain?
            Answer::Parks => match self.other_chain(provider, deadline).await {
                Some(failure) => {
                    self.known().parked.remove(provider.id(), holding);
                    Answer::Fails(failure)
                }
                None => Answer::Parks,
            },
            answer => answer,
        }
    }

    /// What a reply to `eth_getProof` is worth: checked against what was asked, never against what it echoes.
    fn judge(
        &self,
        reply: &RawValue,
        holding: Holding,
        provider: &ProviderId,
        head: Option<&Anchor>,
    ) -> Answer<Box<Proven>> {
        let Ok(reply) = serde_json::from_str::<AccountReply>(reply.get()) else {
            return Answer::Fails(Failure::Malformed { what: "not an eth_getProof result" });
        };
        let root = match head {
            Some(head) => Ok(head.state_root()),
            None => claimed_root(&reply.account_proof),
        };
        let account = match root.and_then(|root| reply.verify(root, holding.owner)) {
            Ok(account) => account,
            Err(refusal) => return Answer::Fails(refusal.into()),
        };
        if reply.contradictions(&account).any() {
            // The leaf decides. That the claim beside it says otherwise is worth knowing about the provider.
            tracing::warn!(%provider, "claim contradicts proof");
        }
        match self.join(holding, &account, provider) {
            Joined::Proven(proven) => Answer::Wins(proven),
            Joined::Old { number } => Answer::Fails(Failure::OldBlock { number }),
            Joined::NotYet => {
                let mut known = self.known();
                let above = known.chain.newest(self.policy.assurance).map_or(0, Anchor::number);
                known.parked.keep(holding, provider.clone(), account, above);
                Answer::Parks
            }
        }
    }

    async fn other_chain(&self, provider: &Endpoint, deadline: Deadline) -> Option<Failure> {
        let expected = self.network.chain_id();
        if self.known().chain_confirmed.contains(provider.id()) {
            return None;
        }
        match chain_id(&self.outside, provider, self.attempt_timeout(deadline)).await {
            Ok(got) if got != expected => Some(Failure::WrongChain { got, expected }),
            Ok(_) => {
                self.known().chain_confirmed.insert(provider.id().clone());
                None
            }
            // One that cannot say is judged by its proofs alone.
            Err(_) => None,
        }
    }

    /// Where proofs wait for a block below the newest head, fetches the headers between, newest first.
    async fn link_parked(&self, deadline: Deadline) {
        loop {
            let missing = {
                let known = self.known();
                // One that came before there was any head can be of the head itself, or a little older.
                let newest = known.chain.newest(self.policy.assurance).map_or(0, Anchor::number);
                let lowest =
                    known.parked.lowest().map(|lowest| lowest.max(newest.saturating_sub(Self::LINK_DEPTH)));
                lowest.and_then(|lowest| known.chain.missing_parent(lowest))
            };
            let Some((_, hash)) = missing else { return };
            let contest =
                Contest { role: Role::Execution, hedge_after: Self::HEDGE_AFTER, deadline, most: usize::MAX };
            let asked = self.execution.iter().map(|provider| {
                let answer = async move {
                    match block_by_hash(&self.outside, provider, hash, self.attempt_timeout(deadline)).await {
                        Ok(block) => match ExecutionHeader::from_json(block.get().as_bytes(), hash) {
                            Ok(header) => Answer::Wins(header),
                            Err(refusal) => Answer::Fails(refusal.into()),
                        },
                        Err(failure) => Answer::Fails(failure),
                    }
                };
                (provider.id().clone(), answer.boxed())
            });
            let Some((_, header)) = race(self.outside.clock(), contest, asked.collect()).await.winner else {
                return;
            };
            if self.known().chain.attach(&header).is_err() {
                return;
            }
        }
    }
}

/// Whether the provider might answer the same question about another block.
fn is_about_the_block(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::ProofWindowMissed | Failure::NotSynced | Failure::NoResult | Failure::Rpc { .. }
    )
}
