//! The games that were only proposed, and whose claims pending proofs wait for.
//!
//! Where a claim counts after days, its game is none of the newest by then. So it is remembered, and looked at again when it can count.

use std::time::Duration;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_chain::Level;
use saldo_chain::rollup::{GameCode, GameKind, Proposed, WhyProposed};
use saldo_source::SortedSet;

use super::Rollup;
use super::contracts::Outcome;
use crate::proofs::Proofs;

impl Rollup {
    /// The games that pending proofs wait for and that can count at the time `l1` of L1.
    pub(super) fn waiting(&self, proofs: &Proofs, l1: UnixTime) -> SortedSet<Address> {
        let waiting = proofs.claims();
        let mut state = self.state();
        state.not_before.retain(|game, _| waiting.contains(game));
        let may_count =
            |game: &Address| state.not_before.get(game).is_none_or(|not_before| l1.as_secs() >= *not_before);
        waiting.into_iter().filter(may_count).collect()
    }

    /// Notes which claims may count later, and which will never.
    pub(super) fn note_claims(&self, outcome: &Outcome, l1: UnixTime, proofs: &Proofs) {
        for proposed in &outcome.proposed {
            if let Some(number) = self.block_of(proposed) {
                proofs.note_claim(proposed.game(), number, Self::MOST_LINKS);
            }
            let not_before = match proposed.why() {
                WhyProposed::InProgress => l1.as_secs().saturating_add(outcome.delay),
                WhyProposed::DelayNotOver { until } => until,
                _ => l1.as_secs(),
            };
            self.state().not_before.insert(proposed.game(), not_before);
        }
        outcome.refused.iter().for_each(|(game, _)| proofs.drop_claim(*game));
    }

    /// How much time may lie between two proofs, so that a claim reaches one of them. `None` where it does not matter: a claim has many
    /// roots, or the wallet does not ask for what counts after days.
    pub(crate) fn reach(&self) -> Option<Duration> {
        /// For the time that a request takes.
        const MARGIN: Duration = Duration::from_secs(60);
        let has_one_root = |code: &GameCode| !matches!(code.kind, GameKind::Multiproof { .. });
        let is_needed = self.env.policy.assurance == Level::L1Finalized
            && self.profile.game_codes().iter().any(has_one_root);
        let reach = Duration::from_secs(self.profile.block_time()?.saturating_mul(Self::MOST_LINKS));
        is_needed.then(|| reach.saturating_sub(MARGIN).max(MARGIN))
    }

    /// The number of the block that the claim is about.
    fn block_of(&self, proposed: &Proposed) -> Option<u64> {
        proposed.block_number().or_else(|| self.profile.block_at(proposed.time()?))
    }
}
