//! Who began to fail together: a sign that they stand on the same ground, whatever is declared.

use std::collections::BTreeMap;
use std::time::Duration;

use saldo_reading::{ProviderId, Role};

/// Two endpoints that became unreachable or silent within the same minute, after both had been of use. It is told, and nothing is done
/// about it: that may be chance.
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

/// Since when whoever was of use cannot be reached, and who began that together.
#[derive(Debug, Default)]
pub(crate) struct CoFailures {
    /// On the monotonic clock.
    began: BTreeMap<(Role, ProviderId), Duration>,
    times: BTreeMap<(Role, [ProviderId; 2]), u32>,
}

impl CoFailures {
    /// So close together two of them began to fail.
    const TOGETHER: Duration = Duration::from_secs(60);

    /// An endpoint could not be reached at `now`, or said nothing. One that never was of use tells nothing by that.
    pub(crate) fn fails_after(&mut self, was_of_use: bool, role: Role, id: &ProviderId, now: Duration) {
        if !was_of_use || self.began.contains_key(&(role, id.clone())) {
            return;
        }
        let is_together = |began: &Duration| now.saturating_sub(*began) <= Self::TOGETHER;
        for ((of, other), _) in self.began.iter().filter(|((of, _), began)| *of == role && is_together(began))
        {
            let mut pair = [id.clone(), other.clone()];
            pair.sort_unstable();
            let times = self.times.entry((*of, pair)).or_default();
            *times = times.saturating_add(1);
        }
        self.began.insert((role, id.clone()), now);
    }

    /// An endpoint was of use, or at least answered.
    pub(crate) fn is_there(&mut self, role: Role, id: &ProviderId) {
        self.began.remove(&(role, id.clone()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_begin_to_fail_within_a_minute_fail_together() {
        let [a, b, c] = ["a", "b", "c"].map(|name| ProviderId::new(name).unwrap());
        let at = Duration::from_secs;
        let mut failures = CoFailures::default();
        let d = ProviderId::new("d").unwrap();
        failures.fails_after(true, Role::Execution, &b, at(100));
        failures.fails_after(true, Role::Execution, &a, at(160));
        // It goes on failing, one is too late, one has another role, and one never was of use.
        failures.fails_after(true, Role::Execution, &a, at(170));
        failures.fails_after(true, Role::Execution, &c, at(221));
        failures.fails_after(true, Role::Beacon, &c, at(160));
        failures.fails_after(false, Role::Execution, &d, at(160));
        let pair = |times| CoFailure { role: Role::Execution, endpoints: [a.clone(), b.clone()], times };
        assert_eq!(failures.all(), [pair(1)]);
        // Again, after both were there in between.
        failures.is_there(Role::Execution, &a);
        failures.is_there(Role::Execution, &b);
        failures.fails_after(true, Role::Execution, &a, at(300));
        failures.fails_after(true, Role::Execution, &b, at(300));
        assert_eq!(failures.all(), [pair(2)]);
    }
}
