//! One look at L1, and at the blocks that it vouches for.

use alloy_primitives::Address;
use futures_util::future::{Either, select};
use saldo_source::{Deadline, SortedSet};

use super::Rollup;
use crate::head::Synced;
use crate::proofs::Proofs;

impl Rollup {
    /// Reads the contracts under the newest final block of L1, if there is a newer one, and opens the blocks that L1 vouches for and
    /// that are needed.
    ///
    /// `recorded` has the games that recorded readings rest on: they are looked at again too.
    pub(crate) async fn sync(
        &self,
        proofs: &Proofs,
        recorded: SortedSet<Address>,
        deadline: Deadline,
    ) -> Synced {
        // A second call waits for the first, to save requests. Without its turn it changes nothing: what the first one reads may be newer.
        let longest_wait = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
        let turn = select(self.syncing.lock(), self.env.clock().sleep(longest_wait)).await;
        let Either::Left((_turn, _)) = turn else { return self.told(Vec::new()) };
        let attempts = match self.is_due() {
            true => self.ask_l1(&recorded, self.env.half(deadline)).await,
            false => Vec::new(),
        };
        let (generation, accepted) = self.accepted();
        let recorded: Vec<Address> = recorded.into_iter().collect();
        self.open((generation, &recorded), &accepted, proofs, deadline).await;
        self.told(attempts)
    }
}
