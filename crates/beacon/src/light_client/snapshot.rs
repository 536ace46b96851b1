//! A light client as bytes, to go on from after a restart.
//!
//! # What is checked again, and what cannot be
//! [`LightClient::load`] checks the version, the network, a SHA-256 over the whole, the age of the final head against weak
//! subjectivity, the committees by their branches under the headers that are stored with them, the final head by its
//! branch under the block that was signed, and the signature over the newest head by the stored committee. That of an
//! update that is pending is checked when [`LightClient::force_update`] would apply it.
//!
//! The signatures by which the client came here are gone with the committees that gave them. So a snapshot is as trusted
//! as a checkpoint: whoever can write it can plant a committee of his own, and everything after follows from that. It
//! belongs into the app's private storage, as keys do, and never comes from a server. The checksum finds accidents, not
//! an attacker.
//!
//! An older snapshot that is put back is found out by nothing but its age, and gives no wrong answer: only old heads,
//! until newer ones are fetched. A [`ConsensusFault`] is kept, so that storing and loading does not launder it.

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
    /// The most bytes of a snapshot that are read. One of mainnet has about 57,000, and with a pending update that brings a
    /// committee about 83,000.
    pub const MAX_SNAPSHOT_BYTES: usize = MAX_BYTES;

    /// Returns the client as bytes for [`LightClient::load`].
    ///
    /// It belongs into the app's private storage: a snapshot is as trusted as a checkpoint.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = write::client(self);
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// Goes on from a snapshot that [`LightClient::snapshot`] gave, at the present time `now`.
    ///
    /// A snapshot is as trusted as a checkpoint in the app's private storage: what can be is checked again, the
    /// signatures of the past cannot. A client that a [`ConsensusFault`](crate::ConsensusFault) had stopped is stopped
    /// again. A snapshot that is newer than the clock is loaded: it is the clock that is slow.
    ///
    /// # Errors
    /// [`SnapshotError`] if it is of another version or network, damaged, beyond weak subjectivity, or does not hold.
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
        // The first committee is the checkpoint's own; any later one was named by a block of the period before it.
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

    /// The newest head.
    fn check_signed(&self, signed: Arc<SignedUpdate>) -> Result<Signed, SnapshotError> {
        self.check_committee(&signed)?;
        let signing_root = verify::stored_signature(self, &signed.update).map_err(SnapshotError::Update)?;
        if signed.update.attested_slot() < self.finalized.slot() {
            return Err(SnapshotError::Malformed { what: "the signed head is older than the final one" });
        }
        Ok(Signed::new(signed, signing_root))
    }

    /// The update that is pending. Its signature is checked when it is to be applied, which hardly ever happens.
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

    /// An update, and that the committee that is said to have signed it is the one that is held.
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

/// What stands between the version and the checksum.
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

/// The final head, from what vouches for it.
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
