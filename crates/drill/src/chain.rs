//! The chain as a test holds it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256, U256, hex};
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{Checkpoint, Fork, LightClientBootstrap, LightClientUpdate, Network};

use crate::Seed;
use crate::block::{Block, BlockInfo};
use crate::ledger::Ledger;
use crate::world::{Change, World, token_balance_key};

/// A small chain with signed heads: minimal preset (32 committee members, 8 slots an epoch, 8 epochs a period), every
/// fork up to Fulu from genesis on.
///
/// A handle: clones are the same chain. Everything about it follows from the seed and from what it was told to do.
#[derive(Clone, Debug)]
pub struct Chain {
    ledger: Arc<Mutex<Ledger>>,
}

/// Says what a chain is like before it starts.
#[derive(Clone, Debug)]
#[must_use]
pub struct ChainBuilder {
    seed: u64,
    chain_id: u64,
    genesis_time: UnixTime,
    slot_duration: Duration,
    history: u64,
    tip_lead: u64,
    mainnet_shape: bool,
    changes: Vec<Change>,
}

impl ChainBuilder {
    /// The execution chain's id; 31337 if not said.
    pub fn chain_id(mut self, chain_id: u64) -> Self {
        self.chain_id = chain_id;
        self
    }

    /// How long a slot is; 12 s if not said. Whole milliseconds; block times are cut to seconds.
    pub fn slot_duration(mut self, slot_duration: Duration) -> Self {
        self.slot_duration = slot_duration;
        self
    }

    /// When slot 0 starts, in whole seconds.
    pub fn genesis_time(mut self, genesis_time: UnixTime) -> Self {
        self.genesis_time = genesis_time;
        self
    }

    /// How many slots the chain already has; 40 if not said, so that some blocks are final.
    pub fn history(mut self, slots: u64) -> Self {
        self.history = slots;
        self
    }

    /// By how many blocks the tip is ahead of the newest signed head that light clients are told of; at least 1.
    pub fn tip_lead(mut self, blocks: u64) -> Self {
        self.tip_lead = blocks.max(1);
        self
    }

    /// Whether account proofs have the shape they have on mainnet: 8 or 9 nodes, about 3.8 KB. Then absence can
    /// only be proven of addresses the chain was told of ([`ChainBuilder::accounts`], [`Chain::set_balance`],
    /// [`Chain::reveal`]); for others a provider answers `missing trie node`.
    pub fn mainnet_shape(mut self, mainnet_shape: bool) -> Self {
        self.mainnet_shape = mainnet_shape;
        self
    }

    /// Balances at genesis, in wei; an account with 0 wei does not exist.
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = (Address, U256)>) -> Self {
        self.changes.extend(accounts.into_iter().map(|(address, balance)| Change::Balance(address, balance)));
        self
    }

    /// Starts the chain.
    ///
    /// # Panics
    /// If the network described makes no sense, for example slots of no duration.
    pub fn build(self) -> Chain {
        let seed = Seed::new(self.seed);
        let world = World::new(self.mainnet_shape.then(|| seed.child("shape")));
        let network =
            Network::from_toml(&self.toml()).expect("the builder was given numbers a network can have");
        let mut ledger = Ledger::new(seed, network, world, self.tip_lead, &self.changes);
        for _ in 0..self.history.max(self.tip_lead) {
            ledger.produce();
        }
        Chain { ledger: Arc::new(Mutex::new(ledger)) }
    }

    fn toml(&self) -> String {
        let forks = [Fork::Altair, Fork::Bellatrix, Fork::Capella, Fork::Deneb, Fork::Electra, Fork::Fulu];
        let forks: String = (1_u8..)
            .zip(forks)
            .map(|(number, fork)| {
                let version = hex::encode_prefixed([number, 0, 0, 1]);
                format!("[[forks]]\nname = \"{fork}\"\nversion = \"{version}\"\nepoch = 0\n")
            })
            .collect();
        format!(
            "name = \"drill-{seed}\"\nchain_id = {chain_id}\ngenesis_time = {genesis_time}\n\
             genesis_validators_root = \"{root}\"\nslot_duration_ms = {slot}\nslots_per_epoch = 8\n\
             epochs_per_sync_committee_period = 8\nsync_committee_size = 32\n\
             genesis_fork_version = \"0x00000001\"\n{forks}[[blob_schedule]]\nepoch = 0\nmax_blobs = 9\n",
            seed = self.seed,
            chain_id = self.chain_id,
            genesis_time = self.genesis_time.as_secs(),
            root = Seed::new(self.seed).bytes("genesis validators root", 0),
            slot = self.slot_duration.as_millis(),
        )
    }
}

impl Chain {
    /// A chain that has run for 40 slots.
    pub fn new(seed: u64) -> Self {
        Self::builder(seed).build()
    }

    /// A chain made to measure.
    pub fn builder(seed: u64) -> ChainBuilder {
        ChainBuilder {
            seed,
            chain_id: 31337,
            genesis_time: UnixTime::from_secs(1_760_000_000),
            slot_duration: Duration::from_secs(12),
            history: 40,
            tip_lead: 1,
            mainnet_shape: false,
            changes: Vec::new(),
        }
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
    /// the chain is there already.
    pub fn advance_to(&self, time: UnixTime) {
        let mut ledger = self.ledger();
        ledger.now = ledger.now.max(time);
        let Some(target) = ledger.network.slot_at(time) else { return };
        while ledger.slot < target {
            ledger.step();
        }
    }

    /// From now on there is a block only every so many slots (at least 1): days pass faster that way.
    pub fn set_pace(&self, slots: u64) {
        self.ledger().pace = slots.max(1);
    }

    /// Lets one slot pass without a block.
    pub fn skip_slot(&self) {
        let mut ledger = self.ledger();
        ledger.slot = ledger.slot.saturating_add(1);
    }

    /// Replaces the last `depth` blocks by a branch with other blocks in the same slots and lets as many slots pass
    /// as it takes until the newest signed head is on that branch ([`ChainBuilder::tip_lead`]). What the abandoned
    /// blocks changed is undone. Honest committees never sign two heads for one slot, so a light client sees no
    /// fault. With a lead of 1 a depth of 1 replaces only a block that nobody had signed; genesis always stays.
    pub fn reorg(&self, depth: u64) {
        self.ledger().reorganise(depth);
    }

    /// Another chain with the same past and the same validators. Both go on with all signatures: what only an attack
    /// by two thirds of a committee can do.
    pub fn split(&self) -> Self {
        let mut other = self.ledger().clone();
        // Far from the number of reorganisations either side will see.
        other.branch = other.branch.saturating_add(1 << 32);
        Self { ledger: Arc::new(Mutex::new(other)) }
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

    /// The newest block.
    pub fn tip(&self) -> BlockInfo {
        self.ledger().tip().info()
    }

    /// The newest block whose signature light clients can get.
    pub fn signed(&self) -> BlockInfo {
        self.ledger().signed().info()
    }

    /// The newest block that light clients can learn to be final; genesis while nothing else is.
    pub fn finalized(&self) -> BlockInfo {
        self.ledger().finalized().info()
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

    /// The truth: what the storage of `address` holds at `key` after block `number`; 0 if nothing, `None` if the
    /// block does not exist.
    pub fn storage_at(&self, number: u64, address: Address, key: B256) -> Option<U256> {
        let ledger = self.ledger();
        let world = &ledger.block(number)?.world;
        Some(world.account(address).map_or(U256::ZERO, |account| account.storage_at(key)))
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

    pub(crate) fn seed(&self) -> Seed {
        self.ledger().seed
    }

    pub(crate) fn block_at(&self, number: u64) -> Option<Arc<Block>> {
        self.ledger().block(number).cloned()
    }

    pub(crate) fn block_of_hash(&self, hash: B256) -> Option<Arc<Block>> {
        self.ledger().block_of_hash(hash).cloned()
    }

    pub(crate) fn block_of_root(&self, root: B256) -> Option<Arc<Block>> {
        self.ledger().block_of_root(root).cloned()
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
