//! How old a reading is, worked out when it is looked at.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;

use crate::policy::Policy;

/// The time as the protocol takes it: the later of the device's wall clock and the newest block that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    time: UnixTime,
    clock_off: bool,
}

impl Now {
    /// How far a wall clock may be behind a signed block without being called off.
    pub const TOLERANCE: Duration = Duration::from_secs(30);

    /// The time by a `wall` clock, where the newest signed block is of `newest_signed`.
    pub fn new(wall: UnixTime, newest_signed: Option<UnixTime>) -> Self {
        match newest_signed {
            Some(signed) if signed > wall => {
                Self { time: signed, clock_off: signed.saturating_sub(wall) > Self::TOLERANCE }
            }
            _ => Self { time: wall, clock_off: false },
        }
    }

    /// The time.
    pub fn time(&self) -> UnixTime {
        self.time
    }

    /// Whether the wall clock is behind blocks that were certainly signed before now.
    pub fn clock_off(&self) -> bool {
        self.clock_off
    }

    /// How long ago `then` was; `None` if the clock is off, because any answer would be wrong.
    pub fn age_of(&self, then: UnixTime) -> Option<Duration> {
        (!self.clock_off).then(|| self.time.saturating_sub(then))
    }
}

/// How old a reading is against a policy. Computed on demand and never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Within the policy's age.
    Fresh(Duration),
    /// Older than the policy allows: show it with its age.
    Old(Duration),
    /// The device's clock is off, so the age is not known.
    Unknown,
}

impl Freshness {
    /// The freshness of something of the time `then`.
    pub fn of(then: UnixTime, now: Now, policy: &Policy) -> Self {
        match now.age_of(then) {
            None => Self::Unknown,
            Some(age) if age <= policy.max_age => Self::Fresh(age),
            Some(age) => Self::Old(age),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_signed_blocks_is_off_beyond_the_tolerance() {
        let wall = UnixTime::from_secs(1_000);
        let at = |signed| Now::new(wall, Some(UnixTime::from_secs(signed)));
        assert!(!at(999).clock_off());
        assert!(!at(1_030).clock_off());
        assert_eq!(at(1_030).time(), UnixTime::from_secs(1_030));
        assert!(at(1_031).clock_off());
        assert_eq!(at(1_031).age_of(UnixTime::from_secs(900)), None);
        assert_eq!(Freshness::of(UnixTime::from_secs(900), at(2_000), &Policy::signed()), Freshness::Unknown);
    }

    #[test]
    fn the_policy_draws_the_line() {
        let now = Now::new(UnixTime::from_secs(1_000), None);
        let of = |then| Freshness::of(UnixTime::from_secs(then), now, &Policy::signed());
        assert_eq!(of(700), Freshness::Fresh(Duration::from_secs(300)));
        assert_eq!(of(699), Freshness::Old(Duration::from_secs(301)));
    }
}
