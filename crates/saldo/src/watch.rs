//! What a screen shows while it is open.

mod drive;
mod hint;
mod link;
mod shown;

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{Stream, StreamExt};
use saldo_beacon::unit::UnixTime;
use saldo_reading::{Freshness, Holding, Proven, Reading};

use crate::inner::ClientInner;
use shown::Outbox;

/// Something that a screen shows is another now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// What is known of a holding without a proof of this moment. The first item of each holding, at once, before any
    /// provider was asked for this watch; and again where what was proven may not be called so any more, because it has
    /// become too old for the policy or its age is not known. Show it with its age.
    Remembered {
        /// Of what.
        holding: Holding,
        /// What was proven last, maybe before the app was started ([`Proven::is_restored`]); `None`: nothing is known, which
        /// is not zero.
        last: Option<Proven>,
        /// How old that is.
        freshness: Option<Freshness>,
    },
    /// A holding was read, and the reading says something else than the one before it: another block, amount, assurance or
    /// reason.
    Reading {
        /// Of what.
        holding: Holding,
        /// The reading.
        reading: Reading,
        /// How old the block of [`Reading::latest_proven`] is; `None` where nothing is proven.
        freshness: Option<Freshness>,
    },
    /// The chain took back the block of what was proven last: do not show it any more.
    Withdrawn {
        /// Of what.
        holding: Holding,
        /// What no longer holds.
        withdrawn: Proven,
        /// What holds instead until it is read again: the newest at a finalized block, if there is one.
        last: Option<Proven>,
        /// How old that is.
        freshness: Option<Freshness>,
    },
    /// The watch does something else now.
    Activity(Activity),
}

impl Change {
    /// What it is about; `None` for an [`Activity`], which is about all.
    pub fn holding(&self) -> Option<&Holding> {
        match self {
            Self::Remembered { holding, .. }
            | Self::Reading { holding, .. }
            | Self::Withdrawn { holding, .. } => Some(holding),
            Self::Activity(_) => None,
        }
    }

    /// The newest proven amount that holds, if there is one.
    pub fn latest_proven(&self) -> Option<&Proven> {
        match self {
            Self::Remembered { last, .. } | Self::Withdrawn { last, .. } => last.as_ref(),
            Self::Reading { reading, .. } => reading.latest_proven(),
            Self::Activity(_) => None,
        }
    }
}

/// What a watch does. [`Activity::Idle`] until the first one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activity {
    /// Nothing, until the next block or re-proof is due.
    Idle,
    /// Asks and proves.
    Fetching,
    /// Nothing, because the device has no network. It tries again now and then, and at once when
    /// [`Client::network_changed`](crate::Client::network_changed) says that there is one.
    Offline,
    /// Nothing, because what was tried last failed.
    BackingOff {
        /// When it tries again, by the device's clock.
        until: UnixTime,
    },
}

/// How much a client's watches may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pace {
    /// Somebody is looking: what is shown is proven anew every 5 minutes (or [`Policy::max_age`](saldo_reading::Policy), if
    /// that is less), and within some slots of a change.
    #[default]
    Foreground,
    /// Nobody is looking: what is known is proven anew every 30 minutes, and nothing else is asked.
    Background,
    /// Nothing is asked. What is shown still grows old.
    Paused,
}

/// The readings of some holdings, kept up while it is polled. Made by [`Client::watch`](crate::Client::watch).
///
/// It is a [`Stream`] that never ends. All its work is done in [`Watch::next`]; while nobody calls that, nothing is asked,
/// and when it is dropped, nothing is left. A `next` that is given up loses no item.
#[must_use = "a watch does nothing unless it is polled"]
pub struct Watch {
    inner: Arc<ClientInner>,
    watched: BTreeSet<Holding>,
    outbox: SharedOutbox,
    driver: BoxFuture<'static, ()>,
}

/// Shared by the driver, which fills it, and the watch, from which the app takes.
type SharedOutbox = Arc<Mutex<Outbox>>;

impl Watch {
    pub(crate) fn new(inner: Arc<ClientInner>, holdings: impl IntoIterator<Item = Holding>) -> Self {
        let mut order: Vec<Holding> = Vec::new();
        let mut watched = BTreeSet::new();
        for holding in holdings {
            if watched.insert(holding) {
                order.push(holding);
            }
        }
        inner.hub.register(&watched);
        let outbox = Arc::new(Mutex::new(Outbox::new(&inner)));
        let driver = drive::drive(Arc::clone(&inner), order, Arc::clone(&outbox)).boxed();
        Self { inner, watched, outbox, driver }
    }

    /// Waits for the next change. Never ends; give up waiting whenever you like.
    pub async fn next(&mut self) -> Change {
        loop {
            if let Some(change) = StreamExt::next(self).await {
                return change;
            }
        }
    }

    fn untold(&self) -> Option<Change> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner).take(&self.inner)
    }
}

impl Stream for Watch {
    type Item = Change;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Change>> {
        if let Some(change) = self.untold() {
            return Poll::Ready(Some(change));
        }
        // It never completes.
        let _ = self.driver.poll_unpin(context);
        self.untold().map_or(Poll::Pending, |change| Poll::Ready(Some(change)))
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
