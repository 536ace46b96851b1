//! The time that has certainly come, whatever the wall clock says.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;

/// A time that a committee's signature proves to have come, and when that became known on the monotonic clock.
/// The time that has passed since is certain too, because that clock cannot be set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CertainTime {
    proven: UnixTime,
    known_at: Duration,
}

impl CertainTime {
    /// The certain time once `newest` is proven: `newest`, or `held` plus the time passed since, whichever is
    /// later.
    pub(super) fn after(held: Option<Self>, newest: UnixTime, monotonic: Duration) -> Self {
        held.filter(|held| held.at(monotonic) >= newest)
            .unwrap_or(Self { proven: newest, known_at: monotonic })
    }

    /// A lower bound of the present time. The monotonic clock may run a little fast, so a thousandth of the
    /// time that it shows does not count. Otherwise the drift of weeks would make every correct wall clock look
    /// slow.
    pub(super) fn at(self, monotonic: Duration) -> UnixTime {
        let passed = monotonic.saturating_sub(self.known_at);
        self.proven.saturating_add(passed.saturating_sub(passed.checked_div(1024).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn later(seconds: u64) -> UnixTime {
        START.saturating_add(Duration::from_secs(seconds))
    }

    #[test]
    fn time_that_has_passed_is_certain() {
        let known_at = Duration::from_secs(7);
        let certain = CertainTime::after(None, START, known_at);
        assert_eq!(certain.at(known_at), START);
        assert_eq!(certain.at(Duration::ZERO), START, "it never goes back");
        let hour = certain.at(known_at + Duration::from_secs(3_600));
        assert!(hour > later(3_590) && hour < later(3_600));
    }

    #[test]
    fn a_newer_head_counts_only_if_it_is_later_than_the_certain_time() {
        let held = CertainTime::after(None, START, Duration::ZERO);
        let after = Duration::from_secs(1_000);
        // A replayed head does not reduce the certain time.
        assert_eq!(CertainTime::after(Some(held), later(900), after), held);
        let newer = CertainTime::after(Some(held), later(1_000), after);
        assert_eq!(newer.at(after), later(1_000));
    }

    /// Heads become known 12 s late, and the monotonic clock gains a second in 10,000.
    #[test]
    fn a_monotonic_clock_that_is_fast_makes_no_true_clock_look_slow() {
        let (mut held, tolerance) = (None, 30);
        for slot in 0..30 * 7_200_u64 {
            let now = slot * 12;
            let monotonic = Duration::from_micros(now * 1_000_100);
            let certain = CertainTime::after(held, later(now.saturating_sub(12)), monotonic);
            assert!(certain.at(monotonic) < later(now + tolerance), "after {now} s");
            held = Some(certain);
        }
    }
}
