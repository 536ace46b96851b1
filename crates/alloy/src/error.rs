//! Errors in the form of alloy.

use std::error::Error;

use alloy_transport::{TransportError, TransportErrorKind};
use saldo::NotProven;

/// Why a method that this crate proves gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnswered {
    /// Nothing was proven. See [`NotProven::why`] for the reason, whose fault it is, and the next step.
    #[error(transparent)]
    NotProven(#[from] NotProven),
    /// The contract's code was not run to its end.
    #[error("the call was not run to its end: {reason}")]
    NotRun {
        /// The reason.
        reason: String,
    },
    /// The transaction would fail.
    #[error("the transaction fails")]
    Fails,
    /// The request asks for what cannot be proven. Fault: the caller.
    #[error("{what} cannot be proven")]
    Unsupported {
        /// What it asks for.
        what: &'static str,
    },
}

/// Returns why nothing was proven, if that is what `error` says.
pub fn not_proven(error: &TransportError) -> Option<&NotProven> {
    match not_answered(error)? {
        NotAnswered::NotProven(reason) => Some(reason),
        _ => None,
    }
}

fn not_answered(error: &TransportError) -> Option<&NotAnswered> {
    let source: &(dyn Error + 'static) = match error {
        TransportError::Transport(TransportErrorKind::Custom(source)) => source.as_ref(),
        TransportError::LocalUsageError(source) => source.as_ref(),
        _ => return None,
    };
    source.downcast_ref()
}

impl From<NotAnswered> for TransportError {
    fn from(error: NotAnswered) -> Self {
        match error {
            NotAnswered::Unsupported { .. } => Self::LocalUsageError(Box::new(error)),
            error => TransportErrorKind::custom(error),
        }
    }
}
