//! The watch: a stream of what a screen shows while it is open.

mod change;
mod drive;
mod hint;
mod link;
mod shown;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::stream::{Stream, StreamExt};
use saldo_reading::Holding;
use saldo_source::{BoxedFuture, IntoBoxed, SortedSet};

use crate::inner::ClientInner;
use shown::{Outbox, SharedOutbox};

pub use change::{Activity, Change};

/// Watches the readings of some holdings for as long as it is polled. [`Client::watch`](crate::Client::watch)
/// makes one.
///
/// It is a [`Stream`] that never ends. All its work is done in [`Watch::next`]: without that call it makes no
/// request, and a dropped watch leaves no work behind. Dropping the future of `next` loses no item.
#[must_use = "a watch does nothing unless it is polled"]
pub struct Watch {
    inner: Arc<ClientInner>,
    watched: SortedSet<Holding>,
    outbox: SharedOutbox,
    driver: BoxedFuture<'static, ()>,
}

impl Watch {
    pub(crate) fn new(inner: Arc<ClientInner>, holdings: impl IntoIterator<Item = Holding>) -> Self {
        let mut order: Vec<Holding> = Vec::new();
        let mut watched = SortedSet::new();
        for holding in holdings {
            if watched.insert(holding) {
                order.push(holding);
            }
        }
        Self::start(inner, order, watched)
    }

    /// Not generic: its code, and all that it polls, is compiled once, in this crate.
    #[inline(never)]
    fn start(inner: Arc<ClientInner>, order: Vec<Holding>, watched: SortedSet<Holding>) -> Self {
        inner.hub.register(&watched);
        let outbox = Arc::new(Mutex::new(Outbox::new(&inner)));
        let driver = drive::drive(Arc::clone(&inner), order, Arc::clone(&outbox)).into_boxed();
        Self { inner, watched, outbox, driver }
    }

    /// Waits for the next change. The stream never ends. The future may be dropped at any time without losing
    /// a change.
    #[inline(never)]
    #[expect(clippy::should_implement_trait, reason = "it is a stream, which has `next` in all its forms")]
    pub fn next(&mut self) -> BoxedFuture<'_, Change> {
        let next = async move {
            loop {
                if let Some(change) = StreamExt::next(self).await {
                    return change;
                }
            }
        };
        next.into_boxed()
    }

    /// Waits for the next change, and returns it with all others that are known at that moment, in their order.
    /// A screen that applies them together shows no sum of old and new amounts. The future may be dropped at any
    /// time without losing a change.
    #[inline(never)]
    pub fn next_all(&mut self) -> BoxedFuture<'_, Vec<Change>> {
        let all = async move {
            let mut changes = vec![self.next().await];
            // Nothing is awaited from here on: the batch is whole, or it is not taken.
            while let Some(change) = self.outbox().take(&self.inner) {
                changes.push(change);
            }
            changes
        };
        all.into_boxed()
    }

    /// Reports the changes of the last completed [`Watch::next`] or [`Watch::next_all`] again, from the state of the moment when
    /// they are taken. Call it if they were lost on the way to the screen.
    pub fn report_again(&mut self) {
        self.outbox().put_back();
    }

    fn first_of_batch(&self) -> Option<Change> {
        self.outbox().take_first(&self.inner)
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream for Watch {
    type Item = Change;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Change>> {
        if let Some(change) = self.first_of_batch() {
            return Poll::Ready(Some(change));
        }
        // The driver never completes.
        let _ = self.driver.poll_unpin(context);
        self.first_of_batch().map_or(Poll::Pending, |change| Poll::Ready(Some(change)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.inner.hub.unregister(&self.watched);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("holdings", &self.watched.len()).finish_non_exhaustive()
    }
}
