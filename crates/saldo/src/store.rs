//! What is kept over a restart: the light client, the proven readings with their proofs and blocks, and what is known of
//! providers.
//!
//! Nothing of it is believed because it is there. A reading comes back by the same ways by which it came about: its block's
//! header is hashed, its proof is walked under that header's state root, and the two are joined. What cannot be checked
//! again is that the committee signed the block, because the signature is gone: so the storage is as trusted as a
//! checkpoint.

mod form;
mod load;
mod seal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{B256, Bytes};
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{LightClient, Network};
use saldo_chain::{Anchor, Level};
use saldo_reading::{Holding, Proven};

use crate::storage::{Storage, StorageFault, Write};
pub(crate) use form::{Circle, Knowledge, KnownProvider};
pub(crate) use load::{Claim, Restored};
use seal::Seal;

/// The storage of a client, and what is in it.
pub(crate) struct Store {
    storage: Arc<dyn Storage>,
    seal: Seal,
    kept: Mutex<Kept>,
}

/// A proven reading that is not kept yet, with the nodes that prove it.
#[derive(Clone)]
pub(crate) struct Unsaved {
    pub(crate) proven: Proven,
    pub(crate) nodes: Arc<[Bytes]>,
}

/// What there is to keep now.
pub(crate) struct News<'a> {
    pub(crate) network: &'a Network,
    pub(crate) light_client: Option<&'a LightClient>,
    /// Newer readings.
    pub(crate) readings: Vec<Unsaved>,
    /// What is known now of a block that is kept; `None` if nothing newer is.
    pub(crate) again: &'a dyn Fn(&Anchor) -> Option<Anchor>,
    /// Whether the chain excludes a block that is kept.
    pub(crate) is_withdrawn: &'a dyn Fn(&Anchor) -> bool,
    /// How many operators know of an address, over all addresses.
    pub(crate) circles: usize,
    pub(crate) knowledge: &'a dyn Fn() -> Knowledge,
}

/// What is in the storage.
#[derive(Default)]
struct Kept {
    /// All names there are.
    names: BTreeSet<String>,
    /// The blocks of each holding's readings, highest first.
    readings: BTreeMap<Holding, Vec<B256>>,
    blocks: BTreeMap<B256, Anchor>,
    light_client: Option<Progress>,
    circles: usize,
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

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything can be kept.
    pub(crate) fn takes_anything(&self) -> bool {
        !self.storage.is_read_only()
    }

    /// Begins to keep something. One at a time: whoever comes second builds on what the first has written.
    pub(crate) fn begin(&self) -> Saving<'_> {
        Saving { store: self, kept: self.kept() }
    }

    /// Gives up everything that follows from where trust started.
    pub(crate) fn forget(&self) {
        if !self.takes_anything() {
            return;
        }
        let mut kept = self.kept();
        let names: Vec<String> = std::mem::take(&mut kept.names).into_iter().collect();
        let faults = std::mem::take(&mut kept.faults);
        *kept = Kept { faults, ..Kept::default() };
        let batch: Vec<Write> = names.iter().map(|name| Write { name: name.clone(), value: None }).collect();
        if !batch.is_empty()
            && let Err(error) = self.storage.apply(&batch)
        {
            kept.names = names.into_iter().collect();
            kept.note(StorageFault::Unwritten(error));
        }
    }
}

/// Something is being kept.
pub(crate) struct Saving<'a> {
    store: &'a Store,
    kept: MutexGuard<'a, Kept>,
}

impl Saving<'_> {
    /// What has to be written, if anything.
    pub(crate) fn batch(&self, news: &News<'_>) -> Option<Batch> {
        self.kept.batch(&self.store.seal, news)
    }

    /// Writes all of it, or nothing. Whether it is kept now.
    pub(crate) fn write(mut self, batch: Batch) -> bool {
        let Batch { writes, names, readings, blocks, light_client, circles } = batch;
        if let Err(error) = self.store.storage.apply(&writes) {
            self.kept.note(StorageFault::Unwritten(error));
            return false;
        }
        let mut faults = std::mem::take(&mut self.kept.faults);
        faults.retain(|fault| !matches!(fault, StorageFault::Unwritten(_)));
        *self.kept = Kept { names, readings, blocks, light_client, circles, faults };
        true
    }
}

/// A batch, and what is in the storage after it.
pub(crate) struct Batch {
    writes: Vec<Write>,
    names: BTreeSet<String>,
    readings: BTreeMap<Holding, Vec<B256>>,
    blocks: BTreeMap<B256, Anchor>,
    light_client: Option<Progress>,
    circles: usize,
}

impl Kept {
    fn note(&mut self, fault: StorageFault) {
        if !self.faults.contains(&fault) && self.faults.len() < Store::FAULTS {
            self.faults.push(fault);
        }
    }

    /// What has to be written, if anything.
    fn batch(&self, seal: &Seal, news: &News<'_>) -> Option<Batch> {
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

        let is_newer = progress != self.light_client || !values.is_empty();
        let circles = news.circles;
        if !is_newer && changed.is_empty() && readings == self.readings && circles == self.circles {
            return None;
        }
        values.insert(form::FIRST.to_owned(), form::first(news.network));
        values.insert(form::KNOWLEDGE.to_owned(), alloy_rlp::encode((news.knowledge)()));
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
        names.extend(progress.map(|_| form::LIGHT_CLIENT.to_owned()));
        names.extend(blocks.keys().map(|hash| form::block_name(*hash)));
        names.extend(of_readings);
        let removed = self.names.difference(&names).map(|name| Write { name: name.clone(), value: None });
        let written = values.into_iter().filter(|(name, _)| names.contains(name)).map(|(name, value)| {
            let value = Some(seal.close(&name, value));
            Write { name, value }
        });
        let writes = removed.chain(written).collect();
        Some(Batch { writes, names, readings, blocks, light_client: progress, circles })
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
