//! How a chain is made to measure.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use saldo_beacon::Fork;
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::unit::{Epoch, UnixTime};

use super::Chain;
use crate::Seed;
use crate::ledger::Ledger;
use crate::schedule::{Known, Preset, Schedule};
use crate::token::ContractCode;
use crate::world::{Change, World};

/// How many epochs a chain has if not said.
const EPOCHS: u64 = 5;

/// Says what a chain is like before it starts.
#[derive(Clone, Debug)]
#[must_use]
pub struct ChainBuilder {
    schedule: Schedule,
    history: Option<u64>,
    tip_lead: u64,
    mainnet_shape: bool,
    changes: Vec<Change>,
    foreign: Option<ExecutionPayloadHeader>,
}

impl ChainBuilder {
    pub(super) fn new(seed: u64) -> Self {
        let schedule = Schedule {
            seed,
            chain_id: Chain::CHAIN_ID,
            genesis_time: UnixTime::from_secs(1_760_000_000),
            slot_duration: Duration::from_secs(12),
            preset: Preset::Minimal,
            start: Fork::Fulu,
            later: Vec::new(),
        };
        Self {
            schedule,
            history: None,
            tip_lead: 1,
            mainnet_shape: false,
            changes: Vec::new(),
            foreign: None,
        }
    }

    /// The sizes of the chain; [`Preset::Minimal`] if not said.
    pub fn preset(mut self, preset: Preset) -> Self {
        self.schedule.preset = preset;
        self
    }

    /// The fork of genesis, with all before it; Fulu if not said.
    pub fn fork(mut self, fork: Fork) -> Self {
        self.schedule.start = fork;
        self
    }

    /// When a later fork starts; it may be called for several. A fork between two that were named starts with the
    /// later one.
    pub fn fork_at(mut self, fork: Fork, epoch: Epoch) -> Self {
        self.schedule.later.push((fork, epoch));
        self
    }

    /// The execution chain's id; 31337 if not said.
    pub fn chain_id(mut self, chain_id: u64) -> Self {
        self.schedule.chain_id = chain_id;
        self
    }

    /// How long a slot is; 12 s if not said. Whole milliseconds; block times are cut to seconds.
    pub fn slot_duration(mut self, slot_duration: Duration) -> Self {
        self.schedule.slot_duration = slot_duration;
        self
    }

    /// When slot 0 starts, in whole seconds.
    pub fn genesis_time(mut self, genesis_time: UnixTime) -> Self {
        self.schedule.genesis_time = genesis_time;
        self
    }

    /// How many slots the chain already has; those of five epochs if not said, so that some blocks are final.
    pub fn history(mut self, slots: u64) -> Self {
        self.history = Some(slots);
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

    /// The code of a contract at genesis. The chain never runs it.
    pub fn code(mut self, address: Address, code: Bytes) -> Self {
        self.changes.push(Change::Code(address, keccak256(&code), code));
        self
    }

    /// The hash of a contract's code at genesis, as of a contract of mainnet; its bytes are not known.
    pub fn code_hash(mut self, address: Address, code_hash: B256) -> Self {
        self.changes.push(Change::Code(address, code_hash, Bytes::new()));
        self
    }

    /// The code of a contract at genesis.
    pub fn deploy(mut self, address: Address, code: &ContractCode) -> Self {
        let change = code.hash_and_bytes().map(|(hash, bytes)| Change::Code(address, hash, bytes));
        self.changes.extend(change);
        self
    }

    /// What a contract keeps at `key` at genesis; 0 is nothing.
    pub fn storage(mut self, address: Address, key: B256, value: U256) -> Self {
        self.changes.push(Change::Storage(address, key, value));
        self
    }

    /// Has the committee sign a block of another chain, from genesis on, until there is another
    /// ([`Chain::attest`](super::Chain)). Only from Deneb to Fulu.
    pub(crate) fn foreign(mut self, payload: ExecutionPayloadHeader) -> Self {
        self.foreign = Some(payload);
        self
    }

    /// Starts the chain.
    ///
    /// # Panics
    /// If the network described makes no sense, for example slots of no duration.
    pub fn build(self) -> Chain {
        let seed = Seed::new(self.schedule.seed);
        let world = World::new(self.mainnet_shape.then(|| seed.child("shape")));
        let network = self.schedule.network(Known::Everything);
        let history =
            self.history.unwrap_or_else(|| self.schedule.preset.slots_per_epoch().saturating_mul(EPOCHS));
        let mut ledger = Ledger::new(seed, network, world, self.tip_lead, &self.changes, self.foreign);
        for _ in 0..history.max(self.tip_lead) {
            ledger.produce();
        }
        let (ledger, schedule) = (Arc::new(Mutex::new(ledger)), Arc::new(self.schedule));
        Chain { ledger, schedule, moments: None }
    }
}
