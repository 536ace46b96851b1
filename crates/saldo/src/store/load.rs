//! Restoring what was stored, as far as it can be checked again.

use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::{Address, B256, Bytes};
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{Checkpoint, LightClient, Network, SnapshotError};
use saldo_chain::{Anchor, StoredAnchorError};
use saldo_proof::verify_accounts;
use saldo_reading::{Asset, Candidate, Generation, Holding, Now};
use saldo_source::{SortedMap, SortedSet, sort_by_key};
use saldo_token::Hint;

use super::claim::{Claim, Opened, Restorable};
use super::codes::{CodeIndex, MAX_CODE, ReadingKey};
use super::form::{self, Codes, Name, Proof, ProviderState, StoredDisclosure};
use super::identity::Identity;
use super::index::{Index, Progress};
use super::pending::{self, RestoredPending, StoredPending};
use super::seal::Seal;
use crate::storage::{Entries, StorageFault, StorageRefusal, Version};

/// What the storage gave, for the first call that takes it.
#[derive(Clone)]
pub(crate) struct Loaded {
    entries: Arc<Mutex<Entries>>,
    version: Version,
}

impl Loaded {
    pub(super) fn new(entries: Entries, version: Version) -> Self {
        Self { entries: Arc::new(Mutex::new(entries)), version }
    }
}

/// What was restored.
#[derive(Default)]
pub(crate) struct Restored {
    pub(crate) light_client: Option<LightClient>,
    /// The newest of each holding.
    pub(crate) readings: Vec<Candidate>,
    /// Older ones, to fall back to, which are checked when they are needed.
    pub(crate) older: SortedMap<Holding, Vec<Claim>>,
    /// Where the caller restarted trust.
    pub(crate) start: Option<Checkpoint>,
    pub(crate) providers: ProviderState,
    /// What the tokens of the readings were, by their proofs.
    pub(crate) hints: Hint,
    /// The disclosure sets, by address.
    pub(crate) disclosed: Vec<(Address, StoredDisclosure)>,
    /// The proofs that wait for L1.
    pub(crate) pending: Vec<RestoredPending>,
}

impl Restored {
    /// Leaves out what was forgotten while the storage, which has what `index` says, could not be read.
    pub(super) fn leave_out(&mut self, forgotten: &SortedSet<Holding>, index: &Index) {
        self.readings.retain(|reading| !forgotten.contains(reading.holding()));
        self.older.retain(|holding, _| !forgotten.contains(holding));
        self.pending.retain(|pending| !forgotten.contains(&pending.record.holding));
        let is_forgotten = |address: &Address| forgotten.iter().any(|holding| holding.owner() == *address);
        self.disclosed
            .retain(|(address, _)| !is_forgotten(address) || index.has_other_of_owner(*address, forgotten));
    }
}

/// A storage whose first record says that this client may read it.
pub(crate) struct Readable {
    version: Version,
    entries: Entries,
    /// The first record; `None` if there is none that can be read, and nothing is to be restored.
    first: Option<Vec<u8>>,
}

impl Readable {
    /// Reads the first record.
    ///
    /// # Errors
    /// [`StorageRefusal`] if it is of another chain or format.
    pub(super) fn new(loaded: Loaded, seal: &Seal, network: &Network) -> Result<Self, StorageRefusal> {
        let Loaded { entries, version } = loaded;
        let entries = std::mem::take(&mut *entries.lock().unwrap_or_else(PoisonError::into_inner));
        let sealed = entries.iter().find(|(name, _)| name == form::FIRST);
        let first = sealed.and_then(|(name, value)| seal.open(name, value)).map(<[u8]>::to_vec);
        let format = first.as_deref().and_then(form::format);
        let first = match format {
            Some((got, _)) if got > form::FORMAT => {
                return Err(StorageRefusal::NewerFormat { got, known: form::FORMAT });
            }
            Some((got, _)) if got < form::FORMAT => {
                return Err(StorageRefusal::OlderFormat { got, known: form::FORMAT });
            }
            Some((_, rest)) => match form::exactly::<Identity>(rest, rest.len()) {
                Some(identity) => {
                    identity.check(&Identity::of(network))?;
                    first
                }
                None => None,
            },
            None => None,
        };
        Ok(Self { version, entries, first })
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Where the caller restarted trust.
    pub(super) fn start(&self, seal: &Seal) -> Option<Checkpoint> {
        let (name, sealed) = self.entries.iter().find(|(name, _)| name == form::START)?;
        self.first.as_ref().and_then(|_| form::load_start(seal.open(name, sealed)?))
    }

    /// Restores everything that passes its checks. What is in `before` was checked already.
    pub(super) fn restore(self, terms: Terms<'_>, before: &Index) -> Checked {
        let ours: SortedSet<String> = self
            .entries
            .iter()
            .map(|(name, _)| name)
            .filter(|name| Name::parse(name).is_some())
            .cloned()
            .collect();
        let mut checked = Checked::default();
        match self.first {
            Some(first) => {
                checked.index.first = Some(first);
                checked.take(self.entries, terms, before);
            }
            None if ours.is_empty() => {}
            None => checked.note(StorageFault::AllDropped),
        }
        checked.index.remove_unused_blocks();
        let index = &checked.index;
        let strays = ours.into_iter().filter(|name| !checked.keeps_light_client(name) && !index.has(name));
        checked.index.strays = strays.collect();
        checked
    }
}

/// By what is stored is checked.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) seal: &'a Seal,
    pub(super) network: &'a Arc<Network>,
    pub(super) now: UnixTime,
    /// The trust start that readings follow from.
    pub(super) generation: Generation,
}

/// A storage whose records were checked.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) index: Index,
    pub(super) restored: Restored,
    pub(super) faults: Vec<StorageFault>,
    /// Whether there is a light client that cannot be used now, but maybe at another time or with another table.
    leaves_light_client: bool,
}

impl Checked {
    fn note(&mut self, fault: StorageFault) {
        self.faults.push(fault);
    }

    fn keeps_light_client(&self, name: &str) -> bool {
        self.leaves_light_client && name == form::LIGHT_CLIENT
    }

    fn take(&mut self, entries: Entries, terms: Terms<'_>, before: &Index) {
        let mut proofs: Vec<StoredReading> = Vec::new();
        let mut pending: Vec<StoredPending> = Vec::new();
        let mut blocks: SortedMap<B256, Anchor> = SortedMap::new();
        let mut codes = Codes::new();
        for (name, sealed) in entries {
            let named = Name::parse(&name);
            if let Some(Name::Pending(holding, id)) = named {
                pending.push(StoredPending { named: (holding, id), name, sealed });
                continue;
            }
            if let Some(Name::Reading(holding, block)) = named {
                // Most of them are not needed, so their seals are not checked yet.
                proofs.push((holding, block, name, sealed));
                continue;
            }
            match (named, terms.seal.open(&name, &sealed)) {
                (None | Some(Name::First | Name::Reading(..) | Name::Pending(..)), _) => {}
                (Some(Name::LightClient), Some(snapshot)) => self.light_client(snapshot, terms),
                (Some(Name::Providers), Some(state)) => match ProviderState::load(state) {
                    Some(state) => (self.index.has_providers, self.restored.providers) = (true, state),
                    None => self.note(StorageFault::Damaged),
                },
                (Some(Name::Disclosed(address)), Some(disclosure)) => {
                    match StoredDisclosure::load(disclosure) {
                        Some(disclosure) => {
                            self.index.set_disclosed(address, Some(disclosure.order));
                            self.restored.disclosed.push((address, disclosure));
                        }
                        None => self.note(StorageFault::Damaged),
                    }
                }
                (Some(Name::Code(hash)), Some(code))
                    if code.len() <= MAX_CODE && alloy_primitives::keccak256(code) == hash =>
                {
                    codes.insert(hash, Bytes::copy_from_slice(code));
                }
                (Some(Name::Block(hash)), Some(block)) => {
                    match load_block(hash, block, terms.network.chain_id()) {
                        Ok(anchor) => drop(blocks.insert(hash, anchor)),
                        Err(error) => self.note(StorageFault::Block(error)),
                    }
                }
                (Some(Name::Start), Some(start)) => match form::load_start(start) {
                    Some(start) => (self.index.start, self.restored.start) = (Some(start), Some(start)),
                    None => self.note(StorageFault::Damaged),
                },
                (Some(Name::Code(_)), Some(_)) | (Some(_), None) => self.note(StorageFault::Damaged),
            }
        }
        // Those that were asked about last first: they fit in any case.
        sort_by_key(&mut self.restored.disclosed, |(_, disclosure)| std::cmp::Reverse(disclosure.order));
        self.drop_blocks_of_the_future(&mut blocks, terms.now);
        self.take_readings(proofs, blocks, &codes, terms, before);
        self.check_pending(pending, terms, before);
    }

    /// Checks the readings, with the blocks and the codes that are stored.
    fn take_readings(
        &mut self,
        proofs: Vec<StoredReading>,
        blocks: SortedMap<B256, Anchor>,
        codes: &Codes,
        terms: Terms<'_>,
        before: &Index,
    ) {
        let uses = code_uses(&proofs);
        self.index.codes = CodeIndex::with_stored(codes.keys().copied().collect());
        let claims = self.claims(proofs, &blocks, |reading| {
            let hashes = uses.get(reading).map_or(&[][..], Vec::as_slice);
            hashes.iter().filter_map(|hash| Some((*hash, codes.get(hash)?.clone()))).collect()
        });
        blocks.into_values().for_each(|anchor| self.index.put_block(anchor));
        self.check_newest(claims, terms, before);
        for (reading, hashes) in uses {
            if self.index.blocks_of(&reading.0).contains(&reading.1) {
                self.index.codes.set(reading, hashes);
            }
        }
        self.index.codes.drop_unused();
    }

    /// Verifies the proofs that wait for L1 again, each under its own header.
    fn check_pending(&mut self, stored: Vec<StoredPending>, terms: Terms<'_>, before: &Index) {
        let mut bytes: usize = 0;
        for stored in stored {
            if let Some(known) = before.pending.get(&stored.named) {
                self.index.pending.insert(stored.named, known.clone());
                continue;
            }
            bytes = bytes.saturating_add(stored.sealed.len());
            let restored = match bytes <= pending::MOST_BYTES {
                true => stored.restore(terms.seal, terms.network),
                // More than is ever written.
                false => Err(Box::new(StorageFault::Damaged)),
            };
            match restored {
                Ok(restored) => {
                    self.index.put_pending(&restored.record);
                    self.restored.pending.push(restored);
                }
                Err(fault) => self.note(*fault),
            }
        }
    }

    /// Drops blocks that are later than the clock and the newest head: they do not exist, or this clock is slow.
    fn drop_blocks_of_the_future(&mut self, blocks: &mut SortedMap<B256, Anchor>, now: UnixTime) {
        let of_head = |client: &LightClient| {
            let head = client.signed_head().map_or(client.finalized_head().slot(), |head| head.slot());
            client.network().slot_start(head)
        };
        let head = self.restored.light_client.as_ref().map(of_head);
        let latest = head.map_or(now, |head| head.max(now)).saturating_add(Now::TOLERANCE);
        let before = blocks.len();
        blocks.retain(|_, block| block.timestamp() <= latest);
        if blocks.len() < before {
            self.note(StorageFault::Damaged);
        }
    }

    /// The proofs with their blocks, highest block first.
    fn claims(
        &mut self,
        proofs: Vec<StoredReading>,
        blocks: &SortedMap<B256, Anchor>,
        codes_of: impl Fn(&ReadingKey) -> Codes,
    ) -> Vec<Claim> {
        let mut claims = Vec::with_capacity(proofs.len());
        for (holding, block, name, sealed) in proofs {
            match blocks.get(&block).cloned() {
                Some(anchor) => {
                    let codes = codes_of(&(holding, block));
                    claims.push(Claim { holding, anchor, name, sealed, codes });
                }
                None => self.note(StorageFault::BlockMissing { holding, block }),
            }
        }
        sort_by_key(&mut claims, |claim| std::cmp::Reverse(claim.anchor.number()));
        claims
    }

    /// Checks the newest of each holding; where one does not verify, the one before it. The others are left for later.
    fn check_newest(&mut self, mut claims: Vec<Claim>, terms: Terms<'_>, before: &Index) {
        let mut stored: SortedMap<Holding, Vec<B256>> = SortedMap::new();
        let mut not_run: SortedMap<Holding, Vec<B256>> = SortedMap::new();
        loop {
            let mut tried: SortedSet<Holding> = stored.keys().copied().collect();
            let (newest, older): (Vec<Claim>, Vec<Claim>) =
                claims.into_iter().partition(|claim| tried.insert(claim.holding));
            if newest.is_empty() {
                claims = older;
                break;
            }
            let (known, unknown): (Vec<Claim>, Vec<Claim>) =
                newest.into_iter().partition(|claim| is_known(claim, before));
            stored.extend(known.into_iter().map(|claim| (claim.holding, vec![claim.anchor.hash()])));
            for (holding, block, restorable) in self.check(&unknown, terms) {
                match restorable {
                    Restorable::Proven(proven) => {
                        stored.insert(holding, vec![block]);
                        self.restored.readings.push(proven);
                    }
                    // An older one can still be shown.
                    Restorable::NotRun => not_run.entry(holding).or_default().push(block),
                }
            }
            claims = older;
        }
        for claim in claims {
            stored.entry(claim.holding).or_default().push(claim.anchor.hash());
            if !is_known(&claim, before) {
                self.restored.older.entry(claim.holding).or_default().push(claim);
            }
        }
        for (holding, blocks) in stored {
            let mut of_holding = not_run.remove(&holding).unwrap_or_default();
            of_holding.extend(blocks);
            self.index.set_readings(holding, of_holding);
        }
        for (holding, blocks) in not_run {
            self.index.set_readings(holding, blocks);
        }
    }

    /// Verifies the proofs of `claims`; those of accounts at one block together, so that shared nodes are hashed once.
    fn check(&mut self, claims: &[Claim], terms: Terms<'_>) -> Vec<(Holding, B256, Restorable)> {
        let mut checked = Vec::with_capacity(claims.len());
        let is_token = |claim: &&Claim| claim.holding.asset() != Asset::Native;
        for claim in claims.iter().filter(is_token) {
            match claim.check_and_learn(terms.seal, terms.network, terms.generation, &mut self.restored.hints)
            {
                Ok(restorable) => checked.push((claim.holding, claim.anchor.hash(), restorable)),
                Err(fault) => self.note(*fault),
            }
        }
        let natives: Vec<&Claim> = claims.iter().filter(|claim| !is_token(claim)).collect();
        for of_block in natives.chunk_by(|one, other| one.anchor.hash() == other.anchor.hash()) {
            let Some(root) = of_block.first().map(|claim| claim.anchor.state_root()) else { continue };
            let opened: Vec<(&Claim, Opened)> =
                of_block.iter().filter_map(|claim| Some((*claim, claim.open(terms.seal)?))).collect();
            if opened.len() < of_block.len() {
                self.note(StorageFault::Damaged);
            }
            let proofs: Vec<(Address, &[Bytes])> = opened
                .iter()
                .map(|(claim, opened)| (claim.holding.owner(), opened.nodes.as_slice()))
                .collect();
            let accounts = verify_accounts(root, &proofs);
            for ((claim, opened), account) in opened.iter().zip(accounts) {
                match claim.join(opened.provider.clone(), account, terms.generation) {
                    Ok(proven) => {
                        checked.push((claim.holding, claim.anchor.hash(), Restorable::Proven(proven)));
                    }
                    Err(fault) => self.note(*fault),
                }
            }
        }
        checked
    }

    fn light_client(&mut self, snapshot: &[u8], terms: Terms<'_>) {
        match LightClient::load(snapshot, Arc::clone(terms.network), terms.now) {
            Ok(client) => {
                self.index.light_client = Some(Progress::of(&client));
                self.restored.light_client = Some(client);
            }
            Err(error) => {
                // At another time, or with another table or version, it may be good.
                self.leaves_light_client = matches!(
                    error,
                    SnapshotError::TooOld { .. } | SnapshotError::Schedule(_) | SnapshotError::Version { .. }
                );
                self.note(StorageFault::LightClient(error));
            }
        }
    }
}

/// A stored reading: its holding, its block, its name, and its sealed bytes.
type StoredReading = (Holding, B256, String, Vec<u8>);

/// Which codes the readings of tokens use, as their bytes say. No seal is checked: a code too few is a reading that does not verify.
fn code_uses(readings: &[StoredReading]) -> SortedMap<ReadingKey, Vec<B256>> {
    let tokens = readings.iter().filter(|(holding, ..)| holding.asset() != Asset::Native);
    let uses = tokens.map(|(holding, block, _, sealed)| {
        let proof = Proof::load(Seal::without_seal(sealed)?)?;
        Some(((*holding, *block), Proof::code_hashes(&proof.nodes)?))
    });
    uses.flatten().collect()
}

fn is_known(claim: &Claim, before: &Index) -> bool {
    before.blocks_of(&claim.holding).contains(&claim.anchor.hash())
}

fn load_block(hash: B256, bytes: &[u8], chain_id: u64) -> Result<Anchor, StoredAnchorError> {
    let anchor = Anchor::load(bytes, chain_id)?;
    if anchor.hash() == hash { Ok(anchor) } else { Err(StoredAnchorError::Malformed) }
}
