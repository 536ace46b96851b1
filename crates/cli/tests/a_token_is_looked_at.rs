//! `saldo token`: what a token is, and how its balances can be proven, or why not.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use saldo::Address;
use saldo_drill::Fault;
use serde_json::{Value, json};

use testbed::schema::{assert_follows, schema};
use testbed::token::{
    BROKEN, CLONE, ENDLESS, OLD_USDT, REVERTS, RUN, USDC, USDC_CODE, USDC_CODE_HASH, USDC_PROXY_HASH, WETH,
    WETH_CODE_HASH,
};
use testbed::{ALICE, Run, Services, network_file, run, saldo, test_chain};

fn look(services: &Services, token: Address, options: &[&str]) -> Run {
    let mut command = saldo(&["token", &token.to_string(), "--timeout", "5s", "--network"]);
    command.arg(network_file(&test_chain().network().to_toml()));
    for url in services.rpc_urls() {
        command.args(["--rpc-url", &url]);
    }
    for url in services.beacon_urls() {
        command.args(["--beacon-url", &url]);
    }
    run(command.args(options))
}

#[track_caller]
fn json_of(services: &Services, token: Address, status: i32) -> Value {
    let run = look(services, token, &["--json"]);
    assert_eq!(run.status, status, "{run:?}");
    let line = run.only();
    assert_follows(&schema("token"), &line);
    assert_eq!((&line["chain_id"], &line["token"]), (&json!(31_337), &json!(format!("{token:#x}"))));
    line
}

#[test]
fn each_token_says_its_code_its_proxy_and_how_it_can_be_proven() {
    let services = Services::new(2, 1);
    let weth = json_of(&services, WETH, 0);
    assert_eq!((&weth["provable"], &weth["layout"]["name"]), (&json!("slot"), &json!("WETH9")));
    assert_eq!((&weth["code_hash"], &weth["proxy"]), (&json!(WETH_CODE_HASH), &Value::Null));
    assert_eq!((&weth["guards"], &weth["block"]["assurance"]), (&json!([]), &json!("signed")));
    let block = test_chain().chain.block(weth["block"]["number"].as_u64().unwrap()).unwrap();
    assert_eq!(weth["block"]["hash"], block.hash.to_string());

    let usdc = json_of(&services, USDC, 0);
    assert_eq!((&usdc["proxy"], &usdc["code_hash"]), (&json!("FiatTokenProxy"), &json!(USDC_PROXY_HASH)));
    assert_eq!(usdc["implementation"], json!({ "address": USDC_CODE, "code_hash": USDC_CODE_HASH }));
    assert_eq!(usdc["layout"]["tells_frozen"], true);

    let clone = json_of(&services, CLONE, 0);
    assert_eq!(
        (&clone["proxy"], &clone["layout"]["name"]),
        (&json!("minimal proxy (ERC-1167)"), &json!("WETH9"))
    );
    assert_eq!(clone["implementation"]["address"], json!(WETH));

    // The condition of its layout does not hold, and no provider has its code.
    let old = json_of(&services, OLD_USDT, 3);
    assert_eq!((&old["provable"], &old["layout"]["name"]), (&json!("not_now"), &json!("TetherToken")));
    assert_eq!((old["guards"].as_array().unwrap().len(), &old["guards"][0]["holds"]), (1, &json!(false)));

    let executed = json_of(&services, RUN, 0);
    assert_eq!((&executed["provable"], &executed["layout"]), (&json!("execution"), &Value::Null));
    assert_eq!(executed["run"], json!({ "accounts": 1, "slots": 1, "why": null }));
    let symbol = json!({ "text": "RUN", "from": "execution", "flaws": [] });
    assert_eq!(executed["info"], json!({ "decimals": 6, "decimals_from": "execution", "symbol": symbol }));
    assert_eq!(weth["info"], Value::Null, "no provider of this chain has its code");
    let reverts = json_of(&services, REVERTS, 4);
    assert_eq!(
        (&reverts["provable"], &reverts["run"]["why"]["code"]),
        (&json!("not_a_token"), &json!("not_a_token"))
    );
    let endless = json_of(&services, ENDLESS, 4);
    assert_eq!(
        (&endless["provable"], &endless["run"]["why"]["code"]),
        (&json!("not_run"), &json!("token_not_run"))
    );
    for not in [Address::repeat_byte(0x98), ALICE, BROKEN] {
        assert_eq!(json_of(&services, not, 4)["provable"], "not_a_token", "{not}");
    }
}

#[test]
fn the_text_has_words_for_each_case() {
    let services = Services::new(1, 1);
    for (token, status, said) in [
        (
            WETH,
            0,
            &["  balances can be proven, each from its slot\n", "why it holds: `balanceOf` is the getter"][..],
        ),
        (USDC, 0, &["proxy: FiatTokenProxy, code 0xd80d", "the highest bit says that the owner is frozen"]),
        (
            OLD_USDT,
            3,
            &["balances need a run of its code, which was not possible now", "does not hold (slot 0x"],
        ),
        (
            RUN,
            0,
            &[
                "balances can be proven, by running its code\n",
                "tried with the token's own address as the owner: the code read 1 account and 1 slot",
                "it is no proxy that saldo knows",
                "its code says: 6 decimals, symbol RUN",
            ],
        ),
        (REVERTS, 4, &["there is no token at this address", "its code fails when it is asked for a balance"]),
        (ENDLESS, 4, &["its code does not run to its end\n", "the token's own code was not run to its end"]),
        (ALICE, 4, &["there is no token at this address", "there is no contract: check the address"]),
        (
            BROKEN,
            4,
            &["passes its calls to 0x9999999999999999999999999999999999999999, where there is no contract"],
        ),
    ] {
        let run = look(&services, token, &[]);
        assert_eq!((run.status, run.err.as_str()), (status, ""), "{run:?}");
        for part in said.iter().chain(&[" old, signed by ", "served by anna"]) {
            assert!(run.out.contains(part), "`{part}` is missing: {}", run.out);
        }
        assert!(run.out.starts_with(&token.to_string()), "{}", run.out);
    }
}

#[test]
fn an_outage_or_a_lie_says_nothing_about_the_token() {
    for (fault, code) in [
        (Fault::Refuse, "all_unreachable"),
        (Fault::OtherAccountsProof, "proofs_refused"),
        (Fault::TruncatedProof { nodes: 0 }, "proofs_refused"),
        (Fault::InventedTrie { balance: alloy_primitives::U256::ZERO }, "proofs_refused"),
    ] {
        let services = Services::new(1, 1);
        services.providers[0].set(fault.clone());
        let line = json_of(&services, WETH, 3);
        assert_eq!((&line["state"], &line["why"]["code"]), (&json!("unknown"), &json!(code)), "{fault:?}");
        assert_eq!((&line["provable"], &line["code_hash"]), (&Value::Null, &Value::Null));
        let text = look(&services, WETH, &[]);
        assert!(text.out.starts_with(&format!("{WETH}  unknown: ")), "{text:?}");
    }
    let services = Services::new(2, 1);
    services.providers[0].set(Fault::OtherAccountsProof);
    assert_eq!(json_of(&services, WETH, 0)["provider"], "bert", "one honest provider is enough");
}

#[test]
fn a_wrong_address_is_a_usage_error() {
    for (token, code) in [
        ("USDC", "not_an_address"),
        ("0x12", "not_an_address"),
        ("0x95222290dD7278Aa3Ddd389Cc1E1d165CC4BAfe5", "wrong_checksum"),
        ("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "native_coin"),
    ] {
        let run = run(&mut saldo(&["token", token, "--json"]));
        assert_eq!((run.status, &run.only()["error"]["code"]), (2, &json!(code)), "{run:?}");
        assert!(schema("token").is_valid(&run.only()));
    }
}
