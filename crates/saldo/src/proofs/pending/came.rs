//! When a pending proof came.

use std::time::Duration;

/// When a proof came. The monotonic clock starts anew with the app, so a proof of an earlier run has an age beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    /// When this run of the app got it, on the monotonic clock.
    at: Duration,
    /// How old it was by then.
    age: Duration,
}

impl Came {
    /// It came at this time on the monotonic clock.
    pub(crate) const fn at(at: Duration) -> Self {
        Self { at, age: Duration::ZERO }
    }

    /// It was restored at this time, when it had this age.
    #[cfg_attr(not(feature = "rollup"), expect(dead_code, reason = "only proofs of a rollup are stored"))]
    pub(crate) const fn restored(at: Duration, age: Duration) -> Self {
        Self { at, age }
    }

    /// Its age at this time.
    pub(super) fn age(self, now: Duration) -> Duration {
        now.saturating_sub(self.at).saturating_add(self.age)
    }

    /// The time from this to a later proof; zero if that one is not later.
    pub(super) fn until(self, later: Self) -> Duration {
        later.at.saturating_add(self.age).saturating_sub(self.at.saturating_add(later.age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_between_proofs_of_two_runs_is_known() {
        let seconds = Duration::from_secs;
        // The second run starts 100 s after the first proof came, and its own proof comes 5 s later.
        let (old, new) = (Came::restored(seconds(1), seconds(100)), Came::at(seconds(6)));
        assert_eq!((old.until(new), new.until(old)), (seconds(105), Duration::ZERO));
        assert_eq!((old.age(seconds(6)), new.age(seconds(6))), (seconds(105), Duration::ZERO));
    }
}
