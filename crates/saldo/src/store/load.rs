//! Taking back what was kept, as far as it can be checked again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, B256, Bytes};
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{LightClient, Network};
use saldo_chain::{Anchor, StoredAnchorError};
use saldo_proof::verify_accounts;
use saldo_reading::{Holding, Proven, ProviderId, join};

use super::form::{self, First, Knowledge, Name, Proof};
use super::seal::Seal;
use super::{Kept, Progress, Store};
use crate::storage::{Storage, StorageFault, StorageKey, StorageRefusal};

/// What was taken back.
#[derive(Default)]
pub(crate) struct Restored {
    pub(crate) light_client: Option<LightClient>,
    /// Lowest block first.
    pub(crate) readings: Vec<Proven>,
    pub(crate) knowledge: Knowledge,
}

/// A reading as it was kept.
struct Claim {
    holding: Holding,
    provider: ProviderId,
    nodes: Vec<Bytes>,
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
        let mut kept = Kept::default();
        let all = storage.all().unwrap_or_else(|error| {
            kept.note(StorageFault::Unreadable(error));
            Vec::new()
        });
        let restored = kept.take_back(&seal, &all, network, now)?;
        Ok((Self { storage, seal, kept: Mutex::new(kept) }, restored))
    }
}

impl Kept {
    fn take_back(
        &mut self,
        seal: &Seal,
        all: &[(String, Vec<u8>)],
        network: &Arc<Network>,
        now: UnixTime,
    ) -> Result<Restored, StorageRefusal> {
        self.names = all.iter().map(|(name, _)| name.clone()).collect();
        if all.is_empty() {
            return Ok(Restored::default());
        }
        let first = all.iter().find(|(name, _)| name == form::FIRST);
        let first = first.and_then(|(name, value)| form::format(seal.open(name, value)?));
        let Some((got, rest)) = first else {
            self.note(StorageFault::AllDropped);
            return Ok(Restored::default());
        };
        if got > form::FORMAT {
            return Err(StorageRefusal::NewerFormat { got, known: form::FORMAT });
        }
        let Some(of) = form::exactly::<First>(rest, rest.len()) else {
            self.note(StorageFault::AllDropped);
            return Ok(Restored::default());
        };
        if of != First::of(network) {
            return Err(StorageRefusal::OtherNetwork { got: of.chain_id, expected: network.chain_id() });
        }
        let mut restored = Restored::default();
        let mut claims: BTreeMap<B256, Vec<Claim>> = BTreeMap::new();
        for (name, sealed) in all {
            match (Name::parse(name), seal.open(name, sealed)) {
                (Some(Name::First), _) => {}
                (Some(Name::LightClient), Some(snapshot)) => {
                    restored.light_client = self.light_client(snapshot, network, now);
                }
                (Some(Name::Knowledge), Some(knowledge)) => match Knowledge::load(knowledge) {
                    Some(knowledge) => restored.knowledge = knowledge,
                    None => self.note(StorageFault::Damaged),
                },
                (Some(Name::Block(hash)), Some(block)) => self.block(hash, block, network.chain_id()),
                (Some(Name::Reading(holding, block)), Some(proof)) => {
                    let claim = Proof::load(proof).and_then(|Proof { provider, nodes }| {
                        Some(Claim { holding, provider: ProviderId::new(&provider)?, nodes })
                    });
                    match claim {
                        Some(claim) => claims.entry(block).or_default().push(claim),
                        None => self.note(StorageFault::Damaged),
                    }
                }
                (None, _) | (_, None) => self.note(StorageFault::Damaged),
            }
        }
        for (block, claims) in claims {
            self.readings(block, &claims, &mut restored.readings);
        }
        restored.readings.sort_by_key(|proven| proven.anchor().number());
        for proven in restored.readings.iter().rev() {
            self.readings.entry(*proven.holding()).or_default().push(proven.anchor().hash());
        }
        self.circles = restored.knowledge.circles.iter().map(|circle| circle.operators.len()).sum();
        Ok(restored)
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

    /// Walks the proofs of the readings at one block under its header, nodes that they share once, and joins them with it.
    fn readings(&mut self, block: B256, claims: &[Claim], readings: &mut Vec<Proven>) {
        let Some(anchor) = self.blocks.get(&block).cloned() else {
            for Claim { holding, .. } in claims {
                self.note(StorageFault::BlockMissing { holding: *holding, block });
            }
            return;
        };
        let proofs: Vec<(Address, &[Bytes])> =
            claims.iter().map(|claim| (claim.holding.owner, claim.nodes.as_slice())).collect();
        for (claim, account) in claims.iter().zip(verify_accounts(anchor.state_root(), &proofs)) {
            let Claim { holding, provider, .. } = claim;
            match account {
                Ok(account) => {
                    let joined = join(*holding, anchor.chain_id(), &account, &anchor, provider.clone());
                    readings.extend(joined.map(Proven::as_restored));
                }
                Err(error) => self.note(StorageFault::Reading { holding: *holding, error }),
            }
        }
    }
}
