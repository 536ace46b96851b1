//! Storing what was proven, and restoring it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::unit::UnixTime;
use saldo_chain::{Anchor, Level, Standing};
use saldo_reading::{Candidate, Holding};

use super::{Readings, ReadingsState};
use crate::head::HeadView;
use crate::proofs::{Checked, Proofs};
use crate::storage::StorageFault;
use crate::store::{ChangeSet, ProviderState, Restored, Store, Unsaved};

impl Readings {
    /// Takes what was restored, and holds it against what the light client knew: a reading whose block it excludes is
    /// withdrawn at once.
    pub(crate) fn restore(&self, restored: Restored, proofs: &Proofs) {
        let Restored { light_client, readings, older, start, knowledge } = restored;
        let certain = knowledge.certain.first().map(|millis| UnixTime::from_millis(*millis));
        let since = self.env.clock().wall().as_secs().saturating_sub(knowledge.written);
        {
            let mut state = self.state();
            self.head.restore(light_client, start);
            self.head.note_proven_time(certain);
            for candidate in readings {
                state.offer(candidate, None);
            }
            state.older = older;
        }
        proofs.restore(knowledge, Duration::from_secs(since));
        self.head.follow();
        self.review();
    }

    /// Stores what is new, if there is a storage.
    pub(crate) fn persist(&self, proofs: &Proofs) {
        let Some(store) = self.store.as_ref().filter(|store| store.takes_anything()) else { return };
        let (network, clock) = (self.head.network(), self.env.clock());
        if let Some(restored) = store.read_again(&network, clock.wall()) {
            self.restore(restored, proofs);
        }
        let saving = store.begin();
        let (disclosures, written) = (proofs.disclosure_revision(), clock.wall().as_secs());
        let (batch, unsaved) = {
            let mut state = self.state();
            let withdrawn: BTreeSet<B256> =
                state.withdrawn.values().map(|candidate| candidate.anchor().hash()).collect();
            let unsaved = std::mem::take(&mut state.unsaved);
            let batch = self.head.look(|view| {
                let certain = view.newest_signed_time;
                saving.batch(&ChangeSet {
                    network: &network,
                    light_client: view.light_client,
                    readings: unsaved.values().cloned().collect(),
                    again: &|block| view.chain.anchor_again(block).cloned(),
                    is_withdrawn: &|block| withdrawn.contains(&block.hash()) || has_lost(view, block),
                    disclosures,
                    knowledge: &|| ProviderState {
                        written,
                        certain: certain.iter().map(|time| time.as_millis()).collect(),
                        ..proofs.provider_state()
                    },
                })
            });
            (batch, unsaved)
        };
        if let Some(batch) = batch
            && !saving.write(batch)
        {
            self.state().keep_unsaved(unsaved);
        }
    }

    /// Checks the older readings of `holdings` that were kept, and takes those that hold.
    pub(crate) fn load_older(&self, holdings: &[Holding]) {
        let faults: Vec<StorageFault> = {
            let mut state = self.state();
            holdings.iter().flat_map(|holding| state.load_older(holding, self.store.as_ref())).collect()
        };
        self.note_faults(faults);
    }

    pub(crate) fn note_faults(&self, faults: Vec<StorageFault>) {
        if let Some(store) = &self.store {
            faults.into_iter().for_each(|fault| store.note(fault));
        }
    }

    /// What was dropped from the storage, or could not be written.
    pub(crate) fn storage_faults(&self) -> Vec<StorageFault> {
        self.store.as_ref().map(Store::faults).unwrap_or_default()
    }
}

impl ReadingsState {
    /// How many readings of one holding wait to be written.
    const UNSAVED: usize = 4;

    /// Checks the older readings of `holding` that were kept, and takes those that hold. Gives what is wrong with the others.
    fn load_older(&mut self, holding: &Holding, store: Option<&Store>) -> Vec<StorageFault> {
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
    fn keep_unsaved(&mut self, unsaved: BTreeMap<(Holding, B256), Unsaved>) {
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

/// Whether the chain excludes `block`. A chain that started again from further back says nothing about it yet.
fn has_lost(view: &HeadView<'_>, block: &Anchor) -> bool {
    let newest = view.chain.newest(Level::Signed);
    block.assurance().level() < Level::Finalized
        && view.chain.standing(block) == Standing::Withdrawn
        && newest.is_some_and(|newest| newest.timestamp() >= block.timestamp())
}
