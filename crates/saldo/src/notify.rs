//! Wakes the futures that wait for a change.

use saldo_source::SortedMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Notifies all waiting futures of a change.
#[derive(Default)]
pub(crate) struct Notify(Mutex<State>);

#[derive(Default)]
struct State {
    count: u64,
    /// Counts the futures that ever waited, to give each a number.
    listeners: u64,
    waiting: SortedMap<u64, Waker>,
}

impl Notify {
    /// The number of notifications so far.
    pub(crate) fn count(&self) -> u64 {
        self.state().count
    }

    pub(crate) fn notify_all(&self) {
        let waiting = {
            let mut state = self.state();
            state.count = state.count.wrapping_add(1);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    /// Waits until there are more notifications than `since`. A dropped future leaves no waker behind.
    pub(crate) fn notified(&self, since: u64) -> Notified<'_> {
        Notified { notify: self, since, listener: None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the next notification.
pub(crate) struct Notified<'a> {
    notify: &'a Notify,
    since: u64,
    listener: Option<u64>,
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.notify.state();
        if state.count != self.since {
            return Poll::Ready(());
        }
        let listener = self.listener.unwrap_or_else(|| {
            state.listeners = state.listeners.wrapping_add(1);
            state.listeners
        });
        state.waiting.insert(listener, context.waker().clone());
        drop(state);
        self.listener = Some(listener);
        Poll::Pending
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        if let Some(listener) = self.listener {
            self.notify.state().waiting.remove(&listener);
        }
    }
}
