//! Writing to the storage what is known, and taking over what is restored from it.

use std::future::pending;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo_beacon::unit::UnixTime;
use saldo_chain::{Anchor, Standing};
use saldo_reading::Holding;
use saldo_source::{Deadline, IntoBoxed, MaybeSend};

use super::Readings;
use crate::head::HeadView;
use crate::proofs::Proofs;
use crate::storage::{StorageError, StorageFault, StorageRefusal};
use crate::store::{self, Job, Loaded, Outcome, Present, Restored, State, Store, Task};

/// What the storage may be asked to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// What it was asked for already, and removals.
    Queued,
    /// Also to write what is known and not stored.
    All,
}

/// What follows from the result of a job.
enum Next {
    /// The next job.
    Job,
    /// Another client wrote: everything is read again, and then written.
    Merge,
    /// The next call tries again.
    Stop,
}

impl Readings {
    /// How often one call merges what other clients wrote at the same time.
    const MERGES: usize = 8;

    /// Reads the storage, if it is ready at once. Otherwise the first call that awaits goes on with it.
    ///
    /// # Errors
    /// [`StorageRefusal`] if it belongs to another chain or format.
    pub(crate) fn load_storage(&self, proofs: &Proofs) -> Result<(), StorageRefusal> {
        let Some(store) = &self.store else { return Ok(()) };
        let job = store.begin_load(&mut store.state());
        let Some(outcome) = job.outcome().now_or_never() else { return Ok(()) };
        self.end_job(store, proofs, &job, outcome).map(drop)
    }

    /// Waits for a storage that was not ready when the client was built, at most until `deadline`.
    pub(crate) async fn open_storage(&self, proofs: &Proofs, deadline: Deadline) {
        if self.store.as_ref().is_some_and(Store::is_opening) {
            self.work_until(proofs, Scope::Queued, deadline).await;
        }
    }

    /// Waits for what the storage was asked for, at most until `deadline`.
    pub(crate) async fn settle_storage(&self, proofs: &Proofs, deadline: Deadline) {
        if self.store.is_some() {
            self.work_until(proofs, Scope::Queued, deadline).await;
        }
    }

    /// Writes what is new into the storage, if there is one, and waits for that at most until `deadline`. The next call
    /// goes on with what is not written by then.
    pub(crate) async fn persist(&self, proofs: &Proofs, deadline: Deadline) {
        if self.store.is_some() {
            self.work_until(proofs, Scope::All, deadline).await;
        }
    }

    /// Waits for `future`, and meanwhile for what the storage was asked for.
    pub(crate) async fn beside_storage<T>(
        &self,
        proofs: &Proofs,
        future: impl Future<Output = T> + MaybeSend,
    ) -> T {
        if !self.store.as_ref().is_some_and(Store::is_busy) {
            return future.await;
        }
        let work = self.work(proofs, Scope::Queued).then(|()| pending::<()>());
        match select(future.into_boxed(), work.into_boxed()).await {
            Either::Left((output, _)) => output,
            Either::Right(((), future)) => future.await,
        }
    }

    /// Starts the removals that were asked for. What is not ready at once is finished by the next call that awaits.
    pub(crate) fn start_removals(&self, proofs: &Proofs) {
        let _ = self.work(proofs, Scope::Queued).now_or_never();
    }

    async fn work_until(&self, proofs: &Proofs, scope: Scope, deadline: Deadline) {
        // The work comes first, so that it is started also when no time is left.
        let clock = self.env.clock();
        select(self.work(proofs, scope).into_boxed(), clock.sleep(deadline.left(clock))).await;
    }

    /// Has the storage do one thing after another, until there is nothing more to do or something fails.
    async fn work(&self, proofs: &Proofs, scope: Scope) {
        let Some(store) = &self.store else { return };
        // What fails may have been begun by an earlier call. Then this one tries once more.
        let mut tries = usize::from(store.is_busy());
        let mut merges = Self::MERGES;
        while let Some(job) = self.next_job(store, proofs, scope) {
            match self.end_job(store, proofs, &job, job.outcome().await) {
                Ok(Next::Job) => {}
                Ok(Next::Merge) if merges > 0 => merges = merges.saturating_sub(1),
                Ok(Next::Merge) => return store.note(StorageFault::Unwritten(StorageError::Conflict)),
                Ok(Next::Stop) if tries > 0 => tries = tries.saturating_sub(1),
                Ok(Next::Stop) | Err(_) => return,
            }
        }
    }

    /// What the storage is asked to do now, or else next.
    fn next_job(&self, store: &Store, proofs: &Proofs, scope: Scope) -> Option<Job> {
        let mut state = store.state();
        if let Some(job) = state.under_way() {
            return Some(job);
        }
        let can_remove = store.takes_anything() && state.has_removals();
        if state.needs_load() {
            return (scope == Scope::All || can_remove).then(|| store.begin_load(&mut state));
        }
        if can_remove && let Some(job) = store.begin_removal(&mut state, &self.head.network()) {
            return Some(job);
        }
        if scope == Scope::Queued || !store.takes_anything() {
            return None;
        }
        self.begin_difference(store, proofs, &mut state)
    }

    /// Begins to write what is known and not stored, if there is anything.
    fn begin_difference(&self, store: &Store, proofs: &Proofs, stored: &mut State) -> Option<Job> {
        let first = store::first(&self.head.network());
        let (disclosed, disclosed_to) = proofs.disclosed_since(stored.disclosed_to());
        let mut state = self.state();
        let (unsaved, withdrawn) = state.take_unwritten();
        self.head.look(|view| {
            if view.is_faulted {
                proofs.drop_all_pending();
            }
            let present = Present {
                first,
                start: view.restarted_at,
                light_client: view.light_client,
                unsaved,
                withdrawn: &withdrawn,
                again: &|block| view.chain.anchor_again(block).cloned(),
                is_lost: &|block| has_lost(view, block),
                disclosed,
                providers: &|| proofs.provider_state(view.newest_signed_time),
                pending: proofs.take_unwritten_pending(),
                is_pending: &|key| proofs.is_pending(key),
            };
            store.begin_difference(stored, present, disclosed_to)
        })
    }

    /// Takes the result of `job`, unless another call has.
    ///
    /// # Errors
    /// [`StorageRefusal`] if the storage turns out to belong to another chain or format.
    fn end_job(
        &self,
        store: &Store,
        proofs: &Proofs,
        job: &Job,
        outcome: Outcome,
    ) -> Result<Next, StorageRefusal> {
        let mut stored = store.state();
        match (stored.end(job), outcome) {
            (None, _) => Ok(Next::Job),
            (Some(Task::Load), Outcome::Loaded(Ok(loaded))) => {
                self.restore(store, proofs, &mut stored, loaded)?;
                drop(stored);
                self.head.follow();
                self.review();
                self.hub.notify.notify_all();
                Ok(Next::Job)
            }
            (Some(Task::Load), Outcome::Loaded(Err(error)) | Outcome::Applied(Err(error))) => {
                stored.note(StorageFault::Unreadable(error));
                Ok(Next::Stop)
            }
            (Some(Task::Write { changes, reason }), Outcome::Applied(applied)) => {
                let Err((error, returned)) = stored.settle_write(*changes, reason, applied) else {
                    return Ok(Next::Job);
                };
                proofs.return_unwritten_pending(&returned.pending);
                self.state().return_unwritten(returned, self.head.generation());
                Ok(if error == StorageError::Conflict { Next::Merge } else { Next::Stop })
            }
            (Some(_), Outcome::Loaded(_) | Outcome::Applied(_)) => Ok(Next::Stop),
        }
    }

    /// Takes over what the storage holds.
    fn restore(
        &self,
        store: &Store,
        proofs: &Proofs,
        stored: &mut State,
        loaded: Loaded,
    ) -> Result<(), StorageRefusal> {
        let (network, now) = (self.head.network(), self.env.clock().wall());
        let readable = store.identify(stored, loaded, &network)?;
        let mut state = self.state();
        if let Some(start) = store.stored_start(stored, &readable)
            && self.head.start_as_stored(start)
        {
            state.clear();
            proofs.drop_all_pending();
        }
        let restored = store.restore(stored, readable, &network, now, self.head.generation());
        let Restored { light_client, readings, older, start, providers, hints, disclosed, pending } =
            restored;
        self.head.restore(light_client, start);
        // It shows a clock that was set back while the app was closed.
        self.head.note_proven_time(providers.certain.first().map(|millis| UnixTime::from_millis(*millis)));
        for candidate in readings {
            state.offer(&candidate, None);
        }
        for (holding, claims) in older {
            state.older.entry(holding).or_default().extend(claims);
        }
        proofs.restore(providers);
        proofs.restore_hints(hints);
        proofs.restore_disclosed(disclosed);
        proofs.restore_pending(pending);
        Ok(())
    }

    /// Checks the older readings of `holdings` that are stored, and takes those that verify.
    pub(crate) fn load_older(&self, holdings: &[Holding]) {
        let faults: Vec<StorageFault> = {
            let network = self.head.network();
            let mut state = self.state();
            let (generation, store) = (self.head.generation(), self.store.as_ref());
            let load = |holding| state.load_older(holding, &network, generation, store);
            holdings.iter().flat_map(load).collect()
        };
        self.note_faults(faults);
    }

    /// Why the storage did not take the last write, if it did not.
    pub(crate) fn unwritten(&self) -> Option<StorageError> {
        self.storage_faults().into_iter().find_map(|fault| match fault {
            StorageFault::Unwritten(error) => Some(error),
            _ => None,
        })
    }

    /// What was dropped from the storage, or could not be written.
    pub(crate) fn storage_faults(&self) -> Vec<StorageFault> {
        self.store.as_ref().map(Store::faults).unwrap_or_default()
    }
}

/// Whether the chain excludes `block`, which is never one that it holds as final. A chain that started again from further
/// back says nothing about it yet.
fn has_lost(view: &HeadView<'_>, block: &Anchor) -> bool {
    let newest = view.chain.head();
    view.chain.is_taken_back(block)
        || view.chain.standing(block) == Standing::Withdrawn
            && newest.is_some_and(|newest| newest.timestamp() >= block.timestamp())
}
