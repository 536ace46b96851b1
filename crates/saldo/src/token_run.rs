//! What the proven state says about the balance of a token. With the feature `execute`, a token's own code is run where its layout
//! is not known.

use alloy_primitives::Address;
use saldo_beacon::Network;
use saldo_chain::Anchor;
use saldo_reading::Why;
use saldo_token::{Obstacle, ProvenState, VerifiedBalance};

/// Why there is no balance.
#[derive(Debug)]
pub(crate) enum NoBalance {
    /// Something has to be proven first.
    Missing,
    /// The code has to be run, once the block is trusted.
    #[cfg_attr(not(feature = "execute"), expect(dead_code, reason = "no code is run"))]
    Later,
    /// There is none, whatever else is proven.
    Never(Why),
}

/// Reads how much of `token` the address `owner` holds. `anchor` is the trusted block with the root of `state`, if there is one.
#[cfg(feature = "execute")]
pub(crate) fn balance(
    state: &ProvenState,
    anchor: Option<&Anchor>,
    network: &Network,
    token: Address,
    owner: Address,
) -> Result<VerifiedBalance, NoBalance> {
    let by_slot = VerifiedBalance::from_slot(state, token, owner);
    let (Err(Obstacle::LayoutUnknown { .. } | Obstacle::GuardFailed { .. }), Some(anchor)) =
        (&by_slot, anchor)
    else {
        return by_slot.map_err(|obstacle| without_block(&obstacle));
    };
    let environment = anchor.environment(network).map_err(|error| NoBalance::Never(unknown_block(&error)))?;
    saldo_token::prove(state, Some(&environment), token, owner).map_err(|obstacle| match obstacle {
        Obstacle::Missing(_) => NoBalance::Missing,
        Obstacle::NotAToken(_) => NoBalance::Never(Why::NotAToken),
        Obstacle::NotRun(refusal) => NoBalance::Never(Why::TokenNotRun { reason: refusal.to_string() }),
        _ => NoBalance::Never(Why::InternalFault),
    })
}

/// Reads how much of `token` the address `owner` holds. This build runs no code.
#[cfg(not(feature = "execute"))]
pub(crate) fn balance(
    state: &ProvenState,
    _: Option<&Anchor>,
    _: &Network,
    token: Address,
    owner: Address,
) -> Result<VerifiedBalance, NoBalance> {
    VerifiedBalance::from_slot(state, token, owner).map_err(|obstacle| match obstacle {
        Obstacle::Missing(_) => NoBalance::Missing,
        Obstacle::NotAToken(_) => NoBalance::Never(Why::NotAToken),
        _ => NoBalance::Never(Why::TokenLayoutUnproven),
    })
}

#[cfg(feature = "execute")]
fn without_block(obstacle: &Obstacle) -> NoBalance {
    match obstacle {
        Obstacle::Missing(_) => NoBalance::Missing,
        Obstacle::NotAToken(_) => NoBalance::Never(Why::NotAToken),
        _ => NoBalance::Later,
    }
}

#[cfg(feature = "execute")]
fn unknown_block(error: &saldo_chain::EnvironmentError) -> Why {
    match error {
        saldo_chain::EnvironmentError::UnknownFork(_) => Why::UnknownFork,
        error => Why::TokenNotRun { reason: error.to_string() },
    }
}
