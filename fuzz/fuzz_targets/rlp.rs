//! Any bytes as the nodes of a trie, for any key of any length: no panic, and the plain reference walker gives the same
//! result.
#![no_main]

use alloy_primitives::keccak256;
use libfuzzer_sys::fuzz_target;
use saldo_fuzz::input::Input;
use saldo_fuzz::proof::nodes;
use saldo_fuzz::second_opinion::walk;
use saldo_proof::trie::{EMPTY_ROOT_HASH, Lookup, lookup};

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let key = input.part();
    let mut proof = nodes(&mut input);
    let root = proof.first().map_or(EMPTY_ROOT_HASH, keccak256);
    let answer = lookup(root, key, &proof);

    let plain: Vec<&[u8]> = proof.iter().map(AsRef::as_ref).collect();
    match (&answer, walk(root.0, key, &plain)) {
        (Ok(Lookup::Absent), Ok(None)) | (Err(_), Err(_)) => {}
        (Ok(Lookup::Present(value)), Ok(Some(walked))) => assert_eq!(*value, walked),
        (ours, walked) => panic!("{ours:?}, but the walker says {walked:?}"),
    }
    if answer.is_ok()
        && let Some(last) = proof.last().cloned()
    {
        proof.push(last);
        assert!(lookup(root, key, &proof).is_err(), "an extra node is refused");
    }
});
