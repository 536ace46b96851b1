//! The outbox of a watch: what the app has seen of each holding, and which changes are queued for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use alloy_primitives::{B256, U256};
use saldo_chain::Level;
use saldo_reading::{Candidate, Freshness, Holding, Proven, Reading};
use saldo_source::{SortedMap, SortedSet};

use super::change::{Activity, Change};
use crate::inner::ClientInner;
use crate::storage::StorageError;

/// The changes that the app has not taken yet, and the state that it has seen.
///
/// A change is made when the app takes it, from the state at that moment. The queue only says which holding it
/// concerns.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<Item>,
    /// The holdings in the queue.
    queued: SortedSet<Holding>,
    of: SortedMap<Holding, One>,
    /// Number of withdrawals that are already queued or seen.
    withdrawals: u64,
    /// Why the storage refuses to write, as it was queued last.
    unwritten: Option<StorageError>,
    /// The items of the last batch, in their order. They can be lost on the way to the screen.
    batch: Vec<Item>,
}

/// Shared by the driver, which fills it, and the watch, which empties it.
pub(super) type SharedOutbox = Arc<Mutex<Outbox>>;

#[derive(Clone)]
enum Item {
    Holding(Holding),
    Withdrawn(Box<Candidate>),
    Storage(Option<StorageError>),
    Activity(Activity),
}

#[derive(Default)]
struct One {
    /// The reading that the app saw last; `None` if there was none, or it was withdrawn since.
    reading: Option<Reading>,
    seen: Option<Shown>,
}

/// Everything that makes a difference on a screen.
#[derive(PartialEq, Eq)]
struct Shown {
    latest: Option<(B256, Level, bool)>,
    unconfirmed: Option<U256>,
    why: Option<&'static str>,
    is_reading: bool,
    freshness: Option<Class>,
}

/// A freshness without the age, which grows all the time.
#[derive(PartialEq, Eq)]
enum Class {
    Fresh,
    Old,
    Unknown,
}

impl Outbox {
    /// Makes an empty outbox. Withdrawals before this moment do not concern its watch.
    pub(super) fn new(inner: &ClientInner) -> Self {
        Self { withdrawals: inner.readings.withdrawals(u64::MAX).0, ..Self::default() }
    }

    /// Sets a new reading. The next [`Outbox::queue_changes`] queues it.
    pub(super) fn set_reading(&mut self, holding: Holding, reading: Reading) {
        self.of.entry(holding).or_default().reading = Some(reading);
    }

    /// The last reading that was set.
    pub(super) fn reading(&self, holding: &Holding) -> Option<&Reading> {
        self.of.get(holding)?.reading.as_ref()
    }

    pub(super) fn queue_activity(&mut self, activity: Activity) {
        self.queue.push_back(Item::Activity(activity));
    }

    /// Queues the withdrawals since the last call, a storage that began or stopped to refuse, and the `holdings` whose state differs from what the app has
    /// seen.
    pub(super) fn queue_changes(&mut self, inner: &ClientInner, holdings: &[Holding]) {
        let (count, withdrawals) = inner.readings.withdrawals(self.withdrawals);
        self.withdrawals = count;
        for (_, withdrawn) in withdrawals {
            if holdings.contains(withdrawn.holding()) {
                self.of.entry(*withdrawn.holding()).or_default().drop_withdrawn(&withdrawn);
                self.queue.push_back(Item::Withdrawn(Box::new(withdrawn)));
            }
        }
        let unwritten = inner.readings.unwritten();
        if self.unwritten != unwritten {
            self.unwritten = unwritten;
            self.queue.push_back(Item::Storage(unwritten));
        }
        for holding in holdings {
            if self.of.entry(*holding).or_default().change(inner, *holding).is_some()
                && self.queued.insert(*holding)
            {
                self.queue.push_back(Item::Holding(*holding));
            }
        }
    }

    /// Takes the next change of which `tell` makes one, as the first of a new batch. If there is none, the last batch stays.
    pub(super) fn take_first(
        &mut self,
        inner: &ClientInner,
        mut tell: impl FnMut(Change) -> Option<Change>,
    ) -> Option<Change> {
        let last = std::mem::take(&mut self.batch);
        while let Some(change) = self.take(inner) {
            let told = tell(change);
            if told.is_some() {
                return told;
            }
            self.batch.clear();
        }
        self.batch = last;
        None
    }

    /// Ends the last batch: it has reached the screen.
    pub(super) fn end_batch(&mut self) {
        self.batch.clear();
    }

    /// Queues the items of the last batch again, before all others.
    pub(super) fn put_back(&mut self) {
        for item in std::mem::take(&mut self.batch).into_iter().rev() {
            if let Item::Holding(holding) = item {
                self.of.entry(holding).or_default().seen = None;
                if !self.queued.insert(holding) {
                    self.queue.retain(|item| !matches!(item, Item::Holding(other) if *other == holding));
                }
            }
            self.queue.push_front(item);
        }
    }

    /// Takes the next change of the batch, made from the state of this moment.
    pub(super) fn take(&mut self, inner: &ClientInner) -> Option<Change> {
        while let Some(item) = self.queue.pop_front() {
            let taken = item.clone();
            let change = match item {
                Item::Activity(activity) => Some(Change::Activity(activity)),
                Item::Storage(unwritten) => Some(Change::Storage { unwritten }),
                Item::Withdrawn(withdrawn) => {
                    let holding = *withdrawn.holding();
                    self.of.entry(holding).or_default().withdrawal(inner, &withdrawn)
                }
                Item::Holding(holding) => {
                    self.queued.remove(&holding);
                    let one = self.of.entry(holding).or_default();
                    one.change(inner, holding).map(|(seen, change)| {
                        one.seen = Some(seen);
                        change
                    })
                }
            };
            if change.is_some() {
                self.batch.push(taken);
                return change;
            }
        }
        None
    }
}

impl One {
    /// Drops the reading that the app saw last, if its block was withdrawn.
    fn drop_withdrawn(&mut self, withdrawn: &Candidate) {
        let is_gone = |reading: &mut Reading| {
            let proven = reading.latest_proven();
            proven.is_some_and(|proven| proven.anchor().hash() == withdrawn.anchor().hash())
        };
        self.reading.take_if(is_gone);
    }

    fn withdrawal(&mut self, inner: &ClientInner, withdrawn: &Candidate) -> Option<Change> {
        let holding = *withdrawn.holding();
        let withdrawn = inner.withdrawal(withdrawn)?;
        let (last, freshness) = latest(inner, &holding);
        self.seen = Some(Shown::of(self.reading.as_ref(), last.as_ref(), freshness.as_ref()));
        Some(Change::Withdrawn { holding, withdrawn, last, freshness })
    }

    /// Makes the change of `holding`, if its state differs from what the app has seen.
    fn change(&mut self, inner: &ClientInner, holding: Holding) -> Option<(Shown, Change)> {
        let (last, freshness) = latest(inner, &holding);
        let recorded = inner.recorded(&holding);
        // Another call may have read or forgotten the holding since.
        let previous = self.reading.as_ref().map(|reading| reading.latest_proven().map(block));
        if previous.is_some_and(|previous| previous != last.as_ref().map(block)) {
            self.reading = recorded.clone().map(Reading::Proven);
        }
        // A reading that the gate would no longer hand out as proven is shown as remembered.
        let is_current = |reading: &&Reading| reading.proven().is_none() || recorded.is_some();
        let reading = self.reading.as_ref().filter(is_current);
        let seen = Shown::of(reading, last.as_ref(), freshness.as_ref());
        if self.seen.as_ref() == Some(&seen) {
            return None;
        }
        let change = match reading.cloned() {
            Some(reading) => Change::Reading { holding, reading, freshness },
            None => Change::Remembered { holding, last, freshness },
        };
        Some((seen, change))
    }
}

fn block(proven: &Proven) -> (B256, Level, bool) {
    (proven.anchor().hash(), proven.anchor().assurance().level(), proven.is_restored())
}

/// The last proven reading of `holding`, and its age.
fn latest(inner: &ClientInner, holding: &Holding) -> (Option<Proven>, Option<Freshness>) {
    let last = inner.last(holding);
    let freshness = last.as_ref().map(|last| inner.freshness(last));
    (last, freshness)
}

impl Shown {
    fn of(reading: Option<&Reading>, last: Option<&Proven>, freshness: Option<&Freshness>) -> Self {
        let latest = reading.and_then(Reading::latest_proven).or(last.filter(|_| reading.is_none()));
        let unconfirmed = match reading {
            Some(Reading::Provisional(claim)) => claim.unconfirmed_amount().map(|amount| amount.base_units()),
            _ => None,
        };
        let class = |freshness: &Freshness| match freshness {
            Freshness::Fresh(_) => Class::Fresh,
            Freshness::Old(_) => Class::Old,
            Freshness::Unknown => Class::Unknown,
        };
        Self {
            latest: latest.map(block),
            unconfirmed,
            why: reading.and_then(Reading::why).map(saldo_reading::Why::code),
            is_reading: reading.is_some(),
            freshness: freshness.map(class),
        }
    }
}
