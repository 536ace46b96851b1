//! The course of one question in a race: whose turn it is when.

use std::collections::BTreeSet;
use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};

use super::retry::{LEAST_PAUSE, ROUNDS, passes};
use super::{Answer, DisclosureSet, Hedged, RequestSpec};
use crate::dispatcher::Dispatcher;
use crate::endpoint::Endpoint;
use crate::standing::Leave;

/// One question, who is asked it, and what they said.
pub(super) struct HedgedRequest<'a, T> {
    role: Role,
    disclosure: DisclosureSet,
    /// Not asked yet, best first.
    waiting: Vec<&'a Endpoint>,
    /// Not to be asked now, and until when on the monotonic clock.
    resting: Vec<(&'a Endpoint, Option<Duration>, Failure)>,
    asked: Vec<Asked<'a>>,
    /// Whether a claim is waited for of somebody who was right before.
    trusts_a_tip: bool,
    winner: Option<(ProviderId, T)>,
    stage: Stage,
    began: Duration,
    ends: Duration,
    /// How long one is waited for before another is asked as well.
    hedge_delay: Duration,
    last_asked: Duration,
    /// Whether one may be asked for another's slowness alone.
    may_hedge: bool,
    /// When what failed in passing is asked again.
    again: Option<Duration>,
    /// How often it was asked again.
    rounds: usize,
    pauses: [Duration; ROUNDS],
    is_given_up: bool,
}

struct Asked<'a> {
    endpoint: &'a Endpoint,
    begun: Duration,
    ended: Option<(Duration, Outcome)>,
    /// Asked although as many operators as the policy names knew of it.
    over_policy: bool,
}

/// Who is asked next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    Second,
    /// All others whom the audience allows.
    Rest,
    /// All others.
    Beyond,
    /// Those who failed in passing, again.
    Again,
}

impl<'a, T> HedgedRequest<'a, T> {
    pub(super) fn new(
        dispatcher: &Dispatcher,
        spec: RequestSpec,
        ordered: &[&'a Endpoint],
        disclosure: DisclosureSet,
        ends: Duration,
        pauses: [Duration; ROUNDS],
    ) -> Self {
        let RequestSpec { role, method, .. } = spec;
        let began = dispatcher.io().clock().monotonic();
        let standings = dispatcher.standings();
        let (mut waiting, mut resting) = (Vec::new(), Vec::new());
        for &endpoint in ordered {
            match standings.leave(role, method, endpoint.id(), began) {
                Leave::Free => waiting.push(endpoint),
                Leave::Not { until, why } => resting.push((endpoint, until, why)),
            }
        }
        // Those who know of it already come first, as long as they are of use.
        waiting.sort_by_key(|endpoint| {
            let is_of_use = standings.is_in_good_standing(role, method, endpoint.id());
            !(is_of_use && disclosure.operators.contains(&endpoint.operator_key()))
        });
        waiting.sort_by_key(|endpoint| disclosure.last.contains(endpoint.id()));
        let hedge_delay = waiting.first().map(|first| standings.hedge_delay(role, method, first.id()));
        // With little time everybody's turn comes sooner.
        let quarter = ends.saturating_sub(began).checked_div(4).unwrap_or_default();
        Self {
            role,
            disclosure,
            waiting,
            resting,
            asked: Vec::new(),
            trusts_a_tip: false,
            winner: None,
            stage: Stage::First,
            began,
            ends,
            hedge_delay: hedge_delay.unwrap_or_default().min(quarter),
            last_asked: began,
            may_hedge: true,
            again: None,
            rounds: 0,
            pauses,
            is_given_up: false,
        }
    }

    pub(super) fn is_won(&self) -> bool {
        self.winner.is_some()
    }

    pub(super) fn hedge_delay(&self) -> Duration {
        self.hedge_delay
    }

    /// Whose turn has come at `now`, and whether that widens the audience.
    pub(super) fn due(
        &mut self,
        dispatcher: &Dispatcher,
        now: Duration,
        may_hedge: &mut dyn FnMut() -> bool,
        may_retry: &mut dyn FnMut() -> bool,
    ) -> Vec<(&'a Endpoint, bool)> {
        let mut due = Vec::new();
        while !self.is_won() {
            let is_idle = self.asked.iter().all(|asked| asked.ended.is_some());
            let passed = now.saturating_sub(self.began);
            let twice = self.hedge_delay.saturating_mul(2);
            let next = match self.stage {
                Stage::First | Stage::Second | Stage::Rest if !self.has_inside() => {
                    self.stage = Stage::Beyond;
                    continue;
                }
                // Somebody turned out not to have been reached, so that there is room for another.
                Stage::Beyond | Stage::Again if self.has_inside() => self.inside(1),
                Stage::First => {
                    self.stage = Stage::Second;
                    let mut standings = dispatcher.standings();
                    standings.hedges.earn();
                    standings.retries.earn();
                    self.inside(1)
                }
                Stage::Second if is_idle || passed >= twice => self.apart(),
                Stage::Second if passed >= self.hedge_delay && self.may_hedge => {
                    self.may_hedge = may_hedge();
                    if !self.may_hedge {
                        break;
                    }
                    self.apart()
                }
                Stage::Rest if is_idle || passed >= twice => {
                    self.stage = Stage::Beyond;
                    self.inside(usize::MAX)
                }
                Stage::Beyond if self.may_widen() => {
                    if !is_idle && now < self.last_asked.saturating_add(self.hedge_delay) {
                        break;
                    }
                    self.stage = Stage::Again;
                    std::mem::take(&mut self.waiting)
                }
                Stage::Beyond => {
                    self.stage = Stage::Again;
                    continue;
                }
                Stage::Again if !is_idle && now >= self.half() && self.has_rested(now) => {
                    self.rounds = self.rounds.saturating_add(1);
                    self.rested(now)
                }
                Stage::Again if is_idle => match self.again {
                    Some(at) if at <= now => {
                        self.again = None;
                        self.again(now, may_retry)
                    }
                    Some(_) => break,
                    None => {
                        self.again = self.next_round(now);
                        break;
                    }
                },
                _ => break,
            };
            due.extend(next.into_iter().map(|endpoint| (endpoint, self.begin(endpoint, now))));
        }
        due
    }

    /// When to look again whose turn it is, if nobody answers before.
    pub(super) fn wakes(&self) -> Option<Duration> {
        let after = |times: u32| self.began.saturating_add(self.hedge_delay.saturating_mul(times));
        match self.stage {
            _ if self.is_won() => None,
            Stage::First => None,
            Stage::Second => Some(after(if self.may_hedge { 1 } else { 2 })),
            Stage::Rest => Some(after(2)),
            Stage::Beyond if self.may_widen() => Some(self.last_asked.saturating_add(self.hedge_delay)),
            Stage::Beyond => None,
            Stage::Again => {
                let half = self.half();
                let rested = self.backed_off().min();
                let is_idle = self.asked.iter().all(|asked| asked.ended.is_some());
                let at_worst = rested.map(|rested| rested.max(half)).filter(|_| !is_idle);
                self.again.into_iter().chain(at_worst).min()
            }
        }
    }

    /// From then on those are asked as well who are asked only if nobody else is left: who has not answered by now may
    /// never do.
    fn half(&self) -> Duration {
        let all = self.ends.saturating_sub(self.began);
        self.began.saturating_add(all.checked_div(2).unwrap_or_default())
    }

    /// When those may be asked who want to be left alone now: only they whom the audience allows.
    fn backed_off(&self) -> impl Iterator<Item = Duration> {
        let may_be_asked = |endpoint: &Endpoint| !self.disclosure.strict || self.is_inside(endpoint);
        let resting = self.resting.iter().filter(|_| self.rounds < ROUNDS);
        let allowed = resting.filter(move |(endpoint, ..)| may_be_asked(endpoint));
        allowed.filter_map(|(_, until, _)| *until)
    }

    fn has_rested(&self, now: Duration) -> bool {
        self.backed_off().any(|until| until <= now)
    }

    /// Takes those who have rested, as far as the audience allows them.
    fn rested(&mut self, now: Duration) -> Vec<&'a Endpoint> {
        let mut operators = self.operators();
        let (mut rested, mut resting) = (Vec::new(), Vec::new());
        for (endpoint, until, why) in std::mem::take(&mut self.resting) {
            let operator = endpoint.operator_key();
            let is_inside = operators.len() < self.disclosure.most || operators.contains(&operator);
            if until.is_some_and(|until| until <= now) && (is_inside || !self.disclosure.strict) {
                operators.insert(operator);
                rested.push(endpoint);
            } else {
                resting.push((endpoint, until, why));
            }
        }
        self.resting = resting;
        rested
    }

    /// Takes an answer of `endpoint`.
    pub(super) fn take(&mut self, endpoint: &Endpoint, answer: Answer<T>, now: Duration) {
        let is_it = |asked: &Asked<'_>| asked.ended.is_none() && asked.endpoint.id() == endpoint.id();
        let Some((place, asked)) = self.asked.iter().enumerate().find(|(_, asked)| is_it(asked)) else {
            return;
        };
        let (endpoint, over_policy) = (asked.endpoint, asked.over_policy);
        let outcome = match answer {
            // Its turn comes again with those beyond the audience.
            Answer::Withheld { operators } => {
                self.asked.remove(place);
                self.waiting.push(endpoint);
                self.disclosure.operators = operators;
                if self.stage == Stage::Again {
                    self.stage = Stage::Beyond;
                }
                return;
            }
            Answer::Accepted(value) if self.winner.is_none() => {
                self.winner = Some((endpoint.id().clone(), value));
                match self.role {
                    Role::Execution => Outcome::Joined,
                    Role::Beacon | Role::Checkpoint => Outcome::Accepted,
                }
            }
            Answer::Accepted(_) => Outcome::Overtaken,
            Answer::Pending { was_right_before } => {
                // Its word is worth waiting for: nobody beyond the policy is asked meanwhile.
                if was_right_before && !over_policy {
                    self.disclosure.strict = true;
                    self.trusts_a_tip = true;
                }
                Outcome::Pending
            }
            Answer::Failed(failure) => {
                if let Failure::RateLimited { retry_after: Some(after) } = &failure {
                    let until = now.saturating_add((*after).max(LEAST_PAUSE));
                    self.resting.push((endpoint, Some(until), failure.clone()));
                }
                Outcome::Failed(failure)
            }
        };
        if let Some(asked) = self.asked.get_mut(place) {
            asked.ended = Some((now, outcome));
        }
    }

    /// The question needs no answer any more: whoever is still being asked is overtaken.
    pub(super) fn give_up(&mut self) {
        self.is_given_up = true;
    }

    /// How it ended, and what became of those who were really asked.
    pub(super) fn finish(self, now: Duration) -> (Hedged<T>, Vec<Attempt>) {
        let is_overtaken = self.is_won() || self.is_given_up;
        let unfinished = if is_overtaken { Outcome::Overtaken } else { Outcome::Unfinished };
        let is_held_back = self.disclosure.strict && !self.waiting.is_empty() && !self.has_inside();
        let held_back = is_held_back && !self.is_won();
        let role = self.role;
        let asked: Vec<Attempt> = self
            .asked
            .into_iter()
            .map(|asked| {
                let (at, outcome) = asked.ended.unwrap_or_else(|| (now, unfinished.clone()));
                let provider = asked.endpoint.id().clone();
                Attempt {
                    provider,
                    role,
                    outcome,
                    took: at.saturating_sub(asked.begun),
                    over_policy: asked.over_policy,
                }
            })
            .collect();
        // Of one that was asked several times the last is told.
        let is_last = |(place, attempt): &(usize, &Attempt)| {
            asked.iter().skip(place.saturating_add(1)).all(|later| later.provider != attempt.provider)
        };
        let mut attempts: Vec<Attempt> =
            asked.iter().enumerate().filter(is_last).map(|(_, attempt)| attempt.clone()).collect();
        if self.winner.is_none() {
            let is_unasked = |endpoint: &Endpoint| asked.iter().all(|asked| asked.provider != *endpoint.id());
            let unasked = self.resting.into_iter().filter(|(endpoint, ..)| is_unasked(endpoint));
            attempts.extend(unasked.map(|(endpoint, _, why)| Attempt {
                provider: endpoint.id().clone(),
                role,
                outcome: Outcome::Failed(why),
                took: Duration::ZERO,
                over_policy: false,
            }));
        }
        (Hedged { winner: self.winner, attempts, held_back }, asked)
    }

    /// Gives whether that widens the audience.
    fn begin(&mut self, endpoint: &'a Endpoint, now: Duration) -> bool {
        let over_policy = !self.is_inside(endpoint);
        self.last_asked = now;
        self.asked.push(Asked { endpoint, begun: now, ended: None, over_policy });
        over_policy
    }

    /// The operators that know of the question by now, within the policy.
    fn operators(&self) -> BTreeSet<String> {
        let told = self.asked.iter().filter(|asked| !asked.over_policy && asked.may_have_seen());
        let told = told.map(|asked| asked.endpoint.operator_key());
        self.disclosure.operators.iter().cloned().chain(told).collect()
    }

    fn is_inside(&self, endpoint: &Endpoint) -> bool {
        let operators = self.operators();
        operators.len() < self.disclosure.most || operators.contains(&endpoint.operator_key())
    }

    fn has_inside(&self) -> bool {
        self.waiting.iter().any(|endpoint| self.is_inside(endpoint))
    }

    fn may_widen(&self) -> bool {
        !self.waiting.is_empty() && !self.disclosure.strict
    }

    /// The next of those whom the audience allows, at most so many.
    fn inside(&mut self, most: usize) -> Vec<&'a Endpoint> {
        let mut operators = self.operators();
        let mut taken = Vec::new();
        let mut left = Vec::new();
        for endpoint in std::mem::take(&mut self.waiting) {
            let operator = endpoint.operator_key();
            let is_allowed = operators.len() < self.disclosure.most || operators.contains(&operator);
            if taken.len() < most && is_allowed {
                operators.insert(operator);
                taken.push(endpoint);
            } else {
                left.push(endpoint);
            }
        }
        self.waiting = left;
        taken
    }

    /// The next one whom the audience allows: if there is one, of another operator than those who are being asked, and if
    /// possible of other declared hosting.
    fn apart(&mut self) -> Vec<&'a Endpoint> {
        self.stage = Stage::Rest;
        let running: Vec<&Endpoint> =
            self.asked.iter().filter(|asked| asked.ended.is_none()).map(|asked| asked.endpoint).collect();
        let shares = |endpoint: &&&'a Endpoint| {
            let operator = running.iter().any(|other| other.operator_key() == endpoint.operator_key());
            // Where somebody is hosted is mostly not known: then it may be anywhere.
            let hosting = running.iter().any(|other| match (other.hosted_by(), endpoint.hosted_by()) {
                (Some(one), Some(another)) => one.eq_ignore_ascii_case(another),
                _ => true,
            });
            (operator, hosting)
        };
        let inside = self.waiting.iter().filter(|endpoint| self.is_inside(endpoint));
        let Some(next) = inside.min_by_key(shares).copied() else { return Vec::new() };
        self.waiting.retain(|waiting| waiting.id() != next.id());
        vec![next]
    }

    /// When those who failed in passing, or want to be left alone until then, are asked again, if there are any.
    fn next_round(&self, now: Duration) -> Option<Duration> {
        // Where a tip is waited for nobody is asked twice for it, but who was left out may know it by now.
        let passing = self.passing().next().filter(|_| !self.trusts_a_tip);
        let passing = passing.and_then(|_| self.pauses.get(self.rounds));
        let passing = passing.map(|pause| now.saturating_add(*pause));
        let rested = self.backed_off().min();
        passing.into_iter().chain(rested).min().filter(|at| *at < self.ends)
    }

    /// Those who failed in passing and those who have rested, to be asked again at `now`.
    fn again(&mut self, now: Duration, may_retry: &mut dyn FnMut() -> bool) -> Vec<&'a Endpoint> {
        let rested = self.rested(now);
        let may = !rested.is_empty() || (self.passing().next().is_some() && may_retry());
        self.rounds = if may { self.rounds.saturating_add(1) } else { ROUNDS };
        let passing = self.passing().filter(|_| may && !self.trusts_a_tip);
        rested.into_iter().chain(passing).collect()
    }

    /// Those whose last failure passes by itself.
    fn passing(&self) -> impl Iterator<Item = &'a Endpoint> {
        let last =
            |endpoint: &Endpoint| self.asked.iter().rev().find(|asked| asked.endpoint.id() == endpoint.id());
        let mut passing: Vec<&'a Endpoint> = Vec::new();
        for asked in &self.asked {
            let ended = last(asked.endpoint).and_then(|last| last.ended.as_ref());
            let is_new = passing.iter().all(|known| known.id() != asked.endpoint.id());
            if is_new && ended.and_then(|(_, outcome)| outcome.failure()).is_some_and(passes) {
                passing.push(asked.endpoint);
            }
        }
        passing.into_iter()
    }
}

impl Asked<'_> {
    fn may_have_seen(&self) -> bool {
        self.ended.as_ref().and_then(|(_, outcome)| outcome.failure()).is_none_or(Failure::may_have_been_seen)
    }
}
