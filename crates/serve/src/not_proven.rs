//! Not knowing, as an error that says why.

use saldo::{Attempt, NotProven, Why};
use serde_json::{Value, json};

use crate::error::RpcError;

/// The error for what is not proven, with the `last` proven value or `null`.
pub(crate) fn not_proven(error: &NotProven, last: &Value) -> RpcError {
    because(error.why(), error.attempts(), last)
}

/// The error for the reason `why`.
pub(crate) fn because(why: &Why, attempts: &[Attempt], last: &Value) -> RpcError {
    let data = json!({
        "reason": why.code(),
        "fault": why.fault().code(),
        "next_step": why.next_step(),
        "needs_action": why.needs_action(),
        "retry_after_seconds": why.retry_after().map(|pause| pause.as_secs()),
        "attempts": attempts,
        "last": last,
    });
    RpcError::not_proven(format!("not known (it is not 0): {why}"), data)
}
