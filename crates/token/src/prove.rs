//! The balance of a token: from its slot, or by running its code.

use alloy_primitives::Address;
use saldo_execute::{Environment, Meter, Refusal, execute_within};
use saldo_proof::ProvenState;

use crate::balance::VerifiedBalance;
use crate::execution::balance_of;
use crate::route::Obstacle;

/// Reads how much of `token` the address `owner` holds: from the slot where a known layout keeps it, else by running the token's
/// code in the block of `environment`.
///
/// # Errors
/// [`Obstacle`]. Without an environment the obstacles are those of [`VerifiedBalance::from_slot`].
pub fn prove(
    state: &ProvenState,
    environment: Option<&Environment>,
    token: Address,
    owner: Address,
) -> Result<VerifiedBalance, Obstacle> {
    prove_within(state, environment, token, owner, &mut Meter::default())
}

/// The same with what `meter` has left, as one of several runs for one balance: each round of requests runs the code again.
///
/// # Errors
/// Those of [`prove`].
pub fn prove_within(
    state: &ProvenState,
    environment: Option<&Environment>,
    token: Address,
    owner: Address,
    meter: &mut Meter,
) -> Result<VerifiedBalance, Obstacle> {
    let by_slot = VerifiedBalance::from_slot(state, token, owner);
    let Err(Obstacle::LayoutUnknown { .. } | Obstacle::GuardFailed { .. }) = by_slot else { return by_slot };
    let Some(environment) = environment else { return by_slot };
    match execute_within(state, environment, &balance_of(token, owner), meter) {
        Ok(executed) => VerifiedBalance::from_execution(&executed, token, owner),
        Err(Refusal::Missing(query)) => Err(Obstacle::Missing(query)),
        Err(refusal) => Err(Obstacle::NotRun(refusal)),
    }
}

#[cfg(test)]
#[path = "prove_tests.rs"]
mod tests;
