//! JSON-RPC calls, alone or as a batch: fresh ids, strict replies, and a class for every error.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use saldo_reading::Failure;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::classify::{Refusal, refusal, without_reply};
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::transport::{Method, Request, Response, TransportError};

/// One call.
pub(crate) struct Call {
    method: &'static str,
    params: Box<RawValue>,
    /// The largest reply, in bytes.
    max_bytes: usize,
}

impl Call {
    /// A call with these parameters, which are a list, and a reply of at most `max_bytes`.
    pub(crate) fn new(method: &'static str, params: &impl Serialize, max_bytes: usize) -> Self {
        let params = to_raw_value(params).expect("text, numbers and lists of them can be written");
        Self { method, params, max_bytes }
    }
}

/// Makes one call; returns the reply's `result` as it came.
///
/// # Errors
/// A [`Failure`] that says why there is no result. The body is read first, whatever the HTTP status is.
pub(crate) async fn call(
    io: &Io,
    endpoint: &Endpoint,
    call: Call,
    timeout: Duration,
) -> Result<Box<RawValue>, Failure> {
    let id = io.fresh_id();
    let request = post(endpoint, &Body::of(&call, id), timeout, call.max_bytes);
    let response = io.exchange(request).await?;
    read(&response, id, call.method)
}

/// Makes all `calls` in one HTTP request; returns their results in the same order.
///
/// # Errors
/// The [`Failure`] of the whole request. If it [`is_about_batches`], the calls may succeed one by one.
pub(crate) async fn batch(
    io: &Io,
    endpoint: &Endpoint,
    calls: &[Call],
    timeout: Duration,
) -> Result<Vec<Result<Box<RawValue>, Failure>>, Failure> {
    let named: Vec<(u64, &Call)> = calls.iter().map(|call| (io.fresh_id(), call)).collect();
    let bodies: Vec<Body<'_>> = named.iter().map(|(id, call)| Body::of(call, *id)).collect();
    let max_bytes = calls.iter().fold(0_usize, |sum, call| sum.saturating_add(call.max_bytes));
    let response = io.exchange(post(endpoint, &bodies, timeout, max_bytes)).await?;
    let expected: Vec<(u64, &'static str)> = named.iter().map(|(id, call)| (*id, call.method)).collect();
    let results = read_batch(&response, &expected)?;
    // The batch may be as large as all its calls together, but each result only as large as its own call allows.
    let within = |(result, call): (Result<Box<RawValue>, Failure>, &Call)| {
        result.and_then(|result| match result.get().len() > call.max_bytes {
            true => Err(TransportError::TooLarge { limit: call.max_bytes }.into()),
            false => Ok(result),
        })
    };
    Ok(results.into_iter().zip(calls).map(within).collect())
}

/// Whether the provider may have failed because the request was a batch: it answered, but without results.
pub(crate) fn is_about_batches(failure: &Failure) -> bool {
    match failure {
        Failure::Rpc { .. } | Failure::NotServed { .. } | Failure::Malformed { .. } => true,
        Failure::Http { status } => matches!(status, 400 | 413 | 415 | 422 | 500 | 501),
        _ => false,
    }
}

/// One call as it is sent.
#[derive(Serialize)]
struct Body<'a> {
    jsonrpc: &'static str,
    id: u64,
    method: &'static str,
    params: &'a RawValue,
}

impl<'a> Body<'a> {
    fn of(call: &'a Call, id: u64) -> Self {
        Self { jsonrpc: "2.0", id, method: call.method, params: &call.params }
    }
}

fn post(endpoint: &Endpoint, body: &impl Serialize, timeout: Duration, max_bytes: usize) -> Request {
    Request {
        method: Method::Post,
        url: endpoint.url().clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json".to_owned()),
        ],
        body: serde_json::to_vec(body).expect("text, numbers and lists of them can be written"),
        timeout,
        max_bytes,
    }
}

#[derive(Deserialize)]
struct Reply {
    jsonrpc: String,
    id: Value,
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
    #[serde(default)]
    data: Value,
}

fn read(response: &Response, id: u64, method: &'static str) -> Result<Box<RawValue>, Failure> {
    let Some(reply) = object(&response.body) else {
        return Err(without_reply(response, method));
    };
    take(reply, response, id, method)
}

fn object(text: &[u8]) -> Option<Reply> {
    serde_json::from_slice(text).ok().map(|Object(reply)| reply)
}

/// A reply that is an object: the derived reader would also take a list of its members.
struct Object(Reply);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON-RPC reply")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object, A::Error> {
                Reply::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The results of a batch for the `expected` calls, in their order. Replies may come in any order.
fn read_batch(
    response: &Response,
    expected: &[(u64, &'static str)],
) -> Result<Vec<Result<Box<RawValue>, Failure>>, Failure> {
    const WHOLE: &str = "JSON-RPC batches";
    let Some(elements) = elements(&response.body) else {
        let Some(reply) = object(&response.body) else {
            return Err(without_reply(response, WHOLE));
        };
        // One object instead of a list: its error is the error of all calls.
        return Err(match reply.error {
            Some(error) => classify(&error, response, WHOLE),
            None => Failure::Malformed { what: "one reply to several calls" },
        });
    };
    let mut replies: BTreeMap<u64, Vec<Reply>> = expected.iter().map(|(id, _)| (*id, Vec::new())).collect();
    let mut has_foreign_ids = false;
    for reply in elements {
        let known = reply.and_then(|reply| Some((replies.get_mut(&reply.id.as_u64()?)?, reply)));
        match known {
            Some((same_id, reply)) => same_id.push(reply),
            None => has_foreign_ids = true,
        }
    }
    let absent = if has_foreign_ids { "another request's id" } else { "no reply to one of several calls" };
    let each = expected.iter().map(|(id, method)| {
        let mut of_id = replies.remove(id).unwrap_or_default();
        match (of_id.pop(), of_id.is_empty()) {
            (Some(reply), true) => take(reply, response, *id, method),
            // It is unknown which of the two is the reply.
            (Some(_), false) => Err(Failure::Malformed { what: "two replies to one call" }),
            (None, _) => Err(Failure::Malformed { what: absent }),
        }
    });
    Ok(each.collect())
}

/// The elements of a list, with `None` for each that is not a reply. If all are, which is usual, the body is read once.
fn elements(body: &[u8]) -> Option<Vec<Option<Reply>>> {
    if let Ok(replies) = serde_json::from_slice::<Vec<Object>>(body) {
        return Some(replies.into_iter().map(|Object(reply)| Some(reply)).collect());
    }
    let elements = serde_json::from_slice::<Vec<&RawValue>>(body).ok()?;
    Some(elements.into_iter().map(|element| object(element.get().as_bytes())).collect())
}

fn take(reply: Reply, response: &Response, id: u64, method: &'static str) -> Result<Box<RawValue>, Failure> {
    if reply.jsonrpc != "2.0" {
        return Err(Failure::Malformed { what: "not JSON-RPC 2.0" });
    }
    if let (Some(error), None) = (&reply.error, &reply.result) {
        // An error about the whole request may have no id.
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

/// The class of an error object.
fn classify(error: &RpcError, response: &Response, method: &'static str) -> Failure {
    let RpcError { code, message, data } = error;
    refusal(&Refusal { code: *code, message, data }, response, method)
}

#[cfg(test)]
#[path = "jsonrpc_tests.rs"]
mod tests;
