//! A change set that is being made: which readings and blocks stay, and which do not.

use alloy_primitives::B256;
use saldo_chain::{Anchor, Level};
use saldo_reading::{Asset, Holding};
use saldo_source::{SortedMap, SortedSet, sort_by_key};

use super::codes::{CodeChanges, Written};
use super::form;
use super::index::{Index, StoredBlock};
use super::present::Present;
use super::unsaved::Unsaved;

/// How many holdings are kept at most. Beyond, those whose newest block is the oldest are dropped first.
const HOLDINGS: usize = 2_048;
/// How many readings of one holding are kept: the newest, and older ones to fall back to until one is final.
const READINGS: usize = 4;

/// What a draft comes to, without what is the same as before.
pub(super) struct Drafted {
    pub(super) blocks: SortedMap<B256, Anchor>,
    pub(super) removed_blocks: SortedSet<B256>,
    pub(super) readings: SortedMap<Holding, Vec<B256>>,
    pub(super) removed_readings: Vec<(Holding, B256)>,
    pub(super) codes: CodeChanges,
    pub(super) unsaved: Vec<Unsaved>,
}

/// A change set that is being made.
pub(super) struct Draft<'a> {
    index: &'a Index,
    /// Blocks that are new, or of which more is known.
    blocks: SortedMap<B256, Anchor>,
    /// The readings of each holding that is touched, as they will be.
    pub(super) readings: SortedMap<Holding, Vec<B256>>,
}

impl<'a> Draft<'a> {
    /// Nothing is changed yet.
    pub(super) const fn of(index: &'a Index) -> Self {
        Self { index, blocks: SortedMap::new(), readings: SortedMap::new() }
    }

    fn touch(&mut self, holding: Holding) -> &mut Vec<B256> {
        let index = self.index;
        self.readings.entry(holding).or_insert_with(|| index.blocks_of(&holding).to_vec())
    }

    fn anchor(&self, hash: &B256) -> Option<&Anchor> {
        self.blocks.get(hash).or_else(|| self.index.block(hash).map(|stored| &stored.anchor))
    }

    /// Drops the readings at blocks that the chain does not have any more.
    pub(super) fn withdraw(&mut self, present: &Present<'_>) {
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
    pub(super) fn raise(&mut self, present: &Present<'_>) {
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
    pub(super) fn add(&mut self, present: &Present<'_>) -> Vec<Unsaved> {
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
    pub(super) fn prune(&mut self) {
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
    pub(super) fn evict(&mut self) {
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
    pub(super) fn finish(self, mut unsaved: Vec<Unsaved>) -> Drafted {
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
        let token = |unsaved: &Unsaved| match unsaved.holding().asset() {
            Asset::Native => None,
            _ => Some(((unsaved.holding(), unsaved.block()), Written::of(&unsaved.nodes)?)),
        };
        let written = unsaved.iter().filter_map(token).collect();
        let codes = CodeChanges::between(&index.codes, &removed_readings, written);
        Drafted { blocks, removed_blocks, readings, removed_readings, codes, unsaved }
    }
}

fn is_surer(anchor: &Anchor, than: &Anchor) -> bool {
    anchor.assurance().level() > than.assurance().level()
}

fn add_one(count: &mut usize) {
    *count = count.saturating_add(1);
}
