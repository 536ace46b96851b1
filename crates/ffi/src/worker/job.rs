//! A job, and how the jobs that can go on are polled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use saldo::BoxedFuture;

/// One piece of work.
pub(super) type Job = BoxedFuture<'static, ()>;
/// Jobs that have begun.
pub(super) type Jobs = FuturesUnordered<Job>;

/// Polls every job that can go on.
pub(super) fn poll_ready(jobs: &mut Jobs, waker: &Waker) {
    let mut poll =
        || while let Poll::Ready(Some(())) = jobs.poll_next_unpin(&mut Context::from_waker(waker)) {};
    // A job that panics does so in its own `catch_unwind`. This one is for what dropping a job does: the others that
    // are ready still have to be polled.
    while catch_unwind(AssertUnwindSafe(&mut poll)).is_err() {}
}

/// Drops `jobs`. What a job does when it is dropped may panic.
pub(super) fn drop_all<T>(jobs: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(jobs)));
}
