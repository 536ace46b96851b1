//! The clocks of a client, and the deadlines that they give.

#[cfg(not(target_arch = "wasm32"))]
use std::sync::Arc;
use std::time::Duration;
#[cfg(not(target_arch = "wasm32"))]
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::{Either, select};
use saldo::{BoxedFuture, Clock, StorageError, UnixTime};

use crate::app_clock::AppClock;
use crate::maybe_send::MaybeSend;
use crate::worker::Poster;
#[cfg(not(target_arch = "wasm32"))]
use crate::worker::Timers;

/// The clocks of a client.
#[derive(Clone)]
pub(crate) enum Clocks {
    /// Those of the device. The client's thread waits for the timers.
    #[cfg(not(target_arch = "wasm32"))]
    Device { start: Instant, timers: Arc<Timers> },
    /// Those of the app, which waits for the timers itself.
    App(AppClock),
}

impl Clocks {
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn of_device(timers: Arc<Timers>) -> Self {
        Self::Device { start: Instant::now(), timers }
    }
}

impl Clock for Clocks {
    fn wall(&self) -> UnixTime {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::Device { .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                UnixTime::from_millis(crate::number::millis(since))
            }
            Self::App(clock) => clock.wall(),
        }
    }

    fn monotonic(&self) -> Duration {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::Device { start, .. } => start.elapsed(),
            Self::App(clock) => clock.monotonic(),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxedFuture<'static, ()> {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::Device { timers, .. } => Box::pin(timers.sleep(duration)),
            Self::App(clock) => Box::pin(clock.clone().sleep(duration)),
        }
    }
}

/// Gives every call of the app's code a deadline of its own.
#[derive(Clone)]
pub(crate) struct Timer {
    clocks: Clocks,
    poster: Poster,
}

impl Timer {
    pub(crate) fn new(clocks: Clocks, poster: Poster) -> Self {
        Self { clocks, poster }
    }

    /// Waits for `answer`, at most for `limit`; then drops it and returns `None`.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = T> + MaybeSend,
    ) -> Option<T> {
        match select(Box::pin(answer), self.clocks.sleep(limit)).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    /// Completes when `duration` has passed.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.clocks.sleep(duration).await;
    }

    /// Starts `work` at once. It goes on if the returned future is dropped: what was begun to be written must be finished.
    pub(crate) fn detached<T: MaybeSend + 'static>(
        &self,
        work: impl Future<Output = Result<T, StorageError>> + MaybeSend + 'static,
    ) -> BoxedFuture<'static, Result<T, StorageError>> {
        let run = self.poster.run(work);
        Box::pin(async move {
            let closed = || StorageError::Io { kind: std::io::ErrorKind::Interrupted };
            run.await.unwrap_or_else(|_| Err(closed()))
        })
    }
}
