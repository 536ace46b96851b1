//! One run of the virtual machine.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use revm::context::result::{EVMError, ExecutionResult, HaltReason, Output as Out};
use revm::context::{BlockEnv, Context, Evm, FrameStack, TxEnv};
use revm::context_interface::JournalTr;
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, Handler, MainnetContext, MainnetHandler};
use revm::inspector::InspectorHandler;
use revm::interpreter::interpreter::EthInterpreter;
use saldo_chain::Environment;
use saldo_proof::Query;

use crate::bound::{Bound, MEMORY};
use crate::database::{GivenUp, Known};
use crate::fork::specification;
use crate::guard::Guard;
use crate::meter::{Limits, Meter};
use crate::precompile::Precompiles;
use crate::refusal::Refusal;
use crate::source::Source;

/// A call of a contract, as `eth_call` makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The caller. It needs no code and no signature.
    pub from: Address,
    /// The contract.
    pub to: Address,
    /// What the caller sends along, in wei. The caller must have it.
    pub value: U256,
    /// The input.
    pub data: Bytes,
    /// The gas limit of the transaction, so that the code gets what is left of it; `None` gives the code all the gas of a block.
    pub gas: Option<u64>,
    /// Whether the transaction would pay for its gas. It runs without paying, and code that asks for the price gives the run up.
    pub is_paid: bool,
}

impl Call {
    /// Makes a call from the zero address, without value, with the gas of a whole block.
    pub const fn new(to: Address, data: Bytes) -> Self {
        Self { from: Address::ZERO, to, value: U256::ZERO, data, gas: None, is_paid: false }
    }
}

/// How a call ended by the rules of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// It returned these bytes. A call of an account without code returns none.
    Returned(Bytes),
    /// It reverted, with these bytes.
    Reverted(Bytes),
    /// The sender has less than the value that it sends.
    LacksFunds,
    /// It failed in another way than by its gas.
    Failed,
}

/// How a run ended, and what it read.
pub(crate) struct Run {
    pub(crate) outcome: Result<Output, Refusal>,
    pub(crate) touched: Query,
    /// The gas that it spent, before refunds.
    pub(crate) spent: u64,
    /// What was computed. Code that fails spends gas without computing anything.
    pub(crate) cost: Limits,
}

impl Run {
    /// The gas of what was computed.
    pub(crate) const fn work(&self) -> u64 {
        self.cost.work.saturating_add(self.cost.precompiles)
    }
}

pub(crate) type Machine<'a> = Evm<
    MainnetContext<Known<'a>>,
    Guard,
    EthInstructions<EthInterpreter, MainnetContext<Known<'a>>>,
    Precompiles,
    EthFrame<EthInterpreter>,
>;

/// Runs `call` in the block of `environment`, with as much `gas` for the code and with what `meter` has left.
pub(crate) fn run(
    source: &dyn Source,
    environment: &Environment,
    call: &Call,
    gas: u64,
    meter: &mut Meter,
) -> Run {
    let run = run_machine(machine(source, environment, call, gas, meter.limits()), call);
    meter.take(run.cost, run.outcome == Err(Bound::Together.into()));
    run
}

/// Runs `call` in a machine that was made for it.
pub(crate) fn run_machine(mut machine: Machine<'_>, call: &Call) -> Run {
    let mut handler = MainnetHandler::<_, EVMError<GivenUp>, EthFrame<EthInterpreter>>::default();
    let ended = handler
        .load_accounts(&mut machine)
        .and_then(|()| load_caller(&mut machine, call))
        .and_then(|()| handler.inspect_run_system_call(&mut machine));
    let Evm { ctx, inspector, precompiles, .. } = machine;
    let known = ctx.journaled_state.database;
    let cost = Limits { steps: inspector.steps(), work: inspector.work(), precompiles: precompiles.spent() };
    let refusal = known.refusal.or(inspector.refusal).or(precompiles.refusal);
    let spent = ended.as_ref().map_or(0, |ended| ended.gas().total_gas_spent());
    let outcome = match refusal {
        Some(refusal) => Err(refusal),
        None => ended.map_err(|_| Refusal::Machine).and_then(read),
    };
    Run { outcome, touched: known.touched, spent, cost }
}

/// Loads the account that value is taken from: the machine expects it.
fn load_caller(machine: &mut Machine<'_>, call: &Call) -> Result<(), EVMError<GivenUp>> {
    if call.value.is_zero() {
        return Ok(());
    }
    machine.ctx.journaled_state.load_account(call.from).map(drop).map_err(EVMError::Database)
}

fn read(result: ExecutionResult) -> Result<Output, Refusal> {
    match result {
        ExecutionResult::Success { output: Out::Call(bytes), .. } => Ok(Output::Returned(bytes)),
        ExecutionResult::Success { output: Out::Create(..), .. } => Err(Refusal::Contracts),
        ExecutionResult::Revert { output, .. } => Ok(Output::Reverted(output)),
        ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. } => Err(Refusal::OutOfGas),
        ExecutionResult::Halt { reason: HaltReason::OutOfFunds, .. } => Ok(Output::LacksFunds),
        ExecutionResult::Halt { .. } => Ok(Output::Failed),
    }
}

pub(crate) fn machine<'a>(
    source: &'a dyn Source,
    environment: &Environment,
    call: &Call,
    gas: u64,
    limits: Limits,
) -> Machine<'a> {
    let fork = specification(environment.fork());
    let parent = environment.number().checked_sub(1).map(|parent| (parent, environment.parent_hash()));
    let mut context: MainnetContext<Known<'a>> = Context::new(Known::new(source, parent), fork);
    context.cfg.chain_id = environment.chain_id();
    context.cfg.memory_limit = MEMORY;
    context.block = block(environment);
    // The gas price is zero.
    context.tx = TxEnv {
        caller: call.from,
        gas_limit: gas,
        value: call.value,
        kind: TxKind::Call(call.to),
        data: call.data.clone(),
        ..TxEnv::default()
    };
    Evm {
        ctx: context,
        inspector: Guard::new(limits, call.is_paid),
        instruction: EthInstructions::new_mainnet_with_spec(fork),
        precompiles: Precompiles::new(environment.fork(), limits.precompiles),
        // Each frame takes 32 KiB. Most balances need one, and a call inside it adds more.
        frame_stack: FrameStack::new_prealloc(1),
    }
}

fn block(environment: &Environment) -> BlockEnv {
    BlockEnv {
        number: U256::from(environment.number()),
        beneficiary: environment.coinbase(),
        timestamp: U256::from(environment.timestamp().as_secs()),
        gas_limit: environment.gas_limit(),
        basefee: environment.base_fee(),
        difficulty: U256::ZERO,
        prevrandao: Some(environment.prev_randao()),
        // The instruction that reads it gives the run up.
        blob_excess_gas_and_price: None,
        slot_num: environment.slot().get(),
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
