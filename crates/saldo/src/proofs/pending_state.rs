//! The pending proofs of a rollup, as they are stored and restored.

use std::cmp::Reverse;

use alloy_primitives::Address;
use saldo_reading::Now;
use saldo_source::{SortedSet, sort_by_key};

use super::Proofs;
use super::pending::{Came, PendingProof};
use super::target::{Checked, Shown};
use crate::store::{PendingKey, PendingRecord, RestoredPending, ShownPending};

impl Proofs {
    /// The pending proofs that are to be stored. None, if the network is no rollup.
    pub(crate) fn take_unwritten_pending(&self) -> Vec<PendingRecord> {
        let clock = self.env.clock();
        match self.head.is_of_rollup() {
            true => self.state().pending.take_unwritten(clock.monotonic(), clock.wall()),
            false => Vec::new(),
        }
    }

    /// Notes which pending proofs could not be stored.
    pub(crate) fn return_unwritten_pending(&self, keys: &[PendingKey]) {
        let mut state = self.state();
        keys.iter().for_each(|key| state.pending.mark_unwritten(key));
    }

    /// Whether a pending proof that is stored still waits. Restored ones that were not taken do not.
    pub(crate) fn is_pending(&self, key: &PendingKey) -> bool {
        self.head.is_of_rollup() && self.state().pending.is_kept(key)
    }

    /// Takes pending proofs of an earlier run, the newest first as long as there is room. They are only pending again: no level and no
    /// trust comes from the storage.
    ///
    /// Their age is by the device's clock. If it went back, proofs of the future are dropped, and the others as soon as it is right
    /// again ([`Proofs::drop_old_restored`]), or when they are old by it.
    pub(crate) fn restore_pending(&self, mut restored: Vec<RestoredPending>) {
        if !self.head.is_of_rollup() {
            return;
        }
        let clock = self.env.clock();
        let (wall, now) = (clock.wall(), clock.monotonic());
        sort_by_key(&mut restored, |restored| Reverse(restored.record.came));
        for RestoredPending { record, shown } in restored {
            let age = wall.saturating_sub(record.came);
            let is_of_future = record.came.saturating_sub(wall) > Now::TOLERANCE;
            if is_of_future || age > self.longest_pending() {
                continue;
            }
            let shown = match shown {
                ShownPending::Account(account) => Shown::Account(account),
                ShownPending::Token(balance) => Shown::Token(balance),
            };
            let proof = PendingProof {
                provider: record.provider,
                checked: Checked { shown, nodes: self.keeps_nodes.then_some(record.nodes) },
                above: None,
                came: Came::restored(now, age),
                is_written: true,
                claims: record.claims,
            };
            self.state().pending.restore(record.holding, proof, record.header);
        }
    }

    /// Notes that a game claims the block `number`, and keeps the proofs at most `reach` blocks below it that the claim may prove.
    pub(crate) fn note_claim(&self, game: Address, number: u64, reach: u64) {
        self.state().pending.note_claim((game, number), reach, self.longest_pending());
    }

    /// Notes that L1 will never count the claim of `game`.
    pub(crate) fn drop_claim(&self, game: Address) {
        self.state().pending.drop_claim(game);
    }

    /// The games whose claims pending proofs wait for.
    pub(crate) fn claims(&self) -> SortedSet<Address> {
        self.state().pending.claims()
    }

    /// Drops restored proofs whose block is older than they may wait by now. Their age may be wrong: the clock may have been wrong when
    /// they were restored.
    pub(crate) fn drop_old_restored(&self) {
        let (now, longest) = (self.head.now().time(), self.longest_pending());
        self.state().pending.drop_old_restored(|block| now.saturating_sub(block) > longest);
    }
}
