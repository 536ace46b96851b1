//! The RLP vectors of the Ethereum tests, read as what a storage trie holds.
//!
//! The reader is private and reads only what a proof needs, so each vector's meaning follows from its shape.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use saldo_proof::trie::{Lookup, lookup};
use saldo_proof::{LeafError, ProofError, RlpError, Slot, StateRoot, verify_account};
use saldo_tests::{forge, vectors};
use serde_json::Value;

const KEY: B256 = B256::with_last_byte(1);

fn read(file: &str) -> Option<BTreeMap<String, (Value, Vec<u8>)>> {
    let text = std::fs::read_to_string(vectors("mpt/ethereum-tests/RLPTests")?.join(file)).unwrap();
    let vectors: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let decode =
        |vector: Value| (vector["in"].clone(), hex::decode(vector["out"].as_str().unwrap()).unwrap());
    Some(vectors.into_iter().map(|(name, vector)| (name, decode(vector))).collect())
}

/// Reads `value` where a storage trie has it: the leaf of the slot's key.
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

/// The integer or the text that a vector encodes, as the bytes in its string.
fn payload(value: &Value) -> Vec<u8> {
    match value {
        Value::Number(number) => U256::from(number.as_u64().unwrap()).to_be_bytes_trimmed_vec(),
        Value::String(text) => match text.strip_prefix('#') {
            // One of them does not fit in 256 bits: it is 2^256.
            Some(digits) => match U256::from_str_radix(digits, 10) {
                Ok(number) => number.to_be_bytes_trimmed_vec(),
                Err(_) => [&[1][..], &[0; 32]].concat(),
            },
            // The texts are bytes, one for each character.
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
            // Too large for a node; it has the reader to itself.
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
        // As the value of any trie it is those bytes, whatever they are.
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
            // Nothing in no bytes: the trie itself refuses that.
            Err(ProofError::MalformedNode { cause: saldo_proof::NodeError::EmptyValue, .. }) => "empty",
            Err(ProofError::MalformedLeaf { cause: LeafError::Rlp(error) }) => match error {
                RlpError::PastTheEnd => "past the end",
                RlpError::LongForm => "long form",
                RlpError::LeadingZero => "leading zero",
                // What is wrong is deeper inside a list, where no one will look.
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
