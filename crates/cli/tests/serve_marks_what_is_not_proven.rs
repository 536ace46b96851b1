//! With `--pass-through` one provider is asked what cannot be proven, and each such answer names it. Nothing that can be proven is asked
//! without proof.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use saldo_drill::Fault;
use serde_json::{Value, json};

use testbed::served::{Served, serve};
use testbed::{ALICE, Services, run, test_chain};

fn body(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

#[test]
fn the_provider_is_named_in_each_answer_that_is_its_word() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &["--pass-through", "bert"]);
    served.result("eth_blockNumber", &json!([]));
    let passed = Fault::Result(json!("0x3b9aca00"));
    services.providers[1].set(passed);
    for (method, params) in [
        ("eth_gasPrice", json!([])),
        ("eth_sendRawTransaction", json!(["0x00"])),
        ("eth_getTransactionCount", json!([ALICE, "pending"])),
        ("eth_getLogs", json!([{}])),
        ("eth_unheardOf", json!([1, { "a": "b" }])),
        ("eth_call", json!([{ "to": ALICE }, "latest", {}])),
    ] {
        let reply = served.post(&body(method, &params));
        assert_eq!(reply.header("saldo-unproven"), Some("bert"), "{method}: {reply:?}");
        let expected = json!({ "jsonrpc": "2.0", "id": 1, "result": "0x3b9aca00", "saldo_unproven": "bert" });
        assert_eq!(reply.json(), expected);
    }
    // Its own error is passed on.
    services.providers[1].set(Fault::Error { code: -32_000, message: "nonce too low".to_owned() });
    let reply = served.post(&body("eth_sendRawTransaction", &json!(["0x00"])));
    assert_eq!(reply.json()["error"], json!({ "code": -32_000, "message": "nonce too low" }));
    assert_eq!(reply.header("saldo-unproven"), Some("bert"));

    // A batch names it too, in the answers that are its word.
    let batch = format!("[{},{}]", body("eth_gasPrice", &json!([])), body("eth_accounts", &json!([])));
    let reply = served.post(&batch);
    assert_eq!(reply.header("saldo-unproven"), Some("bert"));
    let answers = reply.json();
    assert_eq!((&answers[0]["saldo_unproven"], answers[1].get("saldo_unproven")), (&json!("bert"), None));
}

#[test]
fn what_can_be_proven_is_proven_or_an_error() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &["--pass-through", "bert", "--timeout", "2s"]);
    let reply = served.post(&body("eth_getBalance", &json!([ALICE, "latest"])));
    assert_eq!(reply.header("saldo-unproven"), None);
    services.providers.iter().for_each(|provider| provider.set(Fault::TruncatedProof { nodes: 1 }));
    for block in [json!("latest"), json!("safe"), json!("0x0")] {
        let reply = served.post(&body("eth_getBalance", &json!([testbed::BOB, block])));
        assert!(reply.json().get("result").is_none(), "{block}: {reply:?}");
        assert_eq!(reply.header("saldo-unproven"), None);
    }
    // Methods that control a node, or sign with its keys, are never passed on.
    for method in
        ["admin_peers", "personal_sign", "eth_sign", "eth_sendTransaction", "debug_setHead", "eth_subscribe"]
    {
        let reply = served.post(&body(method, &json!([])));
        assert!(reply.json().get("result").is_none(), "{method}");
        assert_eq!(reply.header("saldo-unproven"), None);
    }
    let asked = services.providers[1].requests();
    assert!(!asked.contains_key("eth_sign") && !asked.contains_key("eth_getBalance"), "{asked:?}");
}

#[test]
fn a_provider_that_does_not_answer_is_an_error() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &["--pass-through", "bert"]);
    services.providers[1].set(Fault::Status(503));
    let reply = served.post(&body("eth_gasPrice", &json!([])));
    let error = &reply.json()["error"];
    assert_eq!((&error["code"], &error["data"]["provider"]), (&json!(-32_051), &json!("bert")), "{error}");
    let unknown = run(&mut serve(&services, &["--pass-through", "nobody"]));
    assert_eq!((unknown.status, &unknown.only()["error"]["code"]), (2, &json!("pass_through")));
}

/// Each network has a path of its own.
#[test]
fn several_networks_have_one_path_each() {
    let services = Services::new(1, 1);
    let mut table = test_chain().network().to_toml();
    let (rpc, beacon) = (&services.rpc_urls()[0], &services.beacon_urls()[0]);
    let bare = |text: &str| text.split_once('=').unwrap().1.to_owned();
    table = table.replacen(&format!("name = \"{}\"", test_chain().network().name()), "name = \"second\"", 1);
    table.push_str(&format!(
        "\n[[rpc]]\nname = \"own\"\nurl = \"{}\"\n\n[[beacon]]\nname = \"own\"\nurl = \"{}\"\n",
        bare(rpc),
        bare(beacon)
    ));
    let file = testbed::network_file(&table);
    let mut command = serve(&services, &["--also"]);
    let served = Served::start(command.arg(file), 2);
    assert!(served.lines[1]["url"].as_str().unwrap().ends_with("/second"), "{:?}", served.lines);
    for path in ["/", "/second", "/second/"] {
        let reply = served.post_with(path, "", &body("eth_accounts", &json!([])));
        assert_eq!(reply.json()["result"], json!([]), "{path}");
    }
    assert_eq!(served.post_with("/third", "", &body("eth_accounts", &json!([]))).status, 404);
}
