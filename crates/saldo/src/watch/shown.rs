//! What the app was told of each holding, and what it has to be told next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use alloy_primitives::{B256, U256};
use saldo_chain::Level;
use saldo_reading::{Candidate, Freshness, Holding, Proven, Reading};

use super::change::{Activity, Change};
use crate::inner::ClientInner;

/// What the app has not taken yet, and what it was told before.
///
/// A change is made at the moment when the app takes it, from what is known then: what waits in the queue is only what the
/// change is about.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<Item>,
    /// The holdings in the queue.
    queued: BTreeSet<Holding>,
    of: BTreeMap<Holding, One>,
    /// Up to which withdrawal the app was told.
    withdrawals: u64,
}

/// Shared by the driver, which fills it, and the watch, from which the app takes.
pub(super) type SharedOutbox = Arc<Mutex<Outbox>>;

enum Item {
    Holding(Holding),
    Withdrawn(Box<Candidate>),
    Activity(Activity),
}

#[derive(Default)]
struct One {
    /// The reading that was told last; `None` if none was, or it was withdrawn since.
    reading: Option<Reading>,
    told: Option<Told>,
}

/// All that makes a difference to a screen.
#[derive(PartialEq, Eq)]
struct Told {
    latest: Option<(B256, Level, bool)>,
    unconfirmed: Option<U256>,
    why: Option<&'static str>,
    is_reading: bool,
    freshness: Option<Class>,
}

/// A freshness without the age.
#[derive(PartialEq, Eq)]
enum Class {
    Fresh,
    Old,
    Unknown,
}

impl Outbox {
    /// An outbox from which nothing was taken yet. What was withdrawn before does not concern its watch.
    pub(super) fn new(inner: &ClientInner) -> Self {
        Self { withdrawals: inner.readings.withdrawals().0, ..Self::default() }
    }

    /// Takes a new reading. It is told with the next [`Outbox::queue_changes`].
    pub(super) fn set_reading(&mut self, holding: Holding, reading: Reading) {
        self.of.entry(holding).or_default().reading = Some(reading);
    }

    /// The reading taken last.
    pub(super) fn reading(&self, holding: &Holding) -> Option<&Reading> {
        self.of.get(holding)?.reading.as_ref()
    }

    pub(super) fn queue_activity(&mut self, activity: Activity) {
        self.queue.push_back(Item::Activity(activity));
    }

    /// Queues those of the `holdings` of which the app has to be told something new.
    pub(super) fn queue_changes(&mut self, inner: &ClientInner, holdings: &[Holding]) {
        let (count, withdrawals) = inner.readings.withdrawals();
        let before = std::mem::replace(&mut self.withdrawals, count);
        for (number, withdrawn) in withdrawals {
            if number >= before && holdings.contains(withdrawn.holding()) {
                self.of.entry(*withdrawn.holding()).or_default().drop_withdrawn(&withdrawn);
                self.queue.push_back(Item::Withdrawn(Box::new(withdrawn)));
            }
        }
        for holding in holdings {
            if self.of.entry(*holding).or_default().change(inner, *holding).is_some()
                && self.queued.insert(*holding)
            {
                self.queue.push_back(Item::Holding(*holding));
            }
        }
    }

    /// The next change, by what is known now.
    pub(super) fn take(&mut self, inner: &ClientInner) -> Option<Change> {
        while let Some(item) = self.queue.pop_front() {
            let change = match item {
                Item::Activity(activity) => Some(Change::Activity(activity)),
                Item::Withdrawn(withdrawn) => {
                    let holding = *withdrawn.holding();
                    self.of.entry(holding).or_default().withdrawal(inner, &withdrawn)
                }
                Item::Holding(holding) => {
                    self.queued.remove(&holding);
                    let one = self.of.entry(holding).or_default();
                    one.change(inner, holding).map(|(told, change)| {
                        one.told = Some(told);
                        change
                    })
                }
            };
            if change.is_some() {
                return change;
            }
        }
        None
    }
}

impl One {
    /// Drops the reading that was told, if it is about a block that does not hold any more.
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
        self.told = Some(Told::of(self.reading.as_ref(), last.as_ref(), freshness.as_ref()));
        Some(Change::Withdrawn { holding, withdrawn, last, freshness })
    }

    /// What the app has to be told of `holding` now, if it is not what it was told last.
    fn change(&mut self, inner: &ClientInner, holding: Holding) -> Option<(Told, Change)> {
        let (last, freshness) = latest(inner, &holding);
        let recorded = inner.recorded(&holding);
        // Another call may have read it since, or it was forgotten.
        let shown = self.reading.as_ref().map(|reading| reading.latest_proven().map(block));
        if shown.is_some_and(|shown| shown != last.as_ref().map(block)) {
            self.reading = recorded.clone().map(Reading::Proven);
        }
        // What the gate would not let out as proven any more is what is remembered.
        let is_current = |reading: &&Reading| reading.proven().is_none() || recorded.is_some();
        let reading = self.reading.as_ref().filter(is_current);
        let told = Told::of(reading, last.as_ref(), freshness.as_ref());
        if self.told.as_ref() == Some(&told) {
            return None;
        }
        let change = match reading.cloned() {
            Some(reading) => Change::Reading { holding, reading, freshness },
            None => Change::Remembered { holding, last, freshness },
        };
        Some((told, change))
    }
}

fn block(proven: &Proven) -> (B256, Level, bool) {
    (proven.anchor().hash(), proven.anchor().assurance().level(), proven.is_restored())
}

/// What was proven last of `holding`, and how old it is.
fn latest(inner: &ClientInner, holding: &Holding) -> (Option<Proven>, Option<Freshness>) {
    let last = inner.last(holding);
    let freshness = last.as_ref().map(|last| inner.freshness(last));
    (last, freshness)
}

impl Told {
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
