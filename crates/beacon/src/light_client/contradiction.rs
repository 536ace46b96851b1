//! A contradiction that the sync committee signed, and the evidence for it.
//!
//! A signature is over a block. If two blocks at one slot both have the signatures of two thirds, then a third of the
//! committee signed both. The slots of the two signatures may differ, but that is no excuse: the signatures do not cover
//! that slot, so a source can set it to any value.

mod json;

use core::fmt;
use std::sync::Arc;

use alloy_primitives::B256;

use crate::unit::{Period, Slot};
use crate::update::{LightClientHeader, LightClientUpdate};

/// Two different blocks of which only one can be on the chain, and each of which two thirds of a sync committee signed.
///
/// Readings of this chain can no longer be proven. Show both roots, keep [`ConsensusFault::to_json`], and start again
/// from a checkpoint that many sources agree on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("consensus fault: two {contradiction} blocks at slot {slot}: {} and {}", .roots[0], .roots[1])]
pub struct ConsensusFault {
    pub(super) contradiction: Contradiction,
    pub(super) slot: Slot,
    pub(super) roots: [B256; 2],
    pub(super) genesis_validators_root: B256,
    pub(super) evidence: Arc<[Testimony; 2]>,
}

/// How two blocks contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contradiction {
    /// Both are final, at one slot. The first may be the checkpoint.
    Finalized,
    /// Both are signed as the head, at one slot.
    Signed,
    /// The first is final. The second is signed as the head of a later slot, and does not descend from the first: a
    /// caller that linked their execution blocks found that.
    Reverted,
}

/// The evidence for a block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Testimony {
    /// The block is the checkpoint that trust started from.
    Checkpoint(LightClientHeader),
    /// The sync committee signed an update for it.
    Signed(Arc<SignedUpdate>),
}

/// A verified update, with the committee that signed it. With the committee's keys from any source, anyone can check the
/// signature.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUpdate {
    pub(super) update: LightClientUpdate,
    pub(super) period: Period,
    pub(super) committee_root: B256,
    /// The hash tree root of the next committee in the update, if it was computed.
    pub(super) next_committee_root: Option<B256>,
}

impl ConsensusFault {
    /// Returns how the two blocks contradict each other.
    pub fn contradiction(&self) -> Contradiction {
        self.contradiction
    }

    /// Returns the slot of both blocks, or the slot of the second block if the two differ.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns the roots of the two blocks, first that of the block that the client held.
    pub fn roots(&self) -> [B256; 2] {
        self.roots
    }

    /// Returns the evidence for each block, in the same order.
    pub fn evidence(&self) -> &[Testimony; 2] {
        &self.evidence
    }
}

impl SignedUpdate {
    /// Returns the update.
    pub fn update(&self) -> &LightClientUpdate {
        &self.update
    }

    /// Returns the period of the committee that signed the update.
    pub fn sync_committee_period(&self) -> Period {
        self.period
    }

    /// Returns the hash tree root of that committee.
    pub fn sync_committee_root(&self) -> B256 {
        self.committee_root
    }
}

impl Testimony {
    /// Returns the same without the next committee. It is most of an update, and no contradiction is about it.
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

/// Returns the evidence for the held block and for the block that contradicts it.
pub(super) fn evidence(held: &Testimony, other: &Arc<SignedUpdate>) -> Arc<[Testimony; 2]> {
    Arc::new([held.condensed(), Testimony::Signed(Arc::clone(other)).condensed()])
}

/// A block that the client holds, and the evidence for it. A new block may contradict it.
pub(super) struct Held<'a> {
    pub(super) slot: Slot,
    pub(super) root: B256,
    pub(super) testimony: &'a Testimony,
}

impl Held<'_> {
    /// Makes the fault from the held block and the contradicting `header`, for which `update` is the evidence.
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

    /// Whether `header` is another block of the same slot.
    pub(super) fn is_contradicted_by(&self, header: &LightClientHeader) -> bool {
        header.beacon.slot == self.slot && header.beacon.hash_tree_root() != self.root
    }
}

/// Writes the block and the committee, without the keys and branches, which would fill pages.
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
