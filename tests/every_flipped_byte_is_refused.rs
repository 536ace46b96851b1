//! A proof is exactly these bytes: any other bytes are refused.

use alloy_primitives::{B256, Bytes};
use saldo_proof::{Account, ProofError, Verified};
use saldo_tests::captured::{Captured, four_accounts, token};

/// Changes every bit of every byte of every node, and makes nodes shorter and longer.
fn for_every_change(proof: &[Bytes], mut refused: impl FnMut(usize, &[Bytes])) -> usize {
    let mut changes = 0;
    let mut changed = proof.to_vec();
    for (node, original) in proof.iter().enumerate() {
        let mut bytes = original.to_vec();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                bytes[index] ^= 1 << bit;
                changed[node] = bytes.clone().into();
                refused(node, &changed);
                bytes[index] ^= 1 << bit;
                changes += 1;
            }
        }
        for other in [
            original.slice(1..),
            original.slice(..original.len() - 1),
            [original.as_ref(), &[0]].concat().into(),
            [&[0], original.as_ref()].concat().into(),
            Bytes::new(),
        ] {
            changed[node] = other;
            refused(node, &changed);
            changes += 1;
        }
        changed[node] = original.clone();
    }
    changes
}

fn verified(captured: &Captured) -> Verified<Account> {
    captured.reply.verify(captured.state_root, captured.address).unwrap()
}

fn mismatch_at<T: std::fmt::Debug>(node: usize, answer: Result<T, ProofError>) -> bool {
    matches!(answer.unwrap_err(), ProofError::HashMismatch { node: at, expected, got } if at == node && expected != got)
}

#[test]
fn of_an_account_proof() {
    let mut changes = 0;
    for mut account in four_accounts() {
        verified(&account);
        changes += for_every_change(&account.reply.account_proof.clone(), |node, changed| {
            account.reply.account_proof = changed.to_vec();
            assert!(
                mismatch_at(node, account.reply.verify(account.state_root, account.address)),
                "{}",
                account.name
            );
        });
    }
    assert!(changes > 20_000, "only {changes} changes were tried");
}

#[test]
fn of_a_storage_proof() {
    let token = token("ethrex-electra");
    let account = verified(&token);
    let mut changes = 0;
    for storage in &token.reply.storage_proof {
        let key = B256::from(storage.key);
        changes += for_every_change(&storage.proof, |node, changed| {
            assert!(mismatch_at(node, account.slot(key, changed)), "slot {key}");
        });
    }
    assert!(changes > 5_000, "only {changes} changes were tried");
}

#[test]
fn extra_repeated_and_reordered_nodes_are_refused() {
    let mut tried = 0;
    for account in four_accounts() {
        let genuine = account.reply.account_proof.clone();
        let count = genuine.len();
        let answer = |proof: Vec<Bytes>| {
            let mut reply = account.reply.clone();
            reply.account_proof = proof;
            reply.verify(account.state_root, account.address).unwrap_err()
        };
        for extra in genuine.iter().cloned().chain([Bytes::new(), Bytes::from_static(&[0x80])]) {
            let appended = [genuine.clone(), vec![extra]].concat();
            assert_eq!(answer(appended), ProofError::ExtraNodes { got: count + 1, used: count });
            tried += 1;
        }
        for repeated in 0..count - 1 {
            let mut proof = genuine.clone();
            proof.insert(repeated, genuine[repeated].clone());
            let refusal = answer(proof);
            let at = repeated + 1;
            assert!(matches!(refusal, ProofError::HashMismatch { node, .. } if node == at), "{refusal}");
            tried += 1;
        }
        for one in 0..count {
            for other in one + 1..count {
                let mut proof = genuine.clone();
                proof.swap(one, other);
                let refusal = answer(proof);
                assert!(matches!(refusal, ProofError::HashMismatch { node, .. } if node == one), "{refusal}");
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "only {tried} were tried");
}
