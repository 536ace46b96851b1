//! A contradiction that the sync committee signed, and the evidence for it.
//!
//! The signatures are over blocks, so two blocks at one slot that both have two thirds mean that a third of the
//! committee signed both. The slots of the two signatures may differ, and that excuses nothing here: nobody signs that
//! slot, so it is whatever the source says it is.

mod json;

use core::fmt;
use std::sync::Arc;

use alloy_primitives::B256;

use crate::unit::{Period, Slot};
use crate::update::{LightClientHeader, LightClientUpdate};

/// Two different blocks, each vouched for by two thirds of a sync committee, of which only one can be of the chain.
///
/// No reading from this chain can be proven any more: show both roots, keep [`ConsensusFault::to_json`], and start again
/// from a checkpoint that many agree on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("consensus fault: two {contradiction} blocks at slot {slot}: {} and {}", .roots[0], .roots[1])]
pub struct ConsensusFault {
    pub(super) contradiction: Contradiction,
    pub(super) slot: Slot,
    pub(super) roots: [B256; 2],
    pub(super) genesis_validators_root: B256,
    pub(super) evidence: Arc<[Testimony; 2]>,
}

/// What two contradictory blocks are said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contradiction {
    /// Both final, at one slot; the first may be the checkpoint.
    Finalized,
    /// Both signed as the head, at one slot.
    Signed,
    /// The first is final, and the second, signed as the head of a later slot, does not descend from it, as whoever linked
    /// their execution blocks found.
    Reverted,
}

/// What vouches for a block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Testimony {
    /// It is the checkpoint that trust started from.
    Checkpoint(LightClientHeader),
    /// The sync committee signed an update for it.
    Signed(Arc<SignedUpdate>),
}

/// An update that was verified, with the committee that signed it: enough for anybody to check the signature, who has the
/// committee's keys from anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUpdate {
    pub(super) update: LightClientUpdate,
    pub(super) period: Period,
    pub(super) committee_root: B256,
    /// The hash tree root of its next committee, if that has been computed.
    pub(super) next_committee_root: Option<B256>,
}

impl ConsensusFault {
    /// Returns what the two blocks are said to be.
    pub fn contradiction(&self) -> Contradiction {
        self.contradiction
    }

    /// Returns their slot; that of the second block if the two differ.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns their roots; first the one that the client held.
    pub fn roots(&self) -> [B256; 2] {
        self.roots
    }

    /// Returns what vouches for each of them, in the same order.
    pub fn evidence(&self) -> &[Testimony; 2] {
        &self.evidence
    }
}

impl SignedUpdate {
    /// Returns the update.
    pub fn update(&self) -> &LightClientUpdate {
        &self.update
    }

    /// Returns the period of the committee that signed it.
    pub fn sync_committee_period(&self) -> Period {
        self.period
    }

    /// Returns the hash tree root of that committee.
    pub fn sync_committee_root(&self) -> B256 {
        self.committee_root
    }
}

impl Testimony {
    /// Without the next committee, which no contradiction is about and which is most of an update.
    fn condensed(&self) -> Self {
        match self {
            Self::Signed(signed) if signed.update.next_sync_committee.is_some() => {
                let update = LightClientUpdate { next_sync_committee: None, ..signed.update.clone() };
                Self::Signed(Arc::new(SignedUpdate { update, next_committee_root: None, ..**signed }))
            }
            _ => self.clone(),
        }
    }
}

/// What vouches for the block that was held, and for the one that contradicts it.
pub(super) fn evidence(held: &Testimony, other: &Arc<SignedUpdate>) -> Arc<[Testimony; 2]> {
    Arc::new([held.condensed(), Testimony::Signed(Arc::clone(other)).condensed()])
}

/// What a new block would contradict, held beside the words for it.
pub(super) struct Held<'a> {
    pub(super) slot: Slot,
    pub(super) root: B256,
    pub(super) testimony: &'a Testimony,
}

impl Held<'_> {
    /// The fault that `header`, which `update` vouches for, makes beside the held block.
    pub(super) fn against(
        &self,
        contradiction: Contradiction,
        header: &LightClientHeader,
        update: &Arc<SignedUpdate>,
        genesis_validators_root: B256,
    ) -> ConsensusFault {
        ConsensusFault {
            contradiction,
            slot: header.beacon.slot,
            roots: [self.root, header.beacon.hash_tree_root()],
            genesis_validators_root,
            evidence: evidence(self.testimony, update),
        }
    }

    /// Whether `header` is of the same slot and yet another block.
    pub(super) fn is_contradicted_by(&self, header: &LightClientHeader) -> bool {
        header.beacon.slot == self.slot && header.beacon.hash_tree_root() != self.root
    }
}

/// Names the block and the committee; the keys and branches would fill pages.
impl fmt::Debug for SignedUpdate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SignedUpdate")
            .field("attested_slot", &self.update.attested_slot())
            .field("attested_root", &self.update.attested_header.beacon.hash_tree_root())
            .field("signature_slot", &self.update.signature_slot)
            .field("committee_root", &self.committee_root)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Finalized => "finalized",
            Self::Signed => "signed",
            Self::Reverted => "contradicting",
        })
    }
}
