//! What the proven state says about the balance of a token. With the feature `execute`, a token's own code is run where its layout
//! is not known.

use alloy_primitives::Address;
use saldo_beacon::Network;
use saldo_chain::Anchor;
use saldo_reading::Why;
use saldo_token::{Obstacle, ProvenState, Query, VerifiedBalance};

/// Why there is no balance.
#[derive(Debug)]
pub(crate) enum NoBalance {
    /// Something has to be proven first.
    Missing {
        /// Whether a code is among it.
        has_code: bool,
    },
    /// The code has to be run, once the block is trusted.
    #[cfg_attr(not(feature = "execute"), expect(dead_code, reason = "no code is run"))]
    Later,
    /// There is none, whatever else is proven.
    Never(Why),
}

/// What the rounds of one balance may still cost.
#[cfg(feature = "execute")]
pub(crate) use saldo_execute::Meter;

/// What the rounds of one balance may still cost. This build runs no code.
#[cfg(not(feature = "execute"))]
#[derive(Clone, Default)]
pub(crate) struct Meter {}

#[cfg(not(feature = "execute"))]
impl Meter {
    pub(crate) const fn is_over(&self) -> bool {
        false
    }
}

/// Reads how much of `token` the address `owner` holds. `anchor` is the trusted block with the root of `state`, if there is one.
pub(crate) fn balance(
    state: &ProvenState,
    anchor: Option<&Anchor>,
    network: &Network,
    token: Address,
    owner: Address,
) -> Result<VerifiedBalance, NoBalance> {
    balance_within(state, anchor, network, token, owner, &mut Meter::default())
}

/// The same with what `meter` has left, as one of several rounds.
#[cfg(feature = "execute")]
pub(crate) fn balance_within(
    state: &ProvenState,
    anchor: Option<&Anchor>,
    network: &Network,
    token: Address,
    owner: Address,
    meter: &mut Meter,
) -> Result<VerifiedBalance, NoBalance> {
    let by_slot = VerifiedBalance::from_slot(state, token, owner);
    let (Err(Obstacle::LayoutUnknown { .. } | Obstacle::GuardFailed { .. }), Some(anchor)) =
        (&by_slot, anchor)
    else {
        return by_slot.map_err(|obstacle| without_block(&obstacle));
    };
    let environment = anchor.environment(network).map_err(|error| NoBalance::Never(unknown_block(&error)))?;
    saldo_token::prove_within(state, Some(&environment), token, owner, meter).map_err(|obstacle| {
        match obstacle {
            Obstacle::Missing(query) => missing(&query),
            Obstacle::NotAToken(reason) => NoBalance::Never(Why::NotAToken { reason }),
            Obstacle::NotRun(refusal) => NoBalance::Never(Why::TokenNotRun { reason: refusal.to_string() }),
            _ => NoBalance::Never(Why::InternalFault),
        }
    })
}

/// Reads how much of `token` the address `owner` holds. This build runs no code.
#[cfg(not(feature = "execute"))]
pub(crate) fn balance_within(
    state: &ProvenState,
    _: Option<&Anchor>,
    _: &Network,
    token: Address,
    owner: Address,
    _: &mut Meter,
) -> Result<VerifiedBalance, NoBalance> {
    VerifiedBalance::from_slot(state, token, owner).map_err(|obstacle| match obstacle {
        Obstacle::Missing(query) => missing(&query),
        Obstacle::NotAToken(reason) => NoBalance::Never(Why::NotAToken { reason }),
        _ => NoBalance::Never(Why::TokenLayoutUnproven),
    })
}

fn missing(query: &Query) -> NoBalance {
    NoBalance::Missing { has_code: !query.codes().is_empty() }
}

#[cfg(feature = "execute")]
fn without_block(obstacle: &Obstacle) -> NoBalance {
    match obstacle {
        Obstacle::Missing(query) => missing(query),
        Obstacle::NotAToken(reason) => NoBalance::Never(Why::NotAToken { reason: *reason }),
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

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, hex, keccak256};
    use saldo_proof::{StateRoot, verify_account};
    use saldo_token::NotAToken;

    use super::*;

    const TOKEN: Address = Address::repeat_byte(0x11);

    /// What `code` gives under a root that no trusted block has.
    fn outcome(code: &'static [u8]) -> Result<VerifiedBalance, NoBalance> {
        let before = hex!(
            "f872a120e2c07404b8c1df4c46226425cac68c28d27a766bbddce62309f36724839b22c0b84ef84c01880de0b6b3a7640000
             a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a0"
        );
        let leaf = [before.as_slice(), keccak256(code).as_slice()].concat();
        let root = StateRoot::new(keccak256(&leaf));
        let mut state = ProvenState::new(root);
        state.add_account(&verify_account(root, TOKEN, &[leaf]).unwrap()).unwrap();
        state.add_code(Bytes::from_static(code));
        balance(&state, None, &Network::mainnet(), TOKEN, Address::ZERO)
    }

    #[test]
    #[cfg(not(feature = "execute"))]
    fn without_running_code_its_layout_is_unproven() {
        let outcome = outcome(&[0x5f, 0x5f, 0xf3]);
        assert!(matches!(outcome, Err(NoBalance::Never(Why::TokenLayoutUnproven))), "{outcome:?}");
    }

    #[test]
    #[cfg(feature = "execute")]
    fn code_waits_until_its_block_is_trusted() {
        let outcome = outcome(&[0x5f, 0x5f, 0xf3]);
        assert!(matches!(outcome, Err(NoBalance::Later)), "{outcome:?}");
    }

    #[test]
    fn an_account_without_code_is_no_token() {
        let outcome = outcome(&[]);
        assert!(
            matches!(outcome, Err(NoBalance::Never(Why::NotAToken { reason: NotAToken::NoCode { .. } }))),
            "{outcome:?}"
        );
    }
}
