//! Over a WebSocket `saldo serve` answers as over HTTP, and announces each new head that the committee signed.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, http};
use tokio_tungstenite::{WebSocketStream, client_async};

use testbed::served::{Served, number};
use testbed::{ALICE, Services, test_chain};

type Socket = WebSocketStream<TcpStream>;

async fn connect(served: &Served, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{}/", served.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(served.address).await.unwrap();
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(reply)) => Err(reply.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn send(socket: &mut Socket, id: u64, method: &str, params: Value) {
    let call = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    socket.send(Message::text(call.to_string())).await.unwrap();
}

/// The next message that is text; `None` if the connection ends.
async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match timeout(Duration::from_secs(30), socket.next()).await.expect("a message")?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

/// The answer to the call `id`.
async fn answer(socket: &mut Socket, id: u64) -> Value {
    loop {
        let message = next(socket).await.expect("it is connected");
        if message["id"] == id {
            return message;
        }
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    test_chain().runtime().block_on(future)
}

#[test]
fn new_heads_are_signed_and_whole() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &[]);
    served.result("eth_blockNumber", &json!([]));
    run(async {
        let mut socket = connect(&served, &[]).await.unwrap();
        send(&mut socket, 1, "eth_subscribe", json!(["newHeads"])).await;
        let id = answer(&mut socket, 1).await["result"].as_str().unwrap().to_owned();
        let mut last = 0;
        for _ in 0..3 {
            let message = next(&mut socket).await.unwrap();
            assert_eq!(message["method"], "eth_subscription", "{message}");
            assert_eq!(message["params"]["subscription"], id);
            let head = &message["params"]["result"];
            let block = test_chain().chain.block(number(&head["number"])).unwrap();
            assert_eq!(head["hash"], json!(block.hash));
            assert!(number(&head["number"]) > last && head.get("parentHash").is_some(), "{head}");
            last = number(&head["number"]);
            // A read that is pinned to it is answered at that block.
            send(&mut socket, 2, "eth_getBalance", json!([ALICE, head["number"]])).await;
            assert!(answer(&mut socket, 2).await.get("result").is_some());
        }
        send(&mut socket, 3, "eth_unsubscribe", json!([id])).await;
        assert_eq!(answer(&mut socket, 3).await["result"], true);
        send(&mut socket, 4, "eth_unsubscribe", json!([id])).await;
        assert_eq!(answer(&mut socket, 4).await["result"], false);
        let silence = timeout(Duration::from_secs(3), next(&mut socket)).await;
        assert!(silence.is_err(), "{silence:?}");
    });
}

#[test]
fn without_signed_heads_nothing_is_announced() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &["--timeout", "2s"]);
    served.result("eth_blockNumber", &json!([]));
    run(async {
        let mut socket = connect(&served, &[]).await.unwrap();
        send(&mut socket, 1, "eth_subscribe", json!(["newHeads"])).await;
        answer(&mut socket, 1).await;
        next(&mut socket).await.unwrap();
        services.sources.iter().for_each(|source| source.set(saldo_drill::Fault::Status(503)));
        tokio::time::sleep(Duration::from_secs(2)).await;
        while timeout(Duration::from_millis(10), next(&mut socket)).await.is_ok() {}
        let silence = timeout(Duration::from_secs(3), next(&mut socket)).await;
        assert!(silence.is_err(), "{silence:?}");
        services.sources.iter().for_each(saldo_drill::BeaconSource::clear);
        assert!(next(&mut socket).await.is_some());
    });
}

#[test]
fn messages_are_json_rpc_within_the_same_limits() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    served.result("eth_blockNumber", &json!([]));
    run(async {
        for refused in [("host", "evil.example"), ("origin", "https://evil.example")] {
            assert_eq!(connect(&served, &[refused]).await.err(), Some(http::StatusCode::FORBIDDEN.as_u16()));
        }
        let mut socket = connect(&served, &[]).await.unwrap();
        socket.send(Message::text("{")).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap()["error"]["code"], -32_700);
        let batch = json!([
            { "jsonrpc": "2.0", "id": 1, "method": "eth_accounts" },
            { "jsonrpc": "2.0", "method": "eth_accounts" },
            { "jsonrpc": "2.0", "id": 2, "method": "eth_getBalance", "params": [ALICE] },
        ]);
        socket.send(Message::text(batch.to_string())).await.unwrap();
        let answers = next(&mut socket).await.unwrap();
        let ids: Vec<&Value> = answers.as_array().unwrap().iter().map(|answer| &answer["id"]).collect();
        assert_eq!(ids, [&json!(1), &json!(2)]);
        send(&mut socket, 3, "eth_subscribe", json!(["logs", {}])).await;
        assert_eq!(answer(&mut socket, 3).await["error"]["code"], -32_004);
        for id in 10..26 {
            send(&mut socket, id, "eth_subscribe", json!(["newHeads"])).await;
            assert!(answer(&mut socket, id).await.get("result").is_some());
        }
        send(&mut socket, 26, "eth_subscribe", json!(["newHeads"])).await;
        assert_eq!(answer(&mut socket, 26).await["error"]["code"], -32_005);
        // A message that is too large ends the connection.
        let _ = socket.send(Message::text(" ".repeat((1 << 20) + 1))).await;
        while next(&mut socket).await.is_some() {}
        let mut socket = connect(&served, &[]).await.unwrap();
        // web3.py sends binary messages. They are read as text.
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_accounts" }).to_string();
        socket.send(Message::binary(call.into_bytes())).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap()["result"], json!([]));
        socket.send(Message::binary(vec![1])).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap()["error"]["code"], -32_700);
    });
}

#[test]
fn a_stop_closes_the_connection() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    run(async {
        let mut socket = connect(&served, &[]).await.unwrap();
        send(&mut socket, 1, "eth_accounts", json!([])).await;
        answer(&mut socket, 1).await;
        served.terminate();
        let closing = async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Ping(_))) => {}
                    other => break other,
                }
            }
        };
        let closed = timeout(Duration::from_secs(10), closing).await.unwrap();
        let Some(Ok(Message::Close(Some(frame)))) = closed else { panic!("{closed:?}") };
        assert_eq!(u16::from(frame.code), 1001, "{frame:?}");
    });
    assert_eq!(served.end().0, 0);
}
