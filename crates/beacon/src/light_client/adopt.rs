//! Taking a newer network table at run time.

use std::sync::Arc;

use super::schedule::{Schedule, VerifiedFork};
use super::state::LightClient;
use crate::fault::Fault;
use crate::network::Network;

/// Why a newer network table is not taken. Always the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// It is of another chain, or gives the same chain another clock or another size of committees.
    #[error("the table is of another chain: `{field}` differs")]
    OtherChain {
        /// What differs.
        field: &'static str,
    },
    /// It has a fork at another time than signatures have shown, or does not have it at all.
    #[error("the table contradicts what was signed in epochs {} to {}", .verified.first, .verified.last)]
    Contradiction {
        /// What was signed.
        verified: VerifiedFork,
    },
}

impl AdoptError {
    /// Whose fault it is: always [`Fault::Caller`].
    pub fn fault(&self) -> Fault {
        Fault::Caller
    }
}

impl Network {
    /// Checks that `newer` is a table of the same chain. Only forks, names and what depends on them may differ.
    ///
    /// # Errors
    /// [`AdoptError::OtherChain`] if it is not.
    pub fn allows(&self, newer: &Self) -> Result<(), AdoptError> {
        self.other_chain(newer).map_or(Ok(()), |field| Err(AdoptError::OtherChain { field }))
    }
}

impl LightClient {
    /// Takes a newer table of the same chain, as when the time of a fork has become known.
    ///
    /// # Errors
    /// [`AdoptError`] if it is of another chain, or contradicts what signatures have shown. Nothing changes then.
    pub fn adopt(&mut self, network: impl Into<Arc<Network>>) -> Result<(), AdoptError> {
        let network = network.into();
        if let Some(field) = self.network.other_chain(&network) {
            return Err(AdoptError::OtherChain { field });
        }
        let schedule = Schedule { network: &network, verified: &self.verified_forks };
        if let Some(verified) = schedule.contradiction() {
            return Err(AdoptError::Contradiction { verified });
        }
        self.network = network;
        Ok(())
    }
}
