//! The watch: a stream of what a screen shows while it is open.

mod change;
mod drive;
mod hint;
mod link;
mod part;
mod shown;
mod together;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{Stream, StreamExt};
use saldo_reading::Holding;
use saldo_source::{BoxedFuture, IntoBoxed, SortedSet};

use self::part::Part;
use self::together::Together;
use crate::inner::ClientInner;
use crate::networks::Networks;

pub use change::{Activity, Change};

/// Watches the readings of some holdings for as long as it is polled. [`Client::watch`](crate::Client::watch)
/// makes one.
///
/// It is a [`Stream`] that never ends. All its work is done in [`Watch::next`]: without that call it makes no
/// request, and a dropped watch leaves no work behind. Dropping the future of `next` loses no item.
#[must_use = "a watch does nothing unless it is polled"]
pub struct Watch {
    /// One for each network of the holdings.
    parts: Vec<Part>,
    together: Together,
}

impl Watch {
    pub(crate) fn new(
        own: &Arc<ClientInner>,
        networks: &Networks,
        holdings: impl IntoIterator<Item = Holding>,
    ) -> Self {
        let mut order: Vec<Holding> = Vec::new();
        let mut watched = SortedSet::new();
        for holding in holdings {
            if watched.insert(holding) {
                order.push(holding);
            }
        }
        Self::start(own, networks, &order)
    }

    /// Not generic: its code, and all that it polls, is compiled once, in this crate.
    #[inline(never)]
    fn start(own: &Arc<ClientInner>, networks: &Networks, holdings: &[Holding]) -> Self {
        let mut of: Vec<(&Arc<ClientInner>, Vec<Holding>)> = Vec::new();
        for holding in holdings {
            let inner = networks.of(own, holding);
            match of.iter_mut().find(|(known, _)| Arc::ptr_eq(known, inner)) {
                Some((_, part)) => part.push(*holding),
                None => of.push((inner, vec![*holding])),
            }
        }
        if of.is_empty() {
            of.push((own, Vec::new()));
        }
        let parts: Vec<Part> =
            of.into_iter().map(|(inner, part)| Part::new(Arc::clone(inner), part)).collect();
        Self { together: Together::new(parts.len()), parts }
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
            for (place, part) in self.parts.iter().enumerate() {
                while let Some(change) = part.take() {
                    changes.extend(self.together.tell(place, change));
                }
            }
            changes
        };
        all.into_boxed()
    }

    /// Reports the changes of the last completed [`Watch::next`] or [`Watch::next_all`] again, from the state of the moment when
    /// they are taken. Call it if they were lost on the way to the screen.
    pub fn report_again(&mut self) {
        self.parts.iter().for_each(Part::put_back);
        self.together.forget_told();
    }

    /// Takes the first change of a new batch. Where there is none, the last batch stays.
    fn first_of_batch(&mut self) -> Option<Change> {
        for (place, part) in self.parts.iter().enumerate() {
            if let Some(change) = part.take_first(|change| self.together.tell(place, change)) {
                let others = self.parts.iter().enumerate().filter(|(other, _)| *other != place);
                others.for_each(|(_, other)| other.end_batch());
                return Some(change);
            }
        }
        None
    }
}

impl Stream for Watch {
    type Item = Change;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Change>> {
        if let Some(change) = self.first_of_batch() {
            return Poll::Ready(Some(change));
        }
        self.parts.iter_mut().for_each(|part| part.drive(context));
        self.first_of_batch().map_or(Poll::Pending, |change| Poll::Ready(Some(change)))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holdings = self.parts.iter().map(Part::holdings).fold(0, usize::saturating_add);
        f.debug_struct("Watch").field("holdings", &holdings).finish_non_exhaustive()
    }
}
