//! Errors in the form of alloy.

use std::error::Error;
use std::time::Duration;

use alloy_primitives::U64;
use alloy_transport::{TransportError, TransportErrorKind};
use saldo::{Anchor, Attempt, LastAnswer, Why};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Why nothing was proven, with every request, and what was proven last.
///
/// It is the error inside of [`TransportErrorKind::Custom`]: `downcast_ref` finds it there, and so does [`not_proven`].
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct NotProven {
    reason: saldo::NotProven,
    last: Option<Last>,
}

impl NotProven {
    /// Returns the reason: its code, whose fault it is, and the next step.
    pub const fn why(&self) -> &Why {
        self.reason.why()
    }

    /// Returns the requests, and the outcome of each.
    pub fn attempts(&self) -> &[Attempt] {
        self.reason.attempts()
    }

    /// Returns the last proven answer to the same request at any block; `None` if there is none, or if the chain withdrew its block.
    pub const fn last(&self) -> Option<&Last> {
        self.last.as_ref()
    }
}

/// The last proven answer to a request. It is no answer to the request that failed: show it with its age.
#[derive(Clone, Debug)]
pub struct Last(LastAnswer);

impl Last {
    /// Returns the answer as `T`, the type that the method returns: `U256` for a balance. `None` if it is no `T`.
    pub fn value<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.0.answer()).ok()
    }

    /// Returns the answer in JSON.
    pub fn json(&self) -> &str {
        self.0.answer()
    }

    /// Returns the block at which it was proven.
    pub const fn anchor(&self) -> &Anchor {
        self.0.anchor()
    }

    /// Returns how old the block was when the request failed; `None` if the clock is wrong.
    pub const fn age(&self) -> Option<Duration> {
        self.0.age()
    }

    /// The form in an error of a batch.
    pub(crate) fn form(&self) -> Value {
        json!({
            "value": self.value::<Value>(),
            "block": { "number": U64::from(self.anchor().number()), "hash": self.anchor().hash() },
            "age_seconds": self.age().map(|age| age.as_secs()),
        })
    }
}

/// Why a method that this crate proves gave no answer, if not because nothing was proven.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnswered {
    /// The contract's code was not run to its end.
    #[error("the call was not run to its end: {reason}")]
    NotRun {
        /// The reason.
        reason: String,
    },
    /// The transaction would fail.
    #[error("the transaction fails")]
    Fails,
    /// The transaction would fail, because its sender has less than the value that it sends.
    #[error("insufficient funds for transfer")]
    LacksFunds,
    /// The request asks for what cannot be proven. Fault: the caller.
    #[error("{what} cannot be proven")]
    Unsupported {
        /// What it asks for.
        what: &'static str,
    },
}

/// Returns why nothing was proven, if that is what `error` says.
pub fn not_proven(error: &TransportError) -> Option<&NotProven> {
    let TransportError::Transport(TransportErrorKind::Custom(source)) = error else { return None };
    let source: &(dyn Error + 'static) = source.as_ref();
    source.downcast_ref()
}

/// Puts the last proven answer into the error, if it says that nothing was proven.
pub(crate) fn with_last(
    mut error: TransportError,
    last: impl FnOnce() -> Option<LastAnswer>,
) -> TransportError {
    if let TransportError::Transport(TransportErrorKind::Custom(source)) = &mut error
        && let Some(not_proven) = source.downcast_mut::<NotProven>()
    {
        not_proven.last = last().map(Last);
    }
    error
}

/// The error for what was not proven, as alloy has it.
pub(crate) fn unproven(reason: saldo::NotProven) -> TransportError {
    TransportErrorKind::custom(NotProven { reason, last: None })
}

impl From<NotAnswered> for TransportError {
    fn from(error: NotAnswered) -> Self {
        match error {
            NotAnswered::Unsupported { .. } => Self::LocalUsageError(Box::new(error)),
            error => TransportErrorKind::custom(error),
        }
    }
}
