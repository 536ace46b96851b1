//! Requests proofs from one provider: chooses the block, the form of the call, and the size of the batch.

use alloy_primitives::B256;
use futures_util::future::join;
use saldo_chain::{Anchor, ExecutionHeader, Level};
use saldo_proof::StateRoot;
use saldo_reading::{Failure, Holding, ProviderId};
use saldo_source::execution::{At, Question, ask_together};
use saldo_source::{Deadline, Endpoint, SortedSet};
use saldo_token::Query;
use serde_json::value::RawValue;

use super::Proofs;
use super::access_list::Listed;
use super::plan::{Need, Parts, Plan};
use super::target::PinnedBlock;
use crate::env::takes_tips;
use crate::token_run::Meter;

/// The replies of one provider at the target block.
pub(super) struct Asked {
    /// The block, if its header is known.
    pub(super) pin: Option<PinnedBlock>,
    /// One reply for each holding.
    pub(super) replies: Vec<Reply>,
    /// The replies at the provider's own tip, if they were requested at the same time.
    pub(super) tips: Option<Vec<Result<Parts, Failure>>>,
}

/// The proofs of one holding, and whether the request had the block's hash. With a number, an honest provider
/// may mean another block.
pub(super) struct Reply {
    pub(super) result: Result<Parts, Failure>,
    pub(super) by_hash: bool,
}

impl Proofs {
    /// Requests proofs at a known block. A provider that recently proved only its tip is asked for its tip in
    /// the same request.
    pub(super) async fn at_anchor(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        anchor: &Anchor,
        level: Level,
        deadline: Deadline,
    ) -> Asked {
        let pin =
            PinnedBlock { hash: anchor.hash(), number: anchor.number(), state_root: anchor.state_root() };
        let known = self.capability(provider.id());
        if known.behind_tip || !takes_tips(level) || self.head.is_of_rollup() {
            let replies = self.pinned(provider, holdings, pin, deadline).await;
            self.learn_depth(provider, pin.number, replies.iter().map(|reply| &reply.result));
            return Asked { pin: Some(pin), replies, tips: None };
        }
        let at = if known.block_hash { At::Hash(pin.hash) } else { At::Number(pin.number) };
        let (pinned, latest) = (self.plan(holdings, at), self.plan(holdings, At::Latest));
        let questions = [pinned.questions.as_slice(), &latest.questions].concat();
        let mut each = self.together(provider, &questions, deadline).await;
        let tips = each.split_off(pinned.questions.len().min(each.len()));
        let (mut each, mut tips) = (pinned.collect(each), latest.collect(tips));
        self.complete(provider, holdings, at, Some(pin.state_root), &mut each, deadline).await;
        if each.iter().any(Result::is_err) {
            self.complete(provider, holdings, At::Latest, None, &mut tips, deadline).await;
        }
        if each.iter().any(Result::is_ok) {
            self.learn(provider.id(), |known| known.behind_tip = true);
        }
        let reply = |result| Reply { result, by_hash: known.block_hash };
        Asked { pin: Some(pin), replies: each.into_iter().map(reply).collect(), tips: Some(tips) }
    }

    /// Requests proofs at the block `pin` from one provider: by hash, and if the provider does not accept a
    /// hash, by number.
    async fn pinned(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        pin: PinnedBlock,
        deadline: Deadline,
    ) -> Vec<Reply> {
        if !self.capability(provider.id()).block_hash {
            let (at, root) = (At::Number(pin.number), Some(pin.state_root));
            let by_number = self.proofs(provider, holdings, at, root, deadline).await;
            return by_number.into_iter().map(|result| Reply { result, by_hash: false }).collect();
        }
        let (at, root) = (At::Hash(pin.hash), Some(pin.state_root));
        let by_hash = self.proofs(provider, holdings, at, root, deadline).await;
        let is_unread = |failure: &Failure| matches!(failure, Failure::Rpc { .. });
        self.or_by_number(provider, holdings, pin, by_hash, is_unread, deadline).await
    }

    /// Completes the replies `by_hash`: requests by number what the provider seems not to have understood
    /// (`is_unread`).
    async fn or_by_number(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        pin: PinnedBlock,
        by_hash: Vec<Result<Parts, Failure>>,
        is_unread: impl Fn(&Failure) -> bool,
        deadline: Deadline,
    ) -> Vec<Reply> {
        let is_unread = |reply: &Result<Parts, Failure>| reply.as_ref().is_err_and(&is_unread);
        let replies = holdings.iter().zip(&by_hash);
        let unread: Vec<Holding> =
            replies.filter(|(_, reply)| is_unread(reply)).map(|(holding, _)| *holding).collect();
        let (at, root) = (At::Number(pin.number), Some(pin.state_root));
        let by_number = self.proofs(provider, &unread, at, root, deadline).await;
        let mut by_number = by_number.into_iter().peekable();
        if by_number.peek().is_some_and(Result::is_ok) {
            self.learn(provider.id(), |known| known.block_hash = false);
        }
        let reply = |reply: Result<Parts, Failure>| match is_unread(&reply) {
            true => {
                let second = by_number.next().unwrap_or(Err(Failure::NoResult));
                let result = second.map_err(|failure| failure.or_what_was_seen(reply.err()));
                Reply { result, by_hash: false }
            }
            false => Reply { result: reply, by_hash: true },
        };
        by_hash.into_iter().map(reply).collect()
    }

    /// How many blocks the block of that number is behind the newest one: on a rollup behind the newest head that a provider showed.
    fn depth_of(&self, number: u64) -> Option<u64> {
        #[cfg(feature = "rollup")]
        if self.head.is_of_rollup() {
            return self.state().pending.newest_number()?.checked_sub(number);
        }
        self.head.depth_of(number)
    }

    /// Records the depth at which `provider` proves, from the results at the block of that `number`.
    pub(super) fn learn_depth<'a, T: 'a>(
        &self,
        provider: &Endpoint,
        number: u64,
        results: impl IntoIterator<Item = &'a Result<T, Failure>>,
    ) {
        let Some(depth) = self.depth_of(number) else { return };
        for result in results {
            match result {
                Ok(_) => self.learn(provider.id(), |known| known.depth.serves(depth)),
                Err(Failure::ProofWindowMissed) => {
                    self.learn(provider.id(), |known| known.depth.refuses(depth));
                }
                Err(_) => {}
            }
        }
    }

    /// The providers that are known not to prove at the block of that `number` any more. Empty for the newest
    /// block.
    pub(super) fn too_shallow(&self, number: u64) -> SortedSet<ProviderId> {
        let now = self.env.clock().monotonic();
        match self.depth_of(number) {
            None | Some(0) => SortedSet::new(),
            Some(depth) => self.state().capabilities.too_shallow(depth, now),
        }
    }

    /// Requests the header of this hash and proofs at its block from one provider, in one request if the
    /// provider accepts that. The header is attached to the chain.
    pub(super) async fn header_and_proofs(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        hash: B256,
        deadline: Deadline,
    ) -> Result<(ExecutionHeader, Vec<Reply>), Failure> {
        let known = self.capability(provider.id());
        if !known.block_hash {
            let header = self.header(provider, hash, deadline).await?;
            self.head.attach(&header);
            let replies = self.pinned(provider, holdings, PinnedBlock::of(&header), deadline).await;
            return Ok((header, replies));
        }
        let of_header = if known.json_header { Question::Block(hash) } else { Question::RawHeader(hash) };
        let plan = self.plan(holdings, At::Hash(hash));
        let questions: Vec<Question> = std::iter::once(&of_header).chain(&plan.questions).cloned().collect();
        let mut each = self.together(provider, &questions, deadline).await.into_iter();
        let reply = each.next().unwrap_or(Err(Failure::NoResult));
        let mut by_hash = plan.collect(each.collect());
        let header = self.read_header(provider, &of_header, reply, hash, deadline).await;
        // If the calls were sent one by one, the provider may have seen the addresses although the header
        // failed.
        let seen = by_hash.iter().find_map(|reply| match reply {
            Ok(_) => Some(Failure::NoResult),
            Err(failure) => failure.may_have_been_seen().then(|| failure.clone()),
        });
        let header = header.map_err(|failure| failure.or_what_was_seen(seen))?;
        self.head.attach(&header);
        // The provider has the block, because it gave the header. So any other failure may mean that it does
        // not accept a hash.
        let is_unread = |failure: &Failure| {
            matches!(
                failure,
                Failure::Rpc { .. } | Failure::NoResult | Failure::NotSynced | Failure::Malformed { .. }
            )
        };
        let pin = PinnedBlock::of(&header);
        let (at, root) = (At::Hash(hash), Some(pin.state_root));
        self.complete(provider, holdings, at, root, &mut by_hash, deadline).await;
        let replies = self.or_by_number(provider, holdings, pin, by_hash, is_unread, deadline).await;
        Ok((header, replies))
    }

    /// Requests the proofs of `holdings` at the block `at`, whose state root is `root` if its header is known.
    pub(super) async fn proofs(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        at: At,
        root: Option<StateRoot>,
        deadline: Deadline,
    ) -> Vec<Result<Parts, Failure>> {
        let plan = self.plan(holdings, at);
        let mut each = plan.collect(self.together(provider, &plan.questions, deadline).await);
        self.complete(provider, holdings, at, root, &mut each, deadline).await;
        each
    }

    /// The most further requests for tokens of which it was not known what their balances need. A token behind a beacon needs
    /// four: the beacon, its pointer, the implementation, and the slot. Code that is run asks for one contract after another.
    const MORE: usize = if cfg!(feature = "execute") { 16 } else { 5 };
    /// The most questions about the balance of one token, all requests together.
    const QUESTIONS: usize = 256;

    /// Requests the proofs of tokens again, as long as the answers `each` show that more of them is needed.
    async fn complete(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        at: At,
        root: Option<StateRoot>,
        each: &mut [Result<Parts, Failure>],
        deadline: Deadline,
    ) {
        let mut asked: Vec<usize> = each.iter().map(|parts| parts.as_ref().map_or(0, count)).collect();
        let mut listed = Listed::new();
        // The code of a token runs again in each round.
        let mut meters = vec![Meter::default(); each.len()];
        for round in 0..=Self::MORE {
            let mut again: Vec<(usize, Query)> = Vec::new();
            let metered = each.iter_mut().zip(&mut meters);
            for (place, (holding, (parts, meter))) in holdings.iter().zip(metered).enumerate() {
                let Ok(parts) = parts else { continue };
                let needed = self.needs_more(*holding, parts, root, meter);
                if meter.is_over() {
                    parts.mark_over();
                    continue;
                }
                let Some(query) = needed else { continue };
                let is_much = asked.get(place).is_some_and(|asked| *asked >= Self::QUESTIONS);
                if round == Self::MORE || is_much {
                    parts.mark_over();
                } else {
                    again.push((place, query));
                }
            }
            if again.is_empty() || self.env.time_left(deadline).is_zero() {
                return;
            }
            let guessed = std::mem::take(&mut listed);
            for (place, query) in &mut again {
                guessed.get(place).into_iter().for_each(|more| query.merge(more.clone()));
            }
            let of_place = |place: usize| Some((place, *holdings.get(place)?));
            let unlisted =
                again.iter().filter(|_| round == 0).filter_map(|(place, _)| of_place(*place)).collect();
            let (places, needs): (Vec<usize>, Vec<Need>) =
                again.into_iter().map(|(place, query)| (place, Need::Token(query))).unzip();
            let plan = Plan::new(&needs, at);
            let asking = self.together(provider, &plan.questions, deadline);
            let (results, lists) = join(asking, self.access_lists(provider, unlisted, at, deadline)).await;
            listed = lists;
            for ((place, count), answer) in places.into_iter().zip(plan.counts()).zip(plan.collect(results)) {
                let (Some(parts), Some(asked)) = (each.get_mut(place), asked.get_mut(place)) else {
                    continue;
                };
                *asked = asked.saturating_add(count);
                // The provider answered before, so it may have seen the address, although it did not see this request.
                if answer.as_ref().err().is_none_or(Failure::may_have_been_seen) {
                    *parts = answer.map(|parts| parts.guessed(guessed.contains_key(&place)));
                }
            }
        }
    }

    pub(super) async fn together(
        &self,
        provider: &Endpoint,
        questions: &[Question],
        deadline: Deadline,
    ) -> Vec<Result<Box<RawValue>, Failure>> {
        let known = self.capability(provider.id()).batch;
        let together =
            ask_together(self.env.dispatcher.io(), provider, questions, known, self.env.time_left(deadline))
                .await;
        self.learn_batch(provider.id(), known, together.batch);
        together.each
    }
}

impl Asked {
    pub(super) fn nothing(holdings: &[Holding], failure: &Failure) -> Self {
        let reply = |_| Reply { result: Err(failure.clone()), by_hash: false };
        Self { pin: None, replies: holdings.iter().map(reply).collect(), tips: None }
    }
}

/// The number of questions that were asked for `parts`.
fn count(parts: &Parts) -> usize {
    parts.pieces().len()
}
