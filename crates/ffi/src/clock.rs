//! The device's clocks, and the timer of the client's own thread.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::{Either, select};
use saldo::{BoxedFuture, Clock, StorageError, UnixTime};

use crate::maybe_send::MaybeSend;
use crate::worker::{Poster, Timers};

/// The device's clocks.
pub(crate) struct DeviceClock {
    start: Instant,
    timers: Arc<Timers>,
}

impl DeviceClock {
    pub(crate) fn new(timers: Arc<Timers>) -> Self {
        Self { start: Instant::now(), timers }
    }
}

impl Clock for DeviceClock {
    fn wall(&self) -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime::from_millis(crate::number::millis(since))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxedFuture<'static, ()> {
        Box::pin(self.timers.sleep(duration))
    }
}

/// Gives every call of the app's code a deadline of its own.
#[derive(Clone)]
pub(crate) struct Timer {
    timers: Arc<Timers>,
    poster: Poster,
}

impl Timer {
    pub(crate) fn new(timers: Arc<Timers>, poster: Poster) -> Self {
        Self { timers, poster }
    }

    /// Waits for `answer`, at most for `limit`; then drops it and returns `None`.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = T> + MaybeSend,
    ) -> Option<T> {
        match select(Box::pin(answer), self.timers.sleep(limit)).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    /// Completes when `duration` has passed.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.timers.sleep(duration).await;
    }

    /// Starts `work` at once. It goes on if the returned future is dropped: what was begun to be written must be finished.
    pub(crate) fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> BoxedFuture<'static, Result<T, StorageError>> {
        let run = self.poster.run(work);
        Box::pin(async move {
            let closed = || StorageError::Io { kind: std::io::ErrorKind::Interrupted };
            run.await.unwrap_or_else(|_| Err(closed()))
        })
    }
}
