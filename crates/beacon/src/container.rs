//! The beacon chain containers that a light client hashes.
//!
//! Sizes that depend on the network's preset (committee members) are run-time lengths.

mod committee;
mod condensed;
mod execution;

pub use committee::{PublicKeyBytes, SignatureBytes, SyncAggregate, SyncCommittee};
pub use condensed::CondensedCommittee;
pub use execution::ExecutionPayloadHeader;

use alloy_primitives::B256;

use crate::merkle::{merkleize, uint};
use crate::unit::Slot;

/// A beacon block header: what the sync committee signs.
///
/// Source: `BeaconBlockHeader`, consensus-specs `phase0/beacon-chain.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeaconBlockHeader {
    /// The block's slot.
    pub slot: Slot,
    /// Index of the validator that proposed it.
    pub proposer_index: u64,
    /// Root of the parent block's header.
    pub parent_root: B256,
    /// Root of the beacon state after the block.
    pub state_root: B256,
    /// Root of the block's body.
    pub body_root: B256,
}

impl BeaconBlockHeader {
    /// Returns the hash tree root: the block's root.
    pub fn hash_tree_root(&self) -> B256 {
        let leaves = [
            uint(self.slot.get()),
            uint(self.proposer_index),
            self.parent_root,
            self.state_root,
            self.body_root,
        ];
        merkleize(&leaves, 3)
    }
}
