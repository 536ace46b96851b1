//! The gas that a transaction needs, found by running it with less and less.

use revm::context_interface::cfg::GasParams;
use revm::primitives::eip7825::TX_GAS_LIMIT_CAP;
use saldo_chain::{Environment, ExecutionFork};
use saldo_proof::ProvenState;

use crate::bound::{Bound, WORK};
use crate::fork::specification;
use crate::meter::Meter;
use crate::refusal::Refusal;
use crate::run::{self, Call, Output};

/// What a transaction that makes a call would need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// So much gas, that of the transaction itself included. It succeeds with it in the state after the block, and no call inside it
    /// runs out of gas.
    Gas(u64),
    /// It fails with all the gas that a transaction may have. This is how it ends.
    Fails(Output),
}

/// The gas of a transaction without what its code needs.
#[derive(Clone, Copy, Debug)]
struct Intrinsic {
    gas: u64,
    /// The least gas for the length of its input (EIP-7623).
    floor: u64,
}

/// Returns how much gas a transaction that makes `call` needs at least, up to one part in 64 more. Its [`Call::gas`] is the most that
/// is tried.
///
/// # Errors
/// [`Refusal`], as for [`execute`](crate::execute).
pub fn estimate(state: &ProvenState, environment: &Environment, call: &Call) -> Result<Estimate, Refusal> {
    estimate_within(state, environment, call, &mut Meter::default())
}

/// The same with what `meter` has left, as one of several runs for one result.
///
/// # Errors
/// [`Refusal`], as for [`estimate`].
pub fn estimate_within(
    state: &ProvenState,
    environment: &Environment,
    call: &Call,
    meter: &mut Meter,
) -> Result<Estimate, Refusal> {
    if state.root() != environment.state_root() {
        return Err(Refusal::OtherBlock);
    }
    let intrinsic = intrinsic(environment, call)?;
    let most = call.gas.unwrap_or(u64::MAX).min(most_of_transaction(environment));
    let most = most.checked_sub(intrinsic.gas).ok_or(Refusal::OutOfGas)?;
    let mut with = |gas| run::run(state, environment, call, gas, meter);
    let first = with(most);
    let first_work = first.work();
    match first.outcome? {
        Output::Returned(_) => {}
        output => return Ok(Estimate::Fails(output)),
    }
    // It fails with less than what it spends. Most likely it succeeds with that, or with one part in 63 more, which calls keep back.
    let (mut least, mut succeeds) = (first.spent.min(most), most);
    let kept_back = first.spent.checked_div(63).unwrap_or(0).saturating_add(STIPEND);
    let mut guesses = [least, least.saturating_add(kept_back)].into_iter();
    let mut work = first_work;
    while succeeds.saturating_sub(least) > least.checked_div(64).unwrap_or(0) {
        let guess = guesses.next().unwrap_or(least.midpoint(succeeds));
        let gas = guess.clamp(least, succeeds.saturating_sub(1));
        let run = with(gas);
        work = work.saturating_add(run.work());
        if work > WORK {
            return Err(Bound::Work.into());
        }
        match run.outcome {
            Ok(Output::Returned(_)) => succeeds = gas,
            Ok(_) | Err(Refusal::OutOfGas) => least = gas.saturating_add(1),
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(Estimate::Gas(succeeds.saturating_add(intrinsic.gas).max(intrinsic.floor)))
}

/// The gas that the code of `call` gets.
pub(crate) fn gas_of_code(environment: &Environment, call: &Call) -> Result<u64, Refusal> {
    let Some(limit) = call.gas else { return Ok(environment.gas_limit()) };
    let limit = limit.min(environment.gas_limit());
    limit.checked_sub(intrinsic(environment, call)?.gas).ok_or(Refusal::OutOfGas)
}

/// The most gas that a transaction may have: that of the block, since Osaka at most 2^24
/// ([EIP-7825](https://eips.ethereum.org/EIPS/eip-7825)).
fn most_of_transaction(environment: &Environment) -> u64 {
    let is_capped = environment.fork() >= ExecutionFork::Osaka;
    environment.gas_limit().min(if is_capped { TX_GAS_LIMIT_CAP } else { u64::MAX })
}

/// What a call that sends value gets beyond what is passed to it.
const STIPEND: u64 = 2_300;

fn intrinsic(environment: &Environment, call: &Call) -> Result<Intrinsic, Refusal> {
    if environment.fork() > ExecutionFork::Osaka {
        return Err(Refusal::GasRules);
    }
    let rules = GasParams::new_spec(specification(environment.fork()));
    let first = rules.initial_tx_gas(&call.data, false, 0, 0, 0, None);
    Ok(Intrinsic { gas: first.initial_regular_gas, floor: first.floor_gas })
}

#[cfg(test)]
#[path = "gas_tests.rs"]
mod tests;
