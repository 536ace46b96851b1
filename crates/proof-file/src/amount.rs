//! The amounts that the proofs of a file show under its block's state root.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_beacon::Network;
use saldo_proof::{Account, HashedCode, ProvenState, StateRoot, verify_accounts};
use saldo_reading::{Asset, Holding};
use saldo_token::{Derivation, Obstacle, VerifiedBalance};

use crate::block::Block;
use crate::error::FileError;
use crate::state::StateProof;

/// A holding whose amount a file proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHolding {
    holding: Holding,
    amount: U256,
    token: Option<VerifiedBalance>,
}

impl VerifiedHolding {
    /// Returns the holding.
    pub const fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Returns the amount: wei, or base units of the token.
    pub const fn amount(&self) -> U256 {
        self.amount
    }

    /// Returns how the balance of a token was derived; `None` for the native coin.
    pub fn derivation(&self) -> Option<&Derivation> {
        self.token.as_ref().map(VerifiedBalance::derivation)
    }

    /// Whether the token's issuer has blocked the owner, so that the amount cannot be moved.
    pub fn is_frozen(&self) -> bool {
        self.token.as_ref().is_some_and(VerifiedBalance::is_blocked)
    }
}

/// Verifies all proofs under the state root of `block`, and reads the amounts.
pub(crate) fn amounts(
    proof: &StateProof,
    block: &Block,
    network: &Network,
) -> Result<Vec<VerifiedHolding>, FileError> {
    let state = proven_state(proof, block.state_root())?;
    let of = |holding: &Holding| match holding.asset() {
        Asset::Native => native(&state, *holding),
        Asset::Erc20(token) => {
            let balance = token_balance(&state, block, network, token, *holding)?;
            Ok(VerifiedHolding { holding: *holding, amount: balance.amount(), token: Some(balance) })
        }
        _ => Err(not_proven(*holding)),
    };
    let amounts: Vec<VerifiedHolding> = proof.holdings().map(of).collect::<Result<_, _>>()?;
    if amounts.is_empty() { Err(FileError::NoHolding) } else { Ok(amounts) }
}

fn not_proven(holding: Holding) -> FileError {
    FileError::NotProven { holding: Box::new(holding) }
}

/// An account that is proven absent holds a proven zero. No other case becomes zero.
fn native(state: &ProvenState, holding: Holding) -> Result<VerifiedHolding, FileError> {
    let amount = match state.account(holding.owner()).ok_or_else(|| not_proven(holding))? {
        Account::Present(account) => account.balance,
        Account::Absent => U256::ZERO,
    };
    Ok(VerifiedHolding { holding, amount, token: None })
}

fn token_balance(
    state: &ProvenState,
    block: &Block,
    network: &Network,
    token: Address,
    holding: Holding,
) -> Result<VerifiedBalance, FileError> {
    let outcome = match VerifiedBalance::from_slot(state, token, holding.owner()) {
        Err(Obstacle::LayoutUnknown { .. } | Obstacle::GuardFailed { .. }) => {
            run(state, block, network, token, holding.owner())?
        }
        outcome => outcome,
    };
    outcome.map_err(|obstacle| match obstacle {
        Obstacle::Missing(_) => not_proven(holding),
        obstacle => FileError::Token { token, obstacle: Box::new(obstacle) },
    })
}

#[cfg(feature = "execute")]
fn run(
    state: &ProvenState,
    block: &Block,
    network: &Network,
    token: Address,
    owner: Address,
) -> Result<Result<VerifiedBalance, Obstacle>, FileError> {
    let environment = block.environment(network)?;
    Ok(saldo_token::prove(state, Some(&environment), token, owner))
}

#[cfg(not(feature = "execute"))]
fn run(
    _: &ProvenState,
    _: &Block,
    _: &Network,
    token: Address,
    _: Address,
) -> Result<Result<VerifiedBalance, Obstacle>, FileError> {
    Err(FileError::NeedsExecution { token })
}

fn proven_state(proof: &StateProof, root: StateRoot) -> Result<ProvenState, FileError> {
    let proofs: Vec<(Address, &[Bytes])> =
        proof.accounts().map(|(address, account)| (address, account.nodes.as_slice())).collect();
    let mut state = ProvenState::new(root);
    for ((address, account), verified) in proof.accounts().zip(verify_accounts(root, &proofs)) {
        let refused = |error| FileError::Proof { address, error };
        let verified = verified.map_err(refused)?;
        state.add_account(&verified).expect("it was verified under this root");
        let slots: Vec<(B256, &[Bytes])> =
            account.slots.iter().map(|(key, nodes)| (*key, nodes.as_slice())).collect();
        for slot in verified.slots(&slots) {
            state.add_slot(&slot.map_err(refused)?).expect("it was verified under this root");
        }
    }
    for code in proof.codes() {
        let code = HashedCode::new(code.clone());
        let hash = code.hash();
        if !state.accounts().any(|(address, _)| state.code_hash_of(address) == Some(hash)) {
            return Err(FileError::UnusedCode);
        }
        state.add_hashed_code(code);
    }
    Ok(state)
}
