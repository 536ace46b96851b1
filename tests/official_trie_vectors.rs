//! The trie vectors of the Ethereum tests: under each official root, every key proves its value or its absence.

use std::collections::BTreeMap;

use alloy_primitives::{B256, hex, keccak256};
use saldo_proof::trie::{Lookup, lookup};
use saldo_tests::{forge, second_opinion, vectors};
use serde_json::Value;

/// Texts are bytes, unless they start with 0x.
fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("0x") {
        Some(digits) => hex::decode(digits).unwrap(),
        None => text.as_bytes().to_vec(),
    }
}

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// The entries after all writes of a vector, and all keys that it names.
fn entries(vector: &Value) -> (Entries, Vec<Vec<u8>>) {
    let writes: Vec<(Vec<u8>, Option<Vec<u8>>)> = match vector {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (bytes(key), Some(bytes(value.as_str().unwrap())))).collect()
        }
        Value::Array(list) => {
            list.iter().map(|pair| (bytes(pair[0].as_str().unwrap()), pair[1].as_str().map(bytes))).collect()
        }
        other => panic!("{other}"),
    };
    let mut left = BTreeMap::new();
    let named = writes.iter().map(|(key, _)| key.clone()).collect();
    for (key, value) in writes {
        match value {
            Some(value) => drop(left.insert(key, value)),
            None => drop(left.remove(&key)),
        }
    }
    (left, named)
}

#[test]
fn every_key_under_every_root() {
    let Some(folder) = vectors("mpt/ethereum-tests/TrieTests") else { return };
    let (mut tries, mut present, mut absent) = (0, 0, 0);
    for (file, hashed) in [
        ("trieanyorder.json", false),
        ("trietest.json", false),
        ("trieanyorder_secureTrie.json", true),
        ("trietest_secureTrie.json", true),
        ("hex_encoded_securetrie_test.json", true),
    ] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let vectors: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        for (name, vector) in vectors {
            let root: B256 = vector["root"].as_str().unwrap().parse().unwrap();
            let (left, mut keys) = entries(&vector["in"]);
            let place = |key: &[u8]| if hashed { keccak256(key).to_vec() } else { key.to_vec() };
            let trie: forge::Trie = left.iter().map(|(key, value)| (place(key), value.clone())).collect();
            assert_eq!(trie.root(), root, "{file}: {name}");
            keys.extend([b"".to_vec(), b"nowhere".to_vec(), vec![0x12, 0x34]]);
            for key in keys {
                let (proof, at) = (trie.prove(&place(&key)), place(&key));
                let found =
                    lookup(root, &at, &proof).unwrap_or_else(|refusal| panic!("{file}: {name}: {refusal}"));
                let nodes: Vec<&[u8]> = proof.iter().map(Vec::as_slice).collect();
                assert_eq!(second_opinion::walk(root.0, &at, &nodes).unwrap().as_ref(), left.get(&key));
                match left.get(&key) {
                    Some(value) => {
                        assert_eq!(found, Lookup::Present(value), "{file}: {name}");
                        present += 1;
                    }
                    None => {
                        assert_eq!(found, Lookup::Absent, "{file}: {name}");
                        absent += 1;
                    }
                }
            }
            tries += 1;
        }
    }
    assert_eq!(tries, 7 + 5 + 7 + 3 + 3);
    assert_eq!((present, absent), (81, 187));
}
