//! The index of holdings by block. With it, the work for a new head is proportional to what the head changes.

use std::collections::HashSet;

use alloy_primitives::B256;
use saldo_beacon::unit::UnixTime;
use saldo_chain::{Anchor, Level, Standing};
use saldo_reading::{Candidate, Holding, Record};
use saldo_source::{SortedMap, SortedSet};

use crate::head::HeadView;

/// Lists the blocks of all records.
#[derive(Default)]
pub(super) struct BlockIndex {
    /// By block hash and state root. A restored record can claim another root than the chain's.
    blocks: SortedMap<(B256, B256), Block>,
    /// The revision of the head that the blocks were last compared with.
    reviewed: Option<u64>,
    /// The holdings whose records changed since.
    unreviewed: SortedSet<Holding>,
}

struct Block {
    anchor: Anchor,
    holdings: HashSet<Holding>,
    /// The chain's view of the block when its records were last reviewed.
    chain_view: Option<View>,
}

/// Everything that the review of a record asks the chain about one block.
#[derive(Clone, Copy, PartialEq, Eq)]
struct View {
    level: Option<Level>,
    agrees: Option<bool>,
    standing: Standing,
    /// Whether the newest signed block is as late as this block, or later.
    has_come_as_far: bool,
}

impl View {
    fn of(anchor: &Anchor, view: &HeadView<'_>) -> Self {
        let chain = view.chain;
        let newest = chain.head().map(Anchor::timestamp);
        Self {
            level: chain.anchor_again(anchor).map(|again| again.assurance().level()),
            agrees: chain.agrees(anchor),
            standing: chain.standing(anchor),
            has_come_as_far: has_come_as_far(newest, anchor.timestamp()),
        }
    }
}

/// Whether the newest signed block, if there is one, is as late as `block`, or later.
fn has_come_as_far(newest: Option<UnixTime>, block: UnixTime) -> bool {
    newest.is_some_and(|newest| newest >= block)
}

fn key(candidate: &Candidate) -> (B256, B256) {
    (candidate.anchor().hash(), candidate.anchor().state_root().get())
}

fn candidates(record: &Record) -> impl Iterator<Item = &Candidate> {
    record
        .last()
        .into_iter()
        .chain(record.finalized())
        .chain(record.awaiting_finality().iter().map(AsRef::as_ref))
}

impl BlockIndex {
    /// Updates the index after the record of `holding` changed from `before` to `after`.
    pub(super) fn update(&mut self, holding: &Holding, before: &Record, after: &Record) {
        let kept: SortedSet<(B256, B256)> = candidates(after).map(key).collect();
        for candidate in candidates(after) {
            let block =
                || Block { anchor: candidate.anchor().clone(), holdings: HashSet::new(), chain_view: None };
            let block = self.blocks.entry(key(candidate)).or_insert_with(block);
            if block.holdings.insert(*holding) {
                self.unreviewed.insert(*holding);
            }
        }
        for candidate in candidates(before).filter(|candidate| !kept.contains(&key(candidate))) {
            self.drop_one(holding, key(candidate));
        }
    }

    /// Updates the index after the record of `holding` was dropped.
    pub(super) fn remove(&mut self, holding: &Holding, record: &Record) {
        candidates(record).for_each(|candidate| self.drop_one(holding, key(candidate)));
    }

    fn drop_one(&mut self, holding: &Holding, key: (B256, B256)) {
        if let Some(block) = self.blocks.get_mut(&key) {
            block.holdings.remove(holding);
            if block.holdings.is_empty() {
                self.blocks.remove(&key);
            }
        }
    }

    /// Returns the holdings whose records changed since the last call, and those with a block for which the
    /// chain's view changed.
    pub(super) fn changed(&mut self, view: &HeadView<'_>) -> SortedSet<Holding> {
        let mut changed = std::mem::take(&mut self.unreviewed);
        if self.reviewed == Some(view.revision) {
            return changed;
        }
        self.reviewed = Some(view.revision);
        for block in self.blocks.values_mut() {
            let chain_view = View::of(&block.anchor, view);
            if block.chain_view != Some(chain_view) {
                block.chain_view = Some(chain_view);
                changed.extend(block.holdings.iter().copied());
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{holding, proven};

    /// The records of two holdings, and the index of both.
    #[derive(Default)]
    struct Listed {
        index: BlockIndex,
        records: [Record; 2],
    }

    impl Listed {
        fn offer(&mut self, which: usize, number: u64, level: Level) {
            let before = self.records[which].clone();
            let holding = holding(u8::try_from(which).unwrap());
            let _ = self.records[which].offer(proven(&holding, number, level));
            self.index.update(&holding, &before, &self.records[which]);
        }

        /// The blocks that the records name.
        fn named(&self) -> Vec<(B256, B256)> {
            let named: SortedSet<_> = self.records.iter().flat_map(candidates).map(key).collect();
            named.into_iter().collect()
        }

        fn blocks(&self) -> Vec<(B256, B256)> {
            self.index.blocks.keys().copied().collect()
        }
    }

    #[test]
    fn the_index_lists_only_blocks_that_a_record_names() {
        let mut listed = Listed::default();
        for number in 1..=200 {
            listed.offer(0, number, Level::Signed);
            assert_eq!(listed.blocks(), listed.named());
        }
        listed.offer(1, 200, Level::Signed);
        listed.offer(0, 150, Level::Finalized);
        assert_eq!(listed.blocks(), listed.named());
        assert!(listed.blocks().len() < 20, "{}", listed.blocks().len());
    }

    #[test]
    fn a_chain_without_a_signed_block_has_not_come_as_far() {
        let of =
            |newest: Option<u64>| has_come_as_far(newest.map(UnixTime::from_secs), UnixTime::from_secs(24));
        assert_eq!([None, Some(12), Some(24), Some(36)].map(of), [false, false, true, true]);
    }

    #[test]
    fn a_dropped_record_leaves_nothing_in_the_index() {
        let mut listed = Listed::default();
        for number in 1..=20 {
            listed.offer(0, number, Level::Signed);
        }
        listed.offer(1, 20, Level::Signed);
        listed.index.remove(&holding(0), &std::mem::take(&mut listed.records[0]));
        assert_eq!(listed.blocks(), listed.named());
        assert_eq!(listed.blocks().len(), 1, "the other holding has a reading there");
        listed.index.remove(&holding(1), &std::mem::take(&mut listed.records[1]));
        assert!(listed.index.blocks.is_empty());
    }
}
