//! A stopped clock, for code that never waits.

use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Clock, UnixTime};

/// A stopped clock.
pub struct StoppedClock;

impl Clock for StoppedClock {
    fn wall(&self) -> UnixTime {
        UnixTime::from_secs(0)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
}

/// The result of a future that never waits.
///
/// # Panics
/// If the future waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the future is ready at once")
}
