//! Requests as JSON-RPC 2.0 has them: one, or a batch.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::RpcError;

/// The most requests of one batch.
pub(crate) const MOST_OF_A_BATCH: usize = 100;

/// The most letters of an id.
const LONGEST_ID: usize = 256;

/// What a body asks.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    /// One request.
    One(Entry<'a>),
    /// At least one, in their order.
    Batch(Vec<Entry<'a>>),
}

/// One request of a body.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// The id as the caller wrote it; `None` for a notification, which has no answer. A request whose id cannot be read is answered
    /// with the id `null`.
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) call: Result<Call<'a>, RpcError>,
}

/// The method and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: String,
    pub(crate) params: Option<&'a RawValue>,
}

/// The members of a request. Members that JSON-RPC does not know are ignored.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
}

/// Reads a member that is there, `null` too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Incoming<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`RpcError`] for the whole body: it is not JSON, or the batch is empty or too large.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, RpcError> {
        let raw: &RawValue = serde_json::from_slice(body).map_err(|_| RpcError::parse())?;
        if !raw.get().starts_with('[') {
            return Ok(Self::One(Entry::read(raw)));
        }
        let batch: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| RpcError::parse())?;
        if batch.is_empty() {
            return Err(RpcError::invalid_request("the batch is empty"));
        }
        if batch.len() > MOST_OF_A_BATCH {
            let most = format!("the batch is too large, at most {MOST_OF_A_BATCH} requests are taken");
            return Err(RpcError::invalid_request(&most));
        }
        Ok(Self::Batch(batch.into_iter().map(Entry::read).collect()))
    }
}

impl<'a> Entry<'a> {
    fn read(raw: &'a RawValue) -> Self {
        let refused = |what| Self { id: Some(RawValue::NULL), call: Err(RpcError::invalid_request(what)) };
        let Ok(members) = serde_json::from_str::<Members<'_>>(raw.get()) else {
            return refused("not an object with members of their own names");
        };
        let Members { jsonrpc, id, method, params } = members;
        if id.is_some_and(|id| !is_id(id)) {
            return refused("the id must be a short text, a number or null");
        }
        // A request that is no request is no notification either.
        let with_id = |what| Self {
            id: Some(id.unwrap_or(RawValue::NULL)),
            call: Err(RpcError::invalid_request(what)),
        };
        if jsonrpc.is_none_or(|version| version.get() != "\"2.0\"") {
            return with_id("`jsonrpc` must be \"2.0\"");
        }
        let Some(method) = method.and_then(|method| serde_json::from_str::<String>(method.get()).ok()) else {
            return with_id("`method` must be a text");
        };
        if params.is_some_and(|params| !params.get().starts_with(['[', '{', 'n'])) {
            return with_id("`params` must be a list");
        }
        Self { id, call: Ok(Call { method, params }) }
    }
}

fn is_id(id: &RawValue) -> bool {
    let text = id.get();
    let is_of_a_type =
        text == "null" || text.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    is_of_a_type && text.len() <= LONGEST_ID
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The method and its parameters, or the code of the error.
    type Read = Result<(String, Option<String>), i64>;

    fn one(body: &str) -> (Option<String>, Read) {
        let Incoming::One(entry) = Incoming::read(body.as_bytes()).unwrap() else {
            panic!("a batch: {body}")
        };
        let raw = |raw: &RawValue| raw.get().to_owned();
        let call = entry.call.map(|call| (call.method, call.params.map(raw)));
        (entry.id.map(raw), call.map_err(|error| json!(error)["code"].as_i64().unwrap()))
    }

    #[test]
    fn ids_stay_as_they_came() {
        for id in ["1", "\"a\"", "null", "1.50", "-3", "18446744073709551616", "\"\\u0041\"", "\"\""] {
            let (got, call) = one(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#));
            assert_eq!((got.as_deref(), call), (Some(id), Ok(("m".to_owned(), None))));
        }
        let (id, call) = one(r#" {"jsonrpc":"2.0","method":"m","params":[1]} "#);
        assert_eq!((id, call), (None, Ok(("m".to_owned(), Some("[1]".to_owned())))));
    }

    #[test]
    fn what_is_no_request_is_refused_under_its_id() {
        let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"m"}}"#, "x".repeat(300));
        for (body, id) in [
            (r#"{"jsonrpc":"1.0","id":7,"method":"m"}"#, "7"),
            (r#"{"id":7,"method":"m"}"#, "7"),
            (r#"{"jsonrpc":"2.0","id":7}"#, "7"),
            (r#"{"jsonrpc":"2.0","id":7,"method":1}"#, "7"),
            (r#"{"jsonrpc":"2.0","id":7,"method":"m","params":1}"#, "7"),
            (r#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#, "null"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, "null"),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#, "null"),
            (r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, "null"),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#, "null"),
            (&long, "null"),
            ("1", "null"),
            ("null", "null"),
            ("\"\"", "null"),
        ] {
            let (got, call) = one(body);
            assert_eq!((got.as_deref(), call), (Some(id), Err(-32_600)), "{body}");
        }
    }

    #[test]
    fn bodies_are_read_whole_or_not_at_all() {
        let code = |body: &[u8]| json!(Incoming::read(body).unwrap_err())["code"].as_i64().unwrap();
        for body in [&b""[..], b"{", b"[1,", b"{} {}", b"\xff", b"[1 2]", br#"{"jsonrpc":"2.0""#] {
            assert_eq!(code(body), -32_700, "{body:?}");
        }
        assert_eq!(code(b"[]"), -32_600);
        let batch = |length| format!("[{}]", vec!["1"; length].join(","));
        assert_eq!(code(batch(MOST_OF_A_BATCH + 1).as_bytes()), -32_600);
        let body = batch(MOST_OF_A_BATCH);
        let Ok(Incoming::Batch(entries)) = Incoming::read(body.as_bytes()) else { panic!() };
        assert!(entries.len() == MOST_OF_A_BATCH && entries.iter().all(|entry| entry.call.is_err()));
        let deep = "[".repeat(100_000);
        assert_eq!(code(deep.as_bytes()), -32_700);
    }
}
