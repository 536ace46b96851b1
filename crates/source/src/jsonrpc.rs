//! One JSON-RPC call: own ids, strict replies, and every error put into a class.

use std::time::Duration;

use saldo_reading::Failure;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::network::{Network, retry_after};
use crate::transport::{Method, Request, Response};

/// Calls `method` and gives the reply's `result` as it stands.
///
/// # Errors
/// A [`Failure`] that says why there is no result. Whatever the HTTP status, the body is read first.
pub(crate) async fn call(
    network: &Network,
    endpoint: &Endpoint,
    method: &'static str,
    params: Value,
    timeout: Duration,
    max_bytes: usize,
) -> Result<Box<RawValue>, Failure> {
    let id = network.fresh_id();
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let request = Request {
        method: Method::Post,
        url: endpoint.url().clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json".to_owned()),
        ],
        body: body.to_string().into_bytes(),
        timeout,
        max_bytes,
    };
    let response = network.exchange(request).await?;
    read(&response, id, method)
}

#[derive(Deserialize)]
struct Reply {
    jsonrpc: String,
    id: Value,
    // Kept apart from `null`, which some clients send for a block they do not have.
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    code: i64,
    #[serde(default)]
    message: String,
}

fn read(response: &Response, id: u64, method: &'static str) -> Result<Box<RawValue>, Failure> {
    let Ok(reply) = serde_json::from_slice::<Reply>(&response.body) else {
        return Err(without_reply(response, method));
    };
    if reply.jsonrpc != "2.0" {
        return Err(Failure::Malformed { what: "not JSON-RPC 2.0" });
    }
    if let (Some(error), None) = (&reply.error, &reply.result) {
        // Errors about the request as a whole may carry no id.
        return match (reply.id == json!(id), reply.id.is_null()) {
            (false, false) => Err(Failure::Malformed { what: "another request's id" }),
            _ => Err(classify(error, response, method)),
        };
    }
    if reply.id != json!(id) {
        return Err(Failure::Malformed { what: "another request's id" });
    }
    match (reply.result, reply.error) {
        (Some(_), Some(_)) => Err(Failure::Malformed { what: "both a result and an error" }),
        (Some(result), None) => Ok(result),
        (None, _) => Err(Failure::NoResult),
    }
}

/// The class of a response whose body is no JSON-RPC reply.
fn without_reply(response: &Response, method: &'static str) -> Failure {
    match response.status {
        429 => Failure::RateLimited { retry_after: retry_after(response) },
        402 => Failure::QuotaExhausted,
        status @ (401 | 403) => Failure::Denied { status },
        404 | 405 => Failure::NotServed { method },
        200..=299 => Failure::Malformed { what: "not a JSON-RPC reply" },
        status => Failure::Http { status },
    }
}

/// The class of an error object: by code where the code is telling, else by what the known clients and providers say.
fn classify(error: &RpcError, response: &Response, method: &'static str) -> Failure {
    let message = error.message.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    if response.status == 402
        || says(&["daily credit", "daily request count", "quota exceeded", "credits exhausted"])
    {
        return Failure::QuotaExhausted;
    }
    let limited = matches!(error.code, 429 | -32005 | -32007) || (error.code == -32016 && says(&["rate"]));
    if response.status == 429 || limited || says(&["rate limit", "too many requests"]) {
        return Failure::RateLimited { retry_after: retry_after(response) };
    }
    if says(&[
        "maximum proof window",
        "requested block is too old",
        "missing trie node",
        "historical state",
        "no state available",
        "pruned",
    ]) || (says(&["state"]) && says(&["is not available"]))
    {
        return Failure::ProofWindowMissed;
    }
    let unserved =
        ["not whitelisted", "method not found", "not supported", "does not exist/is not available"];
    if error.code == -32601 || error.code == -32004 || says(&unserved) {
        return Failure::NotServed { method };
    }
    if says(&[
        "header not found",
        "unknown block",
        "block not found",
        "resource not found",
        "greater than current height",
    ]) {
        return Failure::NotSynced;
    }
    Failure::Rpc { code: error.code }
}

#[cfg(test)]
#[path = "jsonrpc_tests.rs"]
mod tests;
