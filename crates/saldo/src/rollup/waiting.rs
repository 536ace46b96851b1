//! The games that were only proposed, and whose claims pending proofs wait for.
//!
//! Where a claim counts after days, its game is none of the newest by then. So it is remembered, and looked at again when it can count.

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_chain::rollup::{Profile, Proposed, WhyProposed};
use saldo_source::{SortedMap, SortedSet};

use super::contracts::Outcome;
use crate::proofs::Proofs;

/// The most headers that are linked from an accepted block to one at which a proof was taken. On Base at most 29 are needed.
pub(super) const MOST_LINKS: u64 = 240;

/// When the games can count that were only proposed.
#[derive(Default)]
pub(super) struct Waiting {
    /// The time of L1 before which each cannot count, in seconds since 1970.
    not_before: SortedMap<Address, u64>,
}

impl Waiting {
    /// The most games that are looked at under one block of L1, beside those that something rests on.
    const MOST: usize = 32;

    /// The games that pending proofs wait for and that can count at the time `l1` of L1. Forgets the others.
    pub(super) fn take_due(&mut self, proofs: &Proofs, l1: UnixTime) -> SortedSet<Address> {
        let waiting = proofs.claims();
        self.not_before.retain(|game, _| waiting.contains(game));
        let may_count =
            |game: &Address| self.not_before.get(game).is_none_or(|not_before| l1.as_secs() >= *not_before);
        waiting.into_iter().filter(may_count).take(Self::MOST).collect()
    }

    /// Notes which claims may count later, and which will never.
    pub(super) fn note(&mut self, outcome: &Outcome, l1: UnixTime, profile: &Profile, proofs: &Proofs) {
        for proposed in &outcome.proposed {
            if let Some(number) = block_of(proposed, profile) {
                proofs.note_claim(proposed.game(), number, MOST_LINKS);
            }
            let not_before = match proposed.why() {
                WhyProposed::InProgress => l1.as_secs().saturating_add(outcome.delay),
                WhyProposed::DelayNotOver { until } => until,
                _ => l1.as_secs(),
            };
            self.not_before.insert(proposed.game(), not_before);
        }
        outcome.refused.iter().for_each(|(game, _)| proofs.drop_claim(*game));
    }
}

/// The number of the block that the claim is about.
fn block_of(proposed: &Proposed, profile: &Profile) -> Option<u64> {
    proposed.block_number().or_else(|| profile.block_at(proposed.time()?))
}
