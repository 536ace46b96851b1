//! Storing what was proven, and restoring it.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::unit::UnixTime;
use saldo_chain::{Anchor, Level, Standing};
use saldo_reading::Holding;

use super::Readings;
use crate::head::HeadView;
use crate::proofs::Proofs;
use crate::storage::StorageFault;
use crate::store::{ChangeSet, ProviderState, Restored, Store};

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

    /// What was dropped from the storage, or could not be written.
    pub(crate) fn storage_faults(&self) -> Vec<StorageFault> {
        self.store.as_ref().map(Store::faults).unwrap_or_default()
    }
}

/// Whether the chain excludes `block`. A chain that started again from further back says nothing about it yet.
fn has_lost(view: &HeadView<'_>, block: &Anchor) -> bool {
    let newest = view.chain.newest(Level::Signed);
    block.assurance().level() < Level::Finalized
        && view.chain.standing(block) == Standing::Withdrawn
        && newest.is_some_and(|newest| newest.timestamp() >= block.timestamp())
}
