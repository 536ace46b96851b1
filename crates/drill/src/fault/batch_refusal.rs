//! The ways in which real providers refuse a batch.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::Reply;

/// How a provider refuses a batch that is too large for it. None of these answers is about the provider's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BatchRefusal {
    /// HTTP 500 with code 31, and a text that names the limit.
    FreeTier,
    /// HTTP 200 with code -32005, "batch size limit exceeded".
    SizeLimit,
    /// HTTP 400, "too many requests".
    TooManyRequests,
    /// HTTP 402 with plain text.
    PaymentRequired,
    /// HTTP 403 with plain text.
    Forbidden,
    /// HTTP 413 with a web page.
    TooLarge,
    /// A list with one error for each call.
    EachCall,
    /// A list with one error, under the first id, as geth answers.
    ListOfOne,
    /// HTTP 200 with a web page, as a firewall answers.
    Page,
    /// HTTP 200 with an error that is a text.
    Text,
    /// The connection is closed without an answer.
    Closed,
}

impl BatchRefusal {
    /// All ways.
    pub const ALL: [Self; 11] = [
        Self::FreeTier,
        Self::SizeLimit,
        Self::TooManyRequests,
        Self::PaymentRequired,
        Self::Forbidden,
        Self::TooLarge,
        Self::EachCall,
        Self::ListOfOne,
        Self::Page,
        Self::Text,
        Self::Closed,
    ];

    /// The answer to `calls`, of which at most `limit` are allowed.
    pub(crate) fn reply(self, calls: &[Value], limit: usize) -> Reply {
        let whole = |status, code: i64, message: &str| {
            let error = json!({ "code": code, "message": message });
            Reply::json(status, &json!({ "jsonrpc": "2.0", "id": null, "error": error }))
        };
        let id = |call: &Value| call.get("id").cloned().unwrap_or_default();
        match self {
            Self::FreeTier => {
                let message = format!("Batch of more than {limit} requests are not allowed on free tier");
                Reply::json(
                    500,
                    &json!({ "id": 0, "jsonrpc": "2.0", "error": { "message": message, "code": 31 } }),
                )
            }
            Self::SizeLimit => whole(200, -32_005, "batch size limit exceeded"),
            Self::TooManyRequests => whole(400, -32_600, "too many requests"),
            Self::PaymentRequired => Reply::new(402, "text/plain", "Payment Required"),
            Self::Forbidden => Reply::new(403, "text/plain", "Forbidden"),
            Self::TooLarge => Reply::new(413, "text/html", "<html>413 Request Entity Too Large</html>"),
            Self::EachCall => {
                let error = json!({ "code": -32_600, "message": "not on this plan" });
                let each =
                    calls.iter().map(|call| json!({ "jsonrpc": "2.0", "id": id(call), "error": error }));
                Reply::json(200, &Value::Array(each.collect()))
            }
            Self::ListOfOne => {
                let first = calls.first().map(id).unwrap_or_default();
                let error = json!({ "code": -32_600, "message": "batch too large" });
                Reply::json(200, &json!([{ "jsonrpc": "2.0", "id": first, "error": error }]))
            }
            Self::Page => Reply::new(200, "text/html", "<html><body>Request blocked</body></html>"),
            Self::Text => Reply::json(200, &json!({ "error": "request blocked" })),
            Self::Closed => Reply::default(),
        }
    }
}
