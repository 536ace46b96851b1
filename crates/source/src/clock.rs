//! The clock that an app gives to this crate.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;

use crate::maybe_send::{BoxedFuture, MaybeSend, MaybeSync};

/// The two clocks of a device, and its timer.
pub trait Clock: MaybeSend + MaybeSync {
    /// The wall clock. The user can set it, so it may be wrong.
    fn wall(&self) -> UnixTime;
    /// Time since a fixed start. It only grows; deadlines are measured on it.
    fn monotonic(&self) -> Duration;
    /// Completes when `duration` has passed on the monotonic clock.
    fn sleep(&self, duration: Duration) -> BoxedFuture<'static, ()>;
}

/// A moment on a [`Clock`]'s monotonic scale at which work must have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Duration);

impl Deadline {
    /// The moment `duration` from now.
    pub fn after(clock: &dyn Clock, duration: Duration) -> Self {
        Self(clock.monotonic().saturating_add(duration))
    }

    /// The time that is left; zero after the deadline.
    pub fn left(&self, clock: &dyn Clock) -> Duration {
        self.0.saturating_sub(clock.monotonic())
    }
}
