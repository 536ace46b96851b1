//! What is kept over a restart: the light client, the proven readings with their proofs and blocks, and what is known of
//! providers.
//!
//! Nothing of it is believed because it is there. A reading comes back by the same ways by which it came about: its block's
//! header is hashed, its proof is walked under that header's state root, and the two are joined. What cannot be checked
//! again is that the committee signed the block, because the signature is gone: so the storage is as trusted as a
//! checkpoint.

mod form;
mod identity;
mod load;
mod seal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{B256, Bytes};
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{Checkpoint, LightClient, Network};
use saldo_chain::{Anchor, Level};
use saldo_reading::{Candidate, Holding};

use crate::storage::{Storage, StorageFault, Write};
pub(crate) use form::{ProviderState, StoredDisclosure, StoredProvider};
pub(crate) use load::{Claim, Restored};
use seal::Seal;

/// The storage of a client, and what is in it.
pub(crate) struct Store {
    storage: Arc<dyn Storage>,
    seal: Seal,
    kept: Mutex<Index>,
}

/// A proven reading that is not kept yet, with the nodes that prove it.
#[derive(Clone)]
pub(crate) struct Unsaved {
    pub(crate) proven: Candidate,
    pub(crate) nodes: Arc<[Bytes]>,
}

/// What there is to keep now.
pub(crate) struct ChangeSet<'a> {
    pub(crate) network: &'a Network,
    pub(crate) light_client: Option<&'a LightClient>,
    /// Newer readings.
    pub(crate) readings: Vec<Unsaved>,
    /// What is known now of a block that is kept; `None` if nothing newer is.
    pub(crate) again: &'a dyn Fn(&Anchor) -> Option<Anchor>,
    /// Whether the chain excludes a block that is kept.
    pub(crate) is_withdrawn: &'a dyn Fn(&Anchor) -> bool,
    /// How often it changed who knows of which address.
    pub(crate) disclosures: u64,
    pub(crate) knowledge: &'a dyn Fn() -> ProviderState,
}

/// What is in the storage.
#[derive(Default)]
struct Index {
    /// Whether everything was read. Before that nothing is written: it could be over what this client must not touch.
    is_read: bool,
    /// Whether everything is to be given up as soon as it can be read.
    is_forgotten: bool,
    /// The names of all records of ours.
    names: BTreeSet<String>,
    /// The blocks of each holding's readings, highest first.
    readings: BTreeMap<Holding, Vec<B256>>,
    blocks: BTreeMap<B256, Anchor>,
    light_client: Option<Progress>,
    /// Whether there is a light client that cannot be gone on from now, but maybe at another time or with another table.
    leaves_light_client: bool,
    /// Where the caller had trust start again.
    start: Option<Checkpoint>,
    disclosures: Option<u64>,
    faults: Vec<StorageFault>,
}

/// How far a light client has come. While it only signs newer heads it need not be written for its own sake.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Progress {
    finalized: Slot,
    period: Period,
    next_committee_known: bool,
    faulted: bool,
}

impl Progress {
    fn of(client: &LightClient) -> Self {
        Self {
            finalized: client.finalized_head().slot(),
            period: client.period(),
            next_committee_known: client.next_committee_known(),
            faulted: client.consensus_fault().is_some(),
        }
    }
}

impl Store {
    /// How many holdings are kept at most. Beyond, those whose newest block is the oldest are given up first.
    pub(crate) const HOLDINGS: usize = 2_048;
    /// How many readings of one holding are kept: the newest, and older ones to fall back to until one is final.
    const READINGS: usize = 4;
    /// How many faults are remembered.
    const FAULTS: usize = 64;

    /// What has been dropped, or could not be written.
    pub(crate) fn faults(&self) -> Vec<StorageFault> {
        self.kept().faults.clone()
    }

    pub(crate) fn note(&self, fault: StorageFault) {
        self.kept().note(fault);
    }

    fn kept(&self) -> MutexGuard<'_, Index> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything can be kept.
    pub(crate) fn takes_anything(&self) -> bool {
        !self.storage.is_read_only()
    }

    /// Begins to keep something. One at a time: whoever comes second builds on what the first has written. Held before what
    /// is known is locked, never after.
    pub(crate) fn begin(&self) -> Saving<'_> {
        Saving { store: self, kept: self.kept() }
    }
}

/// Something is being kept.
pub(crate) struct Saving<'a> {
    store: &'a Store,
    kept: MutexGuard<'a, Index>,
}

impl Saving<'_> {
    /// What has to be written, if anything can be.
    pub(crate) fn batch(&self, news: &ChangeSet<'_>) -> Option<Batch> {
        self.kept.is_read.then(|| self.kept.batch(&self.store.seal, news)).flatten()
    }

    /// Writes all of it, or nothing. Whether it is kept now.
    pub(crate) fn write(mut self, batch: Batch) -> bool {
        if let Err(error) = self.store.storage.apply(&batch.writes) {
            // It may be there nevertheless: what is not wanted of it is removed with the next batch.
            self.kept.names.extend(batch.names);
            self.kept.note(StorageFault::Unwritten(error));
            return false;
        }
        let Batch { names, readings, blocks, light_client, disclosures, .. } = batch;
        let kept = &mut *self.kept;
        kept.leaves_light_client &= light_client.is_none();
        kept.light_client = light_client.or(kept.light_client);
        (kept.names, kept.readings, kept.blocks, kept.disclosures) =
            (names, readings, blocks, Some(disclosures));
        kept.faults.retain(|fault| !matches!(fault, StorageFault::Unwritten(_)));
        true
    }

    /// Gives up everything that follows from where trust started, and keeps where it starts now.
    pub(crate) fn forget_all(mut self, network: &Network, start: Checkpoint) {
        let before = std::mem::take(&mut *self.kept);
        *self.kept = Index {
            is_read: before.is_read,
            is_forgotten: !before.is_read,
            start: Some(start),
            names: before.names,
            faults: before.faults,
            ..Index::default()
        };
        let put = |name: &str, value| {
            let value = Some(self.store.seal.close(name, value));
            Write { name: name.to_owned(), value }
        };
        let put = [put(form::FIRST, form::first(network)), put(form::START, form::start(&start))];
        let removed = self.kept.names.iter().filter(|name| put.iter().all(|put| put.name != **name));
        let removed: Vec<Write> = removed.map(|name| Write { name: name.clone(), value: None }).collect();
        let names = put.iter().map(|put| put.name.clone()).collect();
        self.remove(&[removed, put.into()].concat(), names);
    }

    /// Gives up the readings of `holding`.
    pub(crate) fn forget(mut self, holding: &Holding) {
        let hashes = self.kept.readings.remove(holding).unwrap_or_default();
        let gone: Vec<String> = hashes.iter().filter_map(|hash| form::reading_name(holding, *hash)).collect();
        let names = self.kept.names.iter().filter(|name| !gone.contains(name)).cloned().collect();
        // Who knows of it is written without it with the next batch.
        self.kept.disclosures = None;
        let writes: Vec<Write> = gone.into_iter().map(|name| Write { name, value: None }).collect();
        self.remove(&writes, names);
    }

    /// Writes removals, after which `names` are there. Where that fails, the next batch removes them.
    fn remove(&mut self, writes: &[Write], names: BTreeSet<String>) {
        if !self.kept.is_read || !self.store.takes_anything() {
            return;
        }
        match self.store.storage.apply(writes) {
            Ok(()) => self.kept.names = names,
            Err(error) => {
                self.kept.names.extend(names);
                self.kept.note(StorageFault::Unwritten(error));
            }
        }
    }
}

/// A batch, and what is in the storage after it.
pub(crate) struct Batch {
    writes: Vec<Write>,
    names: BTreeSet<String>,
    readings: BTreeMap<Holding, Vec<B256>>,
    blocks: BTreeMap<B256, Anchor>,
    light_client: Option<Progress>,
    disclosures: u64,
}

impl Index {
    fn note(&mut self, fault: StorageFault) {
        if !self.faults.contains(&fault) && self.faults.len() < Store::FAULTS {
            self.faults.push(fault);
        }
    }

    /// What has to be written, if anything.
    fn batch(&self, seal: &Seal, news: &ChangeSet<'_>) -> Option<Batch> {
        let progress = news.light_client.map(Progress::of);
        let mut blocks = self.blocks.clone();
        let mut changed: BTreeSet<B256> = BTreeSet::new();
        for (hash, block) in &mut blocks {
            if let Some(again) = (news.again)(block)
                && again.assurance().level() > block.assurance().level()
            {
                *block = again;
                changed.insert(*hash);
            }
        }
        let mut readings = self.readings.clone();
        let mut values: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for Unsaved { proven, nodes } in &news.readings {
            let (holding, anchor) = (*proven.holding(), proven.anchor());
            let Some(name) = form::reading_name(&holding, anchor.hash()) else { continue };
            let provider = proven.provider().as_str().to_owned();
            values.insert(name, alloy_rlp::encode(form::Proof { provider, nodes: nodes.to_vec() }));
            if blocks
                .get(&anchor.hash())
                .is_none_or(|held| held.assurance().level() < anchor.assurance().level())
            {
                blocks.insert(anchor.hash(), anchor.clone());
                changed.insert(anchor.hash());
            }
            let of_holding = readings.entry(holding).or_default();
            of_holding.retain(|hash| *hash != anchor.hash());
            of_holding.push(anchor.hash());
        }
        let is_withdrawn = |hash: &B256| blocks.get(hash).is_none_or(|block| (news.is_withdrawn)(block));
        readings.values_mut().for_each(|of_holding| of_holding.retain(|hash| !is_withdrawn(hash)));
        readings.values_mut().for_each(|of_holding| thin_out(of_holding, &blocks));
        readings.retain(|_, of_holding| !of_holding.is_empty());
        evict(&mut readings, &blocks);
        let needed: BTreeSet<B256> = readings.values().flatten().copied().collect();
        blocks.retain(|hash, _| needed.contains(hash));

        let disclosures = news.disclosures;
        let is_newer = (progress.is_some() && progress != self.light_client) || !values.is_empty();
        if !is_newer
            && changed.is_empty()
            && readings == self.readings
            && Some(disclosures) == self.disclosures
        {
            return None;
        }
        values.insert(form::FIRST.to_owned(), form::first(news.network));
        values.insert(form::KNOWLEDGE.to_owned(), alloy_rlp::encode((news.knowledge)()));
        if let Some(start) = &self.start {
            values.insert(form::START.to_owned(), form::start(start));
        }
        if let Some(client) = news.light_client {
            values.insert(form::LIGHT_CLIENT.to_owned(), client.snapshot());
        }
        for (hash, block) in blocks.iter().filter(|(hash, _)| changed.contains(*hash)) {
            values.insert(form::block_name(*hash), block.to_bytes());
        }
        let of_readings = readings.iter().flat_map(|(holding, hashes)| {
            hashes.iter().filter_map(|hash| form::reading_name(holding, *hash))
        });
        let mut names: BTreeSet<String> = [form::FIRST, form::KNOWLEDGE].map(str::to_owned).into();
        names.extend(self.start.map(|_| form::START.to_owned()));
        if progress.is_some() || self.light_client.is_some() || self.leaves_light_client {
            names.insert(form::LIGHT_CLIENT.to_owned());
        }
        names.extend(blocks.keys().map(|hash| form::block_name(*hash)));
        names.extend(of_readings);
        let removed = self.names.difference(&names).map(|name| Write { name: name.clone(), value: None });
        let written = values.into_iter().filter(|(name, _)| names.contains(name)).map(|(name, value)| {
            let value = Some(seal.close(&name, value));
            Write { name, value }
        });
        let writes = removed.chain(written).collect();
        Some(Batch { writes, names, readings, blocks, light_client: progress, disclosures })
    }
}

/// Orders the readings of one holding, highest block first, and gives up those below one that is final, and some in between.
fn thin_out(of_holding: &mut Vec<B256>, blocks: &BTreeMap<B256, Anchor>) {
    let number = |hash: &B256| blocks.get(hash).map_or(0, Anchor::number);
    let is_final =
        |hash: &B256| blocks.get(hash).is_some_and(|block| block.assurance().level() == Level::Finalized);
    of_holding.sort_by_key(|hash| std::cmp::Reverse(number(hash)));
    if let Some(place) = of_holding.iter().position(is_final) {
        of_holding.truncate(place.saturating_add(1));
    }
    while of_holding.len() > Store::READINGS {
        // Those below are nearer to being final.
        of_holding.remove(1);
    }
}

/// Gives up holdings beyond the bound: first those whose newest block is the oldest.
fn evict(readings: &mut BTreeMap<Holding, Vec<B256>>, blocks: &BTreeMap<B256, Anchor>) {
    let excess = readings.len().saturating_sub(Store::HOLDINGS);
    if excess == 0 {
        return;
    }
    let newest = |hashes: &[B256]| hashes.first().and_then(|hash| blocks.get(hash)).map_or(0, Anchor::number);
    let mut by_age: Vec<(u64, Holding)> =
        readings.iter().map(|(holding, hashes)| (newest(hashes), *holding)).collect();
    by_age.sort_unstable();
    for (_, holding) in by_age.iter().take(excess) {
        readings.remove(holding);
    }
}
