use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use revm::bytecode::opcode as op;
use saldo_proof::HashedCode;

use super::*;
use crate::prepared::prepare;
use crate::source::{Guessed, Source};
use crate::world::{Leaf, OTHER, TOKEN, returning};

const KEY: B256 = B256::ZERO;

fn call() -> Call {
    Call::new(TOKEN, Bytes::new())
}

/// A token that returns the word in its first slot, and a state in which this is proven.
fn token() -> (Leaf, ProvenState) {
    let leaf = Leaf::new(&returning(&[op::PUSH0, op::SLOAD]), Some(12_345));
    let mut state = leaf.nothing();
    let mut query = Query::slot(TOKEN, KEY);
    query.add_code(TOKEN);
    leaf.prove(&mut state, &query);
    (leaf, state)
}

#[test]
fn a_run_says_what_it_was_and_what_it_rests_on() {
    let (leaf, state) = token();
    let executed = execute(&state, &leaf.environment(), &call()).unwrap();
    assert_eq!(*executed.call(), call());
    assert_eq!(*executed.output(), Output::Returned(B256::from(U256::from(12_345)).0.into()));
    assert_eq!(executed.code_hash(), keccak256(returning(&[op::PUSH0, op::SLOAD])));
    assert_eq!(executed.state_root(), state.root());
    assert_eq!(executed.block_hash(), leaf.environment().block_hash());
    assert_eq!(*executed.touched(), Query::slot(TOKEN, KEY));
}

#[test]
fn the_code_sees_the_input() {
    let leaf = Leaf::new(&returning(&[op::CALLDATASIZE, op::PUSH0, op::CALLDATALOAD, op::ADD]), None);
    let mut state = leaf.nothing();
    let mut query = Query::account(TOKEN);
    query.add_code(TOKEN);
    leaf.prove(&mut state, &query);
    let data = B256::with_last_byte(7);
    let executed = execute(&state, &leaf.environment(), &Call::new(TOKEN, data.into())).unwrap();
    // 32 bytes, which are the number 7.
    assert_eq!(*executed.output(), Output::Returned(B256::with_last_byte(39).into()));
}

#[test]
fn each_round_names_what_is_missing() {
    let (leaf, _) = token();
    let mut state = leaf.nothing();
    let mut asked = Vec::new();
    while let Err(refusal) = execute(&state, &leaf.environment(), &call()) {
        let Refusal::Missing(query) = refusal else { panic!("{refusal}") };
        leaf.prove(&mut state, &query);
        asked.push(query);
        assert!(asked.len() < 5, "it does not end");
    }
    let mut account = Query::account(TOKEN);
    account.add_code(TOKEN);
    assert_eq!(asked, [account, Query::slot(TOKEN, KEY)]);
}

#[test]
fn the_state_of_another_block_is_refused() {
    let (leaf, state) = token();
    let other = Leaf::new(&[op::STOP], None).environment();
    assert_eq!(execute(&state, &other, &call()), Err(Refusal::OtherBlock));
    assert!(execute(&state, &leaf.environment(), &call()).is_ok());
}

#[test]
fn only_an_account_without_storage_has_zero_in_every_slot() {
    let (_, state) = token();
    assert_eq!(Source::word(&state, TOKEN, KEY), Some(U256::from(12_345)));
    assert_eq!(Source::word(&state, TOKEN, B256::with_last_byte(1)), None);
    assert_eq!(Source::word(&state, OTHER, KEY), None);
    assert!(Source::account(&state, OTHER).is_none() && !state.guesses());

    let leaf = Leaf::new(&[op::STOP], None);
    let mut empty = leaf.nothing();
    empty.add_account(&leaf.verified(TOKEN)).unwrap();
    empty.add_account(&leaf.verified(OTHER)).unwrap();
    assert_eq!(Source::word(&empty, TOKEN, KEY), Some(U256::ZERO));
    assert_eq!(Source::word(&empty, OTHER, KEY), Some(U256::ZERO));
    let present = Source::account(&empty, TOKEN).unwrap();
    assert_eq!((present.balance, present.nonce, present.exists), (U256::from(5), 1, true));
    assert_eq!(present.code_hash, keccak256([op::STOP]));
    let absent = Source::account(&empty, OTHER).unwrap();
    assert_eq!((absent.balance, absent.nonce, absent.exists), (U256::ZERO, 0, false));
    assert_eq!(absent.code_hash, KECCAK256_EMPTY);
}

/// What was known of the token before.
struct Before {
    code: HashedCode,
    word: Option<U256>,
}

impl Guess for Before {
    fn code_hash(&self, address: Address) -> Option<B256> {
        (address == TOKEN).then(|| self.code.hash())
    }

    fn word(&self, _: Address, _: B256) -> Option<U256> {
        self.word
    }

    fn code(&self, hash: B256) -> Option<&HashedCode> {
        (hash == self.code.hash()).then_some(&self.code)
    }
}

/// The token reads the slot whose key is in its first slot.
#[test]
fn a_guess_tells_what_a_run_would_read() {
    let code = returning(&[op::PUSH0, op::SLOAD, op::SLOAD]);
    let leaf = Leaf::new(&code, Some(300));
    let environment = leaf.environment();
    let code = prepare(code.into());
    let foreseen = |proven: Option<&ProvenState>, word: Option<u64>| {
        let guess = Before { code: code.clone(), word: word.map(U256::from) };
        foresee(proven, &guess, &environment, &call())
    };
    let both = |second: u64| {
        let mut query = Query::slot(TOKEN, KEY);
        query.add_slot(TOKEN, U256::from(second).into());
        query
    };
    assert_eq!(foreseen(None, Some(7)), both(7));
    assert_eq!(foreseen(None, None), both(0));
    // What is proven is not guessed.
    let mut state = leaf.nothing();
    leaf.prove(&mut state, &Query::slot(TOKEN, KEY));
    assert_eq!(foreseen(Some(&state), Some(7)), both(300));
    let guess = Before { code: code.clone(), word: Some(U256::from(7)) };
    let guessed = Guessed { proven: Some(&state), guess: &guess };
    assert_eq!(guessed.account(TOKEN).map(|seen| seen.balance), Some(U256::from(5)));
    assert_eq!(guessed.code(code.hash()).map(HashedCode::hash), Some(code.hash()));
    let only_guessed = Guessed { proven: None, guess: &guess };
    let seen = only_guessed.account(TOKEN).unwrap();
    assert_eq!((seen.balance, seen.nonce, seen.exists), (U256::ZERO, 1, true));
    assert!(only_guessed.account(OTHER).is_none() && only_guessed.guesses());
}

#[test]
fn prepared_code_runs_like_the_code_itself() {
    let delegation = [&[0xef, 0x01, 0x00][..], OTHER.as_slice()].concat();
    let jumps = [op::PUSH1, 4, op::JUMP, op::INVALID, op::JUMPDEST, op::PUSH1];
    for code in [&jumps[..], &returning(&[op::PUSH1, 7]), &delegation, &delegation[..22], &[op::STOP], &[]] {
        let prepared = prepare(Bytes::copy_from_slice(code));
        assert_eq!((prepared.hash(), prepared.code().as_ref()), (keccak256(code), code));
        let leaf = Leaf::new(code, None);
        let run = |code: HashedCode| {
            let mut state = leaf.nothing();
            leaf.prove(&mut state, &Query::account(TOKEN));
            state.add_account(&leaf.verified(OTHER)).unwrap();
            state.add_hashed_code(code);
            execute(&state, &leaf.environment(), &call()).map(|executed| executed.output().clone())
        };
        assert_eq!(run(prepared), run(HashedCode::new(Bytes::copy_from_slice(code))), "{code:?}");
    }
}
