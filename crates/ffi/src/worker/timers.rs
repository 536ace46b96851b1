//! The timers of a worker. The thread itself waits for them, so they need no other thread.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The moments that jobs wait for.
#[derive(Default)]
pub(crate) struct Timers(Mutex<State>);

#[derive(Default)]
struct State {
    /// Counts the timers that ever waited, to give each a number.
    count: u64,
    waiting: BTreeMap<(Instant, u64), Waker>,
    /// Wakes the thread, so that it looks at the timers again.
    reader: Option<Waker>,
}

impl Timers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when `duration` has passed.
    pub(crate) fn sleep(self: &Arc<Self>, duration: Duration) -> Sleep {
        Sleep { timers: Arc::clone(self), until: Instant::now().checked_add(duration), number: None }
    }

    pub(super) fn set_reader(&self, reader: Waker) {
        self.state().reader = Some(reader);
    }

    /// Wakes what was waited for, and returns the time until the next timer.
    pub(super) fn fire(&self) -> Option<Duration> {
        let now = Instant::now();
        let (due, next) = {
            let mut state = self.state();
            let later = state.waiting.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut state.waiting, later);
            (due, state.waiting.keys().next().map(|(until, _)| until.saturating_duration_since(now)))
        };
        due.into_values().for_each(Waker::wake);
        next
    }

    /// Drops all timers and the way to the thread.
    pub(super) fn clear(&self) {
        let state = std::mem::take(&mut *self.state());
        drop(state);
    }
}

/// Waits for a moment. [`Timers::sleep`] makes one.
pub(crate) struct Sleep {
    timers: Arc<Timers>,
    /// `None` is later than any moment.
    until: Option<Instant>,
    number: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until else { return Poll::Pending };
        if Instant::now() >= until {
            return Poll::Ready(());
        }
        let (number, reader) = {
            let mut state = self.timers.state();
            let number = self.number.unwrap_or_else(|| {
                state.count = state.count.wrapping_add(1);
                state.count
            });
            state.waiting.insert((until, number), context.waker().clone());
            let is_first = state.waiting.keys().next() == Some(&(until, number));
            (number, state.reader.clone().filter(|_| is_first))
        };
        self.number = Some(number);
        // The thread may wait for a later moment.
        if let Some(reader) = reader {
            reader.wake();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(until), Some(number)) = (self.until, self.number) {
            self.timers.state().waiting.remove(&(until, number));
        }
    }
}
