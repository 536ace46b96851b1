//! Headers of a rollup by their number, and proofs at its head with the header of that block.

use std::ops::Range;

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::join_all;
use saldo_beacon::unit::UnixTime;
use saldo_chain::ExecutionHeader;
use saldo_proof::StateRoot;
use saldo_reading::{Attempt, Failure, Holding, Outcome, ProviderId, Role};
use saldo_source::execution::{At, Question};
use saldo_source::{Answer, Deadline, Endpoint, IntoBoxed, MaybeSend, MaybeSync, SortedSet};
use serde_json::value::RawValue;

use super::Proofs;
use super::header::not_synced;
use super::plan::Parts;

impl Proofs {
    /// The blocks at which pending proofs were taken, newest first. Nothing says that they are in the chain.
    pub(crate) fn pending_headers(&self) -> Vec<ExecutionHeader> {
        self.state().pending.headers()
    }

    /// The state roots of the newest proof of each holding and provider among those with `roots`.
    pub(crate) fn newest_pending_of_each(&self, roots: &SortedSet<B256>) -> SortedSet<B256> {
        self.state().pending.newest_of_each(roots)
    }

    /// Drops a header in whose place L1 vouches for another block, and the pending proofs that no other header has.
    pub(crate) fn drop_header(&self, header: &ExecutionHeader) {
        self.state().pending.drop_header(header);
    }

    /// Notes that no provider gave the headers that link this one.
    pub(crate) fn note_unlinked(&self, header: &ExecutionHeader) {
        self.state().pending.note_unlinked(header.hash());
    }

    /// Requests the header of the block of that number in hedged requests, until `read` takes one.
    pub(crate) async fn fetch_header_at<T: MaybeSend>(
        &self,
        number: u64,
        read: impl Fn(&ExecutionHeader) -> Option<T> + MaybeSync,
        deadline: Deadline,
    ) -> Option<T> {
        let questions = [Question::BlockAt(At::Number(number))];
        let (read, questions) = (&read, questions.as_slice());
        let ask = |provider| {
            let headers = self.headers(provider, questions, deadline);
            let answer = move |headers: Result<Vec<ExecutionHeader>, Failure>| match headers {
                // Another block of that number, as on another fork. It is no false proof.
                Ok(headers) => headers
                    .first()
                    .and_then(read)
                    .map_or(Answer::Failed(Failure::NotSynced), Answer::Accepted),
                Err(failure) => Answer::Failed(failure),
            };
            headers.map(answer).into_boxed()
        };
        let result = self.env.hedge(Role::Execution, "eth_getBlockByNumber", deadline, ask).await;
        result.winner.map(|(_, header)| header)
    }

    /// Requests the headers of the blocks with these numbers in hedged requests, until `read` takes those of one provider.
    pub(crate) async fn fetch_headers<T: MaybeSend>(
        &self,
        numbers: Range<u64>,
        read: impl Fn(&[ExecutionHeader]) -> Option<T> + MaybeSync,
        deadline: Deadline,
    ) -> Option<T> {
        if numbers.is_empty() {
            return read(&[]);
        }
        let questions: Vec<Question> = numbers.map(|number| Question::BlockAt(At::Number(number))).collect();
        let (read, questions) = (&read, questions.as_slice());
        let ask = |provider| {
            let headers = self.headers(provider, questions, deadline);
            let answer = move |headers: Result<Vec<ExecutionHeader>, Failure>| match headers {
                Ok(headers) => read(&headers).map_or(Answer::Failed(Failure::NotSynced), Answer::Accepted),
                Err(failure) => Answer::Failed(failure),
            };
            headers.map(answer).into_boxed()
        };
        let result = self.env.hedge(Role::Execution, "eth_getBlockByNumber, many", deadline, ask).await;
        result.winner.map(|(_, headers)| headers)
    }

    /// The time of the newest head that a provider showed.
    pub(crate) fn newest_head_time(&self) -> Option<UnixTime> {
        self.state().pending.newest_header_time()
    }

    /// Whether some provider may prove at the block of that number, which is older than its head.
    pub(crate) fn may_prove_at(&self, number: u64) -> bool {
        let too_shallow = self.too_shallow(number);
        self.env.execution.iter().any(|provider| !too_shallow.contains(provider.id()))
    }

    /// Asks all providers for their heads at the same time. Returns the operator and the time of each that answered.
    pub(crate) async fn ask_for_heads(&self, deadline: Deadline) -> Vec<(String, UnixTime)> {
        let willing =
            self.env.dispatcher.willing(Role::Execution, "eth_getBlockByNumber", &self.env.execution);
        let ask = |provider: &'_ Endpoint| {
            let provider = provider.clone();
            async move {
                let head = self.one_header(&provider, At::Latest, deadline).await?;
                Some((provider.operator_key(), head.timestamp()))
            }
        };
        let heads = join_all(willing.into_iter().map(ask)).await;
        heads.into_iter().flatten().collect()
    }

    /// The block of the root that `provider` showed.
    pub(crate) fn head_with(&self, provider: &ProviderId, root: StateRoot) -> Option<ExecutionHeader> {
        self.state().pending.head_with(provider, root)
    }

    /// Asks one provider of each other operator for the block of that number, at the same time. Returns how many operators name this block,
    /// with that of `provider`, which showed it.
    pub(crate) async fn ask_who_names(
        &self,
        provider: &ProviderId,
        header: &ExecutionHeader,
        deadline: Deadline,
    ) -> usize {
        let own = self.env.execution.iter().find(|endpoint| endpoint.id() == provider);
        let mut operators: SortedSet<String> = own.map(Endpoint::operator_key).into_iter().collect();
        let mut asked = operators.clone();
        let willing =
            self.env.dispatcher.willing(Role::Execution, "eth_getBlockByNumber", &self.env.execution);
        let others: Vec<Endpoint> =
            willing.into_iter().filter(|endpoint| asked.insert(endpoint.operator_key())).cloned().collect();
        let ask = async |endpoint: &Endpoint| {
            let named = self.one_header(endpoint, At::Number(header.number()), deadline).await?;
            (named.hash() == header.hash()).then(|| endpoint.operator_key())
        };
        operators.extend(join_all(others.iter().map(ask)).await.into_iter().flatten());
        operators.len()
    }

    /// Asks one provider for a header, beside the hedged requests. One that asks to wait is backed off. Other failures do not count: a
    /// missing header is no reason to ask for fewer proofs.
    async fn one_header(&self, provider: &Endpoint, at: At, deadline: Deadline) -> Option<ExecutionHeader> {
        if self.env.time_left(deadline).is_zero() {
            return None;
        }
        let began = self.env.clock().monotonic();
        let named = self.headers(provider, &[Question::BlockAt(at)], deadline).await;
        let named = named.and_then(|mut headers| headers.pop().ok_or(Failure::NoResult));
        if let Err(failure @ (Failure::RateLimited { .. } | Failure::QuotaExhausted)) = &named {
            let took = self.env.clock().monotonic().saturating_sub(began);
            let (provider, outcome) = (provider.id().clone(), Outcome::Failed(failure.clone()));
            let attempt = Attempt { provider, role: Role::Execution, outcome, took, over_policy: false };
            self.env.dispatcher.note("eth_getBlockByNumber", &[attempt]);
        }
        named.ok()
    }

    async fn headers(
        &self,
        provider: &Endpoint,
        questions: &[Question],
        deadline: Deadline,
    ) -> Result<Vec<ExecutionHeader>, Failure> {
        let replies = self.together(provider, questions, deadline).await;
        replies.into_iter().map(header_of).collect()
    }

    /// Requests proofs at the head of one provider of a rollup, and the header of that block, which is kept with them: with its number
    /// the block is found again when L1 vouches for a later one.
    pub(super) async fn rollup_tips(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> Vec<Result<Parts, Failure>> {
        let latest = Question::BlockAt(At::Latest);
        let head = match self.headers(provider, std::slice::from_ref(&latest), deadline).await {
            Ok(mut headers) => headers.pop().ok_or(Failure::NoResult),
            Err(failure) => Err(failure),
        };
        let head = match head {
            Ok(head) => head,
            Err(failure) => return holdings.iter().map(|_| Err(failure.clone())).collect(),
        };
        self.state().pending.keep_header(provider.id(), head.clone());
        let (at, root) = (At::Number(head.number()), Some(head.state_root()));
        let mut each = self.proofs(provider, holdings, at, root, deadline).await;
        let is_missed = |result: &Result<Parts, Failure>| {
            matches!(result, Err(Failure::ProofWindowMissed | Failure::NotSynced | Failure::NoResult))
        };
        if !each.iter().any(is_missed) {
            return each;
        }
        // It serves nothing but its head, which is a block further by now.
        let plan = self.plan(holdings, At::Latest);
        let questions = [plan.questions.as_slice(), &[latest]].concat();
        let mut replies = self.together(provider, &questions, deadline).await;
        if let Some(Ok(head)) = replies.pop().map(header_of) {
            self.state().pending.keep_header(provider.id(), head);
        }
        for (place, again) in plan.collect(replies).into_iter().enumerate() {
            if let Some(result) = each.get_mut(place).filter(|result| is_missed(result)) {
                *result = again;
            }
        }
        each
    }
}

fn header_of(reply: Result<Box<RawValue>, Failure>) -> Result<ExecutionHeader, Failure> {
    Ok(ExecutionHeader::from_json_as_named(reply.map_err(not_synced)?.get().as_bytes())?)
}
