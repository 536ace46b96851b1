//! What the thread does: it waits for jobs, wake-ups and timers, and polls what is ready.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::timers::Timers;

/// What others ask of the thread.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    timers: Arc<Timers>,
}

#[derive(Default)]
struct State {
    jobs: Vec<BoxFuture<'static, ()>>,
    /// Whether a job can go on.
    woken: bool,
    stopped: bool,
}

/// Wakes the thread because a job can go on.
struct Bell(Arc<Queue>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.state().woken = true;
        self.0.changed.notify_one();
    }
}

impl Queue {
    pub(super) fn new(timers: Arc<Timers>) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), timers }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job. After the end it is dropped.
    pub(super) fn push(&self, job: BoxFuture<'static, ()>) {
        {
            let mut state = self.state();
            if state.stopped {
                return;
            }
            state.jobs.push(job);
        }
        self.changed.notify_one();
    }

    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_one();
    }

    /// Runs jobs until the end, and then drops those that are left.
    pub(super) fn work(self: Arc<Self>) {
        let waker = Waker::from(Arc::new(Bell(Arc::clone(&self))));
        self.timers.set_reader(waker.clone());
        let mut jobs = FuturesUnordered::new();
        while let Some(new) = self.wait() {
            jobs.extend(new);
            let mut poll = || {
                while let Poll::Ready(Some(())) = jobs.poll_next_unpin(&mut Context::from_waker(&waker)) {}
            };
            // A job that panics does so in its own `catch_unwind`. This one is for what dropping a job does: the others that
            // are ready still have to be polled.
            while catch_unwind(AssertUnwindSafe(&mut poll)).is_err() {}
        }
        let left = std::mem::take(&mut self.state().jobs);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(left)));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(jobs)));
        self.timers.clear();
    }

    /// Waits until a job can go on, and returns the new jobs; `None` at the end.
    fn wait(&self) -> Option<Vec<BoxFuture<'static, ()>>> {
        // Also while jobs keep waking each other: a deadline must not wait for them.
        self.timers.fire();
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            if std::mem::take(&mut state.woken) || !state.jobs.is_empty() {
                return Some(std::mem::take(&mut state.jobs));
            }
            // Without the lock: the timers wake jobs, which ring the bell.
            drop(state);
            let until_next = self.timers.fire();
            state = self.state();
            if state.stopped || state.woken || !state.jobs.is_empty() {
                continue;
            }
            state = match until_next {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
