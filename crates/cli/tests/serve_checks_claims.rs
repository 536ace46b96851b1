//! `saldo_check` of `saldo serve`: each claim of a list has the verdict that `saldo check` gives, and a list is taken whole or not at all.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use serde_json::{Value, json};

use testbed::schema::{assert_follows, schema};
use testbed::served::Served;
use testbed::token::WETH;
use testbed::{ALICE, BOB, Services, UNUSED, network_file, run};

fn claim(address: &dyn ToString, asset: &dyn ToString, amount: impl Into<Value>) -> Value {
    json!({ "address": address.to_string(), "asset": asset.to_string(), "amount": amount.into() })
}

/// The verdicts, each of which follows the schema.
#[track_caller]
fn verdicts(served: &Served, claims: &Value) -> Vec<Value> {
    let schema = schema("verdict#/$defs/serialised");
    let verdicts = served.result("saldo_check", claims);
    let verdicts = verdicts.as_array().unwrap().clone();
    assert_eq!(verdicts.len(), claims.as_array().unwrap().len());
    for verdict in &verdicts {
        assert_follows(&schema, verdict);
        assert_eq!(verdict["proven"].is_object(), verdict["verdict"] != "not_checked", "{verdict}");
    }
    verdicts
}

fn codes(verdicts: &[Value]) -> Vec<&str> {
    verdicts.iter().map(|verdict| verdict["verdict"].as_str().unwrap()).collect()
}

#[test]
fn the_verdicts_are_those_of_the_command() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &[]);
    served.result("eth_blockNumber", &json!([]));
    let mut claims = vec![
        claim(&ALICE, &"native", "1.5 ether"),
        claim(&ALICE, &"native", "0x0"),
        claim(&UNUSED, &"eth", 0),
        claim(&ALICE, &WETH, "5"),
        claim(&BOB, &UNUSED, "0"),
        claim(&BOB, &"native", "1"),
    ];
    claims[5]["block"] = json!(u64::MAX.to_string());
    let got = verdicts(&served, &json!(claims));
    let expected = ["confirmed", "different", "confirmed", "confirmed", "not_checked", "not_checked"];
    assert_eq!(codes(&got), expected, "{got:?}");
    assert_eq!(got[1]["claimed"], "0");
    assert_eq!((&got[4]["claimed"], &got[4]["why"]["code"]), (&Value::Null, &json!("not_a_token")));

    let lines: Vec<String> = claims.iter().map(Value::to_string).collect();
    let mut command = services.command("check");
    let done = run(command.arg(network_file(&lines.join("\n"))).args(["--json", "--timeout", "3s"]));
    assert_eq!(codes(&done.json()), expected, "the same words: {done:?}");
}

#[test]
fn a_block_tells_a_changed_amount_from_a_wrong_one() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let chain = &testbed::test_chain().chain;
    let holder = saldo::Address::repeat_byte(0xc8);
    let pause = || std::thread::sleep(std::time::Duration::from_secs(4));
    chain.set_balance(holder, saldo::U256::from(5));
    pause();
    let block = chain.signed().number;
    chain.set_balance(holder, saldo::U256::from(6));
    pause();
    let at = |amount: u64, block: Value| {
        let mut claim = claim(&holder, &"native", amount);
        claim["block"] = block;
        claim
    };
    let claims = json!([
        at(5, json!(block)),
        at(4, json!(format!("{block:#x}"))),
        at(6, json!(block.to_string())),
        at(5, Value::Null)
    ]);
    let got = verdicts(&served, &claims);
    assert_eq!(codes(&got), ["changed", "different", "confirmed", "different"], "{got:?}");
    assert_eq!(got[0]["at"]["number"], block);
}

#[test]
fn an_outage_confirms_nothing() {
    let services = Services::new(2, 1);
    services.refuse_all_connections();
    let served = Served::new(&services, &["--timeout", "2s"]);
    let got =
        verdicts(&served, &json!([claim(&UNUSED, &"native", "0"), claim(&ALICE, &"native", "1.5 ether")]));
    assert_eq!(codes(&got), ["not_checked"; 2]);
    for verdict in got {
        assert_eq!((&verdict["proven"], &verdict["claimed"]), (&Value::Null, &Value::Null), "{verdict}");
        assert_eq!(verdict["why"]["code"], "all_unreachable", "{verdict}");
    }
}

#[test]
fn a_list_is_taken_whole_or_not_at_all() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    served.result("eth_blockNumber", &json!([]));
    let right = claim(&ALICE, &"native", "1.5 ether");
    assert_eq!(served.result("saldo_check", &json!([])), json!([]));
    let most = verdicts(&served, &json!(vec![right.clone(); 1_000]));
    assert!(most.iter().all(|verdict| verdict["verdict"] == "confirmed"));

    let error = served.error("saldo_check", &json!(vec![right.clone(); 1_001]));
    assert_eq!((&error["code"], &error["data"]["reason"]), (&json!(-32_005), &json!("too_many_claims")));
    assert_eq!(error["message"], "too many claims, at most 1000 are taken");

    let with = |key: &str, value: Value| {
        let mut claim = right.clone();
        claim[key] = value;
        claim
    };
    for wrong in [
        json!(ALICE),
        json!([right]),
        json!({}),
        with("address", json!("alice")),
        with("address", json!("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB49")),
        with("asset", json!("USDC")),
        with("asset", json!(saldo::Address::ZERO)),
        with("amount", json!("1.5")),
        with("amount", json!(1.5)),
        with("amount", json!(9_007_199_254_740_993_u64)),
        with("amount", Value::Null),
        with("block", json!("latest")),
        with("block", json!(-1)),
        with("confirmations", json!(3)),
    ] {
        let error = served.error("saldo_check", &json!([right, wrong]));
        assert_eq!(error["code"], -32_602, "{wrong}: {error}");
        assert!(
            error["message"].as_str().unwrap().starts_with("invalid params: claim 1: "),
            "{wrong}: {error}"
        );
    }
    assert_eq!(served.error("saldo_check", &json!({ "claims": [right] }))["code"], -32_602);
}
