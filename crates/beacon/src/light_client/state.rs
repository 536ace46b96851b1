//! What a light client knows, and what it needs next. No method here changes the client.

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
/// It is built only from a checkpoint, and changed only by updates that were verified against its state. Cloning is
/// cheap.
#[derive(Clone, Debug)]
pub struct LightClient {
    pub(super) network: Arc<Network>,
    pub(super) origin: Origin,
    pub(super) finalized: FinalizedHead,
    /// The evidence for the final head.
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
    /// If [`LightClient::knows_committee_at`] is true for the present time, heads can be verified before these updates.
    Updates {
        /// The first period.
        start: Period,
        /// The number of periods, at most 128.
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

    /// Returns, for each fork version, the epochs of the verified heads, oldest first. The epoch of the checkpoint is
    /// included only if its state showed another fork than the table.
    ///
    /// If the table does not have the time of a fork, nothing else is known about that time.
    pub fn verified_forks(&self) -> &[VerifiedFork] {
        &self.verified_forks
    }

    /// Returns the checkpoint that trust started from.
    pub fn checkpoint(&self) -> &Checkpoint {
        self.origin.checkpoint()
    }

    /// Returns what trust started from, and who vouched for it.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the newest head that two thirds of the committee signed. `None` until the first update.
    pub fn signed_head(&self) -> Option<&SignedHead> {
        self.signed.as_ref().map(|signed| &signed.head)
    }

    /// Returns the newest head that counts as final. At first it is the checkpoint's block.
    pub fn finalized_head(&self) -> &FinalizedHead {
        &self.finalized
    }

    /// Returns the period of the final head. The committee of this period is known.
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

    /// Returns the committee that signs in the period of a slot, if it is known.
    pub(super) fn committee_at(&self, slot: Slot) -> Option<&Arc<ProvenCommittee>> {
        match self.network.period_at(slot).since(self.period()) {
            Some(0) => Some(&self.current_sync_committee),
            Some(1) => self.next_sync_committee.as_ref(),
            _ => None,
        }
    }
}
