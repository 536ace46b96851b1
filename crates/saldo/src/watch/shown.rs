//! What was told of each holding, and what is new against it.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use saldo_chain::Level;
use saldo_reading::{Freshness, Holding, Proven, Reading};

use super::Change;
use crate::core::Core;

/// What was told, by holding.
#[derive(Default)]
pub(super) struct Shown {
    of: BTreeMap<Holding, One>,
    /// Up to which withdrawal it is told.
    withdrawals: u64,
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

impl Shown {
    /// Nothing was told yet; what was withdrawn before does not concern this watch.
    pub(super) fn new(core: &Core) -> Self {
        Self { of: BTreeMap::new(), withdrawals: core.withdrawals().0 }
    }

    /// Takes a new reading.
    pub(super) fn read(&mut self, holding: Holding, reading: Reading) {
        self.of.entry(holding).or_default().reading = Some(reading);
    }

    /// The reading taken last.
    pub(super) fn reading(&self, holding: &Holding) -> Option<&Reading> {
        self.of.get(holding)?.reading.as_ref()
    }

    /// What has to be told of `holdings` now.
    pub(super) fn news(&mut self, core: &Core, holdings: &[Holding]) -> Vec<Change> {
        let mut news = Vec::new();
        let (count, withdrawals) = core.withdrawals();
        let told = std::mem::replace(&mut self.withdrawals, count);
        for (number, withdrawn) in withdrawals {
            let holding = *withdrawn.holding();
            if number < told || !holdings.contains(&holding) {
                continue;
            }
            let (last, freshness) = latest(core, &holding);
            let one = self.of.entry(holding).or_default();
            // The reading that was told says what does not hold any more, unless it is newer already.
            let is_gone = |reading: &Reading| {
                reading
                    .latest_proven()
                    .is_some_and(|proven| proven.anchor().hash() == withdrawn.anchor().hash())
            };
            if one.reading.as_ref().is_some_and(is_gone) {
                one.reading = None;
            }
            one.told = Some(Told::of(one.reading.as_ref(), last.as_ref(), freshness.as_ref()));
            news.push(Change::Withdrawn { holding, withdrawn, last, freshness });
        }
        for holding in holdings {
            news.extend(self.of.entry(*holding).or_default().news(core, *holding));
        }
        news
    }
}

impl One {
    fn news(&mut self, core: &Core, holding: Holding) -> Option<Change> {
        let (last, freshness) = latest(core, &holding);
        // What was read may not be so any more: somebody else may have read it since, or it was given up.
        let shown = self.reading.as_ref().map(|reading| reading.latest_proven().map(block));
        if shown.is_some_and(|shown| shown != last.as_ref().map(block)) {
            self.reading = last.clone().filter(|last| !last.is_restored()).map(Reading::Proven);
        }
        let told = Told::of(self.reading.as_ref(), last.as_ref(), freshness.as_ref());
        if self.told.as_ref() == Some(&told) {
            return None;
        }
        self.told = Some(told);
        Some(match self.reading.clone() {
            Some(reading) => Change::Reading { holding, reading, freshness },
            None => Change::Remembered { holding, last, freshness },
        })
    }
}

fn block(proven: &Proven) -> (B256, Level, bool) {
    (proven.anchor().hash(), proven.anchor().assurance().level(), proven.is_restored())
}

/// What was proven last of `holding`, and how old it is.
fn latest(core: &Core, holding: &Holding) -> (Option<Proven>, Option<Freshness>) {
    let last = core.last(holding);
    let freshness = last.as_ref().map(|last| core.freshness(last));
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
