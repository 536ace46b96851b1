//! Not knowing is an error that says why, with the last proven value and its age: never a zero, never `null`, never another block.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::{Duration, Instant};

use alloy_primitives::{B256, U256};
use saldo_drill::{Fault, Provider};
use serde_json::{Value, json};

use testbed::served::{Served, number};
use testbed::token::{RUN, WETH};
use testbed::{ALICE, ALICE_WEI, BOB, Services, UNUSED};

const NOT_PROVEN: i64 = -32_050;
const NOT_SUPPORTED: i64 = -32_004;

/// Every method that proves something, with parameters for the newest block.
fn methods() -> Vec<(&'static str, Value)> {
    vec![
        ("eth_getBalance", json!([ALICE, "latest"])),
        ("eth_getTransactionCount", json!([ALICE, "latest"])),
        ("eth_getCode", json!([ALICE, "latest"])),
        ("eth_getStorageAt", json!([ALICE, "0x0", "latest"])),
        ("eth_getProof", json!([ALICE, ["0x0"], "latest"])),
        ("eth_call", json!([{ "to": ALICE }, "latest"])),
        ("eth_estimateGas", json!([{ "to": ALICE }])),
        ("eth_blockNumber", json!([])),
        ("eth_syncing", json!([])),
        ("eth_getBlockByNumber", json!(["latest", false])),
        ("eth_getBlockByNumber", json!(["safe", true])),
    ]
}

/// What an error says besides. That of a call is in a list of one, because web3.py takes an object there for a revert.
fn data(error: &Value) -> &Value {
    error["data"].get(0).unwrap_or(&error["data"])
}

#[track_caller]
fn assert_explained(error: &Value) {
    assert_eq!(error["code"], NOT_PROVEN, "{error}");
    let data = data(error);
    for field in ["reason", "fault", "next_step"] {
        assert!(data[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {error}");
    }
    assert!(data["attempts"].is_array() && data.get("last").is_some(), "{error}");
    assert!(error["message"].as_str().unwrap().starts_with("not known"), "{error}");
}

#[test]
fn an_outage_from_the_start_is_no_zero() {
    let services = Services::new(2, 1);
    services.refuse_all_connections();
    let served = Served::new(&services, &["--timeout", "2s"]);
    for (method, params) in methods() {
        let error = served.error(method, &params);
        assert_explained(&error);
        assert_eq!(data(&error)["last"], Value::Null, "{error}");
        let is_run = ["eth_call", "eth_estimateGas"].contains(&method);
        assert_eq!(error["data"].is_array(), is_run, "{error}");
    }
    let attempts = &served.error("eth_blockNumber", &json!([]))["data"]["attempts"];
    assert!(attempts.as_array().unwrap().iter().any(|attempt| attempt["provider"] == "north"), "{attempts}");
    let reading = served.call("saldo_reading", &json!([ALICE]))["result"].clone();
    assert_eq!((&reading["state"], &reading["amount"]), (&json!("unknown"), &Value::Null));
    // What is configured is known without a provider.
    let chain_id = testbed::test_chain().network().chain_id();
    assert_eq!(served.call("eth_chainId", &json!([]))["result"], format!("{chain_id:#x}"));
}

#[test]
fn an_outage_shows_the_last_proven_value_with_its_age() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &["--timeout", "2s", "--max-age", "3s"]);
    let wei = format!("{:#x}", ALICE_WEI.parse::<U256>().unwrap());
    let before: Vec<Value> = methods().iter().map(|(method, params)| served.result(method, params)).collect();
    assert_eq!(before[0], wei);
    services.refuse_all_connections();
    // Until the newest block is too old for --max-age, it is the newest one.
    let started = Instant::now();
    while served.call("eth_blockNumber", &json!([])).get("result").is_some() {
        assert!(started.elapsed() < Duration::from_secs(40), "it turns old");
        std::thread::sleep(Duration::from_millis(500));
    }
    let error = served.error("eth_getBalance", &json!([ALICE, "latest"]));
    assert_explained(&error);
    let last = &error["data"]["last"];
    assert_eq!(last["value"], wei, "{error}");
    let block = test_chain_block(number(&last["block"]["number"]));
    assert_eq!(last["block"]["hash"], json!(block), "{error}");
    assert!((3..60).contains(&last["age_seconds"].as_u64().unwrap()), "{error}");
    // So has every method whose answer is of a block, whatever the case of its letters.
    // The finalized block is old by nature, and still known.
    let not_known = methods().into_iter().zip(before).filter(|((_, params), _)| params[0] != "safe");
    for ((method, params), before) in not_known {
        let expected = if method == "eth_syncing" { Value::Null } else { before };
        let error = served.error(method, &params);
        assert_eq!(data(&error)["last"].get("value").unwrap_or(&Value::Null), &expected, "{method}: {error}");
    }
    let upper = ALICE.to_string().to_uppercase().replace('X', "x");
    assert_eq!(data(&served.error("eth_getBalance", &json!([upper])))["last"]["value"], wei);
    // Nothing is remembered of another address, or of another slot of this one.
    assert_eq!(served.error("eth_getBalance", &json!([BOB, "latest"]))["data"]["last"], Value::Null);
    let slot = served.error("eth_getStorageAt", &json!([ALICE, "0x1", "latest"]));
    assert_eq!(slot["data"]["last"], Value::Null);

    // Afterwards it is proven again.
    services.providers.iter().for_each(Provider::clear);
    services.sources.iter().for_each(saldo_drill::BeaconSource::clear);
    assert_eq!(served.result("eth_getBalance", &json!([ALICE, "latest"])), wei);
}

fn test_chain_block(number: u64) -> B256 {
    testbed::test_chain().chain.block(number).unwrap().hash
}

#[test]
fn lies_are_not_repeated() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &["--timeout", "3s"]);
    served.result("eth_blockNumber", &json!([]));
    // A claim beside the proof changes nothing: the leaf decides.
    services.providers.iter().for_each(|provider| provider.set(Fault::ZeroBalance));
    assert_eq!(served.result("eth_getBalance", &json!([BOB, "latest"])), "0x9b6e64a8ec60000");
    // Each lie is about an account that was not asked for before, so that nothing is held of it.
    let lies = [
        (ALICE, Fault::TruncatedProof { nodes: 1 }),
        (RUN, Fault::OtherAccountsProof),
        (WETH, Fault::FlippedByte { node: 0, byte: 40 }),
    ];
    for (address, fault) in lies {
        services.providers.iter().for_each(|provider| provider.set(fault.clone()));
        let error = served.error("eth_getBalance", &json!([address, "latest"]));
        assert_explained(&error);
        assert_eq!(error["data"]["fault"], "providers", "{error}");
    }
    // One honest provider is enough.
    services.providers[1].clear();
    assert_eq!(served.result("eth_getBalance", &json!([UNUSED, "latest"])), "0x0");
}

#[test]
fn a_false_block_is_refused() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &["--timeout", "3s"]);
    served.result("eth_blockNumber", &json!([]));
    let list = Fault::Field {
        name: "withdrawals".to_owned(),
        value: Some(json!([{ "index": "0x0", "validatorIndex": "0x0", "address": ALICE, "amount": "0x1" }])),
    };
    services.providers[0].set(list);
    let error = served.error("eth_getBlockByNumber", &json!(["latest", false]));
    assert_explained(&error);
    let transactions = Fault::Field { name: "transactions".to_owned(), value: Some(json!([B256::ZERO])) };
    services.providers[0].set(transactions);
    assert_explained(&served.error("eth_getBlockByNumber", &json!(["latest", false])));
    services.providers[0].clear();
    served.result("eth_getBlockByNumber", &json!(["latest", false]));
}

#[test]
fn it_is_never_another_block() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &["--timeout", "3s"]);
    let newest = number(&served.result("eth_blockNumber", &json!([])));
    let at = |block: Value| served.error("eth_getBalance", &json!([ALICE, block]));
    for (block, reason) in [
        (json!(format!("{:#x}", newest + 1_000)), "unsigned_tip"),
        (json!(B256::repeat_byte(7)), "proof_window_missed"),
    ] {
        let error = at(block);
        assert_explained(&error);
        assert_eq!(error["data"]["reason"], reason, "{error}");
    }
    for (block, reason) in [("pending", "pending_refused"), ("earliest", "earliest_refused")] {
        let error = at(json!(block));
        assert_eq!((&error["code"], &error["data"]["reason"]), (&json!(NOT_SUPPORTED), &json!(reason)));
    }
}

#[test]
fn what_has_no_proof_is_refused_by_name() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    for (method, params, reason) in [
        ("eth_sendRawTransaction", json!(["0x00"]), "not_provable"),
        ("eth_gasPrice", json!([]), "not_provable"),
        ("eth_feeHistory", json!(["0x1", "latest", []]), "not_provable"),
        ("eth_getLogs", json!([{}]), "not_provable"),
        ("eth_getTransactionReceipt", json!([B256::ZERO]), "not_provable"),
        ("eth_call", json!([{ "to": ALICE }, "latest", {}]), "overrides_refused"),
        ("eth_call", json!([{ "data": "0x00" }]), "call_refused"),
        ("eth_subscribe", json!(["newHeads"]), "subscription_refused"),
    ] {
        let error = served.error(method, &params);
        assert_eq!(error["code"], NOT_SUPPORTED, "{method}: {error}");
        assert_eq!(data(&error)["reason"], reason, "{method}: {error}");
        assert!(data(&error)["next_step"].as_str().is_some_and(|step| !step.is_empty()), "{error}");
    }
    for method in ["eth_unheardOf", "admin_peers", "eth_sendTransaction", "personal_sign", ""] {
        assert_eq!(served.error(method, &json!([]))["code"], -32_601, "{method}");
    }
}
