//! What was proven about the last blocks, so that it is not asked for again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use saldo_proof::StateRoot;
use saldo_token::Query;

use super::facts::Facts;

/// Keeps what is proven about the blocks that were asked about last, by the roots of their states. What a root commits to never
/// changes, so nothing in it becomes wrong; whether the block counts is checked when it is handed out.
#[derive(Debug, Default)]
pub(crate) struct StateCache(Mutex<Blocks>);

#[derive(Debug, Default)]
struct Blocks {
    /// The block that was asked about last is the last.
    of: VecDeque<Held>,
}

#[derive(Debug)]
struct Held {
    root: StateRoot,
    facts: Facts,
    size: usize,
}

impl StateCache {
    /// The most blocks.
    const BLOCKS: usize = 64;
    /// The most memory, in bytes.
    const SIZE: usize = 32 * 1024 * 1024;

    /// What is held of what `query` asks for under `root`.
    pub(crate) fn held(&self, root: StateRoot, query: &Query) -> Facts {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = blocks.of.iter().rev().find(|held| held.root == root);
        held.map(|held| held.facts.about(query)).unwrap_or_default()
    }

    /// How many blocks are held, and how many bytes about them.
    #[cfg(feature = "metrics")]
    pub(crate) fn size(&self) -> (usize, usize) {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (blocks.of.len(), blocks.of.iter().map(|held| held.size).sum())
    }

    /// Keeps `new`, which was verified under `root`.
    pub(crate) fn keep(&self, root: StateRoot, new: &Facts) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = blocks.of.iter().position(|held| held.root == root);
        let held = place.and_then(|place| blocks.of.remove(place));
        let mut held = held.unwrap_or_else(|| Held { root, facts: Facts::default(), size: 0 });
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
