//! What may be spent on asking more than once.

use std::time::Duration;

/// The budgets that all calls share.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    /// For asking a second provider because the first one is slow.
    pub(crate) hedges: RequestBudget,
    /// For asking again after a failure that may pass.
    pub(crate) retries: RequestBudget,
}

/// A token bucket: one extra request for ten requests, and ten at the start. So an outage is never answered with twice the
/// requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestBudget {
    /// In tenths of an extra request.
    tenths: u32,
}

impl Default for RequestBudget {
    fn default() -> Self {
        Self { tenths: Self::FULL }
    }
}

impl RequestBudget {
    const FULL: u32 = 100;
    const ONE: u32 = 10;

    /// Adds a tenth, for a request that was sent for the first time.
    pub(crate) fn earn(&mut self) {
        self.tenths = self.tenths.saturating_add(1).min(Self::FULL);
    }

    /// Takes one extra request out of the budget; returns whether there was one.
    pub(crate) fn spend(&mut self) -> bool {
        let left = self.tenths.checked_sub(Self::ONE);
        self.tenths = left.unwrap_or(self.tenths);
        left.is_some()
    }
}

/// How many requests to one provider may fail: thirty at once, and one more each second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailureBudget {
    left: u32,
    /// When the last one was given back, on the monotonic clock.
    since: Duration,
}

impl Default for FailureBudget {
    fn default() -> Self {
        Self { left: Self::FULL, since: Duration::ZERO }
    }
}

impl FailureBudget {
    const FULL: u32 = 30;
    const PAUSE: Duration = Duration::from_secs(1);

    /// Whether no request is left at `now`.
    pub(crate) fn is_spent(&self, now: Duration) -> bool {
        self.at(now).left == 0
    }

    /// Counts a request that failed.
    pub(crate) fn spend(&mut self, now: Duration) {
        let refilled = self.at(now);
        *self = Self { left: refilled.left.saturating_sub(1), ..refilled };
    }

    fn at(&self, now: Duration) -> Self {
        let passed = u32::try_from(now.saturating_sub(self.since).as_secs()).unwrap_or(u32::MAX);
        let left = self.left.saturating_add(passed).min(Self::FULL);
        if left == Self::FULL {
            return Self { left, since: now };
        }
        Self { left, since: self.since.saturating_add(Self::PAUSE.saturating_mul(passed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_extra_request_in_ten_and_ten_at_the_start() {
        let mut budget = RequestBudget::default();
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend() && !budget.spend());
        (0..1_000).for_each(|_| budget.earn());
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
    }

    #[test]
    fn thirty_failures_at_once_and_then_one_a_second() {
        let mut budget = FailureBudget::default();
        let mut now = Duration::from_secs(1_000);
        let mut asked = 0;
        // As often as the budget allows, tried a hundred times a second, for a minute.
        for _ in 0..6_000 {
            if !budget.is_spent(now) {
                budget.spend(now);
                asked += 1;
            }
            now += Duration::from_millis(10);
        }
        assert_eq!(asked, 30 + 59);
        assert!(!budget.is_spent(now + Duration::from_secs(1)));
        assert_eq!(budget.at(now + Duration::from_secs(3_600)).left, FailureBudget::FULL);
    }
}
