//! Seeds from files: objects, headers, proofs and replies of real networks and clients.

use std::path::Path;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use saldo_beacon::decode::{self, Encoding};
use saldo_fuzz::input::part;
use saldo_fuzz::object::{Answer, Kind, networks};
use saldo_fuzz::proof::template;
use serde_json::{Value, json};

use crate::Seeds;

/// Adds the data of the files in a folder and below it.
pub fn add(seeds: &mut Seeds, folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            add(seeds, &path);
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else { continue };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => {
                object(seeds, &bytes, Encoding::Json);
                if let Ok(value) = serde_json::from_slice(&bytes) {
                    within(seeds, &value);
                }
            }
            Some("ssz") => object(seeds, &bytes, Encoding::Ssz),
            Some("ssz_snappy")
                if path
                    .components()
                    .any(|part| part.as_os_str().to_string_lossy().starts_with("LightClient")) =>
            {
                if let Ok(bytes) = snap::raw::Decoder::new().decompress_vec(&bytes) {
                    object(seeds, &bytes, Encoding::Ssz);
                }
            }
            _ => {}
        }
    }
}

/// Adds a light-client object, for the first network and the first kind for which it can be read.
fn object(seeds: &mut Seeds, bytes: &[u8], encoding: Encoding) {
    for (number, network) in (0..).zip(networks()) {
        let is_of = |kind: &Kind| match kind {
            Kind::Bootstrap => decode::bootstrap(bytes, encoding, None, network).is_ok(),
            Kind::Updates => {
                decode::updates(bytes, encoding, network).is_ok_and(|updates| !updates.is_empty())
            }
            kind => kind.update(bytes, encoding, None, network).is_some_and(|update| update.is_ok()),
        };
        if let Some(kind) = Kind::ALL.into_iter().find(is_of) {
            return seeds.add("light_client_object", Answer::input(number, kind, encoding, 0, bytes));
        }
    }
}

/// Adds headers and proofs from anywhere in the value.
fn within(seeds: &mut Seeds, value: &Value) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("accountProof") {
                proof(seeds, value);
            }
            if fields.contains_key("parentHash") && fields.contains_key("stateRoot") {
                header(seeds, value);
            }
            fields.values().for_each(|value| within(seeds, value));
        }
        Value::Array(values) => values.iter().for_each(|value| within(seeds, value)),
        _ => {}
    }
}

fn header(seeds: &mut Seeds, block: &Value) {
    let text = block.to_string();
    seeds.add("header", [&[0], text.as_bytes()].concat());
    if let Ok(header) = serde_json::from_value::<alloy_consensus::Header>(block.clone()) {
        seeds.add("header", [&[1][..], &alloy_rlp::encode(header)].concat());
    }
    // With full transactions, and with the roots that the target learns.
    seeds.add("body", [&[1, 0], text.as_bytes()].concat());
    reply(seeds, 1, block);
}

fn proof(seeds: &mut Seeds, reply_of_proof: &Value) {
    reply(seeds, 0, reply_of_proof);
    let nodes = |proof: &Value| serde_json::from_value::<Vec<Bytes>>(proof.clone()).ok();
    let address = serde_json::from_value::<Address>(reply_of_proof["address"].clone());
    if let (Ok(address), Some(proof)) = (address, nodes(&reply_of_proof["accountProof"])) {
        let proof = template(&proof);
        seeds.add("account_proof", [address.as_slice(), &proof].concat());
        seeds.add("rlp", [part(keccak256(address).as_slice()), proof.clone()].concat());
        seeds.add("join", [&[3, 0, 0], &part(&[address.as_slice(), &proof].concat())[..]].concat());
    }
    for slot in reply_of_proof["storageProof"].as_array().into_iter().flatten() {
        let key = serde_json::from_value::<alloy_primitives::U256>(slot["key"].clone());
        if let (Ok(key), Some(proof)) = (key, nodes(&slot["proof"])) {
            let (key, proof) = (B256::from(key), template(&proof));
            seeds.add("storage_proof", [key.as_slice(), &proof].concat());
            seeds.add("rlp", [part(keccak256(key).as_slice()), proof].concat());
        }
    }
}

/// Adds the value as the result of a single reply, and in a batch.
fn reply(seeds: &mut Seeds, way: u8, result: &Value) {
    let single = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
    seeds.add("json_rpc_reply", [&[way, 0, 0, 0], single.as_bytes()].concat());
    let error = json!({ "code": -32000, "message": "header not found: PLANTED" });
    let batch = json!([
        { "jsonrpc": "2.0", "id": 2, "result": result },
        { "jsonrpc": "2.0", "id": 1, "result": null },
        { "jsonrpc": "2.0", "id": 3, "error": error },
    ]);
    seeds.add("json_rpc_reply", [&[3, 0, 0, 0], batch.to_string().as_bytes()].concat());
}
