//! `saldo serve` takes requests as JSON-RPC 2.0 has them, over HTTP: batches, ids, notifications, errors, and strict parameters.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use testbed::served::Served;
use testbed::{ALICE, Services};

/// The examples of the specification (section 7), as far as the methods are here, and more of their kind.
#[test]
fn errors_and_batches_are_those_of_the_specification() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let id = |reply: &Value| (reply["id"].clone(), reply["error"]["code"].clone());
    let one = |body: &str| id(&served.post(body).json());
    assert_eq!(
        one(r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#),
        (Value::Null, json!(-32_700))
    );
    assert_eq!(one(r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#), (Value::Null, json!(-32_600)));
    assert_eq!(one("[]"), (Value::Null, json!(-32_600)));
    assert_eq!(one(r#"[{"jsonrpc": "2.0", "id": 1"#), (Value::Null, json!(-32_700)));
    assert_eq!(one(r#"{"jsonrpc":"2.0","id":"x","method":"foobar"}"#), (json!("x"), json!(-32_601)));
    let batch = served.post("[1,2,3]").json();
    assert_eq!(
        batch.as_array().unwrap().iter().map(id).collect::<Vec<_>>(),
        vec![(Value::Null, json!(-32_600)); 3]
    );

    let batch = served
        .post(
            r#"[{"jsonrpc":"2.0","id":"1","method":"eth_accounts"},
                {"jsonrpc":"2.0","method":"eth_accounts","params":[7]},
                {"jsonrpc":"2.0","id":2.50,"method":"net_version","params":[]},
                {"foo":"boo"},
                {"jsonrpc":"2.0","id":null,"method":"foobar"},
                {"jsonrpc":"2.0","id":"9","method":"eth_accounts","params":{"name":1}}]"#,
        )
        .body;
    assert!(batch.contains(r#""id":2.50,"#), "the id is as it came: {batch}");
    let batch: Vec<Value> = serde_json::from_str(&batch).unwrap();
    let ids: Vec<(Value, Value)> = batch.iter().map(id).collect();
    let expected = [
        (json!("1"), Value::Null),
        (json!(2.5), Value::Null),
        (Value::Null, json!(-32_600)),
        (Value::Null, json!(-32_601)),
        (json!("9"), json!(-32_602)),
    ];
    assert_eq!(ids, expected);

    // Notifications have no answer, alone and together.
    for body in [
        r#"{"jsonrpc":"2.0","method":"eth_accounts"}"#,
        r#"[{"jsonrpc":"2.0","method":"eth_accounts"},{"jsonrpc":"2.0","method":"foobar"}]"#,
    ] {
        let reply = served.post(body);
        assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{body}");
    }
    let large = vec![json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_accounts" }); 101];
    assert_eq!(one(&json!(large).to_string()), (Value::Null, json!(-32_600)));
    let most = json!(large[..100]).to_string();
    assert_eq!(served.post(&most).json().as_array().unwrap().len(), 100);
}

#[test]
fn parameters_are_read_strictly() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    for (method, params) in [
        ("eth_getBalance", json!([])),
        ("eth_getBalance", json!([null, "latest"])),
        ("eth_getBalance", json!(["0x12", "latest"])),
        ("eth_getBalance", json!([1, "latest"])),
        ("eth_getBalance", json!([ALICE, "0x01"])),
        ("eth_getBalance", json!([ALICE, "0X1"])),
        ("eth_getBalance", json!([ALICE, "1"])),
        ("eth_getBalance", json!([ALICE, 1])),
        ("eth_getBalance", json!([ALICE, "newest"])),
        ("eth_getBalance", json!([ALICE, {}])),
        ("eth_getBalance", json!([ALICE, { "blockNumber": "0x1", "blockHash": "0x1" }])),
        ("eth_getBalance", json!([ALICE, "latest", 1])),
        ("eth_getBalance", json!({ "address": ALICE })),
        ("eth_getStorageAt", json!([ALICE, "latest"])),
        ("eth_getStorageAt", json!([ALICE, "0x"])),
        ("eth_getStorageAt", json!([ALICE, format!("0x{}", "0".repeat(65))])),
        ("eth_getProof", json!([ALICE, "0x0", "latest"])),
        ("eth_getProof", json!([ALICE, vec!["0x0"; 257], "latest"])),
        ("eth_getBlockByNumber", json!([null, false])),
        ("eth_getBlockByNumber", json!([format!("0x{}", "1".repeat(64)), false])),
        ("eth_getBlockByNumber", json!(["latest", "false"])),
        ("eth_getBlockByHash", json!(["latest", false])),
        ("eth_blockNumber", json!([1])),
        ("eth_call", json!([])),
        ("eth_call", json!(["0x"])),
        ("eth_call", json!([{ "to": ALICE, "data": "0x1" }])),
        ("eth_call", json!([{ "to": ALICE, "data": "0x12", "input": "0x34" }])),
        ("eth_call", json!([{ "to": ALICE, "value": "0x01" }])),
        ("eth_call", json!([{ "to": ALICE, "gas": 21_000 }])),
        ("saldo_reading", json!(["alice"])),
    ] {
        let error = served.error(method, &params);
        assert_eq!(error["code"], -32_602, "{method}{params}: {error}");
    }
}

#[test]
fn connections_are_kept_and_http_is_exact() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_accounts"}"#;
    // Several requests on one connection, and two at once.
    let mut stream = TcpStream::connect(served.address).unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..2 {
        stream.write_all(request.repeat(2).as_bytes()).unwrap();
        let mut got = String::new();
        while got.matches(r#""result":[]"#).count() < 2 {
            let mut bytes = [0; 4_096];
            let read = stream.read(&mut bytes).unwrap();
            assert!(read > 0, "the connection is kept: {got}");
            got.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
    }
    let head = |method: &str, path: &str, kind: &str| {
        format!("{method} {path} HTTP/1.1\nhost: localhost\nconnection: close\ncontent-type: {kind}")
    };
    let status = |head: String| served.raw(&head, body.as_bytes()).status;
    assert_eq!(status(head("POST", "/", "application/json")), 200);
    assert_eq!(status(head("POST", "/", "text/plain")), 415);
    assert_eq!(status(head("GET", "/", "application/json")), 405);
    assert_eq!(status(head("PUT", "/", "application/json")), 405);
    assert_eq!(status(head("POST", "/elsewhere", "application/json")), 404);
    assert_eq!(served.post(body).header("content-type"), Some("application/json"));
}

#[test]
fn http_2_is_spoken_too() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_accounts"}"#;
    let url = |host: &str| format!("http://{host}/");
    let ask = async |host: &str| {
        let stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let request = http::Request::post(url(host)).header("content-type", "application/json");
        let (response, mut sending) = client.send_request(request.body(()).unwrap(), false).unwrap();
        sending.send_data(body.into(), true).unwrap();
        let response = response.await.unwrap();
        let status = response.status().as_u16();
        let data = response.into_body().data().await.unwrap().unwrap();
        connection.abort();
        (status, String::from_utf8(data.to_vec()).unwrap())
    };
    testbed::test_chain().runtime().block_on(async {
        let (status, answer) = ask(&served.address.to_string()).await;
        assert_eq!((status, answer.as_str()), (200, r#"{"jsonrpc":"2.0","id":1,"result":[]}"#));
        assert_eq!(ask("evil.example").await.0, 403);
    });
}
