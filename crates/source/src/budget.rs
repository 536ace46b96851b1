//! What may be spent on asking twice.

use std::time::Duration;

/// Lets one in ten questions be asked twice, and starts with some to spare: an outage is never answered with twice the
/// requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// In tenths of an extra question.
    tenths: u32,
}

impl Budget {
    const FULL: u32 = 100;
    const ONE: u32 = 10;

    pub(crate) fn full() -> Self {
        Self { tenths: Self::FULL }
    }

    /// A question was asked for the first time.
    pub(crate) fn earn(&mut self) {
        self.tenths = self.tenths.saturating_add(1).min(Self::FULL);
    }

    /// Whether one may be asked again; if so, that is spent.
    pub(crate) fn spend(&mut self) -> bool {
        let left = self.tenths.checked_sub(Self::ONE);
        self.tenths = left.unwrap_or(self.tenths);
        left.is_some()
    }
}

/// How often one provider may be asked in vain: a number at once, and one more each second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    left: u32,
    /// When the last one was given back, on the monotonic clock.
    since: Duration,
}

impl Allowance {
    const FULL: u32 = 30;
    const PAUSE: Duration = Duration::from_secs(1);

    pub(crate) fn full() -> Self {
        Self { left: Self::FULL, since: Duration::ZERO }
    }

    /// Whether it may be asked at `now`.
    pub(crate) fn allows(&self, now: Duration) -> bool {
        self.at(now).left > 0
    }

    /// It was asked in vain.
    pub(crate) fn spend(&mut self, now: Duration) {
        let there = self.at(now);
        *self = Self { left: there.left.saturating_sub(1), ..there };
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
    fn one_in_ten_and_ten_to_spare() {
        let mut budget = Budget::full();
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend() && !budget.spend());
        (0..1_000).for_each(|_| budget.earn());
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
    }

    #[test]
    fn thirty_in_vain_and_then_one_a_second() {
        let mut allowance = Allowance::full();
        let mut now = Duration::from_secs(1_000);
        let mut asked = 0;
        // As often as it may, for a minute, a hundred times a second.
        for _ in 0..6_000 {
            if allowance.allows(now) {
                allowance.spend(now);
                asked += 1;
            }
            now += Duration::from_millis(10);
        }
        assert_eq!(asked, 30 + 59);
        assert!(allowance.allows(now + Duration::from_secs(1)));
        assert_eq!(allowance.at(now + Duration::from_secs(3_600)).left, Allowance::FULL);
    }
}
