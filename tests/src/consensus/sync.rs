//! `light_client/sync`: a client follows a chain, and after each step its heads are those of the executable spec.

use std::collections::BTreeMap;
use std::path::Path;

use alloy_primitives::{B256, hex};
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::Slot;
use saldo_beacon::{
    AdvanceError, Checkpoint, LightClient, LightClientHeader, LightClientUpdate, Network, ScheduledFork,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Counts, count, execution_root, network, ssz, yaml};
use crate::spec_store::SpecStore;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    genesis_validators_root: B256,
    trusted_block_root: B256,
    bootstrap_fork_digest: String,
    /// Until version 1.6 the digest, since then the version. saldo's client has one form for all forks.
    #[serde(alias = "store_fork_digest", rename = "store_fork_version")]
    _store_fork: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Step {
    ProcessUpdate(ProcessUpdate),
    ForceUpdate(ForceUpdate),
    UpgradeStore(UpgradeStore),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessUpdate {
    update_fork_digest: String,
    update: String,
    current_slot: u64,
    checks: Checks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForceUpdate {
    current_slot: u64,
    checks: Checks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpgradeStore {
    #[serde(alias = "store_fork_digest", rename = "store_fork_version")]
    _store_fork: IgnoredAny,
    checks: Checks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    finalized_header: HeaderCheck,
    optimistic_header: HeaderCheck,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderCheck {
    slot: u64,
    beacon_root: B256,
    execution_root: Option<B256>,
}

/// The specification's store and saldo's client, which follow the same steps.
struct Pair {
    network: Network,
    spec: SpecStore,
    client: LightClient,
    /// All received headers, by their beacon roots.
    headers: BTreeMap<B256, LightClientHeader>,
    /// saldo's client refused an update with too few signers, and may be behind after that.
    refused: bool,
}

pub(super) fn run(folder: &Path, counts: &mut Counts) {
    let meta: Meta = yaml(&folder.join("meta.yaml"));
    let network = network(folder, meta.genesis_validators_root);
    let label = fork_of_digest(&meta.bootstrap_fork_digest, &network);
    let bytes = ssz(folder, "bootstrap");
    let bootstrap = decode::bootstrap(&bytes, Encoding::Ssz, label.as_deref(), &network).unwrap();
    let now = network.slot_start(bootstrap.header.beacon.slot);
    let checkpoint = Checkpoint { root: meta.trusted_block_root, slot: None };
    let mut pair = Pair {
        spec: SpecStore::new(network.clone(), meta.trusted_block_root, bootstrap.clone()).unwrap(),
        headers: [(meta.trusted_block_root, bootstrap.header.clone())].into(),
        client: LightClient::bootstrap(network.clone(), checkpoint, bootstrap, now).unwrap(),
        network,
        refused: false,
    };
    for step in yaml::<Vec<Step>>(&folder.join("steps.yaml")) {
        let checks = match step {
            Step::ProcessUpdate(step) => {
                count(counts, "sync: updates");
                pair.process(folder, &step, counts);
                step.checks
            }
            Step::ForceUpdate(step) => {
                count(counts, "sync: forced updates");
                let slot = Slot::new(step.current_slot);
                pair.spec.force_update(slot).unwrap();
                pair.client.force_update(pair.network.slot_start(slot));
                step.checks
            }
            Step::UpgradeStore(step) => {
                count(counts, "sync: upgrades");
                step.checks
            }
        };
        pair.check(&checks);
    }
    count(counts, "sync");
}

impl Pair {
    fn process(&mut self, folder: &Path, step: &ProcessUpdate, counts: &mut Counts) {
        let update = framed_update(folder, &step.update, &step.update_fork_digest, &self.network);
        let headers = [Some(&update.attested_header), update.finalized_header()];
        for header in headers.into_iter().flatten() {
            self.headers.insert(header.beacon.hash_tree_root(), header.clone());
        }
        let slot = Slot::new(step.current_slot);
        self.spec.process(&update, slot).unwrap_or_else(|broken| panic!("{}: {broken}", folder.display()));
        match self.client.advance(update, self.network.slot_start(slot)) {
            Ok(_) => {}
            Err(AdvanceError::TooFewSigners { .. }) => {
                self.refused = true;
                count(counts, "sync: updates below two thirds");
            }
            Err(_) if self.refused => count(counts, "sync: updates after one below two thirds"),
            Err(error) => panic!("{}: {error}", folder.display()),
        }
    }

    fn check(&self, checks: &Checks) {
        self.check_header(&self.spec.finalized_header, &checks.finalized_header);
        self.check_header(&self.spec.optimistic_header, &checks.optimistic_header);
        if self.refused {
            let newest = self.client.signed_head().map_or(Slot::new(0), |head| head.slot());
            assert!(newest <= self.spec.optimistic_header.beacon.slot);
            assert!(self.client.finalized_head().slot() <= self.spec.finalized_header.beacon.slot);
            return;
        }
        let finalized = self.client.finalized_head();
        // The spec's store starts with the checkpoint as its optimistic header, which is not signed.
        let (root, execution) = match self.client.signed_head() {
            Some(head) => (head.beacon_root(), head.execution()),
            None => (finalized.beacon_root(), finalized.execution()),
        };
        assert_eq!(finalized.beacon_root(), checks.finalized_header.beacon_root);
        assert_eq!(finalized.execution(), &self.headers[&finalized.beacon_root()].execution);
        assert_eq!(root, checks.optimistic_header.beacon_root);
        assert_eq!(execution, &self.headers[&root].execution);
    }

    fn check_header(&self, header: &LightClientHeader, check: &HeaderCheck) {
        assert_eq!(header.beacon.slot.get(), check.slot);
        assert_eq!(header.beacon.hash_tree_root(), check.beacon_root);
        // A store of Altair or Bellatrix has no execution root.
        let root = execution_root(header, &self.network);
        assert_eq!(check.execution_root.unwrap_or_default(), root);
    }
}

/// Decodes an update inside a frame of `/updates`, so that its digest is tested too.
pub(super) fn framed_update(folder: &Path, name: &str, digest: &str, network: &Network) -> LightClientUpdate {
    let bytes = ssz(folder, name);
    let length = u64::try_from(bytes.len() + 4).unwrap();
    let digest: [u8; 4] = hex::decode_to_array(digest).unwrap();
    let frame = [&length.to_le_bytes()[..], &digest, &bytes].concat();
    let mut updates = decode::updates(&frame, Encoding::Ssz, network).unwrap();
    assert_eq!(updates.len(), 1);
    updates.remove(0)
}

/// The name of the fork with that digest, if the schedule has it.
pub(super) fn fork_of_digest(digest: &str, network: &Network) -> Option<String> {
    let digest: [u8; 4] = hex::decode_to_array(digest).unwrap();
    let starts = network.forks().iter().filter_map(ScheduledFork::epoch);
    let blobs = network.blob_schedule().iter().map(|blobs| blobs.epoch);
    let epoch = starts.chain(blobs).find(|epoch| network.fork_digest(*epoch) == digest)?;
    let scheduled = network.forks().iter().rfind(|fork| fork.epoch().is_some_and(|start| start <= epoch))?;
    Some(scheduled.name().to_owned())
}
