//! The light client: from a checkpoint to the newest head that a sync committee signed.
//!
//! Source: consensus-specs `altair/light-client/sync-protocol.md`. Stricter than it in one respect: an update that
//! fewer than two thirds of the committee signed is never accepted, not even to be applied by force later.

mod error;
mod verify;

use std::sync::Arc;

pub use error::{AdvanceError, BootstrapError, ConsensusFault, Contradiction};

use crate::checkpoint::{Checkpoint, Origin};
use crate::container::SyncCommittee;
use crate::head::{Finality, FinalizedHead, SignedHead};
use crate::network::Network;
use crate::unit::{Period, Slot, UnixTime};
use crate::update::{LightClientBootstrap, LightClientHeader, LightClientUpdate};

/// What a light client knows: a final head, the newest signed head, and the committees of one or two periods.
///
/// Built from a checkpoint only, and moved only by updates that were verified against this very state. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct LightClient {
    network: Arc<Network>,
    origin: Origin,
    finalized: FinalizedHead,
    signed: Option<SignedHead>,
    current_sync_committee: Arc<SyncCommittee>,
    next_sync_committee: Option<Arc<SyncCommittee>>,
    best_valid_update: Option<Arc<LightClientUpdate>>,
    fault: Option<ConsensusFault>,
}

/// What an update moved. Nothing at all if it was valid and already known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// The final head moved.
    pub finalized: bool,
    /// The newest signed head moved.
    pub signed: bool,
    /// The committee of the next period became known.
    pub next_committee: bool,
    /// The client entered this period.
    pub period: Option<Period>,
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
    /// Starts from a checkpoint and the bootstrap that some source served for it.
    ///
    /// # Errors
    /// [`BootstrapError`] if the bootstrap is not the checkpoint's, does not prove its committee, or is too old.
    pub fn bootstrap(
        network: impl Into<Arc<Network>>,
        origin: impl Into<Origin>,
        bootstrap: LightClientBootstrap,
        now: UnixTime,
    ) -> Result<Self, BootstrapError> {
        let (network, origin) = (network.into(), origin.into());
        verify::bootstrap(&network, origin.checkpoint(), &bootstrap, now)?;
        Ok(Self {
            network,
            origin,
            finalized: FinalizedHead::new(&bootstrap.header, Finality::Checkpoint),
            signed: None,
            current_sync_committee: Arc::new(bootstrap.current_sync_committee),
            next_sync_committee: None,
            best_valid_update: None,
            fault: None,
        })
    }

    /// Verifies an update and applies it; if it is refused, nothing changes.
    ///
    /// A valid update that brings nothing new is no error: [`Advanced`] then says that nothing moved.
    ///
    /// # Errors
    /// [`AdvanceError`] if it is refused. After [`AdvanceError::ConsensusFault`] the client has stopped and gives the
    /// same error for every further update.
    pub fn advance(&mut self, update: LightClientUpdate, now: UnixTime) -> Result<Advanced, AdvanceError> {
        if let Some(fault) = self.fault {
            return Err(fault.into());
        }
        verify::update(self, &update, now)?;
        if let Some(fault) = self.contradiction(&update) {
            tracing::error!(slot = %fault.slot, "the sync committee signed a contradiction");
            self.fault = Some(fault);
            return Err(fault.into());
        }
        let advanced = self.process(update);
        tracing::debug!(finalized = %self.finalized.slot(), period = %self.period(), "light client advanced");
        Ok(advanced)
    }

    /// Takes the best update of a time without finality as final: the spec's forced update.
    ///
    /// Without it, a chain that does not finalize for a whole period leaves the client behind. What it installs is
    /// signed by two thirds of the committee but not final, and is labelled [`Finality::Forced`]. It is never called
    /// by the client itself. Returns what moved, or `None` if no update was pending or less than a period has passed.
    pub fn force_update(&mut self, now: UnixTime) -> Option<Advanced> {
        let timeout = self.finalized.slot().saturating_add(self.network.slots_per_period());
        if self.fault.is_some() || self.network.slot_at(now)? <= timeout {
            return None;
        }
        let update = self.best_valid_update.take()?;
        let finality =
            Finality::Forced { signers: update.sync_aggregate.signers(), size: update.sync_aggregate.size };
        Some(self.apply(&update, Some(&update.attested_header), finality))
    }

    /// Returns the network.
    pub fn network(&self) -> &Network {
        &self.network
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
        self.signed.as_ref()
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

    /// The committee that signs in the period of a slot, if it is known.
    fn committee_at(&self, slot: Slot) -> Option<&Arc<SyncCommittee>> {
        match self.network.period_at(slot).since(self.period()) {
            Some(0) => Some(&self.current_sync_committee),
            Some(1) => self.next_sync_committee.as_ref(),
            _ => None,
        }
    }

    /// Source: `process_light_client_update`.
    fn process(&mut self, update: LightClientUpdate) -> Advanced {
        let mut signed = false;
        let newest =
            self.signed.as_ref().map_or(self.finalized.slot(), SignedHead::slot).max(self.finalized.slot());
        let (signers, size) = (update.sync_aggregate.signers(), update.sync_aggregate.size);
        if update.attested_slot() > newest {
            self.signed =
                Some(SignedHead::new(&update.attested_header, signers, size, update.signature_slot));
            signed = true;
        }

        if !self.is_final_by(&update) {
            let best = self.best_valid_update.as_ref();
            if best.is_none_or(|best| update.is_better_than(best, &self.network)) {
                self.best_valid_update = Some(Arc::new(update));
            }
            return Advanced { signed, ..Advanced::default() };
        }
        self.best_valid_update = None;
        let finality = Finality::Signed { signers, size };
        Advanced { signed, ..self.apply(&update, update.finalized_header(), finality) }
    }

    /// Whether a verified update's finalized header is newer, or finalizes the committee that is still unknown.
    fn is_final_by(&self, update: &LightClientUpdate) -> bool {
        let brings_committee = self.next_sync_committee.is_none()
            && update.next_sync_committee.is_some()
            && update.finality.is_some()
            && self.network.period_at(update.finalized_slot())
                == self.network.period_at(update.attested_slot());
        update.finalized_slot() > self.finalized.slot() || brings_committee
    }

    /// Source: `apply_light_client_update`.
    fn apply(
        &mut self,
        update: &LightClientUpdate,
        finalized: Option<&LightClientHeader>,
        finality: Finality,
    ) -> Advanced {
        let mut advanced = Advanced::default();
        let next = update.next_sync_committee.as_ref().map(|next| Arc::new(next.committee.clone()));
        let slot = finalized.map_or(Slot::new(0), |header| header.beacon.slot);
        let period = self.network.period_at(slot);
        match (&self.next_sync_committee, period.since(self.period())) {
            (None, Some(0)) => {
                advanced.next_committee = next.is_some();
                self.next_sync_committee = next;
            }
            (Some(entered), Some(1)) => {
                self.current_sync_committee = Arc::clone(entered);
                advanced.next_committee = next.is_some();
                advanced.period = Some(period);
                self.next_sync_committee = next;
            }
            _ => {}
        }
        if let Some(header) = finalized.filter(|_| slot > self.finalized.slot()) {
            self.finalized = FinalizedHead::new(header, finality);
            advanced.finalized = true;
        }
        advanced
    }

    /// Two different headers at one slot, the same committee behind both.
    fn contradiction(&self, update: &LightClientUpdate) -> Option<ConsensusFault> {
        let finalized = update.finalized_header().map(|header| {
            (Contradiction::Finalized, header, self.finalized.slot(), self.finalized.beacon_root())
        });
        let signed = self
            .signed
            .as_ref()
            .map(|head| (Contradiction::Signed, &update.attested_header, head.slot(), head.beacon_root()));
        finalized.into_iter().chain(signed).find_map(|(contradiction, header, slot, held)| {
            let other = header.beacon.hash_tree_root();
            let conflicts = header.beacon.slot == slot && other != held;
            conflicts.then_some(ConsensusFault { contradiction, slot, roots: [held, other] })
        })
    }
}
