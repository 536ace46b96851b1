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

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use saldo::{U256, UnixTime};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
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
/// Another network, in which the address holds 9 wei.
fn other_network() -> (Chain, [Server; 2], String) {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let chain = Chain::builder(78)
        .chain_id(31_338)
        .slot_duration(Duration::from_secs(4))
        .genesis_time(UnixTime::from_secs(since_1970 - 200))
        .accounts([(ALICE, U256::from(9))])
        .build();
    chain.advance_to(UnixTime::from_secs(since_1970));
    let servers =
        [test_chain().serve(Provider::honest(&chain)), test_chain().serve(BeaconSource::honest(&chain))];
    let network = chain.network().with_checkpoint(chain.checkpoint());
    let table = network.to_toml().replacen(&format!("name = \"{}\"", network.name()), "name = \"second\"", 1);
    let file = format!(
        "{table}\n[[rpc]]\nname = \"own\"\nurl = \"{}\"\n\n[[beacon]]\nname = \"own\"\nurl = \"{}\"\n",
        servers[0].url(),
        servers[1].url()
    );
    (chain, servers, file)
}

/// Each path answers of its own network, what was proven last too.
#[test]
fn several_networks_have_one_path_each() {
    let services = Services::new(1, 1);
    let (_chain, servers, file) = other_network();
    let mut command = serve(&services, &["--timeout", "4s", "--max-age", "15s", "--also"]);
    let served = Served::start(command.arg(testbed::network_file(&file)), 2);
    assert!(served.lines[1]["url"].as_str().unwrap().ends_with("/second"), "{:?}", served.lines);
    let balance = |path| served.post_with(path, "", &body("eth_getBalance", &json!([ALICE]))).json();
    let wei = format!("{:#x}", testbed::ALICE_WEI.parse::<U256>().unwrap());
    for (path, expected) in [("/", wei.as_str()), ("/second", "0x9"), ("/second/", "0x9")] {
        let began = Instant::now();
        while balance(path)["result"] != expected {
            assert!(began.elapsed() < Duration::from_secs(30), "{path}: {}", balance(path));
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    assert_eq!(served.post_with("/third", "", &body("eth_accounts", &json!([]))).status, 404);
    // The second network is gone, and its head grows old: the first one is as before.
    drop(servers);
    let began = Instant::now();
    while balance("/second").get("result").is_some() {
        assert!(began.elapsed() < Duration::from_secs(120), "{}", balance("/second"));
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(balance("/second")["error"]["data"]["last"]["value"], "0x9");
    assert_eq!(balance("/")["result"], wei.as_str());
}
