//! The chain as a test holds it.

mod builder;
mod recording;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{Checkpoint, Fork, LightClientBootstrap, LightClientUpdate, Network};

pub use builder::ChainBuilder;
pub use recording::Recording;

use crate::Seed;
use crate::block::{Block, BlockInfo};
use crate::ledger::Ledger;
use crate::schedule::{Known, Preset, Schedule};
use crate::token::{ContractCode, Held};
use crate::world::{Change, token_balance_key};

/// How many blocks are kept of a chain that goes on for days.
const ATTESTED: usize = 4_096;

/// A small chain with signed heads: if not built otherwise on the minimal preset, and at Fulu from genesis on.
///
/// A handle: clones are the same chain. Everything about it follows from the seed and from what it was told to do.
#[derive(Clone, Debug)]
pub struct Chain {
    ledger: Arc<Mutex<Ledger>>,
    schedule: Arc<Schedule>,
    /// What becomes of it, where that was recorded.
    moments: Option<Arc<Vec<Ledger>>>,
}

impl PartialEq for Chain {
    /// Whether both are handles of the same chain.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ledger, &other.ledger)
    }
}

impl Chain {
    /// The chain id of a chain whose builder names no other.
    pub const CHAIN_ID: u64 = 31_337;

    /// A chain that has run for 40 slots.
    pub fn new(seed: u64) -> Self {
        Self::builder(seed).build()
    }

    /// A chain made to measure.
    pub fn builder(seed: u64) -> ChainBuilder {
        ChainBuilder::new(seed)
    }

    /// From the next block on `address` has `balance` wei. An account with nothing ceases to exist.
    pub fn set_balance(&self, address: Address, balance: U256) {
        self.change(Change::Balance(address, balance));
    }

    /// From the next block on `address` has sent `nonce` transactions.
    pub fn set_nonce(&self, address: Address, nonce: u64) {
        self.change(Change::Nonce(address, nonce));
    }

    /// From the next block on the contract `address` holds `value` at `key`; 0 removes it.
    pub fn set_storage(&self, address: Address, key: B256, value: U256) {
        self.change(Change::Storage(address, key, value));
    }

    /// From the next block on `holder` has `amount` base units of `token`, whose balances are a mapping in slot 0.
    pub fn set_token_balance(&self, token: Address, holder: Address, amount: U256) {
        self.set_storage(token, token_balance_key(holder), amount);
    }

    /// From the next block on `address` has this code. The chain never runs it.
    pub fn set_code(&self, address: Address, code: Bytes) {
        self.change(Change::Code(address, keccak256(&code), code));
    }

    /// From the next block on `address` has this code. Without code it stays as it is: no contract ceases to exist.
    pub fn deploy(&self, address: Address, code: &ContractCode) {
        if let Some((hash, bytes)) = code.hash_and_bytes() {
            self.change(Change::Code(address, hash, bytes));
        }
    }

    /// From the next block on `address` has the code with this hash, as a contract of mainnet; its bytes are not known.
    pub fn set_code_hash(&self, address: Address, code_hash: B256) {
        self.change(Change::Code(address, code_hash, Bytes::new()));
    }

    /// From the next block on `address` can be proven, present or absent, in a chain of mainnet's shape.
    pub fn reveal(&self, address: Address) {
        self.change(Change::Path(address));
    }

    /// Goes on for `slots` slots, with a block in each (or as [`Chain::set_pace`] says).
    pub fn advance(&self, slots: u64) {
        let mut ledger = self.ledger();
        (0..slots).for_each(|_| ledger.step());
    }

    /// Goes on with a block in each slot that has started by `time` (or as [`Chain::set_pace`] says). Does nothing if
    /// the chain is there already, or while it is [stopped](Chain::stop).
    pub fn advance_to(&self, time: UnixTime) {
        let mut ledger = self.ledger();
        ledger.now = ledger.now.max(time);
        if ledger.stopped {
            return;
        }
        let Some(target) = ledger.network.slot_at(time) else { return };
        if let Some(moments) = &self.moments {
            let reached = moments.partition_point(|moment| moment.slot <= target);
            let moment = reached.checked_sub(1).and_then(|newest| moments.get(newest));
            if let Some(moment) = moment.filter(|moment| moment.slot > ledger.slot) {
                let now = ledger.now;
                *ledger = moment.clone();
                ledger.now = now;
            }
            if reached < moments.len() {
                ledger.slot = ledger.slot.max(target);
            }
        }
        while ledger.slot < target {
            ledger.step();
        }
    }

    /// From now on there is a block only every so many slots (at least 1): days pass faster that way.
    pub fn set_pace(&self, slots: u64) {
        self.ledger().pace = slots.max(1);
    }

    /// Whether no block is made from now on, however much time passes. A chain that goes on makes up for the slots that it missed
    /// at the next [`Chain::advance_to`], as the sequencer of a rollup does.
    pub fn stop(&self, is_stopped: bool) {
        self.ledger().stopped = is_stopped;
    }

    /// Lets one slot pass without a block.
    pub fn skip_slot(&self) {
        let mut ledger = self.ledger();
        ledger.slot = ledger.slot.saturating_add(1);
    }

    /// Replaces the last `depth` blocks by a branch with other blocks in the same slots and lets as many slots pass
    /// as it takes until the newest signed head is on that branch ([`ChainBuilder::tip_lead`]). What the abandoned
    /// blocks changed is undone. Honest committees never sign two heads for one slot, so a light client sees no
    /// fault. With a lead of 1 a depth of 1 replaces only a block without a signature; genesis always stays.
    pub fn reorg(&self, depth: u64) {
        self.ledger().reorganise(depth);
    }

    /// Takes the last `depth` blocks off the chain, as a fork choice does that passes late blocks over; what they changed
    /// is undone. The next block stands on what is left, so that later blocks bear the same numbers. Genesis always stays.
    pub fn abandon(&self, depth: u64) {
        self.ledger().abandon(depth);
    }

    /// Another chain with the same past and the same validators. Both go on with all signatures: what only an attack
    /// by two thirds of a committee can do.
    pub fn split(&self) -> Self {
        let mut other = self.ledger().clone();
        // Far from the number of reorganisations either side will see.
        other.branch = other.branch.saturating_add(1 << 32);
        let ledger = Arc::new(Mutex::new(other));
        Self { ledger, schedule: Arc::clone(&self.schedule), moments: None }
    }

    /// Has the blocks from the next one on name another committee for the next period, in which all of that one sign: what
    /// too few to be believed can do with a branch of their own.
    pub fn usurp(&self) {
        self.ledger().usurp();
    }

    /// Withholds the next block's execution block: the beacon block is there and signed, and the one after it
    /// names the same parent hash again. What the block would have changed waits for the next. Only from Gloas on;
    /// before, the two are one.
    pub fn withhold_payload(&self) {
        self.ledger().withhold = true;
    }

    /// From now on `signers` members sign each block; `None`: nearly all, as at the start.
    pub fn set_signers(&self, signers: Option<usize>) {
        self.ledger().signers = signers;
    }

    /// Whether finality stands still from the next block on.
    pub fn stall_finality(&self, stalled: bool) {
        let mut ledger = self.ledger();
        let finalized = ledger.tip().finalized;
        ledger.stalled = stalled.then_some(finalized);
    }

    /// What a light client must know of the chain beforehand, without a checkpoint.
    pub fn network(&self) -> Network {
        self.ledger().network.clone()
    }

    /// The same before it was known when `fork` and those after it would start: they are listed, without an epoch.
    pub fn network_before(&self, fork: Fork) -> Network {
        self.schedule.network(Known::NamesFrom(fork))
    }

    /// The same network from before `fork` was planned: `fork` and later ones are not listed.
    pub fn network_without(&self, fork: Fork) -> Network {
        self.schedule.network(Known::NothingFrom(fork))
    }

    /// The sizes of the chain.
    pub fn preset(&self) -> Preset {
        self.schedule.preset
    }

    /// The newest final epoch boundary; genesis while nothing else is.
    pub fn checkpoint(&self) -> Checkpoint {
        let finalized = self.finalized();
        Checkpoint { root: finalized.beacon_root, slot: Some(finalized.slot) }
    }

    /// When the current slot starts.
    pub fn time(&self) -> UnixTime {
        let ledger = self.ledger();
        ledger.network.slot_start(ledger.slot)
    }

    /// The present: the latest moment the chain was brought to, at least [`Chain::time`].
    pub fn now(&self) -> UnixTime {
        let ledger = self.ledger();
        ledger.network.slot_start(ledger.slot).max(ledger.now)
    }

    /// The newest execution block, with the beacon block that it came with.
    pub fn tip(&self) -> BlockInfo {
        self.ledger().execution_tip().info()
    }

    /// The newest block whose signature light clients can get, with the execution block that it tells of: its own,
    /// from Gloas on the one before.
    pub fn signed(&self) -> BlockInfo {
        self.ledger().signed().told()
    }

    /// The newest block that light clients can learn to be final, with the execution block that it tells of; genesis
    /// while nothing else is.
    pub fn finalized(&self) -> BlockInfo {
        self.ledger().finalized().told()
    }

    /// The block with that number on the current branch.
    pub fn block(&self, number: u64) -> Option<BlockInfo> {
        self.ledger().block(number).map(|block| block.info())
    }

    /// The truth: how much wei `address` has after block `number`; 0 if it does not exist, `None` if the block does
    /// not.
    pub fn balance_at(&self, number: u64, address: Address) -> Option<U256> {
        let ledger = self.ledger();
        let world = &ledger.block(number)?.world;
        Some(world.account(address).map_or(U256::ZERO, |account| account.balance))
    }

    /// The truth: how much wei `address` has after the block of that hash, on any branch; 0 if it does not exist, `None` if
    /// the block does not.
    pub fn balance_at_hash(&self, hash: B256, address: Address) -> Option<U256> {
        let block = self.block_of_hash(hash)?;
        Some(block.world.account(address).map_or(U256::ZERO, |account| account.balance))
    }

    /// The truth: what the storage of `address` holds at `key` after block `number`; 0 if nothing, `None` if the
    /// block does not exist.
    pub fn storage_at(&self, number: u64, address: Address, key: B256) -> Option<U256> {
        let ledger = self.ledger();
        let world = &ledger.block(number)?.world;
        Some(world.account(address).map_or(U256::ZERO, |account| account.storage_at(key)))
    }

    /// The truth: what the storage of `address` holds at `key` after the block of that hash, on any branch; 0 if nothing,
    /// `None` if the block does not exist.
    pub fn storage_at_hash(&self, hash: B256, address: Address, key: B256) -> Option<U256> {
        let block = self.block_of_hash(hash)?;
        Some(block.world.account(address).map_or(U256::ZERO, |account| account.storage_at(key)))
    }

    /// The truth: what `owner` holds of `token` after the block of that hash, on any branch; `None` if the block does not exist.
    pub fn held_at_hash(&self, hash: B256, token: Address, owner: Address) -> Option<Held> {
        Some(self.block_of_hash(hash)?.world.held(token, owner))
    }

    /// The bootstrap of the block with that beacon root.
    pub fn bootstrap(&self, root: B256) -> Option<LightClientBootstrap> {
        self.ledger().bootstrap(root)
    }

    /// The best update of a period, with the committee of the next; `None` before the period's first signed head.
    pub fn update(&self, period: Period) -> Option<LightClientUpdate> {
        self.ledger().update(period, 0)
    }

    /// The newest signed head with what is final under it.
    pub fn finality_update(&self) -> LightClientUpdate {
        self.ledger().finality_update(0)
    }

    /// The newest signed head.
    pub fn optimistic_update(&self) -> LightClientUpdate {
        self.ledger().optimistic_update(0)
    }

    /// Signs `update` again, as it now is, by `signers` members of the committee that its signature slot calls for:
    /// content that was made up, under a genuine signature.
    pub fn sign(&self, update: &mut LightClientUpdate, signers: usize) {
        let root = update.attested_header.beacon.hash_tree_root();
        let mut ledger = self.ledger();
        let period = ledger.network.period_at(update.signature_slot);
        update.sync_aggregate = ledger.sign(root, update.signature_slot, signers, period);
    }

    /// The slot the chain stands at; its block may be missing.
    pub fn slot(&self) -> Slot {
        self.ledger().slot
    }

    /// From the next slot on the committee signs that block of another chain.
    pub(crate) fn attest(&self, payload: ExecutionPayloadHeader) {
        let mut ledger = self.ledger();
        ledger.foreign = Some(payload);
        ledger.forget(ATTESTED);
    }

    pub(crate) fn seed(&self) -> Seed {
        self.ledger().seed
    }

    /// What the storage of `address` will hold at `key` after the next block, as far as that was said.
    pub(crate) fn upcoming_storage(&self, address: Address, key: B256) -> U256 {
        let ledger = self.ledger();
        let waiting = ledger.pending.iter().rev().find_map(|change| match change {
            Change::Storage(of, at, value) if (*of, *at) == (address, key) => Some(*value),
            _ => None,
        });
        let world = &ledger.execution_tip().world;
        let present = || world.account(address).map_or(U256::ZERO, |account| account.storage_at(key));
        waiting.unwrap_or_else(present)
    }

    pub(crate) fn block_at(&self, number: u64) -> Option<Arc<Block>> {
        self.ledger().block(number).cloned()
    }

    pub(crate) fn block_of_hash(&self, hash: B256) -> Option<Arc<Block>> {
        self.ledger().block_of_hash(hash).cloned()
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A test that panicked while it held the chain has said what it had to say.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: Change) {
        self.ledger().pending.push(change);
    }
}

#[cfg(test)]
mod tests;
