//! One slot's block: the execution block, the state it leaves, and the beacon block around it.

use alloy_primitives::B256;
use saldo_beacon::LightClientHeader;
use saldo_beacon::container::{BeaconBlockHeader, SyncAggregate};
use saldo_beacon::fork::Fork;
use saldo_beacon::merkle::{hash_pair, merkleize};
use saldo_beacon::unit::{Epoch, Slot, UnixTime};

use crate::Seed;
use crate::committee::Committee;
use crate::header::ExecutionHeader;
use crate::world::World;

/// What identifies a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Number of the execution block.
    pub number: u64,
    /// Hash of the execution block.
    pub hash: B256,
    /// Root of the execution state after it.
    pub state_root: B256,
    /// When its slot starts.
    pub timestamp: UnixTime,
    /// Slot of the beacon block.
    pub slot: Slot,
    /// Root of the beacon block.
    pub beacon_root: B256,
}

/// A checkpoint as the beacon state holds it; the root is zero while only genesis is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finalized {
    pub(crate) epoch: Epoch,
    pub(crate) root: B256,
}

/// A block. Never changes once made.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) execution: ExecutionHeader,
    pub(crate) hash: B256,
    pub(crate) world: World,
    pub(crate) beacon: BeaconBlockHeader,
    pub(crate) root: B256,
    /// Who signed the parent, in this block's slot.
    pub(crate) aggregate: SyncAggregate,
    pub(crate) finalized: Finalized,
    header: LightClientHeader,
    state: Vec<B256>,
}

/// What a beacon block is made of.
pub(crate) struct Contents<'a> {
    pub(crate) seed: Seed,
    pub(crate) slot: Slot,
    pub(crate) parent_root: B256,
    pub(crate) proposer_index: u64,
    pub(crate) genesis_time: UnixTime,
    pub(crate) genesis_validators_root: B256,
    pub(crate) execution: ExecutionHeader,
    pub(crate) world: World,
    pub(crate) aggregate: SyncAggregate,
    pub(crate) finalized: Finalized,
    pub(crate) current_committee: &'a Committee,
    pub(crate) next_committee: &'a Committee,
}

/// Places in the beacon state and in the body, as the tree has them in Electra and Fulu
/// (consensus-specs `electra/beacon-chain.md`, `fulu/beacon-chain.md`).
mod place {
    pub(super) const STATE_DEPTH: u32 = 6;
    pub(super) const STATE_FIELDS: usize = 38;
    pub(super) const GENESIS_TIME: usize = 0;
    pub(super) const GENESIS_VALIDATORS_ROOT: usize = 1;
    pub(super) const SLOT: usize = 2;
    pub(super) const LATEST_BLOCK_HEADER: usize = 4;
    pub(super) const FINALIZED_CHECKPOINT: usize = 20;
    pub(super) const CURRENT_COMMITTEE: usize = 22;
    pub(super) const NEXT_COMMITTEE: usize = 23;
    pub(super) const EXECUTION_HEADER: usize = 24;
    pub(super) const BODY_DEPTH: u32 = 4;
    pub(super) const BODY_FIELDS: usize = 13;
    pub(super) const SYNC_AGGREGATE: usize = 8;
    pub(super) const EXECUTION_PAYLOAD: usize = 9;
}

impl Block {
    pub(crate) fn new(contents: Contents<'_>) -> Self {
        let filler = |label, fields| contents.filler(label, fields);
        let (mut body, mut state) =
            (filler("body", place::BODY_FIELDS), filler("state", place::STATE_FIELDS));
        let Contents { slot, parent_root, proposer_index, execution, aggregate, finalized, .. } = contents;
        let payload = execution.payload_header();
        let payload_root = payload.hash_tree_root();

        set(&mut body, place::SYNC_AGGREGATE, aggregate.hash_tree_root());
        set(&mut body, place::EXECUTION_PAYLOAD, payload_root);
        let body_root = merkleize(&body, place::BODY_DEPTH);

        let without_state =
            BeaconBlockHeader { slot, proposer_index, parent_root, state_root: B256::ZERO, body_root };
        set(&mut state, place::GENESIS_TIME, uint(contents.genesis_time.as_secs()));
        set(&mut state, place::GENESIS_VALIDATORS_ROOT, contents.genesis_validators_root);
        set(&mut state, place::SLOT, uint(slot.get()));
        set(&mut state, place::LATEST_BLOCK_HEADER, without_state.hash_tree_root());
        set(&mut state, place::FINALIZED_CHECKPOINT, hash_pair(uint(finalized.epoch.get()), finalized.root));
        set(&mut state, place::CURRENT_COMMITTEE, contents.current_committee.root);
        set(&mut state, place::NEXT_COMMITTEE, contents.next_committee.root);
        set(&mut state, place::EXECUTION_HEADER, payload_root);
        let beacon = BeaconBlockHeader { state_root: merkleize(&state, place::STATE_DEPTH), ..without_state };

        let (hash, root) = (payload.block_hash, beacon.hash_tree_root());
        let execution_branch = branch(&body, place::BODY_DEPTH, place::EXECUTION_PAYLOAD);
        let header = LightClientHeader {
            beacon,
            execution: saldo_beacon::Execution::Header(payload),
            execution_branch,
        };
        let world = contents.world;
        Self { execution, hash, world, beacon, root, aggregate, finalized, header, state }
    }

    pub(crate) fn slot(&self) -> Slot {
        self.beacon.slot
    }

    pub(crate) fn info(&self) -> BlockInfo {
        BlockInfo {
            number: self.execution.number,
            hash: self.hash,
            state_root: self.execution.state_root,
            timestamp: UnixTime::from_secs(self.execution.timestamp),
            slot: self.slot(),
            beacon_root: self.root,
        }
    }

    /// The block's header as light clients get it.
    pub(crate) fn light_client_header(&self) -> &LightClientHeader {
        &self.header
    }

    /// Proof of the committee of the block's own period under the state root.
    pub(crate) fn current_committee_branch(&self) -> Vec<B256> {
        branch(&self.state, place::STATE_DEPTH, place::CURRENT_COMMITTEE)
    }

    /// Proof of the committee of the period after under the state root.
    pub(crate) fn next_committee_branch(&self) -> Vec<B256> {
        branch(&self.state, place::STATE_DEPTH, place::NEXT_COMMITTEE)
    }

    /// Proof of the finalized root under the state root.
    pub(crate) fn finality_branch(&self) -> Vec<B256> {
        let mut proof = vec![uint(self.finalized.epoch.get())];
        proof.extend(branch(&self.state, place::STATE_DEPTH, place::FINALIZED_CHECKPOINT));
        proof
    }
}

impl Contents<'_> {
    /// Pseudo-random roots for the fields nobody looks at.
    fn filler(&self, label: &str, fields: usize) -> Vec<B256> {
        let root = self.seed.child(label).bytes(&self.parent_root.to_string(), self.slot.get());
        // One hash fills all: a field only needs to differ from the others.
        (0_u64..).take(fields).map(|field| root ^ uint(field)).collect()
    }
}

/// The fork all blocks belong to.
pub(crate) const FORK: Fork = Fork::Fulu;

fn set(leaves: &mut [B256], place: usize, root: B256) {
    if let Some(leaf) = leaves.get_mut(place) {
        *leaf = root;
    }
}

/// The siblings on the way from the leaf at `place` up to the root of a tree of that depth, lowest first.
fn branch(leaves: &[B256], depth: u32, place: usize) -> Vec<B256> {
    (0..depth)
        .map(|level| {
            // The sibling at this level is the root of a subtree of 2^level leaves.
            let width = 1_usize << level;
            let sibling = (place >> level) ^ 1;
            let leaves = leaves.chunks(width).nth(sibling).unwrap_or_default();
            merkleize(leaves, level)
        })
        .collect()
}

/// The chunk of an unsigned integer.
fn uint(number: u64) -> B256 {
    B256::right_padding_from(&number.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use saldo_beacon::merkle::branch_is_valid;

    use super::*;

    #[test]
    fn the_places_are_those_of_the_fork() {
        let state_index = |place: usize| (1_u64 << place::STATE_DEPTH) + u64::try_from(place).unwrap();
        let rules = FORK.rules();
        assert_eq!(rules.current_sync_committee, state_index(place::CURRENT_COMMITTEE));
        assert_eq!(rules.next_sync_committee, state_index(place::NEXT_COMMITTEE));
        assert_eq!(rules.finalized_root, state_index(place::FINALIZED_CHECKPOINT) * 2 + 1);
        let body_index = (1_u64 << place::BODY_DEPTH) + u64::try_from(place::EXECUTION_PAYLOAD).unwrap();
        assert_eq!(rules.execution, Some(body_index));
    }

    #[test]
    fn every_leaf_has_its_branch() {
        let leaves: Vec<B256> = (1..=13).map(uint).collect();
        let root = merkleize(&leaves, 4);
        for (place, leaf) in leaves.iter().enumerate() {
            let gindex = 16 + u64::try_from(place).unwrap();
            assert!(branch_is_valid(*leaf, &branch(&leaves, 4, place), gindex, root), "{place}");
        }
    }
}
