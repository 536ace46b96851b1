//! The light client: from a checkpoint to the newest head that a sync committee signed.
//!
//! Source: consensus-specs `altair/light-client/sync-protocol.md`. This client is stricter in one respect: it never accepts
//! an update that fewer than two thirds of the committee signed, not even for a forced update later.

mod adopt;
mod committee;
mod condensed;
mod contradiction;
mod error;
mod schedule;
mod snapshot;
mod state;
mod verify;

use std::sync::Arc;

use alloy_primitives::B256;

pub use adopt::AdoptError;
pub use condensed::{CommitteeField, CommitteeProof, CommitteeTrust, CondensedError, CondensedHeads};
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

/// What an update changed. All fields are unset if the update was valid but already known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// The final head is newer.
    pub finalized: bool,
    /// The newest signed head is newer.
    pub signed: bool,
    /// The committee of the next period has become known.
    pub next_committee: bool,
    /// The client has entered this period.
    pub period: Option<Period>,
}

impl LightClient {
    /// Starts from a checkpoint and the bootstrap that a source served for it.
    ///
    /// # Errors
    /// [`BootstrapError`] if the bootstrap is not of the checkpoint, does not prove its committee, or is too old.
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

    /// Verifies an update and applies it. A refused update changes nothing.
    ///
    /// A valid update without news is not an error: no field of [`Advanced`] is set then.
    ///
    /// # Errors
    /// [`AdvanceError`] if the update is refused. After [`AdvanceError::ConsensusFault`] the client has stopped, and
    /// returns the same error for every further update.
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

    /// Takes the head of the best pending update as final: the forced update of the spec.
    ///
    /// Without it, a chain that does not finalize for a whole period would leave the client behind. Two thirds of the
    /// committee signed the head, but the chain did not finalize it, so it is labelled [`Finality::Forced`]. The client
    /// never calls this itself. Returns what changed. Returns `None` if less than a period has passed or no update is
    /// pending. It also returns `None`, and drops the pending update, if that came from storage and its signature does
    /// not hold.
    pub fn force_update(&mut self, now: UnixTime) -> Option<Advanced> {
        let timeout = self.finalized.slot().saturating_add(self.network.slots_per_period());
        if self.fault.is_some() || self.network.slot_at(now)? <= timeout {
            return None;
        }
        let signed = self.best_valid_update.take()?;
        // The signature of an update from storage has not been checked yet.
        verify::stored_signature(self, &signed.update).ok()?;
        let aggregate = &signed.update.sync_aggregate;
        let finality = Finality::Forced { signers: aggregate.signers(), size: aggregate.size };
        Some(self.apply(&signed, Some(&signed.update.attested_header), finality))
    }

    /// Stops the client because the signed head does not descend from the final one. A caller that links the execution
    /// blocks of both can find that out. Does nothing if the client has stopped already or has no signed head.
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

    /// Applies a verified update, or keeps it for a forced update. Source: `process_light_client_update`.
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

    /// Whether the finalized header of a verified update is newer, or finalizes the committee that is still unknown.
    fn is_final_by(&self, update: &LightClientUpdate) -> bool {
        let brings_committee = self.next_sync_committee.is_none()
            && update.next_sync_committee.is_some()
            && update.finality.is_some()
            && self.network.period_at(update.finalized_slot())
                == self.network.period_at(update.attested_slot());
        update.finalized_slot() > self.finalized.slot() || brings_committee
    }

    /// Makes a verified header the final head. Source: `apply_light_client_update`.
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

    /// Returns the contradiction between a verified update and what the client knows, if there is one.
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
