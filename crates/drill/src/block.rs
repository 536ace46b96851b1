//! One slot's block: the execution block, the state it leaves, and the beacon block around it.

use alloy_primitives::{B256, keccak256};
use saldo_beacon::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate};
use saldo_beacon::fork::{Fork, HeaderLayout};
use saldo_beacon::unit::{Epoch, Slot, UnixTime};
use saldo_beacon::{Execution, LightClientHeader};

use crate::Seed;
use crate::committee::Committee;
use crate::header::ExecutionHeader;
use crate::tree::Tree;
use crate::world::World;

/// What identifies a block: an execution block, and the beacon block that it came with or, for the heads of light
/// clients, that tells of it. From Gloas on a beacon block tells of the execution block before its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Number of the execution block.
    pub number: u64,
    /// Hash of the execution block.
    pub hash: B256,
    /// Root of the execution state after it.
    pub state_root: B256,
    /// Time of the execution block: when its slot starts.
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
    pub(crate) fork: Fork,
    pub(crate) execution: ExecutionHeader,
    pub(crate) hash: B256,
    /// Whether the execution block became known; from Gloas on it can be withheld.
    pub(crate) delivered: bool,
    pub(crate) world: World,
    pub(crate) beacon: BeaconBlockHeader,
    pub(crate) root: B256,
    /// Who signed the parent, in this block's slot.
    pub(crate) aggregate: SyncAggregate,
    pub(crate) finalized: Finalized,
    /// The execution block that the light-client header tells of.
    told: Told,
    header: LightClientHeader,
    state: Tree,
}

/// What of an execution block a beacon block tells.
#[derive(Clone, Copy, Debug)]
struct Told {
    number: u64,
    hash: B256,
    state_root: B256,
    timestamp: u64,
}

/// What a beacon block is made of.
pub(crate) struct Contents<'a> {
    pub(crate) seed: Seed,
    pub(crate) fork: Fork,
    pub(crate) slot: Slot,
    pub(crate) parent_root: B256,
    pub(crate) proposer_index: u64,
    pub(crate) execution: ExecutionHeader,
    /// What the beacon block commits to, if not to that header.
    pub(crate) foreign: Option<ExecutionPayloadHeader>,
    /// The last block whose execution block became known.
    pub(crate) execution_parent: Option<&'a Block>,
    pub(crate) delivered: bool,
    pub(crate) world: World,
    pub(crate) aggregate: SyncAggregate,
    pub(crate) finalized: Finalized,
    pub(crate) current_committee: &'a Committee,
    pub(crate) next_committee: &'a Committee,
}

impl Block {
    pub(crate) fn new(contents: Contents<'_>) -> Self {
        let rules = contents.fork.rules();
        let payload = contents.foreign.clone().unwrap_or_else(|| contents.execution.payload_header());
        let hash = payload.block_hash;
        let own = match &contents.foreign {
            Some(payload) => Told::by(payload),
            None => Told::of(&contents.execution, hash),
        };
        let told = match (rules.layout, contents.execution_parent) {
            (HeaderLayout::ExecutionHash, Some(parent)) => Told::of(&parent.execution, parent.hash),
            _ => own,
        };

        // Light clients get no proof of the other fields, but roots must commit to them.
        let commitment = keccak256([hash, contents.aggregate.hash_tree_root()].concat());
        let body_leaf = rules.execution.map(|index| match rules.layout {
            HeaderLayout::ExecutionHash => (index, told.hash),
            _ => (index, payload.hash_tree_root()),
        });
        let body = Tree::new(contents.filler("body", commitment), body_leaf);
        let state_leaves = [
            // The checkpoint is a pair of the epoch and the root.
            (rules.finalized_root ^ 1, uint(contents.finalized.epoch.get())),
            (rules.finalized_root, contents.finalized.root),
            (rules.current_sync_committee, contents.current_committee.root),
            (rules.next_sync_committee, contents.next_committee.root),
        ];
        let state = Tree::new(contents.filler("state", contents.execution.state_root), state_leaves);

        let beacon = BeaconBlockHeader {
            slot: contents.slot,
            proposer_index: contents.proposer_index,
            parent_root: contents.parent_root,
            state_root: state.root(),
            body_root: body.root(),
        };
        let execution = match rules.layout {
            HeaderLayout::Beacon => Execution::Absent,
            HeaderLayout::ExecutionHash => Execution::Hash(told.hash),
            _ => Execution::Header(payload),
        };
        let execution_branch = rules.execution.map(|index| body.branch(index)).unwrap_or_default();
        Self {
            fork: contents.fork,
            execution: contents.execution,
            hash,
            delivered: contents.delivered,
            world: contents.world,
            beacon,
            root: beacon.hash_tree_root(),
            aggregate: contents.aggregate,
            finalized: contents.finalized,
            told,
            header: LightClientHeader { beacon, execution, execution_branch },
            state,
        }
    }

    pub(crate) fn slot(&self) -> Slot {
        self.beacon.slot
    }

    /// The block with its own execution block.
    pub(crate) fn info(&self) -> BlockInfo {
        self.with(Told::of(&self.execution, self.hash))
    }

    /// The block with the execution block that light clients are told of.
    pub(crate) fn told(&self) -> BlockInfo {
        self.with(self.told)
    }

    fn with(&self, execution: Told) -> BlockInfo {
        let Told { number, hash, state_root, timestamp } = execution;
        let timestamp = UnixTime::from_secs(timestamp);
        BlockInfo { number, hash, state_root, timestamp, slot: self.slot(), beacon_root: self.root }
    }

    /// The block's header as light clients get it in an object of `fork`, which is the block's or a later one.
    ///
    /// Source: `upgrade_lc_header_to_gloas` and `get_lc_execution_block_hash`, consensus-specs `gloas/light-client`.
    pub(crate) fn light_client_header(&self, fork: Fork) -> LightClientHeader {
        match &self.header.execution {
            Execution::Header(_) if fork.rules().layout == HeaderLayout::ExecutionHash => {
                let (_, mut branch) = self.execution.block_hash_branch();
                branch.extend(&self.header.execution_branch);
                LightClientHeader {
                    beacon: self.beacon,
                    execution: Execution::Hash(self.hash),
                    execution_branch: normalized(branch, fork),
                }
            }
            _ => self.header.clone(),
        }
    }

    /// Proof of the committee of the block's own period under the state root.
    pub(crate) fn current_committee_branch(&self) -> Vec<B256> {
        self.state.branch(self.fork.rules().current_sync_committee)
    }

    /// Proof of the committee of the period after under the state root.
    pub(crate) fn next_committee_branch(&self) -> Vec<B256> {
        self.state.branch(self.fork.rules().next_sync_committee)
    }

    /// Proof of the finalized root under the state root.
    pub(crate) fn finality_branch(&self) -> Vec<B256> {
        self.state.branch(self.fork.rules().finalized_root)
    }
}

impl Told {
    fn of(execution: &ExecutionHeader, hash: B256) -> Self {
        let ExecutionHeader { number, state_root, timestamp, .. } = *execution;
        Self { number, hash, state_root, timestamp }
    }

    const fn by(payload: &ExecutionPayloadHeader) -> Self {
        let ExecutionPayloadHeader { block_number, block_hash, state_root, timestamp, .. } = *payload;
        Self { number: block_number, hash: block_hash, state_root, timestamp }
    }
}

impl Contents<'_> {
    /// The seed of the fields that no proof shows.
    fn filler(&self, label: &str, commitment: B256) -> B256 {
        let own = self.seed.child(label).bytes(&self.parent_root.to_string(), self.slot.get());
        keccak256([own, commitment].concat())
    }
}

/// The branch at the length that branches to the execution part have in `fork`: with zeros before it.
///
/// Source: `normalize_merkle_branch`, consensus-specs `electra/light-client/fork.md`.
fn normalized(branch: Vec<B256>, fork: Fork) -> Vec<B256> {
    let depth = fork.rules().execution.and_then(u64::checked_ilog2).unwrap_or(0);
    let length = usize::try_from(depth).unwrap_or(0);
    let mut longer = vec![B256::ZERO; length.saturating_sub(branch.len())];
    longer.extend(branch);
    longer
}

/// The chunk of an unsigned integer.
fn uint(number: u64) -> B256 {
    B256::right_padding_from(&number.to_le_bytes())
}
