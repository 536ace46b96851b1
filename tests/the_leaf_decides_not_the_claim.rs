//! A reply's claims beside its proof are compared and recorded, and never used.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use saldo_drill::Fault;
use saldo_proof::Account;
use saldo_proof::eip1186::{AccountReply, Contradictions};
use saldo_proof::trie::EMPTY_ROOT_HASH;
use saldo_tests::captured::{CLIENTS, Captured, customer, four_accounts, token};
use saldo_tests::scene::{ALICE, BEFORE, Scene};

const NONE: Contradictions =
    Contradictions { address: false, balance: false, nonce: false, code_hash: false, storage_hash: false };

/// One edit of a reply, and the one contradiction that it must cause.
type Edit = (fn(&mut AccountReply), Contradictions);

const EDITS: [Edit; 5] = [
    (|reply| reply.address = Some(Address::repeat_byte(0xee)), Contradictions { address: true, ..NONE }),
    (
        |reply| reply.balance = reply.balance.map(|it| it.wrapping_add(U256::ONE)),
        Contradictions { balance: true, ..NONE },
    ),
    (|reply| reply.nonce = reply.nonce.map(|it| it.wrapping_add(1)), Contradictions { nonce: true, ..NONE }),
    (|reply| reply.code_hash = Some(B256::repeat_byte(0xee)), Contradictions { code_hash: true, ..NONE }),
    (
        |reply| reply.storage_hash = Some(B256::repeat_byte(0xee)),
        Contradictions { storage_hash: true, ..NONE },
    ),
];

fn check(edited: &AccountReply, genuine: &Captured, expected: Contradictions) {
    let verified = edited.verify(genuine.state_root, genuine.address).unwrap();
    assert_eq!(
        verified,
        genuine.reply.verify(genuine.state_root, genuine.address).unwrap(),
        "the leaf decides"
    );
    assert_eq!(edited.contradictions(&verified), expected, "{}", genuine.name);
    assert_eq!(expected.any(), expected != NONE);
}

#[test]
fn each_edited_claim_is_recorded_and_ignored() {
    for genuine in four_accounts().into_iter().chain(CLIENTS.map(customer)).chain(CLIENTS.map(token)) {
        check(&genuine.reply, &genuine, NONE);
        for (edit, expected) in EDITS {
            let mut edited = genuine.reply.clone();
            edit(&mut edited);
            check(&edited, &genuine, expected);
        }
        let mut edited = genuine.reply.clone();
        EDITS.iter().for_each(|(edit, _)| edit(&mut edited));
        let all =
            Contradictions { address: true, balance: true, nonce: true, code_hash: true, storage_hash: true };
        check(&edited, &genuine, all);
    }
}

/// The important lie: the right account and a genuine proof, with a claimed balance of zero.
#[test]
fn a_claimed_zero_is_not_shown() {
    let [funded, ..] = four_accounts();
    let liar = AccountReply { balance: Some(U256::ZERO), ..funded.reply.clone() };
    let verified = liar.verify(funded.state_root, funded.address).unwrap();
    let Account::Present(account) = verified.leaf() else { panic!("the account exists") };
    assert_eq!(Some(account.balance), funded.reply.balance);
    assert!(!account.balance.is_zero());
    assert!(liar.contradictions(&verified).balance);
}

/// Clients write the hashes of an absent account in two ways; both are honest.
#[test]
fn an_absent_accounts_hashes_may_be_zero_or_empty() {
    let [_, absent, ..] = four_accounts();
    for (code_hash, storage_hash) in [(B256::ZERO, B256::ZERO), (KECCAK256_EMPTY, EMPTY_ROOT_HASH)] {
        let (code_hash, storage_hash) = (Some(code_hash), Some(storage_hash));
        check(&AccountReply { code_hash, storage_hash, ..absent.reply.clone() }, &absent, NONE);
    }
}

#[test]
fn a_slots_claim_is_compared_too() {
    for client in CLIENTS {
        let token = token(client);
        let account = token.reply.verify(token.state_root, token.address).unwrap();
        for storage in &token.reply.storage_proof {
            let slot = account.slot(B256::from(storage.key), &storage.proof).unwrap();
            assert!(!storage.contradicts(&slot), "{client}");
            let mut edited = storage.clone();
            edited.value = edited.value.map(|it| it.wrapping_add(U256::ONE));
            assert!(edited.contradicts(&slot), "{client}: another value");
            let mut edited = storage.clone();
            edited.key = edited.key.wrapping_add(U256::ONE);
            assert!(edited.contradicts(&slot), "{client}: another key");
        }
    }
}

/// Nothing depends on a claim, so a reply without it is as good.
#[test]
fn a_missing_claim_changes_nothing() {
    for (seed, name) in (0..).zip(["address", "balance", "nonce", "codeHash", "storageHash"]) {
        for value in [None, Some(serde_json::Value::Null)] {
            let scene = Scene::new(seed, 1, 1);
            scene.providers[0].add(Fault::Field { name: name.to_owned(), value });
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{name}");
        }
    }
    // The proof itself is no claim.
    let scene = Scene::new(9, 1, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.providers[0].add(Fault::Field { name: "accountProof".to_owned(), value: None });
    scene.assert_unknown(&scene.balance(ALICE), "providers_failing", BEFORE);
}
