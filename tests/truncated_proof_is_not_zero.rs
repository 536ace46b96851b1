//! A proof that ends before the answer proves nothing; above all it does not prove a zero.

use alloy_primitives::{B256, Bytes, U256, keccak256};
use saldo_proof::trie::{Lookup, lookup};
use saldo_proof::{ProofError, Slot};
use saldo_tests::captured::{CLIENTS, customer, four_accounts, token};
use saldo_tests::forge;

#[test]
fn an_account_proof_cut_anywhere_is_refused() {
    let mut cuts = 0;
    for account in four_accounts().into_iter().chain(CLIENTS.map(customer)).chain(CLIENTS.map(token)) {
        account.reply.verify(account.state_root, account.address).expect(&account.name);
        for kept in 0..account.reply.account_proof.len() {
            let mut cut = account.reply.clone();
            cut.account_proof.truncate(kept);
            // The values that a lying provider wants to be shown.
            (cut.balance, cut.nonce) = (Some(U256::ZERO), Some(0));
            (cut.code_hash, cut.storage_hash) = (Some(B256::ZERO), Some(B256::ZERO));
            let refusal = cut.verify(account.state_root, account.address).unwrap_err();
            match kept {
                0 => assert_eq!(refusal, ProofError::EmptyProof { expected: account.state_root.get() }),
                // Every node of these tries except the last is a branch: one nibble each.
                nodes => {
                    assert_eq!(refusal, ProofError::Truncated { nodes, depth: kept }, "{}", account.name);
                }
            }
            cuts += 1;
        }
    }
    assert!(cuts > 30, "only {cuts} cuts were tried");
}

#[test]
fn a_storage_proof_cut_anywhere_is_refused() {
    let mut cuts = 0;
    for client in CLIENTS {
        let token = token(client);
        let account = token.reply.verify(token.state_root, token.address).unwrap();
        for storage in &token.reply.storage_proof {
            let key = B256::from(storage.key);
            let slot = account.slot(key, &storage.proof).unwrap();
            assert!(!storage.contradicts(&slot), "{client}: {storage:?}");
            for kept in 0..storage.proof.len() {
                let refusal = account.slot(key, &storage.proof[..kept]).unwrap_err();
                match kept {
                    0 => assert_eq!(
                        refusal,
                        ProofError::EmptyProof { expected: token.reply.storage_hash.unwrap() }
                    ),
                    nodes => assert_eq!(refusal, ProofError::Truncated { nodes, depth: kept }),
                }
                cuts += 1;
            }
        }
    }
    assert_eq!(cuts, CLIENTS.len() * (2 + 2 + 1 + 2));
}

#[test]
fn a_proof_without_its_first_nodes_is_refused() {
    for account in four_accounts() {
        for dropped in 1..account.reply.account_proof.len() {
            let mut cut = account.reply.clone();
            cut.account_proof.drain(..dropped);
            let expected = ProofError::HashMismatch {
                node: 0,
                expected: account.state_root.get(),
                got: keccak256(&account.reply.account_proof[dropped]),
            };
            assert_eq!(cut.verify(account.state_root, account.address), Err(expected), "{}", account.name);
        }
    }
}

/// The one node that real clients send for an empty trie proves nothing in a trie that is not empty.
#[test]
fn the_empty_node_proves_nothing_in_another_trie() {
    let empty = Bytes::from_static(&[0x80]);
    for account in four_accounts() {
        let expected = account.state_root.get();
        let mut lie = account.reply.clone();
        lie.account_proof = vec![empty.clone()];
        let refusal = ProofError::HashMismatch { node: 0, expected, got: keccak256(&empty) };
        assert_eq!(lie.verify(account.state_root, account.address), Err(refusal));

        let mut lie = account.reply.clone();
        *lie.account_proof.last_mut().unwrap() = empty.clone();
        let refusal = lie.verify(account.state_root, account.address).unwrap_err();
        assert!(matches!(refusal, ProofError::HashMismatch { node: 1.., .. }), "{refusal}");
    }
    let token = token("ethrex-electra");
    let account = token.reply.verify(token.state_root, token.address).unwrap();
    let refusal = account.slot(B256::with_last_byte(2), &[&empty]).unwrap_err();
    assert!(matches!(refusal, ProofError::HashMismatch { node: 0, .. }), "{refusal}");
}

/// An extension on the key's path is not its end, and its depth counts all its nibbles.
#[test]
fn a_proof_cut_below_an_extension_is_refused() {
    let keys: Vec<B256> = (0..4_u8).map(|last| B256::with_last_byte(last << 2)).collect();
    let trie: forge::Trie = keys.iter().map(|key| (key, forge::word(U256::MAX))).collect();
    let proof = trie.prove(keys[1].as_slice());
    assert_eq!(proof.len(), 3, "extension, branch, leaf");
    let found = lookup(trie.root(), keys[1].as_slice(), &proof);
    assert_eq!(found, Ok(Lookup::Present(&forge::word(U256::MAX))));
    for (kept, depth) in [(1, 63), (2, 64)] {
        let refusal = lookup(trie.root(), keys[1].as_slice(), &proof[..kept]);
        assert_eq!(refusal, Err(ProofError::Truncated { nodes: kept, depth }));
    }
}

/// The third of these slots is empty: its complete proof is a proof of absence.
#[test]
fn the_same_proofs_verify_when_complete() {
    for client in CLIENTS {
        let token = token(client);
        let account = token.reply.verify(token.state_root, token.address).unwrap();
        let words = token
            .reply
            .storage_proof
            .iter()
            .map(|storage| *account.slot(B256::from(storage.key), &storage.proof).unwrap().leaf());
        let claims: Vec<U256> =
            token.reply.storage_proof.iter().map(|storage| storage.value.unwrap()).collect();
        let expected =
            [Slot::Present(claims[0]), Slot::Present(claims[1]), Slot::Absent, Slot::Present(claims[3])];
        assert!(words.eq(expected), "{client}");
    }
}
