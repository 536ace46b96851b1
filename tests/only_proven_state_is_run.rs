//! A token's code runs over proven state alone. What is not proven, and every limit of ours, ends the whole run: the code cannot
//! catch it and return 0.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_execute::{Bound, Call, Executed, Output, Refusal, execute};
use saldo_proof::Query;
use saldo_tests::assembler::{
    RETURN_WORD, assemble, catching_token, plain_token, proxy_to, push_balance, slot_of, token_of,
};
use saldo_tests::proven_world::ProvenWorld;
use saldo_token::{NotAToken, Obstacle, VerifiedBalance, balance_of};

const TOKEN: Address = Address::repeat_byte(0x70);
const OTHER: Address = Address::repeat_byte(0x71);
const OWNER: Address = Address::repeat_byte(0x11);

fn call() -> Call {
    balance_of(TOKEN, OWNER)
}

/// A world in which the owner has 5, and 9 in another token.
fn world(code: Bytes) -> ProvenWorld {
    let world = ProvenWorld::default().with(TOKEN, code).with(OTHER, plain_token(0));
    let world = world.storing(TOKEN, slot_of(OWNER, 0), U256::from(5));
    world.storing(OTHER, slot_of(OWNER, 0), U256::from(9))
}

#[track_caller]
fn executed(world: &ProvenWorld) -> Executed {
    world.run(&call()).0.unwrap()
}

#[track_caller]
fn amount(world: &ProvenWorld) -> U256 {
    VerifiedBalance::from_execution(&executed(world), TOKEN, OWNER).unwrap().amount()
}

#[track_caller]
fn refusal(code: Bytes) -> Refusal {
    world(code).run(&call()).0.unwrap_err()
}

#[track_caller]
fn no_token(code: Bytes) -> NotAToken {
    let outcome = VerifiedBalance::from_execution(&executed(&world(code)), TOKEN, OWNER);
    let Err(Obstacle::NotAToken(reason)) = outcome else { panic!("{outcome:?}") };
    reason
}

#[test]
fn each_round_names_what_is_missing_until_the_code_has_run() {
    let world = world(plain_token(0));
    let (environment, mut state) = (world.environment(), world.nothing());
    let Err(Refusal::Missing(first)) = execute(&state, &environment, &call()) else { panic!() };
    // The account and its code at once.
    let mut expected = Query::account(TOKEN);
    expected.add_code(TOKEN);
    assert_eq!(first, expected);
    world.prove(&mut state, &first);
    let Err(Refusal::Missing(second)) = execute(&state, &environment, &call()) else { panic!() };
    assert_eq!(second, Query::slot(TOKEN, slot_of(OWNER, 0)));
    world.prove(&mut state, &second);
    let executed = execute(&state, &environment, &call()).unwrap();
    assert_eq!(*executed.output(), Output::Returned(B256::from(U256::from(5)).to_vec().into()));
    assert_eq!(*executed.touched(), Query::slot(TOKEN, slot_of(OWNER, 0)));
    let balance = VerifiedBalance::from_execution(&executed, TOKEN, OWNER).unwrap();
    assert_eq!((balance.amount(), balance.state_root()), (U256::from(5), state.root()));
    assert_eq!(balance.block_hash(), Some(environment.block_hash()));
    // The run says nothing about another owner or another token.
    for (token, owner) in [(TOKEN, OTHER), (OTHER, OWNER)] {
        let other = VerifiedBalance::from_execution(&executed, token, owner);
        assert_eq!(other, Err(Obstacle::OtherCall));
    }
}

#[test]
fn an_unused_slot_is_zero_only_where_the_code_reads_it() {
    let world = world(plain_token(0));
    let stranger = Address::repeat_byte(0x99);
    let (executed, _) = world.run(&balance_of(TOKEN, stranger));
    let balance = VerifiedBalance::from_execution(&executed.unwrap(), TOKEN, stranger).unwrap();
    assert_eq!(balance.amount(), U256::ZERO);
    // A proof of another unused slot does not help.
    let wrong = |query: &Query| {
        (query.slots().values().all(|keys| keys.is_empty())).then(|| {
            let mut query = query.clone();
            query.add_slot(TOKEN, slot_of(stranger, 9));
            query
        })
    };
    let (refused, _) = world.run_but(&balance_of(TOKEN, stranger), wrong);
    assert_eq!(refused, Err(Refusal::Missing(Query::slot(TOKEN, slot_of(stranger, 0)))));
}

#[test]
fn proxies_and_delegations_run_the_code_that_is_proven() {
    let library = Address::repeat_byte(0x72);
    let direct = proxy_to(&format!("{library:?}"));
    let by_slot = proxy_to("1 SLOAD");
    let delegated: Bytes = [&[0xef, 0x01, 0x00], library.as_slice()].concat().into();
    let minimal = saldo_tests::token::minimal_proxy(library);
    for code in [direct, by_slot, delegated, minimal] {
        let world = world(code).with(library, plain_token(0));
        let pointer = U256::from_be_bytes(library.into_word().0);
        let world = world.storing(TOKEN, B256::with_last_byte(1), pointer);
        assert_eq!(amount(&world), U256::from(5));
    }
    // A proxy to an address without code returns nothing, which is no zero.
    let code = proxy_to(&format!("{:?}", Address::repeat_byte(0x73)));
    assert_eq!(no_token(code), NotAToken::ReturnsTooLittle { address: TOKEN, bytes: 0 });
}

#[test]
fn what_depends_on_the_block_is_taken_from_its_header() {
    let world = world(Bytes::new());
    let environment = world.environment();
    let word = |address: Address| U256::from_be_bytes(address.into_word().0);
    for (source, expected) in [
        ("TIMESTAMP", U256::from(environment.timestamp().as_secs())),
        ("NUMBER", U256::from(1_000)),
        ("COINBASE", word(environment.coinbase())),
        ("PREVRANDAO", environment.prev_randao().into()),
        ("GASLIMIT", U256::from(60_000_000)),
        ("BASEFEE", U256::from(7)),
        ("CHAINID", U256::from(1)),
        ("999 BLOCKHASH", environment.parent_hash().into()),
        // Not in the last 256 blocks: 0 by the chain's rules.
        ("700 BLOCKHASH", U256::ZERO),
        ("1000 BLOCKHASH", U256::ZERO),
        ("CALLER", U256::ZERO),
        ("ORIGIN", U256::ZERO),
        ("GASPRICE", U256::ZERO),
        ("CALLVALUE", U256::ZERO),
        ("ADDRESS", word(TOKEN)),
    ] {
        let world = world.clone().with(TOKEN, token_of(source));
        assert_eq!(amount(&world), expected, "{source}");
    }
    // Shares of a pool, which grow with time.
    let growing = token_of(&format!("TIMESTAMP {} MUL", push_balance(0)));
    let world = world.with(TOKEN, growing);
    let time = U256::from(environment.timestamp().as_secs());
    assert_eq!(amount(&world), U256::from(5) * time);
}

#[test]
fn what_no_header_proves_is_refused_by_name() {
    assert_eq!(refusal(token_of("998 BLOCKHASH")), Refusal::BlockHash { number: 998 });
    assert_eq!(refusal(token_of("BLOBBASEFEE")), Refusal::BlobBaseFee);
    assert_eq!(refusal(token_of("0 0 0 CREATE")), Refusal::Contracts);
    assert_eq!(refusal(token_of("0 0 0 0 CREATE2")), Refusal::Contracts);
    assert_eq!(refusal(assemble("0 SELFDESTRUCT")), Refusal::Contracts);
}

/// Tokens that catch the failure of a call and return 0. The call would succeed on the chain.
#[test]
fn a_token_that_catches_failures_gets_no_zero_from_us() {
    let code = catching_token(OTHER, "GAS");
    assert_eq!(amount(&world(code.clone())), U256::from(9));
    let world = world(code);
    // The proof of the other contract is missing, then its code, then its slot.
    let without = |gone: fn(&Query) -> bool| {
        let (outcome, _) = world.run_but(&call(), |query| (!gone(query)).then(|| query.clone()));
        let Err(Refusal::Missing(query)) = outcome else { panic!("{outcome:?}") };
        query
    };
    let account = without(|query| query.slots().contains_key(&OTHER));
    assert!(account.slots().contains_key(&OTHER) && account.codes().contains(&OTHER));
    let slot = without(|query| query.slots().values().any(|keys| !keys.is_empty()));
    assert_eq!(slot, Query::slot(OTHER, slot_of(OWNER, 0)));
    let accounts_only = |query: &Query| {
        let mut asked = Query::default();
        query.slots().keys().for_each(|address| asked.add_account(*address));
        query.codes().iter().filter(|address| **address != OTHER).for_each(|it| asked.add_code(*it));
        (!asked.is_empty()).then_some(asked)
    };
    let (outcome, _) = world.run_but(&call(), accounts_only);
    assert_eq!(outcome, Err(Refusal::Missing(Query::code(OTHER))));
}

#[test]
fn a_call_without_gas_is_no_failure_that_a_token_can_catch() {
    for gas in ["100", "2000", "GAS 1000000 SWAP1 DIV"] {
        let outcome = world(catching_token(OTHER, gas)).run(&call()).0;
        assert_eq!(outcome, Err(Refusal::OutOfGas), "{gas}");
    }
    // A precompiled contract without gas.
    assert_eq!(refusal(catching_token(Address::with_last_byte(1), "100")), Refusal::OutOfGas);
    // The first call itself.
    assert_eq!(refusal(assemble("0 again: 1 ADD @again JUMP")), Refusal::Bound(Bound::Steps));
    let small = ProvenWorld { gas_limit: 5_000, ..world(assemble("0 again: 1 ADD @again JUMP")) };
    assert_eq!(small.run(&call()).0, Err(Refusal::OutOfGas));
}

#[test]
fn failures_by_the_rules_of_the_chain_are_caught_as_on_the_chain() {
    for code in ["0 0 REVERT", "INVALID", "7 JUMP", "POP", "1 0 SSTORE"] {
        let world = world(catching_token(OTHER, "GAS 2 SWAP1 DIV")).with(OTHER, assemble(code));
        assert_eq!(amount(&world), U256::ZERO, "{code}");
    }
}

#[test]
fn what_returns_no_number_is_no_token() {
    let fails = NotAToken::Fails { address: TOKEN };
    for code in ["0 0 REVERT", "INVALID", "7 JUMP", "POP"] {
        assert_eq!(no_token(assemble(code)), fails, "{code}");
    }
    for (code, bytes) in [("STOP", 0), ("0 0 RETURN", 0), ("31 0 RETURN", 31)] {
        assert_eq!(no_token(assemble(code)), NotAToken::ReturnsTooLittle { address: TOKEN, bytes }, "{code}");
    }
    assert_eq!(no_token(Bytes::new()), NotAToken::NoCode { address: TOKEN });
    // Two words: the first counts, as for every caller.
    assert_eq!(amount(&world(assemble("3 0 MSTORE 4 32 MSTORE 64 0 RETURN"))), U256::from(3));
}

#[test]
fn every_bound_has_a_name() {
    let calls_itself = proxy_to(&format!("{TOKEN:?}"));
    assert_eq!(refusal(calls_itself), Refusal::Bound(Bound::Depth));
    assert_eq!(refusal(assemble("0 again: POP GAS @again JUMP")), Refusal::Bound(Bound::Steps));
    let many_hashes = "0 again: 100000 0 SHA3 POP @again JUMP";
    assert_eq!(refusal(assemble(many_hashes)), Refusal::Bound(Bound::Work));
    for bytes in ["2000000", "4294967296", "0xffffffffffffffff"] {
        let code = assemble(&format!("{bytes} 0 RETURN"));
        assert_eq!(refusal(code), Refusal::Bound(Bound::Memory), "{bytes}");
    }
    let many_slots = "0 again: 1 ADD DUP1 SLOAD POP @again JUMP";
    assert_eq!(refusal(assemble(many_slots)), Refusal::Bound(Bound::Slots));
    let many_accounts = "0 again: 1 ADD DUP1 BALANCE POP @again JUMP";
    assert_eq!(refusal(assemble(many_accounts)), Refusal::Bound(Bound::Accounts));
    // 150 recoveries of a key.
    let recoveries = "0 again: 1 ADD 0 0 128 0 1 GAS STATICCALL POP @again JUMP";
    assert_eq!(refusal(assemble(recoveries)), Refusal::Bound(Bound::Precompiles));
    let huge = vec![0_u8; 600 << 10];
    let world = world(catching_token(OTHER, "GAS")).with(OTHER, huge.into());
    assert_eq!(world.run(&call()).0, Err(Refusal::Bound(Bound::Code)));
}

#[test]
fn precompiled_contracts_are_those_of_the_fork() {
    // SHA-256 of 32 zero bytes, and the identity.
    let at = |number: u64| token_of(&format!("32 0 32 0 {number} GAS STATICCALL POP 0 MLOAD"));
    let sha256 = alloy_primitives::hex!("66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
    assert_eq!(amount(&world(at(2))), U256::from_be_slice(&sha256));
    assert_eq!(amount(&world(at(4))), U256::ZERO);
    // The sum of two points of BLS12-381 (EIP-2537) has 128 bytes from Prague on. Before, there is an account without code.
    let sum = token_of("0 0 256 0 11 GAS STATICCALL POP RETURNDATASIZE");
    for (epoch, bytes) in [(300_000, 0), (380_000, 128), (420_000, 128)] {
        let world = ProvenWorld { epoch, ..world(sum.clone()) };
        assert_eq!(amount(&world), U256::from(bytes), "{epoch}");
    }
}

#[test]
fn the_state_of_another_block_is_refused() {
    let (one, other) = (world(plain_token(0)), world(plain_token(1)));
    let outcome = execute(&one.nothing(), &other.environment(), &call());
    assert_eq!(outcome, Err(Refusal::OtherBlock));
}

/// A code that no proven account has is never run.
#[test]
fn a_code_with_another_hash_is_missing() {
    let world = world(plain_token(0));
    let mut state = world.nothing();
    world.prove(&mut state, &Query::account(TOKEN));
    state.add_code(token_of("0"));
    state.add_code(Bytes::new());
    let outcome = execute(&state, &world.environment(), &call());
    assert_eq!(outcome, Err(Refusal::Missing(Query::code(TOKEN))));
}

#[test]
fn an_oracle_is_asked_over_its_own_proven_storage() {
    let rate = token_of("0 SLOAD");
    let code = assemble(&format!(
        "{} 32 0 0 0 {OTHER:?} GAS STATICCALL POP 0 MLOAD MUL {RETURN_WORD}",
        push_balance(0)
    ));
    let world = world(code).with(OTHER, rate).storing(OTHER, B256::ZERO, U256::from(3));
    assert_eq!(amount(&world), U256::from(15));
    // The oracle knows its caller.
    let world = world.with(OTHER, token_of("CALLER"));
    assert_eq!(amount(&world), U256::from(5).wrapping_mul(U256::from_be_bytes(TOKEN.into_word().0)));
}
