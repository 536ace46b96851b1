//! The state of the readings: the records, and how they change.

use std::collections::HashMap;

use alloy_primitives::{Address, B256};
use saldo_beacon::Network;
use saldo_chain::Standing;
use saldo_reading::{Candidate, Change, Generation, Holding, Record};
use saldo_source::SortedSet;

use super::index::BlockIndex;
use crate::head::HeadView;
use crate::hub::Withdrawals;
use crate::proofs::Checked;
use crate::storage::StorageFault;
use crate::store::{Claim, Restorable, Returned, Store, Unsaved, WriteQueue};

/// Locked for a moment only, never across an await.
#[derive(Default)]
pub(super) struct ReadingsState {
    /// A hash map, because a wallet can have many holdings: a search in it reads less memory than one in a tree.
    pub(super) records: HashMap<Holding, Record>,
    /// Which holdings have a reading at which block.
    pub(super) index: BlockIndex,
    pub(super) withdrawn: HashMap<Holding, Candidate>,
    /// The withdrawals that watches report.
    pub(super) withdrawals: Withdrawals,
    /// Older stored readings to fall back to. They are not checked yet.
    pub(super) older: HashMap<Holding, Vec<Claim>>,
    /// Proven readings that are not stored yet. Always empty without storage.
    unsaved: WriteQueue,
    /// The trust start of a rollup that the records follow from.
    pub(super) generation: Option<Generation>,
    /// The blocks that the chain withdrew since the last write.
    lost_blocks: SortedSet<B256>,
}

impl ReadingsState {
    /// Drops everything that followed from the trust start. The list of withdrawals stays for the watches.
    pub(super) fn clear(&mut self) {
        let withdrawals = std::mem::take(&mut self.withdrawals);
        *self = Self { withdrawals, ..Self::default() };
    }

    /// Drops what followed from an earlier trust start, where the network is a rollup and that start is its L1's.
    pub(super) fn follow(&mut self, generation: Generation) {
        if self.generation.is_some_and(|known| known != generation) {
            self.clear();
        }
        self.generation = Some(generation);
    }

    /// The games that recorded blocks of a rollup rest on.
    pub(super) fn games(&self) -> SortedSet<Address> {
        let held = self.records.values().flat_map(|record| {
            let awaiting = record.awaiting_finality().iter().map(AsRef::as_ref);
            record.last().into_iter().chain(record.finalized()).chain(awaiting)
        });
        held.filter_map(|candidate| candidate.anchor().assurance().vouched())
            .map(|vouched| vouched.game())
            .collect()
    }

    /// Drops all state of `holding`.
    pub(super) fn forget(&mut self, holding: &Holding) {
        if let Some(record) = self.records.remove(holding) {
            self.index.remove(holding, &record);
        }
        self.withdrawn.remove(holding);
        self.older.remove(holding);
        self.unsaved.remove(holding);
    }

    /// Offers `candidate` to the record of its holding. Returns whether it is now the newest reading, or the
    /// newest final one.
    pub(super) fn offer(&mut self, candidate: &Candidate, checked: Option<&Checked>) -> bool {
        let holding = *candidate.holding();
        let record = self.records.entry(holding).or_default();
        let final_before = record.finalized().map(|held| held.anchor().number());
        let before = record.clone();
        let is_newest = record.offer(candidate.clone()) == Change::Replaced;
        let is_newest_final = record.finalized().map(|held| held.anchor().number()) > final_before;
        self.index.update(&holding, &before, record);
        if is_newest {
            self.withdrawn.remove(&holding);
        }
        if is_newest_final {
            self.older.remove(&holding);
        }
        if let Some(checked) = checked.filter(|_| is_newest || is_newest_final) {
            self.queue_write(candidate, checked);
        }
        is_newest || is_newest_final
    }

    /// Reviews the records of the holdings that have a block for which the chain's view changed. Returns the
    /// numbers of the withdrawn blocks.
    pub(super) fn review(&mut self, view: &HeadView<'_>) -> Vec<u64> {
        let mut gone = Vec::new();
        for holding in self.index.changed(view) {
            let Some(record) = self.records.get_mut(&holding) else { continue };
            let before = record.clone();
            let reviewed = record.review(view.chain);
            self.index.update(&holding, &before, record);
            if let Change::Withdrawn { withdrawn } = reviewed {
                gone.push(withdrawn.anchor().number());
                self.note_lost(withdrawn.anchor().hash());
                self.withdrawals.note((*withdrawn).clone());
                self.withdrawn.insert(holding, *withdrawn);
            }
        }
        gone
    }

    /// The most withdrawn blocks that are listed until the next write.
    const LOST_BLOCKS: usize = 1_024;

    /// Checks the older stored readings of `holding` and offers those that verify. Returns the faults of the
    /// others.
    pub(super) fn load_older(
        &mut self,
        holding: &Holding,
        network: &Network,
        generation: Generation,
        store: Option<&Store>,
    ) -> Vec<StorageFault> {
        let mut faults = Vec::new();
        let claims = self.older.remove(holding).unwrap_or_default();
        for checked in claims.iter().filter_map(|claim| Some(store?.check(claim, network, generation))) {
            match checked {
                Ok(Restorable::Proven(proven)) => drop(self.offer(&proven, None)),
                Ok(Restorable::NotRun) => {}
                Err(fault) => faults.push(*fault),
            }
        }
        faults
    }

    /// Loads the older readings of the holdings whose newest block is no longer in the chain.
    pub(super) fn load_older_of_lost(
        &mut self,
        view: &HeadView<'_>,
        network: &Network,
        store: Option<&Store>,
    ) -> Vec<StorageFault> {
        let is_lost = |holding: &&Holding| {
            let newest = self.records.get(holding).and_then(|record| record.last());
            newest.is_some_and(|newest| view.chain.standing(newest.anchor()) == Standing::Withdrawn)
        };
        let lost: SortedSet<Holding> = self.older.keys().filter(is_lost).copied().collect();
        lost.iter().flat_map(|holding| self.load_older(holding, network, view.generation, store)).collect()
    }

    /// Queues `proven` for storage, with the nodes that prove it.
    fn queue_write(&mut self, proven: &Candidate, checked: &Checked) {
        if let Some(nodes) = &checked.nodes {
            // A new proof joined at this block, so the chain has it again.
            self.lost_blocks.remove(&proven.anchor().hash());
            self.unsaved.push(Unsaved { proven: proven.clone(), nodes: nodes.clone() });
        }
    }

    fn note_lost(&mut self, block: B256) {
        self.lost_blocks.insert(block);
        if self.lost_blocks.len() > Self::LOST_BLOCKS {
            self.lost_blocks.pop_first();
        }
    }

    /// Takes the queued writes, and the blocks that the chain withdrew.
    pub(super) fn take_unwritten(&mut self) -> (Vec<Unsaved>, SortedSet<B256>) {
        (self.unsaved.take(), std::mem::take(&mut self.lost_blocks))
    }

    /// Queues failed writes again, if their reading is still the newest, or the newest final one.
    pub(super) fn return_unwritten(&mut self, returned: Returned, generation: Generation) {
        for unsaved in returned.unsaved {
            let block = unsaved.proven.anchor().hash();
            let held = self.records.get(unsaved.proven.holding());
            let mut kept =
                held.into_iter().flat_map(|record| record.last().into_iter().chain(record.finalized()));
            if kept.any(|kept| kept.anchor().hash() == block) && unsaved.proven.generation() == generation {
                self.unsaved.push_back(unsaved);
            }
        }
        returned.withdrawn.into_iter().for_each(|block| self.note_lost(block));
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
