//! The blocks of a chain, and the making of the next one.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use saldo_beacon::container::{ExecutionPayloadHeader, SyncAggregate};
use saldo_beacon::signature::{compute_domain, compute_signing_root};
use saldo_beacon::unit::{Epoch, Period, Slot, UnixTime};
use saldo_beacon::{Fork, Network};

use crate::Seed;
use crate::block::{Block, Contents, Finalized};
use crate::committee::{Committee, VALIDATORS, Validators};
use crate::header::ExecutionHeader;
use crate::world::{Change, World};

/// The domain type of sync committee signatures (consensus-specs `altair/beacon-chain.md`).
const DOMAIN_SYNC_COMMITTEE: [u8; 4] = [7, 0, 0, 0];
/// The base fee of every block, in wei per gas.
const BASE_FEE: u64 = 1_000_000_000;

/// A branch on which a minority has named the next committee.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usurped {
    /// Blocks after this slot name the usurpers.
    pub(crate) after: Slot,
    /// The first period that these sign in, all of them.
    pub(crate) from: Period,
}

/// Everything that is true about a chain.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) seed: Seed,
    pub(crate) network: Network,
    pub(crate) tip_lead: u64,
    /// The canonical chain. Never empty, and the first is genesis.
    pub(crate) blocks: Vec<Arc<Block>>,
    /// Blocks of abandoned branches.
    pub(crate) orphans: Vec<Arc<Block>>,
    /// The slot the chain stands at; its block may be missing.
    pub(crate) slot: Slot,
    /// The latest moment the chain was brought to; may be past in a chain that was told to advance by slots.
    pub(crate) now: UnixTime,
    /// Waiting for the next block.
    pub(crate) pending: Vec<Change>,
    /// How many sign from now on; all but a few if not set.
    pub(crate) signers: Option<usize>,
    /// Every how many slots there is a block.
    pub(crate) pace: u64,
    /// Whether no block is made, however much time passes.
    pub(crate) stopped: bool,
    /// Whether the next execution block shall not become known.
    pub(crate) withhold: bool,
    /// The last checkpoint while finality is stalled.
    pub(crate) stalled: Option<Finalized>,
    /// A block of another chain, to which beacon blocks commit instead of to one of this chain.
    pub(crate) foreign: Option<ExecutionPayloadHeader>,
    /// The period from which on an attacker chooses its committees.
    pub(crate) usurped: Option<Usurped>,
    validators: Arc<Validators>,
    committees: BTreeMap<Period, Arc<Committee>>,
    /// How often the chain was reorganised: blocks of another branch must differ.
    pub(crate) branch: u64,
}

impl Ledger {
    pub(crate) fn new(
        seed: Seed,
        network: Network,
        mut world: World,
        tip_lead: u64,
        accounts: &[Change],
        foreign: Option<ExecutionPayloadHeader>,
    ) -> Self {
        accounts.iter().for_each(|change| world.apply(change));
        let mut ledger = Self {
            seed,
            network,
            tip_lead,
            blocks: Vec::new(),
            orphans: Vec::new(),
            slot: Slot::new(0),
            now: UnixTime::from_secs(0),
            pending: Vec::new(),
            signers: None,
            pace: 1,
            stopped: false,
            withhold: false,
            stalled: None,
            foreign,
            usurped: None,
            validators: Arc::new(Validators::new(seed)),
            committees: BTreeMap::new(),
            branch: 0,
        };
        let genesis = ledger.make(None, world, 0, true);
        ledger.blocks.push(genesis);
        ledger
    }

    pub(crate) fn tip(&self) -> &Arc<Block> {
        self.blocks.last().expect("the genesis block is never removed")
    }

    /// The head of a source that is `lag` blocks behind; genesis if there are not so many blocks.
    pub(crate) fn head(&self, lag: u64) -> &Arc<Block> {
        let skipped = usize::try_from(lag).unwrap_or(usize::MAX);
        self.blocks
            .iter()
            .rev()
            .nth(skipped)
            .or(self.blocks.first())
            .expect("the genesis block is never removed")
    }

    /// The newest block whose execution block is known.
    pub(crate) fn execution_tip(&self) -> &Arc<Block> {
        let known = self.blocks.iter().rev().find(|block| block.delivered);
        known.expect("the genesis block is never withheld")
    }

    /// The block that brought the execution block of that number.
    pub(crate) fn block(&self, number: u64) -> Option<&Arc<Block>> {
        // A withheld execution block has the number of the one that comes instead.
        let first = self.blocks.partition_point(|block| block.execution.number < number);
        let candidates = self.blocks.get(first..)?;
        let mut candidates = candidates.iter().take_while(|block| block.execution.number == number);
        candidates.find(|block| block.delivered)
    }

    /// The block with that beacon root, on the canonical chain.
    pub(crate) fn block_of_root(&self, root: B256) -> Option<&Arc<Block>> {
        self.blocks.iter().rev().find(|block| block.root == root)
    }

    /// The block with that execution hash, on any branch.
    pub(crate) fn block_of_hash(&self, hash: B256) -> Option<&Arc<Block>> {
        let known = |block: &&Arc<Block>| block.delivered && block.hash == hash;
        self.blocks.iter().rev().chain(&self.orphans).find(known)
    }

    pub(crate) fn committee(&mut self, period: Period) -> Arc<Committee> {
        let size = self.network.sync_committee_size();
        let is_usurped = self.is_usurped(period);
        let validators = &self.validators;
        let draw = || validators.committee(period.get(), size, is_usurped);
        Arc::clone(self.committees.entry(period).or_insert_with(draw))
    }

    /// Has the next block name another committee for the next period than the other blocks do.
    pub(crate) fn usurp(&mut self) {
        let from = self.network.period_at(self.slot).saturating_add(1);
        self.usurped = Some(Usurped { after: self.slot, from });
        self.committees.split_off(&from);
    }

    fn is_usurped(&self, period: Period) -> bool {
        self.usurped.is_some_and(|usurped| period >= usurped.from)
    }

    /// The signature of the committee of `period`, as of `signature_slot`, over the block `root`.
    pub(crate) fn sign(
        &mut self,
        root: B256,
        signature_slot: Slot,
        signers: usize,
        period: Period,
    ) -> SyncAggregate {
        let committee = self.committee(period);
        let version = self.network.fork_version_at(signature_slot.saturating_sub(1));
        let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, version, self.network.genesis_validators_root());
        committee.sign(compute_signing_root(root, domain), signers, signature_slot.get())
    }

    /// Lets go of what is older than the newest `kept` blocks, but for genesis.
    pub(crate) fn forget(&mut self, kept: usize) {
        let old = self.blocks.len().saturating_sub(kept);
        if old > 1 {
            self.blocks.drain(1..old);
        }
    }

    /// Moves to the next slot, with a block in it if its turn has come.
    pub(crate) fn step(&mut self) {
        let next = self.slot.saturating_add(1);
        if next.get().checked_rem(self.pace) == Some(0) {
            self.produce();
        } else {
            self.slot = next;
        }
    }

    /// Moves to the next slot, with a block in it.
    pub(crate) fn produce(&mut self) {
        self.slot = self.slot.saturating_add(1);
        let size = self.network.sync_committee_size();
        let few = usize::try_from(self.seed.below(3, "absent", self.slot.get())).unwrap_or(0);
        let usurpers = self.is_usurped(self.network.period_at(self.slot));
        let signers = self.signers.filter(|_| !usurpers).unwrap_or_else(|| size.saturating_sub(few));
        self.extend(signers);
    }

    /// Replaces the last `depth` blocks by others in the same slots, which had no signatures when they came, and
    /// continues with one block that is signed as usual.
    pub(crate) fn reorganise(&mut self, depth: u64) {
        let abandoned = self.cut(depth);
        // Changes that only the old branch has are lost with it.
        let pending = std::mem::take(&mut self.pending);
        for block in &abandoned {
            self.slot = block.slot();
            self.extend(0);
        }
        self.orphans.extend(abandoned);
        self.pending = pending;
        for _ in 0..self.tip_lead {
            self.produce();
        }
    }

    /// Takes the last `depth` blocks off the chain.
    pub(crate) fn abandon(&mut self, depth: u64) {
        let abandoned = self.cut(depth);
        self.orphans.extend(abandoned);
    }

    /// Ends the branch `depth` blocks before its tip, and gives those. Genesis always stays.
    fn cut(&mut self, depth: u64) -> Vec<Arc<Block>> {
        let kept = self.blocks.len().saturating_sub(usize::try_from(depth).unwrap_or(usize::MAX)).max(1);
        self.branch = self.branch.saturating_add(1);
        self.blocks.split_off(kept)
    }

    /// Appends the block of the current slot.
    fn extend(&mut self, signers: usize) {
        let parent = Arc::clone(self.execution_tip());
        let delivered = !(std::mem::take(&mut self.withhold) && self.fork_at(self.slot) >= Fork::Gloas);
        let mut world = parent.world.clone();
        world.remember(parent.execution.number, parent.hash);
        self.pending.iter().for_each(|change| world.apply(change));
        if delivered {
            self.pending.clear();
        }
        let block = self.make(Some(&parent), world, signers, delivered);
        self.blocks.push(block);
    }

    /// The newest fork at `slot` that the schedule has.
    pub(crate) fn fork_at(&self, slot: Slot) -> Fork {
        self.network.fork_at(slot).expect("a chain starts with a fork, and schedules only known ones")
    }

    fn make(
        &mut self,
        execution_parent: Option<&Block>,
        world: World,
        signers: usize,
        delivered: bool,
    ) -> Arc<Block> {
        let slot = self.slot;
        let fork = self.fork_at(slot);
        let seed = self.seed.child(&format!("branch {}", self.branch));
        let parent_root = self.blocks.last().map_or(B256::ZERO, |parent| parent.root);
        let period = self.network.period_at(slot);
        let execution = ExecutionHeader {
            parent_hash: execution_parent.map_or(B256::ZERO, |parent| parent.hash),
            fee_recipient: Address::from_word(seed.bytes("fee recipient", slot.get())),
            state_root: world.root(),
            number: execution_parent.map_or(0, |parent| parent.execution.number.saturating_add(1)),
            timestamp: self.network.slot_start(slot).as_secs(),
            extra_data: "drill".into(),
            prev_randao: seed.bytes("randao", slot.get()),
            base_fee_per_gas: BASE_FEE,
            parent_beacon_block_root: parent_root,
            slot_number: slot.get(),
            fork,
        };
        // The time of a block of another chain is when it was last seen to be the newest.
        let foreign = self.foreign.clone();
        let foreign =
            foreign.map(|payload| ExecutionPayloadHeader { timestamp: execution.timestamp, ..payload });
        let (current, next) = (self.committee(period), self.committee(period.saturating_add(1)));
        let contents = Contents {
            seed,
            fork,
            slot,
            parent_root,
            proposer_index: seed.below(VALIDATORS, "proposer", slot.get()),
            execution,
            foreign,
            execution_parent,
            delivered,
            world,
            aggregate: self.sign(parent_root, slot, signers, period),
            finalized: self.finalized_at(slot),
            current_committee: &current,
            next_committee: &next,
        };
        Arc::new(Block::new(contents))
    }

    /// What a state at `slot` has finalized: if all validators vote, the epoch before the last.
    pub(crate) fn finalized_at(&self, slot: Slot) -> Finalized {
        if let Some(stalled) = self.stalled {
            return stalled;
        }
        match self.network.epoch_at(slot).checked_sub(2).filter(|epoch| epoch.get() > 0) {
            None => Finalized { epoch: Epoch::new(0), root: B256::ZERO },
            Some(epoch) => {
                let boundary = epoch.get().saturating_mul(self.network.slots_per_epoch());
                let block = self.blocks.iter().rev().find(|block| block.slot().get() <= boundary);
                Finalized { epoch, root: block.map_or(B256::ZERO, |block| block.root) }
            }
        }
    }
}
