use alloy_primitives::{Bytes, U256};
use revm::bytecode::opcode as op;
use saldo_proof::Query;

use super::*;
use crate::world::{Leaf, OTHER, TOKEN, environment};

const PRAGUE: u64 = 400_000;
const OSAKA: u64 = 420_000;
const TRANSACTION: u64 = 21_000;

/// A token with this code, in a block of the fork of `epoch`.
struct Known {
    state: ProvenState,
    environment: Environment,
}

impl Known {
    fn at(epoch: u64, code: &[u8]) -> Self {
        let leaf = Leaf::new(code, None);
        let mut state = leaf.nothing();
        let mut query = Query::account(TOKEN);
        query.add_code(TOKEN);
        leaf.prove(&mut state, &query);
        let environment = environment(state.root().get(), 1_000, epoch, 60_000_000);
        Self { state, environment }
    }

    fn of(code: &[u8]) -> Self {
        Self::at(OSAKA, code)
    }

    fn estimate(&self, call: &Call) -> Result<Estimate, Refusal> {
        estimate(&self.state, &self.environment, call)
    }
}

fn call() -> Call {
    Call::new(TOKEN, Bytes::new())
}

/// Code that spends `gas`, of at least 29.
fn spending(gas: u64) -> Vec<u8> {
    // `PUSH3` costs 3, each round 26, and a `JUMPDEST` after them 1.
    let after_push = gas.saturating_sub(3);
    let (rounds, rest) = (after_push / 26, after_push % 26);
    let [.., high, middle, low] = rounds.to_be_bytes();
    let start = [op::PUSH3, high, middle, low];
    let round = [op::JUMPDEST, op::PUSH1, 1, op::SWAP1, op::SUB, op::DUP1, op::PUSH1, 4, op::JUMPI];
    let rest = usize::try_from(rest).unwrap();
    [&start[..], &round, &vec![op::JUMPDEST; rest]].concat()
}

/// Code that succeeds if more than `gas` is left, and reverts otherwise.
fn wanting(gas: u32) -> Vec<u8> {
    let [first, second, third, fourth] = gas.to_be_bytes();
    let compare = [op::GAS, op::PUSH4, first, second, third, fourth, op::LT, op::PUSH1, 13];
    [&compare[..], &[op::JUMPI, op::PUSH0, op::PUSH0, op::REVERT, op::JUMPDEST]].concat()
}

#[test]
fn the_estimate_is_what_the_code_spends_and_the_transaction() {
    for spent in [2, 29, 30, 1_000, 100_000] {
        let code = if spent == 2 { vec![op::PUSH0] } else { spending(spent) };
        assert_eq!(Known::of(&code).estimate(&call()), Ok(Estimate::Gas(TRANSACTION + spent)), "{spent}");
    }
    // 40 for each byte that is not zero (EIP-7623), and 16 before Prague.
    let long = Call { data: vec![1; 100].into(), ..call() };
    assert_eq!(Known::of(&[op::STOP]).estimate(&long), Ok(Estimate::Gas(TRANSACTION + 4_000)));
    assert_eq!(Known::at(300_000, &[op::STOP]).estimate(&long), Ok(Estimate::Gas(TRANSACTION + 1_600)));
}

#[test]
fn code_that_wants_gas_to_be_left_gets_it_up_to_one_part_in_64() {
    let Ok(Estimate::Gas(gas)) = Known::of(&wanting(1_000_000)).estimate(&call()) else { panic!() };
    let needed = TRANSACTION + 1_000_000;
    assert!(gas > needed && gas <= needed + 1_000_000 / 64 + 10, "{gas}");
    let most = Call { gas: Some(needed), ..call() };
    let reverts = Ok(Estimate::Fails(Output::Reverted(Bytes::new())));
    assert_eq!(Known::of(&wanting(1_000_000)).estimate(&most), reverts);
    let less = Call { gas: Some(TRANSACTION - 1), ..call() };
    assert_eq!(Known::of(&[op::STOP]).estimate(&less), Err(Refusal::OutOfGas));
}

/// [EIP-7825](https://eips.ethereum.org/EIPS/eip-7825).
#[test]
fn a_transaction_has_less_gas_than_a_block_since_osaka() {
    let code = wanting(20_000_000);
    let reverts = Estimate::Fails(Output::Reverted(Bytes::new()));
    assert_eq!(Known::at(OSAKA, &code).estimate(&call()), Ok(reverts));
    assert!(matches!(Known::at(PRAGUE, &code).estimate(&call()), Ok(Estimate::Gas(20_000_000..))));
    // All the gas of a transaction is tried: 2^24.
    let most = u32::try_from(TX_GAS_LIMIT_CAP - TRANSACTION - 100).unwrap();
    assert!(matches!(Known::at(OSAKA, &wanting(most)).estimate(&call()), Ok(Estimate::Gas(_))));
}

/// The code runs twice: with all gas, and with what it spent.
#[test]
fn as_much_work_of_all_runs_as_the_bound_is_allowed() {
    let half = WORK / 2;
    assert_eq!(Known::of(&spending(half)).estimate(&call()), Ok(Estimate::Gas(TRANSACTION + half)));
    assert_eq!(Known::of(&spending(half + 1)).estimate(&call()), Err(Bound::Work.into()));
}

#[test]
fn the_state_of_another_block_is_refused() {
    let (here, other) = (Known::of(&[op::STOP]), Known::of(&[op::PUSH0]));
    let refused = estimate(&other.state, &here.environment, &call());
    assert_eq!(refused, Err(Refusal::OtherBlock));
    assert!(here.estimate(&call()).is_ok() && other.estimate(&call()).is_ok());
}

#[test]
fn what_is_not_proven_is_named() {
    let known = Known::of(&[op::STOP]);
    let mut other = Query::account(OTHER);
    other.add_code(OTHER);
    let sent = Call { from: OTHER, value: U256::ONE, ..call() };
    for call in [Call::new(OTHER, Bytes::new()), sent] {
        assert_eq!(known.estimate(&call), Err(Refusal::Missing(other.clone())));
    }
}
