//! Keeping over a restart what was proven, and taking it back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::unit::UnixTime;
use saldo_chain::{Anchor, Chain, Level, Standing};
use saldo_reading::{Candidate, Generation, Holding};

use crate::capability::{Capabilities, Capability};
use crate::checked::Checked;
use crate::core::{Core, Known};
use crate::storage::StorageFault;
use crate::store::{ChangeSet, ProviderState, Restored, Store, StoredDisclosure, StoredProvider, Unsaved};

impl Core {
    /// Takes back what was kept, and follows what the light client knew: a reading whose block it excludes is withdrawn at once.
    pub(crate) fn restore(&self, restored: Restored) {
        let Restored { light_client, readings, older, start, knowledge } = restored;
        let now = self.clock().monotonic();
        let wall = self.clock().wall().as_secs();
        {
            let mut known = self.known();
            if known.light_client.is_none() && known.generation == Generation::FIRST {
                known.light_client = light_client;
                known.started_again_at = start;
            }
            for proven in readings {
                known.offer_restored(proven);
            }
            known.older = older;
            let since = Duration::from_secs(wall.saturating_sub(knowledge.written));
            known.restore_from(knowledge, since, now);
        }
        self.follow();
    }

    /// Writes what is new into the storage, if there is one.
    pub(crate) fn persist(&self) {
        let Some(store) = self.store.as_ref().filter(|store| store.takes_anything()) else { return };
        if let Some(restored) = store.read_again(&self.network(), self.clock().wall()) {
            self.restore(restored);
        }
        let saving = store.begin();
        let network = self.network();
        let now = self.clock().monotonic();
        let written = self.clock().wall().as_secs();
        let (batch, unsaved) = {
            let mut known = self.known();
            let certain = known.newest_signed_time(&network);
            let withdrawn: BTreeSet<B256> = known.withdrawn_blocks().collect();
            let unsaved = std::mem::take(&mut known.unsaved);
            let known = &*known;
            let batch = saving.batch(&ChangeSet {
                network: &network,
                light_client: known.light_client.as_ref(),
                readings: unsaved.values().cloned().collect(),
                again: &|block| known.chain.anchor_again(block).cloned(),
                is_withdrawn: &|block| withdrawn.contains(&block.hash()) || known.has_lost(block),
                disclosures: known.disclosures.revision(),
                knowledge: &|| ProviderState {
                    written,
                    certain: certain.iter().map(|time| time.as_millis()).collect(),
                    ..known.knowledge(now)
                },
            });
            (batch, unsaved)
        };
        if let Some(batch) = batch
            && !saving.write(batch)
        {
            self.known().keep_unsaved(unsaved);
        }
    }

    /// Checks the older readings of `holdings` that were kept, and takes those that hold.
    pub(crate) fn load_older(&self, holdings: &[Holding]) {
        let mut known = self.known();
        let faults: Vec<StorageFault> =
            holdings.iter().flat_map(|holding| known.load_older(holding, self.store.as_ref())).collect();
        drop(known);
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

impl Known {
    /// How many readings of one holding wait to be written.
    const UNSAVED: usize = 4;
    /// How much of who knows of which address is written, in bytes.
    const CIRCLES: usize = 512 * 1024;

    /// Checks the older readings of `holding` that were kept, and takes those that hold. Gives what is wrong with the others.
    fn load_older(&mut self, holding: &Holding, store: Option<&Store>) -> Vec<StorageFault> {
        let mut faults = Vec::new();
        let claims = self.older.remove(holding).unwrap_or_default();
        for checked in claims.iter().filter_map(|claim| Some(store?.check(claim))) {
            match checked {
                Ok(proven) => self.offer_restored(proven),
                Err(fault) => faults.push(fault),
            }
        }
        faults
    }

    /// Recalls what the chain makes necessary: the older readings of those whose newest it does not have any more.
    pub(crate) fn load_older_of_lost(&mut self, store: Option<&Store>) -> Vec<StorageFault> {
        let is_lost = |holding: &&Holding| {
            let last = self.last_of(holding);
            last.is_some_and(|last| self.chain.standing(last.anchor()) == Standing::Withdrawn)
        };
        let lost: Vec<Holding> = self.older.keys().filter(is_lost).copied().collect();
        lost.iter().flat_map(|holding| self.load_older(holding, store)).collect()
    }

    /// Notes that `proven` is to be kept, if it is of use after a restart.
    pub(crate) fn is_to_be_kept(&mut self, proven: &Candidate, checked: &Checked) {
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
            if self.last_of(&key.0).is_some_and(|last| last.anchor().hash() == key.1) {
                self.unsaved.entry(key).or_insert(value);
            }
        }
    }

    /// Whether the chain excludes `block`. One that started again from further back says nothing about it yet.
    fn has_lost(&self, block: &Anchor) -> bool {
        let has_come_as_far = |chain: &Chain| {
            chain.newest(Level::Signed).is_some_and(|newest| newest.timestamp() >= block.timestamp())
        };
        block.assurance().level() < Level::Finalized
            && self.chain.standing(block) == Standing::Withdrawn
            && has_come_as_far(&self.chain)
    }

    /// What is known of providers at `now` on the monotonic clock.
    fn knowledge(&self, now: Duration) -> ProviderState {
        let of_capability = |(provider, known): (&saldo_reading::ProviderId, &Capability)| StoredProvider {
            provider: provider.as_str().to_owned(),
            serves_chain: self.chain_confirmed.contains(provider),
            believed_for: known.until.saturating_sub(now).as_secs(),
            batch: u64::try_from(known.batch).unwrap_or(u64::MAX),
            block_hash: known.block_hash,
            json_header: known.json_header,
            behind_tip: known.behind_tip,
            tips_were_signed: known.tips_were_signed,
        };
        let mut left = Self::CIRCLES;
        let disclosures = self.disclosures.newest().map(|(address, operators)| StoredDisclosure {
            address: *address,
            operators: operators.cloned().collect(),
        });
        let fits = |disclosed: &StoredDisclosure| {
            let size: usize =
                disclosed.operators.iter().map(|operator| operator.len().saturating_add(3)).sum();
            left = left.saturating_sub(size.saturating_add(27));
            left > 0
        };
        let mut disclosures: Vec<StoredDisclosure> = disclosures.take_while(fits).collect();
        disclosures.reverse();
        let providers = self.capabilities.all(now).map(of_capability).collect();
        ProviderState { providers, disclosures, ..ProviderState::default() }
    }

    /// Takes back what was known of providers, written a time `since` ago.
    fn restore_from(&mut self, knowledge: ProviderState, since: Duration, now: Duration) {
        // A clock that is set back while the app is closed is found out by it.
        let certain = knowledge.certain.first().map(|millis| UnixTime::from_millis(*millis));
        self.proven_time = self.proven_time.max(certain);
        for StoredDisclosure { address, operators } in knowledge.disclosures {
            self.disclosures.restore(address, operators);
        }
        for known in knowledge.providers {
            let Some(provider) = known.id() else { continue };
            if known.serves_chain {
                self.chain_confirmed.insert(provider.clone());
            }
            let left = Duration::from_secs(known.believed_for).saturating_sub(since);
            let until = now.saturating_add(left.min(Capabilities::AGE));
            let capability = Capability {
                batch: usize::try_from(known.batch).unwrap_or(usize::MAX),
                block_hash: known.block_hash,
                json_header: known.json_header,
                behind_tip: known.behind_tip,
                tips_were_signed: known.tips_were_signed,
                depth: Default::default(),
                until,
            };
            self.capabilities.restore(provider, capability);
        }
    }
}
