//! The records of the plain reader: signed blocks, and amounts proven at them.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use saldo_beacon::unit::Slot;

use crate::wallet::{ShownAmount, ShownBlock};

/// A block that a signed head shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) slot: Slot,
    pub(super) root: B256,
    pub(super) parent: B256,
    pub(super) block: ShownBlock,
}

/// The blocks that signed heads showed, by number.
#[derive(Debug, Default)]
pub(super) struct Heads {
    by_number: BTreeMap<u64, Head>,
    newest: Option<Head>,
    newest_final: Option<Head>,
}

impl Heads {
    /// Records a block. It replaces all blocks at its height and above.
    pub(super) fn take(&mut self, head: Head) {
        if head.block.finalized {
            if self.newest_final.is_none_or(|held| held.slot <= head.slot) {
                self.newest_final = Some(head);
            }
            self.by_number.insert(head.block.number, head);
        }
        if self.newest.is_none_or(|held| held.slot < head.slot) {
            if self.newest.is_some() {
                self.by_number.split_off(&head.block.number);
            }
            self.by_number.insert(head.block.number, head);
            self.newest = Some(head);
        }
        while self.by_number.len() > 256 {
            self.by_number.pop_first();
        }
    }

    pub(super) fn newest(&self, is_final: bool) -> Option<Head> {
        if is_final { self.newest_final } else { self.newest }
    }

    pub(super) fn of_root(&self, root: B256) -> Option<Head> {
        self.by_number.values().rev().find(|head| head.root == root).copied()
    }

    /// Whether the newest head cannot be on one branch with `block`.
    fn exclude(&self, block: &ShownBlock) -> bool {
        self.newest.is_some_and(|newest| match newest.block.number.checked_sub(block.number) {
            None => true,
            Some(0) => newest.block.hash != block.hash,
            Some(1) => newest.parent != block.hash,
            Some(_) => false,
        })
    }
}

/// The record of one account.
#[derive(Debug, Default)]
pub(super) struct Held {
    newest: Option<ShownAmount>,
    newest_final: Option<ShownAmount>,
    withdrawn: Option<ShownBlock>,
    is_fresh: bool,
}

impl Held {
    pub(super) fn newest(&self) -> Option<ShownAmount> {
        self.newest
    }

    pub(super) fn withdrawn(&self) -> Option<ShownBlock> {
        self.withdrawn
    }

    /// Returns what was proven since the last call, and clears it.
    pub(super) fn take_fresh(&mut self) -> Option<ShownAmount> {
        self.newest.filter(|_| std::mem::take(&mut self.is_fresh))
    }

    /// Records an amount unless a newer one is recorded; returns whether it did.
    pub(super) fn offer(&mut self, amount: ShownAmount, replaces_all: bool) -> bool {
        let key = |amount: &ShownAmount| (amount.block.number, amount.block.finalized);
        if !replaces_all && self.newest.is_some_and(|held| key(&held) > key(&amount)) {
            return false;
        }
        if amount.block.finalized {
            self.newest_final = Some(amount);
        }
        (self.newest, self.withdrawn, self.is_fresh) = (Some(amount), None, true);
        true
    }

    /// Withdraws the record, back to the finalized one, if the newest head excludes it.
    pub(super) fn review(&mut self, heads: &Heads) {
        let excluded = self.newest.filter(|held| !held.block.finalized && heads.exclude(&held.block));
        if let Some(excluded) = excluded {
            (self.newest, self.withdrawn) = (self.newest_final, Some(excluded.block));
        }
    }
}
