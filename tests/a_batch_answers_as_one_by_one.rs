//! Verifying several accounts together, or several slots of one account, saves hashes, and gives for each the result that
//! verifying it alone gives.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;
use proptest::prelude::*;
use proptest::sample::Index;
use saldo_drill::Seed;
use saldo_drill::trie::Trie;
use saldo_proof::{Account, ProofError, Slot, StateRoot, Verified, verify_account, verify_accounts};

/// A state of some accounts, with proofs of these and of as many absent accounts.
fn state(seed: u64, size: u64) -> (StateRoot, Vec<(Address, Vec<Bytes>)>) {
    let seed = Seed::new(seed);
    let mut trie = Trie::default();
    let address = |index| Address::from_word(seed.bytes("address", index));
    for index in 0..size {
        let account = TrieAccount { nonce: index, balance: U256::from(index), ..TrieAccount::default() };
        trie.insert(keccak256(address(index)).as_slice(), &alloy_rlp::encode(account));
    }
    let prove = |index| (address(index), trie.prove(keccak256(address(index)).as_slice()).unwrap());
    (StateRoot::new(trie.root()), (0..size.saturating_mul(2)).map(prove).collect())
}

fn together(root: StateRoot, proofs: &[(Address, Vec<Bytes>)]) -> Vec<Result<Verified<Account>, ProofError>> {
    let proofs: Vec<_> = proofs.iter().map(|(address, proof)| (*address, proof.as_slice())).collect();
    verify_accounts(root, &proofs)
}

fn one_by_one(
    root: StateRoot,
    proofs: &[(Address, Vec<Bytes>)],
) -> Vec<Result<Verified<Account>, ProofError>> {
    proofs.iter().map(|(address, proof)| verify_account(root, *address, proof)).collect()
}

/// An account with `size` slots, with proofs of these and of as many absent slots.
fn storage(seed: u64, size: u64) -> (Verified<Account>, Vec<(B256, Vec<Bytes>)>) {
    let seed = Seed::new(seed);
    let (mut slots, mut accounts) = (Trie::default(), Trie::default());
    let key = |index| seed.bytes("slot", index);
    for index in 0..size {
        slots.insert(keccak256(key(index)).as_slice(), &alloy_rlp::encode(U256::from(index + 1)));
    }
    let owner = Address::repeat_byte(7);
    let account =
        TrieAccount { storage_root: slots.root(), code_hash: KECCAK256_EMPTY, ..TrieAccount::default() };
    accounts.insert(keccak256(owner).as_slice(), &alloy_rlp::encode(account));
    let proof = accounts.prove(keccak256(owner).as_slice()).unwrap();
    let account = verify_account(StateRoot::new(accounts.root()), owner, &proof).unwrap();
    let prove = |index| (key(index), slots.prove(keccak256(key(index)).as_slice()).unwrap());
    (account, (0..size.saturating_mul(2)).map(prove).collect())
}

fn slots_together(
    account: &Verified<Account>,
    proofs: &[(B256, Vec<Bytes>)],
) -> Vec<Result<Verified<Slot>, ProofError>> {
    let proofs: Vec<_> = proofs.iter().map(|(key, proof)| (*key, proof.as_slice())).collect();
    account.slots(&proofs)
}

fn slots_one_by_one(
    account: &Verified<Account>,
    proofs: &[(B256, Vec<Bytes>)],
) -> Vec<Result<Verified<Slot>, ProofError>> {
    proofs.iter().map(|(key, proof)| account.slot(*key, proof)).collect()
}

/// What a lying provider does to a batch.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, Index, Index, u8),
    Swap(Index, Index),
    /// Puts a node of one proof at the same place of another proof.
    CopyNode(Index, Index, Index),
    Cut(Index, Index),
    Repeat(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        (index(), index(), index(), 1..=255_u8)
            .prop_map(|(proof, node, byte, bits)| Change::Flip(proof, node, byte, bits)),
        (index(), index()).prop_map(|(one, other)| Change::Swap(one, other)),
        (index(), index(), index()).prop_map(|(from, to, node)| Change::CopyNode(from, to, node)),
        (index(), index()).prop_map(|(proof, kept)| Change::Cut(proof, kept)),
        index().prop_map(Change::Repeat),
    ]
}

fn apply<K: Clone>(change: &Change, proofs: &mut Vec<(K, Vec<Bytes>)>) {
    let count = proofs.len();
    match change {
        Change::Flip(proof, node, byte, bits) => {
            let proof = &mut proofs[proof.index(count)].1;
            let Some(node) = (!proof.is_empty()).then(|| node.index(proof.len())) else { return };
            let mut bytes = proof[node].to_vec();
            let byte = byte.index(bytes.len());
            bytes[byte] ^= bits;
            proof[node] = bytes.into();
        }
        Change::Swap(one, other) => {
            let (one, other) = (one.index(count), other.index(count));
            let kept = proofs[one].1.clone();
            proofs[one].1 = std::mem::replace(&mut proofs[other].1, kept);
        }
        Change::CopyNode(from, to, node) => {
            let from = proofs[from.index(count)].1.clone();
            let to = &mut proofs[to.index(count)].1;
            let Some(node) = (!from.is_empty()).then(|| node.index(from.len())) else { return };
            if let Some(place) = to.get_mut(node) {
                *place = from[node].clone();
            }
        }
        Change::Cut(proof, kept) => {
            let proof = &mut proofs[proof.index(count)].1;
            let kept = kept.index(proof.len().max(1));
            proof.truncate(kept);
        }
        Change::Repeat(proof) => proofs.push(proofs[proof.index(count)].clone()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn a_batch_gives_the_same_results_whatever_changes(
        seed in any::<u64>(),
        size in 0..60_u64,
        order in any::<u64>(),
        changes in prop::collection::vec(change(), 0..6),
    ) {
        let (root, mut proofs) = state(seed, size);
        proofs.sort_by_key(|(address, _)| keccak256([address.as_slice(), &order.to_be_bytes()].concat()));
        if !proofs.is_empty() {
            changes.iter().for_each(|change| apply(change, &mut proofs));
        }
        prop_assert_eq!(together(root, &proofs), one_by_one(root, &proofs));
    }

    #[test]
    fn so_does_a_batch_of_slots(
        seed in any::<u64>(),
        size in 0..60_u64,
        order in any::<u64>(),
        changes in prop::collection::vec(change(), 0..6),
    ) {
        let (account, mut proofs) = storage(seed, size);
        proofs.sort_by_key(|(key, _)| keccak256([key.as_slice(), &order.to_be_bytes()].concat()));
        if !proofs.is_empty() {
            changes.iter().for_each(|change| apply(change, &mut proofs));
        }
        prop_assert_eq!(slots_together(&account, &proofs), slots_one_by_one(&account, &proofs));
    }
}

#[test]
fn the_proof_of_another_slot_is_refused_though_its_nodes_are_known() {
    let (account, proofs) = storage(3, 40);
    let each = slots_together(&account, &proofs);
    let is_present =
        |answer: &Result<Verified<Slot>, _>| matches!(answer.as_ref().unwrap().leaf(), Slot::Present(_));
    assert!(each[..40].iter().all(is_present) && !each[40..].iter().any(is_present));
    let swapped = proofs.iter().zip(proofs.iter().skip(1)).map(|(own, other)| (own.0, other.1.clone()));
    let all: Vec<_> = proofs.iter().cloned().chain(swapped).collect();
    let answers = slots_together(&account, &all);
    assert!(answers[proofs.len()..].iter().filter(|answer| answer.is_err()).count() > 50);
    assert_eq!(answers, slots_one_by_one(&account, &all));
}

#[test]
fn another_accounts_proof_is_refused_though_its_nodes_are_known() {
    let (root, proofs) = state(1, 40);
    assert!(together(root, &proofs).iter().all(Result::is_ok));
    // Each address twice: the second time with another account's proof, whose nodes have all been verified already.
    let swapped = proofs.iter().zip(proofs.iter().skip(1)).map(|(own, other)| (own.0, other.1.clone()));
    let all: Vec<_> = proofs.iter().cloned().chain(swapped).collect();
    let answers = together(root, &all);
    let (own, others) = answers.split_at(proofs.len());
    assert!(own.iter().all(Result::is_ok));
    assert_eq!(others, one_by_one(root, &all[proofs.len()..]));
    // Where the two paths differ below the root, the node's hash is not the one that its parent names.
    let named_otherwise =
        |answer: &&Result<_, _>| matches!(answer, Err(ProofError::HashMismatch { node: 1.., .. }));
    assert!(others.iter().filter(named_otherwise).count() > 50);
}

#[test]
fn a_refused_proof_spoils_no_other() {
    let (root, mut proofs) = state(2, 30);
    let good = one_by_one(root, &proofs);
    for (_, proof) in proofs.iter_mut().step_by(3) {
        let first = proof[0].to_vec();
        proof[0] = [&first[..], &[0]].concat().into();
    }
    for (index, (answer, good)) in together(root, &proofs).into_iter().zip(good).enumerate() {
        if index % 3 == 0 {
            let expected = root.get();
            assert!(
                matches!(answer, Err(ProofError::HashMismatch { node: 0, expected: wanted, .. }) if wanted == expected)
            );
        } else {
            assert_eq!(answer, good);
        }
    }
}

#[test]
fn no_accounts_give_no_results() {
    assert_eq!(verify_accounts::<Bytes>(StateRoot::new(B256::ZERO), &[]), []);
}
