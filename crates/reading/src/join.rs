//! The only place that creates an amount. Only the [gate](crate::gate) shows it.

use alloy_primitives::{Address, B256, U256};
use saldo_chain::Anchor;
use saldo_proof::{Account, Verified};

use crate::amount::Amount;
use crate::candidate::{Candidate, Generation};
use crate::holding::{Asset, Holding, NetworkId};
use crate::provider::ProviderId;

/// Why a verified account and an anchor do not make a proven amount. Fault: the caller, which paired things that do not
/// belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The proof is about another account.
    #[error("the proof is about {got}, not {expected}")]
    Subject {
        /// The account that was proven.
        got: Address,
        /// The account that was asked about.
        expected: Address,
    },
    /// The proof was checked under another state root than the anchor's.
    #[error("the proof was checked under state root {got}, the block has {expected}")]
    StateRoot {
        /// The root that the proof was checked under.
        got: B256,
        /// The root of the trusted block.
        expected: B256,
    },
    /// The anchor belongs to another network.
    #[error("the block belongs to {got}, expected {expected}")]
    Network {
        /// The anchor's network.
        got: NetworkId,
        /// The network of the holding.
        expected: NetworkId,
    },
    /// An account proof says nothing about this asset.
    #[error("an account proof says nothing about this asset")]
    Asset,
}

/// Joins a verified account with the trusted header of the same state root. It is the only constructor of a [`Candidate`].
/// `generation` is the trust start that `anchor` follows from.
///
/// An account that is proven absent holds a proven zero. No other case becomes zero.
///
/// # Errors
/// [`JoinError`] if `account` is not about `holding`, or if `anchor` has another state root or belongs to another network than
/// `holding`.
pub fn join(
    holding: Holding,
    account: &Verified<Account>,
    anchor: &Anchor,
    provider: ProviderId,
    generation: Generation,
) -> Result<Candidate, JoinError> {
    if holding.asset() != Asset::Native {
        return Err(JoinError::Asset);
    }
    if *account.subject() != holding.owner() {
        return Err(JoinError::Subject { got: *account.subject(), expected: holding.owner() });
    }
    let network = NetworkId::new(anchor.chain_id());
    if network != holding.network() {
        return Err(JoinError::Network { got: network, expected: holding.network() });
    }
    if account.state_root() != anchor.state_root() {
        let (got, expected) = (account.state_root().get(), anchor.state_root().get());
        return Err(JoinError::StateRoot { got, expected });
    }
    let (amount, nonce) = match account.leaf() {
        Account::Present(state) => (state.balance, state.nonce),
        Account::Absent => (U256::ZERO, 0),
    };
    Ok(Candidate {
        holding,
        amount: Amount::new(amount),
        nonce: Some(nonce),
        anchor: anchor.clone(),
        provider,
        restored: false,
        generation,
    })
}
