//! Asking the providers for one proof, and weighing what they say.

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo_chain::{Anchor, ExecutionHeader};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, Verified, claimed_root};
use saldo_reading::{Failure, Holding, Proven, ProviderId, Role};
use saldo_source::execution::{At, account_proof, block_by_hash, chain_id};
use saldo_source::{Answer, Contest, Deadline, Endpoint, Race, race};
use serde_json::value::RawValue;

use crate::core::{Core, Joined};
use crate::parked::Waiting;

impl Core {
    /// Asks for a proof of `holding` at `head`, one provider after another, until one joins.
    pub(crate) async fn prove(
        &self,
        holding: Holding,
        head: Option<&Anchor>,
        deadline: Deadline,
    ) -> Race<Box<Proven>> {
        let contest = Contest {
            role: Role::Execution,
            hedge_after: Self::HEDGE_AFTER,
            deadline,
            most: self.policy.operators_per_address,
        };
        let asked = self.execution.iter().map(|provider| {
            let answer = self
                .ask(provider, holding, head, deadline)
                .map(|answer| answer.unwrap_or_else(Answer::Fails));
            (provider.id().clone(), answer.boxed())
        });
        race(self.outside.clock(), contest, asked.collect()).await
    }

    /// Asks one provider for a proof at `head`; where it has none there, at its own tip, which may be signed later.
    pub(crate) async fn ask(
        &self,
        provider: &Endpoint,
        holding: Holding,
        head: Option<&Anchor>,
        deadline: Deadline,
    ) -> Result<Answer<Box<Proven>>, Failure> {
        let proof_at =
            |at| account_proof(&self.outside, provider, holding.owner, at, self.attempt_timeout(deadline));
        let missed = match head {
            Some(head) => match proof_at(At::Number(head.number())).await {
                Ok(reply) => {
                    let account = verify(&reply, holding, provider.id(), Some(head))?;
                    return self.weigh(account, holding, provider.id());
                }
                Err(failure) if is_about_the_block(&failure) => Some(failure),
                Err(failure) => return Err(failure),
            },
            None => None,
        };
        let reply = proof_at(At::Latest).await.map_err(|failure| missed.unwrap_or(failure))?;
        let account = verify(&reply, holding, provider.id(), None)?;
        if self.known().chain.anchor_at_root(account.state_root()).is_none() {
            // Before a claim is kept that nothing vouches for: is it at least about this chain?
            self.confirm_chain(provider, deadline).await?;
        }
        self.weigh(account, holding, provider.id())
    }

    /// What a complete proof is worth: an amount if its root is trusted, else a claim that waits.
    fn weigh(
        &self,
        account: Verified<Account>,
        holding: Holding,
        provider: &ProviderId,
    ) -> Result<Answer<Box<Proven>>, Failure> {
        match self.join(holding, &account, provider) {
            Joined::Proven(proven) => Ok(Answer::Wins(proven)),
            Joined::Old { number } => Err(Failure::OldBlock { number }),
            Joined::NotYet => {
                let mut known = self.known();
                let above = known.chain.newest(self.policy.assurance).map(Anchor::number);
                known.parked.keep(holding, Waiting { provider: provider.clone(), account, above });
                Ok(Answer::Parks)
            }
        }
    }

    async fn confirm_chain(&self, provider: &Endpoint, deadline: Deadline) -> Result<(), Failure> {
        let expected = self.network.chain_id();
        if self.known().chain_confirmed.contains(provider.id()) {
            return Ok(());
        }
        match chain_id(&self.outside, provider, self.attempt_timeout(deadline)).await {
            Ok(got) if got != expected => Err(Failure::WrongChain { got, expected }),
            Ok(_) => {
                self.known().chain_confirmed.insert(provider.id().clone());
                Ok(())
            }
            // One that cannot say is judged by its proofs alone.
            Err(_) => Ok(()),
        }
    }

    /// Fetches the headers between the newest head and the blocks that `waiting` proofs can be of, newest first.
    pub(crate) async fn link(&self, waiting: &[Waiting], first: &ProviderId, deadline: Deadline) {
        let clock = self.outside.clock();
        let turn = select(self.syncing.lock(), clock.sleep(deadline.left(clock))).await;
        let Either::Left((_turn, _)) = turn else { return };
        loop {
            let missing = {
                let known = self.known();
                let newest = known.chain.newest(self.policy.assurance).map_or(0, Anchor::number);
                // One that came before there was any head is not looked for: its block may be anywhere.
                let above = waiting.iter().filter_map(|waiting| waiting.above).min();
                let above = above.map(|above| above.max(newest.saturating_sub(Self::LINK_DEPTH)));
                above.and_then(|above| known.chain.missing_parent(above.saturating_add(1)))
            };
            let Some((_, hash)) = missing else { return };
            let contest =
                Contest { role: Role::Execution, hedge_after: Self::HEDGE_AFTER, deadline, most: usize::MAX };
            let (serving, others): (Vec<_>, Vec<_>) =
                self.execution.iter().partition(|provider| provider.id() == first);
            let asked = serving.into_iter().chain(others).map(|provider| {
                let answer = async move {
                    match self.header(provider, hash, deadline).await {
                        Ok(header) => Answer::Wins(header),
                        Err(failure) => Answer::Fails(failure),
                    }
                };
                (provider.id().clone(), answer.boxed())
            });
            let Some((_, header)) = race(clock, contest, asked.collect()).await.winner else { return };
            if self.known().chain.attach(&header).is_err() {
                return;
            }
        }
    }

    async fn header(
        &self,
        provider: &Endpoint,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Failure> {
        let block = block_by_hash(&self.outside, provider, hash, self.attempt_timeout(deadline)).await?;
        Ok(ExecutionHeader::from_json(block.get().as_bytes(), hash)?)
    }
}

/// Checks a reply to `eth_getProof` against what was asked, never against what it echoes: under the root of `head`, or
/// without one, under the root that its own first node has.
fn verify(
    reply: &RawValue,
    holding: Holding,
    provider: &ProviderId,
    head: Option<&Anchor>,
) -> Result<Verified<Account>, Failure> {
    let reply: AccountReply = serde_json::from_str(reply.get())
        .map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })?;
    let root = head.map_or_else(|| claimed_root(&reply.account_proof), |head| Ok(head.state_root()))?;
    let account = reply.verify(root, holding.owner)?;
    if reply.contradictions(&account).any() {
        // The leaf decides. That the claim beside it says otherwise is worth knowing about the provider.
        tracing::warn!(%provider, "claim contradicts proof");
    }
    Ok(account)
}

/// Whether the provider might answer the same question about another block.
fn is_about_the_block(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::ProofWindowMissed | Failure::NotSynced | Failure::NoResult | Failure::Rpc { .. }
    )
}
