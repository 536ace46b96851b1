//! Asking the providers for proofs, and weighing what they say.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo_chain::{Anchor, HeaderError, Level};
use saldo_reading::{Candidate, Failure, Holding, ProviderId, Role};
use saldo_source::execution::{At, chain_id};
use saldo_source::{Answer, Ask, Deadline, DisclosureSet, Endpoint, FINAL_PROOFS, Hedged, RequestSpec};
use serde_json::value::RawValue;

use crate::checked::Checked;
use crate::core::{Core, Joined};
use crate::disclosed::Place;
use crate::evidence::Evidence;
use crate::pending::PendingProof;
use crate::request::{Asked, PinnedBlock};

/// Which block a proof is asked for at.
#[derive(Clone, Debug)]
pub(crate) enum BlockRef {
    /// A trusted one.
    Known(Anchor),
    /// That of a head which tells its hash alone: its header is asked for along with the proof.
    ByHash(B256),
    /// The provider's own newest.
    Tip,
}

/// What proofs are wanted for.
#[derive(Clone, Debug)]
pub(crate) struct ProofTarget {
    pub(crate) block: BlockRef,
    /// How sure the block must be.
    pub(crate) level: Level,
}

/// A proof that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProofRequest {
    holding: Holding,
    /// Whether it is asked of more operators than the policy names.
    over_policy: bool,
}

/// A reply that was asked for at the block `pin`.
struct PinnedReply<'a> {
    pin: PinnedBlock,
    by_hash: bool,
    reply: &'a RawValue,
    /// What came of checking it there.
    checked: Result<Checked, Failure>,
}

impl ProofRequest {
    /// Of those operators alone that the policy names.
    pub(crate) fn within(holding: Holding) -> Self {
        Self { holding, over_policy: false }
    }
}

impl Core {
    /// Asks for the proofs of `holdings` that `aim` is about, until each is proven or nobody is left to ask.
    pub(crate) async fn prove(
        &self,
        holdings: &[Holding],
        target: &ProofTarget,
        deadline: Deadline,
    ) -> Vec<Hedged<Box<Candidate>>> {
        let mut results = self.prove_once(holdings, target, deadline).await;
        let brought = match &target.block {
            BlockRef::ByHash(hash) => self.known().chain.anchor_at_hash(*hash).cloned(),
            BlockRef::Known(_) | BlockRef::Tip => None,
        };
        let open: Vec<usize> = (0..results.len())
            .filter(|place| results.get(*place).is_some_and(|result| result.winner.is_none()))
            .collect();
        let Some(anchor) = brought.filter(|_| !open.is_empty()) else { return results };
        // Who had no header was not asked for a proof under it; meanwhile somebody else brought the header.
        let again = ProofTarget { block: BlockRef::Known(anchor), ..target.clone() };
        let asked: Vec<Holding> = open.iter().filter_map(|place| holdings.get(*place).copied()).collect();
        for (place, second) in open.into_iter().zip(self.prove_once(&asked, &again, deadline).await) {
            if let Some(result) = results.get_mut(place) {
                let attempts = [std::mem::take(&mut result.attempts), second.attempts].concat();
                *result = Hedged { attempts, ..second };
            }
        }
        results
    }

    async fn prove_once(
        &self,
        holdings: &[Holding],
        target: &ProofTarget,
        deadline: Deadline,
    ) -> Vec<Hedged<Box<Candidate>>> {
        let (most, strict) = (self.policy.operators_per_address, self.policy.strict);
        let last = match &target.block {
            BlockRef::Known(anchor) => self.too_shallow(anchor.number()),
            BlockRef::ByHash(_) | BlockRef::Tip => BTreeSet::new(),
        };
        let disclosures = {
            let known = self.known();
            let disclosure = |holding: &Holding| {
                let disclosure = known.disclosures.disclosure(holding.owner, most, strict);
                DisclosureSet { last: last.clone(), ..disclosure }
            };
            holdings.iter().map(disclosure).collect()
        };
        let ask = |provider, turns: Vec<Ask>| -> BoxFuture<'_, Vec<Answer<Box<Candidate>>>> {
            let wanted = |turn: &Ask| {
                let holding = *holdings.get(turn.item)?;
                Some(ProofRequest { holding, over_policy: turn.over_policy })
            };
            let wanted: Vec<ProofRequest> = turns.iter().filter_map(wanted).collect();
            async move { self.ask(provider, &wanted, target, deadline).await }.boxed()
        };
        let method = Self::proofs_at(target.level);
        let hedge = RequestSpec { role: Role::Execution, method, deadline };
        self.dispatcher.hedge(hedge, &self.execution, disclosures, ask).await
    }

    /// Under which method it is remembered who proves at blocks of the assurance `level`: who proves what is signed need not
    /// have what is final.
    pub(crate) fn proofs_at(level: Level) -> &'static str {
        if level > Level::Signed { FINAL_PROOFS } else { "eth_getProof" }
    }

    /// Asks one provider for proofs at the block aimed at; where it has none there, at its own tip, which may be signed
    /// later.
    pub(crate) async fn ask(
        &self,
        provider: &Endpoint,
        wanted: &[ProofRequest],
        target: &ProofTarget,
        deadline: Deadline,
    ) -> Vec<Answer<Box<Candidate>>> {
        let (most, strict) = (self.policy.operators_per_address, self.policy.strict);
        let places: Vec<Place> = {
            let mut known = self.known();
            wanted.iter().map(|wanted| known.disclosures.tell(wanted.holding.owner, provider, most)).collect()
        };
        // Another read may have taken the place that was free when this one chose whom to ask.
        let is_withheld = |(wanted, place): &(&ProofRequest, &Place)| {
            **place == Place::Full && (strict || !wanted.over_policy)
        };
        let told = || {
            wanted.iter().zip(&places).filter(|it| !is_withheld(it)).map(|(it, place)| (it.holding, place))
        };
        let asked: Vec<Holding> = told().map(|(holding, _)| holding).collect();
        let answers = match asked.is_empty() {
            true => Vec::new(),
            false => self.ask_for(provider, &asked, target, deadline).await,
        };
        let mut known = self.known();
        for ((holding, place), answer) in told().zip(&answers) {
            let is_unseen = matches!(answer, Answer::Failed(failure) if !failure.may_have_been_seen());
            match place {
                Place::New if is_unseen => known.disclosures.forget(holding.owner, provider),
                // It was reached, so that it knows of the address, whatever another read meets.
                Place::New | Place::Member if !is_unseen => known.disclosures.admit(holding.owner, provider),
                Place::Full if matches!(answer, Answer::Accepted(_)) => {
                    known.disclosures.admit(holding.owner, provider);
                }
                _ => {}
            }
        }
        let mut answers = answers.into_iter();
        let answer = |it: (&ProofRequest, &Place)| match is_withheld(&it) {
            true => {
                let DisclosureSet { operators, .. } =
                    known.disclosures.disclosure(it.0.holding.owner, most, strict);
                Answer::Withheld { operators }
            }
            false => answers.next().unwrap_or(Answer::Failed(Failure::NoResult)),
        };
        wanted.iter().zip(&places).map(answer).collect()
    }

    async fn ask_for(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        target: &ProofTarget,
        deadline: Deadline,
    ) -> Vec<Answer<Box<Candidate>>> {
        // Somebody else may have brought the header since.
        let known = |hash| self.known().chain.anchor_at_hash(hash).cloned();
        let asked = match &target.block {
            BlockRef::Known(anchor) => {
                self.at_anchor(provider, holdings, anchor, target.level, deadline).await
            }
            BlockRef::ByHash(hash) => match known(*hash) {
                Some(anchor) => self.at_anchor(provider, holdings, &anchor, target.level, deadline).await,
                None => match self.header_and_proofs(provider, holdings, *hash, deadline).await {
                    Ok((header, replies)) => {
                        Asked { pin: Some(PinnedBlock::of(&header)), replies, tips: None }
                    }
                    Err(failure) => Asked::nothing(holdings, &failure),
                },
            },
            BlockRef::Tip => Asked::nothing(holdings, &Failure::NoResult),
        };
        let Asked { pin, replies, tips } = asked;
        let mut answers: Vec<Option<Answer<Box<Candidate>>>> = Vec::with_capacity(holdings.len());
        let mut missed: Vec<(usize, Holding, Failure)> = Vec::new();
        let mut accusation = None;
        let came = holdings.iter().zip(&replies);
        let came: Vec<_> =
            came.filter_map(|(holding, reply)| Some((*holding, reply.result.as_deref().ok()?))).collect();
        let checked = pin.map(|pin| self.verify_together(&came, provider.id(), pin.state_root));
        let mut checked = checked.into_iter().flatten();
        for (place, (holding, reply)) in holdings.iter().zip(&replies).enumerate() {
            let failure = match (pin, &reply.result) {
                (Some(pin), Ok(result)) => {
                    let checked = checked.next().unwrap_or(Err(Failure::NoResult));
                    let pinned = PinnedReply { pin, by_hash: reply.by_hash, reply: result, checked };
                    answers.push(Some(self.weigh_pinned(
                        provider,
                        *holding,
                        target,
                        pinned,
                        &mut accusation,
                    )));
                    continue;
                }
                (None, Ok(_)) => Failure::NoResult,
                (_, Err(failure)) => failure.clone(),
            };
            if Self::takes_tips(target.level) && is_about_the_block(&failure) {
                missed.push((place, *holding, failure));
                answers.push(None);
            } else {
                answers.push(Some(Answer::Failed(failure)));
            }
        }
        let tips = match tips {
            Some(tips) => {
                let is_missed = |place: &usize| missed.iter().any(|(missed, ..)| missed == place);
                tips.into_iter()
                    .enumerate()
                    .filter(|(place, _)| is_missed(place))
                    .map(|(_, tip)| tip)
                    .collect()
            }
            None => {
                let holdings: Vec<Holding> = missed.iter().map(|(_, holding, _)| *holding).collect();
                self.proofs(provider, &holdings, At::Latest, deadline).await
            }
        };
        let tips = self.weigh_tips(provider, &missed, tips, target, deadline).await;
        for ((place, ..), answer) in missed.into_iter().zip(tips) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = Some(answer);
            }
        }
        let answers =
            answers.into_iter().map(|answer| answer.unwrap_or(Answer::Failed(Failure::NoResult))).collect();
        let answers = self.told_apart_from_another_chain(provider, answers, deadline).await;
        let is_elsewhere =
            |answer: &Answer<Box<Candidate>>| matches!(answer, Answer::Failed(Failure::WrongChain { .. }));
        // However many proofs of one request are false: it is one lie, and none where it is of another chain.
        if let Some(evidence) = accusation.filter(|_| !answers.iter().any(is_elsewhere)) {
            self.dispatcher.strike(provider.id());
            self.known().evidence.keep(evidence);
        }
        answers
    }

    /// What `replies` are worth that are of the provider's own tip, of the holdings `missed` at the block that was aimed at.
    async fn weigh_tips(
        &self,
        provider: &Endpoint,
        missed: &[(usize, Holding, Failure)],
        replies: Vec<Result<Box<RawValue>, Failure>>,
        target: &ProofTarget,
        deadline: Deadline,
    ) -> Vec<Answer<Box<Candidate>>> {
        let accounts: Vec<Result<Checked, Failure>> = missed
            .iter()
            .zip(replies)
            .map(|((_, holding, missed), reply)| {
                let reply = reply.map_err(|failure| match (failure, &target.block) {
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
            Ok(checked) => self.known().chain.anchor_at_root(checked.account.state_root()).is_none(),
            Err(_) => false,
        };
        // Before a claim is kept that nothing vouches for: is it at least about this chain? One that does not have our newest
        // block may have come to serve another since it was asked.
        let is_elsewhere = |(_, _, missed): &(usize, Holding, Failure)| {
            matches!(missed, Failure::NotSynced | Failure::NoResult) && !matches!(target.block, BlockRef::Tip)
        };
        let is_doubtful = missed.iter().any(is_elsewhere);
        if accounts.iter().any(is_claim)
            && let Err(other) = self.confirm_chain(provider, is_doubtful, deadline).await
        {
            return missed.iter().map(|_| Answer::Failed(other.clone())).collect();
        }
        let answers = missed.iter().zip(accounts).map(|((_, holding, missed), account)| match account {
            Err(failure) => Answer::Failed(failure),
            Ok(checked) => {
                if *missed == Failure::ProofWindowMissed {
                    self.learn(provider.id(), |known| known.behind_tip = false);
                }
                self.weigh(*holding, checked, target, provider.id())
            }
        });
        answers.collect()
    }

    /// What a reply is worth that was asked for at a known block.
    fn weigh_pinned(
        &self,
        provider: &Endpoint,
        holding: Holding,
        target: &ProofTarget,
        pinned: PinnedReply<'_>,
        accusation: &mut Option<Evidence>,
    ) -> Answer<Box<Candidate>> {
        let PinnedReply { pin, by_hash, reply, checked } = pinned;
        let refusal = match checked {
            Ok(checked) => return self.weigh(holding, checked, target, provider.id()),
            Err(refusal) => refusal,
        };
        // It may be a genuine proof at another block of this chain: then it is that block's, and no lie.
        if let Ok(checked) = self.verify_claim(reply, holding, provider.id())
            && self.known().chain.anchor_at_root(checked.account.state_root()).is_some()
        {
            return self.weigh(holding, checked, target, provider.id());
        }
        if by_hash && let Failure::Proof(_) = refusal {
            accusation.get_or_insert(Evidence::new(provider.id(), holding, pin, reply, &refusal));
        }
        Answer::Failed(refusal)
    }

    /// A proof that does not prove may be a genuine one of another chain: where there is one, the provider is asked which
    /// chain it serves.
    async fn told_apart_from_another_chain(
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
        target: &ProofTarget,
        provider: &ProviderId,
    ) -> Answer<Box<Candidate>> {
        match self.join(holding, &checked, provider, target.level) {
            Joined::Proven(proven) => Answer::Accepted(proven),
            Joined::Old { number } => Answer::Failed(Failure::OldBlock { number }),
            Joined::NotYet if !Self::takes_tips(target.level) => Answer::Failed(Failure::NotSynced),
            Joined::NotYet => {
                let was_right_before = self.capability(provider).tips_were_signed;
                let mut known = self.known();
                let above = known.chain.newest(target.level).map(Anchor::number);
                let came = self.dispatcher.io().clock().monotonic();
                known
                    .pending
                    .keep(holding, PendingProof { provider: provider.clone(), checked, above, came });
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
        let expected = self.network().chain_id();
        if !is_doubtful && self.known().chain_confirmed.contains(provider.id()) {
            return Ok(());
        }
        match chain_id(self.dispatcher.io(), provider, self.time_left(deadline)).await {
            Ok(got) if got != expected => Err(Failure::WrongChain { got, expected }),
            Ok(_) => {
                self.known().chain_confirmed.insert(provider.id().clone());
                Ok(())
            }
            // One that cannot say is judged by its proofs alone.
            Err(_) => Ok(()),
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
