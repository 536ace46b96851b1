//! One job, and the wait for its result.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, abortable};

use super::thread::Queue;
use crate::ended::Ended;

/// Waits for the result of a job. It computes nothing. Dropping it aborts the job.
pub(crate) struct Run<T> {
    result: oneshot::Receiver<Result<T, Ended>>,
    abort: Option<AbortHandle>,
}

/// Puts `job` into `queue`. A panic of the job ends only this job.
pub(super) fn run<T: Send + 'static>(
    queue: &Arc<Queue>,
    job: impl Future<Output = T> + Send + 'static,
) -> Run<T> {
    let (sender, result) = oneshot::channel();
    let (job, abort) = abortable(AssertUnwindSafe(job).catch_unwind());
    queue.push(Box::pin(async move {
        if let Ok(result) = job.await {
            // The caller may be gone by now.
            let _ = sender.send(result.map_err(|_| Ended::Panicked));
        }
    }));
    Run { result, abort: Some(abort) }
}

impl<T> Run<T> {
    /// Lets the job go on when the result is dropped.
    pub(super) fn keep(&mut self) {
        self.abort = None;
    }

    /// Lets the job go on without a result.
    pub(super) fn detach(mut self) {
        self.keep();
    }
}

impl<T> Future for Run<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Without a sender, the worker has dropped the job: it was stopped.
        Poll::Ready(ready!(self.result.poll_unpin(context)).unwrap_or(Err(Ended::Closed)))
    }
}

impl<T> Drop for Run<T> {
    fn drop(&mut self) {
        if let Some(abort) = self.abort.take() {
            abort.abort();
        }
    }
}
