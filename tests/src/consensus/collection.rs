//! `light_client/data_collection`: what a full node would serve at every head. All of it decodes and verifies, and
//! leads from the oldest bootstrap to the named head: the specification's store even with one signer of 32, saldo's
//! client with two thirds.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::Slot;
use saldo_beacon::{AdvanceError, Checkpoint, LightClient, LightClientBootstrap, LightClientUpdate, Network};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::sync::{fork_of_digest, framed_update};
use super::{Case, Counts, count, network, ssz, yaml};
use crate::spec_store::SpecStore;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Step {
    NewBlock(Data),
    NewHead(NewHead),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewHead {
    #[serde(rename = "head_block_root")]
    _head_block_root: B256,
    checks: Checks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    fork_digest: String,
    data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    #[serde(rename = "latest_finalized_checkpoint")]
    _latest_finalized_checkpoint: IgnoredAny,
    bootstraps: Vec<Bootstrap>,
    best_updates: Vec<BestUpdate>,
    latest_finality_update: Option<Data>,
    latest_optimistic_update: Option<Data>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bootstrap {
    block_root: B256,
    bootstrap: Option<Data>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BestUpdate {
    period: u64,
    update: Option<Data>,
}

struct Collection<'a> {
    case: &'a Case,
    network: Network,
    /// The signature slots by the parent block that they sign.
    signers: BTreeMap<B256, BTreeSet<u64>>,
}

/// The specification's store and saldo's client, started from one bootstrap.
struct Follower {
    spec: SpecStore,
    client: LightClient,
}

impl Follower {
    /// Whether each of the two verified the update or knew it already. The chains of the reorg cases never finalize,
    /// so both must be forced.
    fn advance(&mut self, update: &LightClientUpdate, now: Slot) -> [bool; 2] {
        [self.advance_spec(update, now), self.advance_client(update, now)]
    }

    fn advance_spec(&mut self, update: &LightClientUpdate, now: Slot) -> bool {
        let mut outcome = self.spec.process(update, now);
        while outcome == Err("period of the signature") {
            let before = self.spec.finalized_header.beacon.slot;
            self.spec.force_update(now).unwrap();
            if self.spec.finalized_header.beacon.slot == before {
                break;
            }
            outcome = self.spec.process(update, now);
        }
        match outcome {
            Ok(()) | Err("relevance") => true,
            Err("period of the signature") => false,
            Err(broken) => panic!("{broken}"),
        }
    }

    fn advance_client(&mut self, update: &LightClientUpdate, now: Slot) -> bool {
        let time = self.client.network().slot_start(now);
        let mut outcome = self.client.advance(update.clone(), time);
        while matches!(outcome, Err(AdvanceError::CommitteeUnknown { .. }))
            && self.client.force_update(time).is_some()
        {
            outcome = self.client.advance(update.clone(), time);
        }
        let (signers, size) = (update.sync_aggregate.signers(), update.sync_aggregate.size);
        match outcome {
            Ok(_) | Err(AdvanceError::NotNewer { .. }) => true,
            Err(AdvanceError::CommitteeUnknown { .. }) => false,
            Err(AdvanceError::TooFewSigners { .. }) if signers * 3 < size * 2 => false,
            Err(error) => panic!("{error}"),
        }
    }
}

pub(super) fn run(case: &Case, counts: &mut Counts) {
    // The state starts with the genesis time and the validators' root.
    let state = ssz(&case.folder, "initial_state");
    let network = network(&case.folder, B256::from_slice(&state[8..40]));
    let mut collection = Collection { case, network, signers: BTreeMap::new() };
    for step in yaml::<Vec<Step>>(&case.folder.join("steps.yaml")) {
        match step {
            Step::NewBlock(block) => collection.add(&ssz(&case.folder, &block.data)),
            Step::NewHead(head) => collection.check(&head.checks, counts),
        }
    }
    count(counts, "data_collection");
}

impl Collection<'_> {
    /// A signed block: an offset and a signature, then slot, proposer and parent.
    fn add(&mut self, block: &[u8]) {
        let slot = u64::from_le_bytes(block[100..108].try_into().unwrap());
        self.signers.entry(B256::from_slice(&block[116..148])).or_default().insert(slot);
    }

    fn check(&self, checks: &Checks, counts: &mut Counts) {
        let served: Vec<_> = checks.bootstraps.iter().filter_map(|entry| self.bootstrap(entry)).collect();
        counts
            .entry("data_collection: bootstraps")
            .and_modify(|sum| *sum += served.len())
            .or_insert(served.len());
        let followers = served.into_iter().map(|(root, served)| self.start(root, served));
        let Some(mut follower) = followers.min_by_key(|follower| follower.client.finalized_head().slot())
        else {
            return;
        };
        let Some(optimistic) = checks.latest_optimistic_update.as_ref().map(|data| self.optimistic(data))
        else {
            return;
        };
        let finality = checks.latest_finality_update.as_ref().map(|data| self.finality(data));
        let (head, now) = (optimistic.attested_header.beacon.hash_tree_root(), optimistic.signature_slot);
        // The genesis block is not part of the case.
        assert!(self.signers.get(&head).is_some_and(|slots| slots.contains(&now.get())));
        let mut most_signers = 0;
        for best in &checks.best_updates {
            let Some(data) = &best.update else { continue };
            let update = framed_update(&self.case.folder, &data.data, &data.fork_digest, &self.network);
            assert_eq!(self.network.period_at(update.attested_slot()).get(), best.period);
            most_signers = most_signers.max(update.sync_aggregate.signers());
            follower.advance(&update, now);
        }
        if let Some(finality) = &finality {
            follower.advance(finality, now);
        }
        let [spec, ours] = follower.advance(&optimistic, now);
        let is_head = follower.spec.optimistic_header.beacon.hash_tree_root() == head;
        match spec {
            true if is_head => count(counts, "data_collection: heads by the specification"),
            // Even the specification accepts no head with less than half the signers of another one.
            true => {
                assert!(optimistic.sync_aggregate.signers() <= most_signers / 2);
                count(counts, "data_collection: heads of too few for the specification");
            }
            false => count(counts, "data_collection: heads after a missing committee update"),
        }
        if ours {
            assert!(spec);
            let known = follower.client.signed_head().map(|signed| signed.beacon_root());
            assert_eq!(known.unwrap_or(follower.client.finalized_head().beacon_root()), head);
            count(counts, "data_collection: heads by two thirds");
        }
    }

    fn bootstrap(&self, entry: &Bootstrap) -> Option<(B256, LightClientBootstrap)> {
        let data = entry.bootstrap.as_ref()?;
        let label = fork_of_digest(&data.fork_digest, &self.network);
        let bytes = ssz(&self.case.folder, &data.data);
        let bootstrap = decode::bootstrap(&bytes, Encoding::Ssz, label.as_deref(), &self.network).unwrap();
        Some((entry.block_root, bootstrap))
    }

    fn start(&self, root: B256, bootstrap: LightClientBootstrap) -> Follower {
        let now = self.network.slot_start(bootstrap.header.beacon.slot);
        let checkpoint = Checkpoint { root, slot: None };
        Follower {
            spec: SpecStore::new(self.network.clone(), root, bootstrap.clone()).unwrap(),
            client: LightClient::bootstrap(self.network.clone(), checkpoint, bootstrap, now).unwrap(),
        }
    }

    fn finality(&self, data: &Data) -> LightClientUpdate {
        let label = fork_of_digest(&data.fork_digest, &self.network);
        let bytes = ssz(&self.case.folder, &data.data);
        decode::finality_update(&bytes, Encoding::Ssz, label.as_deref(), &self.network).unwrap()
    }

    fn optimistic(&self, data: &Data) -> LightClientUpdate {
        let label = fork_of_digest(&data.fork_digest, &self.network);
        let bytes = ssz(&self.case.folder, &data.data);
        decode::optimistic_update(&bytes, Encoding::Ssz, label.as_deref(), &self.network).unwrap()
    }
}
