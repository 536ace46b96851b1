//! saldo's events, as lines for the app's log.

use std::sync::Arc;

use tracing::Dispatch;

use crate::http::first_line;
use crate::maybe_send::Shared;

/// Takes the lines of saldo's log. They name no address and no URL.
///
/// Lines come in their order, several at once. Lines that the app does not take in time are dropped.
#[uniffi::export(with_foreign)]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
pub trait LogSink: Shared {
    /// Takes `lines`. The next lines come when it has returned.
    async fn write(&self, lines: Vec<LogLine>) -> Result<(), LogFailure>;
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogLine {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The part of saldo that says it.
    pub target: String,
    /// What happened, with its fields.
    pub text: String,
}

/// The app could not take the lines. saldo goes on without them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum LogFailure {
    /// Whatever the implementation threw.
    #[error("unexpected: {detail}")]
    Unexpected {
        /// What happened, in one line.
        detail: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for LogFailure {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unexpected { detail: first_line(&error.reason) }
    }
}

/// Returns where the events of a client go.
pub(crate) fn dispatch(sink: Option<&Arc<dyn LogSink>>) -> Dispatch {
    let _ = sink;
    Dispatch::none()
}
