//! One call: several questions side by side, as a pure state machine. It knows no clock, no lock and no future.
//!
//! The driver polls until [`Action::Wait`], sends what [`Action::Send`] says, and polls again after an answer
//! ([`HedgedCall::handle_answers`]) or at [`HedgedCall::timeout`] ([`HedgedCall::handle_timeout`]).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use saldo_reading::{Attempt, Outcome, ProviderId};

use super::candidate::Candidate;
use super::poll_budgets::PollBudgets;
use super::request::{Call, HedgedRequest};
use super::{Answer, Ask, DisclosureSet, Hedged};
use crate::batch_size::LARGEST_BATCH;
use crate::budget::Budgets;
use crate::endpoint::Endpoint;
use crate::sorted::{SortedMap, SortedSet};

/// How many questions begin together: four full batches. The delays of a question count from its own beginning, so a provider that is busy
/// with many questions does not seem silent.
const TOGETHER: usize = 4 * LARGEST_BATCH;

/// What the driver does next.
#[derive(Debug)]
pub(super) enum Action<'a> {
    /// Send these questions to that provider in one request. Its answers are in the same order.
    Send { endpoint: &'a Endpoint, asks: Vec<Ask> },
    /// Wait for an answer or the timeout.
    Wait,
    /// The call is over.
    Done,
}

/// The hedged requests of one call. All moments are on the monotonic clock.
pub(super) struct HedgedCall<'a, T> {
    call: Call,
    candidates: Vec<Arc<Candidate<'a>>>,
    /// The requests that have begun, in the order of the questions.
    requests: Vec<HedgedRequest<'a, T>>,
    /// The positions of the requests without a winner.
    open: Vec<usize>,
    /// The questions whose requests have not begun.
    waiting: VecDeque<DisclosureSet>,
    /// Whether a question has a winner.
    has_winner: bool,
    /// The providers that had questions in hand for longer than the hedge delay, or failed in all of them, and have given no answer
    /// since.
    late: SortedSet<ProviderId>,
    /// When each provider gave an answer last.
    answered: SortedMap<ProviderId, Duration>,
    is_over: bool,
    /// What is to be sent, from the last look at the requests.
    outbox: VecDeque<(&'a Endpoint, Vec<Ask>)>,
    /// Whether the requests were looked at since the last [`Action::Wait`].
    has_looked: bool,
    /// How many sent requests have no answer yet.
    in_flight: usize,
    /// When the requests were looked at last. Answers may have come after that without a look at them.
    looked: Duration,
}

/// What came of a call.
pub(super) struct Finished<T> {
    /// One for each question, in their order.
    pub(super) results: Vec<Hedged<T>>,
    /// The best attempt at each provider.
    pub(super) attempts: Vec<Attempt>,
    /// An attempt that was overtaken sooner than this does not count against its provider.
    pub(super) hedge_delay: Duration,
    pub(super) now: Duration,
}

impl<'a, T> HedgedCall<'a, T> {
    pub(super) fn new(
        call: Call,
        candidates: Vec<Arc<Candidate<'a>>>,
        disclosures: Vec<DisclosureSet>,
    ) -> Self {
        Self {
            call,
            candidates,
            requests: Vec::with_capacity(disclosures.len()),
            open: Vec::new(),
            waiting: disclosures.into(),
            has_winner: false,
            late: SortedSet::new(),
            answered: SortedMap::new(),
            is_over: false,
            outbox: VecDeque::new(),
            has_looked: false,
            in_flight: 0,
            looked: call.began,
        }
    }

    /// What to do at `now`.
    pub(super) fn poll(&mut self, now: Duration, budgets: &mut Budgets) -> Action<'a> {
        if self.is_over {
            return Action::Done;
        }
        while self.outbox.is_empty() && !self.has_looked {
            self.looked = now;
            self.outbox = self.due(now, budgets);
            // What is open comes first: it knows by now what it waits for.
            self.has_looked = self.outbox.is_empty() && !self.begin_some(now);
        }
        if let Some((endpoint, asks)) = self.outbox.pop_front() {
            self.in_flight = self.in_flight.saturating_add(1);
            return Action::Send { endpoint, asks };
        }
        self.has_looked = false;
        let is_stuck = self.in_flight == 0 && self.next_timeout().is_none();
        if self.open.is_empty() || is_stuck { Action::Done } else { Action::Wait }
    }

    /// When to call [`HedgedCall::handle_timeout`] if no answer comes before.
    pub(super) fn timeout(&self) -> Duration {
        self.next_timeout().map_or(self.call.ends, |at| at.min(self.call.ends))
    }

    /// Time has passed until `now`. At the deadline the call is over; an answer that comes with the deadline still counts.
    pub(super) fn handle_timeout(&mut self, now: Duration) {
        self.is_over |= now >= self.call.ends;
    }

    /// Takes the answers to one [`Action::Send`].
    pub(super) fn handle_answers(
        &mut self,
        now: Duration,
        endpoint: &Endpoint,
        asks: &[Ask],
        answers: Vec<Answer<T>>,
    ) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.note_answers(now, endpoint.id(), &answers);
        for (ask, answer) in asks.iter().zip(answers) {
            if let Some(request) = self.requests.get_mut(ask.item) {
                request.handle_answer(endpoint, answer, now);
            }
        }
        let (requests, before) = (&self.requests, self.open.len());
        self.open.retain(|item| requests.get(*item).is_some_and(|request| !request.is_won()));
        self.has_winner |= self.open.len() < before;
    }

    /// The questions need no answers any more: requests without an outcome count as overtaken.
    pub(super) fn cancel(&mut self) {
        self.requests.iter_mut().for_each(HedgedRequest::cancel);
    }

    /// Ends the call at `now`, or without it when the requests were looked at last.
    pub(super) fn finish(mut self, now: Option<Duration>) -> Finished<T> {
        let now = now.unwrap_or(self.looked);
        self.begin(usize::MAX, now);
        let hedge_delay = self.requests.iter().map(HedgedRequest::hedge_delay).max().unwrap_or_default();
        let mut best = BestAttempts::default();
        let finish = |request: HedgedRequest<'a, T>| {
            let (hedged, sent) = request.finish(now);
            best.add(&sent);
            hedged
        };
        let results = self.requests.into_iter().map(finish).collect();
        let attempts = best.of.into_values().collect();
        Finished { results, attempts, hedge_delay, now }
    }

    fn note_answers(&mut self, now: Duration, provider: &ProviderId, answers: &[Answer<T>]) {
        if answers.iter().any(|answer| matches!(answer, Answer::Accepted(_) | Answer::Pending { .. })) {
            self.late.remove(provider);
            self.answered.insert(provider.clone(), now);
        } else if answers.iter().any(|answer| answer.failure().is_some()) {
            self.late.insert(provider.clone());
        }
    }

    /// Begins some of the waiting questions if few of the open ones are in the hands of a provider that is still in time; before the first
    /// winner, if none is. Returns whether it did.
    ///
    /// The more are overdue, the more begin, and providers that are late are asked after the others. Where all are late, nothing more
    /// begins while one may still answer: it asked for a pause, or takes few questions in a second. If none has answered by half the
    /// time, all begin, so that each question has its own attempts. What never begins ends without any.
    fn begin_some(&mut self, now: Duration) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let overdue = self.open().filter(|request| request.is_overdue(now));
        let overdue: Vec<&HedgedRequest<'a, T>> = overdue.collect();
        let (count, most_in_time) = (overdue.len(), if self.has_winner { TOGETHER } else { 0 });
        if self.open.len().saturating_sub(count) > most_in_time {
            return false;
        }
        let mut late = SortedSet::new();
        for request in overdue {
            let is_silent = |provider: &ProviderId| {
                self.answered.get(provider).is_none_or(|at| now >= at.saturating_add(request.hedge_delay()))
            };
            late.extend(request.late(now).filter(is_silent));
        }
        self.late.extend(late);
        let are_all_late =
            self.candidates.iter().all(|candidate| self.late.contains(candidate.endpoint.id()));
        if !are_all_late || self.open.is_empty() {
            self.begin(TOGETHER.max(count), now);
            return true;
        }
        let may_change = self.in_flight > 0 || self.open().any(|request| request.timeout().is_some());
        if may_change && (self.has_winner || now < self.call.half_time()) {
            return false;
        }
        self.begin(usize::MAX, now);
        true
    }

    /// Begins so many of the waiting questions at most.
    fn begin(&mut self, most: usize, now: Duration) {
        let call = Call { began: now, ..self.call };
        for mut disclosure in self.waiting.drain(..most.min(self.waiting.len())) {
            disclosure.last.extend(self.late.iter().cloned());
            self.open.push(self.requests.len());
            self.requests.push(HedgedRequest::new(call, &self.candidates, disclosure));
        }
    }

    fn open(&self) -> impl Iterator<Item = &HedgedRequest<'a, T>> {
        self.open.iter().filter_map(|item| self.requests.get(*item))
    }

    /// What the open requests send at `now`, one entry for each provider.
    fn due(&mut self, now: Duration, budgets: &mut Budgets) -> VecDeque<(&'a Endpoint, Vec<Ask>)> {
        let mut budgets = PollBudgets::new(budgets);
        let mut due: VecDeque<(&'a Endpoint, Vec<Ask>)> = VecDeque::new();
        for item in self.open.iter().copied() {
            let Some(request) = self.requests.get_mut(item) else { continue };
            for (endpoint, over_policy) in request.poll(now, &mut budgets) {
                let ask = Ask { item, over_policy };
                match due.iter_mut().find(|(known, _)| known.id() == endpoint.id()) {
                    Some((_, asks)) => asks.push(ask),
                    None => due.push_back((endpoint, vec![ask])),
                }
            }
        }
        due
    }

    fn next_timeout(&self) -> Option<Duration> {
        let timeout = self.open().filter_map(HedgedRequest::timeout).min();
        // A request that becomes overdue makes room for others.
        let in_time = self.open().filter(|request| !request.is_overdue(self.looked));
        let overdue = in_time.map(HedgedRequest::overdue_at).min();
        let half_time = Some(self.call.half_time()).filter(|half_time| self.looked < *half_time);
        let waiting = overdue.into_iter().chain(half_time).filter(|_| !self.waiting.is_empty());
        timeout.into_iter().chain(waiting).min()
    }
}

/// One attempt for each provider: its best. Of equals the first.
#[derive(Default)]
struct BestAttempts {
    of: SortedMap<ProviderId, Attempt>,
}

impl BestAttempts {
    fn add(&mut self, attempts: &[Attempt]) {
        for attempt in attempts {
            if self.of.get(&attempt.provider).is_none_or(|held| rank(attempt) > rank(held)) {
                self.of.insert(attempt.provider.clone(), attempt.clone());
            }
        }
    }
}

fn rank(attempt: &Attempt) -> u8 {
    match attempt.outcome {
        Outcome::Joined | Outcome::Accepted | Outcome::Named { .. } => 3,
        Outcome::Pending => 2,
        Outcome::Failed(_) => 1,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
