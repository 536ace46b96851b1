//! One look at L1, and at the blocks that it vouches for.

use std::time::Duration;

use alloy_primitives::Address;
use futures_util::future::{Either, select};
use saldo_chain::ExecutionHeader;
use saldo_source::{Deadline, SortedSet};

use super::Rollup;
use crate::head::Synced;
use crate::proofs::Proofs;

/// What the recorded readings of a rollup rest on.
pub(crate) struct Recorded {
    /// Their games, which are looked at again.
    pub(crate) games: SortedSet<Address>,
    /// The blocks of readings that are restored from the storage, newest first. L1 can vouch for them again.
    pub(crate) remembered: Vec<ExecutionHeader>,
}

impl Rollup {
    /// How long it is waited, under one final block of L1, until it is tried again to link the blocks of restored readings.
    const UNTIL_NEXT_TRY: Duration = Duration::from_secs(60);

    /// Reads the contracts under the newest final block of L1, if there is a newer one, and opens the blocks that L1 vouches for and
    /// that are needed.
    pub(crate) async fn sync(&self, proofs: &Proofs, recorded: Recorded, deadline: Deadline) -> Synced {
        // A second call waits for the first, to save requests. Without its turn it changes nothing: what the first one reads may be newer.
        let longest_wait = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
        let turn = select(self.syncing.lock(), self.env.clock().sleep(longest_wait)).await;
        let Either::Left((_turn, _)) = turn else { return self.told(Vec::new()) };
        let attempts = match self.is_due() {
            true => self.ask_l1(&recorded.games, proofs, self.env.half(deadline)).await,
            false => Vec::new(),
        };
        let (generation, accepted) = self.accepted();
        let games: Vec<Address> = recorded.games.into_iter().collect();
        let is_useful = !recorded.remembered.is_empty() && !accepted.is_empty() && self.may_try();
        let remembered = if is_useful { recorded.remembered } else { Vec::new() };
        self.open((generation, &games), &accepted, remembered, proofs, deadline).await;
        self.told(attempts)
    }

    /// Whether it may be tried to link the blocks of restored readings. Notes the try.
    fn may_try(&self) -> bool {
        let now = self.env.clock().monotonic();
        let mut state = self.state();
        let Some(block) = state.read_at else { return false };
        let is_recent =
            |at: Duration| now.checked_sub(at).is_some_and(|passed| passed < Self::UNTIL_NEXT_TRY);
        if state.tried.is_some_and(|(under, at)| under == block && is_recent(at)) {
            return false;
        }
        state.tried = Some((block, now));
        true
    }
}
