//! Who is found unreachable together: a sign that they stand on the same ground, whatever is declared.

use std::collections::BTreeMap;
use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};

/// Two endpoints that were found unreachable, or silent, within the same minute.
///
/// Both had answered within the hour before, and somebody else answered meanwhile, so that it was not the device. It may be
/// chance all the same: nothing is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoFailure {
    /// What both are asked for.
    pub role: Role,
    /// Their names, sorted.
    pub endpoints: [ProviderId; 2],
    /// How often that happened, for the client's life.
    pub times: u32,
}

type Key = (Role, ProviderId);

/// Since when whoever answered before does not. All times are on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct CoFailures {
    heard: BTreeMap<Key, Duration>,
    began: BTreeMap<Key, Duration>,
    times: BTreeMap<(Role, [ProviderId; 2]), u32>,
}

impl CoFailures {
    /// So close together two of them are found.
    const TOGETHER: Duration = Duration::from_secs(60);
    /// Of one that was not heard for longer it is not known when it began to fail.
    const LATELY: Duration = Duration::from_secs(60 * 60);

    /// Notes what became of a race that ended at `now`. Who was overtaken before `patience` was over had no chance.
    pub(crate) fn note(&mut self, attempts: &[Attempt], hedge_delay: Duration, now: Duration) {
        let key = |attempt: &Attempt| (attempt.role, attempt.provider.clone());
        let heard: Vec<Key> = attempts.iter().filter(|attempt| has_answered(attempt)).map(key).collect();
        if heard.is_empty() {
            return;
        }
        for key in heard {
            self.began.remove(&key);
            self.heard.insert(key, now);
        }
        for silent in attempts.iter().filter(|attempt| is_silent(attempt, hedge_delay)).map(key) {
            let was_there = self.heard.get(&silent).is_some_and(|at| now.saturating_sub(*at) <= Self::LATELY);
            if was_there && !self.began.contains_key(&silent) {
                self.begins(silent, now);
            }
        }
    }

    fn begins(&mut self, (role, id): Key, now: Duration) {
        let is_together = |began: Duration| now.saturating_sub(began) <= Self::TOGETHER;
        for ((of, other), began) in &self.began {
            if *of == role && is_together(*began) {
                let mut pair = [id.clone(), other.clone()];
                pair.sort_unstable();
                let times = self.times.entry((role, pair)).or_default();
                *times = times.saturating_add(1);
            }
        }
        self.began.insert((role, id), now);
    }

    /// Over another network all may be reached that were not before.
    pub(crate) fn network_changed(&mut self) {
        self.began.clear();
        self.heard.clear();
    }

    /// All pairs.
    pub(crate) fn all(&self) -> Vec<CoFailure> {
        let pair = |((role, endpoints), times): (&(Role, [ProviderId; 2]), &u32)| CoFailure {
            role: *role,
            endpoints: endpoints.clone(),
            times: *times,
        };
        self.times.iter().map(pair).collect()
    }
}

fn has_answered(attempt: &Attempt) -> bool {
    match &attempt.outcome {
        Outcome::Overtaken | Outcome::Unfinished => false,
        Outcome::Failed(Failure::Spared { .. } | Failure::Quarantined) => false,
        Outcome::Failed(failure) => !failure.is_unreachable(),
        _ => true,
    }
}

fn is_silent(attempt: &Attempt, hedge_delay: Duration) -> bool {
    match &attempt.outcome {
        Outcome::Overtaken | Outcome::Unfinished => attempt.took >= hedge_delay,
        Outcome::Failed(Failure::Spared { .. }) => false,
        Outcome::Failed(failure) => failure.is_unreachable(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use saldo_reading::TransportError;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(400);

    fn attempt(name: &str, outcome: Outcome) -> Attempt {
        let provider = ProviderId::new(name).unwrap();
        Attempt { provider, role: Role::Execution, outcome, took: PATIENCE, over_policy: false }
    }

    fn down(name: &str) -> Attempt {
        attempt(name, Outcome::Failed(TransportError::Connect.into()))
    }

    fn up(name: &str) -> Attempt {
        attempt(name, Outcome::Joined)
    }

    fn told(failures: &CoFailures) -> Vec<(String, u32)> {
        let name = |pair: &CoFailure| pair.endpoints.each_ref().map(ProviderId::as_str).concat();
        failures.all().iter().map(|pair| (name(pair), pair.times)).collect()
    }

    #[test]
    fn those_that_are_found_within_a_minute_fail_together() {
        let at = Duration::from_secs;
        let mut failures = CoFailures::default();
        let note = |failures: &mut CoFailures, second, attempts: &[Attempt]| {
            failures.note(attempts, PATIENCE, at(second));
        };
        note(&mut failures, 0, &["a", "b", "c", "d", "z"].map(up));
        note(&mut failures, 100, &[down("b"), up("z")]);
        note(&mut failures, 160, &[attempt("a", Outcome::Unfinished), up("z")]);
        assert_eq!(told(&failures), [("ab".to_owned(), 1)]);
        // One goes on failing, and another is too late for the first of them.
        note(&mut failures, 170, &[down("a"), up("z")]);
        note(&mut failures, 221, &[down("c"), up("z")]);
        assert_eq!(told(&failures), [("ab".to_owned(), 1)]);
        // Again, after both were there in between: it is enough that they said something.
        note(
            &mut failures,
            290,
            &[attempt("a", Outcome::Pending), attempt("b", Outcome::Failed(Failure::NoResult))],
        );
        note(&mut failures, 300, &[down("a"), down("b"), up("z")]);
        assert_eq!(told(&failures), [("ab".to_owned(), 2)]);
    }

    #[test]
    fn what_may_be_the_device_or_chance_or_long_ago_does_not_count() {
        let mut failures = CoFailures::default();
        let hour = CoFailures::LATELY;
        failures.note(&["a", "b", "z"].map(up), PATIENCE, Duration::ZERO);
        // Nobody answered; nobody had time to; nobody knows since when; another network.
        failures.note(&[down("a"), down("b")], PATIENCE, hour / 2);
        let hurried = |name| Attempt { took: PATIENCE / 2, ..attempt(name, Outcome::Unfinished) };
        failures.note(&[hurried("a"), hurried("b"), up("z")], PATIENCE, hour / 2);
        failures.note(&[down("new"), down("a"), up("z")], PATIENCE, hour / 2);
        failures.network_changed();
        failures.note(&[down("b"), up("z")], PATIENCE, hour / 2);
        failures.note(&["a", "b", "z"].map(up), PATIENCE, hour);
        failures.note(&[down("a"), down("b"), up("z")], PATIENCE, hour * 2 + Duration::from_secs(1));
        assert_eq!(told(&failures), []);
    }
}
