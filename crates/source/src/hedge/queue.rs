//! The providers that one question was not sent to yet, and which of them the policy allows next.

use std::sync::Arc;
use std::time::Duration;

use saldo_reading::Failure;

use super::DisclosureSet;
use super::asked::Asked;
use super::candidate::Candidate;
use crate::backoff::Availability;
use crate::sorted::{SortedSet, sort_by_key};

/// The providers that are left. All moments are on the monotonic clock.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    disclosure: DisclosureSet,
    /// Not asked yet, best first.
    waiting: Vec<Arc<Candidate<'a>>>,
    backed_off: Vec<BackedOff<'a>>,
}

#[derive(Debug)]
pub(super) struct BackedOff<'a> {
    pub(super) candidate: Arc<Candidate<'a>>,
    /// From when on it may be asked, if no other provider is left; `None` if not in this call.
    last_resort_at: Option<Duration>,
    pub(super) why: Failure,
}

/// The operators that know of the question, within the policy.
struct Disclosed<'d> {
    before: &'d SortedSet<String>,
    now: SortedSet<Arc<str>>,
    most: usize,
}

impl<'a> Queue<'a> {
    pub(super) fn new(candidates: &[Arc<Candidate<'a>>], disclosure: DisclosureSet) -> Self {
        let (mut waiting, mut backed_off) = (Vec::new(), Vec::new());
        for candidate in candidates.iter().cloned() {
            match candidate.availability.clone() {
                Availability::Ready => waiting.push(candidate),
                Availability::BackedOff { last_resort_at, why } => {
                    backed_off.push(BackedOff { candidate, last_resort_at, why });
                }
            }
        }
        // A provider that knows of the question comes first, unless it failed. Both sorts keep the order of equals.
        sort_by_key(&mut waiting, |candidate: &Arc<Candidate<'a>>| {
            candidate.has_failed || !disclosure.operators.contains(&*candidate.operator)
        });
        sort_by_key(&mut waiting, |candidate| disclosure.last.contains(candidate.endpoint.id()));
        Self { disclosure, waiting, backed_off }
    }

    pub(super) fn first(&self) -> Option<&Arc<Candidate<'a>>> {
        self.waiting.first()
    }

    /// Whether the policy allows to ask that operator.
    pub(super) fn is_within_policy(&self, operator: &Arc<str>, asked: &Asked<'_>) -> bool {
        self.disclosed(asked).allows(operator)
    }

    /// Whether a provider is left that the policy allows.
    pub(super) fn has_within_policy(&self, asked: &Asked<'_>) -> bool {
        let disclosed = self.disclosed(asked);
        self.waiting.iter().any(|candidate| disclosed.allows(&candidate.operator))
    }

    /// Whether providers are left that may be asked although the policy does not name them.
    pub(super) fn has_over_policy(&self) -> bool {
        !self.waiting.is_empty() && !self.disclosure.strict
    }

    /// Whether providers are left that the policy forbids to ask.
    pub(super) fn is_held_back(&self, asked: &Asked<'_>) -> bool {
        self.disclosure.strict && !self.waiting.is_empty() && !self.has_within_policy(asked)
    }

    /// From now on no provider over the policy is asked.
    pub(super) fn forbid_over_policy(&mut self) {
        self.disclosure.strict = true;
    }

    /// Takes the next providers that the policy allows, at most `most`.
    pub(super) fn take_within_policy(&mut self, most: usize, asked: &Asked<'_>) -> Vec<Arc<Candidate<'a>>> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut disclosed = self.disclosed(asked);
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for candidate in waiting {
            if taken.len() < most && disclosed.allows(&candidate.operator) {
                disclosed.insert(&candidate.operator);
                taken.push(candidate);
            } else {
                left.push(candidate);
            }
        }
        self.waiting = left;
        taken
    }

    /// Takes the next provider that the policy allows: of another operator than those in flight if there is one, and then of
    /// other declared hosting if there is one.
    pub(super) fn take_unlike_in_flight(&mut self, asked: &Asked<'_>) -> Vec<Arc<Candidate<'a>>> {
        let in_flight: Vec<&Arc<Candidate<'_>>> = asked.in_flight().collect();
        let shares = |(_, candidate): &(usize, &Arc<Candidate<'a>>)| {
            let operator = in_flight.iter().any(|other| other.operator == candidate.operator);
            let hosting = in_flight.iter().any(|other| other.may_share_hosting(candidate));
            (operator, hosting)
        };
        let disclosed = self.disclosed(asked);
        let within = self.waiting.iter().enumerate();
        let within = within.filter(|(_, candidate)| disclosed.allows(&candidate.operator));
        let next = within.min_by_key(shares).map(|(place, _)| place);
        next.map(|place| self.waiting.remove(place)).into_iter().collect()
    }

    /// Takes all that are left, whatever the policy names.
    pub(super) fn take_all(&mut self) -> Vec<Arc<Candidate<'a>>> {
        std::mem::take(&mut self.waiting)
    }

    /// Puts a provider back that was not asked after all; `operators` know of the question by now.
    pub(super) fn put_back(&mut self, candidate: Arc<Candidate<'a>>, operators: SortedSet<String>) {
        self.waiting.push(candidate);
        self.disclosure.operators = operators;
    }

    /// Adds a provider that asked to wait until then.
    pub(super) fn back_off(&mut self, candidate: Arc<Candidate<'a>>, until: Duration, why: Failure) {
        self.backed_off.push(BackedOff { candidate, last_resort_at: Some(until), why });
    }

    /// From when on each provider that is backed off may be asked, as far as the policy allows it.
    pub(super) fn last_resorts(&self, asked: &Asked<'_>) -> impl Iterator<Item = Duration> {
        let disclosed = self.disclosed(asked);
        let is_strict = self.disclosure.strict;
        self.backed_off
            .iter()
            .filter(move |backed_off| !is_strict || disclosed.allows(&backed_off.candidate.operator))
            .filter_map(|backed_off| backed_off.last_resort_at)
    }

    /// Takes the providers that may be asked as last resort at `now`, as far as the policy allows it.
    pub(super) fn take_last_resorts(&mut self, now: Duration, asked: &Asked<'_>) -> Vec<Arc<Candidate<'a>>> {
        let backed_off = std::mem::take(&mut self.backed_off);
        let mut disclosed = self.disclosed(asked);
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for entry in backed_off {
            let is_due = entry.last_resort_at.is_some_and(|at| at <= now);
            let is_allowed = !self.disclosure.strict || disclosed.allows(&entry.candidate.operator);
            if is_due && is_allowed {
                disclosed.insert(&entry.candidate.operator);
                taken.push(entry.candidate);
            } else {
                left.push(entry);
            }
        }
        self.backed_off = left;
        taken
    }

    pub(super) fn into_backed_off(self) -> Vec<BackedOff<'a>> {
        self.backed_off
    }

    fn disclosed(&self, asked: &Asked<'_>) -> Disclosed<'_> {
        let before = &self.disclosure.operators;
        let is_new = |operator: &&Arc<str>| !before.contains(&***operator);
        let now = asked.operators().filter(is_new).cloned().collect();
        Disclosed { before, now, most: self.disclosure.most }
    }
}

impl Disclosed<'_> {
    fn allows(&self, operator: &Arc<str>) -> bool {
        self.before.len().saturating_add(self.now.len()) < self.most || self.knows(operator)
    }

    fn insert(&mut self, operator: &Arc<str>) {
        if !self.knows(operator) {
            self.now.insert(Arc::clone(operator));
        }
    }

    fn knows(&self, operator: &Arc<str>) -> bool {
        self.before.contains(&**operator) || self.now.contains(operator)
    }
}
