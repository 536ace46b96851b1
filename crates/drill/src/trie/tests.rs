use std::collections::BTreeMap;

use alloy_primitives::{B256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, proof::verify_proof};

use super::{EMPTY_ROOT, Trie};
use crate::Seed;

/// The root by an implementation that is not ours.
fn expected_root(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in entries {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root()
}

/// A pseudo-random map: 32-byte keys, some of them sharing long beginnings, values from 1 to 60 bytes.
fn random_entries(seed: u64, count: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let seed = Seed::new(seed);
    (0..count)
        .map(|index| {
            let mut key = seed.bytes("key", index);
            let shared = usize::try_from(seed.below(32, "shared", index)).unwrap();
            if index % 3 == 0 {
                key[..shared].fill(0x11);
            }
            let length = usize::try_from(seed.below(60, "length", index)).unwrap().max(1);
            (key.to_vec(), seed.bytes("value", index).repeat(2)[..length].to_vec())
        })
        .collect()
}

#[test]
fn roots_and_proofs_agree_with_alloy_trie() {
    let mut proven = 0;
    for seed in 0..40 {
        let entries = random_entries(seed, seed * 5);
        let mut trie = Trie::default();
        for (key, value) in &entries {
            trie.insert(key, value);
        }
        assert_eq!(trie.root(), expected_root(&entries), "seed {seed}");
        for (key, value) in &entries {
            let proof = trie.prove(key).unwrap();
            verify_proof(trie.root(), Nibbles::unpack(key), Some(value.clone()), &proof).unwrap();
            assert_eq!(trie.get(key).unwrap().to_vec(), *value);
            proven += 1;
        }
        for index in 0..10 {
            let absent = Seed::new(seed).bytes("absent", index);
            let proof = trie.prove(absent.as_slice()).unwrap();
            verify_proof(trie.root(), Nibbles::unpack(absent), None, &proof).unwrap();
            assert_eq!(trie.get(absent.as_slice()), None);
        }
    }
    assert!(proven > 3_000, "{proven}");
}

#[test]
fn removing_restores_the_trie_that_never_held_the_key() {
    let entries = random_entries(7, 200);
    let mut trie = Trie::default();
    for (key, value) in &entries {
        trie.insert(key, value);
    }
    let mut left = entries.clone();
    for key in entries.keys() {
        trie.remove(key);
        left.remove(key);
        assert_eq!(trie.root(), if left.is_empty() { EMPTY_ROOT } else { expected_root(&left) });
    }
    assert_eq!(trie.root(), EMPTY_ROOT);
    assert_eq!(trie.prove(b"anything").unwrap(), Vec::<alloy_primitives::Bytes>::new());
}

#[test]
fn a_clone_keeps_its_own_version() {
    let mut trie = Trie::default();
    trie.insert(b"dog", b"puppy");
    let before = trie.clone();
    trie.insert(b"dog", b"hound");
    assert_eq!(before.get(b"dog").unwrap().to_vec(), b"puppy");
    assert_ne!(before.root(), trie.root());
}

#[test]
fn a_thick_path_proves_its_key_and_nothing_beside_it() {
    let seed = Seed::new(1);
    let mut count = 0;
    let mut hash = || {
        count += 1;
        seed.bytes("opaque", count)
    };
    let key = keccak256("present");
    let mut trie = Trie::default();
    trie.thicken(key.as_slice(), 7, &mut hash);
    trie.insert(key.as_slice(), &[1; 70]);
    let proof = trie.prove(key.as_slice()).unwrap();
    assert_eq!(proof.len(), 8);
    verify_proof(trie.root(), Nibbles::unpack(key), Some(vec![1; 70]), &proof).unwrap();

    let aside = keccak256("aside");
    let missing = trie.prove(aside.as_slice()).unwrap_err();
    assert!((1..=105).any(|index| seed.bytes("opaque", index) == missing.hash));

    // Opening a second path keeps the first.
    let mut more = || seed.bytes("more", 0);
    trie.thicken(aside.as_slice(), 7, &mut more);
    assert_eq!(trie.get(key.as_slice()).unwrap().to_vec(), [1; 70]);
    let proof = trie.prove(aside.as_slice()).unwrap();
    verify_proof(trie.root(), Nibbles::unpack(aside), None, &proof).unwrap();
}
