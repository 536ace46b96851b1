//! What is proven and not in storage yet.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use saldo_reading::{Candidate, Holding};
use saldo_source::SortedMap;

/// A proven reading that is not in storage yet, with the nodes that prove it.
#[derive(Clone)]
pub(crate) struct Unsaved {
    pub(crate) proven: Candidate,
    pub(crate) nodes: Arc<[Bytes]>,
}

impl Unsaved {
    pub(super) fn holding(&self) -> Holding {
        *self.proven.holding()
    }

    pub(super) fn block(&self) -> B256 {
        self.proven.anchor().hash()
    }
}

/// The readings that wait to be written. Empty where there is no storage that takes anything.
#[derive(Default)]
pub(crate) struct WriteQueue {
    of: SortedMap<Holding, Vec<Unsaved>>,
}

impl WriteQueue {
    /// How many readings of one holding wait at most: a read that is dropped never writes anything.
    const OF_HOLDING: usize = 4;

    /// Queues a reading, in place of one at the same block. Beyond the bound, the lowest block is dropped.
    pub(crate) fn push(&mut self, unsaved: Unsaved) {
        let of_holding = self.of.entry(unsaved.holding()).or_default();
        of_holding.retain(|held| held.block() != unsaved.block());
        of_holding.push(unsaved);
        if of_holding.len() > Self::OF_HOLDING {
            let numbers = of_holding.iter().map(|held| held.proven.anchor().number());
            if let Some((lowest, _)) = numbers.enumerate().min_by_key(|(_, number)| *number) {
                of_holding.remove(lowest);
            }
        }
    }

    /// Queues again a reading that could not be written, unless a later one of the same block is queued.
    pub(crate) fn push_back(&mut self, unsaved: Unsaved) {
        let is_queued = |held: &Unsaved| held.block() == unsaved.block();
        if !self.of.get(&unsaved.holding()).is_some_and(|of_holding| of_holding.iter().any(is_queued)) {
            self.push(unsaved);
        }
    }

    /// Drops what is queued of `holding`.
    pub(crate) fn remove(&mut self, holding: &Holding) {
        self.of.remove(holding);
    }

    /// Takes all that is queued.
    pub(crate) fn take(&mut self) -> Vec<Unsaved> {
        std::mem::take(&mut self.of).into_values().flatten().collect()
    }
}
