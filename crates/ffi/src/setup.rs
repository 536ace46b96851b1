//! Why a setting is refused.

use saldo::{AdoptError, BuildError, DirectoryError, ListError, NetworkError};

use crate::ended::Ended;

/// Why a setting is refused. The caller's fault. Only what sets up a client throws it; a read never does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum SetupError {
    /// The setting cannot be used.
    #[error("{text} ({code})")]
    Refused {
        /// A stable name, in snake case.
        code: String,
        /// What is wrong, and what to do, for people.
        text: String,
    },
}

impl SetupError {
    #[allow(clippy::needless_pass_by_value, reason = "every error is converted here once")]
    pub(crate) fn new(code: &str, text: impl ToString) -> Self {
        Self::Refused { code: code.to_owned(), text: text.to_string() }
    }

    /// Returns the stable name.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
        }
    }
}

impl From<BuildError> for SetupError {
    fn from(error: BuildError) -> Self {
        let code = match error {
            BuildError::Provider { .. } => "provider",
            BuildError::BeaconSource { .. } => "beacon_source",
            BuildError::CheckpointSource { .. } => "checkpoint_source",
            BuildError::SameName => "same_name",
            BuildError::NoProvider => "no_provider",
            BuildError::NoBeaconSource => "no_beacon_source",
            BuildError::SameNetwork { .. } => "same_network",
            BuildError::NoL1 { .. } => "no_l1",
            BuildError::Policy => "policy",
            BuildError::NoCheckpoint => "no_checkpoint",
            BuildError::TooFewCheckpointOperators { .. } => "too_few_checkpoint_operators",
            BuildError::Agreement { .. } => "agreement",
            BuildError::TooFewOperators { .. } => "too_few_operators",
            BuildError::Storage(_) => "storage_refused",
            _ => "build",
        };
        Self::new(code, error)
    }
}

impl From<NetworkError> for SetupError {
    fn from(error: NetworkError) -> Self {
        Self::new("network_file", error)
    }
}

impl From<DirectoryError> for SetupError {
    fn from(error: DirectoryError) -> Self {
        Self::new("directory_file", error)
    }
}

impl From<AdoptError> for SetupError {
    fn from(error: AdoptError) -> Self {
        Self::new("other_chain", error)
    }
}

impl From<ListError> for SetupError {
    fn from(error: ListError) -> Self {
        // The error of the parser is not shown: it can quote the list.
        match error {
            ListError::Malformed(_) => Self::new("token_list", "this is not JSON with a list `tokens`"),
            other => Self::new("token_list", other),
        }
    }
}

impl From<Ended> for SetupError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Closed => Self::new("closed", "the client was shut down"),
            Ended::Panicked => Self::new("internal_fault", "a fault in saldo itself"),
        }
    }
}
