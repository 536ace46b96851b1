//! Taking a newer network table at run time.

use std::sync::Arc;

use super::schedule::{Schedule, VerifiedFork};
use super::state::LightClient;
use crate::fault::Fault;
use crate::network::Network;

/// Why a newer network table is refused. Always the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The table is of another chain, or has another clock or another committee size.
    #[error("the table is of another chain: `{field}` differs")]
    OtherChain {
        /// The field that differs.
        field: &'static str,
    },
    /// A fork has another time in the table than signatures have shown, or the table does not have it.
    #[error("the table contradicts what was signed in epochs {} to {}", .verified.first, .verified.last)]
    Contradiction {
        /// What the signatures have shown.
        verified: VerifiedFork,
    },
}

impl AdoptError {
    /// Returns who is at fault: always [`Fault::Caller`].
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
    /// Takes a newer table of the same chain, for example when the time of a fork has become known.
    ///
    /// # Errors
    /// [`AdoptError`] if the table is of another chain, or contradicts what signatures have shown. The client is then
    /// unchanged.
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
