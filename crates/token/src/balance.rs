//! The only way to the balance of a token.

use alloy_primitives::{Address, B256, U256};
use saldo_proof::{ProvenState, StateRoot};

use crate::route::{self, Obstacle};

/// The balance of a token that the state under a state root proves, with how it was derived.
///
/// It holds on the chain only *if* this root belongs to the chain, which this crate cannot know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBalance {
    token: Address,
    owner: Address,
    state_root: StateRoot,
    amount: U256,
    is_blocked: bool,
    derivation: Derivation,
}

/// How a balance follows from what was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Derivation {
    /// The token's code keeps the balance in a slot, and the slot was proven.
    Slot {
        /// The name of the layout that was established for the code.
        layout: &'static str,
        /// The hash of the code that reads the balance.
        code_hash: B256,
        /// The contract that has this code, if it is not the token itself.
        implementation: Option<Address>,
    },
}

impl VerifiedBalance {
    /// Reads how much of `token` the address `owner` holds, from the slot where the token's code keeps it.
    ///
    /// # Errors
    /// [`Obstacle::Missing`] says what else has to be proven. The other obstacles remain whatever is proven under this root. None
    /// of them is a balance of zero.
    pub fn from_slot(state: &ProvenState, token: Address, owner: Address) -> Result<Self, Obstacle> {
        let route = route::find(state, token)?;
        let word = route.word(state, token, owner)?;
        let (amount, is_blocked) = route.layout.word.read(word);
        let (layout, code_hash) = (route.layout.name, route.layout.code_hash);
        let derivation = Derivation::Slot { layout, code_hash, implementation: route.implementation };
        Ok(Self { token, owner, state_root: state.root(), amount, is_blocked, derivation })
    }

    /// Returns the token's contract.
    pub const fn token(&self) -> Address {
        self.token
    }

    /// Returns the address that holds the amount.
    pub const fn owner(&self) -> Address {
        self.owner
    }

    /// Returns the state root under which everything was proven.
    pub const fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns the amount in the token's base units.
    pub const fn amount(&self) -> U256 {
        self.amount
    }

    /// Whether the token's issuer has blocked the owner, so that the amount cannot be moved. False where the layout does not say.
    pub const fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Returns how the amount follows from what was proven.
    pub const fn derivation(&self) -> &Derivation {
        &self.derivation
    }
}
