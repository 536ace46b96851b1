//! How old a reading is. Computed on demand.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;

use crate::policy::Policy;

/// The time that the protocol uses: the later of the device's wall clock and the chain's certain time. That time has
/// certainly come, because the committee signed a block of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    time: UnixTime,
    clock_off: bool,
    allowance: Duration,
}

impl Now {
    /// How far the wall clock may be behind the certain time before it counts as off.
    pub const TOLERANCE: Duration = Duration::from_secs(30);

    /// How many slots the newest block is behind the clock at most while everything works. Its signature comes one slot
    /// later, from Gloas on a head names the block before it, and some slots stay empty.
    pub const SLOTS_BEHIND: u32 = 5;

    /// Makes the time from the `wall` clock and the `certain` time, on a network whose slots last `slot_duration`. The
    /// certain time is that of the newest signed block, plus the time since it became known.
    pub fn new(wall: UnixTime, certain: Option<UnixTime>, slot_duration: Duration) -> Self {
        let allowance = slot_duration.saturating_mul(Self::SLOTS_BEHIND);
        match certain {
            Some(certain) if certain > wall => {
                let clock_off = certain.saturating_sub(wall) > Self::TOLERANCE;
                Self { time: certain, clock_off, allowance }
            }
            _ => Self { time: wall, clock_off: false, allowance },
        }
    }

    /// Returns the time.
    pub fn time(&self) -> UnixTime {
        self.time
    }

    /// Returns whether the wall clock is behind the certain time by more than [`Now::TOLERANCE`].
    pub fn clock_off(&self) -> bool {
        self.clock_off
    }

    /// Returns how long ago `then` was; `None` if the clock is off, because any answer would be wrong.
    pub fn age_of(&self, then: UnixTime) -> Option<Duration> {
        (!self.clock_off).then(|| self.time.saturating_sub(then))
    }

    /// Returns whether `age` is within `policy`. The first [`Now::SLOTS_BEHIND`] slots of it do not count.
    pub fn allows(&self, age: Duration, policy: &Policy) -> bool {
        age <= self.limit(policy)
    }

    /// Returns how much longer a block of the time `then` is within `policy`; `None` if it is not, or if its age is not
    /// known.
    pub fn fresh_for(&self, then: UnixTime, policy: &Policy) -> Option<Duration> {
        self.limit(policy).checked_sub(self.age_of(then)?)
    }

    fn limit(&self, policy: &Policy) -> Duration {
        policy.max_age.saturating_add(self.allowance)
    }
}

/// How old a reading is, by a policy. Computed on demand and never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Its age is within the policy, as [`Policy::max_age`] counts it.
    Fresh(Duration),
    /// It is older than the policy allows: show it with its age.
    Old(Duration),
    /// The device's clock is off, so the age is not known.
    Unknown,
}

impl Freshness {
    /// Returns a stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fresh(_) => "fresh",
            Self::Old(_) => "old",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the freshness of a block of the time `then`.
    pub fn of(then: UnixTime, now: Now, policy: &Policy) -> Self {
        match now.age_of(then) {
            None => Self::Unknown,
            Some(age) if now.allows(age, policy) => Self::Fresh(age),
            Some(age) => Self::Old(age),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Duration = Duration::from_secs(12);

    #[test]
    fn a_clock_behind_signed_blocks_by_more_than_the_tolerance_is_off() {
        let wall = UnixTime::from_secs(1_000);
        let at = |signed| Now::new(wall, Some(UnixTime::from_secs(signed)), SLOT);
        assert!(!at(999).clock_off());
        assert!(!at(1_030).clock_off());
        assert_eq!(at(1_030).time(), UnixTime::from_secs(1_030));
        assert!(at(1_031).clock_off());
        assert_eq!(at(1_031).age_of(UnixTime::from_secs(900)), None);
        assert_eq!(Freshness::of(UnixTime::from_secs(900), at(2_000), &Policy::signed()), Freshness::Unknown);
    }

    #[test]
    fn the_limit_is_the_age_of_the_policy_plus_some_slots() {
        let now = Now::new(UnixTime::from_secs(1_000), None, SLOT);
        let of = |then| Freshness::of(UnixTime::from_secs(then), now, &Policy::signed());
        assert_eq!(of(640), Freshness::Fresh(Duration::from_secs(360)));
        assert_eq!(of(639), Freshness::Old(Duration::from_secs(361)));
        let left = |then| now.fresh_for(UnixTime::from_secs(then), &Policy::signed());
        assert_eq!((left(640), left(641)), (Some(Duration::ZERO), Some(Duration::from_secs(1))));
        assert_eq!(left(639), None);
    }
}
