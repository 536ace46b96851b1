//! An account, as one proof shows it.

use saldo_reading::{Reading, Why};

/// Holds the balance of an account, and the nonce that the same proof shows.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountReading {
    balance: Reading,
}

impl AccountReading {
    pub(crate) fn new(balance: Reading) -> Self {
        Self { balance }
    }

    /// Returns the reading of the native balance, in wei.
    pub fn balance(&self) -> &Reading {
        &self.balance
    }

    /// Returns the nonce: the number of transactions sent from the account, at the block of the balance. An
    /// account that does not exist has nonce 0.
    ///
    /// # Errors
    /// [`Why`] the balance is not proven: then the nonce is not known either.
    pub fn nonce(&self) -> Result<u64, &Why> {
        match &self.balance {
            Reading::Proven(proven) => proven.nonce().ok_or(&Why::InternalFault),
            Reading::Provisional(provisional) => Err(provisional.why()),
            Reading::Unknown(unknown) => Err(unknown.why()),
        }
    }
}
