//! Waking those who wait for something to change.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Rings when something changed that others may wait for.
#[derive(Default)]
pub(crate) struct Bell(Mutex<State>);

#[derive(Default)]
struct State {
    rung: u64,
    waiting: Vec<Waker>,
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
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits until it has rung again since it had rung `since` times.
    pub(crate) async fn rings(&self, since: u64) {
        poll_fn(|context| {
            let mut state = self.state();
            if state.rung != since {
                return Poll::Ready(());
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
