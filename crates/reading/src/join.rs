//! The only place that creates an amount. Only the [gate](crate::gate) shows it.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use saldo_chain::Anchor;
use saldo_proof::{Account, StateRoot, Verified};
use saldo_token::VerifiedBalance;

use crate::amount::Amount;
use crate::candidate::{Candidate, Generation};
use crate::holding::{Asset, Holding, NetworkId};
use crate::provider::ProviderId;

/// Why a verified account, or a verified balance of a token, and an anchor do not make a proven amount. Fault: the caller, which
/// paired things that do not belong together.
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
    /// The proof says nothing about this asset: an account says nothing about a token, and a token nothing about the native coin.
    #[error("the proof says nothing about this asset")]
    Asset,
    /// The balance is that of another token.
    #[error("the balance is of the token {got}, not {expected}")]
    Token {
        /// The token whose balance was proven.
        got: Address,
        /// The token that was asked about.
        expected: Address,
    },
    /// The token's code ran in the environment of another block.
    #[error("the token's code ran in block {got}, not in {expected}")]
    Block {
        /// The hash of the block in which the code ran.
        got: B256,
        /// The hash of the trusted block.
        expected: B256,
    },
}

/// Joins a verified account with the trusted header of the same state root. Beside [`join_token`] it is the only constructor of
/// a [`Candidate`]. `generation` is the trust start that `anchor` follows from.
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
    same_owner(holding, *account.subject())?;
    same_state(holding, account.state_root(), anchor)?;
    let (amount, nonce) = match account.leaf() {
        Account::Present(state) => (state.balance, state.nonce),
        Account::Absent => (U256::ZERO, 0),
    };
    Ok(Candidate {
        holding,
        amount: Amount::new(amount),
        nonce: Some(nonce),
        token: None,
        anchor: anchor.clone(),
        provider,
        restored: false,
        generation,
    })
}

/// Joins a verified balance of a token with the trusted header of the same state root.
///
/// It takes no slot: only a [`VerifiedBalance`] says that the token's own code keeps the balance there.
///
/// # Errors
/// [`JoinError`] if `balance` is not about `holding`, or if `anchor` has another state root or belongs to another network than
/// `holding`.
pub fn join_token(
    holding: Holding,
    balance: Arc<VerifiedBalance>,
    anchor: &Anchor,
    provider: ProviderId,
    generation: Generation,
) -> Result<Candidate, JoinError> {
    let Asset::Erc20(expected) = holding.asset() else { return Err(JoinError::Asset) };
    let got = balance.token();
    if got != expected {
        return Err(JoinError::Token { got, expected });
    }
    same_owner(holding, balance.owner())?;
    same_state(holding, balance.state_root(), anchor)?;
    // Two blocks can have one state root, and still differ in their time.
    let expected = anchor.hash();
    if let Some(got) = balance.block_hash().filter(|got| *got != expected) {
        return Err(JoinError::Block { got, expected });
    }
    Ok(Candidate {
        holding,
        amount: Amount::new(balance.amount()),
        nonce: None,
        token: Some(balance),
        anchor: anchor.clone(),
        provider,
        restored: false,
        generation,
    })
}

fn same_owner(holding: Holding, got: Address) -> Result<(), JoinError> {
    let expected = holding.owner();
    if got == expected { Ok(()) } else { Err(JoinError::Subject { got, expected }) }
}

fn same_state(holding: Holding, root: StateRoot, anchor: &Anchor) -> Result<(), JoinError> {
    let network = NetworkId::new(anchor.chain_id());
    if network != holding.network() {
        return Err(JoinError::Network { got: network, expected: holding.network() });
    }
    if root != anchor.state_root() {
        return Err(JoinError::StateRoot { got: root.get(), expected: anchor.state_root().get() });
    }
    Ok(())
}
