//! The heads that a light client has verified. Only [`LightClient`](crate::LightClient) makes them.

use alloy_primitives::B256;

use crate::unit::Slot;
use crate::update::{Execution, LightClientHeader};

/// A head that at least two thirds of the sync committee signed. A reorganisation can still remove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    slot: Slot,
    beacon_root: B256,
    execution: Execution,
    signers: usize,
    committee_size: usize,
    signature_slot: Slot,
}

impl SignedHead {
    /// Makes the head from a header whose signature was checked.
    pub(crate) fn new(
        header: &LightClientHeader,
        signers: usize,
        committee_size: usize,
        signature_slot: Slot,
    ) -> Self {
        Self {
            slot: header.beacon.slot,
            beacon_root: header.beacon.hash_tree_root(),
            execution: header.execution.clone(),
            signers,
            committee_size,
            signature_slot,
        }
    }

    /// Returns the slot of the signed block.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns the root of the signed beacon block.
    pub fn beacon_root(&self) -> B256 {
        self.beacon_root
    }

    /// Returns what that block says about the execution chain.
    pub fn execution(&self) -> &Execution {
        &self.execution
    }

    /// Returns how many members of the committee signed: at least two thirds.
    pub fn signers(&self) -> usize {
        self.signers
    }

    /// Returns how many members the committee has.
    pub fn committee_size(&self) -> usize {
        self.committee_size
    }

    /// Returns the slot of the block that carried the signature.
    pub fn signature_slot(&self) -> Slot {
        self.signature_slot
    }
}

/// Why a head counts as final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finality {
    /// The chain finalized it: a state says so, and this many members of the committee signed that state.
    Signed {
        /// Members that signed: at least two thirds.
        signers: usize,
        /// Members of the committee.
        size: usize,
    },
    /// It is the checkpoint that trust started from.
    Checkpoint,
    /// Two thirds signed it, and [`LightClient::force_update`](crate::LightClient::force_update) took it as final because
    /// the chain did not finalize.
    Forced {
        /// Members that signed: at least two thirds.
        signers: usize,
        /// Members of the committee.
        size: usize,
    },
}

/// The newest head that counts as final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizedHead {
    slot: Slot,
    beacon_root: B256,
    execution: Execution,
    finality: Finality,
}

impl FinalizedHead {
    pub(crate) fn new(header: &LightClientHeader, finality: Finality) -> Self {
        Self {
            slot: header.beacon.slot,
            beacon_root: header.beacon.hash_tree_root(),
            execution: header.execution.clone(),
            finality,
        }
    }

    /// Returns the slot of the final block.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns the root of the final beacon block.
    pub fn beacon_root(&self) -> B256 {
        self.beacon_root
    }

    /// Returns what that block says about the execution chain.
    pub fn execution(&self) -> &Execution {
        &self.execution
    }

    /// Returns why it counts as final.
    pub fn finality(&self) -> Finality {
        self.finality
    }
}
