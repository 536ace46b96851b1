//! Any bytes as an account proof: no panic, bounded work, and nothing that `alloy-trie` refuses.
#![no_main]

use alloy_primitives::{Address, keccak256};
use libfuzzer_sys::fuzz_target;
use saldo_fuzz::{alloy_agrees, nodes};
use saldo_proof::trie::{Lookup, lookup};
use saldo_proof::{Account, claimed_root, verify_account};

fuzz_target!(|input: ([u8; 20], bool, &[u8])| {
    let (address, chained, bytes) = (Address::from(input.0), input.1, input.2);
    let proof = nodes(bytes, chained);
    let Ok(root) = claimed_root(&proof) else { return };
    let key = keccak256(address);
    let found = lookup(root.get(), key.as_slice(), &proof);
    match verify_account(root, address, &proof) {
        Ok(verified) => {
            assert_eq!((verified.subject(), verified.state_root()), (&address, root));
            match (found.expect("what is verified was found"), verified.leaf()) {
                (Lookup::Absent, Account::Absent) => assert!(alloy_agrees(root.get(), key, None, &proof)),
                (Lookup::Present(value), Account::Present(_)) => {
                    assert!(alloy_agrees(root.get(), key, Some(value), &proof));
                }
                (found, leaf) => panic!("{found:?} became {leaf:?}"),
            }
        }
        // A value may be found that is no account; nothing else may.
        Err(refusal) => assert!(
            found.is_err_and(|other| other == refusal) || found.is_ok_and(|found| found != Lookup::Absent)
        ),
    }
});
