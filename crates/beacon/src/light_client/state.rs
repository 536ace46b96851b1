//! What a light client knows, and what it needs next. Nothing here changes it.

use std::sync::Arc;

use alloy_primitives::B256;

use super::committee::ProvenCommittee;
use super::contradiction::{ConsensusFault, SignedUpdate, Testimony};
use super::schedule::{Schedule, VerifiedFork};
use crate::checkpoint::{Checkpoint, Origin};
use crate::head::{FinalizedHead, SignedHead};
use crate::network::Network;
use crate::unit::{Period, Slot, UnixTime};

/// What a light client knows: a final head, the newest signed head, and the committees of one or two periods.
///
/// Built from a checkpoint only, and moved only by updates that were verified against this very state. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct LightClient {
    pub(super) network: Arc<Network>,
    pub(super) origin: Origin,
    pub(super) finalized: FinalizedHead,
    /// What vouches for the final head.
    pub(super) finalized_by: Testimony,
    pub(super) signed: Option<Signed>,
    pub(super) current_sync_committee: Arc<ProvenCommittee>,
    pub(super) next_sync_committee: Option<Arc<ProvenCommittee>>,
    pub(super) best_valid_update: Option<Arc<SignedUpdate>>,
    pub(super) verified_forks: Vec<VerifiedFork>,
    pub(super) fault: Option<ConsensusFault>,
}

/// The newest signed head, and the update whose signature was checked.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) head: SignedHead,
    pub(super) by: Arc<SignedUpdate>,
    /// What the committee signed.
    pub(super) signing_root: B256,
}

impl Signed {
    pub(super) fn new(by: Arc<SignedUpdate>, signing_root: B256) -> Self {
        let (update, aggregate) = (&by.update, &by.update.sync_aggregate);
        let (signers, size) = (aggregate.signers(), aggregate.size);
        let head = SignedHead::new(&update.attested_header, signers, size, update.signature_slot);
        Self { head, by, signing_root }
    }
}

/// What a light client needs next from its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// The updates of `count` periods from `start` on, in order.
    ///
    /// While [`LightClient::knows_committee_at`] the present time, heads can be verified as well and need not wait.
    Updates {
        /// The first period.
        start: Period,
        /// How many, at most 128.
        count: u64,
    },
    /// The newest finality update and optimistic update.
    Heads,
}

impl LightClient {
    /// Returns the network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Returns the epochs of the heads that were verified, by the version of their fork, oldest first. A checkpoint's is
    /// among them only if its state showed another fork than the table.
    ///
    /// Where the table does not have the time of a fork, this is all that is known about it.
    pub fn verified_forks(&self) -> &[VerifiedFork] {
        &self.verified_forks
    }

    /// Returns what trust started from.
    pub fn checkpoint(&self) -> &Checkpoint {
        self.origin.checkpoint()
    }

    /// Returns what trust started from, and on whose word.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the newest head that two thirds of the committee signed, or `None` right after the bootstrap.
    pub fn signed_head(&self) -> Option<&SignedHead> {
        self.signed.as_ref().map(|signed| &signed.head)
    }

    /// Returns the newest head that counts as final; at first the checkpoint's.
    pub fn finalized_head(&self) -> &FinalizedHead {
        &self.finalized
    }

    /// Returns the period of the final head, whose committee is known.
    pub fn period(&self) -> Period {
        self.network.period_at(self.finalized.slot())
    }

    /// Whether the committee of the period after [`LightClient::period`] is known.
    pub fn next_committee_known(&self) -> bool {
        self.next_sync_committee.is_some()
    }

    /// Whether heads signed at `now` can be verified.
    pub fn knows_committee_at(&self, now: UnixTime) -> bool {
        self.network.slot_at(now).is_some_and(|slot| self.committee_at(slot).is_some())
    }

    /// Returns the contradiction that stopped the client, if one did.
    pub fn consensus_fault(&self) -> Option<&ConsensusFault> {
        self.fault.as_ref()
    }

    /// Returns what to fetch next.
    pub fn wants(&self, now: UnixTime) -> Wants {
        const MOST: u64 = 128;
        let period = self.period();
        let present =
            self.network.slot_at(now).map_or(period, |slot| self.network.period_at(slot).max(period));
        let behind = present.since(period).unwrap_or(0);
        match (self.next_committee_known(), behind) {
            (true, 0 | 1) => Wants::Heads,
            (true, behind) => Wants::Updates { start: period.saturating_add(1), count: behind.min(MOST) },
            (false, behind) => Wants::Updates { start: period, count: behind.saturating_add(1).min(MOST) },
        }
    }

    pub(super) fn schedule(&self) -> Schedule<'_> {
        Schedule { network: &self.network, verified: &self.verified_forks }
    }

    /// The committee that signs in the period of a slot, if it is known.
    pub(super) fn committee_at(&self, slot: Slot) -> Option<&Arc<ProvenCommittee>> {
        match self.network.period_at(slot).since(self.period()) {
            Some(0) => Some(&self.current_sync_committee),
            Some(1) => self.next_sync_committee.as_ref(),
            _ => None,
        }
    }
}
