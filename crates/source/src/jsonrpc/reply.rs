//! One JSON-RPC reply. An error is read in any form that servers send; a result only in the form of the specification.
//!
//! Source: <https://www.jsonrpc.org/specification#response_object>

use std::fmt;

use saldo_reading::Failure;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::batch_refusal::{SizeLimit, size_limit};
use crate::classify::{Refusal, refusal, said, without_reply};
use crate::transport::Response;

/// A reply, as it came.
#[derive(Deserialize)]
pub(super) struct Reply {
    #[serde(default)]
    jsonrpc: Value,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Value>,
}

/// A failure, and what the reply says about the size of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallFailure {
    pub(crate) failure: Box<Failure>,
    /// What the error's text says about the size of the batch.
    pub(crate) size: Option<SizeLimit>,
    /// Whether it is a rate limit by its status or code, after which no more requests are sent.
    pub(crate) is_rate_limit: bool,
}

impl CallFailure {
    pub(super) fn malformed(what: &'static str) -> Self {
        Failure::Malformed { what }.into()
    }
}

impl From<Failure> for CallFailure {
    fn from(failure: Failure) -> Self {
        Self { failure: Box::new(failure), size: None, is_rate_limit: false }
    }
}

/// Reads one reply; `None` if the text is not a JSON object with its members.
pub(super) fn object(text: &[u8]) -> Option<Reply> {
    serde_json::from_slice(text).ok().map(|Object(reply)| reply)
}

/// The elements of a list, with `None` for each that is not a reply. If all are, which is usual, the body is read once.
pub(super) fn elements(body: &[u8]) -> Option<Vec<Option<Reply>>> {
    if let Ok(replies) = serde_json::from_slice::<Vec<Object>>(body) {
        return Some(replies.into_iter().map(|Object(reply)| Some(reply)).collect());
    }
    let elements = serde_json::from_slice::<Vec<&RawValue>>(body).ok()?;
    Some(elements.into_iter().map(|element| object(element.get().as_bytes())).collect())
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

impl Reply {
    /// Its id, if it is a number.
    pub(super) fn id(&self) -> Option<u64> {
        self.id.as_ref()?.as_u64()
    }

    /// Whether it has an id, which may be null.
    pub(super) fn has_id(&self) -> bool {
        self.id.is_some()
    }

    /// Whether it says why there is no result.
    pub(super) fn is_error(&self) -> bool {
        self.result.is_none() && self.error.is_some()
    }

    /// The failure of a reply that [is an error](Self::is_error), in answer to `calls` calls.
    pub(super) fn failure(&self, response: &Response, method: &'static str, calls: usize) -> CallFailure {
        let error = self.error.as_ref().unwrap_or(&Value::Null);
        let (code, message) = (code_of(error), message_of(error));
        let data = error.get("data").unwrap_or(&Value::Null);
        let failure = Box::new(refusal(&Refusal { code, message, data }, response, method));
        let size = if calls > 1 { size_limit(message, calls) } else { None };
        CallFailure {
            failure,
            size,
            is_rate_limit: size.is_none() && (response.status == 429 || code == 429),
        }
    }

    /// The result of the call `id`.
    pub(super) fn take(
        self,
        response: &Response,
        id: u64,
        method: &'static str,
        calls: usize,
    ) -> Result<Box<RawValue>, CallFailure> {
        if self.is_error() {
            // An error about the whole request may have no id, and the version may be missing.
            return match self.is_of(id) {
                true => Err(self.failure(response, method, calls)),
                false => Err(CallFailure::malformed("another request's id")),
            };
        }
        if !self.has_id() {
            return Err(unread(response, method, calls));
        }
        if self.jsonrpc != "2.0" {
            return Err(CallFailure::malformed("not JSON-RPC 2.0"));
        }
        if self.id() != Some(id) {
            return Err(CallFailure::malformed("another request's id"));
        }
        match (self.result, self.error) {
            (Some(_), Some(_)) => Err(CallFailure::malformed("both a result and an error")),
            (Some(result), None) => Ok(result),
            (None, _) => Err(Failure::NoResult.into()),
        }
    }

    /// Whether an error is about the call `id`, which it may name as a number, as text, or not at all.
    fn is_of(&self, id: u64) -> bool {
        match &self.id {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.parse() == Ok(id),
            Some(other) => other.as_u64() == Some(id),
        }
    }
}

/// The failure of a body that is not a JSON-RPC reply, in answer to `calls` calls.
pub(super) fn unread(response: &Response, method: &'static str, calls: usize) -> CallFailure {
    let size = if calls > 1 { size_limit(&said(response), calls) } else { None };
    let is_rate_limit = size.is_none() && response.status == 429;
    CallFailure { failure: Box::new(without_reply(response, method)), size, is_rate_limit }
}

/// A member that is there, also if it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The code of an error, also where it is text; 0 if there is none.
fn code_of(error: &Value) -> i64 {
    let code = error.get("code").or_else(|| error.get("status")).unwrap_or(&Value::Null);
    let number = code.as_i64().or_else(|| code.as_f64().and_then(whole));
    number.or_else(|| code.as_str()?.trim().parse().ok()).unwrap_or(0)
}

/// A number with a fraction of zero, for example `429.0`.
fn whole(number: f64) -> Option<i64> {
    format!("{number}").parse().ok()
}

/// The text of an error, wherever servers put it; empty if there is none.
fn message_of(error: &Value) -> &str {
    const PLACES: [&str; 5] = ["/message", "/error", "/detail", "/data/message", "/data"];
    let text = error.as_str().or_else(|| PLACES.iter().find_map(|place| error.pointer(place)?.as_str()));
    text.unwrap_or_default()
}
