//! What was proven about the last blocks, so that it is not asked for again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use alloy_primitives::B256;
use saldo_token::Query;

use super::facts::Facts;

/// Keeps what is proven about the blocks that were asked about last. A block's state never changes, so nothing in it becomes
/// wrong; whether the block still counts is checked when it is handed out.
#[derive(Debug, Default)]
pub(crate) struct StateCache(Mutex<Blocks>);

#[derive(Debug, Default)]
struct Blocks {
    /// The block that was asked about last is the last.
    of: VecDeque<Held>,
}

#[derive(Debug)]
struct Held {
    block: B256,
    facts: Facts,
    size: usize,
}

impl StateCache {
    /// The most blocks.
    const BLOCKS: usize = 64;
    /// The most memory, in bytes.
    const SIZE: usize = 32 * 1024 * 1024;

    /// What is held of what `query` asks for at `block`.
    pub(crate) fn held(&self, block: B256, query: &Query) -> Facts {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = blocks.of.iter().rev().find(|held| held.block == block);
        held.map(|held| held.facts.about(query)).unwrap_or_default()
    }

    /// Keeps `new` about `block`.
    pub(crate) fn keep(&self, block: B256, new: &Facts) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = blocks.of.iter().position(|held| held.block == block);
        let held = place.and_then(|place| blocks.of.remove(place));
        let mut held = held.unwrap_or_else(|| Held { block, facts: Facts::default(), size: 0 });
        held.facts.add_all(new);
        held.size = held.size.saturating_add(new.size());
        blocks.of.push_back(held);
        let size = |blocks: &Blocks| blocks.of.iter().map(|held| held.size).sum::<usize>();
        while blocks.of.len() > Self::BLOCKS || size(&blocks) > Self::SIZE {
            blocks.of.pop_front();
        }
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
