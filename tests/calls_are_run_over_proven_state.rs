//! `Client::call` and `Client::estimate_gas`: a contract's own code over proven state, or no result.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo::{BlockId, Call, CallError, Estimate, Output};
use saldo_drill::Fault;
use saldo_tests::assembler::{assemble, plain_token};
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene};
use saldo_tests::token::{UNKNOWN, deploy};

const TOKEN: Address = Address::repeat_byte(0x70);
const CODE: Address = Address::repeat_byte(0x71);

fn scene(seed: u64, providers: usize, code: &str) -> Scene {
    let scene = Scene::new(seed, providers, 1);
    deploy(&scene.chain);
    scene.chain.set_code(TOKEN, plain_token(0));
    scene.chain.set_token_balance(TOKEN, ALICE, U256::from(77));
    // With several words in its storage, another slot has another proof.
    for owner in 1..=16 {
        scene.chain.set_token_balance(TOKEN, Address::repeat_byte(owner), U256::from(owner));
    }
    scene.chain.set_code(CODE, assemble(code));
    scene.chain.set_storage(CODE, B256::ZERO, U256::from(5));
    scene.pass_slots(4);
    scene
}

fn balance_of(owner: Address) -> Bytes {
    [[0x70, 0xa0, 0x82, 0x31].as_slice(), owner.into_word().as_slice()].concat().into()
}

#[track_caller]
fn word(scene: &Scene, call: &Call) -> U256 {
    let reading = scene.simulation.run(scene.client.call(BlockId::Latest, call)).unwrap();
    U256::from_be_slice(reading.returned().unwrap())
}

const RETURN: &str = "0 MSTORE 32 0 RETURN";

#[test]
fn a_call_returns_what_the_code_returns() {
    let scene = scene(1, 2, &format!("0 SLOAD {RETURN}"));
    assert_eq!(word(&scene, &Call::new(TOKEN, balance_of(ALICE))), U256::from(77));
    assert_eq!(word(&scene, &Call::new(CODE, Bytes::new())), U256::from(5));
    let reading = scene.simulation.run(scene.client.call(BlockId::Latest, &Call::new(CODE, Bytes::new())));
    let anchor = reading.unwrap().anchor().clone();
    assert_eq!(anchor.hash(), scene.chain.block(anchor.number()).unwrap().hash);
    // At the block that is named.
    let before = scene.chain.signed().number;
    scene.chain.set_storage(CODE, B256::ZERO, U256::from(6));
    scene.pass_slots(4);
    assert_eq!(word(&scene, &Call::new(CODE, Bytes::new())), U256::from(6));
    let call = Call::new(CODE, Bytes::new());
    let then = scene.simulation.run(scene.client.call(BlockId::Number(before), &call)).unwrap();
    assert_eq!(U256::from_be_slice(then.returned().unwrap()), U256::from(5));
}

#[test]
fn the_second_call_takes_one_request() {
    let scene = scene(2, 1, &format!("0 SLOAD {RETURN}"));
    let call = Call::new(TOKEN, balance_of(ALICE));
    word(&scene, &call);
    scene.pass_slots(1);
    scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap();
    let before = scene.simulation.internet().log().len();
    assert_eq!(word(&scene, &call), U256::from(77));
    assert_eq!(scene.simulation.internet().log().len() - before, 1);
}

#[test]
fn the_caller_and_its_value_are_seen() {
    let scene = scene(3, 1, &format!("CALLER CALLVALUE ADD {RETURN}"));
    let call = Call { from: ALICE, value: U256::from(9), ..Call::new(CODE, Bytes::new()) };
    assert_eq!(word(&scene, &call), U256::from_be_bytes(ALICE.into_word().0) + U256::from(9));
    let poor = Call { from: BOB, value: BEFORE, ..call };
    let reading = scene.simulation.run(scene.client.call(BlockId::Latest, &poor)).unwrap();
    assert_eq!(*reading.output(), Output::LacksFunds, "it does not have that much");
}

#[test]
fn a_revert_is_a_result_with_its_bytes() {
    let scene = scene(4, 1, "42 0 MSTORE 32 0 REVERT");
    let reading = scene.simulation.run(scene.client.call(BlockId::Latest, &Call::new(CODE, Bytes::new())));
    let reverted = Output::Reverted(B256::from(U256::from(42)).to_vec().into());
    assert_eq!(*reading.unwrap().output(), reverted);
}

#[test]
fn what_is_not_proven_is_no_result() {
    let not_run = scene(5, 1, "0 SLOAD");
    let call = Call::new(UNKNOWN, balance_of(ALICE));
    let error = not_run.simulation.run(not_run.client.call(BlockId::Latest, &call)).unwrap_err();
    assert!(matches!(error, CallError::NotRun { .. }), "{error}");
    let call = Call { gas: Some(100), ..Call::new(TOKEN, balance_of(ALICE)) };
    let error = not_run.simulation.run(not_run.client.call(BlockId::Latest, &call)).unwrap_err();
    assert!(matches!(error, CallError::NotRun { is_out_of_gas: true, .. }), "{error}");
    for fault in [Fault::OtherCode, Fault::TruncatedStorageProof { nodes: 0 }, Fault::OtherSlotsProof] {
        let scene = scene(6, 1, &format!("0 SLOAD {RETURN}"));
        scene.providers[0].add(fault.clone());
        let call = Call::new(TOKEN, balance_of(ALICE));
        let error = scene.simulation.run(scene.client.call(BlockId::Latest, &call));
        assert!(matches!(error, Err(CallError::NotProven(_))), "{fault:?} {error:?}");
    }
}

#[test]
fn the_gas_of_a_transaction_is_estimated() {
    let scene = scene(7, 1, "1 0 SSTORE STOP");
    let gas = |call: &Call| {
        let reading = scene.simulation.run(scene.client.estimate_gas(BlockId::Latest, call)).unwrap();
        reading.estimate().clone()
    };
    // A transfer between accounts without code costs what every transaction costs.
    let transfer = Call { from: ALICE, value: U256::ONE, ..Call::new(BOB, Bytes::new()) };
    assert_eq!(gas(&transfer), Estimate::Gas(21_000));
    // Two pushes (3 each), and a first write to a slot that holds another word (2,100 + 2,900).
    let Estimate::Gas(written) = gas(&Call { from: ALICE, ..Call::new(CODE, Bytes::new()) }) else {
        panic!()
    };
    let least = 21_000 + 6 + 5_000;
    assert!((least..=least + least / 64).contains(&written), "{written}");
    let poor = Call { from: BOB, value: BEFORE, ..transfer };
    assert!(matches!(gas(&poor), Estimate::Fails(Output::LacksFunds)));
}
