//! Waking those who wait for something to change.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Rings when something changed that others may wait for.
#[derive(Default)]
pub(crate) struct Bell(Mutex<State>);

#[derive(Default)]
struct State {
    rung: u64,
    /// Counts those who ever waited.
    listeners: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Bell {
    /// How often it has rung.
    pub(crate) fn rung(&self) -> u64 {
        self.state().rung
    }

    pub(crate) fn ring(&self) {
        let waiting = {
            let mut state = self.state();
            state.rung = state.rung.wrapping_add(1);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    /// Waits until it has rung again since it had rung `since` times. Dropped, it leaves nothing behind.
    pub(crate) fn rings(&self, since: u64) -> Rings<'_> {
        Rings { bell: self, since, listener: None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a bell.
pub(crate) struct Rings<'a> {
    bell: &'a Bell,
    since: u64,
    listener: Option<u64>,
}

impl Future for Rings<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.bell.state();
        if state.rung != self.since {
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

impl Drop for Rings<'_> {
    fn drop(&mut self) {
        if let Some(listener) = self.listener {
            self.bell.state().waiting.remove(&listener);
        }
    }
}
