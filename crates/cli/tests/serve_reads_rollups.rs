//! `saldo serve` answers for a rollup what L1 vouches for, and refuses by name what it cannot prove there.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::rollup_world::{World, now};
use testbed::served::Served;
use testbed::{ALICE, saldo};

/// The path of the rollup. That of its L1, which is named first, is `/`.
const ROLLUP: &str = "/drill-rollup-84532";

/// The server of both networks of `world`.
fn served(world: &World, options: &[&str]) -> Served {
    let files = format!("{},{}", world.l1_file, world.rollup_file);
    let mut command = saldo(&["serve", "--json", "--listen", "127.0.0.1:0", "--timeout", "4s", "-n", &files]);
    Served::start(command.args(world.endpoints()).args(options), 2)
}

fn body(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

fn ask(served: &Served, path: &str, method: &str, params: &Value) -> Value {
    served.post_with(path, "", &body(method, params)).json()
}

/// Asks again until there is a result, for half a minute at most.
fn ask_until_proven(world: &World, served: &Served, method: &str, params: &Value) -> Value {
    let began = Instant::now();
    loop {
        let answer = ask(served, ROLLUP, method, params);
        if answer.get("result").is_some() {
            return answer["result"].clone();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{answer}");
        std::thread::sleep(Duration::from_millis(500));
        world.advance_to(now());
    }
}

#[test]
fn a_rollup_has_a_path_of_its_own_and_answers_what_l1_vouches_for() {
    let world = World::new();
    let served = served(&world, &[]);
    assert!(served.lines[1]["url"].as_str().unwrap().ends_with(ROLLUP), "{:?}", served.lines);
    assert_eq!(served.lines[1]["chain_id"], 84_532);
    let balance = json!([ALICE, "latest"]);
    let before = ask(&served, ROLLUP, "eth_getBalance", &balance);
    assert_eq!(before["error"]["data"]["reason"], "rollup_not_vouched", "{before}");
    assert_eq!(ask(&served, ROLLUP, "eth_chainId", &json!([]))["result"], "0x14a34");

    world.propose();
    assert_eq!(ask_until_proven(&world, &served, "eth_getBalance", &balance), "0x3782dace9d90000");
    let number = ask_until_proven(&world, &served, "eth_blockNumber", &json!([]));
    let proof = ask_until_proven(&world, &served, "eth_getProof", &json!([ALICE, [], number]));
    assert_eq!(proof["balance"], "0x3782dace9d90000", "{proof}");
    let reading = ask(&served, ROLLUP, "saldo_reading", &json!([ALICE]))["result"].clone();
    assert_eq!(
        (&reading["state"], &reading["block"]["assurance"]),
        (&json!("proven"), &json!("l1_proof_checked")),
        "{reading}"
    );
    let health = ask(&served, ROLLUP, "saldo_health", &json!([]))["result"].clone();
    testbed::schema::assert_follows(&testbed::schema::schema("health"), &health);
    assert_eq!(health["rollup"]["level"], "l1_proof_checked", "{health}");
    assert_eq!(ask(&served, "/", "saldo_health", &json!([]))["result"]["rollup"], Value::Null);
    assert_eq!(ask(&served, "/", "eth_getBalance", &balance)["result"], "0x0");
}

#[test]
fn blocks_and_calls_of_a_rollup_are_refused_or_passed_on_by_name() {
    let world = World::new();
    let alone = served(&world, &[]);
    let call = json!([{ "to": ALICE }, "latest"]);
    let refused = [
        ("eth_getBlockByNumber", json!(["latest", false])),
        ("eth_getBlockByHash", json!([format!("0x{}", "11".repeat(32)), false])),
        ("eth_call", call.clone()),
        ("eth_estimateGas", call),
    ];
    for (method, params) in &refused {
        let error = ask(&alone, ROLLUP, method, params)["error"].clone();
        assert_eq!(
            (&error["code"], &error["data"]["reason"]),
            (&json!(-32_004), &json!("not_provable")),
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().contains("rollup"), "{method}: {error}");
    }
    let block = ask(&alone, "/", "eth_getBlockByNumber", &json!(["latest", false]));
    assert!(block["result"]["hash"].is_string(), "L1 is as before: {block}");

    let passing = served(&world, &["--pass-through", "rosa"]);
    let reply = passing.post_with(ROLLUP, "", &body("eth_getBlockByNumber", &json!(["latest", false])));
    assert!(reply.json()["result"]["hash"].is_string(), "{reply:?}");
    assert_eq!(reply.header("saldo-unproven"), Some("rosa"), "{reply:?}");
}

/// `--also` takes a rollup, and its providers by its name.
#[test]
fn a_rollup_is_served_beside_another_network() {
    let world = World::new();
    let [rpc, rosa, _, lena, beacon, sven] = world.endpoints();
    let of_rollup = format!("84532:{rosa}");
    let mut command = saldo(&["serve", "--json", "--listen", "127.0.0.1:0", "-n", &world.l1_file]);
    command.args(["--also", &world.rollup_file, &rpc, &of_rollup, &rpc, &lena, &beacon, &sven]);
    let served = Served::start(&mut command, 2);
    assert!(served.lines[1]["url"].as_str().unwrap().ends_with(ROLLUP), "{:?}", served.lines);
    assert_eq!(ask(&served, "/", "eth_chainId", &json!([]))["result"], "0x7a69");
    let balance = json!([ALICE, "latest"]);
    let on_l1 = (0..20).find_map(|_| {
        std::thread::sleep(Duration::from_millis(500));
        ask(&served, "/", "eth_getBalance", &balance).get("result").cloned()
    });
    assert_eq!(on_l1, Some(json!("0x0")), "the provider without a network is that of the first");
    let lacking = saldo(&["serve", "--json", "-n", "mainnet", "--also", "base"]).output().unwrap();
    let said = String::from_utf8(lacking.stdout).unwrap();
    assert_eq!((lacking.status.code(), said.contains("no_provider")), (Some(2), true), "{said}");
}
