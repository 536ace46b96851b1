//! The clock of an app, for platforms on which Rust has none.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use saldo::UnixTime;

use crate::maybe_send::Shared;
use crate::number::millis;

/// The clocks and the timer of a platform on which Rust has none: a browser.
///
/// An implementation must not throw: without a clock the library cannot go on.
#[cfg_attr(target_arch = "wasm32", uniffi::export(with_foreign))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
pub trait Clock: Shared {
    /// Returns the time of day, in milliseconds since 1970.
    fn wall_ms(&self) -> u64;

    /// Returns the time of a clock that is never set and never goes back, in milliseconds since any moment.
    fn monotonic_ms(&self) -> u64;

    /// Completes when this many milliseconds have passed: at most an hour. It ends its timer when it is cancelled.
    async fn sleep(&self, milliseconds: u64);
}

/// The app's clock, as saldo uses it.
#[derive(Clone)]
pub(crate) struct AppClock(Arc<dyn Clock>);

impl AppClock {
    /// The longest sleep that the app is asked for. A timer of JavaScript fires at once if it is given more than 24 days.
    const LONGEST: Duration = Duration::from_secs(3_600);

    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }

    pub(crate) fn wall(&self) -> UnixTime {
        UnixTime::from_millis(self.0.wall_ms())
    }

    pub(crate) fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.monotonic_ms())
    }

    /// Completes when `duration` has passed by the app's monotonic clock, also if a sleep of the app ends early.
    pub(crate) async fn sleep(self, duration: Duration) {
        let Some(until) = self.monotonic().checked_add(duration) else { return pending().await };
        loop {
            let left = until.saturating_sub(self.monotonic());
            if left.is_zero() {
                return;
            }
            // At least one: what is left may be less than a millisecond.
            self.0.sleep(millis(left.min(Self::LONGEST)).max(1)).await;
        }
    }
}
