//! Any nodes as an account proof: no panic, bounded work, the plain reference walker gives the same result, `alloy-trie`
//! accepts every proof that we accept, and a batch gives the same results.
#![no_main]

use alloy_primitives::{Address, Bytes, keccak256};
use ethers_core::types::EIP1186ProofResponse;
use libfuzzer_sys::fuzz_target;
use saldo_fuzz::input::Input;
use saldo_fuzz::proof::{alloy_agrees, nodes};
use saldo_fuzz::second_opinion;
use saldo_proof::trie::{Lookup, lookup};
use saldo_proof::{Account, StateRoot, claimed_root, verify_account, verify_accounts};

/// Verifies a batch of the proof, the proof without its last node, and both for a neighbouring account. Each result
/// must be the same as alone.
fn in_a_batch(root: StateRoot, address: Address, proof: &[Bytes]) {
    let mut beside = address;
    beside.0[19] ^= 1;
    let cut = proof.split_last().map_or(proof, |(_, rest)| rest);
    let asked = [(address, proof), (beside, proof), (address, cut), (address, proof), (beside, cut)];
    for (answer, (address, proof)) in verify_accounts(root, &asked).into_iter().zip(asked) {
        assert_eq!(answer, verify_account(root, address, proof));
    }
}

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let address = Address::from(input.array());
    let proof = nodes(&mut input);
    let Ok(root) = claimed_root(&proof) else { return };
    let key = keccak256(address);
    let found = lookup(root.get(), key.as_slice(), &proof);
    let verified = verify_account(root, address, &proof);

    let account_proof = proof.iter().map(|node| node.to_vec().into()).collect();
    let reply = EIP1186ProofResponse { account_proof, ..Default::default() };
    let second = second_opinion::account(root.get().0, address.into_array(), &reply);
    match (&verified, second) {
        (Err(_), Err(_)) => {}
        (Ok(verified), Ok(second)) => {
            assert_eq!((verified.subject(), verified.state_root()), (&address, root));
            let ours = match verified.leaf() {
                Account::Absent => None,
                Account::Present(state) => Some(second_opinion::Account {
                    nonce: state.nonce,
                    balance: state.balance.to_be_bytes(),
                    storage_root: state.storage_root.get().0,
                    code_hash: state.code_hash.0,
                }),
            };
            assert_eq!(ours, second);
        }
        (ours, second) => panic!("{ours:?}, but the second opinion is {second:?}"),
    }
    in_a_batch(root, address, &proof);
    match (found, verified) {
        (Ok(Lookup::Absent), Ok(_)) => assert!(alloy_agrees(root.get(), key, None, &proof)),
        (Ok(Lookup::Present(value)), Ok(_)) => {
            assert!(alloy_agrees(root.get(), key, Some(value), &proof));
        }
        // The walk can find a value that is not an account. No other difference is allowed.
        (Ok(Lookup::Present(_)), Err(_)) => {}
        (Err(found), Err(refusal)) => assert_eq!(found, refusal),
        (found, verified) => panic!("{found:?} became {verified:?}"),
    }
});
