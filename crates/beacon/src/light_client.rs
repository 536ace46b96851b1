//! The light client: from a checkpoint to the newest head that a sync committee signed.
//!
//! Source: consensus-specs `altair/light-client/sync-protocol.md`. Stricter than it in one respect: an update that
//! fewer than two thirds of the committee signed is never accepted, not even to be applied by force later.

mod adopt;
mod committee;
mod contradiction;
mod error;
mod schedule;
mod snapshot;
mod state;
mod verify;

use std::sync::Arc;

use alloy_primitives::B256;

pub use adopt::AdoptError;
pub use contradiction::{ConsensusFault, Contradiction, SignedUpdate, Testimony};
pub use error::{AdvanceError, BootstrapError};
pub use schedule::VerifiedFork;
pub use snapshot::SnapshotError;
pub use state::{LightClient, Wants};

use committee::ProvenCommittee;
use contradiction::{Held, evidence};
use schedule::Schedule;
use state::Signed;
use verify::Verdict;

use crate::checkpoint::Origin;
use crate::head::{Finality, FinalizedHead, SignedHead};
use crate::network::Network;
use crate::unit::{Period, Slot, UnixTime};
use crate::update::{LightClientBootstrap, LightClientHeader, LightClientUpdate};

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
        let verified_forks = verify::bootstrap(&network, origin.checkpoint(), &bootstrap, now)?;
        Ok(Self {
            network,
            origin,
            finalized: FinalizedHead::new(&bootstrap.header, Finality::Checkpoint),
            finalized_by: Testimony::Checkpoint(bootstrap.header.clone()),
            signed: None,
            current_sync_committee: ProvenCommittee::of_bootstrap(bootstrap),
            next_sync_committee: None,
            best_valid_update: None,
            verified_forks,
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
        if let Some(fault) = &self.fault {
            return Err(fault.clone().into());
        }
        let Verdict { committee_root, signing_root, next_committee_root, verified_forks } =
            verify::update(self, &update, now)?;
        let period = self.network.period_at(update.signature_slot);
        let schedule = Schedule { network: &self.network, verified: &verified_forks };
        let update = schedule.without_unsettled(update);
        let update = Arc::new(SignedUpdate { update, period, committee_root, next_committee_root });
        if let Some(fault) = self.contradiction(&update) {
            self.fault = Some(fault.clone());
            return Err(fault.into());
        }
        self.verified_forks = verified_forks;
        Ok(self.process(update, signing_root))
    }

    /// Takes the best update of a time without finality as final: the spec's forced update.
    ///
    /// Without it, a chain that does not finalize for a whole period leaves the client behind. What it installs is
    /// signed by two thirds of the committee but not final, and is labelled [`Finality::Forced`]. It is never called
    /// by the client itself. Returns what moved, or `None` if less than a period has passed, or no update was pending, or the one
    /// that was pending came out of storage and nobody signed it: then it is given up.
    pub fn force_update(&mut self, now: UnixTime) -> Option<Advanced> {
        let timeout = self.finalized.slot().saturating_add(self.network.slots_per_period());
        if self.fault.is_some() || self.network.slot_at(now)? <= timeout {
            return None;
        }
        let signed = self.best_valid_update.take()?;
        // One that came out of storage was not checked there.
        verify::stored_signature(self, &signed.update).ok()?;
        let aggregate = &signed.update.sync_aggregate;
        let finality = Finality::Forced { signers: aggregate.signers(), size: aggregate.size };
        Some(self.apply(&signed, Some(&signed.update.attested_header), finality))
    }

    /// Stops the client because the signed head does not descend from the final one, which whoever links their execution
    /// blocks can see. Does nothing if it has stopped already, or has no signed head.
    pub fn stop_for_reverted_finality(&mut self) {
        let Some(Signed { head, by, .. }) = self.signed.as_ref().filter(|_| self.fault.is_none()) else {
            return;
        };
        let (slot, roots) = (head.slot(), [self.finalized.beacon_root(), head.beacon_root()]);
        let evidence = evidence(&self.finalized_by, by);
        let genesis_validators_root = self.network.genesis_validators_root();
        let contradiction = Contradiction::Reverted;
        self.fault = Some(ConsensusFault { contradiction, slot, roots, genesis_validators_root, evidence });
    }

    /// Source: `process_light_client_update`.
    fn process(&mut self, signed_update: Arc<SignedUpdate>, signing_root: B256) -> Advanced {
        let update = &signed_update.update;
        let finalized = self.finalized.slot();
        let newest = self.signed_head().map_or(finalized, SignedHead::slot).max(finalized);
        let (signers, size) = (update.sync_aggregate.signers(), update.sync_aggregate.size);
        let signed = update.attested_slot() > newest;
        if signed {
            self.signed = Some(Signed::new(Arc::clone(&signed_update), signing_root));
        }

        if !self.is_final_by(update) {
            let best = self.best_valid_update.as_ref();
            if best.is_none_or(|best| update.is_better_than(&best.update, &self.network)) {
                self.best_valid_update = Some(signed_update);
            }
            return Advanced { signed, ..Advanced::default() };
        }
        self.best_valid_update = None;
        let finality = Finality::Signed { signers, size };
        Advanced { signed, ..self.apply(&signed_update, update.finalized_header(), finality) }
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
        signed_update: &Arc<SignedUpdate>,
        finalized: Option<&LightClientHeader>,
        finality: Finality,
    ) -> Advanced {
        let mut advanced = Advanced::default();
        let next = ProvenCommittee::of_update(signed_update);
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
            self.finalized_by = Testimony::Signed(Arc::clone(signed_update));
            advanced.finalized = true;
        }
        advanced
    }

    /// What of a verified update cannot be true beside what is held.
    fn contradiction(&self, update: &Arc<SignedUpdate>) -> Option<ConsensusFault> {
        let (attested, finalized) = (&update.update.attested_header, update.update.finalized_header());
        let fault = |held: &Held<'_>, contradiction, header| {
            held.against(contradiction, header, update, self.network.genesis_validators_root())
        };
        let held = self.held_final();
        if let Some(header) = finalized.filter(|header| held.is_contradicted_by(header)) {
            return Some(fault(&held, Contradiction::Finalized, header));
        }
        if let Some(Signed { head, by, .. }) = &self.signed {
            let testimony = &Testimony::Signed(Arc::clone(by));
            let held = Held { slot: head.slot(), root: head.beacon_root(), testimony };
            if held.is_contradicted_by(attested) {
                return Some(fault(&held, Contradiction::Signed, attested));
            }
        }
        None
    }

    fn held_final(&self) -> Held<'_> {
        let (slot, root) = (self.finalized.slot(), self.finalized.beacon_root());
        Held { slot, root, testimony: &self.finalized_by }
    }
}
