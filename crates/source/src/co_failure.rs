//! Which endpoints become unreachable together: a sign that they depend on the same thing, whatever is declared.

use std::time::Duration;

use crate::sorted::SortedMap;
use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};

/// Two endpoints that became unreachable, or silent, within the same minute.
///
/// Both had answered within the hour before, and another endpoint answered meanwhile, so that it was not the device. It may
/// still be chance: nothing follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoFailure {
    /// The role in which both are asked.
    pub role: Role,
    /// Their names, sorted.
    pub endpoints: [ProviderId; 2],
    /// How often that happened since the client was built.
    pub times: u32,
}

type Key = (Role, ProviderId);

/// When each endpoint answered last, and since when it fails. All moments are on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct CoFailures {
    last_answer: SortedMap<Key, Duration>,
    failing_since: SortedMap<Key, Duration>,
    times: SortedMap<(Role, [ProviderId; 2]), u32>,
}

impl CoFailures {
    /// The longest time between two failures that count as one event.
    const TOGETHER: Duration = Duration::from_secs(60);
    /// Of an endpoint whose last answer is older it is not known when it began to fail.
    const RECENT: Duration = Duration::from_secs(60 * 60);

    /// Records the result of a call that ended at `now`. An attempt that was overtaken before the hedge delay says nothing.
    pub(crate) fn record(&mut self, attempts: &[Attempt], hedge_delay: Duration, now: Duration) {
        let key = |attempt: &Attempt| (attempt.role, attempt.provider.clone());
        let answered: Vec<Key> = attempts.iter().filter(|attempt| has_answered(attempt)).map(key).collect();
        if answered.is_empty() {
            return;
        }
        for key in answered {
            self.failing_since.remove(&key);
            self.last_answer.insert(key, now);
        }
        for silent in attempts.iter().filter(|attempt| is_silent(attempt, hedge_delay)).map(key) {
            let has_answered =
                self.last_answer.get(&silent).is_some_and(|at| now.saturating_sub(*at) <= Self::RECENT);
            if has_answered && !self.failing_since.contains_key(&silent) {
                self.record_failure(silent, now);
            }
        }
    }

    fn record_failure(&mut self, (role, id): Key, now: Duration) {
        let is_together = |since: Duration| now.saturating_sub(since) <= Self::TOGETHER;
        for ((other_role, other), since) in &self.failing_since {
            if *other_role == role && is_together(*since) {
                let pair = [(&id).min(other).clone(), (&id).max(other).clone()];
                let times = self.times.entry((role, pair)).or_default();
                *times = times.saturating_add(1);
            }
        }
        self.failing_since.insert((role, id), now);
    }

    /// Forgets all of it: over another network other endpoints can be reached.
    pub(crate) fn network_changed(&mut self) {
        self.failing_since.clear();
        self.last_answer.clear();
    }

    /// All pairs, with how often each failed together.
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

    const HEDGE_DELAY: Duration = Duration::from_millis(400);

    fn attempt(name: &str, outcome: Outcome) -> Attempt {
        let provider = ProviderId::new(name).unwrap();
        Attempt { provider, role: Role::Execution, outcome, took: HEDGE_DELAY, over_policy: false }
    }

    fn down(name: &str) -> Attempt {
        attempt(name, Outcome::Failed(TransportError::Connect.into()))
    }

    fn up(name: &str) -> Attempt {
        attempt(name, Outcome::Joined)
    }

    fn pairs(failures: &CoFailures) -> Vec<(String, u32)> {
        let name = |pair: &CoFailure| pair.endpoints.each_ref().map(ProviderId::as_str).concat();
        failures.all().iter().map(|pair| (name(pair), pair.times)).collect()
    }

    #[test]
    fn failures_within_a_minute_count_as_together() {
        let at = Duration::from_secs;
        let mut failures = CoFailures::default();
        let record = |failures: &mut CoFailures, second, attempts: &[Attempt]| {
            failures.record(attempts, HEDGE_DELAY, at(second));
        };
        record(&mut failures, 0, &["a", "b", "c", "d", "z"].map(up));
        record(&mut failures, 100, &[down("b"), up("z")]);
        record(&mut failures, 160, &[attempt("a", Outcome::Unfinished), up("z")]);
        assert_eq!(pairs(&failures), [("ab".to_owned(), 1)]);
        // `a` still fails, which counts once; `c` fails more than a minute after `a` began to.
        record(&mut failures, 170, &[down("a"), up("z")]);
        record(&mut failures, 221, &[down("c"), up("z")]);
        assert_eq!(pairs(&failures), [("ab".to_owned(), 1)]);
        // Both answered in between, so the next common failure counts again. Any answer will do.
        record(
            &mut failures,
            290,
            &[attempt("a", Outcome::Pending), attempt("b", Outcome::Failed(Failure::NoResult))],
        );
        record(&mut failures, 300, &[down("a"), down("b"), up("z")]);
        assert_eq!(pairs(&failures), [("ab".to_owned(), 2)]);
    }

    #[test]
    fn failures_of_the_device_or_without_a_recent_answer_do_not_count() {
        let mut failures = CoFailures::default();
        let hour = CoFailures::RECENT;
        failures.record(&["a", "b", "z"].map(up), HEDGE_DELAY, Duration::ZERO);
        // In turn: no endpoint answered; there was no time to answer; no answer before; another network.
        failures.record(&[down("a"), down("b")], HEDGE_DELAY, hour / 2);
        let hurried = |name| Attempt { took: HEDGE_DELAY / 2, ..attempt(name, Outcome::Unfinished) };
        failures.record(&[hurried("a"), hurried("b"), up("z")], HEDGE_DELAY, hour / 2);
        failures.record(&[down("new"), down("a"), up("z")], HEDGE_DELAY, hour / 2);
        failures.network_changed();
        failures.record(&[down("b"), up("z")], HEDGE_DELAY, hour / 2);
        failures.record(&["a", "b", "z"].map(up), HEDGE_DELAY, hour);
        failures.record(&[down("a"), down("b"), up("z")], HEDGE_DELAY, hour * 2 + Duration::from_secs(1));
        assert_eq!(pairs(&failures), []);
    }
}
