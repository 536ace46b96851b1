//! The only way to the balance of a token.

use alloy_primitives::{Address, B256, U256};
use saldo_proof::{ProvenState, StateRoot};

use crate::route::{self, Obstacle};

/// The balance of a token that the state under a state root proves, with how it was derived.
///
/// It holds on the chain only *if* this root belongs to the chain, which this crate cannot know.
///
/// There is no flag for an amount that changes without a transfer (*rebasing*). No layout of the table is of such a token: there the
/// slot has the amount itself. The code of such a token is run ([`Derivation::Executed`]), and it does not say what else changes the
/// result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBalance {
    token: Address,
    owner: Address,
    state_root: StateRoot,
    amount: U256,
    is_blocked: bool,
    derivation: Derivation,
    /// The block in whose environment the token's code ran.
    block_hash: Option<B256>,
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
    /// The token's own code was run over proven state, in the environment of one block.
    Executed {
        /// The hash of the token's code.
        code_hash: B256,
        /// What it read.
        touched: Touched,
    },
}

/// How much of the state a run read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Touched {
    /// The number of accounts.
    pub accounts: usize,
    /// The number of slots of their storage.
    pub slots: usize,
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
        let (state_root, block_hash) = (state.root(), None);
        Ok(Self { token, owner, state_root, amount, is_blocked, derivation, block_hash })
    }

    /// Reads how much of `token` the address `owner` holds, from what the token's own code returned.
    ///
    /// # Errors
    /// [`Obstacle::NotAToken`] if the account has no code, or the call failed, or it returned fewer than 32 bytes. All of that is
    /// proven. [`Obstacle::OtherCall`] if `executed` is another call than [`balance_of`](crate::balance_of).
    #[cfg(feature = "execute")]
    pub fn from_execution(
        executed: &saldo_execute::Executed,
        token: Address,
        owner: Address,
    ) -> Result<Self, Obstacle> {
        let amount = crate::execution::amount(executed, token, owner)?;
        let read = executed.touched().slots();
        let slots = read.values().map(std::collections::BTreeSet::len).sum();
        let touched = Touched { accounts: read.len(), slots };
        let derivation = Derivation::Executed { code_hash: executed.code_hash(), touched };
        let (state_root, block_hash) = (executed.state_root(), Some(executed.block_hash()));
        Ok(Self { token, owner, state_root, amount, is_blocked: false, derivation, block_hash })
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

    /// Returns the hash of the only block in which the amount holds; `None` if it holds in every block with this state root.
    pub const fn block_hash(&self) -> Option<B256> {
        self.block_hash
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

#[cfg(test)]
#[path = "balance_tests.rs"]
mod tests;
