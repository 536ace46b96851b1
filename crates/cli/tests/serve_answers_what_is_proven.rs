//! `saldo serve` answers each method with what the chain has in the block that is named.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use alloy_primitives::{B256, U256, hex, keccak256};
use serde_json::{Value, json};

use testbed::schema::{assert_follows, schema};
use testbed::served::{Served, number};
use testbed::token::{RUN, RUN_CODE, WETH};
use testbed::{ALICE, ALICE_WEI, BOB, Services, UNUSED, test_chain};

fn wei(text: &str) -> String {
    format!("{:#x}", text.parse::<U256>().unwrap())
}

#[test]
fn accounts_are_those_of_the_block() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &[]);
    let chain = &test_chain().chain;
    assert_eq!(served.result("eth_getBalance", &json!([ALICE, "latest"])), wei(ALICE_WEI));
    assert_eq!(served.result("eth_getBalance", &json!([ALICE])), wei(ALICE_WEI), "the newest by default");
    assert_eq!(served.result("eth_getBalance", &json!([UNUSED, null])), "0x0", "absence is proven");
    assert_eq!(served.result("eth_getTransactionCount", &json!([BOB, "latest"])), "0x0");
    assert_eq!(served.result("eth_getCode", &json!([RUN, "latest"])), hex::encode_prefixed(RUN_CODE));
    assert_eq!(served.result("eth_getCode", &json!([ALICE, "finalized"])), "0x");
    assert_eq!(
        served.result("eth_getStorageAt", &json!([RUN, "0x0", "latest"])),
        B256::with_last_byte(10).to_string()
    );
    assert_eq!(
        served.result("eth_getStorageAt", &json!([RUN, B256::with_last_byte(1), "latest"])),
        B256::ZERO.to_string()
    );

    // At a number and at a hash, and at both as EIP-1898 has them.
    let newest = number(&served.result("eth_blockNumber", &json!([])));
    let block = chain.block(newest).unwrap();
    for named in [
        json!(format!("{newest:#x}")),
        json!(block.hash),
        json!({ "blockNumber": format!("{newest:#x}") }),
        json!({ "blockHash": block.hash, "requireCanonical": true }),
    ] {
        let balance = served.result("eth_getBalance", &json!([ALICE, named]));
        assert_eq!(balance, format!("{:#x}", chain.balance_at(newest, ALICE).unwrap()), "{named}");
    }
}

#[test]
fn proofs_verify_against_the_block() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let word = B256::with_last_byte(1);
    let newest = served.result("eth_blockNumber", &json!([]));
    let proof = served.result("eth_getProof", &json!([RUN, ["0x0", word], newest]));
    assert_eq!(proof["address"], json!(RUN));
    assert_eq!(proof["codeHash"], json!(keccak256(RUN_CODE)));
    assert_eq!(
        (&proof["storageProof"][0]["key"], &proof["storageProof"][0]["value"]),
        (&json!("0x0"), &json!("0xa"))
    );
    assert_eq!(
        (&proof["storageProof"][1]["key"], &proof["storageProof"][1]["value"]),
        (&json!(word), &json!("0x0"))
    );
    let root = |nodes: &Value| keccak256(hex::decode(nodes[0].as_str().unwrap()).unwrap());
    let block = served.result("eth_getBlockByNumber", &json!([newest, false]));
    assert_eq!(json!(root(&proof["accountProof"])), block["stateRoot"]);
    assert_eq!(json!(root(&proof["storageProof"][0]["proof"])), proof["storageHash"]);
    let absent = served.result("eth_getProof", &json!([UNUSED, [], "latest"]));
    assert_eq!((&absent["balance"], &absent["nonce"]), (&json!("0x0"), &json!("0x0")));
    assert_eq!(absent["codeHash"], json!(keccak256([])));
    assert_eq!(absent["storageHash"], json!(keccak256([0x80])));
}

#[test]
fn blocks_are_whole() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let newest = served.result("eth_blockNumber", &json!([]));
    let block = served.result("eth_getBlockByNumber", &json!([newest, false]));
    let of_chain = test_chain().chain.block(number(&newest)).unwrap();
    assert_eq!((&block["hash"], &block["number"]), (&json!(of_chain.hash), &newest));
    assert_eq!(block["transactions"], json!([]));
    assert_eq!((&block["uncles"], &block["withdrawals"]), (&json!([]), &json!([])));
    // The provider's own object has the same fields, and these values.
    let url = services.rpc_urls()[0].split_once('=').unwrap().1.to_owned();
    assert!(url.starts_with("http://"));
    assert_eq!(block, services_block(&url, &block["hash"]));
    let by_hash = served.result("eth_getBlockByHash", &json!([block["hash"], false]));
    assert_eq!(by_hash, block);
    let parent = served.result("eth_getBlockByHash", &json!([block["parentHash"]]));
    assert_eq!(number(&parent["number"]) + 1, number(&newest));
    let finalized = served.result("eth_getBlockByNumber", &json!(["finalized", false]));
    assert!(number(&finalized["number"]) < number(&newest));
}

/// The block as the provider gives it.
fn services_block(url: &str, hash: &Value) -> Value {
    use std::io::Write;
    let address = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByHash", "params": [hash, false] });
    let body = body.to_string();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    testbed::served::read_reply(&mut stream).json()["result"].clone()
}

#[test]
fn contracts_are_run_over_proven_state() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &[]);
    let decimals = json!({ "to": RUN, "data": "0x313ce567" });
    let six = format!("0x{:064x}", 6);
    assert_eq!(served.result("eth_call", &json!([decimals, "latest"])), six);
    let input = json!({ "to": RUN, "input": "0x313ce567", "from": ALICE, "value": "0x1", "gas": "0x186a0" });
    assert_eq!(served.result("eth_call", &json!([input])), six);
    let gas = served.result("eth_estimateGas", &json!([decimals]));
    assert!((21_000..30_000).contains(&number(&gas)), "{gas}");
    assert_eq!(
        served.result("eth_estimateGas", &json!([{ "from": ALICE, "to": BOB, "value": "0x1" }])),
        "0x5208"
    );
    let too_much = json!([{ "from": ALICE, "to": BOB, "value": "0xffffffffffffffffffffffff" }]);
    for method in ["eth_call", "eth_estimateGas"] {
        let error = served.error(method, &too_much);
        assert_eq!(error["message"], "insufficient funds for transfer", "{error}");
    }
    let reverted = served.error("eth_call", &json!([{ "to": testbed::token::REVERTS }, "latest"]));
    assert_eq!((&reverted["code"], &reverted["data"]), (&json!(3), &json!("0x")));
    assert!(reverted["message"].as_str().unwrap().starts_with("execution reverted"), "{reverted}");
}

#[test]
fn the_network_and_the_client_are_named() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let chain_id = test_chain().network().chain_id();
    assert_eq!(served.result("eth_chainId", &json!([])), format!("{chain_id:#x}"));
    assert_eq!(served.result("net_version", &json!([])), chain_id.to_string());
    let version = served.result("web3_clientVersion", &json!([]));
    assert!(version.as_str().unwrap().starts_with("saldo/v"), "{version}");
    assert_eq!(served.result("eth_syncing", &json!([])), json!(false));
    assert_eq!(served.result("eth_accounts", &json!([])), json!([]));
    assert_eq!(served.lines[0]["chain_id"], chain_id);
}

#[test]
fn whole_readings_follow_their_schema() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &[]);
    served.result("eth_blockNumber", &json!([]));
    let serialised = schema("reading#/$defs/serialised");
    for params in [json!([ALICE]), json!([ALICE, WETH])] {
        let reading = served.result("saldo_reading", &params);
        assert_follows(&serialised, &reading);
        assert_eq!(reading["state"], "proven", "{reading}");
    }
    assert_eq!(served.result("saldo_reading", &json!([ALICE]))["amount"], ALICE_WEI);
    assert_eq!(served.result("saldo_reading", &json!([ALICE, WETH]))["amount"], "5");
    let health = served.result("saldo_health", &json!([]));
    assert_eq!(health["schema"], "saldo.health/1");
}
