//! Judging what providers answer: a proof that joins, a claim that waits, or a failure with its reason.

use saldo_chain::{Anchor, HeaderError};
use saldo_reading::{Candidate, Failure, Holding, ProviderId};
use saldo_source::execution::chain_id;
use saldo_source::{Answer, Deadline, Endpoint};
use serde_json::value::RawValue;

use super::Proofs;
use super::evidence::Evidence;
use super::pending::PendingProof;
use super::target::{Checked, Inquiry, Judged, PinnedBlock};
use crate::env::takes_tips;
use crate::head::BlockRef;

/// A reply that was asked for at the block `pin`.
pub(super) struct PinnedReply<'a> {
    pub(super) pin: PinnedBlock,
    pub(super) by_hash: bool,
    pub(super) reply: &'a RawValue,
    /// What came of checking it there.
    pub(super) checked: Result<Checked, Failure>,
}

/// A holding of which the provider has no proof at the target block.
pub(super) struct Missed {
    /// Its place among the holdings that were asked for.
    pub(super) place: usize,
    pub(super) holding: Holding,
    pub(super) failure: Failure,
}

impl Proofs {
    /// What `replies` are worth that are of the provider's own tip, of the holdings `missed` at the block that was aimed at.
    pub(super) async fn weigh_tips(
        &self,
        provider: &Endpoint,
        missed: &[Missed],
        replies: Vec<Result<Box<RawValue>, Failure>>,
        inquiry: Inquiry<'_>,
    ) -> Vec<Answer<Box<Candidate>>> {
        let accounts: Vec<Result<Checked, Failure>> = missed
            .iter()
            .zip(replies)
            .map(|(Missed { holding, failure: missed, .. }, reply)| {
                let reply = reply.map_err(|failure| match (failure, &inquiry.target.block) {
                    // Not even of its own tip: it serves no proofs at all.
                    (Failure::ProofWindowMissed, _) => Failure::NotServed { method: "eth_getProof" },
                    (failure, BlockRef::Tip) => failure,
                    // What was seen before stays seen.
                    (failure, _) if failure.is_unreachable() && failure.may_have_been_seen() => failure,
                    _ => missed.clone(),
                });
                self.verify_claim(&reply?, *holding, provider.id())
            })
            .collect();
        let is_claim = |checked: &Result<Checked, Failure>| match checked {
            Ok(checked) => !self.head.trusts_root(checked.account.state_root()),
            Err(_) => false,
        };
        // Before a claim is kept that nothing vouches for: is it at least about this chain? One that does not have our newest
        // block may have come to serve another since it was asked.
        let is_elsewhere = |missed: &Missed| {
            matches!(missed.failure, Failure::NotSynced | Failure::NoResult)
                && !matches!(inquiry.target.block, BlockRef::Tip)
        };
        let is_doubtful = missed.iter().any(is_elsewhere);
        if accounts.iter().any(is_claim)
            && let Err(other) = self.confirm_chain(provider, is_doubtful, inquiry.deadline).await
        {
            return missed.iter().map(|_| Answer::Failed(other.clone())).collect();
        }
        let answers = missed.iter().zip(accounts).map(
            |(Missed { holding, failure: missed, .. }, account)| match account {
                Err(failure) => Answer::Failed(failure),
                Ok(checked) => {
                    if *missed == Failure::ProofWindowMissed {
                        self.learn(provider.id(), |known| known.behind_tip = false);
                    }
                    self.weigh(*holding, checked, inquiry, provider.id())
                }
            },
        );
        answers.collect()
    }

    /// What a reply is worth that was asked for at a known block.
    pub(super) fn weigh_pinned(
        &self,
        provider: &Endpoint,
        holding: Holding,
        inquiry: Inquiry<'_>,
        pinned: PinnedReply<'_>,
        accusation: &mut Option<Evidence>,
    ) -> Answer<Box<Candidate>> {
        let PinnedReply { pin, by_hash, reply, checked } = pinned;
        let refusal = match checked {
            Ok(checked) => return self.weigh(holding, checked, inquiry, provider.id()),
            Err(refusal) => refusal,
        };
        // It may be a genuine proof at another block of this chain: then it is that block's, and no lie.
        if let Ok(checked) = self.verify_claim(reply, holding, provider.id())
            && self.head.trusts_root(checked.account.state_root())
        {
            return self.weigh(holding, checked, inquiry, provider.id());
        }
        if by_hash && let Failure::Proof(_) = refusal {
            accusation.get_or_insert(Evidence::new(provider.id(), holding, pin, reply, &refusal));
        }
        Answer::Failed(refusal)
    }

    /// A proof that does not prove may be a genuine one of another chain: where there is one, the provider is asked which
    /// chain it serves.
    pub(super) async fn told_apart_from_another_chain(
        &self,
        provider: &Endpoint,
        answers: Vec<Answer<Box<Candidate>>>,
        deadline: Deadline,
    ) -> Vec<Answer<Box<Candidate>>> {
        let is_doubtful = |answer: &Answer<Box<Candidate>>| match answer {
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
        let told = |answer: Answer<Box<Candidate>>| {
            if is_doubtful(&answer) { Answer::Failed(other.clone()) } else { answer }
        };
        answers.into_iter().map(told).collect()
    }

    /// What a complete proof is worth: an amount if its root is trusted, else a claim that waits.
    fn weigh(
        &self,
        holding: Holding,
        checked: Checked,
        inquiry: Inquiry<'_>,
        provider: &ProviderId,
    ) -> Answer<Box<Candidate>> {
        let level = inquiry.target.level;
        match (inquiry.judge)(holding, &checked, provider, level) {
            Judged::Joined(candidate) => Answer::Accepted(candidate),
            Judged::Old { number } => Answer::Failed(Failure::OldBlock { number }),
            Judged::NotYet if !takes_tips(level) => Answer::Failed(Failure::NotSynced),
            Judged::NotYet => {
                let was_right_before = self.capability(provider).tips_were_signed;
                let above = self.head.newest(level).as_ref().map(Anchor::number);
                let came = self.env.clock().monotonic();
                let proof = PendingProof { provider: provider.clone(), checked, above, came };
                self.state().pending.keep(holding, proof);
                Answer::Pending { was_right_before }
            }
        }
    }

    /// Asks which chain a provider serves, unless it said so before and there is no doubt.
    async fn confirm_chain(
        &self,
        provider: &Endpoint,
        is_doubtful: bool,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let expected = self.head.network().chain_id();
        if !is_doubtful && self.state().chain_confirmed.contains(provider.id()) {
            return Ok(());
        }
        match chain_id(self.env.dispatcher.io(), provider, self.env.time_left(deadline)).await {
            Ok(got) if got != expected => Err(Failure::WrongChain { got, expected }),
            Ok(_) => {
                self.state().chain_confirmed.insert(provider.id().clone());
                Ok(())
            }
            // One that cannot say is judged by its proofs alone.
            Err(_) => Ok(()),
        }
    }
}
