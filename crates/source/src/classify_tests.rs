use std::time::Duration;

use saldo_reading::Failure;
use serde_json::{Value, json};

use super::{Refusal, Row, TABLE, refusal, without_reply};
use crate::transport::Response;

const METHOD: &str = "eth_getProof";

fn response(status: u16) -> Response {
    Response { status, headers: Vec::new(), body: Vec::new() }
}

fn class(status: u16, code: i64, message: &str) -> Failure {
    refusal(&Refusal { code, message, data: &Value::Null }, &response(status), METHOD)
}

/// The errors that clients and providers are known to send, and the class of each.
fn known() -> Vec<(i64, &'static str, Failure)> {
    let limited = Failure::RateLimited { retry_after: None };
    let denied = Failure::Denied { status: 200 };
    let unserved = Failure::NotServed { method: METHOD };
    let of = |failure: &Failure, said: &[(i64, &'static str)]| -> Vec<(i64, &'static str, Failure)> {
        said.iter().map(|(code, message)| (*code, *message, failure.clone())).collect()
    };
    [
        of(
            &Failure::QuotaExhausted,
            &[
                (402, "payment required"),
                (-33000, ""),
                (-32005, "daily credit limit reached"),
                (-32005, "daily request count exceeded, request rate limited"),
                (429, "Monthly capacity limit exceeded. Visit the dashboard to upgrade"),
                (-32000, "Quota exceeded for this key"),
                (-32003, "credits exhausted"),
                (-32003, "you are out of credits"),
                (-32003, "daily request limit reached"),
                (-32005, "Daily limit reached for this endpoint"),
                (-32000, "monthly limit reached"),
                (-32000, "You exceeded the monthly quota"),
                (-32000, "quota was reached"),
                (-32001, "please upgrade your plan"),
            ],
        ),
        of(
            &limited,
            &[
                (429, "Your app has exceeded its capacity"),
                (-32005, "project ID request rate exceeded"),
                (-32007, "50/second request limit reached"),
                (-32029, "slow down"),
                (-32090, "retry later"),
                (-32016, "over rate limit"),
                (-32000, "rate-limited"),
                (-32000, "Too Many Requests"),
                (-32000, "request limit reached"),
                (-32000, "limit exceeded"),
                (-32000, "request rate exceeded"),
                (-32000, "exceeded its compute units per second capacity"),
                (-32000, "exceeded its concurrent requests capacity"),
            ],
        ),
        of(
            &Failure::ProofWindowMissed,
            &[
                (-32602, "distance to target block exceeds maximum proof window"),
                (-32000, "requested block is too old, block must be within 1000 blocks of the head"),
                (-32000, "missing trie node 0xabc (path ) state 0xdef is not available"),
                (-32000, "missing trie node 0xabc"),
                (-32000, "required historical state unavailable (reexec=128)"),
                (-32000, "No state available for block 0x1"),
                (-32000, "state 0xabc is not available"),
                (-32000, "state at block #12 not found"),
                (-32000, "history has been pruned for this block"),
                (-32000, "this request needs an archive node"),
            ],
        ),
        of(
            &denied,
            &[
                (-32049, "API key is missing"),
                (-32051, "the api-key is disabled"),
                (-32002, "invalid project id"),
                (-32016, "Unauthorized"),
                (-32052, "chain is not allowed for this token"),
                (-32000, "Must be authenticated!"),
                (-32000, "invalid host specified"),
                (-32000, "access denied"),
                (-32000, "Forbidden"),
                (-32000, "invalid token"),
            ],
        ),
        of(
            &unserved,
            &[
                (-32601, "no such thing"),
                (-32004, "Method eth_getProof is not supported"),
                (-32701, "see the allow list"),
                (-32600, "rpc method is not whitelisted"),
                (-32000, "Method not found"),
                (-32000, "the method eth_getProof does not exist/is not available"),
                (-32000, "method eth_getProof is not available on the free plan"),
                (-32000, "method disabled"),
                (-32000, "not supported"),
                (-32000, "unsupported method: eth_getProof"),
            ],
        ),
        of(
            &Failure::NotSynced,
            &[
                (-32000, "header not found"),
                (-32000, "header for hash not found"),
                (-32000, "unknown block"),
                (-32000, "block not found: 0x1"),
                (-32001, "Resource not found"),
                (-32000, "could not find block"),
                (-32602, "specified block greater than current height"),
                (-32602, "BlockOutOfRangeError: block height is 3 but requested was 16777215"),
                (-32000, "Received invalid block tag 16777215. Latest block number is 3"),
            ],
        ),
        [
            (-32046, "Cannot fulfill request"),
            (-32055, "no nodes"),
            (-32056, "proxy error"),
            (-32057, "node's status"),
            (-32059, "failed to dial"),
            (-32071, "timeout"),
            (-32000, "cannot fulfill request"),
            (-32000, "no nodes available"),
            (-32000, "no healthy upstream"),
            (-32000, "service unavailable"),
            (-32000, "bad gateway"),
            (-32000, "gateway timeout"),
        ]
        .into_iter()
        .map(|(code, message)| (code, message, Failure::OutOfService { code }))
        .collect(),
        [
            (-32603, "internal error"),
            (-32000, "root hash mismatch witnessTrieRootHash"),
            (-32602, "odd number of digits"),
        ]
        .into_iter()
        .map(|(code, message)| (code, message, Failure::Rpc { code }))
        .collect(),
    ]
    .concat()
}

#[test]
fn known_errors_have_their_class() {
    for (code, message, failure) in known() {
        assert_eq!(class(200, code, message), failure, "{code} {message}");
    }
}

/// Each entry of the table is the first that fits one of the known errors.
#[test]
fn every_entry_of_the_table_is_tested() {
    let known = known();
    let first = |code: i64, message: &str| {
        let message = message.to_ascii_lowercase();
        TABLE.iter().position(|row| row.fits(code, &message))
    };
    for (position, row) in TABLE.iter().enumerate() {
        for code in row.codes {
            let only = [Row { codes: std::slice::from_ref(code), texts: &[], class: row.class }];
            let is_case = |(said, message, _): &&(i64, &str, Failure)| {
                only[0].fits(*said, &message.to_ascii_lowercase()) && first(*said, message) == Some(position)
            };
            assert!(known.iter().any(|case| is_case(&case)), "{code}");
        }
        for text in row.texts {
            let is_case = |(code, message, _): &&(i64, &str, Failure)| {
                let message = message.to_ascii_lowercase();
                text.iter().all(|part| message.contains(part)) && first(*code, &message) == Some(position)
            };
            assert!(known.iter().any(|case| is_case(&case)), "{text:?}");
        }
    }
}

#[test]
fn the_status_decides_if_the_text_does_not() {
    assert_eq!(class(402, -32000, "sorry"), Failure::QuotaExhausted);
    assert_eq!(class(429, -32601, "method not found"), Failure::RateLimited { retry_after: None });
    assert_eq!(class(429, 429, "Monthly capacity limit exceeded"), Failure::QuotaExhausted);
    assert_eq!(class(403, -32000, "unauthorized"), Failure::Denied { status: 403 });
}

/// The text may say that the method, the block or the state is missing: it is missing to this key.
#[test]
fn a_denied_access_is_denied_whatever_is_said_to_be_missing() {
    for status in [401, 403] {
        for (code, message, failure) in known() {
            let is_limit = matches!(failure, Failure::QuotaExhausted | Failure::RateLimited { .. });
            let expected = if is_limit { failure } else { Failure::Denied { status } };
            assert_eq!(class(status, code, message), expected, "{status} {code} {message}");
        }
        assert_eq!(class(status, -32601, "method not whitelisted"), Failure::Denied { status });
        assert_eq!(class(status, 0, ""), Failure::Denied { status });
    }
    // JSON-RPC has one path, so 404 says something about the URL; but some gateways send it with errors of single calls.
    assert_eq!(class(404, -32601, "method not found"), Failure::NotServed { method: METHOD });
    assert_eq!(class(404, -32000, "no such project"), Failure::Denied { status: 404 });
}

#[test]
fn the_time_to_wait_is_read_from_the_error_too() {
    let data = json!({ "see": "the documentation", "backoff_seconds": 30.0 });
    let error = Refusal { code: -32005, message: "project ID request rate exceeded", data: &data };
    let expected = Failure::RateLimited { retry_after: Some(Duration::from_secs(30)) };
    assert_eq!(refusal(&error, &response(200), METHOD), expected);
}

#[test]
fn without_a_reply_in_the_body_the_status_decides() {
    for (status, failure) in [
        (200, Failure::Malformed { what: "not a JSON-RPC reply" }),
        (401, Failure::Denied { status: 401 }),
        (402, Failure::QuotaExhausted),
        (403, Failure::Denied { status: 403 }),
        (404, Failure::Denied { status: 404 }),
        (405, Failure::NotServed { method: METHOD }),
        (418, Failure::Http { status: 418 }),
        (429, Failure::RateLimited { retry_after: None }),
        (511, Failure::WebPage),
        (503, Failure::Http { status: 503 }),
    ] {
        assert_eq!(without_reply(&response(status), METHOD), failure, "{status}");
    }
}

/// The sign-in page of a hotel's network answers every request.
#[test]
fn a_web_page_is_recognised() {
    let answered = |kind: &str, body: &str| {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        without_reply(&Response { status: 200, headers, body: body.as_bytes().to_vec() }, METHOD)
    };
    for (kind, page) in [("", "<html>"), ("", " \n<!DOCTYPE HTML>"), ("text/html; charset=utf-8", "Welcome")]
    {
        assert_eq!(answered(kind, page), Failure::WebPage, "{page}");
    }
    for (kind, other) in [("", ""), ("", "hello"), ("", "\"<html>\""), ("application/octet-stream", "<")] {
        assert_eq!(answered(kind, other), Failure::Malformed { what: "not a JSON-RPC reply" }, "{other}");
    }
}
