//! The watch hub: the state that all watches of a client share. It has the pace, the watched holdings, and the
//! list of withdrawals.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use saldo_reading::{Candidate, Holding};
use saldo_source::{SortedMap, SortedSet};

use crate::notify::Notify;
use crate::pace::Pace;

/// Shared by all watches of a client.
#[derive(Default)]
pub(crate) struct WatchHub {
    /// Notifies when a reading was proven or withdrawn, and when the app changed a setting.
    pub(crate) notify: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pace: Pace,
    /// The number of times that the app asked for an immediate try.
    wakes: u64,
    /// The number of watches of each holding.
    watched: SortedMap<Holding, usize>,
}

/// The newest withdrawals with their numbers, for watches that have not reported them yet.
#[derive(Default)]
pub(crate) struct Withdrawals {
    count: u64,
    newest: VecDeque<(u64, Candidate)>,
}

impl Withdrawals {
    /// The most withdrawals that are kept.
    const CAPACITY: usize = 4_096;

    /// The number of withdrawals so far, and those from the number `since` on, each with its number.
    pub(crate) fn newest(&self, since: u64) -> (u64, Vec<(u64, Candidate)>) {
        let newer = self.newest.iter().filter(|(number, _)| *number >= since);
        (self.count, newer.cloned().collect())
    }

    pub(crate) fn note(&mut self, withdrawn: Candidate) {
        self.newest.push_back((self.count, withdrawn));
        self.count = self.count.saturating_add(1);
        if self.newest.len() > Self::CAPACITY {
            self.newest.pop_front();
        }
    }
}

impl WatchHub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all watches, so that they try again at once.
    pub(crate) fn wake(&self) {
        {
            let mut state = self.state();
            state.wakes = state.wakes.wrapping_add(1);
        }
        self.notify.notify_all();
    }

    pub(crate) fn wakes(&self) -> u64 {
        self.state().wakes
    }

    pub(crate) fn pace(&self) -> Pace {
        self.state().pace
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        let before = std::mem::replace(&mut self.state().pace, pace);
        if before != pace && pace == Pace::Foreground {
            self.wake();
        } else {
            self.notify.notify_all();
        }
    }
}

impl WatchHub {
    /// Adds the `holdings` of a new watch.
    pub(crate) fn register(&self, holdings: &SortedSet<Holding>) {
        let mut state = self.state();
        for holding in holdings {
            let count = state.watched.entry(*holding).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Removes the `holdings` of a watch that ends.
    pub(crate) fn unregister(&self, holdings: &SortedSet<Holding>) {
        let mut state = self.state();
        for holding in holdings {
            if let Some(count) = state.watched.get_mut(holding) {
                *count = count.saturating_sub(1);
            }
        }
        state.watched.retain(|_, count| *count > 0);
    }

    /// All watched holdings.
    pub(crate) fn watched(&self) -> SortedSet<Holding> {
        self.state().watched.keys().copied().collect()
    }
}
