//! Requests proofs from providers.

use alloy_primitives::Address;
use saldo_reading::{Failure, Holding, Role};
use saldo_source::execution::At;
use saldo_source::{
    Answer, Ask, BoxedFuture, DisclosureSet, Endpoint, FINAL_PROOFS, Hedged, IntoBoxed, RequestSpec,
    SortedSet,
};

use super::Proofs;
use super::disclosed::Place;
use super::evidence::Evidence;
use super::judge::{Missed, PinnedReply};
use super::plan::Parts;
use super::request::Asked;
use super::target::{Inquiry, PinnedBlock, ProofRequest, ProofTarget, Settled, proofs_at};
use crate::env::takes_tips;
use crate::head::BlockRef;

/// The answer of a provider for one holding.
type ProofAnswer = Answer<Settled>;

impl Proofs {
    /// Requests proofs of `holdings` until each is proven, or no provider is left to ask.
    pub(crate) async fn prove(&self, holdings: &[Holding], inquiry: Inquiry<'_>) -> Vec<Hedged<Settled>> {
        let mut results = self.prove_once(holdings, inquiry).await;
        let attached = match &inquiry.target.block {
            BlockRef::ByHash(hash) => self.head.anchor_at_hash(*hash),
            BlockRef::Known(_) | BlockRef::Tip => None,
        };
        let is_open = |place: &usize| results.get(*place).is_some_and(|result| result.winner.is_none());
        let open: Vec<usize> = (0..results.len()).filter(is_open).collect();
        let Some(anchor) = attached.filter(|_| !open.is_empty()) else { return results };
        // A provider without the header was not asked for a proof under it. Another provider brought the header
        // meanwhile.
        let target = ProofTarget { block: BlockRef::Known(anchor), ..inquiry.target.clone() };
        let again = Inquiry { target: &target, ..inquiry };
        let asked: Vec<Holding> = open.iter().filter_map(|place| holdings.get(*place).copied()).collect();
        for (place, second) in open.into_iter().zip(self.prove_once(&asked, again).await) {
            if let Some(result) = results.get_mut(place) {
                let attempts = [std::mem::take(&mut result.attempts), second.attempts].concat();
                *result = Hedged { attempts, ..second };
            }
        }
        results
    }

    async fn prove_once(&self, holdings: &[Holding], inquiry: Inquiry<'_>) -> Vec<Hedged<Settled>> {
        let most = self.env.policy.operators_per_address;
        let is_older = self.asks_for_older(inquiry);
        let strict = self.env.policy.strict || is_older;
        let last = match &inquiry.target.block {
            BlockRef::Known(anchor) => self.too_shallow(anchor.number()),
            BlockRef::ByHash(_) | BlockRef::Tip => SortedSet::new(),
        };
        let disclosures = {
            let state = self.state();
            let disclosure = |holding: &Holding| {
                let disclosure = state.disclosures.disclosure(holding.owner(), most, strict);
                DisclosureSet { last: last.clone(), ..disclosure }
            };
            holdings.iter().map(disclosure).collect()
        };
        let ask = |provider, asks: Vec<Ask>| -> BoxedFuture<'_, Vec<ProofAnswer>> {
            let request = |ask: &Ask| {
                let holding = *holdings.get(ask.item)?;
                Some(ProofRequest { holding, over_policy: ask.over_policy })
            };
            let requests: Vec<ProofRequest> = asks.iter().filter_map(request).collect();
            async move { self.ask(provider, &requests, inquiry).await }.into_boxed()
        };
        let method = if is_older { FINAL_PROOFS } else { proofs_at(inquiry.target.level) };
        let spec = RequestSpec { role: Role::Execution, method, deadline: inquiry.deadline };
        self.env.dispatcher.hedge(spec, &self.env.execution, disclosures, ask).await
    }

    /// Requests proofs from one provider at the target block. If it has none there, requests them at its own
    /// tip, which may be signed later.
    pub(crate) async fn ask(
        &self,
        provider: &Endpoint,
        requests: &[ProofRequest],
        inquiry: Inquiry<'_>,
    ) -> Vec<ProofAnswer> {
        let asked: Vec<(Address, bool)> =
            requests.iter().map(|request| (request.holding.owner(), request.over_policy)).collect();
        let ask = |places: Vec<usize>| {
            let holding = |place: &usize| requests.get(*place).map(|request| request.holding);
            let holdings: Vec<Holding> = places.iter().filter_map(holding).collect();
            async move { self.ask_for(provider, &holdings, inquiry).await }.into_boxed()
        };
        self.ask_admitted(provider, &asked, ask).await
    }

    /// Asks one provider about those of the addresses `asked` that its operator may learn of. With each address comes whether the
    /// request is over policy. `ask` gets their places, and returns one answer for each.
    pub(super) async fn ask_admitted<'a, T>(
        &self,
        provider: &Endpoint,
        asked: &[(Address, bool)],
        ask: impl FnOnce(Vec<usize>) -> BoxedFuture<'a, Vec<Answer<T>>>,
    ) -> Vec<Answer<T>> {
        let (most, strict) = (self.env.policy.operators_per_address, self.env.policy.strict);
        let operator = provider.operator_key();
        let admitted: Vec<Place> = {
            let mut state = self.state();
            asked.iter().map(|(address, _)| state.disclosures.admit(*address, &operator, most)).collect()
        };
        // Another call may have filled the disclosure set after this call chose the provider.
        let is_withheld =
            |over_policy: bool, admitted: Place| admitted == Place::Full && (strict || !over_policy);
        let is_sent = |(over_policy, admitted): (bool, Place)| !is_withheld(over_policy, admitted);
        let each = || asked.iter().map(|(_, over_policy)| *over_policy).zip(admitted.iter().copied());
        let places: Vec<usize> =
            each().enumerate().filter(|(_, it)| is_sent(*it)).map(|(place, _)| place).collect();
        let answers = if places.is_empty() { Vec::new() } else { ask(places).await };
        let mut state = self.state();
        let mut answers = answers.into_iter();
        let answer = |((address, over_policy), admitted): (&(Address, bool), &Place)| {
            if is_withheld(*over_policy, *admitted) {
                let operators = state.disclosures.disclosure(*address, most, strict).operators;
                return Answer::Withheld { operators };
            }
            let answer = answers.next().unwrap_or(Answer::Failed(Failure::NoResult));
            state.disclosures.record_answer(*address, &operator, *admitted, &answer);
            answer
        };
        asked.iter().zip(&admitted).map(answer).collect()
    }

    async fn ask_for(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        inquiry: Inquiry<'_>,
    ) -> Vec<ProofAnswer> {
        let asked = self.ask_at_target(provider, holdings, inquiry).await;
        let mut accusation = None;
        let (mut answers, missed) = self.judge_replies(provider, holdings, &asked, inquiry, &mut accusation);
        let tips = self.tips_of(provider, &missed, asked.tips, inquiry).await;
        let tips = self.judge_tips(provider, &missed, tips, inquiry).await;
        for (missed, answer) in missed.into_iter().zip(tips) {
            if let Some(slot) = answers.get_mut(missed.place) {
                *slot = answer;
            }
        }
        let answers = self.mark_pruned(provider, answers, inquiry).await;
        let answers = self.mark_wrong_chain(provider, answers, inquiry.deadline).await;
        self.keep_accusation(provider, accusation, &answers);
        answers
    }

    /// Keeps the evidence against a provider. All false proofs of one request count as one. None counts if the provider serves
    /// another chain.
    pub(super) fn keep_accusation<T>(
        &self,
        provider: &Endpoint,
        accusation: Option<Evidence>,
        answers: &[Answer<T>],
    ) {
        let is_of_other_chain =
            |answer: &Answer<T>| matches!(answer, Answer::Failed(Failure::WrongChain { .. }));
        if let Some(evidence) = accusation.filter(|_| !answers.iter().any(is_of_other_chain)) {
            self.env.dispatcher.strike(provider.id());
            self.state().evidence.keep(evidence);
        }
    }

    /// Requests proofs at the target block.
    async fn ask_at_target(&self, provider: &Endpoint, holdings: &[Holding], inquiry: Inquiry<'_>) -> Asked {
        let Inquiry { target, deadline, .. } = inquiry;
        match &target.block {
            BlockRef::Known(anchor) => {
                self.at_anchor(provider, holdings, anchor, target.level, deadline).await
            }
            // Another call may have attached the header since.
            BlockRef::ByHash(hash) => match self.head.anchor_at_hash(*hash) {
                Some(anchor) => self.at_anchor(provider, holdings, &anchor, target.level, deadline).await,
                None => match self.header_and_proofs(provider, holdings, *hash, deadline).await {
                    Ok((header, replies)) => {
                        Asked { pin: Some(PinnedBlock::of(&header)), replies, tips: None }
                    }
                    Err(failure) => Asked::nothing(holdings, &failure),
                },
            },
            BlockRef::Tip => Asked::nothing(holdings, &Failure::NoResult),
        }
    }

    /// Judges the replies for the target block. Returns one answer for each holding, and the holdings for which
    /// the provider may have a proof at its own tip instead.
    fn judge_replies(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        asked: &Asked,
        inquiry: Inquiry<'_>,
        accusation: &mut Option<Evidence>,
    ) -> (Vec<ProofAnswer>, Vec<Missed>) {
        let replies = holdings.iter().zip(&asked.replies);
        let came = replies.filter_map(|(holding, reply)| Some((*holding, reply.result.as_ref().ok()?)));
        let came: Vec<(Holding, &Parts)> = came.collect();
        let checked = asked.pin.map(|pin| self.verify_together(&came, provider.id(), pin.state_root));
        let mut checked = checked.into_iter().flatten();
        let mut answers: Vec<ProofAnswer> = Vec::with_capacity(holdings.len());
        let mut missed = Vec::new();
        for (place, (holding, reply)) in holdings.iter().zip(&asked.replies).enumerate() {
            let failure = match (asked.pin, &reply.result) {
                (Some(pin), Ok(parts)) => {
                    let checked = checked.next().unwrap_or(Err(Failure::NoResult));
                    let pinned = PinnedReply { pin, by_hash: reply.by_hash, parts, checked };
                    answers.push(self.judge_pinned(provider, *holding, inquiry, pinned, accusation));
                    continue;
                }
                (None, Ok(_)) => Failure::NoResult,
                (_, Err(failure)) => failure.clone(),
            };
            let takes_tip = takes_tips(inquiry.target.level) && !self.asks_for_older(inquiry);
            if takes_tip && is_about_the_block(&failure) {
                missed.push(Missed { place, holding: *holding, failure: failure.clone() });
            }
            answers.push(Answer::Failed(failure));
        }
        (answers, missed)
    }

    /// Whether it asks for a proof at a block of a rollup that is older than the head. Few providers serve one: that they do not is no
    /// reason to ask more operators, and the proof at the head is asked for besides.
    fn asks_for_older(&self, inquiry: Inquiry<'_>) -> bool {
        self.head.is_of_rollup() && !matches!(inquiry.target.block, BlockRef::Tip)
    }

    /// The provider's proofs at its own tip for the holdings `missed` at the target block. Requests them now,
    /// unless `tips` has them already.
    async fn tips_of(
        &self,
        provider: &Endpoint,
        missed: &[Missed],
        tips: Option<Vec<Result<Parts, Failure>>>,
        inquiry: Inquiry<'_>,
    ) -> Vec<Result<Parts, Failure>> {
        let Some(tips) = tips else {
            let holdings: Vec<Holding> = missed.iter().map(|missed| missed.holding).collect();
            #[cfg(feature = "rollup")]
            if self.head.is_of_rollup() {
                return self.rollup_tips(provider, &holdings, inquiry.deadline).await;
            }
            return self.proofs(provider, &holdings, At::Latest, None, inquiry.deadline).await;
        };
        let places: SortedSet<usize> = missed.iter().map(|missed| missed.place).collect();
        let of_missed = tips.into_iter().enumerate().filter(|(place, _)| places.contains(place));
        of_missed.map(|(_, tip)| tip).collect()
    }
}

/// Whether the provider may answer the same request for another block.
fn is_about_the_block(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::ProofWindowMissed | Failure::NotSynced | Failure::NoResult | Failure::Rpc { .. }
    )
}
