//! The providers that one question was sent to, and their answers.

use std::sync::Arc;
use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role, TransportError};

use super::candidate::Candidate;
use super::retry::is_transient;
use crate::sorted::{SortedMap, SortedSet};

/// The requests for one question, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Asked<'a>(Vec<Request<'a>>);

#[derive(Debug)]
struct Request<'a> {
    to: Arc<Candidate<'a>>,
    sent: Duration,
    ended: Option<(Duration, Outcome)>,
    /// Whether as many operators as the policy names knew of the question before this one.
    over_policy: bool,
}

/// A request without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InFlight(usize);

impl<'a> Asked<'a> {
    pub(super) fn send(&mut self, to: Arc<Candidate<'a>>, over_policy: bool, now: Duration) {
        self.0.push(Request { to, sent: now, ended: None, over_policy });
    }

    /// Whether no request is without an outcome.
    pub(super) fn is_idle(&self) -> bool {
        self.0.iter().all(|request| request.ended.is_some())
    }

    /// The request to that provider that has no outcome yet.
    pub(super) fn in_flight_to(&self, id: &ProviderId) -> Option<InFlight> {
        let is_it = |request: &Request<'_>| request.ended.is_none() && request.to.endpoint.id() == id;
        self.0.iter().position(is_it).map(InFlight)
    }

    pub(super) fn candidate(&self, InFlight(place): InFlight) -> Option<&Arc<Candidate<'a>>> {
        self.0.get(place).map(|request| &request.to)
    }

    pub(super) fn is_over_policy(&self, InFlight(place): InFlight) -> bool {
        self.0.get(place).is_some_and(|request| request.over_policy)
    }

    pub(super) fn end(&mut self, InFlight(place): InFlight, outcome: Outcome, now: Duration) {
        if let Some(request) = self.0.get_mut(place) {
            request.ended = Some((now, outcome));
        }
    }

    /// Takes back a request that was not sent after all.
    pub(super) fn withdraw(&mut self, InFlight(place): InFlight) -> Option<Arc<Candidate<'a>>> {
        (place < self.0.len()).then(|| self.0.remove(place).to)
    }

    /// The providers whose requests have no outcome yet.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Arc<Candidate<'a>>> {
        self.0.iter().filter(|request| request.ended.is_none()).map(|request| &request.to)
    }

    /// Those of them that were asked at `moment` or before.
    pub(super) fn in_flight_since(&self, moment: Duration) -> impl Iterator<Item = &Arc<Candidate<'a>>> {
        let is_it = move |request: &&Request<'_>| request.ended.is_none() && request.sent <= moment;
        self.0.iter().filter(is_it).map(|request| &request.to)
    }

    /// The providers whose requests have no outcome yet, each once.
    pub(super) fn silent(&self) -> Vec<Arc<Candidate<'a>>> {
        let mut seen = SortedSet::new();
        self.in_flight().filter(|candidate| seen.insert(candidate.endpoint.id())).cloned().collect()
    }

    /// Whether a request was answered, also with a failure. A provider that cannot be reached gives no answer.
    pub(super) fn has_answer(&self) -> bool {
        let is_answer =
            |(_, outcome): &(Duration, Outcome)| !outcome.failure().is_some_and(Failure::is_unreachable);
        self.0.iter().filter_map(|request| request.ended.as_ref()).any(is_answer)
    }

    /// The operators within the policy that know of the question, except those that could not be reached.
    pub(super) fn operators(&self) -> impl Iterator<Item = &Arc<str>> {
        let may_know = |request: &&Request<'_>| {
            !request.over_policy && request.failure().is_none_or(Failure::may_have_been_seen)
        };
        self.0.iter().filter(may_know).map(|request| &request.to.operator)
    }

    /// The providers whose last failure may pass, in the order in which they were asked first.
    pub(super) fn transient(&self) -> Vec<Arc<Candidate<'a>>> {
        let last: SortedMap<&ProviderId, &Request<'a>> =
            self.0.iter().map(|request| (request.to.endpoint.id(), request)).collect();
        let mut seen = SortedSet::new();
        let is_first = |request: &&Request<'a>| seen.insert(request.to.endpoint.id());
        let is_transient = |id| last.get(id).and_then(|last| last.failure()).is_some_and(is_transient);
        let first = self.0.iter().filter(is_first);
        first.map(|request| &request.to).filter(|to| is_transient(to.endpoint.id())).cloned().collect()
    }

    /// One attempt for each request; those without an outcome end now, with `unfinished`.
    pub(super) fn into_attempts(self, role: Role, unfinished: &Outcome, now: Duration) -> Vec<Attempt> {
        let attempt = |request: Request<'_>| {
            let (at, outcome) = request.ended.unwrap_or_else(|| (now, unfinished.clone()));
            Attempt {
                provider: request.to.endpoint.id().clone(),
                role,
                outcome,
                took: at.saturating_sub(request.sent),
                over_policy: request.over_policy,
            }
        };
        self.0.into_iter().map(attempt).collect()
    }
}

impl Request<'_> {
    fn failure(&self) -> Option<&Failure> {
        self.ended.as_ref().and_then(|(_, outcome)| outcome.failure())
    }
}

/// The decisive attempt at each provider, in their order: the one with an answer, else the last one. A provider that stayed
/// silent was silent since the first such attempt. One that asked for a pause, and had no time to answer after it, has asked for a
/// pause.
pub(super) fn decisive_of_each(attempts: &[Attempt]) -> Vec<Attempt> {
    let mut decisive: SortedMap<&ProviderId, usize> = SortedMap::new();
    for (place, attempt) in attempts.iter().enumerate() {
        let held = decisive.get(&attempt.provider).and_then(|place| attempts.get(*place));
        let is_kept = held.is_some_and(|held| {
            let is_answer = |attempt: &Attempt| {
                matches!(attempt.outcome, Outcome::Joined | Outcome::Accepted | Outcome::Pending)
            };
            let explains_silence = is_silent(held) || is_rate_limit(held);
            is_answer(held) && !is_answer(attempt) || explains_silence && is_silent(attempt)
        });
        if !is_kept {
            decisive.insert(&attempt.provider, place);
        }
    }
    let is_decisive = |(place, attempt): &(usize, &Attempt)| {
        decisive.get(&attempt.provider).is_some_and(|held| held == place)
    };
    attempts.iter().enumerate().filter(is_decisive).map(|(_, attempt)| attempt.clone()).collect()
}

fn is_rate_limit(attempt: &Attempt) -> bool {
    matches!(attempt.outcome.failure(), Some(Failure::RateLimited { .. }))
}

fn is_silent(attempt: &Attempt) -> bool {
    let timeout = |failure: &Failure| matches!(failure, Failure::Transport(TransportError::Timeout { .. }));
    attempt.outcome == Outcome::Unfinished || attempt.outcome.failure().is_some_and(timeout)
}
