use alloy_primitives::{B256, KECCAK256_EMPTY};
use revm::bytecode::opcode as op;
use revm::primitives::hardfork::SpecId;
use saldo_chain::ExecutionFork;

use super::*;
use crate::bound::{ACCOUNTS, Bound, CODE, DEPTH, SLOTS, STEPS, WORK};
use crate::world::{OTHER, TOKEN, World, call_of, returning};

/// The token has `source`, which leaves a word on the stack.
fn token(source: &[u8]) -> World {
    World::of(&returning(source))
}

fn refusal(world: &World) -> Option<Refusal> {
    world.run().outcome.err()
}

fn bound(world: &World) -> Option<Bound> {
    match refusal(world) {
        Some(Refusal::Bound(bound)) => Some(bound),
        Some(other) => panic!("{other}"),
        None => None,
    }
}

/// The token asks the other contract with half of its gas.
fn asking(code: &[u8]) -> World {
    let half = [op::PUSH1, 2, op::GAS, op::DIV];
    token(&call_of(0x71, &half)).with(OTHER, code)
}

#[test]
fn what_the_code_returns_is_the_output_and_what_it_read_is_noted() {
    let world = token(&[op::PUSH1, 3, op::SLOAD]).storing(TOKEN, 3, 77);
    let run = world.run();
    let word = B256::with_last_byte(77);
    assert_eq!(run.outcome, Ok(Output::Returned(word.0.into())));
    assert_eq!(run.touched, Query::slot(TOKEN, B256::with_last_byte(3)));
    let reverts = World::of(&[op::PUSH1, 2, op::PUSH0, op::REVERT]).run();
    assert_eq!(reverts.outcome, Ok(Output::Reverted(vec![0, 0].into())));
    for fails in [vec![op::INVALID], vec![op::PUSH1, 7, op::JUMP]] {
        assert_eq!(World::of(&fails).run().outcome, Ok(Output::Failed));
    }
    assert_eq!(World::of(&[op::STOP]).run().outcome, Ok(Output::Returned(Bytes::new())));
    // Without code, and without an account.
    assert_eq!(World::of(&[]).run().outcome, Ok(Output::Returned(Bytes::new())));
    let absent = World::of(&[]).without_account(TOKEN).run();
    assert_eq!(absent.outcome, Ok(Output::Returned(Bytes::new())));
    assert_eq!(absent.touched, Query::account(TOKEN));
}

#[test]
fn the_block_is_that_of_the_header() {
    for (source, expected) in [
        (vec![op::NUMBER], 1_000),
        (vec![op::GASLIMIT], 60_000_000),
        (vec![op::BASEFEE], 7),
        (vec![op::CHAINID], 1),
        (vec![op::CALLER], 0),
        (vec![op::ORIGIN], 0),
        (vec![op::GASPRICE], 0),
        (vec![op::CALLVALUE], 0),
        (vec![op::CALLDATASIZE], 0),
        (vec![op::COINBASE, op::PUSH1, 152, op::SHR], 0xc0),
        (vec![op::DIFFICULTY, op::PUSH1, 248, op::SHR], 13),
        (vec![op::TIMESTAMP], 1_606_824_023 + 420_000 * 32 * 12),
    ] {
        assert_eq!(token(&source).number(), U256::from(expected), "{source:?}");
    }
    // All gas of the block is there, less what came before.
    assert_eq!(token(&[op::GAS]).number(), U256::from(60_000_000 - 2));
    assert!(matches!(World::of(&[op::PUSH0, op::CALLDATALOAD]).run().outcome, Ok(Output::Returned(_))));
}

#[test]
fn the_caller_and_what_it_sends_are_those_of_the_call() {
    let ended = |world: &World, call: &Call| {
        run(world, &world.environment(), call, world.gas_limit, &mut Meter::default()).outcome
    };
    let from = Call { from: OTHER, value: U256::from(5), ..Call::new(TOKEN, Bytes::new()) };
    for (source, expected) in [
        (vec![op::CALLER], 0x71),
        (vec![op::ORIGIN], 0x71),
        (vec![op::CALLVALUE], 5),
        (vec![op::SELFBALANCE], 9 + 5),
        (vec![op::CALLER, op::BALANCE], 9 - 5),
    ] {
        let world = token(&source).with(OTHER, &[]);
        let word = B256::from(U256::from(expected));
        assert_eq!(ended(&world, &from), Ok(Output::Returned(word.0.into())), "{source:?}");
    }
    // It has 9.
    let world = token(&[op::CALLVALUE]).with(OTHER, &[]);
    let more = Call { value: U256::from(10), ..from.clone() };
    assert_eq!(ended(&world, &more), Ok(Output::LacksFunds));
    let mut unknown = Query::account(OTHER);
    unknown.add_code(OTHER);
    assert_eq!(ended(&token(&[op::CALLVALUE]), &from), Err(Refusal::Missing(unknown)));
}

#[test]
fn code_that_asks_for_the_price_of_its_gas_is_given_up_where_there_is_one() {
    let world = token(&[op::GASPRICE]);
    let ended = |is_paid| {
        let call = Call { is_paid, ..Call::new(TOKEN, Bytes::new()) };
        run(&world, &world.environment(), &call, world.gas_limit, &mut Meter::default()).outcome
    };
    assert_eq!(ended(false), Ok(Output::Returned(B256::ZERO.0.into())));
    assert_eq!(ended(true), Err(Refusal::GasPrice));
}

#[test]
fn only_the_hash_of_the_parent_is_known() {
    let hash = |number: u16| {
        let [high, low] = number.to_be_bytes();
        token(&[op::PUSH2, high, low, op::BLOCKHASH])
    };
    assert_eq!(hash(999).number(), U256::ZERO);
    assert_eq!(refusal(&hash(998)), Some(Refusal::BlockHash { number: 998 }));
    assert_eq!(hash(700).number(), U256::ZERO);
    let genesis = World { number: 0, ..hash(0) };
    assert_eq!(genesis.number(), U256::ZERO);
}

/// `PUSH0` is of Shanghai, transient storage of Cancun, and the count of leading zeros of Osaka.
#[test]
fn the_rules_are_those_of_the_fork() {
    let at = |code: &[u8], epoch| {
        matches!(World { epoch, ..World::of(code) }.run().outcome, Ok(Output::Returned(_)))
    };
    const PARIS: u64 = 150_000;
    const SHANGHAI: u64 = 200_000;
    const CANCUN: u64 = 300_000;
    const PRAGUE: u64 = 380_000;
    const OSAKA: u64 = 420_000;
    for (code, first) in [
        (vec![op::PUSH1, 0], PARIS),
        (vec![op::PUSH0], SHANGHAI),
        (vec![op::PUSH0, op::TLOAD], CANCUN),
        (vec![op::PUSH0, op::CLZ], OSAKA),
    ] {
        for epoch in [PARIS, SHANGHAI, CANCUN, PRAGUE, OSAKA] {
            assert_eq!(at(&code, epoch), epoch >= first, "{code:?} {epoch}");
        }
    }
    assert_eq!(specification(ExecutionFork::Prague), SpecId::PRAGUE);
    assert_eq!(specification(ExecutionFork::Amsterdam), SpecId::AMSTERDAM);
}

#[test]
fn what_is_not_known_ends_the_run_and_is_named() {
    let mut both = Query::account(TOKEN);
    both.add_code(TOKEN);
    let unknown = World::of(&[]);
    let balance = [&[op::PUSH1, 0x71, op::BALANCE][..]].concat();
    let mut other = Query::account(OTHER);
    other.add_code(OTHER);
    assert_eq!(refusal(&token(&balance)), Some(Refusal::Missing(other.clone())));
    assert_eq!(token(&balance).with(OTHER, &[]).number(), U256::from(9));
    assert_eq!(token(&balance).without_account(OTHER).number(), U256::ZERO);
    // What was read includes what is missing.
    let run = token(&balance).run();
    assert!(run.touched.slots().contains_key(&OTHER) && run.touched.codes().contains(&OTHER));

    let uncoded = unknown.with_account(TOKEN, B256::repeat_byte(9)).run();
    assert_eq!(uncoded.outcome, Err(Refusal::Missing(Query::code(TOKEN))));
    assert_eq!(uncoded.touched, both);

    let slot = Query::slot(TOKEN, B256::with_last_byte(3));
    let mut world = token(&[op::PUSH1, 3, op::SLOAD]);
    assert_eq!(refusal(&world), Some(Refusal::Missing(slot.clone())));
    // Only a guess reads it as zero.
    world.guesses = true;
    assert_eq!((world.number(), world.run().touched), (U256::ZERO, slot));
}

/// The caller would return 0 if the call failed.
#[test]
fn code_cannot_catch_what_ends_a_run() {
    assert_eq!(asking(&[op::STOP]).number(), U256::ONE);
    for failing in [&[op::INVALID][..], &[op::PUSH0, op::PUSH0, op::REVERT], &[op::POP]] {
        assert_eq!(asking(failing).number(), U256::ZERO, "{failing:?}");
    }
    let slot = Refusal::Missing(Query::slot(OTHER, B256::ZERO));
    let large = [op::PUSH3, 0x20, 0, 0, op::MLOAD];
    for (code, expected) in [
        (&[op::PUSH0, op::SLOAD][..], slot),
        (&[op::BLOBBASEFEE], Refusal::BlobBaseFee),
        (&[op::PUSH0, op::SELFDESTRUCT], Refusal::Contracts),
        (&[op::PUSH0, op::PUSH0, op::PUSH0, op::CREATE], Refusal::Contracts),
        (&[op::PUSH0, op::PUSH0, op::PUSH0, op::PUSH0, op::CREATE2], Refusal::Contracts),
        (
            &[op::PUSH1, 5, op::BLOCKHASH, op::PUSH2, 3, 0xe6, op::BLOCKHASH],
            Refusal::BlockHash { number: 998 },
        ),
        (&large, Bound::Memory.into()),
    ] {
        assert_eq!(refusal(&asking(code)), Some(expected), "{code:?}");
    }
    // The first reason counts: the code would go on to another one.
    let two = asking(&[op::PUSH0, op::SLOAD, op::BLOBBASEFEE]);
    assert!(matches!(refusal(&two), Some(Refusal::Missing(_))));
    let unknown = token(&call_of(0x71, &[op::GAS]));
    assert!(matches!(refusal(&unknown), Some(Refusal::Missing(_))));
}

#[test]
fn too_little_gas_is_no_failure() {
    let spends = [op::PUSH2, 0x10, 0, op::PUSH2, 0x10, 0, op::MSTORE];
    for (code, gas) in [(&[op::JUMPDEST; 20][..], 9), (&spends, 200)] {
        let world = token(&call_of(0x71, &[op::PUSH1, gas])).with(OTHER, code);
        assert_eq!(refusal(&world), Some(Refusal::OutOfGas), "{code:?}");
    }
    let small = World { gas_limit: 10, ..World::of(&[op::JUMPDEST; 20]) };
    assert_eq!(refusal(&small), Some(Refusal::OutOfGas));
    let enough = World { gas_limit: 20, ..World::of(&[op::JUMPDEST; 20]) };
    assert_eq!(enough.run().outcome, Ok(Output::Returned(Bytes::new())));
}

#[test]
fn as_many_steps_as_the_bound_are_allowed() {
    let most = usize::try_from(STEPS).unwrap();
    // The last step is `STOP`.
    assert_eq!(bound(&World::of(&vec![op::JUMPDEST; most - 1])), None);
    assert_eq!(bound(&World::of(&vec![op::JUMPDEST; most])), Some(Bound::Steps));
}

#[test]
fn as_much_work_as_the_bound_is_allowed() {
    // The first reading of a slot costs 2,100, each further one 100; with `PUSH0` and `POP` 4 more.
    let readings = (WORK - 2_000) / 104;
    let left = (WORK - 2_000) % 104;
    let code = |more: u64| {
        let mut code = [op::PUSH0, op::SLOAD, op::POP].repeat(usize::try_from(readings).unwrap());
        code.extend(vec![op::JUMPDEST; usize::try_from(left + more).unwrap()]);
        World::of(&code).storing(TOKEN, 0, 1)
    };
    assert_eq!(bound(&code(0)), None);
    assert_eq!(bound(&code(1)), Some(Bound::Work));
    // Gas that a call passes on, and that comes back, is no work.
    assert_eq!(asking(&[op::STOP]).number(), U256::ONE);
}

/// The token calls itself, each time with one more byte of input, until the input has `last` bytes.
fn nested(last: u8) -> World {
    let input = [op::PUSH0, op::PUSH0, op::CALLDATASIZE, op::PUSH1, 1, op::ADD, op::PUSH0, op::PUSH0];
    let call = [op::PUSH1, 0x70, op::GAS, op::CALL, op::STOP];
    let is_last = [op::CALLDATASIZE, op::PUSH1, last, op::EQ, op::PUSH1, 20, op::JUMPI];
    let code = [&is_last[..], &input, &call, &[op::JUMPDEST, op::STOP]].concat();
    assert_eq!(code.get(20), Some(&op::JUMPDEST));
    World::of(&code)
}

#[test]
fn as_many_calls_inside_each_other_as_the_bound_are_allowed() {
    let most = u8::try_from(DEPTH).unwrap();
    assert_eq!(bound(&nested(most - 1)), None);
    assert_eq!(bound(&nested(most)), Some(Bound::Depth));
    // Calls one after another are not inside each other.
    let one = [&call_of(0x71, &[op::GAS])[..], &[op::POP]].concat();
    let many = World::of(&one.repeat(DEPTH + 1)).with(OTHER, &[op::STOP]);
    assert_eq!(bound(&many), None);
}

#[test]
fn as_many_accounts_and_slots_as_the_bound_are_allowed() {
    // The token itself is one account.
    let accounts = |count: usize| {
        let addresses = (0..count).map(|index| u8::try_from(0x80 + index).unwrap());
        let code: Vec<u8> =
            addresses.clone().flat_map(|last| [op::PUSH1, last, op::BALANCE, op::POP]).collect();
        let again = [code.clone(), code].concat();
        addresses.fold(World::of(&again), |world, last| world.without_account(Address::with_last_byte(last)))
    };
    assert_eq!(bound(&accounts(ACCOUNTS - 1)), None);
    assert_eq!(bound(&accounts(ACCOUNTS)), Some(Bound::Accounts));
    let slots = |count: usize| {
        let keys = (0..count).map(|key| u8::try_from(key).unwrap());
        let code: Vec<u8> = keys.clone().flat_map(|key| [op::PUSH1, key, op::SLOAD, op::POP]).collect();
        keys.fold(World::of(&code), |world, key| world.storing(TOKEN, key.into(), 1))
    };
    assert_eq!(bound(&slots(SLOTS)), None);
    assert_eq!(bound(&slots(SLOTS + 1)), Some(Bound::Slots));
}

#[test]
fn as_much_code_as_the_bound_is_allowed() {
    let own = returning(&call_of(0x71, &[op::GAS]));
    let with = |bytes: usize| World::of(&own).with(OTHER, &vec![op::STOP; bytes]);
    assert_eq!(bound(&with(CODE - own.len())), None);
    assert_eq!(bound(&with(CODE - own.len() + 1)), Some(Bound::Code));
}

#[test]
fn precompiled_contracts_run_within_their_bound() {
    // The identity of 32 bytes, and the address of a precompiled contract as an account.
    let one = [op::PUSH1, 5, op::PUSH0, op::MSTORE];
    let identity = [
        op::PUSH1,
        32,
        op::PUSH1,
        32,
        op::PUSH1,
        32,
        op::PUSH0,
        op::PUSH0,
        op::PUSH1,
        4,
        op::GAS,
        op::CALL,
        op::POP,
        op::PUSH1,
        32,
        op::MLOAD,
    ];
    let with = |world: World| {
        (1..20).fold(world, |world, last| world.without_account(Address::with_last_byte(last)))
    };
    assert_eq!(with(token(&[&one[..], &identity].concat())).number(), U256::from(5));
    assert_eq!(with(token(&call_of(1, &[op::GAS]))).number(), U256::ONE);
    // A recovery of a key costs 3,000.
    assert_eq!(refusal(&with(token(&call_of(1, &[op::PUSH1, 100])))), Some(Refusal::OutOfGas));
    let many = |count| with(World::of(&[&call_of(1, &[op::GAS])[..], &[op::POP]].concat().repeat(count)));
    assert_eq!(bound(&many(50)), None);
    assert_eq!(bound(&many(51)), Some(Bound::Precompiles));
    // What it costs is taken from the gas of the call.
    let spent = [&[op::GAS][..], &call_of(1, &[op::GAS]), &[op::POP, op::GAS, op::SWAP1, op::SUB]].concat();
    let cost = with(token(&spent)).number();
    assert!(cost > U256::from(3_000) && cost < U256::from(3_200), "{cost}");
    // A point that is not on the curve: the call fails by the rules of the chain, and takes all its gas.
    let point = [
        op::PUSH1,
        1,
        op::PUSH0,
        op::MSTORE,
        op::PUSH0,
        op::PUSH0,
        op::PUSH1,
        128,
        op::PUSH0,
        op::PUSH0,
        op::PUSH1,
        6,
        op::PUSH2,
        0x10,
        0,
        op::CALL,
    ];
    assert_eq!(with(token(&point)).number(), U256::ZERO);
    let spent = [&[op::GAS][..], &point, &[op::POP, op::GAS, op::SWAP1, op::SUB]].concat();
    assert!(with(token(&spent)).number() > U256::from(0x1000));
}

/// [EIP-2929](https://eips.ethereum.org/EIPS/eip-2929) and [EIP-3651](https://eips.ethereum.org/EIPS/eip-3651).
#[test]
fn precompiled_contracts_and_the_coinbase_are_read_cheaply() {
    let cost = |read: &[u8]| {
        let source = [&[op::GAS][..], read, &[op::POP, op::GAS, op::SWAP1, op::SUB]].concat();
        let world = token(&source).without_account(Address::with_last_byte(1)).with(OTHER, &[]);
        world.without_account(Address::repeat_byte(0xc0)).number()
    };
    // `PUSH1` or `COINBASE`, `BALANCE`, `POP`, `GAS`.
    assert_eq!(cost(&[op::PUSH1, 1, op::BALANCE]), U256::from(3 + 100 + 2 + 2));
    assert_eq!(cost(&[op::COINBASE, op::BALANCE]), U256::from(2 + 100 + 2 + 2));
    assert_eq!(cost(&[op::PUSH1, 0x71, op::BALANCE]), U256::from(3 + 2_600 + 2 + 2));
}

#[test]
fn a_delegated_account_runs_the_code_of_another() {
    let delegation = [&[0xef, 0x01, 0x00][..], OTHER.as_slice()].concat();
    let world = World::of(&delegation).with(OTHER, &returning(&[op::ADDRESS]));
    assert_eq!(world.number(), U256::from(0x70));
    // What begins like one but is none fails.
    assert_eq!(World::of(&delegation[..22]).run().outcome, Ok(Output::Failed));
    assert_eq!(
        World::of(&[]).with_account(TOKEN, KECCAK256_EMPTY).run().outcome,
        Ok(Output::Returned(Bytes::new()))
    );
}
