//! The drill's trie against ethereum/tests `TrieTests`: every root, and proofs of every key and of the keys around
//! it.

use std::collections::BTreeMap;
use std::path::Path;

use alloy_primitives::{B256, hex, keccak256};
use saldo_drill::trie::Trie;
use saldo_proof::trie::{Lookup, lookup};
use saldo_tests::second_opinion;
use serde_json::Value;

/// Files with roots, whether their keys are hashed, and the number of cases. The file about iteration has a test of
/// its own.
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

/// The writes of a case, in order; the value `None` removes a key.
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

/// The number of keys that a case proves to be present, and to be absent.
fn check(case: &Value, hashed: bool, name: &str) -> [usize; 2] {
    let mut trie = Trie::default();
    let mut held = BTreeMap::new();
    for (key, value) in writes(case) {
        let key = if hashed { keccak256(&key).to_vec() } else { key };
        trie.insert(&key, value.as_deref().unwrap_or_default());
        held.insert(key, value);
    }
    let root: B256 = case["root"].as_str().unwrap().parse().unwrap();
    assert_eq!(trie.root(), root, "{name}");
    // The same trie, built backwards from the remaining entries.
    let mut backwards = Trie::default();
    for (key, value) in held.iter().rev() {
        backwards.insert(key, value.as_deref().unwrap_or_default());
    }
    assert_eq!(backwards.root(), root, "{name}");

    let mut counts = [0, 0];
    for (key, value) in &held {
        // The key itself, and keys beside, above and below it.
        let mut beside = key.clone();
        if let Some(last) = beside.last_mut() {
            *last ^= 1;
        }
        let above = key[..key.len() / 2].to_vec();
        let below = [key.as_slice(), &[0x10]].concat();
        for requested in [key.clone(), beside, above, below].iter().filter(|requested| requested.len() <= 32)
        {
            let proof = trie.prove(requested).unwrap();
            let expected =
                held.get(requested).and_then(Option::as_deref).map_or(Lookup::Absent, Lookup::Present);
            assert_eq!(lookup(root, requested, &proof).unwrap(), expected, "{name}");
            let nodes: Vec<&[u8]> = proof.iter().map(AsRef::as_ref).collect();
            let second = second_opinion::walk(root.0, requested, &nodes).unwrap();
            assert_eq!(second.as_deref().map_or(Lookup::Absent, Lookup::Present), expected, "{name}");
            counts[usize::from(expected == Lookup::Absent)] += 1;
        }
        assert_eq!(trie.get(key).map(|value| value.to_vec()), *value, "{name}");
    }
    counts
}

#[test]
fn drill_tries_have_the_official_roots() {
    let Some(folder) = saldo_tests::vectors("mpt/ethereum-tests/TrieTests") else { return };
    let present = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(present, FILES.len(), "a file this test does not know");
    let mut proven = [0, 0];
    for (file, hashed, expected) in FILES {
        let cases: BTreeMap<String, Value> = read(&folder.join(file));
        let cases = cases.iter().filter(|(_, case)| case.get("root").is_some());
        let counts: Vec<_> = cases.map(|(name, case)| check(case, hashed, name)).collect();
        assert_eq!(counts.len(), expected, "{file}");
        counts.iter().for_each(|[present, absent]| proven = [proven[0] + present, proven[1] + absent]);
    }
    assert_eq!(proven, [83, 375], "present, absent");
}

/// The keys over which a case iterates are proven to be present, and the keys between them to be absent.
#[test]
fn keys_between_keys_are_absent() {
    let Some(path) = saldo_tests::vectors("mpt/ethereum-tests/TrieTests/trietestnextprev.json") else {
        return;
    };
    let cases = read(&path);
    assert_eq!(cases.len(), 1);
    let case = &cases["basic"];
    let texts = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap() };
    let held = texts(&case["in"]);
    let mut trie = Trie::default();
    held.iter().for_each(|key| trie.insert(key.as_bytes(), key.as_bytes()));
    let mut counts = [0, 0];
    for requested in case["tests"].as_array().unwrap().iter().flat_map(texts) {
        let proof = trie.prove(requested.as_bytes()).unwrap();
        let answer = lookup(trie.root(), requested.as_bytes(), &proof).unwrap();
        if held.contains(&requested) {
            assert_eq!(answer, Lookup::Present(requested.as_bytes()));
        } else {
            assert_eq!(answer, Lookup::Absent, "{requested}");
        }
        counts[usize::from(answer == Lookup::Absent)] += 1;
    }
    assert_eq!(counts, [20, 16], "present, absent");
}

fn read(path: &Path) -> BTreeMap<String, Value> {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
