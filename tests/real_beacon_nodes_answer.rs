//! Answers of real beacon nodes decode, in every encoding and wrapper that they use, and lead to their blocks.

use saldo_beacon::decode::{self, DecodeError, Encoding, SszError};
use saldo_beacon::{AdvanceError, Fault, Finality, LightClientUpdate};
use saldo_tests::beacon::Node;
use serde_json::Value;

/// Nodes that answer in both encodings and label their JSON.
const PYSPEC: [&str; 3] = ["pyspec-ethrex-fulu", "pyspec-ethrex-fulu-mainnetpreset", "pyspec-ejs-electra"];
/// Lodestar 1.5.1: answers always in JSON, and never with a label.
const LODESTAR: [&str; 3] =
    ["lodestar151-ejs-capella", "lodestar151-ejs-capella-empty", "lodestar151-ethrex-capella"];

fn both(node: &Node, name: &str) -> [(Vec<u8>, Encoding); 2] {
    [
        (node.answer(&format!("{name}.json")), Encoding::Json),
        (node.answer(&format!("{name}.ssz")), Encoding::Ssz),
    ]
}

fn heads(node: &Node) -> [LightClientUpdate; 2] {
    let network = &node.network;
    let finality = node.answer("finality_update.json");
    let optimistic = node.answer("optimistic_update.json");
    [
        decode::finality_update(&finality, Encoding::Json, None, network).unwrap(),
        decode::optimistic_update(&optimistic, Encoding::Json, None, network).unwrap(),
    ]
}

#[test]
fn json_and_ssz_decode_to_the_same() {
    for name in PYSPEC {
        let node = Node::captured(name);
        let network = &node.network;
        for bootstrap in node.bootstraps() {
            let [json, ssz] = both(&node, &bootstrap)
                .map(|(bytes, encoding)| decode::bootstrap(&bytes, encoding, None, network).unwrap());
            assert_eq!(json, ssz);
        }
        let [json, ssz] = both(&node, "updates_0_8")
            .map(|(bytes, encoding)| decode::updates(&bytes, encoding, network).unwrap());
        assert_eq!(json, ssz);
        assert!(!json.is_empty());
        let [json, ssz] = both(&node, "finality_update")
            .map(|(bytes, encoding)| decode::finality_update(&bytes, encoding, None, network).unwrap());
        assert_eq!(json, ssz);
        let [json, ssz] = both(&node, "optimistic_update")
            .map(|(bytes, encoding)| decode::optimistic_update(&bytes, encoding, None, network).unwrap());
        assert_eq!(json, ssz);
    }
}

#[test]
fn missing_periods_are_an_empty_list() {
    for name in PYSPEC {
        let node = Node::captured(name);
        for (bytes, encoding) in both(&node, "updates_future") {
            assert_eq!(decode::updates(&bytes, encoding, &node.network).unwrap(), []);
        }
    }
}

#[test]
fn json_in_answer_to_an_ssz_request_is_detected() {
    for name in LODESTAR {
        let node = Node::captured(name);
        let [(json, _), (ssz, _)] = both(&node, "optimistic_update");
        let refusal = decode::optimistic_update(&ssz, Encoding::Ssz, None, &node.network).unwrap_err();
        assert!(matches!(refusal, DecodeError::Ssz(SszError::Offset { .. })), "{refusal}");
        assert_eq!(refusal.fault(), Fault::Source);
        let read = |bytes| decode::optimistic_update(bytes, Encoding::Json, None, &node.network).unwrap();
        assert_eq!(read(&ssz).attested_slot(), read(&json).attested_slot());
    }
}

#[test]
fn lists_without_a_label_are_read_by_slot() {
    let node = Node::captured("lodestar151-ejs-capella");
    let answer = node.answer("updates_0_count=1.json");
    let updates = decode::updates(&answer, Encoding::Json, &node.network).unwrap();
    assert_eq!(updates.len(), 1);
    let execution = updates[0].attested_header.execution.header().unwrap();
    assert_eq!(execution.blob_gas_used, None);
}

#[test]
fn error_bodies_are_not_objects() {
    let mut refused = 0;
    for name in PYSPEC.iter().chain(&LODESTAR) {
        let node = Node::captured(name);
        for entry in std::fs::read_dir(&node.folder).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            if !file.contains(".status") {
                continue;
            }
            let body = node.answer(&file);
            let object = decode::bootstrap(&body, Encoding::Json, None, &node.network);
            assert!(matches!(object, Err(DecodeError::Json(_))), "{file}");
            let list = decode::updates(&body, Encoding::Json, &node.network);
            assert!(matches!(list, Err(DecodeError::Json(_))), "{file}");
            let ssz = decode::update(&body, Encoding::Ssz, None, &node.network);
            assert!(matches!(ssz, Err(DecodeError::Ssz(SszError::Offset { .. }))), "{file}");
            refused += 1;
        }
    }
    assert_eq!(refused, 24);
}

/// From the checkpoint to the blocks that the same node's execution client reports.
#[test]
fn every_node_leads_to_its_blocks() {
    for name in PYSPEC.iter().chain(&LODESTAR) {
        let node = Node::captured(name);
        let mut client = node.client();
        let started_at = client.finalized_head().slot();
        let updates = match name.starts_with("pyspec") {
            true => node.answer("updates_0_8.json"),
            // This node serves updates only for complete periods.
            false => std::fs::read(node.folder.join("updates_0_count=1.json")).unwrap_or(b"[]".to_vec()),
        };
        for update in decode::updates(&updates, Encoding::Json, &node.network).unwrap() {
            let now = node.now(&update);
            let is_before = node.network.period_at(update.signature_slot) < client.period();
            match client.advance(update, now) {
                Err(AdvanceError::NotNewer { .. }) if is_before => {}
                result => assert!(result.is_ok() && !is_before, "{name}: {result:?}"),
            }
        }
        for update in heads(&node) {
            let now = node.now(&update);
            client.advance(update, now).unwrap();
        }
        let [finality, _] = heads(&node);
        let header = finality.finalized_header().unwrap();
        let finalized = client.finalized_head();
        if started_at < header.beacon.slot {
            assert_eq!(finalized.beacon_root(), header.beacon.hash_tree_root(), "{name}");
            assert!(matches!(finalized.finality(), Finality::Signed { .. }));
        } else {
            assert_eq!(finalized.finality(), Finality::Checkpoint);
        }
        let execution = header.execution.header().unwrap();
        let block = |file: &str| -> Value {
            let whole: Value = serde_json::from_slice(&node.answer(file)).unwrap();
            whole.get("result").cloned().unwrap_or(whole)
        };
        let expected = block("el_block_finalized.json");
        assert_eq!(execution.block_hash.to_string(), expected["hash"].as_str().unwrap(), "{name}");
        assert_eq!(execution.state_root.to_string(), expected["stateRoot"].as_str().unwrap(), "{name}");
        assert_eq!(execution.parent_hash.to_string(), expected["parentHash"].as_str().unwrap(), "{name}");
        let signed = client.signed_head().unwrap();
        let attested = block("el_block_attested.json");
        let number = u64::from_str_radix(attested["number"].as_str().unwrap().trim_start_matches("0x"), 16);
        assert!(signed.execution().header().unwrap().block_number >= number.unwrap(), "{name}");
        assert!(signed.slot() > finalized.slot());
    }
}
