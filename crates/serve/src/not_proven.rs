//! Not knowing, as an error that says why.

use saldo::NotProven;
use serde_json::json;

use crate::error::RpcError;

/// The error for what is not proven.
pub(crate) fn not_proven(error: &NotProven) -> RpcError {
    let why = error.why();
    let data = json!({
        "reason": why.code(),
        "fault": why.fault().code(),
        "next_step": why.next_step(),
        "needs_action": why.needs_action(),
        "retry_after_seconds": why.retry_after().map(|pause| pause.as_secs()),
        "attempts": error.attempts(),
        "last": null,
    });
    RpcError::not_proven(format!("not known (it is not 0): {why}"), data)
}
