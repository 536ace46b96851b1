use alloy_primitives::{B256, U256, keccak256};
use saldo_execute::{Bound, execute};
use saldo_proof::Query;

use super::*;
use crate::balance::{Derivation, Touched};
use crate::hint::Hint;
use crate::info::{InfoSource, TokenInfo};
use crate::proven::{OWNER, Proven, TOKEN, all_of};
use crate::route::NotAToken;
use crate::table;

/// Returns the word on top of the stack: `PUSH0 MSTORE PUSH1 32 PUSH0 RETURN`.
const RETURN_WORD: [u8; 6] = [0x5f, 0x52, 0x60, 32, 0x5f, 0xf3];
/// `PUSH0 SLOAD`.
const READ_FIRST_SLOT: [u8; 2] = [0x5f, 0x54];

fn returning(source: &[u8]) -> Vec<u8> {
    [source, &RETURN_WORD].concat()
}

/// A contract with this code and 77 in its first slot.
fn contract(code: &[u8]) -> Proven {
    Proven::of_code(code, B256::ZERO, U256::from(77))
}

fn balance(proven: &Proven) -> Result<VerifiedBalance, Obstacle> {
    prove(&proven.state(&all_of(B256::ZERO)), Some(&proven.environment()), TOKEN, OWNER)
}

#[test]
fn a_token_of_unknown_code_is_run_in_its_block() {
    let code = returning(&READ_FIRST_SLOT);
    let proven = contract(&code);
    let executed = balance(&proven).unwrap();
    assert_eq!((executed.token(), executed.owner(), executed.amount()), (TOKEN, OWNER, U256::from(77)));
    assert_eq!((executed.is_blocked(), executed.state_root()), (false, proven.root));
    assert_eq!(executed.block_hash(), Some(proven.environment().block_hash()));
    let touched = Touched { accounts: 1, slots: 1 };
    assert_eq!(*executed.derivation(), Derivation::Executed { code_hash: keccak256(&code), touched });
    // Without a block it is not run.
    let state = proven.state(&all_of(B256::ZERO));
    let unknown = Obstacle::LayoutUnknown { code_hash: keccak256(&code), implementation: None };
    assert_eq!(prove(&state, None, TOKEN, OWNER), Err(unknown));
    let mut account_and_code = Query::account(TOKEN);
    account_and_code.add_code(TOKEN);
    let missing = prove(&proven.state(&account_and_code), Some(&proven.environment()), TOKEN, OWNER);
    assert_eq!(missing, Err(Obstacle::Missing(Query::slot(TOKEN, B256::ZERO))));
}

#[test]
fn a_token_of_known_code_is_not_run() {
    let layout = table::layouts().iter().find(|layout| layout.name == "WETH9").unwrap();
    let key = layout.mapping.slot(OWNER);
    let proven = Proven::of_hash(layout.code_hash, key, U256::from(8));
    let read = prove(&proven.state(&all_of(key)), Some(&proven.environment()), TOKEN, OWNER).unwrap();
    assert_eq!((read.amount(), read.block_hash()), (U256::from(8), None));
}

#[test]
fn what_the_code_is_asked_is_the_balance_of_the_owner() {
    let call = balance_of(TOKEN, OWNER);
    let selector = keccak256("balanceOf(address)");
    let (first, owner) = call.data.split_at(4);
    assert_eq!((call.to, first, owner), (TOKEN, &selector[..4], OWNER.into_word().as_slice()));
    // `PUSH1 4 CALLDATALOAD`.
    let asked = balance(&contract(&returning(&[0x60, 4, 0x35]))).unwrap();
    assert_eq!(asked.amount(), U256::from_be_bytes(OWNER.into_word().0));
}

#[test]
fn another_call_is_no_balance() {
    let proven = contract(&returning(&READ_FIRST_SLOT));
    let state = proven.state(&all_of(B256::ZERO));
    let executed = execute(&state, &proven.environment(), &balance_of(TOKEN, OWNER)).unwrap();
    for (token, owner) in [(TOKEN, TOKEN), (OWNER, OWNER)] {
        let other = VerifiedBalance::from_execution(&executed, token, owner);
        assert_eq!(other, Err(Obstacle::OtherCall));
    }
    assert!(VerifiedBalance::from_execution(&executed, TOKEN, OWNER).is_ok());
}

#[test]
fn what_gives_no_number_is_no_token_and_no_zero() {
    let no_token = |code: &[u8]| balance(&contract(code)).map(|_| ());
    let fails = Obstacle::NotAToken(NotAToken::Fails { address: TOKEN });
    // `PUSH0 PUSH0 REVERT`.
    assert_eq!(no_token(&[0x5f, 0x5f, 0xfd]), Err(fails));
    // `PUSH1 31 PUSH0 RETURN`.
    let short = NotAToken::ReturnsTooLittle { address: TOKEN, bytes: 31 };
    assert_eq!(no_token(&[0x60, 31, 0x5f, 0xf3]), Err(short.into()));
    assert_eq!(no_token(&[]), Err(NotAToken::NoCode { address: TOKEN }.into()));
    // Also if the code was run.
    let nothing = contract(&[]);
    let state = nothing.state(&all_of(B256::ZERO));
    let executed = execute(&state, &nothing.environment(), &balance_of(TOKEN, OWNER)).unwrap();
    let no_code = VerifiedBalance::from_execution(&executed, TOKEN, OWNER);
    assert_eq!(no_code, Err(NotAToken::NoCode { address: TOKEN }.into()));
    // `JUMPDEST PUSH0 JUMP`: it never ends.
    let given_up = Obstacle::NotRun(Refusal::Bound(Bound::Steps));
    assert_eq!(no_token(&[0x5b, 0x5f, 0x56]), Err(given_up));
}

/// A token that does a quarter of what one run may do before it reads its slot: after eight rounds nothing is left for it.
#[test]
fn all_rounds_of_a_balance_have_one_bound() {
    // `JUMPDEST …`
    let slow = [vec![0x5b; 62_500], returning(&READ_FIRST_SLOT)].concat();
    let proven = contract(&slow);
    let all = proven.state(&all_of(B256::ZERO));
    let mut lacks_the_slot = Query::account(TOKEN);
    lacks_the_slot.add_code(TOKEN);
    let lacks_the_slot = proven.state(&lacks_the_slot);
    let environment = proven.environment();
    let mut meter = Meter::default();
    let within =
        |state: &ProvenState, meter: &mut Meter| prove_within(state, Some(&environment), TOKEN, OWNER, meter);
    let mut hint = Hint::default();
    hint.learn_all(&all);
    for _ in 0..3 {
        let missing = Obstacle::Missing(Query::slot(TOKEN, B256::ZERO));
        assert_eq!(within(&lacks_the_slot, &mut meter), Err(missing));
        let query = hint.query_within(TOKEN, OWNER, &environment, Some(&lacks_the_slot), &mut meter);
        assert_eq!(query.slots()[&TOKEN].len(), 1);
    }
    assert!(within(&all, &mut meter.clone()).is_ok());
    assert!(within(&lacks_the_slot, &mut meter).is_err());
    let given_up = Obstacle::NotRun(Refusal::Bound(Bound::Together));
    assert_eq!(within(&all, &mut meter), Err(given_up));
    // What it would read is not named any more.
    let query = hint.query_within(TOKEN, OWNER, &environment, Some(&all), &mut meter);
    assert_eq!(query.slots()[&TOKEN].len(), 0);
    // Each balance has its own.
    assert!(prove(&all, Some(&environment), TOKEN, OWNER).is_ok());
}

/// It returns 6 for `decimals()` after so many steps, and "MKR" in 32 bytes for anything else.
fn with_metadata(steps: usize) -> Vec<u8> {
    // `PUSH0 CALLDATALOAD PUSH1 224 SHR PUSH4 … EQ PUSH1 23 JUMPI PUSH3 … PUSH1 232 SHL`
    let is_decimals = [0x5f, 0x35, 0x60, 224, 0x1c, 0x63, 0x31, 0x3c, 0xe5, 0x67, 0x14, 0x60, 27, 0x57];
    let symbol = returning(&[0x62, b'M', b'K', b'R', 0x60, 232, 0x1b]);
    // `JUMPDEST …`
    let slow = vec![0x5b; steps.saturating_add(1)];
    [&is_decimals[..], &symbol, &slow, &returning(&[0x60, 6])].concat()
}

#[test]
fn decimals_and_symbol_are_what_the_code_returns() {
    let proven = contract(&with_metadata(0));
    let read = |query: &Query| TokenInfo::from_execution(&proven.state(query), &proven.environment(), TOKEN);
    let info = read(&all_of(B256::ZERO)).unwrap().unwrap();
    assert_eq!((info.decimals(), info.symbol().as_str()), (6, "MKR"));
    assert_eq!((info.source(), info.source().code()), (InfoSource::Execution, "execution"));
    assert!(info.symbol().flaws().is_empty());
    let mut account_and_code = Query::account(TOKEN);
    account_and_code.add_code(TOKEN);
    assert_eq!(read(&Query::default()), Err(Obstacle::Missing(account_and_code)));
    let none = contract(&[0x5f, 0x5f, 0xfd]);
    let nothing = TokenInfo::from_execution(&none.state(&all_of(B256::ZERO)), &none.environment(), TOKEN);
    assert_eq!(nothing, Ok(None));
    let endless = contract(&[0x5b, 0x5f, 0x56]);
    let given_up =
        TokenInfo::from_execution(&endless.state(&all_of(B256::ZERO)), &endless.environment(), TOKEN);
    assert_eq!(given_up, Err(Obstacle::NotRun(Refusal::Bound(Bound::Steps))));
}

/// Both runs of a description count, in each round.
#[test]
fn all_rounds_of_a_description_have_one_bound() {
    let proven = contract(&with_metadata(62_300));
    let (state, environment) = (proven.state(&all_of(B256::ZERO)), proven.environment());
    let mut meter = Meter::default();
    let mut read = || TokenInfo::from_execution_within(&state, &environment, TOKEN, &mut meter);
    for _ in 0..8 {
        assert_eq!(read().unwrap().unwrap().decimals(), 6);
    }
    assert_eq!(read(), Err(Obstacle::NotRun(Refusal::Bound(Bound::Together))));
    assert!(TokenInfo::from_execution(&state, &environment, TOKEN).is_ok(), "each description has its own");
}
