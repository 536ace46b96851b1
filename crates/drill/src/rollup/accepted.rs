//! What L1 had accepted at one of its blocks, by its own storage.

use alloy_primitives::{Address, B256, U256};

use super::contract::{PAUSES, registry};
use super::word::{field, last_u64, mapped, slot};
use super::{Rollup, RollupKind, place};

/// The status of a game that ended for the challenger, and for its claim.
const LOST: u64 = 1;
const WON: u64 = 2;

impl Rollup {
    /// The truth: whether L1 counts what a game claims, at its block of that hash. Of a game that checks proofs: a proof counts, and
    /// nothing took it back. Of another: it ended for its claim, and the time to challenge it is over.
    pub fn accepts(&self, game: Address, l1: B256) -> bool {
        let of_game = |key: B256| self.l1.storage_at_hash(l1, game, key).unwrap_or_default();
        let of_registry =
            |key| self.l1.storage_at_hash(l1, self.contracts.registry.address, key).unwrap_or_default();
        let status = of_game(slot(place::STATUS));
        let created_at = last_u64(status);
        let outcome = field(status, place::STATUS_AT, 1);
        let retired_until = field(of_registry(slot(registry::RESPECTED)), 4, 8);
        let is_blacklisted = !of_registry(mapped(game.into_word(), registry::BLACKLIST)).is_zero();
        if created_at <= retired_until || is_blacklisted || outcome == LOST || self.is_paused_at(l1) {
            return false;
        }
        match self.kind {
            RollupKind::Multiproof { .. } => {
                let is_countered = !of_game(slot(place::COUNTERED)).is_zero();
                let proofs = field(of_game(slot(place::PROOFS)), 8, 1);
                field(status, place::RESPECTED_AT, 1) == 1 && !is_countered && proofs > 0
            }
            RollupKind::Fault => {
                let over_at = field(status, place::RESOLVED_AT, 8).saturating_add(self.kind.finality_delay());
                let now = self.l1.block_of_hash(l1).map_or(0, |block| block.execution.timestamp);
                of_game(slot(place::RESPECTED)) == U256::from(1) && outcome == WON && now > over_at
            }
        }
    }

    fn is_paused_at(&self, l1: B256) -> bool {
        let key = mapped(self.contracts.pause_identifier.into_word(), PAUSES);
        let word = self.l1.storage_at_hash(l1, self.contracts.superchain_config.address, key);
        word.is_some_and(|moment| !moment.is_zero())
    }
}
