//! The part of a watch that is about one network.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::FutureExt;
use saldo_reading::Holding;
use saldo_source::{BoxedFuture, IntoBoxed, SortedSet};

use super::change::Change;
use super::drive;
use super::shown::{Outbox, SharedOutbox};
use crate::inner::ClientInner;

/// The holdings of one network, and what keeps them up to date.
pub(super) struct Part {
    inner: Arc<ClientInner>,
    watched: SortedSet<Holding>,
    outbox: SharedOutbox,
    driver: BoxedFuture<'static, ()>,
}

impl Part {
    pub(super) fn new(inner: Arc<ClientInner>, holdings: Vec<Holding>) -> Self {
        let watched: SortedSet<Holding> = holdings.iter().copied().collect();
        inner.hub.register(&watched);
        let outbox = Arc::new(Mutex::new(Outbox::new(&inner)));
        let driver = drive::drive(Arc::clone(&inner), holdings, Arc::clone(&outbox)).into_boxed();
        Self { inner, watched, outbox, driver }
    }

    pub(super) fn holdings(&self) -> usize {
        self.watched.len()
    }

    /// Does what is due.
    pub(super) fn drive(&mut self, context: &mut Context<'_>) {
        // The driver never completes.
        let _ = self.driver.poll_unpin(context);
    }

    /// Takes the next change as the first of a new batch.
    pub(super) fn take_first(&self, tell: impl FnMut(Change) -> Option<Change>) -> Option<Change> {
        self.outbox().take_first(&self.inner, tell)
    }

    /// Takes the next change of the batch.
    pub(super) fn take(&self) -> Option<Change> {
        self.outbox().take(&self.inner)
    }

    pub(super) fn end_batch(&self) {
        self.outbox().end_batch();
    }

    pub(super) fn put_back(&self) {
        self.outbox().put_back();
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.inner.hub.unregister(&self.watched);
    }
}
