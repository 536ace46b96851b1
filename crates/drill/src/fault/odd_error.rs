//! Errors in forms that no specification has.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::Reply;

/// The form of an error that an overloaded or misconfigured provider sends instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OddError {
    /// The error is a text, with HTTP 200.
    Text,
    /// The error is an object without members.
    Empty,
    /// The message is null.
    NullMessage,
    /// The code is a text.
    TextCode,
    /// Neither version nor id.
    Bare,
    /// The body is plain text, with HTTP 200.
    PlainText,
    /// The body is empty, with HTTP 200.
    EmptyBody,
}

impl OddError {
    /// All forms.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Empty,
        Self::NullMessage,
        Self::TextCode,
        Self::Bare,
        Self::PlainText,
        Self::EmptyBody,
    ];

    /// The answer to `calls`.
    pub(crate) fn reply(self, calls: &[Value]) -> Reply {
        let id = calls.first().and_then(|call| call.get("id")).cloned().unwrap_or_default();
        let with = |error: Value| Reply::json(200, &json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        match self {
            Self::Text => Reply::json(200, &json!({ "error": "try again later", "id": id })),
            Self::Empty => with(json!({})),
            Self::NullMessage => with(json!({ "code": -32_603, "message": null })),
            Self::TextCode => with(json!({ "code": "-32603", "message": "internal error" })),
            Self::Bare => {
                Reply::json(200, &json!({ "error": { "code": -32_603, "message": "internal error" } }))
            }
            Self::PlainText => Reply::new(200, "text/plain", "upstream is not there\n"),
            Self::EmptyBody => Reply::new(200, "application/json", ""),
        }
    }
}
