//! A slot is proven under the storage root of its account, and the account itself is proven.

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_proof::trie::EMPTY_ROOT_HASH;
use saldo_proof::{Account, ProofError, Slot, StateRoot, Verified, verify_account};
use saldo_tests::captured::{CLIENTS, customer, token};
use saldo_tests::forge;

const KEY: B256 = B256::with_last_byte(2);

fn state(accounts: &[(Address, B256)]) -> forge::Trie {
    accounts
        .iter()
        .map(|(address, root)| {
            (keccak256(address), forge::account(1, U256::from(7), *root, keccak256(b"code")))
        })
        .collect()
}

fn verified(state: &forge::Trie, address: Address) -> Verified<Account> {
    let proof = state.prove(keccak256(address).as_slice());
    verify_account(StateRoot::new(state.root()), address, &proof).unwrap()
}

#[test]
fn another_accounts_storage_is_refused() {
    let [ours, theirs] = [Address::repeat_byte(1), Address::repeat_byte(2)];
    let storage = |word: u64| -> forge::Trie {
        (0..20_u8)
            .map(|slot| (keccak256(B256::with_last_byte(slot)), forge::word(U256::from(word))))
            .collect()
    };
    let (rich, poor) = (storage(1_000_000), storage(1));
    let state = state(&[(ours, poor.root()), (theirs, rich.root())]);
    let key = keccak256(KEY);
    assert_eq!(
        verified(&state, theirs).slot(KEY, &rich.prove(key.as_slice())).unwrap().leaf(),
        &Slot::Present(U256::from(1_000_000))
    );
    assert_eq!(
        verified(&state, ours).slot(KEY, &rich.prove(key.as_slice())),
        Err(ProofError::HashMismatch { node: 0, expected: poor.root(), got: rich.root() })
    );
}

/// The state trie is not a storage trie: an account's own proof does not prove a slot, nor the reverse.
#[test]
fn the_state_trie_is_no_storage_trie() {
    for client in CLIENTS {
        let token = token(client);
        let account = token.reply.verify(token.state_root, token.address).unwrap();
        let refusal = account.slot(KEY, &token.reply.account_proof).unwrap_err();
        let (state, storage) = (token.state_root.get(), token.reply.storage_hash.unwrap());
        assert_eq!(refusal, ProofError::HashMismatch { node: 0, expected: storage, got: state }, "{client}");

        let proof = &token.reply.storage(KEY).unwrap().proof;
        let refusal = verify_account(token.state_root, token.address, proof).unwrap_err();
        assert_eq!(refusal, ProofError::HashMismatch { node: 0, expected: state, got: storage }, "{client}");
    }
}

/// An account without storage has no slots, and a reply cannot give it one.
#[test]
fn an_account_without_storage_proves_every_slot_absent() {
    for client in CLIENTS {
        let (customer, token) = (customer(client), token(client));
        let account = customer.reply.verify(customer.state_root, customer.address).unwrap();
        assert_eq!(account.leaf().storage_root().get(), EMPTY_ROOT_HASH);
        let nothing: [&[u8]; 0] = [];
        assert_eq!(account.slot(KEY, &nothing).unwrap().leaf(), &Slot::Absent);
        assert_eq!(account.slot(KEY, &[[0x80]]).unwrap().leaf(), &Slot::Absent);
        let others = &token.reply.storage(KEY).unwrap().proof;
        assert_eq!(account.slot(KEY, others), Err(ProofError::ExtraNodes { got: 2, used: 0 }));
        assert_eq!(account.slot(KEY, &[[0x80], [0x80]]), Err(ProofError::ExtraNodes { got: 2, used: 0 }));
    }
}

#[test]
fn an_absent_account_proves_every_slot_absent() {
    let absent = Address::repeat_byte(9);
    let storage: forge::Trie = [(keccak256(KEY), forge::word(U256::from(1)))].into_iter().collect();
    let state =
        state(&[(Address::repeat_byte(1), storage.root()), (Address::repeat_byte(2), EMPTY_ROOT_HASH)]);
    let account = verified(&state, absent);
    assert_eq!(account.leaf(), &Account::Absent);
    let nothing: [&[u8]; 0] = [];
    let slot = account.slot(KEY, &nothing).unwrap();
    assert_eq!((slot.leaf(), slot.subject().address), (&Slot::Absent, absent));
    assert_eq!(account.slot(KEY, &[[0x80]]).unwrap().leaf(), &Slot::Absent);
    let others = storage.prove(keccak256(KEY).as_slice());
    assert_eq!(account.slot(KEY, &others), Err(ProofError::ExtraNodes { got: 1, used: 0 }));
    assert_eq!(account.slot(KEY, &[[0x81]]), Err(ProofError::ExtraNodes { got: 1, used: 0 }));
}
