//! Any bytes as a storage proof of an account that is itself proven, against `alloy-trie`.
#![no_main]

use alloy_primitives::{Address, B256, U256, keccak256};
use libfuzzer_sys::fuzz_target;
use saldo_fuzz::{alloy_agrees, nodes};
use saldo_proof::{Slot, StateRoot, claimed_root, verify_account};

/// The one leaf of a state in which `address` has this storage.
fn leaf(address: Address, storage_root: B256) -> Vec<u8> {
    let mut node = vec![0xf8, 0x6a, 0xa1, 0x20];
    node.extend(keccak256(address));
    node.extend([0xb8, 0x46, 0xf8, 0x44, 0x80, 0x80, 0xa0]);
    node.extend(storage_root);
    node.push(0xa0);
    node.extend(B256::ZERO);
    node
}

fuzz_target!(|input: ([u8; 32], bool, &[u8])| {
    let (key, chained, bytes) = (B256::from(input.0), input.1, input.2);
    let address = Address::ZERO;
    let proof = nodes(bytes, chained);
    let Ok(storage_root) = claimed_root(&proof) else { return };
    let account_proof = [leaf(address, storage_root.get())];
    let state_root = StateRoot::new(keccak256(&account_proof[0]));
    let account = verify_account(state_root, address, &account_proof).expect("the account is genuine");
    if let Ok(slot) = account.slot(key, &proof) {
        assert_eq!((slot.subject().address, slot.subject().key), (address, key));
        let (storage_root, hashed_key) = (storage_root.get(), keccak256(key));
        match slot.leaf() {
            Slot::Absent => assert!(alloy_agrees(storage_root, hashed_key, None, &proof)),
            Slot::Present(word) => {
                assert_ne!(*word, U256::ZERO);
                let bytes = word.to_be_bytes_trimmed_vec();
                let value = match bytes.as_slice() {
                    [small @ 0x00..=0x7f] => vec![*small],
                    _ => [&[0x80 + bytes.len() as u8], bytes.as_slice()].concat(),
                };
                assert!(alloy_agrees(storage_root, hashed_key, Some(&value), &proof));
            }
        }
    }
});
