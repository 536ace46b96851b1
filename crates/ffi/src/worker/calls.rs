//! Jobs without a thread: the calls of the app do them while they wait.
//!
//! Each call that waits polls the jobs that can go on, whichever call they are for. A job that can go on wakes the calls that wait.
//! If none waits, the job rests until the next call: only what no call needs any more can be left, such as the storage's answer to a
//! write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use tracing::Dispatch;

use super::job::{Job, Jobs, drop_all, poll_ready};

/// The jobs of a client.
pub(super) struct Calls {
    state: Mutex<State>,
    bell: Arc<Bell>,
    log: Dispatch,
}

struct State {
    new: Vec<Job>,
    /// `None` while they are polled, because a job must not poll the others; and after the end.
    begun: Option<Jobs>,
    is_stopped: bool,
}

/// The calls that wait, and whether a job can go on. It is apart from the jobs, because a waker must be `Send`.
#[derive(Default)]
struct Bell(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// Counts the calls that ever waited, to give each a number.
    count: u64,
    calls: BTreeMap<u64, Waker>,
    has_rung: bool,
}

impl Bell {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the calls that wait.
    fn ring(&self) {
        let calls: Vec<Waker> = {
            let mut waiting = self.waiting();
            waiting.has_rung = true;
            waiting.calls.values().cloned().collect()
        };
        // Without the lock: a waker may run any code.
        calls.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

impl Calls {
    pub(super) fn new(log: Dispatch) -> Self {
        let state = State { new: Vec::new(), begun: Some(Jobs::new()), is_stopped: false };
        Self { state: Mutex::new(state), bell: Arc::default(), log }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job. It begins when a call waits. After the end it is dropped.
    pub(super) fn push(&self, job: Job) {
        {
            let mut state = self.state();
            if state.is_stopped {
                return;
            }
            state.new.push(job);
        }
        self.bell.ring();
    }

    /// Ends all jobs. Inside of a job, the others end when it waits.
    pub(super) fn stop(&self) {
        let left = {
            let mut state = self.state();
            state.is_stopped = true;
            (std::mem::take(&mut state.new), state.begun.take())
        };
        drop_all(left);
        self.bell.ring();
    }

    /// Polls every job that can go on, and those that they add. Does nothing if this is already being done, or after the end.
    fn go_on(&self) {
        let Some(mut begun) = self.state().begun.take() else { return };
        self.bell.waiting().has_rung = false;
        let waker = Waker::from(Arc::clone(&self.bell));
        tracing::dispatcher::with_default(&self.log, || {
            loop {
                let new = std::mem::take(&mut self.state().new);
                begun.extend(new);
                poll_ready(&mut begun, &waker);
                // What a job has added begins now: no call may be there later.
                if self.state().new.is_empty() {
                    break;
                }
            }
        });
        self.put_back(begun);
        // While the jobs were away, a call on another thread may have looked for them.
        if self.bell.waiting().has_rung {
            self.bell.ring();
        }
    }

    fn put_back(&self, begun: Jobs) {
        let left = {
            let mut state = self.state();
            if state.is_stopped {
                Some(begun)
            } else {
                state.begun = Some(begun);
                None
            }
        };
        drop_all(left);
    }
}

/// A call of the app that waits.
pub(super) struct Caller {
    calls: Arc<Calls>,
    number: Option<u64>,
}

impl Caller {
    pub(super) fn new(calls: &Arc<Calls>) -> Self {
        Self { calls: Arc::clone(calls), number: None }
    }

    /// Does the jobs that can go on, and asks to be woken when another one can.
    pub(super) fn attend(&mut self, context: &Context<'_>) {
        {
            let mut waiting = self.calls.bell.waiting();
            let number = self.number.unwrap_or_else(|| {
                waiting.count = waiting.count.wrapping_add(1);
                waiting.count
            });
            self.number = Some(number);
            waiting.calls.insert(number, context.waker().clone());
        }
        self.calls.go_on();
    }

    /// Ends the wait, and with it the jobs that were aborted.
    pub(super) fn leave(self) {
        let calls = Arc::clone(&self.calls);
        drop(self);
        calls.go_on();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.calls.bell.waiting().calls.remove(&number);
        }
    }
}
