//! Judges the answers of providers: a proof joins, becomes a pending proof, or fails with a reason.

use saldo_chain::{Anchor, HeaderError};
use saldo_reading::{Failure, Holding, ProviderId};
use saldo_source::execution::{Question, ask, block_number_of, chain_id};
use saldo_source::{Answer, Deadline, Endpoint};

use super::Proofs;
use super::evidence::Evidence;
use super::pending::{Came, Keeping, PendingProof};
use super::plan::Parts;
use super::target::{Checked, Inquiry, Judged, PinnedBlock, Settled};
use super::token::first_false;
use crate::env::takes_tips;
use crate::head::BlockRef;
use crate::meter;

/// A reply to a request at the block `pin`.
pub(super) struct PinnedReply<'a> {
    pub(super) pin: PinnedBlock,
    pub(super) by_hash: bool,
    pub(super) parts: &'a Parts,
    /// The result of checking it at that block.
    pub(super) checked: Result<Checked, Failure>,
}

/// A holding for which the provider has no proof at the target block.
pub(super) struct Missed {
    /// Its position among the requested holdings.
    pub(super) place: usize,
    pub(super) holding: Holding,
    pub(super) failure: Failure,
}

impl Proofs {
    /// Judges `replies` at the provider's own tip, for the holdings `missed` at the target block.
    pub(super) async fn judge_tips(
        &self,
        provider: &Endpoint,
        missed: &[Missed],
        replies: Vec<Result<Parts, Failure>>,
        inquiry: Inquiry<'_>,
    ) -> Vec<Answer<Settled>> {
        let accounts: Vec<Result<Checked, Failure>> = missed
            .iter()
            .zip(replies)
            .map(|(Missed { holding, failure: missed, .. }, reply)| {
                let reply = reply.map_err(|failure| match (failure, &inquiry.target.block) {
                    // It has no proof even at its own tip: it serves no proofs at all.
                    (Failure::ProofWindowMissed, _) => Failure::NotServed { method: "eth_getProof" },
                    (failure, BlockRef::Tip) => failure,
                    // The provider may have seen the address: this failure keeps that fact.
                    (failure, _) if failure.is_unreachable() && failure.may_have_been_seen() => failure,
                    _ => missed.clone(),
                });
                let checked = self.verify_claim(&reply?, *holding, provider.id());
                meter::proof(&self.env, provider.id(), &checked);
                checked
            })
            .collect();
        let is_claim = |checked: &Result<Checked, Failure>| match checked {
            Ok(checked) => !self.head.trusts_root(checked.state_root()),
            Err(_) => false,
        };
        // Before a proof becomes pending, check that it is of this chain at least. A provider that does not
        // have our newest block may have switched to another chain since it was last asked.
        let lacks_block = |missed: &Missed| matches!(missed.failure, Failure::NotSynced | Failure::NoResult);
        let names_block = !matches!(inquiry.target.block, BlockRef::Tip);
        let is_doubtful = names_block && missed.iter().any(lacks_block);
        if names_block && !is_doubtful {
            self.state().lags.forget(provider.id());
        }
        if accounts.iter().any(is_claim)
            && let Err(other) = self.confirm_chain(provider, is_doubtful, inquiry.deadline).await
        {
            return missed.iter().map(|_| Answer::Failed(other.clone())).collect();
        }
        let is_behind =
            is_doubtful && accounts.iter().any(is_claim) && self.is_far_behind(provider, inquiry).await;
        let answers = missed.iter().zip(accounts).map(
            |(Missed { holding, failure: missed, .. }, account)| match account {
                Err(failure) => Answer::Failed(failure),
                Ok(checked) => {
                    if *missed == Failure::ProofWindowMissed {
                        self.learn(provider.id(), |known| known.behind_tip = false);
                    }
                    match self.judge_checked(*holding, checked, inquiry, provider.id()) {
                        Answer::Pending { .. } if is_behind => Answer::Failed(Failure::NotSynced),
                        answer => answer,
                    }
                }
            },
        );
        answers.collect()
    }

    /// Judges a reply to a request at a known block.
    pub(super) fn judge_pinned(
        &self,
        provider: &Endpoint,
        holding: Holding,
        inquiry: Inquiry<'_>,
        pinned: PinnedReply<'_>,
        accusation: &mut Option<Evidence>,
    ) -> Answer<Settled> {
        let PinnedReply { pin, by_hash, parts, checked } = pinned;
        let refusal = match checked {
            Ok(checked) => return self.judge_checked(holding, checked, inquiry, provider.id()),
            Err(refusal) => refusal,
        };
        // It may be a genuine proof at another block of this chain. Then it counts for that block, and is not a
        // false proof.
        if let Ok(checked) = self.verify_claim(parts, holding, provider.id())
            && self.head.trusts_root(checked.state_root())
        {
            return self.judge_checked(holding, checked, inquiry, provider.id());
        }
        if by_hash
            && let Failure::Proof(_) = refusal
            && accusation.is_none()
            && let Some(piece) = first_false(parts, pin.state_root)
        {
            *accusation = Evidence::new(provider.id(), piece, pin, &refusal);
        }
        Answer::Failed(refusal)
    }

    /// Asks the provider which chain it serves, if a proof does not verify: it may be a genuine proof of
    /// another chain.
    pub(super) async fn mark_wrong_chain<T>(
        &self,
        provider: &Endpoint,
        answers: Vec<Answer<T>>,
        deadline: Deadline,
    ) -> Vec<Answer<T>> {
        let is_doubtful = |answer: &Answer<T>| match answer {
            Answer::Accepted(_) | Answer::Pending { .. } | Answer::Withheld { .. } => false,
            Answer::Failed(failure) => matches!(
                failure,
                Failure::Proof(_)
                    | Failure::Malformed { .. }
                    | Failure::Header(HeaderError::HashMismatch { .. })
            ),
        };
        if !answers.iter().any(is_doubtful) {
            return answers;
        }
        let Err(other) = self.confirm_chain(provider, false, deadline).await else { return answers };
        let marked = |answer: Answer<T>| {
            if is_doubtful(&answer) { Answer::Failed(other.clone()) } else { answer }
        };
        answers.into_iter().map(marked).collect()
    }

    /// Judges a complete proof: it joins if its root is trusted, else it becomes a pending proof.
    fn judge_checked(
        &self,
        holding: Holding,
        checked: Checked,
        inquiry: Inquiry<'_>,
        provider: &ProviderId,
    ) -> Answer<Settled> {
        let level = inquiry.target.level;
        let checked = match self.finish(holding, checked) {
            Ok(checked) => checked,
            Err(failure) => return Answer::Failed(failure),
        };
        match inquiry.judge.join(holding, &checked, provider, level) {
            Judged::Settled(settled) => Answer::Accepted(settled),
            Judged::Old { number } => Answer::Failed(Failure::OldBlock { number }),
            // It proved another block than the one it was asked for.
            Judged::NotYet if !takes_tips(level) => Answer::Failed(Failure::ProofWindowMissed),
            Judged::NotYet => {
                // On a rollup every proof waits for L1: that is no reason to ask another provider.
                let was_right_before = self.head.is_of_rollup() || self.capability(provider).tips_were_signed;
                let above = self.head.newest(level).as_ref().map(Anchor::number);
                let (provider, came) = (provider.clone(), Came::at(self.env.clock().monotonic()));
                let proof =
                    PendingProof { provider, checked, above, came, is_written: false, claims: Vec::new() };
                let keeping = if self.head.is_of_rollup() { Keeping::Spread } else { Keeping::Newest };
                self.state().pending.keep(holding, proof, keeping);
                Answer::Pending { was_right_before }
            }
        }
    }

    /// Asks a provider that does not have the newest signed block for its own block number, and keeps how far it is behind. Returns
    /// whether that is too far: an amount at its tip would be older than the policy allows.
    async fn is_far_behind(&self, provider: &Endpoint, inquiry: Inquiry<'_>) -> bool {
        let Some(head) = self.head.newest(inquiry.target.level) else { return false };
        let (io, left) = (self.env.dispatcher.io(), self.env.time_left(inquiry.deadline));
        let said = ask(io, provider, &Question::BlockNumber, left).await.ok();
        let tip = said.and_then(|said| block_number_of(&said));
        let missing = tip.and_then(|tip| head.number().checked_sub(tip));
        self.state().lags.note(provider.id(), head.number(), missing);
        let Some(missing) = missing.and_then(|missing| u32::try_from(missing).ok()) else { return false };
        let now = self.head.now();
        let Some(age) = now.age_of(head.timestamp()) else { return false };
        let age = age.saturating_add(self.head.network().slot_duration().saturating_mul(missing));
        !now.allows(age, &self.env.policy_at(inquiry.target.level))
    }

    /// Tells a provider that no longer has a final block from one that does not have it yet: by its own block number, it is past the
    /// block. Both answer that they do not know the block.
    pub(super) async fn mark_pruned(
        &self,
        provider: &Endpoint,
        answers: Vec<Answer<Settled>>,
        inquiry: Inquiry<'_>,
    ) -> Vec<Answer<Settled>> {
        let is_unknown = |answer: &Answer<Settled>| matches!(answer, Answer::Failed(Failure::NotSynced));
        if takes_tips(inquiry.target.level) || !answers.iter().any(is_unknown) {
            return answers;
        }
        let Some(head) = self.head.newest(inquiry.target.level) else { return answers };
        let (io, left) = (self.env.dispatcher.io(), self.env.time_left(inquiry.deadline));
        let said = ask(io, provider, &Question::BlockNumber, left).await.ok();
        let tip = said.and_then(|said| block_number_of(&said));
        let is_past = tip.is_some_and(|tip| tip > head.number());
        let missing = tip.and_then(|tip| head.number().checked_sub(tip));
        self.state().lags.note(provider.id(), head.number(), missing);
        let marked = |answer: Answer<Settled>| match is_past && is_unknown(&answer) {
            true => Answer::Failed(Failure::ProofWindowMissed),
            false => answer,
        };
        answers.into_iter().map(marked).collect()
    }

    /// Asks which chain a provider serves, unless it said so before and there is no doubt.
    async fn confirm_chain(
        &self,
        provider: &Endpoint,
        is_doubtful: bool,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let expected = self.head.network().chain_id();
        if !is_doubtful && self.state().chains_said.of(provider.id()) == Some(expected) {
            return Ok(());
        }
        match chain_id(self.env.dispatcher.io(), provider, self.env.time_left(deadline)).await {
            Ok(got) => {
                self.state().chains_said.record(provider.id(), got, expected);
                if got == expected { Ok(()) } else { Err(Failure::WrongChain { got, expected }) }
            }
            // A provider that does not support the call is judged by its proofs alone.
            Err(_) => Ok(()),
        }
    }
}
