//! What a client keeps over a restart: the light client, the proven readings with their proofs and blocks, the proofs of a rollup that
//! wait for L1, what is known of providers, and the disclosure sets of the addresses.
//!
//! A stored reading is checked again: the header of its block is hashed, its proof is verified under the state root of that
//! header, and the two are joined. Only the signature of the committee is not stored, so it cannot be checked again. That is
//! why the storage is as trusted as a checkpoint. A proof that waits is checked in the same way, under the root of a header that nothing
//! vouches for: it only waits again.
//!
//! **Writing** is diff, encode, apply. A [`ChangeSet`] is the difference between the [`Index`], which says what is in the
//! storage, and what is known now; it is encoded as named bytes; the storage applies them; when it says so, the index does too.
//!
//! **One job at a time.** The current job of the storage is one shared future, which stays here until it completes. The calls
//! of the client wait for it until their deadlines, and the next call goes on with it. Other jobs wait in a queue.
//!
//! **Lock order**: the state of the store before what the client knows, never after.

mod change_set;
mod claim;
mod codes;
mod draft;
mod form;
mod identity;
mod index;
mod load;
mod pending;
mod present;
mod seal;
mod unsaved;

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::Shared;
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{Checkpoint, Network};
use saldo_reading::{Generation, Holding};
use saldo_source::{BoxedFuture, SortedSet};

use crate::storage::{Storage, StorageError, StorageFault, StorageKey, StorageRefusal, Version};
pub(crate) use change_set::ChangeSet;
pub(crate) use claim::{Claim, Restorable};
pub(crate) use form::{ProviderState, StoredDisclosure, StoredProvider, first};
use index::Index;
use load::{Checked, Terms};
pub(crate) use load::{Loaded, Readable, Restored};
#[cfg(feature = "rollup")]
pub(crate) use pending::ShownPending;
pub(crate) use pending::{PendingKey, PendingRecord, RestoredPending};
pub(crate) use present::Present;
use seal::Seal;
pub(crate) use unsaved::{Unsaved, WriteQueue};

/// The storage of a client.
pub(crate) struct Store {
    storage: Arc<dyn Storage>,
    seal: Seal,
    state: Mutex<State>,
}

/// What is known of the storage, and what it is asked to do.
#[derive(Default)]
pub(crate) struct State {
    phase: Phase,
    index: Index,
    queue: Queue,
    under_way: Option<UnderWay>,
    /// Numbers the jobs.
    jobs: u64,
    /// Up to which revision the disclosure sets are stored.
    disclosed_to: u64,
    faults: Vec<StorageFault>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    /// It was not read. Before that nothing is written: it could be over what this client must not touch.
    #[default]
    Unread,
    /// It was read at this version, or written since.
    Current(Version),
    /// Another client wrote, or a write failed: it has to be read again.
    Stale,
    /// It belongs to another chain, or to another version of saldo.
    Refused,
}

/// What has to be removed before anything else is written.
#[derive(Default)]
struct Queue {
    /// Trust starts again here: everything that followed from the start before is removed.
    restart: Option<Checkpoint>,
    forgotten: SortedSet<Holding>,
}

/// What the storage is asked to do now.
struct UnderWay {
    job: Job,
    task: Task,
}

/// A task of the storage, for the calls that wait for it. It does not matter which of them does.
#[derive(Clone)]
pub(crate) struct Job {
    number: u64,
    outcome: Shared<BoxedFuture<'static, Outcome>>,
}

impl Job {
    /// Waits for it.
    pub(crate) async fn outcome(&self) -> Outcome {
        self.outcome.clone().await
    }
}

pub(crate) enum Task {
    Load,
    Write { changes: Box<ChangeSet>, reason: Reason },
}

/// Why something is written.
pub(crate) enum Reason {
    Restart(Checkpoint),
    Forget(SortedSet<Holding>),
    /// Something is known that is not stored.
    Difference {
        /// The blocks that the chain took back.
        withdrawn: SortedSet<B256>,
        /// Up to which revision it has the disclosure sets.
        disclosed_to: u64,
    },
}

/// The result of a job.
#[derive(Clone)]
pub(crate) enum Outcome {
    Loaded(Result<Loaded, StorageError>),
    Applied(Result<Version, StorageError>),
}

/// What could not be written.
#[derive(Default)]
pub(crate) struct Returned {
    pub(crate) unsaved: Vec<Unsaved>,
    pub(crate) withdrawn: SortedSet<B256>,
    pub(crate) pending: Vec<PendingKey>,
}

impl Store {
    /// How many faults are listed.
    const FAULTS: usize = 64;

    pub(crate) fn new(storage: Arc<dyn Storage>, key: Option<StorageKey>) -> Self {
        Self { storage, seal: Seal::new(key), state: Mutex::default() }
    }

    /// Locks the state. Before what the client knows, never after.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was dropped, or could not be written.
    pub(crate) fn faults(&self) -> Vec<StorageFault> {
        self.state().faults.clone()
    }

    pub(crate) fn note(&self, fault: StorageFault) {
        self.state().note(fault);
    }

    /// Whether anything can be kept.
    pub(crate) fn takes_anything(&self) -> bool {
        !self.storage.is_read_only()
    }

    /// Whether the storage is asked to do something, or will be before anything new is written.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.state();
        state.under_way.is_some() || (self.takes_anything() && state.has_removals())
    }

    /// Whether it is being read for the first time.
    pub(crate) fn is_opening(&self) -> bool {
        let state = self.state();
        state.phase == Phase::Unread && state.under_way.is_some()
    }

    /// The reading of `claim`, if its proof verifies under its block's header.
    pub(crate) fn check(
        &self,
        claim: &Claim,
        network: &Network,
        generation: Generation,
    ) -> Result<Restorable, Box<StorageFault>> {
        claim.check(&self.seal, network, generation)
    }

    /// Begins to read everything.
    pub(crate) fn begin_load(&self, state: &mut State) -> Job {
        let storage = Arc::clone(&self.storage);
        let load = AssertUnwindSafe(async move { storage.load().await }).catch_unwind();
        let outcome = load.map(|loaded| {
            let loaded = loaded.unwrap_or(Err(PANICKED));
            Outcome::Loaded(loaded.map(|(entries, version)| Loaded::new(entries, version)))
        });
        state.begin(Box::pin(outcome), Task::Load)
    }

    fn begin_write(&self, state: &mut State, changes: ChangeSet, version: Version, reason: Reason) -> Job {
        let (storage, writes) = (Arc::clone(&self.storage), changes.encode(&self.seal));
        let apply = AssertUnwindSafe(async move { storage.apply(writes, version).await }).catch_unwind();
        let outcome = apply.map(|applied| Outcome::Applied(applied.unwrap_or(Err(PANICKED))));
        state.begin(Box::pin(outcome), Task::Write { changes: Box::new(changes), reason })
    }

    /// Begins the next removal that was asked for, if there is one.
    pub(crate) fn begin_removal(&self, state: &mut State, network: &Network) -> Option<Job> {
        let Phase::Current(version) = state.phase else { return None };
        if let Some(start) = state.queue.restart {
            let changes = ChangeSet::restarting(&state.index, first(network), start);
            return Some(self.begin_write(state, changes, version, Reason::Restart(start)));
        }
        let forgotten = &state.queue.forgotten;
        let Some(changes) = ChangeSet::forgetting(&state.index, forgotten) else {
            state.queue.forgotten.clear();
            return None;
        };
        let reason = Reason::Forget(forgotten.clone());
        Some(self.begin_write(state, changes, version, reason))
    }

    /// Begins to write what is known and not stored, if there is anything. `present` has the disclosure sets up to the revision
    /// `disclosed_to`.
    pub(crate) fn begin_difference(
        &self,
        state: &mut State,
        present: Present<'_>,
        disclosed_to: u64,
    ) -> Option<Job> {
        let Phase::Current(version) = state.phase else { return None };
        let withdrawn = present.withdrawn.clone();
        let changes = ChangeSet::between(&state.index, present)?;
        Some(self.begin_write(state, changes, version, Reason::Difference { withdrawn, disclosed_to }))
    }

    /// Looks at the first of the records that were read.
    ///
    /// # Errors
    /// [`StorageRefusal`] if they belong to another chain or format; the storage is not changed from then on.
    pub(crate) fn identify(
        &self,
        state: &mut State,
        loaded: Loaded,
        network: &Network,
    ) -> Result<Readable, StorageRefusal> {
        Readable::new(loaded, &self.seal, network).inspect_err(|refusal| {
            state.phase = Phase::Refused;
            state.note(StorageFault::Refused(*refusal));
        })
    }

    /// Where the records say that the caller restarted trust; `None` also if the caller did so since.
    pub(crate) fn stored_start(&self, state: &State, readable: &Readable) -> Option<Checkpoint> {
        readable.start(&self.seal).filter(|_| state.queue.restart.is_none())
    }

    /// Restores the records, without what was removed meanwhile. From now on they are what is in the storage.
    pub(crate) fn restore(
        &self,
        state: &mut State,
        readable: Readable,
        network: &Arc<Network>,
        now: UnixTime,
        generation: Generation,
    ) -> Restored {
        let terms = Terms { seal: &self.seal, network, now, generation };
        let version = readable.version();
        let Checked { index, mut restored, faults, .. } = readable.restore(terms, &state.index);
        state.faults.retain(|fault| !matches!(fault, StorageFault::Unreadable(_)));
        faults.into_iter().for_each(|fault| state.note(fault));
        if index.first.is_none() {
            state.disclosed_to = 0; // It is empty: all of it has to be written.
        }
        (state.phase, state.index) = (Phase::Current(version), index);
        if state.queue.restart.is_some() {
            restored = Restored { disclosed: restored.disclosed, ..Restored::default() };
        }
        restored.leave_out(&state.queue.forgotten, &state.index);
        restored
    }
}

impl State {
    fn begin(&mut self, outcome: BoxedFuture<'static, Outcome>, task: Task) -> Job {
        self.jobs = self.jobs.wrapping_add(1);
        let job = Job { number: self.jobs, outcome: outcome.shared() };
        self.under_way = Some(UnderWay { job: job.clone(), task });
        job
    }

    /// What the storage is asked to do now.
    pub(crate) fn under_way(&self) -> Option<Job> {
        self.under_way.as_ref().map(|it| it.job.clone())
    }

    /// Ends `job`, and gives what it was; `None` if another call has ended it already.
    pub(crate) fn end(&mut self, job: &Job) -> Option<Task> {
        self.under_way.take_if(|it| it.job.number == job.number).map(|it| it.task)
    }

    /// Whether everything has to be read before anything can be written.
    pub(crate) fn needs_load(&self) -> bool {
        matches!(self.phase, Phase::Unread | Phase::Stale)
    }

    /// Whether something has to be removed before anything else is written.
    pub(crate) fn has_removals(&self) -> bool {
        self.queue.restart.is_some() || !self.queue.forgotten.is_empty()
    }

    /// Has everything removed that follows from where trust started, before anything else is written.
    pub(crate) fn queue_restart(&mut self, start: Checkpoint) {
        self.queue.restart = Some(start);
    }

    /// Has the readings of `holding` and the disclosure set of its address removed, before anything else is written.
    pub(crate) fn queue_forget(&mut self, holding: Holding) {
        self.queue.forgotten.insert(holding);
    }

    /// Whether a reading of another holding of the same owner than `holding` is stored and stays.
    pub(crate) fn has_other_of_owner(&self, holding: &Holding) -> bool {
        let mut gone = self.queue.forgotten.clone();
        gone.insert(*holding);
        self.queue.restart.is_none() && self.index.has_other_of_owner(holding.owner(), &gone)
    }

    pub(crate) fn disclosed_to(&self) -> u64 {
        self.disclosed_to
    }

    /// Takes the result of a write. Returns what could not be written.
    pub(crate) fn settle_write(
        &mut self,
        changes: ChangeSet,
        reason: Reason,
        applied: Result<Version, StorageError>,
    ) -> Result<(), (StorageError, Returned)> {
        let version = match applied {
            Ok(version) => version,
            Err(error) => {
                self.phase = Phase::Stale;
                if error != StorageError::Conflict {
                    self.note(StorageFault::Unwritten(error));
                }
                let withdrawn = match reason {
                    Reason::Difference { withdrawn, .. } => withdrawn,
                    Reason::Restart(_) | Reason::Forget(_) => SortedSet::new(),
                };
                let pending = changes.pending.values().map(PendingRecord::key).collect();
                return Err((error, Returned { unsaved: changes.unsaved, withdrawn, pending }));
            }
        };
        self.phase = Phase::Current(version);
        changes.apply_to(&mut self.index);
        self.faults.retain(|fault| !matches!(fault, StorageFault::Unwritten(_)));
        match reason {
            Reason::Restart(start) => drop(self.queue.restart.take_if(|queued| *queued == start)),
            Reason::Forget(holdings) => self.queue.forgotten.retain(|queued| !holdings.contains(queued)),
            Reason::Difference { disclosed_to, .. } => self.disclosed_to = disclosed_to,
        }
        Ok(())
    }

    pub(crate) fn note(&mut self, fault: StorageFault) {
        if !self.faults.contains(&fault) && self.faults.len() < Store::FAULTS {
            self.faults.push(fault);
        }
    }
}

const PANICKED: StorageError = StorageError::Io { kind: io::ErrorKind::Other };
