//! An amount under a state root that is not signed.

use alloy_primitives::U256;
use saldo_proof::{Account, StateRoot, Verified};
use saldo_token::VerifiedBalance;

use crate::announced::Announced;
use crate::quorum::Quorum;

/// What a complete proof says under a state root that is not signed. Anyone can invent such a root, so it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    amount: Option<U256>,
    state_root: StateRoot,
    quorum: Option<Quorum>,
    announced: Option<Announced>,
}

impl Claim {
    /// Makes the claim that a holding has no amount that can be proven, because its token has none.
    pub const fn without_amount(state_root: StateRoot) -> Self {
        Self { amount: None, state_root, quorum: None, announced: None }
    }

    /// Adds that several operators name the block with this state root.
    #[must_use]
    pub const fn named_by(self, quorum: Option<Quorum>) -> Self {
        Self { quorum, ..self }
    }

    /// Adds that the sequencer announced the block with this state root.
    #[must_use]
    pub const fn announced_by(self, announced: Option<Announced>) -> Self {
        Self { announced, ..self }
    }

    pub(crate) const fn announced(&self) -> Option<Announced> {
        self.announced
    }

    pub(crate) const fn quorum(&self) -> Option<Quorum> {
        self.quorum
    }

    pub(crate) fn amount(&self) -> U256 {
        self.amount.unwrap_or_default()
    }

    /// Returns the amount; `None` if the claim is that there is none to be proven.
    pub(crate) const fn amount_if_any(&self) -> Option<U256> {
        self.amount
    }

    pub(crate) const fn state_root(&self) -> StateRoot {
        self.state_root
    }
}

/// The native balance of the account.
impl From<&Verified<Account>> for Claim {
    fn from(account: &Verified<Account>) -> Self {
        let amount = match account.leaf() {
            Account::Present(state) => state.balance,
            Account::Absent => U256::ZERO,
        };
        let state_root = account.state_root();
        Self { amount: Some(amount), state_root, quorum: None, announced: None }
    }
}

/// The balance of the token.
impl From<&VerifiedBalance> for Claim {
    fn from(balance: &VerifiedBalance) -> Self {
        let (amount, state_root) = (Some(balance.amount()), balance.state_root());
        Self { amount, state_root, quorum: None, announced: None }
    }
}
