//! Asking the providers for one proof, and weighing what they say.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use futures_util::FutureExt;
use saldo_beacon::LightClient;
use saldo_chain::{Anchor, ChainError, ExecutionHeader};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, Verified, claimed_root};
use saldo_reading::{Attempt, Failure, Holding, Proven, ProviderId, Role};
use saldo_source::execution::{At, account_proof, block_by_hash, chain_id};
use saldo_source::{Answer, Deadline, Endpoint, Race};
use serde_json::value::RawValue;

use crate::core::{Core, Joined};
use crate::parked::Waiting;

impl Core {
    /// Asks for a proof of `holding` at `head`, one provider after another, until one joins. Those in `seen` have seen the
    /// address in this read already.
    pub(crate) async fn prove(
        &self,
        holding: Holding,
        head: Option<&Anchor>,
        seen: BTreeSet<ProviderId>,
        deadline: Deadline,
    ) -> Race<Box<Proven>> {
        let ask = |provider| {
            let answer = self.ask(provider, holding, head, deadline);
            answer.map(|answer| answer.unwrap_or_else(Answer::Fails)).boxed()
        };
        let race =
            self.contest(Role::Execution, deadline, self.policy.operators_per_address, seen, ask).await;
        self.note(&race.attempts);
        race
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
            |at| account_proof(&self.outside, provider, holding.owner, at, self.time_left(deadline));
        let missed = match head {
            Some(head) => match proof_at(At::Number(head.number())).await {
                Ok(reply) => match verify(&reply, holding, provider.id(), Some(head)) {
                    Ok(account) => return self.weigh(account, holding, provider.id()),
                    // A proof that does not prove may be a genuine one of another chain: that is worth telling apart.
                    Err(refusal) => {
                        self.confirm_chain(provider, deadline).await?;
                        return Err(refusal);
                    }
                },
                Err(failure) if self.takes_tips() && is_about_the_block(&failure) => Some(failure),
                Err(failure) => return Err(failure),
            },
            None => None,
        };
        let reply = proof_at(At::Latest).await.map_err(|failure| match failure {
            // Not even of its own tip: it serves no proofs at all.
            Failure::ProofWindowMissed | Failure::NotSynced => Failure::NotServed { method: "eth_getProof" },
            failure => missed.unwrap_or(failure),
        })?;
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
                let came = self.outside.clock().monotonic();
                known.parked.keep(holding, Waiting { provider: provider.clone(), account, above, came });
                Ok(Answer::Parks)
            }
        }
    }

    async fn confirm_chain(&self, provider: &Endpoint, deadline: Deadline) -> Result<(), Failure> {
        let expected = self.network().chain_id();
        if self.known().chain_confirmed.contains(provider.id()) {
            return Ok(());
        }
        match chain_id(&self.outside, provider, self.time_left(deadline)).await {
            Ok(got) if got != expected => Err(Failure::WrongChain { got, expected }),
            Ok(_) => {
                self.known().chain_confirmed.insert(provider.id().clone());
                Ok(())
            }
            // One that cannot say is judged by its proofs alone.
            Err(_) => Ok(()),
        }
    }

    /// Fetches the headers between the newest head and the blocks that `waiting` proofs can be of, newest first. Gives
    /// the attempts that brought none. A block's hash names no address, so everybody may be asked.
    pub(crate) async fn link(&self, waiting: &[Waiting], deadline: Deadline) -> Vec<Attempt> {
        // One that came before there was any head is not looked for: its block may be anywhere.
        let Some(above) = waiting.iter().filter_map(|waiting| waiting.above).min() else { return Vec::new() };
        let mut fruitless = Vec::new();
        loop {
            let missing = {
                let known = self.known();
                let newest = known.chain.newest(self.policy.assurance).map_or(0, Anchor::number);
                let lowest = above.max(newest.saturating_sub(Self::LINK_DEPTH)).saturating_add(1);
                known.chain.missing_parent(lowest)
            };
            let Some((_, hash)) = missing else { break };
            let ask = |provider| {
                let header = self.header(provider, hash, deadline);
                header.map(|header| header.map_or_else(Answer::Fails, Answer::Wins)).boxed()
            };
            let Race { winner, attempts, .. } =
                self.contest(Role::Execution, deadline, usize::MAX, BTreeSet::new(), ask).await;
            let Some((_, header)) = winner else {
                fruitless = attempts;
                break;
            };
            let attached = self.known().chain.attach(&header).map(|_| ());
            match attached {
                Ok(()) => {}
                Err(ChainError::ConsensusFault { .. }) => {
                    let mut known = self.known();
                    known.faulted = true;
                    known.light_client.iter_mut().for_each(LightClient::stop_for_reverted_finality);
                    break;
                }
                Err(_) => break,
            }
        }
        // What was attached may exclude what was proven before.
        self.follow();
        fruitless
    }

    async fn header(
        &self,
        provider: &Endpoint,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Failure> {
        let block = block_by_hash(&self.outside, provider, hash, self.time_left(deadline)).await?;
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
