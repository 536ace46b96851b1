//! Runs calls over the proven state of a block.

use std::sync::Arc;

use alloy_primitives::Bytes;
use saldo_chain::{Anchor, EnvironmentError};
use saldo_execute::{
    Call, Estimate, Meter, Output, Refusal, estimate_within, execute_within, foresee_within,
};
use saldo_reading::Why;
use saldo_source::Deadline;
use saldo_token::ProvenState;

use super::block::BlockId;
use super::counted::{Unanswered, counted};
use super::prove::prove;
use super::proven::NotProven;
use crate::inner::ClientInner;

/// What a call returns at one block, found by running the contract's own proven code over proven state.
#[derive(Clone, Debug)]
pub struct CallReading {
    anchor: Anchor,
    output: Output,
}

impl CallReading {
    /// Returns the block that it is true at.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns how the call ended by the rules of the chain.
    pub const fn output(&self) -> &Output {
        &self.output
    }

    /// Returns the bytes that the call returned; `None` if it failed.
    pub const fn returned(&self) -> Option<&Bytes> {
        match &self.output {
            Output::Returned(bytes) => Some(bytes),
            Output::Reverted(_) | Output::LacksFunds | Output::Failed => None,
        }
    }
}

/// The gas that a transaction would need in the state of one block.
#[derive(Clone, Debug)]
pub struct GasReading {
    anchor: Anchor,
    estimate: Estimate,
}

impl GasReading {
    /// Returns the block whose state it ran over.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns the gas, or how the transaction fails.
    pub const fn estimate(&self) -> &Estimate {
        &self.estimate
    }
}

/// Why it is not known what a call returns. It never has a value.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Not everything that the code reads was proven.
    #[error(transparent)]
    NotProven(#[from] NotProven),
    /// The code was not run to its end, by a limit of saldo or for a rule that it does not know.
    #[error("not run to its end: {reason}")]
    NotRun {
        /// The reason.
        reason: String,
        /// Whether the call ran out of gas.
        is_out_of_gas: bool,
    },
}

impl Unanswered for CallError {
    fn why(&self) -> Option<&Why> {
        match self {
            Self::NotProven(error) => Some(error.why()),
            Self::NotRun { .. } => None,
        }
    }
}

/// Runs `call` at the block that `id` names.
pub(crate) async fn call(
    inner: &Arc<ClientInner>,
    id: BlockId,
    call: &Call,
) -> Result<CallReading, CallError> {
    let running = run(inner, id, call, |state, environment, meter| {
        execute_within(state, environment, call, meter).map(|executed| executed.output().clone())
    });
    let (anchor, output) = counted(inner, "call", running).await?;
    Ok(CallReading { anchor, output })
}

/// Estimates the gas of a transaction that makes `call` in the state of the block that `id` names.
pub(crate) async fn gas(inner: &Arc<ClientInner>, id: BlockId, call: &Call) -> Result<GasReading, CallError> {
    let running =
        run(inner, id, call, |state, environment, meter| estimate_within(state, environment, call, meter));
    let (anchor, estimate) = counted(inner, "estimate_gas", running).await?;
    Ok(GasReading { anchor, estimate })
}

/// The most times that more is asked for. Code asks for one contract after another.
const ROUNDS: usize = 16;
/// How many times as much as one run all rounds together may cost. An app chooses what it calls, so this is more than for a balance.
const RUNS: u64 = 8;
/// The most questions about one call.
const QUESTIONS: usize = 256;

async fn run<T>(
    inner: &Arc<ClientInner>,
    id: BlockId,
    call: &Call,
    run: impl Fn(&ProvenState, &saldo_chain::Environment, &mut Meter) -> Result<T, Refusal>,
) -> Result<(Anchor, T), CallError> {
    if inner.head.is_of_rollup() {
        return Err(not_run(&EnvironmentError::Rollup));
    }
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(id, inner.env.half(deadline)).await?;
    let environment = found.anchor.environment(&inner.head.network());
    let environment = environment.map_err(|error| not_run(&error))?;
    let mut meter = Meter::of_runs(RUNS);
    let foreseen = |proven: Option<&ProvenState>, meter: &mut Meter| {
        inner.proofs.foresee(|hints| foresee_within(proven, hints, &environment, call, meter))
    };
    let mut wanted = foreseen(None, &mut meter);
    // A transfer without code needs both accounts, and no hint knows them.
    wanted.add_account(call.from);
    wanted.add_account(call.to);
    for _ in 0..ROUNDS {
        let asked = wanted.slots().len().saturating_add(wanted.codes().len());
        if asked > QUESTIONS {
            return Err(not_run(&"it needs more requests than saldo makes for one call"));
        }
        let facts = prove(inner, &found, &wanted, deadline).await?;
        let mut state = facts.state(found.anchor.state_root());
        inner.proofs.exchange_hints(&mut state, call.to);
        match run(&state, &environment, &mut meter) {
            Ok(result) => {
                let providers = facts.providers().cloned().collect();
                let anchor = inner.let_out(&found, &providers, deadline).await?;
                return Ok((anchor, result));
            }
            Err(Refusal::Missing(query)) => {
                wanted = facts.query();
                wanted.merge(foreseen(Some(&state), &mut meter));
                wanted.merge(query);
            }
            Err(refusal) => return Err(refused(&refusal)),
        }
    }
    Err(not_run(&"it needs more requests than saldo makes for one call"))
}

fn not_run(reason: &dyn std::fmt::Display) -> CallError {
    CallError::NotRun { reason: reason.to_string(), is_out_of_gas: false }
}

fn refused(refusal: &Refusal) -> CallError {
    CallError::NotRun { reason: refusal.to_string(), is_out_of_gas: *refusal == Refusal::OutOfGas }
}
