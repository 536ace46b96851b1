//! What has to be written: the difference between what is in the storage and what is known now.

use alloy_primitives::{Address, B256};
use saldo_beacon::{Checkpoint, LightClient};
use saldo_chain::{Anchor, Level};
use saldo_reading::Holding;
use saldo_source::{SortedMap, SortedSet, sort_by_key};

use super::form::{self, Proof, ProviderState, StoredDisclosure};
use super::index::{Index, Progress, StoredBlock};
use super::pending::{self, PendingKey, PendingName, PendingRecord};
use super::seal::Seal;
use super::unsaved::Unsaved;
use crate::storage::Write;

/// How many holdings are kept at most. Beyond, those whose newest block is the oldest are dropped first.
const HOLDINGS: usize = 2_048;
/// How many readings of one holding are kept: the newest, and older ones to fall back to until one is final.
const READINGS: usize = 4;
/// Of how many addresses it is kept which operators know them: those that were asked about last.
const ADDRESSES: usize = 4_096;

/// What is known now.
pub(crate) struct Present<'a> {
    pub(crate) first: Vec<u8>,
    /// Where the caller restarted trust.
    pub(crate) start: Option<Checkpoint>,
    pub(crate) light_client: Option<&'a LightClient>,
    /// Readings that are not in the storage yet.
    pub(crate) unsaved: Vec<Unsaved>,
    /// The blocks that the chain took back since the last change set.
    pub(crate) withdrawn: &'a SortedSet<B256>,
    /// What is known now of a block that is stored.
    pub(crate) again: &'a dyn Fn(&Anchor) -> Option<Anchor>,
    /// Whether the chain excludes a block.
    pub(crate) is_lost: &'a dyn Fn(&Anchor) -> bool,
    /// Who knows of which address, where that changed since the last change set.
    pub(crate) disclosed: Vec<(Address, StoredDisclosure)>,
    pub(crate) providers: &'a dyn Fn() -> ProviderState,
    /// Proofs of a rollup that wait for L1 and are not in the storage yet.
    pub(crate) pending: Vec<PendingRecord>,
    /// Whether a proof that is stored still waits.
    pub(crate) is_pending: &'a dyn Fn(&PendingKey) -> bool,
}

/// What one write changes.
#[derive(Default)]
pub(crate) struct ChangeSet {
    pub(super) first: Option<Vec<u8>>,
    pub(super) start: Option<Checkpoint>,
    /// The light client's snapshot.
    pub(super) light_client: Option<(Progress, Vec<u8>)>,
    pub(super) removes_light_client: bool,
    pub(super) providers: Option<ProviderState>,
    pub(super) removes_providers: bool,
    /// Who knows of an address from now on; `None`: no operator.
    pub(super) disclosed: SortedMap<Address, Option<StoredDisclosure>>,
    /// Blocks that are new, or of which more is known.
    pub(super) blocks: SortedMap<B256, Anchor>,
    pub(super) removed_blocks: SortedSet<B256>,
    /// The blocks of the readings of each holding that changes, highest first.
    pub(super) readings: SortedMap<Holding, Vec<B256>>,
    pub(super) removed_readings: Vec<(Holding, B256)>,
    /// The proofs that wait, as far as they are new.
    pub(super) pending: SortedMap<PendingName, PendingRecord>,
    /// Those that wait no more.
    pub(super) removed_pending: SortedSet<PendingName>,
    /// The readings that are new.
    pub(super) unsaved: Vec<Unsaved>,
    /// Names that are not used any more, to remove.
    pub(super) strays: SortedSet<String>,
}

impl ChangeSet {
    /// What has to be written so that `index` becomes what is known now; `None` if nothing has to.
    ///
    /// The work grows with what changed, and with the number of stored blocks that are not final, not with everything that
    /// is stored.
    pub(super) fn between(index: &Index, present: Present<'_>) -> Option<Self> {
        let mut draft = Draft { index, blocks: SortedMap::new(), readings: SortedMap::new() };
        draft.withdraw(&present);
        draft.raise(&present);
        let unsaved = draft.add(&present);
        draft.prune();
        draft.evict();
        let mut changes = draft.finish(unsaved);
        changes.start = present.start.filter(|start| index.start != Some(*start));
        changes.disclose(index, present.disclosed);
        changes.update_pending(index, present.pending, present.is_pending);
        let progress = present.light_client.map(Progress::of);
        let needs_write = progress.is_some_and(|progress| progress.needs_write(index.light_client));
        if changes.is_empty() && !needs_write {
            return None;
        }
        if let Some((client, progress)) = present.light_client.zip(progress)
            && index.light_client.is_none_or(|stored| progress > stored)
        {
            changes.light_client = Some((progress, client.snapshot()));
        }
        changes.first = Some(present.first).filter(|first| index.first.as_ref() != Some(first));
        changes.providers = Some((present.providers)());
        changes.strays = index.strays.clone();
        Some(changes)
    }

    /// Removes the readings of `holdings`, and the disclosure sets of the addresses of which no other holding is stored.
    pub(super) fn forgetting(index: &Index, holdings: &SortedSet<Holding>) -> Option<Self> {
        let mut draft = Draft { index, blocks: SortedMap::new(), readings: SortedMap::new() };
        for holding in holdings.iter().filter(|holding| !index.blocks_of(holding).is_empty()) {
            draft.readings.insert(*holding, Vec::new());
        }
        let mut changes = draft.finish(Vec::new());
        let is_forgotten = |name: &&PendingName| holdings.contains(&name.0);
        changes.removed_pending = index.pending.keys().filter(is_forgotten).copied().collect();
        let is_disclosed = |address: &Address| {
            index.disclosed.contains_key(address) && !index.has_other_of_owner(*address, holdings)
        };
        let addresses = holdings.iter().map(|holding| holding.owner()).filter(is_disclosed);
        changes.disclosed = addresses.map(|address| (address, None)).collect();
        let is_theirs =
            |name: &&String| holdings.iter().any(|holding| form::names_owner(name, holding.owner()));
        changes.strays = index.strays.iter().filter(is_theirs).cloned().collect();
        (!changes.is_empty() || !changes.strays.is_empty()).then_some(changes)
    }

    /// Removes all that follows from where trust started, and writes where it starts now.
    pub(super) fn restarting(index: &Index, first: Vec<u8>, start: Checkpoint) -> Self {
        let mut draft = Draft { index, blocks: SortedMap::new(), readings: SortedMap::new() };
        draft.readings.extend(index.holdings().map(|holding| (*holding, Vec::new())));
        Self {
            first: Some(first),
            start: Some(start),
            removes_light_client: true,
            removes_providers: true,
            removed_pending: index.pending.keys().copied().collect(),
            strays: index.strays.clone(),
            ..draft.finish(Vec::new())
        }
    }

    /// Has `index` say what is in the storage after the write.
    pub(super) fn apply_to(&self, index: &mut Index) {
        index.first = self.first.clone().or(index.first.take());
        index.start = self.start.or(index.start);
        let before = index.light_client.filter(|_| !self.removes_light_client);
        index.light_client = self.light_client.as_ref().map(|(progress, _)| *progress).or(before);
        index.has_providers = self.providers.is_some() || (index.has_providers && !self.removes_providers);
        index.strays.retain(|name| !self.strays.contains(name));
        for (address, disclosed) in &self.disclosed {
            index.set_disclosed(*address, disclosed.as_ref().map(|disclosed| disclosed.order));
        }
        self.blocks.values().for_each(|anchor| index.put_block(anchor.clone()));
        for (holding, blocks) in &self.readings {
            index.set_readings(*holding, blocks.clone());
        }
        self.removed_blocks.iter().for_each(|hash| index.remove_block(hash));
        index.pending.retain(|name, _| !self.removed_pending.contains(name));
        self.pending.values().for_each(|record| index.put_pending(record));
    }

    fn is_empty(&self) -> bool {
        self.start.is_none()
            && self.disclosed.is_empty()
            && self.blocks.is_empty()
            && self.readings.is_empty()
            && self.pending.is_empty()
            && self.removed_pending.is_empty()
    }

    /// Adds the proofs that wait and are new, up to the bound, and removes those that wait no more.
    fn update_pending(
        &mut self,
        index: &Index,
        new: Vec<PendingRecord>,
        is_pending: &dyn Fn(&PendingKey) -> bool,
    ) {
        let gone = index.pending.iter().filter(|(_, (key, _))| !is_pending(key));
        self.removed_pending = gone.map(|(name, _)| *name).collect();
        let mut bytes: usize = index.pending.values().map(|(_, size)| size).sum();
        for record in new {
            let name = record.key().name();
            bytes = bytes.saturating_add(record.size());
            if bytes <= pending::MOST_BYTES && !index.pending.contains_key(&name) {
                self.pending.insert(name, record);
            }
        }
    }

    fn disclose(&mut self, index: &Index, changed: Vec<(Address, StoredDisclosure)>) {
        for (address, disclosure) in changed {
            let is_known = !disclosure.operators.is_empty();
            if is_known || index.disclosed.contains_key(&address) {
                self.disclosed.insert(address, is_known.then_some(disclosure));
            }
        }
        let is_new = |(address, disclosure): &(&Address, &Option<StoredDisclosure>)| {
            disclosure.is_some() && !index.disclosed.contains_key(*address)
        };
        let added = self.disclosed.iter().filter(is_new).count();
        let excess = index.disclosed.len().saturating_add(added).saturating_sub(ADDRESSES);
        let oldest = index.disclosed_order.iter().map(|(_, address)| *address).take(excess);
        for address in oldest.collect::<Vec<_>>() {
            self.disclosed.entry(address).or_insert(None);
        }
    }

    /// The change set as named bytes, each with its seal: removals first.
    pub(super) fn encode(&self, seal: &Seal) -> Vec<Write> {
        let mut put: SortedMap<String, Vec<u8>> = SortedMap::new();
        let mut removed = self.strays.clone();
        let fixed = [
            (form::FIRST, self.first.clone(), false),
            (form::START, self.start.as_ref().map(form::start), false),
            (
                form::LIGHT_CLIENT,
                self.light_client.as_ref().map(|(_, snapshot)| snapshot.clone()),
                self.removes_light_client,
            ),
            (form::PROVIDERS, self.providers.as_ref().map(alloy_rlp::encode), self.removes_providers),
        ];
        for (name, value, is_removed) in fixed {
            removed.extend(is_removed.then(|| name.to_owned()));
            put.extend(value.map(|value| (name.to_owned(), value)));
        }
        for (address, disclosure) in &self.disclosed {
            let name = form::disclosed_name(*address);
            match disclosure {
                Some(disclosure) => {
                    put.insert(name, alloy_rlp::encode(disclosure));
                }
                None => {
                    removed.insert(name);
                }
            }
        }
        put.extend(self.blocks.iter().map(|(hash, anchor)| (form::block_name(*hash), anchor.to_bytes())));
        removed.extend(self.removed_blocks.iter().map(|hash| form::block_name(*hash)));
        removed.extend(
            self.removed_readings.iter().filter_map(|(holding, hash)| form::reading_name(holding, *hash)),
        );
        for unsaved in &self.unsaved {
            let Some(name) = form::reading_name(&unsaved.holding(), unsaved.block()) else { continue };
            let provider = unsaved.proven.provider().as_str().to_owned();
            put.insert(name, alloy_rlp::encode(Proof { provider, nodes: unsaved.nodes.to_vec() }));
        }
        removed
            .extend(self.removed_pending.iter().filter_map(|(holding, id)| form::pending_name(holding, *id)));
        put.extend(self.pending.iter().filter_map(|((holding, id), record)| {
            Some((form::pending_name(holding, *id)?, record.encode()))
        }));
        removed.retain(|name| !put.contains_key(name));
        let removed = removed.into_iter().map(|name| Write { name, value: None });
        let put = put.into_iter().map(|(name, value)| {
            let value = Some(seal.close(&name, value));
            Write { name, value }
        });
        removed.chain(put).collect()
    }
}

/// A change set that is being made.
struct Draft<'a> {
    index: &'a Index,
    /// Blocks that are new, or of which more is known.
    blocks: SortedMap<B256, Anchor>,
    /// The readings of each holding that is touched, as they will be.
    readings: SortedMap<Holding, Vec<B256>>,
}

impl Draft<'_> {
    fn touch(&mut self, holding: Holding) -> &mut Vec<B256> {
        let index = self.index;
        self.readings.entry(holding).or_insert_with(|| index.blocks_of(&holding).to_vec())
    }

    fn anchor(&self, hash: &B256) -> Option<&Anchor> {
        self.blocks.get(hash).or_else(|| self.index.block(hash).map(|stored| &stored.anchor))
    }

    /// Drops the readings at blocks that the chain does not have any more.
    fn withdraw(&mut self, present: &Present<'_>) {
        let is_lost =
            |(hash, stored): (&B256, &StoredBlock)| (present.is_lost)(&stored.anchor).then_some(*hash);
        let lost = self.index.unsettled().filter_map(is_lost);
        for hash in lost.chain(present.withdrawn.iter().copied()) {
            let Some(stored) = self.index.block(&hash) else { continue };
            for holding in &stored.holdings {
                self.touch(*holding).retain(|held| *held != hash);
            }
        }
    }

    /// Takes what is known now of blocks that became surer.
    fn raise(&mut self, present: &Present<'_>) {
        for (hash, stored) in self.index.unsettled() {
            let again = (present.again)(&stored.anchor);
            if let Some(again) = again.filter(|again| is_surer(again, &stored.anchor)) {
                self.blocks.insert(*hash, again);
                stored.holdings.iter().for_each(|holding| {
                    self.touch(*holding);
                });
            }
        }
    }

    /// Adds the new readings whose blocks the chain has, and gives them.
    fn add(&mut self, present: &Present<'_>) -> Vec<Unsaved> {
        let mut added = Vec::with_capacity(present.unsaved.len());
        for unsaved in &present.unsaved {
            let (anchor, hash) = (unsaved.proven.anchor(), unsaved.block());
            let is_gone = present.withdrawn.contains(&hash) || (present.is_lost)(anchor);
            if is_gone || form::reading_name(&unsaved.holding(), hash).is_none() {
                continue;
            }
            if self.anchor(&hash).is_none_or(|held| is_surer(anchor, held)) {
                self.blocks.insert(hash, anchor.clone());
            }
            let of_holding = self.touch(unsaved.holding());
            of_holding.retain(|held| *held != hash);
            of_holding.push(hash);
            added.push(unsaved.clone());
        }
        added
    }

    /// Orders the readings of each holding, highest block first, and drops those below one that is final, and some in
    /// between.
    fn prune(&mut self) {
        let mut readings = std::mem::take(&mut self.readings);
        for of_holding in readings.values_mut() {
            let number = |hash: &B256| self.anchor(hash).map_or(0, Anchor::number);
            let is_final = |hash: &B256| {
                self.anchor(hash).is_some_and(|block| block.assurance().level() == Level::Finalized)
            };
            sort_by_key(of_holding, |hash| std::cmp::Reverse(number(hash)));
            if let Some(place) = of_holding.iter().position(is_final) {
                of_holding.truncate(place.saturating_add(1));
            }
            while of_holding.len() > READINGS {
                // The lower ones are nearer to being final.
                of_holding.remove(1);
            }
        }
        self.readings = readings;
    }

    /// Drops holdings beyond the bound: first those whose newest block is the oldest.
    fn evict(&mut self) {
        let is_stored = |holding: &Holding| !self.index.blocks_of(holding).is_empty();
        let untouched = self
            .index
            .holdings()
            .len()
            .saturating_sub(self.readings.keys().filter(|it| is_stored(it)).count());
        let touched = self.readings.values().filter(|blocks| !blocks.is_empty()).count();
        let excess = untouched.saturating_add(touched).saturating_sub(HOLDINGS);
        if excess == 0 {
            return;
        }
        let is_touched = |(_, holding): &(u64, Holding)| self.readings.contains_key(holding);
        let mut oldest: Vec<(u64, Holding)> =
            self.index.oldest_first().filter(|it| !is_touched(it)).take(excess).collect();
        let newest = |blocks: &Vec<B256>| Some(self.anchor(blocks.first()?)?.number());
        oldest.extend(self.readings.iter().filter_map(|(holding, blocks)| Some((newest(blocks)?, *holding))));
        sort_by_key(&mut oldest, |it| *it);
        for (_, holding) in oldest.into_iter().take(excess) {
            self.readings.insert(holding, Vec::new());
        }
    }

    /// The change set, without what is the same as before.
    fn finish(self, mut unsaved: Vec<Unsaved>) -> ChangeSet {
        let Self { index, mut blocks, mut readings } = self;
        let is_there = |unsaved: &Unsaved| {
            readings.get(&unsaved.holding()).is_some_and(|blocks| blocks.contains(&unsaved.block()))
        };
        unsaved.retain(is_there);
        let written: SortedSet<Holding> = unsaved.iter().map(Unsaved::holding).collect();
        readings.retain(|holding, blocks| {
            written.contains(holding) || index.blocks_of(holding) != blocks.as_slice()
        });
        // How many readings each block gains and loses.
        let mut gained: SortedMap<B256, usize> = SortedMap::new();
        let mut lost: SortedMap<B256, usize> = SortedMap::new();
        let mut removed_readings = Vec::new();
        for (holding, after) in &readings {
            let before = index.blocks_of(holding);
            for hash in before.iter().filter(|hash| !after.contains(hash)) {
                removed_readings.push((*holding, *hash));
                add_one(lost.entry(*hash).or_default());
            }
            for hash in after.iter().filter(|hash| !before.contains(hash)) {
                add_one(gained.entry(*hash).or_default());
            }
        }
        let remains = |hash: &B256| {
            let stored = index.block(hash).map_or(0, |stored| stored.holdings.len());
            let gains = gained.get(hash).copied().unwrap_or_default();
            stored.saturating_add(gains) > lost.get(hash).copied().unwrap_or_default()
        };
        let removed_blocks = lost.keys().filter(|hash| !remains(hash)).copied().collect();
        blocks.retain(|hash, _| remains(hash));
        ChangeSet { blocks, removed_blocks, readings, removed_readings, unsaved, ..ChangeSet::default() }
    }
}

fn is_surer(anchor: &Anchor, than: &Anchor) -> bool {
    anchor.assurance().level() > than.assurance().level()
}

fn add_one(count: &mut usize) {
    *count = count.saturating_add(1);
}
