//! Asking the providers for one proof, and weighing what they say.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use futures_util::FutureExt;
use saldo_beacon::LightClient;
use saldo_chain::{Anchor, ChainError, ExecutionHeader, HeaderError, Level};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot, Verified, claimed_root};
use saldo_reading::{Attempt, Failure, Holding, Proven, ProviderId, Role};
use saldo_source::execution::{At, Question, ask, ask_together, chain_id, raw_header};
use saldo_source::{Answer, Deadline, Endpoint, Race};
use serde_json::value::RawValue;

use crate::core::{Core, Joined};
use crate::parked::Waiting;

/// Which block a proof is asked for at.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A trusted one.
    Known(Anchor),
    /// That of a head which tells its hash alone: its header is asked for along with the proof.
    ByHash(B256),
    /// The provider's own newest.
    Tip,
}

/// What a proof is wanted for.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    pub(crate) holding: Holding,
    pub(crate) target: Target,
    /// How sure the block must be.
    pub(crate) level: Level,
}

impl Core {
    /// Asks for the proof that `aim` is about, one provider after another, until one joins. Those in `seen` have seen the
    /// address in this read already.
    pub(crate) async fn prove(
        &self,
        aim: &Aim,
        seen: BTreeSet<ProviderId>,
        deadline: Deadline,
    ) -> Race<Box<Proven>> {
        let ask = |provider| {
            let answer = self.ask(provider, aim, deadline);
            answer.map(|answer| answer.unwrap_or_else(Answer::Fails)).boxed()
        };
        let most = self.policy.operators_per_address;
        let race = self.contest(Role::Execution, deadline, most, seen.clone(), ask).await;
        self.note(&race.attempts);
        let brought = match &aim.target {
            Target::ByHash(hash) if race.winner.is_none() => {
                self.known().chain.anchor_at_hash(*hash).cloned()
            }
            _ => None,
        };
        let Some(anchor) = brought else { return race };
        // Who had no header was not asked for a proof under it; meanwhile somebody else brought the header.
        let again = Aim { target: Target::Known(anchor), ..aim.clone() };
        let may_have_seen =
            |attempt: &&Attempt| attempt.outcome.failure().is_none_or(Failure::may_have_been_seen);
        let asked = race.attempts.iter().filter(may_have_seen).map(|attempt| attempt.provider.clone());
        let seen = seen.into_iter().chain(asked).collect();
        let ask = |provider| {
            let answer = self.ask(provider, &again, deadline);
            answer.map(|answer| answer.unwrap_or_else(Answer::Fails)).boxed()
        };
        let second = self.contest(Role::Execution, deadline, most, seen, ask).await;
        self.note(&second.attempts);
        Race { attempts: [race.attempts, second.attempts].concat(), ..second }
    }

    /// Asks one provider for a proof at the block aimed at; where it has none there, at its own tip, which may be signed
    /// later.
    pub(crate) async fn ask(
        &self,
        provider: &Endpoint,
        aim: &Aim,
        deadline: Deadline,
    ) -> Result<Answer<Box<Proven>>, Failure> {
        // Somebody else may have brought the header since.
        let known = |hash| self.known().chain.anchor_at_hash(hash).cloned();
        let (root, reply) = match &aim.target {
            Target::Known(anchor) => {
                let question = proof_of(aim.holding, At::Number(anchor.number()));
                let reply = ask(&self.outside, provider, &question, self.time_left(deadline)).await;
                (Some(anchor.state_root()), reply)
            }
            Target::ByHash(hash) => match known(*hash) {
                Some(anchor) => {
                    let question = proof_of(aim.holding, At::Number(anchor.number()));
                    let reply = ask(&self.outside, provider, &question, self.time_left(deadline)).await;
                    (Some(anchor.state_root()), reply)
                }
                None => match self.header_and_proof(provider, aim.holding, *hash, deadline).await {
                    Ok((header, reply)) => (Some(header.state_root()), reply),
                    Err(failure @ Failure::Header(HeaderError::HashMismatch { .. })) => {
                        self.confirm_chain(provider, deadline).await?;
                        return Err(failure);
                    }
                    Err(failure) => (None, Err(failure)),
                },
            },
            Target::Tip => (None, Err(Failure::NoResult)),
        };
        let missed = match (root, reply) {
            (Some(root), Ok(reply)) => match verify(&reply, aim.holding, provider.id(), Some(root)) {
                Ok(account) => return self.weigh(account, aim, provider.id()),
                // A proof that does not prove may be a genuine one of another chain: that is worth telling apart.
                Err(refusal) => {
                    self.confirm_chain(provider, deadline).await?;
                    return Err(refusal);
                }
            },
            (_, Err(failure)) if Self::takes_tips(aim.level) && is_about_the_block(&failure) => failure,
            (_, Err(failure)) => return Err(failure),
            (None, Ok(_)) => Failure::NoResult,
        };
        let question = proof_of(aim.holding, At::Latest);
        let reply = ask(&self.outside, provider, &question, self.time_left(deadline)).await;
        let reply = reply.map_err(|failure| match (failure, &aim.target) {
            // Not even of its own tip: it serves no proofs at all.
            (Failure::ProofWindowMissed | Failure::NotSynced, _) => {
                Failure::NotServed { method: "eth_getProof" }
            }
            (failure, Target::Tip) => failure,
            _ => missed,
        })?;
        let account = verify(&reply, aim.holding, provider.id(), None)?;
        if self.known().chain.anchor_at_root(account.state_root()).is_none() {
            // Before a claim is kept that nothing vouches for: is it at least about this chain?
            self.confirm_chain(provider, deadline).await?;
        }
        self.weigh(account, aim, provider.id())
    }

    /// Asks one provider for the header of this hash and a proof at it, in one request where it takes that. The header is
    /// taken into the chain.
    async fn header_and_proof(
        &self,
        provider: &Endpoint,
        holding: Holding,
        hash: B256,
        deadline: Deadline,
    ) -> Result<(ExecutionHeader, Result<Box<RawValue>, Failure>), Failure> {
        let refused = self.known().forms.of(provider.id());
        if refused.block_hash {
            let header = self.header(provider, hash, deadline).await?;
            self.take(&header);
            let question = proof_of(holding, At::Number(header.number()));
            let reply = ask(&self.outside, provider, &question, self.time_left(deadline)).await;
            return Ok((header, reply));
        }
        let of_header = if refused.json_header { Question::RawHeader(hash) } else { Question::Block(hash) };
        let questions = [of_header.clone(), proof_of(holding, At::Hash(hash))];
        let together =
            ask_together(&self.outside, provider, &questions, !refused.batches, self.time_left(deadline))
                .await;
        if together.refuses_batches {
            self.known().forms.note(provider.id(), |refused| refused.batches = true);
        }
        let mut each = together.each.into_iter();
        let nothing = || Err(Failure::NoResult);
        let reply = each.next().unwrap_or_else(nothing);
        let header = self.read_header(provider, &of_header, reply, hash, deadline).await?;
        self.take(&header);
        let proof = match each.next().unwrap_or_else(nothing) {
            // It has the block, since it gave the header: perhaps it does not take a hash.
            Err(Failure::Rpc { .. } | Failure::NoResult | Failure::NotSynced | Failure::Malformed { .. }) => {
                let question = proof_of(holding, At::Number(header.number()));
                let reply = ask(&self.outside, provider, &question, self.time_left(deadline)).await;
                if reply.is_ok() {
                    self.known().forms.note(provider.id(), |refused| refused.block_hash = true);
                }
                reply
            }
            reply => reply,
        };
        Ok((header, proof))
    }

    /// Takes a header into the chain, if it is still wanted there: another read may have brought it, or a newer head.
    pub(crate) fn take(&self, header: &ExecutionHeader) -> bool {
        let attached = self.known().chain.attach(header).map(|_| ());
        if let Err(ChainError::ConsensusFault { .. }) = attached {
            self.stop();
        }
        // What was attached may exclude what was proven before.
        self.follow();
        attached.is_ok()
    }

    /// Proves nothing more from this chain: it contradicted what is final.
    pub(crate) fn stop(&self) {
        let mut known = self.known();
        known.faulted = true;
        known.light_client.iter_mut().for_each(LightClient::stop_for_reverted_finality);
    }

    /// Fetches the header of the newest head of the assurance `level`, if only its hash is known. A block's hash names no
    /// address, so everybody may be asked. Gives the attempts that brought none.
    pub(crate) async fn fetch_head(&self, level: Level, deadline: Deadline) -> Vec<Attempt> {
        let missing = self.known().chain.missing_head(level);
        let Some(hash) = missing else { return Vec::new() };
        match self.fetch_header(hash, deadline).await {
            Ok(header) => {
                self.take(&header);
                Vec::new()
            }
            Err(attempts) => attempts,
        }
    }

    /// Asks one after another for a header; if nobody has it, gives who was asked.
    pub(crate) async fn fetch_header(
        &self,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Vec<Attempt>> {
        let ask = |provider| {
            let header = self.header(provider, hash, deadline);
            header.map(|header| header.map_or_else(Answer::Fails, Answer::Wins)).boxed()
        };
        let race = self.contest(Role::Execution, deadline, usize::MAX, BTreeSet::new(), ask).await;
        race.winner.map(|(_, header)| header).ok_or(race.attempts)
    }

    /// What a complete proof is worth: an amount if its root is trusted, else a claim that waits.
    fn weigh(
        &self,
        account: Verified<Account>,
        aim: &Aim,
        provider: &ProviderId,
    ) -> Result<Answer<Box<Proven>>, Failure> {
        match self.join(aim.holding, &account, provider, aim.level) {
            Joined::Proven(proven) => Ok(Answer::Wins(proven)),
            Joined::Old { number } => Err(Failure::OldBlock { number }),
            Joined::NotYet if !Self::takes_tips(aim.level) => Err(Failure::NotSynced),
            Joined::NotYet => {
                let mut known = self.known();
                let above = known.chain.newest(aim.level).map(Anchor::number);
                let came = self.outside.clock().monotonic();
                known.parked.keep(aim.holding, Waiting { provider: provider.clone(), account, above, came });
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
            match self.fetch_header(hash, deadline).await {
                Ok(header) if self.take(&header) => {}
                Ok(_) => break,
                Err(attempts) => {
                    fruitless = attempts;
                    break;
                }
            }
        }
        fruitless
    }

    async fn header(
        &self,
        provider: &Endpoint,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Failure> {
        let refused = self.known().forms.of(provider.id());
        let question = if refused.json_header { Question::RawHeader(hash) } else { Question::Block(hash) };
        let reply = ask(&self.outside, provider, &question, self.time_left(deadline)).await;
        self.read_header(provider, &question, reply, hash, deadline).await
    }

    /// Reads the reply to `question`: bytes as they are; JSON by the table of fields, and where that does not know the
    /// block's layout, the bytes are asked for.
    async fn read_header(
        &self,
        provider: &Endpoint,
        question: &Question,
        reply: Result<Box<RawValue>, Failure>,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Failure> {
        if let Question::RawHeader(_) = question {
            return Ok(ExecutionHeader::from_rlp(&raw_header(&reply?)?, hash)?);
        }
        match ExecutionHeader::from_json(reply?.get().as_bytes(), hash) {
            Err(HeaderError::UnknownLayout) => {
                let left = self.time_left(deadline);
                let bytes = ask(&self.outside, provider, &Question::RawHeader(hash), left).await;
                // Whoever has no bytes is not to blame for a layout that is not known here.
                let bytes = bytes.map_err(|_| HeaderError::UnknownLayout)?;
                let header = ExecutionHeader::from_rlp(&raw_header(&bytes)?, hash)?;
                self.known().forms.note(provider.id(), |refused| refused.json_header = true);
                Ok(header)
            }
            outcome => Ok(outcome?),
        }
    }
}

fn proof_of(holding: Holding, at: At) -> Question {
    Question::Proof { address: holding.owner, keys: Vec::new(), at }
}

/// Checks a reply to `eth_getProof` against what was asked, never against what it echoes: under `root`, or without one,
/// under the root that its own first node has.
fn verify(
    reply: &RawValue,
    holding: Holding,
    provider: &ProviderId,
    root: Option<StateRoot>,
) -> Result<Verified<Account>, Failure> {
    let reply: AccountReply = serde_json::from_str(reply.get())
        .map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })?;
    let root = root.map_or_else(|| claimed_root(&reply.account_proof), Ok)?;
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
