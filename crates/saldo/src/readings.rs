//! The owner of the readings: the records of all holdings, the withdrawn readings, and what has to be stored.
//! Beside the restoring of the
//! store it is the only caller of [`join`] and [`join_token`].
//!
//! **Lock order** of the whole crate: first the outbox of a watch, then the state of the store, then the
//! readings, then the head, then the head's table of the network, and last the state of the proofs. Nothing else
//! is locked under the proofs or under the watch hub. No lock is held across an await.

#[cfg(feature = "rollup")]
mod claim;
mod index;
mod persist;
mod state;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, B256};
use saldo_beacon::Checkpoint;
use saldo_chain::{Anchor, ExecutionHeader, Level};
use saldo_reading::gate::Present;
use saldo_reading::{Candidate, Holding, ProviderId, Record, join, join_token};
use saldo_source::{SortedMap, SortedSet};

use crate::env::Env;
use crate::event;
use crate::head::{Head, HeadView};
use crate::hub::WatchHub;
use crate::meter;
use crate::proofs::{Checked, Judge, Judged, Settled, Shown};
use crate::storage::StorageFault;
use crate::store::Store;
use state::ReadingsState;

/// Owns the records of all holdings.
pub(crate) struct Readings {
    env: Arc<Env>,
    head: Arc<Head>,
    hub: Arc<WatchHub>,
    /// The storage that outlasts a restart, if the app gave one.
    store: Option<Store>,
    state: Mutex<ReadingsState>,
}

/// The state of the readings and the head at one moment, while both are locked.
pub(crate) struct Moment<'a> {
    records: &'a HashMap<Holding, Record>,
    withdrawn: &'a HashMap<Holding, Candidate>,
    view: &'a HeadView<'a>,
}

impl<'a> Moment<'a> {
    /// The state that the gate checks for `holding`.
    pub(crate) fn present(&self, holding: &Holding) -> Present<'a> {
        let HeadView { generation, is_faulted, wrong_chain_id, chain, now, .. } = *self.view;
        let record = self.records.get(holding);
        Present { generation, is_faulted, wrong_chain_id, chain, record, now }
    }

    /// The reading of `holding` that was withdrawn last.
    pub(crate) fn withdrawn(&self, holding: &Holding) -> Option<&'a Candidate> {
        self.withdrawn.get(holding)
    }
}

impl Readings {
    pub(crate) fn new(env: Arc<Env>, head: Arc<Head>, hub: Arc<WatchHub>, store: Option<Store>) -> Self {
        Self { env, head, hub, store, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, ReadingsState> {
        // After a panic the state can lack a change, and the gate checks each reading that leaves.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.head.is_of_rollup() {
            state.follow(self.head.generation());
        }
        state
    }

    /// The games that recorded blocks of a rollup rest on, each once.
    pub(crate) fn games(&self) -> SortedSet<Address> {
        self.state().games()
    }

    /// The blocks of a rollup at which readings were proven that are restored from the storage and young enough to be shown, the newest
    /// first. L1 vouches for them again, or not.
    pub(crate) fn remembered(&self) -> Vec<ExecutionHeader> {
        let now = self.head.now();
        let state = self.state();
        let newest = state.records.values().filter_map(Record::last);
        let restored = newest.filter(|candidate| {
            let anchor = candidate.anchor();
            let is_of_rollup = anchor.assurance().level().is_of_rollup();
            candidate.is_restored() && is_of_rollup && self.env.is_young(anchor, now)
        });
        let blocks: SortedMap<(u64, B256), &Anchor> =
            restored.map(|held| ((held.anchor().number(), held.anchor().hash()), held.anchor())).collect();
        blocks.values().rev().filter_map(|anchor| anchor.header()).collect()
    }

    /// Runs `look` on the state of this moment, while all of it is locked.
    pub(crate) fn at_present<T>(&self, look: impl FnOnce(&Moment<'_>) -> T) -> T {
        let state = self.state();
        let (records, withdrawn) = (&state.records, &state.withdrawn);
        self.head.look(|view| look(&Moment { records, withdrawn, view }))
    }

    /// The newest recorded reading of `holding`. The gate decides whether it may be handed out.
    pub(crate) fn newest(&self, holding: &Holding) -> Option<Candidate> {
        self.state().records.get(holding)?.last().cloned()
    }

    /// The newest reading of `holding` at a finalized block.
    pub(crate) fn finalized(&self, holding: &Holding) -> Option<Candidate> {
        self.state().records.get(holding)?.finalized().cloned()
    }

    /// The signed blocks of readings of `holding` that can become final, lowest first.
    pub(crate) fn awaiting_finality(&self, holding: &Holding) -> Vec<Anchor> {
        let state = self.state();
        let awaiting = state.records.get(holding).map(Record::awaiting_finality).unwrap_or_default();
        let proven = awaiting.iter().filter(|candidate| !candidate.is_restored());
        proven.map(|candidate| candidate.anchor().clone()).collect()
    }

    /// All holdings that have a recorded reading.
    pub(crate) fn holdings(&self) -> SortedSet<Holding> {
        let state = self.state();
        let recorded = state.records.iter().filter(|(_, record)| record.last().is_some());
        recorded.map(|(holding, _)| *holding).collect()
    }

    /// The number of withdrawals so far, and those from the number `since` on, each with its number.
    pub(crate) fn withdrawals(&self, since: u64) -> (u64, Vec<(u64, Candidate)>) {
        self.state().withdrawals.newest(since)
    }

    /// Reviews the records against the chain: withdraws readings whose block the chain excludes, and raises
    /// those whose block is final.
    pub(crate) fn review(&self) {
        let (gone, faults) = {
            let network = self.head.network();
            let mut state = self.state();
            self.head.look(|view| {
                let faults = state.load_older_of_lost(view, &network, self.store.as_ref());
                (state.review(view), faults)
            })
        };
        if !gone.is_empty() {
            self.hub.notify.notify_all();
        }
        self.note_faults(faults);
        event::withdrawn(&gone);
        gone.iter().for_each(|_| meter::withdrawn(&self.env));
    }

    /// Restarts trust from `checkpoint`, and drops everything that followed from the earlier trust start. Head
    /// and readings change under one lock. The stored data is removed before any other write, and the new trust
    /// start is stored.
    pub(crate) fn restart_from(&self, checkpoint: Checkpoint) {
        let mut stored = self.store.as_ref().map(Store::state);
        let mut state = self.state();
        self.head.restart_from(checkpoint);
        state.clear();
        if let Some(stored) = &mut stored {
            stored.queue_restart(checkpoint);
        }
    }

    /// Drops all records of `holding`. The stored data is removed before any other write.
    pub(crate) fn forget(&self, holding: &Holding) {
        let mut stored = self.store.as_ref().map(Store::state);
        self.state().forget(holding);
        if let Some(stored) = &mut stored {
            stored.queue_forget(*holding);
        }
    }

    /// Whether another holding of the same owner than `holding` has a reading that is recorded or stored.
    pub(crate) fn has_other_of_owner(&self, holding: &Holding) -> bool {
        if self.store.as_ref().is_some_and(|store| store.state().has_other_of_owner(holding)) {
            return true;
        }
        let state = self.state();
        let is_other = |(held, record): (&Holding, &Record)| {
            held.owner() == holding.owner() && held != holding && record.last().is_some()
        };
        state.records.iter().any(is_other)
    }

    fn note_faults(&self, faults: Vec<StorageFault>) {
        if let Some(store) = &self.store {
            faults.into_iter().for_each(|fault| store.note(fault));
        }
    }
}

impl Judge for Readings {
    /// Joins a checked proof with a trusted block of at least `level`, and records it. Both happen under one lock.
    fn join(&self, holding: Holding, checked: &Checked, provider: &ProviderId, level: Level) -> Judged {
        let policy = self.env.policy_at(level);
        let mut state = self.state();
        let joined = self.head.look(|view| {
            let anchor = view.chain.anchor_at_root(checked.state_root());
            let anchor =
                anchor.filter(|anchor| !view.is_faulted && anchor.assurance().level().meets(level))?;
            let age = view.now.age_of(anchor.timestamp());
            let is_young = age.is_some_and(|age| view.now.allows(age, &policy));
            let (provider, generation) = (provider.clone(), view.generation);
            let joined = match &checked.shown {
                Shown::Account(account) => join(holding, account, anchor, provider, generation),
                Shown::Token(balance) => {
                    join_token(holding, Arc::clone(balance), anchor, provider, generation)
                }
                Shown::Later { .. } => return None,
                Shown::NoBalance { why, .. } => {
                    let anchor = Box::new(anchor.clone());
                    return Some((Settled::NoBalance { why: why.clone(), anchor }, is_young));
                }
            };
            Some((Settled::Proven(Box::new(joined.ok()?)), is_young))
        });
        let Some((settled, is_young)) = joined else { return Judged::NotYet };
        let number = settled.anchor().number();
        let record = state.records.get(&holding);
        let newest = match level > self.env.policy.assurance {
            true => record.and_then(Record::finalized),
            false => record.and_then(Record::last),
        };
        let is_outdated = newest.is_some_and(|newest| newest.anchor().number() > number);
        let is_new = match &settled {
            Settled::Proven(candidate) => state.offer(candidate, Some(checked)),
            Settled::NoBalance { .. } => {
                state.records.entry(holding).or_default().note_without_amount(number);
                false
            }
        };
        drop(state);
        if is_new {
            self.hub.notify.notify_all();
        }
        if is_outdated || !is_young { Judged::Old { number } } else { Judged::Settled(settled) }
    }
}
