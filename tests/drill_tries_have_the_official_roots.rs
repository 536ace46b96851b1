//! The drill's trie against ethereum/tests `TrieTests`: every root, and a proof of every key.

use std::collections::BTreeMap;
use std::path::Path;

use alloy_primitives::{B256, hex, keccak256};
use saldo_drill::trie::Trie;
use saldo_proof::trie::{Lookup, lookup};
use serde_json::Value;

/// Files with roots, whether their keys are hashed, and how many cases each has. The last one is about iteration,
/// which the drill's trie does not offer.
const FILES: [(&str, bool, usize); 6] = [
    ("trietest.json", false, 5),
    ("trieanyorder.json", false, 7),
    ("trietest_secureTrie.json", true, 3),
    ("trieanyorder_secureTrie.json", true, 7),
    ("hex_encoded_securetrie_test.json", true, 3),
    ("trietestnextprev.json", false, 0),
];

fn bytes(text: &str) -> Vec<u8> {
    if text.starts_with("0x") { hex::decode(text).unwrap() } else { text.as_bytes().to_vec() }
}

/// The writes of a case, in order; the value `None` removes.
fn writes(case: &Value) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let write = |key: &str, value: &Value| {
        assert!(value.is_null() || value.is_string());
        (bytes(key), value.as_str().map(bytes))
    };
    match &case["in"] {
        Value::Array(list) => list.iter().map(|pair| write(pair[0].as_str().unwrap(), &pair[1])).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| write(key, value)).collect(),
        other => panic!("neither list nor map: {other}"),
    }
}

fn check(case: &Value, hashed: bool, name: &str) {
    let mut trie = Trie::default();
    let mut held = BTreeMap::new();
    for (key, value) in writes(case) {
        let key = if hashed { keccak256(&key).to_vec() } else { key };
        trie.insert(&key, value.as_deref().unwrap_or_default());
        held.insert(key, value);
    }
    let root: B256 = case["root"].as_str().unwrap().parse().unwrap();
    assert_eq!(trie.root(), root, "{name}");
    for (key, value) in &held {
        let proof = trie.prove(key).unwrap();
        let expected = value.as_deref().map_or(Lookup::Absent, Lookup::Present);
        assert_eq!(lookup(root, key, &proof).unwrap(), expected, "{name}");
    }
}

#[test]
fn drill_tries_have_the_official_roots() {
    let Some(folder) = saldo_tests::vectors("mpt/ethereum-tests/TrieTests") else { return };
    let present = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(present, FILES.len(), "a file this test does not know");
    for (file, hashed, expected) in FILES {
        let cases: BTreeMap<String, Value> = read(&folder.join(file));
        let cases = cases.iter().filter(|(_, case)| case.get("root").is_some());
        let checked = cases.map(|(name, case)| check(case, hashed, name)).count();
        assert_eq!(checked, expected, "{file}");
    }
}

fn read(path: &Path) -> BTreeMap<String, Value> {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
