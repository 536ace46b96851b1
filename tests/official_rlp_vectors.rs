//! The RLP vectors of the Ethereum tests, decoded as values of a storage trie, as values of any trie, and as nodes.
//!
//! The decoder is private and decodes only what a proof needs, so each vector's meaning follows from its position.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use saldo_drill::trie::Trie;
use saldo_proof::trie::{EMPTY_ROOT_HASH, Lookup, MAX_NODE_BYTES, lookup};
use saldo_proof::{LeafError, NodeError, ProofError, RlpError, Slot, StateRoot, verify_account};
use saldo_tests::{forge, second_opinion, vectors};
use serde_json::Value;

const KEY: B256 = B256::with_last_byte(1);

fn read(file: &str) -> Option<BTreeMap<String, (Value, Vec<u8>)>> {
    let text = std::fs::read_to_string(vectors("mpt/ethereum-tests/RLPTests")?.join(file)).unwrap();
    let vectors: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let decode =
        |vector: Value| (vector["in"].clone(), hex::decode(vector["out"].as_str().unwrap()).unwrap());
    Some(vectors.into_iter().map(|(name, vector)| (name, decode(vector))).collect())
}

/// Decodes `value` as a storage trie contains it: in the leaf of the slot's key.
fn slot_of(value: &[u8]) -> Result<Slot, ProofError> {
    let address = Address::ZERO;
    let bottom = forge::leaf(&forge::nibbles(keccak256(KEY).as_slice()), value);
    let account = forge::account(0, U256::ZERO, keccak256(&bottom), B256::ZERO);
    let top = forge::leaf(&forge::nibbles(keccak256(address).as_slice()), &account);
    let account = verify_account(StateRoot::new(keccak256(&top)), address, &[top]).unwrap();
    account.slot(KEY, &[bottom]).map(|slot| *slot.leaf())
}

fn rlp(error: RlpError) -> LeafError {
    error.into()
}

/// The integer or text that a vector encodes, as the bytes of its string.
fn payload(value: &Value) -> Vec<u8> {
    match value {
        Value::Number(number) => U256::from(number.as_u64().unwrap()).to_be_bytes_trimmed_vec(),
        Value::String(text) => match text.strip_prefix('#') {
            // One of them does not fit in 256 bits: it is 2^256.
            Some(digits) => match U256::from_str_radix(digits, 10) {
                Ok(number) => number.to_be_bytes_trimmed_vec(),
                Err(_) => [&[1][..], &[0; 32]].concat(),
            },
            // The texts are bytes, one per character.
            None => text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect(),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn valid() {
    let Some(vectors) = read("rlptest.json") else { return };
    let mut counts = [0; 4];
    for (name, (value, encoded)) in vectors {
        if value.is_array() {
            assert_eq!(
                slot_of(&encoded),
                Err(ProofError::MalformedLeaf { cause: rlp(RlpError::ListForString) }),
                "{name}"
            );
            counts[0] += 1;
            continue;
        }
        let payload = payload(&value);
        if encoded.len() > 900 {
            // This is too large for a node, so only the decoder's limit is tested.
            assert!(matches!(slot_of(&encoded), Err(ProofError::NodeTooLarge { node: 0, .. })), "{name}");
            counts[1] += 1;
            continue;
        }
        let expected = match payload.as_slice() {
            [] => Err(LeafError::ZeroValue),
            [0, ..] => Err(rlp(RlpError::LeadingZero)),
            long if long.len() > 32 => Err(rlp(RlpError::IntegerTooLong { got: long.len(), limit: 32 })),
            word => Ok(Slot::Present(U256::from_be_slice(word))),
        };
        counts[if expected.is_ok() { 2 } else { 3 }] += 1;
        assert_eq!(
            slot_of(&encoded),
            expected.map_err(|cause| ProofError::MalformedLeaf { cause }),
            "{name}"
        );
        // As a value of any trie these bytes are valid, whatever they mean.
        let leaf = forge::leaf(&[], &encoded);
        assert_eq!(lookup(keccak256(&leaf), &[], &[&leaf]), Ok(Lookup::Present(&encoded)), "{name}");
    }
    assert_eq!(counts, [9, 1, 12, 6], "lists, too large, words, no words");
}

#[test]
fn invalid() {
    let Some(vectors) = read("invalidRLPTest.json") else { return };
    let mut counts = BTreeMap::new();
    for (name, (value, encoded)) in vectors {
        assert_eq!(value, "INVALID", "{name}");
        let kind = match slot_of(&encoded) {
            // An empty value is refused by the trie itself.
            Err(ProofError::MalformedNode { cause: saldo_proof::NodeError::EmptyValue, .. }) => "empty",
            Err(ProofError::MalformedLeaf { cause: LeafError::Rlp(error) }) => match error {
                RlpError::PastTheEnd => "past the end",
                RlpError::LongForm => "long form",
                RlpError::LeadingZero => "leading zero",
                // The error is deeper inside a list, which is not decoded.
                RlpError::ListForString => "list",
                other => panic!("{name}: {other}"),
            },
            other => panic!("{name}: {other:?}"),
        };
        *counts.entry(kind).or_insert(0) += 1;
    }
    assert_eq!(counts.values().sum::<usize>(), 26);
    let expected = [("empty", 1), ("leading zero", 5), ("list", 1), ("long form", 9), ("past the end", 10)];
    assert_eq!(counts, BTreeMap::from(expected));
}

fn all() -> Option<Vec<(String, Vec<u8>)>> {
    let files = ["rlptest.json", "invalidRLPTest.json", "RandomRLPTests/example.json"];
    let vectors: Vec<_> = files.into_iter().map(read).collect::<Option<Vec<_>>>()?;
    let vectors: Vec<_> = vectors.into_iter().flatten().map(|(name, (_, encoded))| (name, encoded)).collect();
    assert_eq!(vectors.len(), 28 + 26 + 1);
    Some(vectors)
}

/// A trie with all vectors as values, built by the drill and by hand. The trie does not interpret its values.
#[test]
fn as_values_of_a_trie() {
    let Some(vectors) = all() else { return };
    let mut trie = Trie::default();
    let mut forged = BTreeMap::new();
    for (name, encoded) in &vectors {
        let key = keccak256(name).to_vec();
        trie.insert(&key, encoded);
        if !encoded.is_empty() {
            forged.insert(key, encoded.clone());
        }
    }
    let root = trie.root();
    assert_eq!(forge::Trie::from_iter(forged).root(), root);
    let (mut present, mut absent, mut too_large) = (0, 0, 0);
    for (name, encoded) in &vectors {
        let key = keccak256(name);
        let proof = trie.prove(key.as_slice()).unwrap();
        match lookup(root, key.as_slice(), &proof) {
            Ok(Lookup::Present(value)) => {
                assert_eq!(value, encoded, "{name}");
                present += 1;
            }
            // An empty value counts as absent.
            Ok(Lookup::Absent) => {
                assert!(encoded.is_empty(), "{name}");
                absent += 1;
            }
            Err(ProofError::NodeTooLarge { limit: MAX_NODE_BYTES, .. }) => {
                assert!(encoded.len() > 900, "{name}");
                too_large += 1;
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
    assert_eq!((present, absent, too_large), (53, 1, 1));
}

/// The same bytes as the only node of a trie: both saldo and the second opinion refuse them, as RLP or as a node.
#[test]
fn as_nodes() {
    let Some(vectors) = all() else { return };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, encoded) in vectors {
        let root = keccak256(&encoded);
        let proof = [encoded.as_slice()];
        let answer = lookup(root, &[0x12], &proof);
        let second = second_opinion::walk(root.0, &[0x12], &proof);
        assert_eq!(answer.is_ok(), second.is_ok(), "{name}");
        let kind = match answer {
            // The empty string, which is also the integer zero, is the node of the empty trie.
            Ok(Lookup::Absent) if root == EMPTY_ROOT_HASH => "the empty trie".to_owned(),
            Err(ProofError::MalformedNode { node: 0, depth: 0, cause: NodeError::Rlp(cause) }) => {
                format!("{cause:?}").split([' ', '{']).next().unwrap().to_owned()
            }
            Err(ProofError::MalformedNode { node: 0, depth: 0, cause: NodeError::ItemCount { .. } }) => {
                "item count".to_owned()
            }
            // More than two items are a branch, but its children have the wrong length.
            Err(ProofError::MalformedNode { node: 0, depth: 0, cause: NodeError::ChildLength { .. } }) => {
                "child length".to_owned()
            }
            // A list in a branch is not a valid node just for being a list.
            Err(ProofError::MalformedNode { node: 0, depth: 1, .. }) => "embedded child".to_owned(),
            Err(ProofError::NodeTooLarge { node: 0, .. }) => "too large".to_owned(),
            other => panic!("{name}: {other:?}"),
        };
        *counts.entry(kind).or_default() += 1;
    }
    let expected = [
        ("LeadingZero", 5),
        ("ListForString", 2),
        ("LongForm", 9),
        ("PastTheEnd", 11),
        ("StringForList", 16),
        ("child length", 3),
        ("embedded child", 5),
        ("item count", 1),
        ("the empty trie", 2),
        ("too large", 1),
    ];
    assert_eq!(counts, expected.map(|(kind, count)| (kind.to_owned(), count)).into());
}
