//! Any nodes as a storage proof of a proven account: no panic, the plain reference walker gives the same result, and
//! `alloy-trie` accepts every proof that we accept.
#![no_main]

use alloy_primitives::{Address, B256, U256, keccak256};
use libfuzzer_sys::fuzz_target;
use saldo_fuzz::input::Input;
use saldo_fuzz::proof::{alloy_agrees, nodes};
use saldo_fuzz::second_opinion;
use saldo_proof::{Slot, StateRoot, claimed_root, verify_account};

/// Returns the only leaf of a state in which `address` has this storage.
fn leaf(address: Address, storage_root: B256) -> Vec<u8> {
    let mut node = vec![0xf8, 0x6a, 0xa1, 0x20];
    node.extend(keccak256(address));
    node.extend([0xb8, 0x46, 0xf8, 0x44, 0x80, 0x80, 0xa0]);
    node.extend(storage_root);
    node.push(0xa0);
    node.extend(B256::ZERO);
    node
}

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let key = B256::from(input.array());
    let proof = nodes(&mut input);
    let Ok(storage_root) = claimed_root(&proof) else { return };
    let storage_root = storage_root.get();
    let address = Address::ZERO;
    let account_proof = [leaf(address, storage_root)];
    let state_root = StateRoot::new(keccak256(&account_proof[0]));
    let account = verify_account(state_root, address, &account_proof).expect("the account is genuine");

    let plain: Vec<&[u8]> = proof.iter().map(AsRef::as_ref).collect();
    let second = second_opinion::slot(storage_root.0, key.0, &plain);
    let slot = match (account.slot(key, &proof), second) {
        (Err(_), Err(_)) => return,
        (Ok(slot), Ok(second)) => {
            let ours = match slot.leaf() {
                Slot::Absent => None,
                Slot::Present(word) => Some(word.to_be_bytes()),
            };
            assert_eq!(ours, second);
            slot
        }
        (ours, second) => panic!("{ours:?}, but the second opinion is {second:?}"),
    };
    assert_eq!((slot.subject().address, slot.subject().key), (address, key));
    assert_eq!(slot.state_root(), state_root);
    match slot.leaf() {
        Slot::Absent => assert!(alloy_agrees(storage_root, keccak256(key), None, &proof)),
        Slot::Present(word) => {
            assert_ne!(*word, U256::ZERO);
            let value = alloy_rlp::encode(word);
            assert!(alloy_agrees(storage_root, keccak256(key), Some(&value), &proof));
        }
    }
});
