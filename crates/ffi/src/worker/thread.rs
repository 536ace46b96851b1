//! What the thread does: it waits for jobs, wake-ups and timers, and polls what is ready.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::thread::{JoinHandle, ThreadId};

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::Shared;
use tracing::Dispatch;

use super::job::{Job, Jobs, drop_all, poll_ready};
use super::timers::Timers;

/// A thread that does jobs.
pub(super) struct Thread {
    id: ThreadId,
    handle: Mutex<Option<JoinHandle<()>>>,
    ended: Shared<oneshot::Receiver<()>>,
}

/// Starts a thread. Its events go to `log`.
///
/// # Errors
/// The system's error if it has no room for a thread.
pub(super) fn start(timers: Arc<Timers>, log: Dispatch) -> std::io::Result<(Arc<ThreadQueue>, Thread)> {
    let queue = Arc::new(ThreadQueue::new(timers));
    let (sender, ended) = oneshot::channel();
    let own = Arc::clone(&queue);
    let handle = std::thread::Builder::new().name("saldo".to_owned()).spawn(move || {
        tracing::dispatcher::with_default(&log, || own.work());
        // The receiver may be gone.
        let _ = sender.send(());
    })?;
    let id = handle.thread().id();
    Ok((queue, Thread { id, handle: Mutex::new(Some(handle)), ended: ended.shared() }))
}

impl Thread {
    /// Waits until the thread has ended. On the thread itself it waits for nothing.
    pub(super) async fn join(&self) {
        if std::thread::current().id() == self.id {
            return;
        }
        let _ = self.ended.clone().await;
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It has nothing left to do but to end. It catches every panic.
        let _ = handle.map(JoinHandle::join);
    }
}

/// What others ask of the thread.
pub(super) struct ThreadQueue {
    state: Mutex<State>,
    changed: Condvar,
    timers: Arc<Timers>,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    /// Whether a job can go on.
    woken: bool,
    stopped: bool,
}

/// Wakes the thread because a job can go on.
struct Bell(Arc<ThreadQueue>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.state().woken = true;
        self.0.changed.notify_one();
    }
}

impl ThreadQueue {
    fn new(timers: Arc<Timers>) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), timers }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job. After the end it is dropped.
    pub(super) fn push(&self, job: Job) {
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
    fn work(self: Arc<Self>) {
        let waker = Waker::from(Arc::new(Bell(Arc::clone(&self))));
        self.timers.set_reader(waker.clone());
        let mut jobs = Jobs::new();
        while let Some(new) = self.wait() {
            jobs.extend(new);
            poll_ready(&mut jobs, &waker);
        }
        let left = std::mem::take(&mut self.state().jobs);
        drop_all(left);
        drop_all(jobs);
        self.timers.clear();
    }

    /// Waits until a job can go on, and returns the new jobs; `None` at the end.
    fn wait(&self) -> Option<Vec<Job>> {
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
