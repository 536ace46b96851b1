//! The consensus specification's own vectors: syncing, proofs, ranking and hashing agree with the executable spec.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use alloy_primitives::{B256, U256, hex};
use saldo_beacon::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use saldo_beacon::decode::{self, DecodeError, Encoding};
use saldo_beacon::merkle::{branch_is_valid, merkleize};
use saldo_beacon::signature::{compute_fork_data_root, compute_signing_root};
use saldo_beacon::unit::{Epoch, Slot};
use saldo_beacon::{
    Checkpoint, Execution, Fork, LightClient, LightClientHeader, LightClientUpdate, Network, UnknownFork,
};
use saldo_tests::beacon::network_of_config;
use serde::Deserialize;
use serde_json::Value;

/// Forks whose light-client types cannot be read yet.
const WAITING: [&str; 0] = [];
/// A fork that has no name in this version; only a proof of its block body is among the vectors.
const UNKNOWN: &str = "heze";

/// When the chains of the vectors begin, in seconds; nothing depends on it.
const GENESIS_TIME: u64 = 1_578_009_900;

fn tests() -> Option<PathBuf> {
    saldo_tests::vectors("consensus/spec-tests-generated-v1.7.0-beta.4/tests")
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn yaml<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap();
    let value: Value = serde_yaml_ng::from_str(&text).unwrap();
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn ssz(path: &Path) -> Vec<u8> {
    let compressed = std::fs::read(path).unwrap();
    snap::raw::Decoder::new().decompress_vec(&compressed).unwrap()
}

/// A network that is on one fork from genesis on.
fn network_of(fork: &str, preset: &str) -> Network {
    let mut config =
        serde_json::json!({ "PRESET_BASE": preset, "SLOT_DURATION_MS": 6000, "GENESIS_FORK_VERSION": 1 });
    for (index, known) in Fork::ALL.into_iter().enumerate() {
        let key = known.name().to_uppercase();
        config[format!("{key}_FORK_VERSION")] = (((index + 1) << 24) + 1).into();
        let is_past = known <= Fork::from_name(fork).unwrap();
        config[format!("{key}_FORK_EPOCH")] = if is_past { 0_u64 } else { u64::MAX }.into();
    }
    config["MAX_BLOBS_PER_BLOCK_ELECTRA"] = 9.into();
    network_of_config(&config, GENESIS_TIME, B256::ZERO)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    genesis_validators_root: B256,
    trusted_block_root: B256,
    bootstrap_fork_digest: String,
    store_fork_version: String,
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
    store_fork_version: String,
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

fn digest(text: &str) -> [u8; 4] {
    hex::decode_to_array(text).unwrap()
}

/// The fork a digest of the vectors names.
fn label(text: &str, network: &Network) -> &'static str {
    let epoch = (0..64).find(|epoch| network.fork_digest(Epoch::new(*epoch)) == digest(text));
    let slot = epoch.unwrap_or_else(|| panic!("no fork has digest {text}")) * network.slots_per_epoch();
    network.fork_at(Slot::new(slot)).unwrap().name()
}

fn check(client: &LightClient, checks: &Checks, store_is_gloas: bool) {
    let finalized = client.finalized_head();
    let expected = &checks.finalized_header;
    assert_eq!(finalized.slot().get(), expected.slot);
    assert_eq!(finalized.beacon_root(), expected.beacon_root);
    let root = |execution: Option<&ExecutionPayloadHeader>| {
        Some(execution.map(ExecutionPayloadHeader::hash_tree_root).unwrap_or_default())
    };
    // A store of Gloas keeps the block hash alone, and hashes that.
    if !store_is_gloas && expected.execution_root.is_some() {
        assert_eq!(root(finalized.execution().header()), expected.execution_root);
    }
    // The spec's store begins with the checkpoint as its optimistic header, which nobody has signed.
    let expected = &checks.optimistic_header;
    let (slot, beacon_root, execution) = match client.signed_head() {
        Some(head) => (head.slot(), head.beacon_root(), head.execution().header()),
        None => (finalized.slot(), finalized.beacon_root(), finalized.execution().header()),
    };
    assert_eq!(slot.get(), expected.slot);
    assert_eq!(beacon_root, expected.beacon_root);
    if !store_is_gloas && expected.execution_root.is_some() {
        assert_eq!(root(execution), expected.execution_root);
    }
}

/// Reads an update out of the frame of `/updates`, so that its digest is part of the test.
fn framed_update(
    case: &Path,
    step: &ProcessUpdate,
    network: &Network,
) -> Result<LightClientUpdate, DecodeError> {
    let bytes = ssz(&case.join(format!("{}.ssz_snappy", step.update)));
    let length = u64::try_from(bytes.len() + 4).unwrap();
    let frame = [&length.to_le_bytes()[..], &digest(&step.update_fork_digest), &bytes].concat();
    let mut updates = decode::updates(&frame, Encoding::Ssz, network)?;
    assert_eq!(updates.len(), 1);
    Ok(updates.remove(0))
}

/// Counts of steps: processed, forced, upgraded.
type Steps = [usize; 3];

/// Runs a sync test; an error is the fork that it cannot read.
fn sync(case: &Path) -> Result<Steps, UnknownFork> {
    let unknown = |error: DecodeError| match error {
        DecodeError::UnknownFork(fork) => fork,
        other => panic!("{}: {other}", case.display()),
    };
    let meta: Meta = yaml(&case.join("meta.yaml"));
    let network =
        network_of_config(&yaml(&case.join("config.yaml")), GENESIS_TIME, meta.genesis_validators_root);
    let bytes = ssz(&case.join("bootstrap.ssz_snappy"));
    let label = label(&meta.bootstrap_fork_digest, &network);
    let bootstrap = decode::bootstrap(&bytes, Encoding::Ssz, Some(label), &network).map_err(unknown)?;
    let now = network.slot_start(bootstrap.header.beacon.slot);
    let checkpoint = Checkpoint { root: meta.trusted_block_root, slot: None };
    let mut client = LightClient::bootstrap(network.clone(), checkpoint, bootstrap, now).unwrap();
    let is_gloas = |version: &str| version == "0x07000001";
    let mut store_is_gloas = is_gloas(&meta.store_fork_version);
    let mut steps = Steps::default();
    for step in yaml::<Vec<Step>>(&case.join("steps.yaml")) {
        let checks = match step {
            Step::ProcessUpdate(step) => {
                steps[0] += 1;
                let update = framed_update(case, &step, &network).map_err(unknown)?;
                client.advance(update, network.slot_start(Slot::new(step.current_slot))).unwrap();
                step.checks
            }
            Step::ForceUpdate(step) => {
                steps[1] += 1;
                client.force_update(network.slot_start(Slot::new(step.current_slot)));
                step.checks
            }
            // The client has one shape for all forks, so there is nothing to upgrade.
            Step::UpgradeStore(step) => {
                steps[2] += 1;
                store_is_gloas = is_gloas(&step.store_fork_version);
                step.checks
            }
        };
        check(&client, &checks, store_is_gloas);
    }
    Ok(steps)
}

#[test]
fn syncing_follows_the_spec() {
    let Some(tests) = tests() else { return };
    let (mut passed, mut waiting, mut steps) = (0, 0, Steps::default());
    for preset in children(&tests) {
        for fork in children(&preset) {
            for case in children(&fork.join("light_client/sync/pyspec_tests")) {
                let test = format!("{}/{}", name(&fork), name(&case));
                println!("{} {test}", name(&preset));
                let waits = WAITING.contains(&name(&fork));
                match sync(&case) {
                    Ok(done) => {
                        assert!(!waits, "{test} passes: take it off the list");
                        passed += 1;
                        steps.iter_mut().zip(done).for_each(|(sum, done)| *sum += done);
                    }
                    Err(fork) => {
                        assert!(waits && WAITING.contains(&fork.name()), "{test}: {fork}");
                        waiting += 1;
                    }
                }
            }
        }
    }
    assert_eq!((passed, waiting, steps), (45, 0, [141, 19, 3]));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MerkleProof {
    leaf: B256,
    leaf_index: u64,
    branch: Vec<B256>,
}

/// The state or body itself is not read here, so its root is taken from the branch; what is tested is that the indices
/// and depths of our table are those of the executable spec.
#[test]
fn the_table_of_forks_has_the_indices_of_the_spec() {
    let Some(tests) = tests() else { return };
    let (mut passed, mut unknown) = (0, 0);
    for preset in children(&tests) {
        for fork in children(&preset) {
            let Some(rules) = Fork::from_name(name(&fork)).map(Fork::rules) else {
                assert_eq!(name(&fork), UNKNOWN);
                unknown += children(&fork.join("light_client/single_merkle_proof/BeaconBlockBody")).len();
                continue;
            };
            for object in children(&fork.join("light_client/single_merkle_proof")) {
                for case in children(&object) {
                    let proof: MerkleProof = yaml(&case.join("proof.yaml"));
                    let expected = match name(&case) {
                        "current_sync_committee_merkle_proof" => rules.current_sync_committee,
                        "next_sync_committee_merkle_proof" => rules.next_sync_committee,
                        "finality_root_merkle_proof" => rules.finalized_root,
                        "execution_merkle_proof" | "execution_block_hash_merkle_proof" => {
                            rules.execution.unwrap()
                        }
                        other => panic!("no such proof: {other}"),
                    };
                    assert_eq!(proof.leaf_index, expected, "{}", case.display());
                    let siblings = proof.branch.iter().enumerate();
                    let root = siblings.fold(proof.leaf, |node, (level, sibling)| {
                        let pair =
                            if expected >> level & 1 == 1 { [*sibling, node] } else { [node, *sibling] };
                        merkleize(&pair, 1)
                    });
                    assert!(branch_is_valid(proof.leaf, &proof.branch, expected, root));
                    let is_twin = proof.branch.first() == Some(&proof.leaf);
                    assert_eq!(branch_is_valid(proof.leaf, &proof.branch, expected ^ 1, root), is_twin);
                    passed += 1;
                }
            }
        }
    }
    assert_eq!((passed, unknown), (52, 2));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ranking {
    updates_count: usize,
}

#[test]
fn updates_rank_as_in_the_spec() {
    let Some(tests) = tests() else { return };
    let (mut passed, mut waiting) = (0, 0);
    for preset in children(&tests) {
        for fork in children(&preset) {
            for case in children(&fork.join("light_client/update_ranking/pyspec_tests")) {
                let network = network_of(name(&fork), name(&preset));
                let Ranking { updates_count } = yaml(&case.join("meta.yaml"));
                let read = |index| {
                    let bytes = ssz(&case.join(format!("updates_{index}.ssz_snappy")));
                    decode::update(&bytes, Encoding::Ssz, Some(name(&fork)), &network)
                };
                if WAITING.contains(&name(&fork)) {
                    let expected = UnknownFork::named(name(&fork));
                    assert!(matches!(read(0), Err(DecodeError::UnknownFork(fork)) if fork == expected));
                    waiting += 1;
                    continue;
                }
                let updates: Vec<LightClientUpdate> =
                    (0..updates_count).map(|index| read(index).unwrap()).collect();
                for (index, better) in updates.iter().enumerate() {
                    for worse in updates.iter().skip(index + 1) {
                        assert!(better.is_better_than(worse, &network), "{} {index}", case.display());
                        assert!(!worse.is_better_than(better, &network), "{} {index}", case.display());
                    }
                }
                passed += 1;
            }
        }
    }
    assert_eq!((passed, waiting), (7, 0));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roots {
    root: B256,
}

/// YAML as the JSON of the beacon API: every number a decimal string.
fn beacon_json(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(items) => items.into_iter().map(beacon_json).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, field)| (name, beacon_json(field))).collect(),
        other => other,
    }
}

fn field<T: FromStr>(value: &Value, name: &str) -> T
where
    T::Err: core::fmt::Debug,
{
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).parse().unwrap()
}

fn beacon_header(value: &Value) -> BeaconBlockHeader {
    BeaconBlockHeader {
        slot: field(value, "slot"),
        proposer_index: field(value, "proposer_index"),
        parent_root: field(value, "parent_root"),
        state_root: field(value, "state_root"),
        body_root: field(value, "body_root"),
    }
}

fn execution_header(value: &Value) -> ExecutionPayloadHeader {
    let optional = |name| value.get(name).map(|_| field::<u64>(value, name));
    ExecutionPayloadHeader {
        parent_hash: field(value, "parent_hash"),
        fee_recipient: field(value, "fee_recipient"),
        state_root: field(value, "state_root"),
        receipts_root: field(value, "receipts_root"),
        logs_bloom: field(value, "logs_bloom"),
        prev_randao: field(value, "prev_randao"),
        block_number: field(value, "block_number"),
        gas_limit: field(value, "gas_limit"),
        gas_used: field(value, "gas_used"),
        timestamp: field(value, "timestamp"),
        extra_data: field(value, "extra_data"),
        base_fee_per_gas: field::<U256>(value, "base_fee_per_gas"),
        block_hash: field(value, "block_hash"),
        transactions_root: field(value, "transactions_root"),
        withdrawals_root: field(value, "withdrawals_root"),
        blob_gas_used: optional("blob_gas_used"),
        excess_blob_gas: optional("excess_blob_gas"),
    }
}

fn committee(value: &Value) -> SyncCommittee {
    let keys = value["pubkeys"].as_array().unwrap();
    SyncCommittee {
        pubkeys: keys.iter().map(|key| key.as_str().unwrap().parse().unwrap()).collect(),
        aggregate_pubkey: field(value, "aggregate_pubkey"),
    }
}

fn aggregate(value: &Value, size: usize) -> SyncAggregate {
    let bits = hex::decode(value["sync_committee_bits"].as_str().unwrap()).unwrap();
    SyncAggregate { bits, size, signature: field(value, "sync_committee_signature") }
}

fn header_root(value: &Value) -> B256 {
    let branch = roots(&value["execution_branch"]);
    let execution = execution_header(&value["execution"]).hash_tree_root();
    merkleize(&[beacon_header(&value["beacon"]).hash_tree_root(), execution, vector_root(&branch)], 2)
}

fn roots(value: &Value) -> Vec<B256> {
    value.as_array().unwrap().iter().map(|root| root.as_str().unwrap().parse().unwrap()).collect()
}

fn vector_root(items: &[B256]) -> B256 {
    merkleize(items, items.len().next_power_of_two().ilog2())
}

fn slot_root(value: &Value) -> B256 {
    B256::right_padding_from(&field::<u64>(value, "signature_slot").to_le_bytes())
}

/// The root of an object from its value, put together of our containers.
fn root_of(object: &str, value: &Value, size: usize) -> B256 {
    let header = |name| header_root(&value[name]);
    let branch = |name| vector_root(&roots(&value[name]));
    let signed = || [aggregate(&value["sync_aggregate"], size).hash_tree_root(), slot_root(value)];
    let container = |leaves: &[B256]| vector_root(leaves);
    match object {
        "BeaconBlockHeader" => beacon_header(value).hash_tree_root(),
        "ExecutionPayloadHeader" => execution_header(value).hash_tree_root(),
        "SyncCommittee" => committee(value).hash_tree_root(),
        "SyncAggregate" => aggregate(value, size).hash_tree_root(),
        "ForkData" => {
            let version = hex::decode_to_array(value["current_version"].as_str().unwrap()).unwrap();
            compute_fork_data_root(version, field(value, "genesis_validators_root"))
        }
        "SigningData" => compute_signing_root(field(value, "object_root"), field(value, "domain")),
        "LightClientHeader" => header_root(value),
        "LightClientBootstrap" => {
            let current = committee(&value["current_sync_committee"]).hash_tree_root();
            container(&[header("header"), current, branch("current_sync_committee_branch")])
        }
        "LightClientOptimisticUpdate" => container(&[&[header("attested_header")], &signed()[..]].concat()),
        "LightClientFinalityUpdate" => {
            let parts = [header("attested_header"), header("finalized_header"), branch("finality_branch")];
            container(&[&parts[..], &signed()].concat())
        }
        "LightClientUpdate" => {
            let parts = [
                header("attested_header"),
                committee(&value["next_sync_committee"]).hash_tree_root(),
                branch("next_sync_committee_branch"),
                header("finalized_header"),
                branch("finality_branch"),
            ];
            container(&[&parts[..], &signed()].concat())
        }
        other => panic!("no such object: {other}"),
    }
}

fn same_header(decoded: &LightClientHeader, value: &Value) {
    assert_eq!(decoded.beacon, beacon_header(&value["beacon"]));
    assert_eq!(decoded.execution, Execution::Header(execution_header(&value["execution"])));
    assert_eq!(decoded.execution_branch, roots(&value["execution_branch"]));
}

fn same_update(decoded: &LightClientUpdate, value: &Value, size: usize) {
    same_header(&decoded.attested_header, &value["attested_header"]);
    assert_eq!(decoded.sync_aggregate, aggregate(&value["sync_aggregate"], size));
    assert_eq!(decoded.signature_slot, field(value, "signature_slot"));
    let is_zero = |branch: &Value| roots(branch).iter().all(B256::is_zero);
    match (&decoded.finality, value.get("finality_branch")) {
        (Some(part), Some(branch)) => {
            assert_eq!(part.branch, roots(branch));
            same_header(part.header.as_ref().unwrap(), &value["finalized_header"]);
        }
        (part, branch) => assert!(part.is_none() && branch.is_none_or(is_zero)),
    }
    match (&decoded.next_sync_committee, value.get("next_sync_committee_branch")) {
        (Some(part), Some(branch)) => {
            assert_eq!(part.branch, roots(branch));
            assert_eq!(part.committee, committee(&value["next_sync_committee"]));
        }
        (part, branch) => assert!(part.is_none() && branch.is_none_or(is_zero)),
    }
}

/// What became of an object that servers send, in both encodings; `None` if it is only a part of one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Decoded {
    Same,
    Unproven,
}

fn decodes(object: &str, bytes: &[u8], value: &Value, fork: &str, network: &Network) -> Option<Decoded> {
    let json = serde_json::to_vec(&serde_json::json!({ "version": fork, "data": value })).unwrap();
    let size = network.sync_committee_size();
    let outcome = [(bytes, Encoding::Ssz), (json.as_slice(), Encoding::Json)].map(|(bytes, encoding)| {
        let update = match object {
            "LightClientUpdate" => decode::update(bytes, encoding, Some(fork), network),
            "LightClientFinalityUpdate" => decode::finality_update(bytes, encoding, Some(fork), network),
            "LightClientOptimisticUpdate" => decode::optimistic_update(bytes, encoding, Some(fork), network),
            "LightClientBootstrap" => {
                let decoded = decode::bootstrap(bytes, encoding, Some(fork), network).unwrap();
                same_header(&decoded.header, &value["header"]);
                assert_eq!(decoded.current_sync_committee, committee(&value["current_sync_committee"]));
                let branch = roots(&value["current_sync_committee_branch"]);
                assert_eq!(decoded.current_sync_committee_branch, branch);
                return Some(Decoded::Same);
            }
            _ => return None,
        };
        match update {
            Ok(update) => same_update(&update, value, size),
            // All zero but for one byte of extra data: the spec refuses a finalized header that nothing proves.
            Err(DecodeError::Unproven { field: "finalized_header" }) => {
                assert!(roots(&value["finality_branch"]).iter().all(B256::is_zero));
                assert_eq!(value["finalized_header"]["execution"]["extra_data"], "0x00");
                return Some(Decoded::Unproven);
            }
            Err(error) => panic!("{object}: {error}"),
        }
        Some(Decoded::Same)
    });
    assert_eq!(outcome[0], outcome[1], "SSZ and JSON differ");
    outcome[0]
}

#[test]
fn objects_decode_and_hash_as_in_the_spec() {
    let Some(tests) = tests() else { return };
    let (mut hashed, mut decoded, mut unproven) = (0, 0, 0);
    for preset in children(&tests) {
        for fork in children(&preset) {
            if ["altair", "bellatrix", "gloas", UNKNOWN].contains(&name(&fork)) {
                continue;
            }
            let network = network_of(name(&fork), name(&preset));
            for object in children(&fork.join("ssz_static")) {
                for case in children(&object).iter().flat_map(|suite| children(suite)) {
                    let value = beacon_json(yaml(&case.join("value.yaml")));
                    let Roots { root } = yaml(&case.join("roots.yaml"));
                    let got = root_of(name(&object), &value, network.sync_committee_size());
                    assert_eq!(got, root, "{}", case.display());
                    hashed += 1;
                    let bytes = ssz(&case.join("serialized.ssz_snappy"));
                    let outcome = decodes(name(&object), &bytes, &value, name(&fork), &network);
                    decoded += usize::from(outcome == Some(Decoded::Same));
                    unproven += usize::from(outcome == Some(Decoded::Unproven));
                }
            }
        }
    }
    assert_eq!((hashed, decoded, unproven), (528, 184, 8));
}

/// A digest that is not in the schedule, as after a change of the blob parameters alone, does not hide an update.
#[test]
fn an_unscheduled_digest_is_read_by_slot() {
    let Some(tests) = tests() else { return };
    let case = tests.join("minimal/fulu/light_client/sync/pyspec_tests/light_client_sync");
    let meta: Meta = yaml(&case.join("meta.yaml"));
    let network =
        network_of_config(&yaml(&case.join("config.yaml")), GENESIS_TIME, meta.genesis_validators_root);
    let steps: Vec<Step> = yaml(&case.join("steps.yaml"));
    let Some(Step::ProcessUpdate(mut step)) = steps.into_iter().next() else {
        panic!("no update comes first")
    };
    let known = framed_update(&case, &step, &network).unwrap();
    step.update_fork_digest = "0x01020304".into();
    assert_eq!(framed_update(&case, &step, &network).unwrap(), known);
    step.update_fork_digest = hex::encode_prefixed(network.fork_digest(Epoch::new(0)));
    assert_eq!(framed_update(&case, &step, &network).unwrap(), known);
}
