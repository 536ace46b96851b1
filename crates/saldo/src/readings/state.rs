//! The records, and how they change.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use saldo_chain::Standing;
use saldo_reading::{Candidate, Change, Holding, Record};

use super::index::BlockIndex;
use crate::head::HeadView;
use crate::hub::Withdrawals;
use crate::proofs::Checked;
use crate::storage::StorageFault;
use crate::store::{Claim, Store, Unsaved};

/// Locked for a moment only, never across an await.
#[derive(Default)]
pub(super) struct ReadingsState {
    pub(super) records: BTreeMap<Holding, Record>,
    /// Which holdings have a reading at which block.
    pub(super) index: BlockIndex,
    pub(super) withdrawn: BTreeMap<Holding, Candidate>,
    /// What watches have to tell of.
    pub(super) withdrawals: Withdrawals,
    /// Older readings that were stored, to fall back to. Not checked yet.
    pub(super) older: BTreeMap<Holding, Vec<Claim>>,
    /// What is proven and not stored yet, by holding and block. Always empty where there is no storage.
    pub(super) unsaved: BTreeMap<(Holding, B256), Unsaved>,
}

impl ReadingsState {
    /// Offers `candidate` to the record of its holding; gives whether it is the newest now, or the newest final one.
    pub(super) fn offer(&mut self, candidate: Candidate, checked: Option<&Checked>) -> bool {
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
            self.queue_write(&candidate, checked);
        }
        is_newest || is_newest_final
    }

    /// Reviews the records of those holdings whose blocks the chain says something new about. Gives the numbers of the blocks
    /// that it took back.
    pub(super) fn review(&mut self, view: &HeadView<'_>) -> Vec<u64> {
        let mut gone = Vec::new();
        for holding in self.index.changed(view) {
            let Some(record) = self.records.get_mut(&holding) else { continue };
            let before = record.clone();
            if let Change::Withdrawn { withdrawn } = record.review(view.chain) {
                gone.push(withdrawn.anchor().number());
                self.withdrawals.note((*withdrawn).clone());
                self.withdrawn.insert(holding, *withdrawn);
            }
            self.index.update(&holding, &before, record);
        }
        gone
    }

    /// How many readings of one holding wait to be written.
    const UNSAVED: usize = 4;

    /// Checks the older readings of `holding` that were kept, and takes those that hold. Gives what is wrong with the others.
    pub(super) fn load_older(&mut self, holding: &Holding, store: Option<&Store>) -> Vec<StorageFault> {
        let mut faults = Vec::new();
        let claims = self.older.remove(holding).unwrap_or_default();
        for checked in claims.iter().filter_map(|claim| Some(store?.check(claim))) {
            match checked {
                Ok(proven) => drop(self.offer(proven, None)),
                Err(fault) => faults.push(fault),
            }
        }
        faults
    }

    /// Loads the older readings of those holdings whose newest block the chain does not have any more.
    pub(super) fn load_older_of_lost(
        &mut self,
        view: &HeadView<'_>,
        store: Option<&Store>,
    ) -> Vec<StorageFault> {
        let is_lost = |holding: &&Holding| {
            let newest = self.records.get(holding).and_then(|record| record.last());
            newest.is_some_and(|newest| view.chain.standing(newest.anchor()) == Standing::Withdrawn)
        };
        let lost: Vec<Holding> = self.older.keys().filter(is_lost).copied().collect();
        lost.iter().flat_map(|holding| self.load_older(holding, store)).collect()
    }

    /// Queues `proven` to be stored, with the nodes that prove it.
    pub(super) fn queue_write(&mut self, proven: &Candidate, checked: &Checked) {
        if let Some(nodes) = &checked.nodes {
            let key = (*proven.holding(), proven.anchor().hash());
            self.unsaved.insert(key, Unsaved { proven: proven.clone(), nodes: nodes.clone() });
            // Reads that are given up never come to write anything.
            let of_holding: Vec<(u64, B256)> = self
                .unsaved
                .iter()
                .filter(|((held, _), _)| *held == key.0)
                .map(|((_, hash), unsaved)| (unsaved.proven.anchor().number(), *hash))
                .collect();
            if let Some((_, lowest)) = of_holding.iter().min().filter(|_| of_holding.len() > Self::UNSAVED) {
                self.unsaved.remove(&(key.0, *lowest));
            }
        }
    }

    /// They could not be written: those that are still the newest are tried again with the next ones.
    pub(super) fn keep_unsaved(&mut self, unsaved: BTreeMap<(Holding, B256), Unsaved>) {
        for (key, value) in unsaved {
            if self
                .records
                .get(&key.0)
                .and_then(|record| record.last())
                .is_some_and(|last| last.anchor().hash() == key.1)
            {
                self.unsaved.entry(key).or_insert(value);
            }
        }
    }
}
