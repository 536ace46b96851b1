//! JSON-RPC calls, alone or as a batch: fresh ids, strict results, and a class for every error in any form.

mod batch_refusal;
mod reply;

use std::time::Duration;

use saldo_reading::Failure;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

pub(crate) use self::reply::CallFailure;
use self::reply::{Reply, elements, object, unread};
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::sorted::SortedMap;
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
    alone(io, endpoint, &call, timeout).await.map_err(|failed| *failed.failure)
}

/// [`call`], with all that a failure says.
pub(crate) async fn alone(
    io: &Io,
    endpoint: &Endpoint,
    call: &Call,
    timeout: Duration,
) -> Result<Box<RawValue>, CallFailure> {
    let id = io.fresh_id();
    let request = post(endpoint, &Body::of(call, id), timeout, call.max_bytes);
    let response = io.exchange(endpoint, request).await?;
    read(&response, id, call.method)
}

/// Makes all `calls` in one HTTP request; returns their results in the same order.
///
/// # Errors
/// The failure of the whole request. The calls may succeed one by one, or in a smaller batch.
pub(crate) async fn batch(
    io: &Io,
    endpoint: &Endpoint,
    calls: &[Call],
    timeout: Duration,
) -> Result<Vec<Result<Box<RawValue>, CallFailure>>, CallFailure> {
    let named: Vec<(u64, &Call)> = calls.iter().map(|call| (io.fresh_id(), call)).collect();
    let bodies: Vec<Body<'_>> = named.iter().map(|(id, call)| Body::of(call, *id)).collect();
    let max_bytes = calls.iter().fold(0_usize, |sum, call| sum.saturating_add(call.max_bytes));
    let response = io.exchange(endpoint, post(endpoint, &bodies, timeout, max_bytes)).await?;
    let expected: Vec<(u64, &'static str)> = named.iter().map(|(id, call)| (*id, call.method)).collect();
    let results = read_batch(&response, &expected)?;
    // The batch may be as large as all its calls together, but each result only as large as its own call allows.
    let within = |(result, call): (Result<Box<RawValue>, CallFailure>, &Call)| {
        result.and_then(|result| match result.get().len() > call.max_bytes {
            true => Err(Failure::from(TransportError::TooLarge { limit: call.max_bytes }).into()),
            false => Ok(result),
        })
    };
    Ok(results.into_iter().zip(calls).map(within).collect())
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

fn read(response: &Response, id: u64, method: &'static str) -> Result<Box<RawValue>, CallFailure> {
    match object(&response.body) {
        Some(reply) => reply.take(response, id, method, 1),
        None => Err(unread(response, method, 1)),
    }
}

/// The results of a batch for the `expected` calls, in their order. Replies may come in any order.
fn read_batch(
    response: &Response,
    expected: &[(u64, &'static str)],
) -> Result<Vec<Result<Box<RawValue>, CallFailure>>, CallFailure> {
    const WHOLE: &str = "JSON-RPC batches";
    let calls = expected.len();
    let Some(elements) = elements(&response.body) else {
        // One object instead of a list: its error is the error of all calls.
        return Err(match object(&response.body) {
            Some(reply) if reply.is_error() => reply.failure(response, WHOLE, calls),
            Some(reply) if reply.has_id() => CallFailure::malformed("one reply to several calls"),
            Some(_) | None => unread(response, WHOLE, calls),
        });
    };
    // geth answers a batch over its limit with a list of one error, under the first id. Others leave out the ids.
    if let Some(failure) = whole_failure(&elements, calls, response, WHOLE) {
        return Err(failure);
    }
    let mut replies: SortedMap<u64, Vec<Reply>> = expected.iter().map(|(id, _)| (*id, Vec::new())).collect();
    let mut has_foreign_ids = false;
    for reply in elements {
        let known = reply.and_then(|reply| Some((replies.get_mut(&reply.id()?)?, reply)));
        match known {
            Some((same_id, reply)) => same_id.push(reply),
            None => has_foreign_ids = true,
        }
    }
    let absent = if has_foreign_ids { "another request's id" } else { "no reply to one of several calls" };
    let each = expected.iter().map(|(id, method)| {
        let mut of_id = replies.remove(id).unwrap_or_default();
        match (of_id.pop(), of_id.is_empty()) {
            (Some(reply), true) => reply.take(response, *id, method, calls),
            // It is unknown which of the two is the reply.
            (Some(_), false) => Err(CallFailure::malformed("two replies to one call")),
            (None, _) => Err(CallFailure::malformed(absent)),
        }
    });
    Ok(each.collect())
}

/// The failure of a batch whose list has nothing but errors, and fewer of them than calls, or without ids.
fn whole_failure(
    elements: &[Option<Reply>],
    calls: usize,
    response: &Response,
    method: &'static str,
) -> Option<CallFailure> {
    let errors: Option<Vec<&Reply>> =
        elements.iter().map(|element| element.as_ref().filter(|reply| reply.is_error())).collect();
    let errors =
        errors.filter(|errors| errors.len() < calls || errors.iter().all(|error| error.id().is_none()));
    errors?.first().map(|first| first.failure(response, method, calls))
}

#[cfg(test)]
#[path = "jsonrpc_tests.rs"]
mod tests;
