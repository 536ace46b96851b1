//! The proof that a call was run over proven state.

use alloy_primitives::B256;
use saldo_chain::Environment;
use saldo_proof::{ProvenState, Query, StateRoot};

use crate::gas::gas_of_code;
use crate::meter::Meter;
use crate::refusal::Refusal;
use crate::run::{self, Call, Output};
use crate::source::{Guess, Guessed};

/// What a call returns in a block, found by running the contract's own code over what is proven under the block's state root.
/// Only [`execute`] makes it.
///
/// It holds on the chain only *if* the block with [`block_hash`](Self::block_hash) belongs to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    call: Call,
    output: Output,
    code_hash: B256,
    state_root: StateRoot,
    block_hash: B256,
    touched: Query,
}

impl Executed {
    /// Returns the call.
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// Returns how the call ended.
    pub const fn output(&self) -> &Output {
        &self.output
    }

    /// Returns the hash of the code of the contract that was called; that of no bytes for an account without code.
    pub const fn code_hash(&self) -> B256 {
        self.code_hash
    }

    /// Returns the state root that everything was proven under.
    pub const fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns the hash of the block in whose environment the code ran.
    pub const fn block_hash(&self) -> B256 {
        self.block_hash
    }

    /// Returns the accounts and slots that were read.
    pub const fn touched(&self) -> &Query {
        &self.touched
    }
}

/// Runs `call` over `state`, in the block of `environment`. The state is that after the block.
///
/// # Errors
/// [`Refusal`]. [`Refusal::Missing`] names what has to be proven next. None of them is a result: an account, a slot or a code that
/// is not proven is never read as empty.
pub fn execute(state: &ProvenState, environment: &Environment, call: &Call) -> Result<Executed, Refusal> {
    execute_within(state, environment, call, &mut Meter::default())
}

/// The same with what `meter` has left, as one of several runs for one result.
///
/// # Errors
/// [`Refusal`]. [`Bound::Together`](crate::Bound::Together) if too little is left.
pub fn execute_within(
    state: &ProvenState,
    environment: &Environment,
    call: &Call,
    meter: &mut Meter,
) -> Result<Executed, Refusal> {
    if state.root() != environment.state_root() {
        return Err(Refusal::OtherBlock);
    }
    let run = run::run(state, environment, call, gas_of_code(environment, call)?, meter);
    let output = run.outcome?;
    let code_hash = state.code_hash_of(call.to).ok_or(Refusal::Machine)?;
    let (state_root, block_hash) = (state.root(), environment.block_hash());
    Ok(Executed { call: call.clone(), output, code_hash, state_root, block_hash, touched: run.touched })
}

/// Returns what a run of `call` would read, as far as it can be guessed from `proven` and `guess`: everything that has to be proven,
/// the proven parts included. Codes that are known are left out. A wrong guess costs a request and nothing else.
pub fn foresee(
    proven: Option<&ProvenState>,
    guess: &dyn Guess,
    environment: &Environment,
    call: &Call,
) -> Query {
    foresee_within(proven, guess, environment, call, &mut Meter::default())
}

/// The same with what `meter` has left, as one of several runs for one result. Where it ends, what the run would read next is not
/// named.
pub fn foresee_within(
    proven: Option<&ProvenState>,
    guess: &dyn Guess,
    environment: &Environment,
    call: &Call,
    meter: &mut Meter,
) -> Query {
    let gas = gas_of_code(environment, call).unwrap_or(environment.gas_limit());
    run::run(&Guessed { proven, guess }, environment, call, gas, meter).touched
}

#[cfg(test)]
#[path = "executed_tests.rs"]
mod tests;
