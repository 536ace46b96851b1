//! Any bytes as the root node of a trie, under their own hash, for any key of any length: no panic, and an answer that
//! does not depend on anything but them.
#![no_main]

use alloy_primitives::keccak256;
use libfuzzer_sys::fuzz_target;
use saldo_proof::trie::{Lookup, lookup};

fuzz_target!(|input: (&[u8], &[u8])| {
    let (key, node) = input;
    let proof = [node];
    let answer = lookup(keccak256(node), key, &proof);
    assert_eq!(answer, lookup(keccak256(node), key, &proof));
    if let Ok(Lookup::Present(value)) = answer {
        assert!(!value.is_empty() && value.len() < node.len());
    }
    if answer.is_ok() {
        assert!(lookup(keccak256(node), key, &[node, node]).is_err(), "a node more is one too many");
    }
});
