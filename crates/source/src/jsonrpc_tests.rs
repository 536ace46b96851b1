use std::time::Duration;

use saldo_reading::Failure;

use super::read;
use crate::transport::Response;

fn answer(status: u16, body: &str) -> Result<String, Failure> {
    let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    read(&response, 7, "eth_getProof").map(|result| result.get().to_owned())
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
    assert_eq!(read(&response, 7, "eth_getProof").unwrap_err(), expected);
}

#[test]
fn a_providers_text_is_not_shown() {
    let body = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no such path: /v3/SECRET"}}"#;
    let failure = answer(200, body).unwrap_err();
    assert!(!format!("{failure} {failure:?}").contains("SECRET"));
}
