//! The answers of five real clients, call by call, are put into the class that decides which provider is asked next.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Endpoint, Failure, Request, Response, Transport, TransportError};
use saldo_source::Io;
use saldo_source::execution::ask_method;
use saldo_tests::stopped_clock::{StoppedClock, now};
use serde_json::{Value, json};

/// Answers every request with the recorded reply, under the request's id.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Value>>);

impl Transport for Recorded {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, TransportError>> {
        let call: Value = serde_json::from_slice(&request.body).unwrap();
        let mut reply = self.0.lock().unwrap().clone();
        reply["id"] = call["id"].clone();
        let body = reply.to_string().into_bytes();
        async move { Ok(Response { status: 200, headers: Vec::new(), body }) }.boxed()
    }
}

/// The message of each client with a wording of its own, and its class.
fn class(message: &str) -> Failure {
    let unserved = Failure::NotServed { method: "recorded" };
    let (_, class) = [
        ("odd number of digits", Failure::Rpc { code: -32602 }),
        ("argument must be a string", Failure::Rpc { code: -32602 }),
        ("invalid value: string", Failure::Rpc { code: -32602 }),
        ("Cannot wrap a \"object\" as a json-rpc type", Failure::Rpc { code: -32700 }),
        ("Resource not found", Failure::NotSynced),
        ("BlockOutOfRangeError", Failure::NotSynced),
        ("specified block greater than current height", Failure::NotSynced),
        ("Received invalid block tag", Failure::NotSynced),
        ("header not found", Failure::NotSynced),
        ("Method not found", unserved.clone()),
        ("does not exist/is not available", unserved.clone()),
        ("is not supported", unserved),
    ]
    .into_iter()
    .find(|(said, _)| message.contains(said))
    .unwrap_or_else(|| panic!("unknown message: {message}"));
    class
}

#[test]
fn every_recorded_reply() {
    let mut counts = Vec::new();
    for client in ["anvil", "ejs-electra", "ethrex-electra", "ganache", "hardhat"] {
        let file = saldo_tests::data("captured").join(client).join("rpc_log.json");
        let log: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let (mut results, mut nothing, mut errors) = (0, 0, 0);
        for exchange in &log {
            let recorded = Recorded::default();
            *recorded.0.lock().unwrap() = exchange["response"].clone();
            let network = Io::new(Arc::new(recorded), Arc::new(StoppedClock));
            let endpoint: Endpoint = "http://recorded.test".parse().unwrap();
            let limit = 1 << 20;
            let second = Duration::from_secs(1);
            let got = now(ask_method(&network, &endpoint, "recorded", json!([]), limit, second));
            let response = &exchange["response"];
            match (response.get("error"), &response["result"]) {
                (Some(error), _) => {
                    errors += 1;
                    let message = error["message"].as_str().unwrap();
                    assert_eq!(got.unwrap_err(), class(message), "{client}: {message}");
                }
                (None, Value::Null) => {
                    nothing += 1;
                    assert_eq!(got.unwrap_err(), Failure::NoResult, "{client}");
                }
                (None, result) => {
                    results += 1;
                    assert_eq!(&serde_json::from_str::<Value>(got.unwrap().get()).unwrap(), result);
                }
            }
        }
        counts.push((client, results, nothing, errors));
    }
    let expected = [
        ("anvil", 31, 0, 3),
        ("ejs-electra", 28, 28, 6),
        ("ethrex-electra", 30, 13, 0),
        ("ganache", 28, 0, 6),
        ("hardhat", 29, 0, 5),
    ];
    assert_eq!(counts, expected);
}
