//! What the watches of a client have in common: how much they may ask, what they watch, and what they must not miss.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saldo_reading::{Candidate, Freshness, Holding, Now, Proven, Reading};
use saldo_source::Deadline;

use crate::core::Core;
use crate::notify::Notify;
use crate::read::Kind;
use crate::watch::Pace;

/// Shared by all watches of a client.
#[derive(Default)]
pub(crate) struct WatchHub {
    /// Rings when something was proven or withdrawn, and when the app says something.
    pub(crate) notify: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pace: Pace,
    /// How often the app said that it is worth trying again at once.
    wakes: u64,
    /// How many watches watch each holding.
    watched: BTreeMap<Holding, usize>,
}

/// The newest withdrawals, numbered, for watches that have not told of them yet.
#[derive(Default)]
pub(crate) struct Withdrawals {
    count: u64,
    newest: VecDeque<(u64, Candidate)>,
}

impl Withdrawals {
    /// How many are remembered.
    const CAPACITY: usize = 4_096;

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

    /// Says that it is worth trying again at once.
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

impl Core {
    /// A watch of `holdings` begins.
    pub(crate) fn attend(&self, holdings: &BTreeSet<Holding>) {
        let mut state = self.hub.state();
        for holding in holdings {
            let count = state.watched.entry(*holding).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// It ends.
    pub(crate) fn leave(&self, holdings: &BTreeSet<Holding>) {
        let mut state = self.hub.state();
        for holding in holdings {
            if let Some(count) = state.watched.get_mut(holding) {
                *count = count.saturating_sub(1);
            }
        }
        state.watched.retain(|_, count| *count > 0);
    }

    /// Reads everything that is watched or was proven before.
    pub(crate) async fn refresh(&self, within: Duration) -> Vec<(Holding, Reading)> {
        let mut holdings: BTreeSet<Holding> = self.hub.state().watched.keys().copied().collect();
        holdings.extend(self.known().proven_holdings());
        let holdings: Vec<Holding> = holdings.into_iter().collect();
        if holdings.is_empty() {
            return Vec::new();
        }
        let readings = self.read(&holdings, Kind::Newest, Deadline::after(self.clock(), within)).await;
        holdings.into_iter().zip(readings).collect()
    }

    /// How many withdrawals there were, and the newest of them, each with its number.
    pub(crate) fn withdrawals(&self) -> (u64, Vec<(u64, Candidate)>) {
        let known = self.known();
        (known.withdrawals.count, known.withdrawals.newest.iter().cloned().collect())
    }

    /// How old `proven` is, against the policy for its assurance.
    pub(crate) fn freshness(&self, proven: &Proven) -> Freshness {
        proven.freshness(self.now(), &self.policy_at(proven.anchor().assurance().level()))
    }

    /// For how long more `proven` is fresh; `None` if it is not, or nobody knows.
    pub(crate) fn fresh_for(&self, proven: &Proven) -> Option<Duration> {
        let now: Now = self.now();
        let policy = self.policy_at(proven.anchor().assurance().level());
        now.fresh_for(proven.anchor().timestamp(), &policy)
    }
}
