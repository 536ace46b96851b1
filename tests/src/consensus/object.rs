//! `ssz_static`: objects hash as in the executable spec, and decode to the same values from SSZ and from JSON.

use std::str::FromStr;

use alloy_primitives::{B256, U256, hex};
use saldo_beacon::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use saldo_beacon::decode::{self, DecodeError, Encoding};
use saldo_beacon::merkle::merkleize;
use saldo_beacon::signature::{compute_fork_data_root, compute_signing_root};
use saldo_beacon::unit::Slot;
use saldo_beacon::{Execution, LightClientHeader, LightClientUpdate, Network};
use serde::Deserialize;
use serde_json::Value;

use super::{Case, Counts, count, network_on, ssz, yaml};
use crate::beacon_opinion;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roots {
    root: B256,
}

pub(super) fn run(case: &Case, counts: &mut Counts) {
    // Bellatrix' payload header is in no light-client object, and its layout differs from all later ones.
    if (case.fork.as_str(), case.handler.as_str()) == ("bellatrix", "ExecutionPayloadHeader") {
        return count(counts, "ssz_static: not of light clients");
    }
    let network = network_on(&case.fork, &case.preset);
    let value = beacon_json(yaml(&case.folder.join("value.yaml")));
    let Roots { root } = yaml(&case.folder.join("roots.yaml"));
    assert_eq!(root_of(&case.handler, &value, network.sync_committee_size()), root);
    count(counts, "ssz_static");
    let bytes = ssz(&case.folder, "serialized");
    if !matches!(case.handler.as_str(), "ForkData" | "SigningData") {
        let size = network.sync_committee_size();
        assert_eq!(beacon_opinion::root(&case.handler, &case.fork, size, &bytes), Ok(root));
        count(counts, "ssz_static: as the second opinion");
    }
    match decodes(&case.handler, &bytes, &value, &case.fork, &network) {
        Some(Decoded::Same) => count(counts, "ssz_static: decoded"),
        Some(Decoded::Unproven) => count(counts, "ssz_static: refused, since a part is unproven"),
        None => {}
    }
}

/// YAML as the beacon API's JSON: every number is a decimal string.
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

/// A header has only the beacon header, or also a payload header and a branch, or a hash and a branch.
fn header_root(value: &Value) -> B256 {
    let beacon = beacon_header(&value["beacon"]).hash_tree_root();
    let execution = match value.get("execution") {
        Some(payload) => execution_header(payload).hash_tree_root(),
        None if value.get("execution_block_hash").is_some() => field(value, "execution_block_hash"),
        None => return beacon,
    };
    vector_root(&[beacon, execution, vector_root(&roots(&value["execution_branch"]))])
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

/// The root of an object from its values, built from saldo's containers.
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
    let execution = match value.get("execution") {
        Some(payload) => Execution::Header(execution_header(payload)),
        None if value.get("execution_block_hash").is_some() => {
            Execution::Hash(field(value, "execution_block_hash"))
        }
        None => Execution::Absent,
    };
    assert_eq!(decoded.beacon, beacon_header(&value["beacon"]));
    assert_eq!(decoded.execution, execution);
    assert_eq!(decoded.execution_branch, value.get("execution_branch").map(roots).unwrap_or_default());
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

/// Whether the finality branch is all zero, or the finalized header has slot 0.
///
/// Source: `validate_light_client_update`, consensus-specs `altair/light-client/sync-protocol.md`.
fn has_no_proof_or_slot(value: &Value) -> bool {
    let slot: Slot = field(&value["finalized_header"]["beacon"], "slot");
    roots(&value["finality_branch"]).iter().all(B256::is_zero) || slot == Slot::new(0)
}

#[test]
fn only_a_header_without_proof_or_of_slot_0_may_be_unproven() {
    let object = |slot: &str, root: u8| {
        let branch = [B256::ZERO, B256::repeat_byte(root)];
        serde_json::json!({ "finalized_header": { "beacon": { "slot": slot } }, "finality_branch": branch })
    };
    assert!(has_no_proof_or_slot(&object("0", 0)));
    assert!(has_no_proof_or_slot(&object("0", 1)));
    assert!(has_no_proof_or_slot(&object("8", 0)));
    assert!(!has_no_proof_or_slot(&object("8", 1)));
}

/// The result of decoding an object that servers send, in both encodings; `None` if it is only a part of objects.
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
            // The spec refuses a finalized header without proof, and one of slot 0 that is not empty.
            Err(DecodeError::Unproven { field: "finalized_header" }) => {
                assert!(has_no_proof_or_slot(value), "{object} is refused as unproven");
                return Some(Decoded::Unproven);
            }
            Err(error) => panic!("{object}: {error}"),
        }
        Some(Decoded::Same)
    });
    assert_eq!(outcome[0], outcome[1], "SSZ and JSON differ");
    outcome[0]
}
