//! One question: which provider is asked when, and how it ends. Pure: time and budgets come from the caller.

use std::sync::Arc;
use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};

use super::asked::{Asked, InFlight, decisive_of_each};
use super::candidate::Candidate;
use super::poll_budgets::PollBudgets;
use super::queue::Queue;
use super::retry::{self, FIRST_RESEND, Pauses, RESENDS, ROUNDS};
use super::{Answer, DisclosureSet, Hedged};
use crate::endpoint::Endpoint;

/// What all questions of one call have in common. All moments are on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) role: Role,
    pub(super) began: Duration,
    pub(super) ends: Duration,
    pub(super) pauses: Pauses,
}

impl Call {
    pub(super) fn half_time(&self) -> Duration {
        let whole = self.ends.saturating_sub(self.began);
        self.began.saturating_add(whole.checked_div(2).unwrap_or_default())
    }
}

/// One question on its way to an accepted answer.
pub(super) struct HedgedRequest<'a, T> {
    call: Call,
    queue: Queue<'a>,
    asked: Asked<'a>,
    winner: Option<(ProviderId, T)>,
    phase: Phase,
    /// How long the first provider is waited for before another is asked as well.
    hedge_delay: Duration,
    last_sent: Duration,
    /// Whether another provider may be asked because the first one is slow.
    may_hedge: bool,
    /// Whether a provider claimed something whose earlier claim was confirmed.
    awaits_claim: bool,
    /// When the next round of retries is due.
    retry_at: Option<Duration>,
    /// How many rounds of retries there were.
    rounds: usize,
    /// How many times providers asked to wait.
    waits: u32,
    /// How many times providers were asked again because they are silent.
    resends: u32,
    /// Whether failures that may pass were asked again although another provider is silent.
    has_retried_beside: bool,
    is_cancelled: bool,
}

/// Which provider is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The best one.
    Primary,
    /// One more, of another operator if possible.
    Hedge,
    /// All others that the policy allows.
    FanOut,
    /// All others.
    OverPolicy,
    /// Those that were backed off, and those whose failure may have passed.
    Retry,
}

impl<'a, T> HedgedRequest<'a, T> {
    pub(super) fn new(call: Call, candidates: &[Arc<Candidate<'a>>], disclosure: DisclosureSet) -> Self {
        let queue = Queue::new(candidates, disclosure);
        let hedge_delay = queue.first().map_or(Duration::ZERO, |first| first.hedge_delay);
        // With little time left all phases come sooner.
        let quarter = call.ends.saturating_sub(call.began).checked_div(4).unwrap_or_default();
        Self {
            call,
            queue,
            asked: Asked::default(),
            winner: None,
            phase: Phase::Primary,
            hedge_delay: hedge_delay.min(quarter),
            last_sent: call.began,
            may_hedge: true,
            awaits_claim: false,
            retry_at: None,
            rounds: 0,
            waits: 0,
            resends: 0,
            has_retried_beside: false,
            is_cancelled: false,
        }
    }

    pub(super) fn is_won(&self) -> bool {
        self.winner.is_some()
    }

    pub(super) fn hedge_delay(&self) -> Duration {
        self.hedge_delay
    }

    /// Whether no provider has it in hand that is still in time: the first one was waited for, or all that were asked have failed.
    pub(super) fn is_overdue(&self, now: Duration) -> bool {
        now >= self.overdue_at() || self.asked.is_idle()
    }

    /// When the first provider was waited for long enough.
    pub(super) fn overdue_at(&self) -> Duration {
        self.after(1)
    }

    /// The providers that have it in hand for longer than the hedge delay.
    pub(super) fn late(&self, now: Duration) -> impl Iterator<Item = ProviderId> {
        let sent_by = now.saturating_sub(self.hedge_delay);
        self.asked.in_flight_since(sent_by).map(|candidate| candidate.endpoint.id().clone())
    }

    /// The providers to ask at `now`, and whether each is over the policy.
    pub(super) fn poll(&mut self, now: Duration, budgets: &mut PollBudgets<'_>) -> Vec<(&'a Endpoint, bool)> {
        let mut due = Vec::new();
        while self.winner.is_none() {
            let Some(next) = self.next(now, budgets) else { break };
            for candidate in next {
                let endpoint = candidate.endpoint;
                let over_policy = !self.queue.is_within_policy(&candidate.operator, &self.asked);
                self.last_sent = now;
                self.asked.send(candidate, over_policy, now);
                due.push((endpoint, over_policy));
            }
        }
        due
    }

    /// When to poll again if no answer comes before; `None` if only an answer matters.
    pub(super) fn timeout(&self) -> Option<Duration> {
        match self.phase {
            _ if self.is_won() => None,
            Phase::Primary => None,
            Phase::Hedge => Some(self.after(if self.may_hedge { 1 } else { 2 })),
            Phase::FanOut => Some(self.after(2)),
            Phase::OverPolicy => self.queue.has_over_policy().then(|| self.over_policy_at()),
            Phase::Retry if self.asked.is_idle() => self.retry_at,
            Phase::Retry => {
                let last_resort = self.last_resort().map(|at| at.max(self.call.half_time()));
                last_resort.into_iter().chain(self.retry_beside_at()).chain(self.resend_at()).min()
            }
        }
    }

    /// Takes the answer of `endpoint`.
    pub(super) fn handle_answer(&mut self, endpoint: &Endpoint, answer: Answer<T>, now: Duration) {
        let Some(request) = self.asked.in_flight_to(endpoint.id()) else { return };
        let outcome = match answer {
            // The provider's turn comes again with those over the policy.
            Answer::Withheld { operators } => {
                if let Some(candidate) = self.asked.withdraw(request) {
                    self.queue.put_back(candidate, operators);
                }
                if self.phase == Phase::Retry {
                    self.phase = Phase::OverPolicy;
                }
                return;
            }
            Answer::Accepted(value) if self.winner.is_none() => {
                self.winner = Some((endpoint.id().clone(), value));
                match self.call.role {
                    Role::Execution => Outcome::Joined,
                    Role::Beacon | Role::Checkpoint => Outcome::Accepted,
                }
            }
            Answer::Accepted(_) => Outcome::Overtaken,
            Answer::Pending { was_right_before } => {
                // The claim is worth waiting for, so no provider over the policy is asked meanwhile.
                if was_right_before && !self.asked.is_over_policy(request) {
                    self.queue.forbid_over_policy();
                    self.awaits_claim = true;
                }
                Outcome::Pending
            }
            Answer::Failed(failure) => {
                self.back_off(request, &failure, now);
                Outcome::Failed(failure)
            }
        };
        self.asked.end(request, outcome, now);
    }

    /// The question needs no answer any more: requests without an outcome count as overtaken.
    pub(super) fn cancel(&mut self) {
        self.is_cancelled = true;
    }

    /// How it ended, and an attempt for each request that was sent.
    pub(super) fn finish(self, now: Duration) -> (Hedged<T>, Vec<Attempt>) {
        let is_overtaken = self.is_won() || self.is_cancelled;
        let unfinished = if is_overtaken { Outcome::Overtaken } else { Outcome::Unfinished };
        let held_back = !self.is_won() && self.queue.is_held_back(&self.asked);
        let role = self.call.role;
        let sent = self.asked.into_attempts(role, &unfinished, now);
        let mut attempts = decisive_of_each(&sent);
        if self.winner.is_none() {
            for backed_off in self.queue.into_backed_off() {
                let provider = backed_off.candidate.endpoint.id().clone();
                if sent.iter().all(|attempt| attempt.provider != provider) {
                    let outcome = Outcome::Failed(backed_off.why);
                    let took = Duration::ZERO;
                    attempts.push(Attempt { provider, role, outcome, took, over_policy: false });
                }
            }
        }
        (Hedged { winner: self.winner, attempts, held_back }, sent)
    }

    /// The providers to ask now, after which there may be more; `None` if there is nothing to do before the timeout.
    fn next(&mut self, now: Duration, budgets: &mut PollBudgets<'_>) -> Option<Vec<Arc<Candidate<'a>>>> {
        let has_within_policy = self.queue.has_within_policy(&self.asked);
        match self.phase {
            Phase::Primary | Phase::Hedge | Phase::FanOut if !has_within_policy => {
                self.phase = Phase::OverPolicy;
                Some(Vec::new())
            }
            // An operator turned out not to have been reached, so the policy allows another.
            Phase::OverPolicy | Phase::Retry if has_within_policy => {
                Some(self.queue.take_within_policy(1, &self.asked))
            }
            Phase::Primary => {
                self.phase = Phase::Hedge;
                budgets.earn();
                Some(self.queue.take_within_policy(1, &self.asked))
            }
            Phase::Hedge => self.hedge(now, budgets),
            Phase::FanOut => self.fan_out(now),
            Phase::OverPolicy => self.over_policy(now),
            Phase::Retry => self.retry(now, budgets),
        }
    }

    fn hedge(&mut self, now: Duration, budgets: &mut PollBudgets<'_>) -> Option<Vec<Arc<Candidate<'a>>>> {
        let is_due = self.asked.is_idle() || now >= self.after(2);
        if !is_due {
            if now < self.after(1) || !self.may_hedge {
                return None;
            }
            self.may_hedge = budgets.spend_hedge();
            if !self.may_hedge {
                return None;
            }
        }
        self.phase = Phase::FanOut;
        Some(self.queue.take_unlike_in_flight(&self.asked))
    }

    fn fan_out(&mut self, now: Duration) -> Option<Vec<Arc<Candidate<'a>>>> {
        if !self.asked.is_idle() && now < self.after(2) {
            return None;
        }
        self.phase = Phase::OverPolicy;
        Some(self.queue.take_within_policy(usize::MAX, &self.asked))
    }

    fn over_policy(&mut self, now: Duration) -> Option<Vec<Arc<Candidate<'a>>>> {
        if !self.queue.has_over_policy() {
            self.phase = Phase::Retry;
            return Some(Vec::new());
        }
        if !self.asked.is_idle() && now < self.over_policy_at() {
            return None;
        }
        self.phase = Phase::Retry;
        Some(self.queue.take_all())
    }

    fn retry(&mut self, now: Duration, budgets: &mut PollBudgets<'_>) -> Option<Vec<Arc<Candidate<'a>>>> {
        if !self.asked.is_idle() {
            // A provider that did not answer within half the time may never answer.
            if now >= self.call.half_time() && self.last_resort().is_some_and(|at| at <= now) {
                return Some(self.queue.take_last_resorts(now, &self.asked));
            }
            return self.retry_beside(now, budgets).or_else(|| self.resend(now, budgets));
        }
        if self.retry_at.is_none_or(|at| at > now) {
            self.retry_at = self.retry_at.or_else(|| self.next_round(now));
            return None;
        }
        self.retry_at = None;
        let mut next = self.queue.take_last_resorts(now, &self.asked);
        let transient = if self.may_retry_transient() { self.asked.transient() } else { Vec::new() };
        if !transient.is_empty() && (!next.is_empty() || budgets.spend_retry(count_calls(&transient))) {
            self.rounds = self.rounds.saturating_add(1);
            next.extend(transient);
        } else if next.is_empty() {
            self.rounds = ROUNDS;
        }
        Some(next)
    }

    /// Some providers failed in a way that may pass, and another one is silent. It may never answer, so the others are asked again once.
    fn retry_beside(
        &mut self,
        now: Duration,
        budgets: &mut PollBudgets<'_>,
    ) -> Option<Vec<Arc<Candidate<'a>>>> {
        if self.retry_beside_at().is_none_or(|at| at > now) {
            return None;
        }
        self.has_retried_beside = true;
        let transient = self.asked.transient();
        let may_retry = budgets.spend_retry(count_calls(&transient));
        self.rounds = self.rounds.saturating_add(1);
        may_retry.then_some(transient)
    }

    /// When failures that may pass are asked again although another provider is silent.
    fn retry_beside_at(&self) -> Option<Duration> {
        let may_retry = !self.has_retried_beside && self.may_retry_transient();
        let silence = self.hedge_delay.saturating_mul(FIRST_RESEND);
        let has_failed = may_retry && !self.asked.transient().is_empty();
        has_failed.then(|| self.last_sent.saturating_add(silence))
    }

    /// All providers were asked, and none has answered. A request can be lost although its server works, so the silent ones are
    /// asked again, on another connection, after pauses that double.
    fn resend(&mut self, now: Duration, budgets: &mut PollBudgets<'_>) -> Option<Vec<Arc<Candidate<'a>>>> {
        if self.resend_at().is_none_or(|at| at > now) {
            return None;
        }
        let silent = self.asked.silent();
        let may_resend = budgets.spend_resend(count_calls(&silent));
        self.resends = if may_resend { self.resends.saturating_add(1) } else { RESENDS };
        may_resend.then_some(silent)
    }

    /// When silent providers are asked again.
    fn resend_at(&self) -> Option<Duration> {
        let pause = self.hedge_delay.saturating_mul(FIRST_RESEND.checked_shl(self.resends)?);
        let may_resend = self.resends < RESENDS && !self.asked.has_answer();
        may_resend.then(|| self.last_sent.saturating_add(pause))
    }

    /// Whether what failed may be asked again. A provider is not asked twice for what another one claims, but one that was
    /// backed off may know it by now.
    fn may_retry_transient(&self) -> bool {
        self.rounds < ROUNDS && !self.awaits_claim
    }

    /// When the next round of retries is due, if there is a provider to ask again before the deadline.
    fn next_round(&self, now: Duration) -> Option<Duration> {
        let pause = self.call.pauses.get(self.rounds);
        let pause = pause.filter(|_| self.may_retry_transient() && !self.asked.transient().is_empty());
        let transient = pause.map(|pause| now.saturating_add(*pause));
        transient.into_iter().chain(self.last_resort()).min().filter(|at| *at < self.call.ends)
    }

    /// A provider that asks for a pause in its answer is asked again after it, if there is no other. The pauses grow, so
    /// that few requests are sent.
    fn back_off(&mut self, request: InFlight, failure: &Failure, now: Duration) {
        let Failure::RateLimited { retry_after } = failure else { return };
        if let Some(candidate) = self.asked.candidate(request).cloned() {
            let pause = retry::wait(*retry_after, self.waits, &self.call.pauses);
            self.waits = self.waits.saturating_add(1);
            self.queue.back_off(candidate, now.saturating_add(pause), failure.clone());
        }
    }

    /// The earliest moment at which a provider that is backed off may be asked.
    fn last_resort(&self) -> Option<Duration> {
        self.queue.last_resorts(&self.asked).min()
    }

    fn over_policy_at(&self) -> Duration {
        self.last_sent.saturating_add(self.hedge_delay)
    }

    fn after(&self, hedge_delays: u32) -> Duration {
        self.call.began.saturating_add(self.hedge_delay.saturating_mul(hedge_delays))
    }
}

/// Whether one of the providers counts the calls inside a request.
fn count_calls(candidates: &[Arc<Candidate<'_>>]) -> bool {
    candidates.iter().any(|candidate| candidate.counts_calls)
}
