//! One job, and the wait for its result.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, abortable};

use super::queue::{Caller, Queue};
use crate::ended::Ended;
use crate::maybe_send::MaybeSend;

/// Waits for the result of a job. If a thread does the job, it computes nothing. Dropping it aborts the job.
pub(crate) struct Run<T> {
    result: oneshot::Receiver<Result<T, Ended>>,
    abort: Option<AbortHandle>,
    caller: Caller,
}

/// Puts `job` into `queue`. A panic of the job ends only this job.
pub(super) fn run<T: MaybeSend + 'static>(
    queue: &Queue,
    job: impl Future<Output = T> + MaybeSend + 'static,
) -> Run<T> {
    let (sender, result) = oneshot::channel();
    let (job, abort) = abortable(AssertUnwindSafe(job).catch_unwind());
    queue.push(Box::pin(async move {
        if let Ok(result) = job.await {
            // The caller may be gone by now.
            let _ = sender.send(result.map_err(|_| Ended::Panicked));
        }
    }));
    Run { result, abort: Some(abort), caller: queue.caller() }
}

impl<T> Run<T> {
    /// Lets the job go on when the result is dropped. The result may be waited for in another job, which must not do jobs itself.
    pub(super) fn keep(&mut self) {
        self.abort = None;
        self.caller = Caller::default();
    }

    /// Lets the job go on without a result.
    pub(super) fn detach(mut self) {
        self.keep();
    }
}

impl<T> Future for Run<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.caller.attend(context);
        // Without a sender, the worker has dropped the job: it was stopped.
        Poll::Ready(ready!(self.result.poll_unpin(context)).unwrap_or(Err(Ended::Closed)))
    }
}

impl<T> Drop for Run<T> {
    fn drop(&mut self) {
        if let Some(abort) = self.abort.take() {
            abort.abort();
            self.caller.leave();
        }
    }
}
