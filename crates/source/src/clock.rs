//! Time, as the rest of the crate is given it.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;

use crate::maybe_send::BoxedFuture;

/// The two clocks of a device, and a way to wait.
pub trait Clock: Send + Sync {
    /// The wall clock: what the user can set, and what may be wrong.
    fn wall(&self) -> UnixTime;
    /// Time since some fixed start, which only ever grows; deadlines are measured on it.
    fn monotonic(&self) -> Duration;
    /// Completes when `duration` has passed on the monotonic clock.
    fn sleep(&self, duration: Duration) -> BoxedFuture<'static, ()>;
}

/// A moment on a [`Clock`]'s monotonic scale by which something must be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Duration);

impl Deadline {
    /// The moment `duration` from now.
    pub fn after(clock: &dyn Clock, duration: Duration) -> Self {
        Self(clock.monotonic().saturating_add(duration))
    }

    /// How much time is left; zero when it has passed.
    pub fn left(&self, clock: &dyn Clock) -> Duration {
        self.0.saturating_sub(clock.monotonic())
    }
}
