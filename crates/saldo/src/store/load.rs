//! Taking back what was kept, as far as it can be checked again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, B256, Bytes};
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{Checkpoint, LightClient, Network, SnapshotError};
use saldo_chain::{Anchor, StoredAnchorError};
use saldo_proof::{Account, ProofError, Verified, verify_account, verify_accounts};
use saldo_reading::{Candidate, Generation, Holding, Now, ProviderId, join};

use super::form::{self, Name, Proof, ProviderState};
use super::identity::Identity;
use super::seal::Seal;
use super::{Index, Progress, Store};
use crate::storage::{Storage, StorageFault, StorageKey, StorageRefusal};

/// What was taken back.
#[derive(Default)]
pub(crate) struct Restored {
    pub(crate) light_client: Option<LightClient>,
    /// The newest of each holding.
    pub(crate) readings: Vec<Candidate>,
    /// Older ones, to fall back to, which are checked when they are needed.
    pub(crate) older: BTreeMap<Holding, Vec<Claim>>,
    /// Where the caller had trust start again.
    pub(crate) start: Option<Checkpoint>,
    pub(crate) knowledge: ProviderState,
}

/// A reading as it was kept, not looked into yet.
pub(crate) struct Claim {
    holding: Holding,
    anchor: Anchor,
    name: String,
    sealed: Vec<u8>,
}

/// Who served a proof, and its nodes.
struct Opened {
    provider: ProviderId,
    nodes: Vec<Bytes>,
}

impl Claim {
    fn open(&self, seal: &Seal) -> Option<Opened> {
        let Proof { provider, nodes } = Proof::load(seal.open(&self.name, &self.sealed)?)?;
        Some(Opened { provider: ProviderId::new(&provider)?, nodes })
    }

    fn join(
        &self,
        provider: ProviderId,
        account: Result<Verified<Account>, ProofError>,
    ) -> Result<Candidate, StorageFault> {
        let Self { holding, anchor, .. } = self;
        let account = account.map_err(|error| StorageFault::Reading { holding: *holding, error })?;
        let joined = join(*holding, anchor.chain_id(), &account, anchor, provider, Generation::FIRST);
        joined.map(Candidate::as_restored).map_err(|_| StorageFault::Damaged)
    }
}

impl Store {
    /// Takes back what `storage` holds for `network` at the present time `now`.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        key: Option<StorageKey>,
        network: &Arc<Network>,
        now: UnixTime,
    ) -> Result<(Self, Restored), StorageRefusal> {
        let seal = Seal::new(key);
        let mut kept = Index::default();
        let restored = match storage.all() {
            Ok(all) => kept.restore_from(&seal, all, network, now)?,
            Err(error) => {
                kept.note(StorageFault::Unreadable(error));
                Restored::default()
            }
        };
        Ok((Self { storage, seal, kept: Mutex::new(kept) }, restored))
    }

    /// The reading of `claim`, if its proof holds under its block's header.
    pub(crate) fn check(&self, claim: &Claim) -> Result<Candidate, StorageFault> {
        let Opened { provider, nodes } = claim.open(&self.seal).ok_or(StorageFault::Damaged)?;
        let account = verify_account(claim.anchor.state_root(), claim.holding.owner, &nodes);
        claim.join(provider, account)
    }

    /// Tries to read again what could not be read when the client was opened, as before a phone is unlocked.
    pub(crate) fn read_again(&self, network: &Arc<Network>, now: UnixTime) -> Option<Restored> {
        let mut kept = self.kept();
        if kept.is_read || kept.faults.iter().any(|fault| matches!(fault, StorageFault::Refused(_))) {
            return None;
        }
        let all = self.storage.all().ok()?;
        match kept.restore_from(&self.seal, all, network, now) {
            Ok(restored) if !kept.is_forgotten => Some(restored),
            Ok(_) => {
                let names = std::mem::take(&mut kept.names);
                *kept = Index { is_read: true, names, start: kept.start, ..Index::default() };
                None
            }
            Err(refusal) => {
                kept.note(StorageFault::Refused(refusal));
                None
            }
        }
    }
}

impl Index {
    fn restore_from(
        &mut self,
        seal: &Seal,
        all: Vec<(String, Vec<u8>)>,
        network: &Arc<Network>,
        now: UnixTime,
    ) -> Result<Restored, StorageRefusal> {
        let is_ours = |name: &&String| Name::parse(name).is_some();
        self.names = all.iter().map(|(name, _)| name).filter(is_ours).cloned().collect();
        if self.names.is_empty() {
            self.is_read = true;
            return Ok(Restored::default());
        }
        let first = all.iter().find(|(name, _)| name == form::FIRST);
        let first = first.and_then(|(name, value)| form::format(seal.open(name, value)?));
        let Some((got, rest)) = first else {
            self.note(StorageFault::AllDropped);
            self.is_read = true;
            return Ok(Restored::default());
        };
        if got > form::FORMAT {
            return Err(StorageRefusal::NewerFormat { got, known: form::FORMAT });
        }
        if got < form::FORMAT {
            return Err(StorageRefusal::OlderFormat { got, known: form::FORMAT });
        }
        let Some(identity) = form::exactly::<Identity>(rest, rest.len()) else {
            self.note(StorageFault::AllDropped);
            self.is_read = true;
            return Ok(Restored::default());
        };
        identity.check(&Identity::of(network))?;
        self.is_read = true;
        let mut restored = Restored::default();
        let mut proofs: Vec<(Holding, B256, String, Vec<u8>)> = Vec::new();
        for (name, sealed) in all {
            let named = Name::parse(&name);
            if let Some(Name::Reading(holding, block)) = named {
                // Most of them are not needed.
                proofs.push((holding, block, name, sealed));
                continue;
            }
            match (named, seal.open(&name, &sealed)) {
                // What somebody else keeps here is none of ours.
                (None | Some(Name::First | Name::Reading(..)), _) => {}
                (Some(Name::LightClient), Some(snapshot)) => {
                    restored.light_client = self.light_client(snapshot, network, now);
                }
                (Some(Name::ProviderState), Some(knowledge)) => match ProviderState::load(knowledge) {
                    Some(knowledge) => restored.knowledge = knowledge,
                    None => self.note(StorageFault::Damaged),
                },
                (Some(Name::Block(hash)), Some(block)) => self.block(hash, block, network.chain_id()),
                (Some(Name::Start), Some(start)) => match form::load_start(start) {
                    Some(start) => (self.start, restored.start) = (Some(start), Some(start)),
                    None => self.note(StorageFault::Damaged),
                },
                (Some(_), None) => self.note(StorageFault::Damaged),
            }
        }
        self.drop_what_is_yet_to_come(restored.light_client.as_ref(), now);
        let claims = self.claims(proofs);
        self.newest(seal, claims, &mut restored);
        Ok(restored)
    }

    /// Gives up blocks that are later than the clock and the newest head: there are none, or it is this clock that is slow.
    fn drop_what_is_yet_to_come(&mut self, light_client: Option<&LightClient>, now: UnixTime) {
        let of_head = |client: &LightClient| {
            let head = client.signed_head().map_or(client.finalized_head().slot(), |head| head.slot());
            client.network().slot_start(head)
        };
        let latest =
            light_client.map(of_head).map_or(now, |head| head.max(now)).saturating_add(Now::TOLERANCE);
        let before = self.blocks.len();
        self.blocks.retain(|_, block| block.timestamp() <= latest);
        if self.blocks.len() < before {
            self.note(StorageFault::Damaged);
        }
    }

    /// The proofs with their blocks, highest block first.
    fn claims(&mut self, proofs: Vec<(Holding, B256, String, Vec<u8>)>) -> Vec<Claim> {
        let mut claims = Vec::with_capacity(proofs.len());
        for (holding, block, name, sealed) in proofs {
            match self.blocks.get(&block).cloned() {
                Some(anchor) => claims.push(Claim { holding, anchor, name, sealed }),
                None => self.note(StorageFault::BlockMissing { holding, block }),
            }
        }
        claims.sort_by_key(|claim| std::cmp::Reverse(claim.anchor.number()));
        claims
    }

    /// Checks the newest of each holding; where one does not hold, the one before it. The others are left for later.
    fn newest(&mut self, seal: &Seal, mut claims: Vec<Claim>, restored: &mut Restored) {
        loop {
            let mut tried: BTreeSet<Holding> = self.readings.keys().copied().collect();
            let (newest, older): (Vec<Claim>, Vec<Claim>) =
                claims.into_iter().partition(|claim| tried.insert(claim.holding));
            if newest.is_empty() {
                for claim in older {
                    self.readings.entry(claim.holding).or_default().push(claim.anchor.hash());
                    restored.older.entry(claim.holding).or_default().push(claim);
                }
                return;
            }
            self.check(seal, &newest, &mut restored.readings);
            claims = older;
        }
    }

    /// Walks the proofs of `claims`; those at one block together, nodes that they share once.
    fn check(&mut self, seal: &Seal, claims: &[Claim], readings: &mut Vec<Candidate>) {
        for of_block in claims.chunk_by(|one, other| one.anchor.hash() == other.anchor.hash()) {
            let Some(root) = of_block.first().map(|claim| claim.anchor.state_root()) else { continue };
            let opened: Vec<(&Claim, Opened)> =
                of_block.iter().filter_map(|claim| Some((claim, claim.open(seal)?))).collect();
            if opened.len() < of_block.len() {
                self.note(StorageFault::Damaged);
            }
            let proofs: Vec<(Address, &[Bytes])> =
                opened.iter().map(|(claim, opened)| (claim.holding.owner, opened.nodes.as_slice())).collect();
            let accounts = verify_accounts(root, &proofs);
            for ((claim, opened), account) in opened.iter().zip(accounts) {
                match claim.join(opened.provider.clone(), account) {
                    Ok(proven) => {
                        self.readings.insert(claim.holding, vec![claim.anchor.hash()]);
                        readings.push(proven);
                    }
                    Err(fault) => self.note(fault),
                }
            }
        }
    }

    fn light_client(
        &mut self,
        snapshot: &[u8],
        network: &Arc<Network>,
        now: UnixTime,
    ) -> Option<LightClient> {
        match LightClient::load(snapshot, Arc::clone(network), now) {
            Ok(client) => {
                self.light_client = Some(Progress::of(&client));
                Some(client)
            }
            Err(error) => {
                // At another time, or with another table or version, it may be good.
                self.leaves_light_client = matches!(
                    error,
                    SnapshotError::TooOld { .. } | SnapshotError::Schedule(_) | SnapshotError::Version { .. }
                );
                self.note(StorageFault::LightClient(error));
                None
            }
        }
    }

    fn block(&mut self, hash: B256, bytes: &[u8], chain_id: u64) {
        match Anchor::load(bytes, chain_id) {
            Ok(anchor) if anchor.hash() == hash => {
                self.blocks.insert(hash, anchor);
            }
            Ok(_) => self.note(StorageFault::Block(StoredAnchorError::Malformed)),
            Err(error) => self.note(StorageFault::Block(error)),
        }
    }
}
