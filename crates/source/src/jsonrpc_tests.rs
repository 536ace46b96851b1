use std::time::Duration;

use saldo_reading::Failure;

use super::read;
use crate::transport::Response;

fn answer(status: u16, body: &str) -> Result<String, Failure> {
    let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    let result = read(&response, 7, "eth_getProof");
    result.map(|result| result.get().to_owned()).map_err(|failed| *failed.failure)
}

fn malformed(what: &'static str) -> Result<String, Failure> {
    Err(Failure::Malformed { what })
}

#[test]
fn only_the_reply_to_this_request_counts() {
    assert_eq!(answer(200, r#"{"jsonrpc":"2.0","id":7,"result":{"a":1}}"#), Ok(r#"{"a":1}"#.to_owned()));
    for body in [
        r#"{"jsonrpc":"2.0","id":8,"result":1}"#,
        r#"{"jsonrpc":"2.0","id":"7","result":1}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":1}"#,
        r#"{"jsonrpc":"2.0","id":8,"error":{"code":-32000,"message":""}}"#,
    ] {
        assert_eq!(answer(200, body), malformed("another request's id"), "{body}");
    }
    for body in [
        "",
        "null",
        "\"0x\"",
        r#"{"jsonrpc":"2.0","result":1}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":1"#,
        r#"{"jsonrpc":"2.0","id":7,"result":1} {}"#,
        r#"[{"jsonrpc":"2.0","id":7,"result":1}]"#,
        r#"["2.0",7,1,null]"#,
        r#"{"jsonrpc":"2.0","id":7,"id":7,"result":1}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":1,"result":2}"#,
    ] {
        assert_eq!(answer(200, body), malformed("not a JSON-RPC reply"), "{body}");
    }
    assert_eq!(answer(200, r#"{"jsonrpc":"1.0","id":7,"result":1}"#), malformed("not JSON-RPC 2.0"));
    let both = r#"{"jsonrpc":"2.0","id":7,"result":1,"error":{"code":1}}"#;
    assert_eq!(answer(200, both), malformed("both a result and an error"));
    assert_eq!(answer(200, r#"{"jsonrpc":"2.0","id":7,"result":null}"#), Err(Failure::NoResult));
    assert_eq!(answer(200, r#"{"jsonrpc":"2.0","id":7}"#), Err(Failure::NoResult));
}

#[test]
fn the_body_is_read_whatever_the_status() {
    assert_eq!(answer(500, r#"{"jsonrpc":"2.0","id":7,"result":"0x1"}"#), Ok("\"0x1\"".to_owned()));
    assert_eq!(answer(500, "<html>"), Err(Failure::Http { status: 500 }));
    assert_eq!(answer(429, "slow down"), Err(Failure::RateLimited { retry_after: None }));
    assert_eq!(answer(402, ""), Err(Failure::QuotaExhausted));
}

#[test]
fn retry_after_is_read() {
    let headers = vec![("retry-after".to_owned(), "30".to_owned())];
    let response = Response { status: 429, headers, body: Vec::new() };
    let expected = Failure::RateLimited { retry_after: Some(Duration::from_secs(30)) };
    assert_eq!(read(&response, 7, "eth_getProof").unwrap_err().failure, Box::new(expected));
}

#[test]
fn a_providers_text_is_not_shown() {
    let body = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no such path: /v3/SECRET"}}"#;
    let failure = answer(200, body).unwrap_err();
    assert!(!format!("{failure} {failure:?}").contains("SECRET"));
}

/// An overloaded or misconfigured server answers in forms that no specification has. All of them are errors, and none is a
/// malformed result.
#[test]
fn an_error_is_read_in_any_form() {
    let limited = Failure::RateLimited { retry_after: None };
    for (status, body, failure) in [
        (200, r#"{"error":"too many requests, please try again later","id":7}"#, limited.clone()),
        (200, r#"{"error":"Too Many Requests"}"#, limited.clone()),
        (200, r#"{"jsonrpc":"2.0","id":"7","error":{"message":"rate limit exceeded"}}"#, limited.clone()),
        (200, r#"{"id":7,"error":{"code":"429","message":null}}"#, limited.clone()),
        (200, r#"{"id":7,"error":{"code":429.0}}"#, limited.clone()),
        (200, r#"{"error":{"detail":"rate limited"}}"#, limited),
        (200, r#"{"error":{"reason":"none"}}"#, Failure::Rpc { code: 0 }),
        (200, r#"{"jsonrpc":"2.0","id":7,"error":{}}"#, Failure::Rpc { code: 0 }),
        (200, r#"{"jsonrpc":"2.0","id":7,"error":[]}"#, Failure::Rpc { code: 0 }),
        (200, r#"{"jsonrpc":"2.0","id":7,"error":true,"result":null}"#, Failure::Rpc { code: 0 }),
        (200, r#"{"id":7,"error":{"code":-32603}}"#, Failure::Rpc { code: -32_603 }),
        (200, r#"{"id":7,"error":{"code":-32000,"message":["x"]}}"#, Failure::Rpc { code: -32_000 }),
        (200, r#"{"jsonrpc":"1.0","id":7,"error":"header not found"}"#, Failure::NotSynced),
        (401, r#"{"message":"No API key found in request"}"#, Failure::Denied { status: 401 }),
        (403, r#"{"error":{"code":-32000,"message":"sorry"}}"#, Failure::Denied { status: 403 }),
        (
            200,
            r#"{"error":{"code":-32003,"message":"daily request limit reached"}}"#,
            Failure::QuotaExhausted,
        ),
        (400, r#"{"message":"daily request limit reached"}"#, Failure::QuotaExhausted),
    ] {
        assert_eq!(answer(status, body), Err(failure), "{body}");
    }
}

#[test]
fn a_body_that_is_plain_text_is_an_error_too() {
    let limited = Failure::RateLimited { retry_after: None };
    for (status, body, failure) in [
        (200, "invalid host specified\n", Failure::Denied { status: 200 }),
        (200, "Too many requests", limited.clone()),
        (400, "too many requests", limited),
        (403, "invalid host specified\n", Failure::Denied { status: 403 }),
        (404, "404 page not found\n", Failure::Denied { status: 404 }),
        (404, "", Failure::Denied { status: 404 }),
        (500, "daily limit reached", Failure::QuotaExhausted),
        (501, "Not Implemented", Failure::Http { status: 501 }),
        (200, "", Failure::Malformed { what: "not a JSON-RPC reply" }),
        (200, "OK", Failure::Malformed { what: "not a JSON-RPC reply" }),
    ] {
        assert_eq!(answer(status, body), Err(failure), "{body}");
    }
}
