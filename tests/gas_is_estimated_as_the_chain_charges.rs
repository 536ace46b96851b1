//! The estimate of a transaction's gas is gas that it succeeds with, and hostile code cannot make the search long.

use alloy_primitives::{Address, Bytes, U256};
use saldo_execute::{Bound, Call, Estimate, Output, Refusal, estimate, execute};
use saldo_tests::assembler::assemble;
use saldo_tests::proven_world::{Contract, ProvenWorld};

const CODE: Address = Address::repeat_byte(0x70);
const OTHER: Address = Address::repeat_byte(0x71);
const RICH: Address = Address::repeat_byte(0x11);
const ETHER: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

fn world(code: &str) -> ProvenWorld {
    let mut world = ProvenWorld::default().with(CODE, assemble(code));
    world.accounts.insert(RICH, Contract { balance: ETHER, ..Contract::default() });
    world
}

fn call() -> Call {
    Call { from: RICH, ..Call::new(CODE, Bytes::new()) }
}

fn estimated(world: &ProvenWorld, call: &Call) -> Result<Estimate, Refusal> {
    let (mut state, environment) = (world.nothing(), world.environment());
    for _ in 0..100 {
        match estimate(&state, &environment, call) {
            Err(Refusal::Missing(query)) => world.prove(&mut state, &query),
            outcome => return outcome,
        }
    }
    panic!("it never ends");
}

/// The estimate, which is enough, and of which one part in 16 less is not.
#[track_caller]
fn gas(world: &ProvenWorld, call: &Call) -> u64 {
    let Ok(Estimate::Gas(gas)) = estimated(world, call) else { panic!("{:?}", estimated(world, call)) };
    let ends = |gas: u64| world.run(&Call { gas: Some(gas), ..call.clone() }).0;
    assert!(matches!(ends(gas).unwrap().output(), Output::Returned(_)), "{gas}");
    let less = ends(gas - (gas - 21_000) / 16 - 1);
    assert!(!matches!(less.as_ref().map(|run| run.output()), Ok(Output::Returned(_))), "{gas}");
    gas
}

/// Calls `OTHER` with all gas, and reverts if that fails.
fn calling() -> String {
    format!("0 0 0 0 0 {OTHER} GAS CALL @ok JUMPI 0 0 REVERT ok: STOP")
}

/// Counts down from a number.
fn counting(from: u32) -> String {
    format!("{from} next: 1 SWAP1 SUB DUP1 @next JUMPI STOP")
}

#[test]
fn a_transfer_costs_the_transaction_alone() {
    let world = world("STOP");
    for to in [RICH, OTHER, Address::ZERO] {
        let transfer = Call { from: RICH, value: U256::ONE, ..Call::new(to, Bytes::new()) };
        assert_eq!(estimated(&world, &transfer), Ok(Estimate::Gas(21_000)), "{to}");
        let exact = Call { gas: Some(21_000), ..transfer.clone() };
        assert_eq!(estimated(&world, &exact), Ok(Estimate::Gas(21_000)), "{to}");
        let less = Call { gas: Some(20_999), ..transfer.clone() };
        assert_eq!(estimated(&world, &less), Err(Refusal::OutOfGas), "{to}");
        let all = Call { value: ETHER, ..transfer.clone() };
        assert_eq!(estimated(&world, &all), Ok(Estimate::Gas(21_000)), "{to}");
        let more = Call { value: ETHER + U256::ONE, ..transfer };
        assert_eq!(estimated(&world, &more), Ok(Estimate::Fails(Output::LacksFunds)), "{to}");
    }
}

#[test]
fn a_long_input_costs_the_floor() {
    // 40 for each byte that is not zero (EIP-7623).
    let call = Call { data: vec![1; 10_000].into(), ..call() };
    assert_eq!(estimated(&world("STOP"), &call), Ok(Estimate::Gas(21_000 + 400_000)));
    // Before Prague 16.
    let before = ProvenWorld { epoch: 300_000, ..world("STOP") };
    assert_eq!(estimated(&before, &call), Ok(Estimate::Gas(21_000 + 160_000)));
}

#[test]
fn the_estimate_is_enough_and_not_much_more() {
    gas(&world("1 0 SSTORE STOP"), &call());
    gas(&world(&counting(2_000)), &call());
    for other in ["1 0 SSTORE STOP".to_owned(), counting(2_000)] {
        gas(&world(&calling()).with(OTHER, assemble(&other)), &call());
    }
}

#[test]
fn code_that_wants_gas_to_be_left_gets_it() {
    for fails in ["0 0 REVERT", "INVALID"] {
        let code = format!("GAS 1000000 LT @ok JUMPI {fails} ok: STOP");
        let gas = gas(&world(&code), &call());
        assert!((1_021_000..1_050_000).contains(&gas), "{gas}");
    }
}

#[test]
fn no_estimate_is_more_than_a_transaction_may_have() {
    let code = "GAS 20000000 LT @ok JUMPI 0 0 REVERT ok: STOP";
    assert_eq!(estimated(&world(code), &call()), Ok(Estimate::Fails(Output::Reverted(Bytes::new()))));
    let before = ProvenWorld { epoch: 400_000, ..world(code) };
    assert!(matches!(estimated(&before, &call()), Ok(Estimate::Gas(20_000_000..))));
    // The code of a call is not limited, as in nodes.
    let (executed, _) = world(code).run(&call());
    assert!(matches!(executed.unwrap().output(), Output::Returned(_)));
}

#[test]
fn hostile_code_ends_the_search_early() {
    let endless = estimated(&world("next: @next JUMP"), &call());
    assert!(matches!(endless, Err(Refusal::Bound(Bound::Steps | Bound::Work))), "{endless:?}");
    // Each run is allowed. All together are too much.
    let long = estimated(&world(&counting(25_000)), &call());
    assert!(matches!(long, Err(Refusal::Bound(Bound::Work))), "{long:?}");
    let (once, _) = world(&counting(25_000)).run(&call());
    assert!(once.is_ok());
}

#[test]
fn an_account_with_delegated_code_sends_and_receives() {
    let mut world = world(&counting(100));
    let delegation: Bytes = [&[0xef, 0x01, 0x00], CODE.as_slice()].concat().into();
    world.accounts.get_mut(&RICH).unwrap().code = delegation;
    let transfer = Call { from: RICH, value: U256::ONE, ..Call::new(OTHER, Bytes::new()) };
    assert_eq!(estimated(&world, &transfer), Ok(Estimate::Gas(21_000)), "its code does not run");
    let received = Call { from: OTHER, ..Call::new(RICH, Bytes::new()) };
    assert!(gas(&world, &received) > 21_000 + 100 * 20, "its code runs");
}

#[test]
fn a_precompiled_contract_is_paid() {
    let identity = Address::with_last_byte(4);
    let call = Call { from: RICH, ..Call::new(identity, Bytes::from(vec![0; 64])) };
    // 4 for each zero byte; 15, and 3 for each word. The floor is 10 for each byte.
    assert_eq!(estimated(&world("STOP"), &call), Ok(Estimate::Gas(21_000 + 640)));
    let (executed, _) = world("STOP").run(&call);
    assert_eq!(*executed.unwrap().output(), Output::Returned(vec![0; 64].into()));
}

#[test]
fn the_state_of_another_block_is_refused() {
    let (here, other) = (world("STOP"), world("1 0 SSTORE STOP"));
    assert_eq!(estimate(&other.nothing(), &here.environment(), &call()), Err(Refusal::OtherBlock));
    assert_eq!(execute(&other.nothing(), &here.environment(), &call()).unwrap_err(), Refusal::OtherBlock);
}
