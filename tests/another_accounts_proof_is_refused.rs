//! A genuine proof proves only what it is about, whatever the reply claims.

use alloy_primitives::{Address, B256, U256};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{ProofError, StateRoot, verify_account};
use saldo_tests::captured::{CLIENTS, captured, customer, four_accounts, token};

#[test]
fn another_accounts_proof_is_refused() {
    let accounts = four_accounts();
    let mut pairs = 0;
    for requested in &accounts {
        for sent in accounts.iter().filter(|sent| sent.address != requested.address) {
            // Once with the proof's own address echoed, and once with the requested one.
            for echoed in [sent.address, requested.address] {
                let reply = AccountReply { address: Some(echoed), ..sent.reply.clone() };
                let refusal = reply.verify(requested.state_root, requested.address).unwrap_err();
                // The paths separate at some branch: the next node is on the other path, or one too many.
                assert!(
                    matches!(
                        refusal,
                        ProofError::HashMismatch { node: 1.., .. } | ProofError::ExtraNodes { .. }
                    ),
                    "{} for {}: {refusal}",
                    sent.name,
                    requested.name
                );
                pairs += 1;
            }
        }
    }
    assert_eq!(pairs, 4 * 3 * 2);
}

#[test]
fn another_slots_proof_is_refused() {
    let mut pairs = 0;
    for client in CLIENTS {
        let token = token(client);
        let account = token.reply.verify(token.state_root, token.address).unwrap();
        let slots = &token.reply.storage_proof;
        // The third slot's proof is one node that proves absence, and all the others contain that node.
        for sent in slots.iter().filter(|sent| !sent.value.unwrap().is_zero()) {
            for requested in slots.iter().filter(|requested| requested.key != sent.key) {
                let refusal = account.slot(B256::from(requested.key), &sent.proof).unwrap_err();
                let expected = match requested.value.unwrap().is_zero() {
                    true => ProofError::ExtraNodes { got: 2, used: 1 },
                    false => match refusal {
                        ProofError::HashMismatch { node: 1, expected, got } if expected != got => refusal,
                        other => panic!("{client}: {other}"),
                    },
                };
                assert_eq!(refusal, expected, "{client}");
                pairs += 1;
            }
        }
        for requested in slots.iter().filter(|requested| !requested.value.unwrap().is_zero()) {
            let refusal = account.slot(B256::from(requested.key), &slots[2].proof).unwrap_err();
            assert_eq!(
                refusal,
                ProofError::Truncated { nodes: 1, depth: 1 },
                "{client}: absence of another slot"
            );
            pairs += 1;
        }
    }
    assert_eq!(pairs, CLIENTS.len() * (3 * 3 + 3));
}

/// The state of another network, another block or another fork looks the same: another root.
#[test]
fn a_proof_under_another_root_is_refused() {
    let mut roots: Vec<(String, StateRoot)> =
        CLIENTS.map(|client| (client.to_owned(), customer(client).state_root)).to_vec();
    roots.push((
        "the attested block of the same chain".to_owned(),
        captured(
            "pyspec-ethrex-fulu/proof_attested_0x00000000000000000000000000000000deadbeef.json",
            "pyspec-ethrex-fulu/el_block_attested.json",
        )
        .state_root,
    ));
    for account in four_accounts() {
        for (whose, root) in &roots {
            let refusal = account.reply.verify(*root, account.address).unwrap_err();
            assert_eq!(
                refusal,
                ProofError::HashMismatch { node: 0, expected: root.get(), got: account.state_root.get() },
                "{} under the root of {whose}",
                account.name
            );
        }
    }
}

/// A batch with swapped answers, and one answer given for both requests.
#[test]
fn swapped_answers_are_refused() {
    let [first, second, ..] = four_accounts();
    for (requested, sent) in [(&first, &second), (&second, &first)] {
        let refusal = sent.reply.verify(requested.state_root, requested.address).unwrap_err();
        assert!(matches!(refusal, ProofError::HashMismatch { node: 1.., .. }), "{refusal}");
    }
}

/// The subject is the requested address, so a proof cannot be used for another address later.
#[test]
fn the_subject_is_the_requested_address() {
    for account in four_accounts() {
        let liar = AccountReply { address: Some(Address::repeat_byte(0xee)), ..account.reply.clone() };
        let verified = liar.verify(account.state_root, account.address).unwrap();
        assert_eq!((verified.subject(), verified.state_root()), (&account.address, account.state_root));
        assert!(liar.contradictions(&verified).address);
    }
    let token = token("hardhat");
    let account = verify_account(token.state_root, token.address, &token.reply.account_proof).unwrap();
    let key = B256::from(U256::from(2));
    let slot = account.slot(key, &token.reply.storage(key).unwrap().proof).unwrap();
    assert_eq!((slot.subject().address, slot.subject().key), (token.address, key));
    assert_eq!(slot.state_root(), token.state_root);
}
