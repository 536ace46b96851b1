//! A light client as bytes, to continue from after a restart.
//!
//! # What is checked again, and what cannot be
//! [`LightClient::load`] checks:
//! - the version, the network, and a SHA-256 over all bytes;
//! - that the final head is not older than the weak subjectivity period;
//! - the committees, by their branches under the headers that are stored with them;
//! - the final head, by its branch under the signed block;
//! - the signature over the newest head, with the stored committee.
//!
//! The signature of a pending update is checked when [`LightClient::force_update`] would apply it.
//!
//! Earlier signatures cannot be checked again, because the committees that made them are not stored. So a snapshot must
//! be trusted like a checkpoint: an attacker who can write it can insert a false committee, and all later heads follow
//! from that. It belongs in the app's private storage, as keys do, and must never come from a server. The checksum
//! detects accidents, not an attacker.
//!
//! If an older snapshot is put back, only its age shows that. It gives no wrong answer, only old heads until newer ones
//! are fetched. A [`ConsensusFault`](crate::ConsensusFault) is stored too, so that a restart does not remove it.

mod error;
mod layout;
mod read;
mod write;

use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use error::SnapshotError;

use super::adopt::AdoptError;
use super::committee::{Place, ProvenCommittee};
use super::contradiction::{SignedUpdate, Testimony};
use super::error::AdvanceError;
use super::schedule::Schedule;
use super::state::{LightClient, Signed};
use super::verify;
use crate::head::{Finality, FinalizedHead};
use crate::network::Network;
use crate::unit::{Slot, UnixTime};
use layout::{CHECKSUM, MAGIC, MAX_BYTES, VERSION};
use read::Parts;

impl LightClient {
    /// The most bytes of a snapshot that are read. A snapshot of mainnet has about 57,000 bytes, or about 83,000 with a
    /// pending update that has a committee.
    pub const MAX_SNAPSHOT_BYTES: usize = MAX_BYTES;

    /// Returns the client as bytes for [`LightClient::load`].
    ///
    /// Keep it in the app's private storage: a snapshot must be trusted like a checkpoint.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = write::client(self);
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// Continues from a snapshot that [`LightClient::snapshot`] returned, at the present time `now`.
    ///
    /// A snapshot must be trusted like a checkpoint: the signatures of the past cannot be checked again. A client that a
    /// [`ConsensusFault`](crate::ConsensusFault) had stopped is stopped again. A snapshot that is newer than the clock is
    /// loaded, because then the clock is slow.
    ///
    /// # Errors
    /// [`SnapshotError`] if the snapshot is of another version or network, damaged, too old, or its proofs do not hold.
    pub fn load(
        bytes: &[u8],
        network: impl Into<Arc<Network>>,
        now: UnixTime,
    ) -> Result<Self, SnapshotError> {
        let network = network.into();
        let parts = read::client(body(bytes)?, &network)?;
        let client = Self::of_parts(parts, network)?;
        client.check_age(now)?;
        Ok(client)
    }

    fn of_parts(parts: Parts, network: Arc<Network>) -> Result<Self, SnapshotError> {
        let schedule = Schedule { network: &network, verified: &parts.verified_forks };
        if let Some(verified) = schedule.contradiction() {
            return Err(SnapshotError::Schedule(AdoptError::Contradiction { verified }));
        }
        let finalized = finalized_head(&parts, schedule)?;
        let mut client = Self {
            origin: parts.origin,
            finalized_by: parts.finalized_by,
            signed: None,
            current_sync_committee: parts.current_sync_committee,
            next_sync_committee: parts.next_sync_committee,
            best_valid_update: parts.best_valid_update,
            verified_forks: parts.verified_forks,
            fault: parts.fault,
            finalized,
            network,
        };
        client.check_committees()?;
        client.check_pending()?;
        client.signed = parts.signed.map(|signed| client.check_signed(signed)).transpose()?;
        Ok(client)
    }

    fn check_committees(&self) -> Result<(), SnapshotError> {
        let period = self.period();
        let next = self.next_sync_committee.as_ref().map(|next| (next, period.saturating_add(1)));
        let of_periods = [Some((&self.current_sync_committee, period)), next];
        // The checkpoint's own state names the first committee. A block of the period before names every later one.
        let current = &self.current_sync_committee;
        let checkpoint = self.origin.checkpoint().root;
        if current.place == Place::Current && current.header.hash_tree_root() != checkpoint {
            return Err(SnapshotError::Committee { period });
        }
        let unproven = of_periods
            .into_iter()
            .flatten()
            .find(|(known, period)| !known.is_proven(self.schedule(), *period));
        unproven.map_or(Ok(()), |(_, period)| Err(SnapshotError::Committee { period }))
    }

    /// Checks the newest signed head.
    fn check_signed(&self, signed: Arc<SignedUpdate>) -> Result<Signed, SnapshotError> {
        self.check_committee(&signed)?;
        let signing_root = verify::stored_signature(self, &signed.update).map_err(SnapshotError::Update)?;
        if signed.update.attested_slot() < self.finalized.slot() {
            return Err(SnapshotError::Malformed { what: "the signed head is older than the final one" });
        }
        Ok(Signed::new(signed, signing_root))
    }

    /// Checks the pending update. Its signature is checked only when it is applied, which is rare.
    fn check_pending(&self) -> Result<(), SnapshotError> {
        let Some(pending) = &self.best_valid_update else { return Ok(()) };
        self.check_committee(pending)?;
        let Some(next) = ProvenCommittee::of_update(pending) else { return Ok(()) };
        let period = self.network.period_at(next.header.slot).saturating_add(1);
        if !next.is_proven(self.schedule(), period) {
            return Err(SnapshotError::Committee { period });
        }
        Ok(())
    }

    /// Checks an update, and that the stored committee is the one that is said to have signed it.
    fn check_committee(&self, stored: &SignedUpdate) -> Result<(), SnapshotError> {
        verify::stored(self.schedule(), &stored.update).map_err(SnapshotError::Update)?;
        let committee = verify::committee(self, &stored.update).map_err(SnapshotError::Update)?;
        if committee.root != stored.committee_root {
            return Err(SnapshotError::Committee { period: stored.period });
        }
        Ok(())
    }

    fn check_age(&self, now: UnixTime) -> Result<(), SnapshotError> {
        let present = self.network.slot_at(now).unwrap_or(Slot::new(0));
        let finalized = self.network.epoch_at(self.finalized.slot());
        let age_epochs = self.network.epoch_at(present).since(finalized).unwrap_or(0);
        let limit_epochs =
            self.schedule().max_checkpoint_age_between(finalized, self.network.epoch_at(present));
        if age_epochs > limit_epochs {
            return Err(SnapshotError::TooOld { age_epochs, limit_epochs });
        }
        Ok(())
    }
}

/// Returns the bytes between the version and the checksum.
fn body(bytes: &[u8]) -> Result<&[u8], SnapshotError> {
    if bytes.len() > MAX_BYTES {
        return Err(SnapshotError::TooLarge { got: bytes.len() });
    }
    let after_magic = bytes.strip_prefix(&MAGIC).ok_or(SnapshotError::NotASnapshot)?;
    let (version, after_version) = after_magic.split_first_chunk().ok_or(SnapshotError::Damaged)?;
    match u16::from_le_bytes(*version) {
        VERSION => {}
        got => return Err(SnapshotError::Version { got }),
    }
    let (body, checksum) = after_version.split_last_chunk::<CHECKSUM>().ok_or(SnapshotError::Damaged)?;
    let (summed, _) = bytes.split_last_chunk::<CHECKSUM>().ok_or(SnapshotError::Damaged)?;
    if Sha256::digest(summed)[..] != checksum[..] {
        return Err(SnapshotError::Damaged);
    }
    Ok(body)
}

/// Returns the final head, from the evidence for it.
fn finalized_head(parts: &Parts, schedule: Schedule<'_>) -> Result<FinalizedHead, SnapshotError> {
    let checkpoint = parts.origin.checkpoint();
    match &parts.finalized_by {
        Testimony::Checkpoint(header) => {
            let fork = schedule.fork_of_checkpoint(header.beacon.slot).map_err(AdvanceError::from);
            let is_proven = header.beacon.hash_tree_root() == checkpoint.root
                && checkpoint.slot.is_none_or(|slot| slot == header.beacon.slot)
                && header.is_valid(fork.map_err(SnapshotError::Update)?);
            if !is_proven || parts.is_forced {
                return Err(SnapshotError::FinalizedHead);
            }
            Ok(FinalizedHead::new(header, Finality::Checkpoint))
        }
        Testimony::Signed(signed) => {
            verify::stored(schedule, &signed.update).map_err(SnapshotError::Update)?;
            let aggregate = &signed.update.sync_aggregate;
            let (signers, size) = (aggregate.signers(), aggregate.size);
            if parts.is_forced {
                return Ok(FinalizedHead::new(
                    &signed.update.attested_header,
                    Finality::Forced { signers, size },
                ));
            }
            let header = signed.update.finalized_header().ok_or(SnapshotError::FinalizedHead)?;
            Ok(FinalizedHead::new(header, Finality::Signed { signers, size }))
        }
    }
}
