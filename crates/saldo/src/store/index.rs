//! What is in the storage, as far as its writes are acknowledged.

use alloy_primitives::{Address, B256};
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{Checkpoint, LightClient};
use saldo_chain::{Anchor, Level};
use saldo_reading::Holding;
use saldo_source::{SortedMap, SortedSet};

use super::codes::CodeIndex;
use super::form::Name;
use super::pending::{PendingKey, PendingName, PendingRecord};

/// What is in the storage, without the proofs.
#[derive(Default)]
pub(super) struct Index {
    /// The first record.
    pub(super) first: Option<Vec<u8>>,
    /// Where the caller restarted trust.
    pub(super) start: Option<Checkpoint>,
    /// How far the light client that is stored has come.
    pub(super) light_client: Option<Progress>,
    pub(super) has_providers: bool,
    /// The orders of the addresses whose disclosure sets are stored.
    pub(super) disclosed: SortedMap<Address, u64>,
    /// The same, oldest first.
    pub(super) disclosed_order: SortedSet<(u64, Address)>,
    /// The proofs of a rollup that wait for L1, each with the bytes that it takes.
    pub(super) pending: SortedMap<PendingName, (PendingKey, usize)>,
    /// The codes of tokens, and which readings use them.
    pub(super) codes: CodeIndex,
    /// Names that saldo wrote and does not use any more. The next write removes them.
    pub(super) strays: SortedSet<String>,
    /// The blocks of each holding's readings, highest first.
    readings: SortedMap<Holding, Vec<B256>>,
    blocks: SortedMap<B256, StoredBlock>,
    /// The blocks that are not final.
    unsettled: SortedSet<B256>,
    /// The holdings by the number of their newest block.
    by_age: SortedSet<(u64, Holding)>,
}

/// A block, and the holdings that have a reading at it.
pub(super) struct StoredBlock {
    pub(super) anchor: Anchor,
    pub(super) holdings: SortedSet<Holding>,
}

/// How far a light client has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Progress {
    finalized: Slot,
    next_committee_known: bool,
    period: Period,
    faulted: bool,
    /// The newest signed head.
    signed: Slot,
}

impl Progress {
    pub(super) fn of(client: &LightClient) -> Self {
        let finalized = client.finalized_head().slot();
        Self {
            finalized,
            next_committee_known: client.next_committee_known(),
            period: client.period(),
            faulted: client.consensus_fault().is_some(),
            signed: client.signed_head().map_or(finalized, |head| head.slot()),
        }
    }

    /// Whether it is worth a write of its own. A light client that only saw newer signed heads is written with other changes.
    pub(super) fn needs_write(self, stored: Option<Self>) -> bool {
        stored.is_none_or(|stored| self > stored && Self { signed: stored.signed, ..self } != stored)
    }
}

impl Index {
    pub(super) fn blocks_of(&self, holding: &Holding) -> &[B256] {
        self.readings.get(holding).map_or(&[], Vec::as_slice)
    }

    pub(super) fn block(&self, hash: &B256) -> Option<&StoredBlock> {
        self.blocks.get(hash)
    }

    pub(super) fn unsettled(&self) -> impl Iterator<Item = (&B256, &StoredBlock)> {
        self.unsettled.iter().filter_map(|hash| Some((hash, self.blocks.get(hash)?)))
    }

    pub(super) fn holdings(&self) -> impl ExactSizeIterator<Item = &Holding> {
        self.readings.keys()
    }

    /// Whether `owner` has a reading of another holding than `these`, or a proof of it that waits.
    pub(super) fn has_other_of_owner(&self, owner: Address, these: &SortedSet<Holding>) -> bool {
        let pending = self.pending.keys().map(|(holding, _)| holding);
        self.readings
            .keys()
            .chain(pending)
            .any(|holding| holding.owner() == owner && !these.contains(holding))
    }

    /// The holdings, those whose newest block is the oldest first, with that block's number.
    pub(super) fn oldest_first(&self) -> impl Iterator<Item = (u64, Holding)> {
        self.by_age.iter().copied()
    }

    /// Takes a block as stored, whatever readings it has.
    pub(super) fn put_block(&mut self, anchor: Anchor) {
        let hash = anchor.hash();
        if anchor.assurance().level() == Level::Finalized {
            self.unsettled.remove(&hash);
        } else {
            self.unsettled.insert(hash);
        }
        match self.blocks.get_mut(&hash) {
            Some(stored) => stored.anchor = anchor,
            None => {
                self.blocks.insert(hash, StoredBlock { anchor, holdings: SortedSet::new() });
            }
        }
    }

    /// Has `holding` have the readings at `blocks`, highest first, and no other.
    pub(super) fn set_readings(&mut self, holding: Holding, blocks: Vec<B256>) {
        let before = self.readings.remove(&holding).unwrap_or_default();
        self.by_age.remove(&(self.newest(&before), holding));
        for hash in &before {
            if let Some(stored) = self.blocks.get_mut(hash) {
                stored.holdings.remove(&holding);
            }
        }
        for hash in &blocks {
            if let Some(stored) = self.blocks.get_mut(hash) {
                stored.holdings.insert(holding);
            }
        }
        if !blocks.is_empty() {
            self.by_age.insert((self.newest(&blocks), holding));
            self.readings.insert(holding, blocks);
        }
    }

    pub(super) fn set_disclosed(&mut self, address: Address, order: Option<u64>) {
        if let Some(before) = self.disclosed.remove(&address) {
            self.disclosed_order.remove(&(before, address));
        }
        if let Some(order) = order {
            self.disclosed.insert(address, order);
            self.disclosed_order.insert((order, address));
        }
    }

    pub(super) fn put_pending(&mut self, record: &PendingRecord) {
        let key = record.key();
        self.pending.insert(key.name(), (key, record.size()));
    }

    /// Removes the blocks without readings.
    pub(super) fn remove_unused_blocks(&mut self) {
        let is_unused = |(_, stored): &(&B256, &StoredBlock)| stored.holdings.is_empty();
        let unused: Vec<B256> = self.blocks.iter().filter(is_unused).map(|(hash, _)| *hash).collect();
        unused.iter().for_each(|hash| self.remove_block(hash));
    }

    /// Whether the record of this name is in use.
    pub(super) fn has(&self, name: &str) -> bool {
        match Name::parse(name) {
            None => false,
            Some(Name::First) => self.first.is_some(),
            Some(Name::Start) => self.start.is_some(),
            Some(Name::LightClient) => self.light_client.is_some(),
            Some(Name::Providers) => self.has_providers,
            Some(Name::Disclosed(address)) => self.disclosed.contains_key(&address),
            Some(Name::Block(hash)) => self.blocks.contains_key(&hash),
            Some(Name::Code(hash)) => self.codes.has(&hash),
            Some(Name::Pending(holding, id)) => self.pending.contains_key(&(holding, id)),
            Some(Name::Reading(holding, hash)) => self.blocks_of(&holding).contains(&hash),
        }
    }

    pub(super) fn remove_block(&mut self, hash: &B256) {
        self.blocks.remove(hash);
        self.unsettled.remove(hash);
    }

    fn newest(&self, blocks: &[B256]) -> u64 {
        blocks.first().and_then(|hash| self.blocks.get(hash)).map_or(0, |stored| stored.anchor.number())
    }
}
