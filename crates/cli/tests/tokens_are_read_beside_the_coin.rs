//! `saldo balance --token`: tokens beside the native coin, each with how its amount was derived, or why it is not known.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::Duration;

use saldo::Address;
use saldo_drill::Fault;
use serde_json::{Value, json};

use testbed::schema::schema;
use testbed::token::{
    BROKEN, CLONE, ENDLESS, OLD_USDT, REVERTS, RUN, RUN_CODE, USDC, USDC_CODE, USDC_CODE_HASH, WETH,
    WETH_CODE_HASH,
};
use testbed::token_runs::{CHAIN, hex, lines, list_file, run_with, tokens};
use testbed::{ALICE, ALICE_WEI, BOB, Conversation, Services};

#[test]
fn the_coin_comes_first_and_each_token_says_how_it_was_derived() {
    let services = Services::new(2, 1);
    let read = run_with(&services, &[ALICE, BOB], &[WETH, USDC, CLONE], &["--json"]);
    assert_eq!(read.status, 0, "{read:?}");
    let lines = lines(&read);
    let subjects: Vec<_> =
        lines.iter().map(|line| (line["address"].clone(), line["token"].clone())).collect();
    let expected = [ALICE, BOB].into_iter().flat_map(|owner| {
        let tokens = [WETH, USDC, CLONE].map(|token| json!(hex(token)));
        std::iter::once(Value::Null).chain(tokens).map(move |token| (json!(hex(owner)), token))
    });
    assert_eq!(subjects, expected.collect::<Vec<_>>());
    let amounts: Vec<&str> = lines.iter().map(|line| line["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, [ALICE_WEI, "5", "7250000", "8", "700000000000000000", "0", "9", "0"]);
    let frozen: Vec<bool> = lines.iter().map(|line| line["frozen"].as_bool().unwrap()).collect();
    assert_eq!(frozen, [false, false, false, false, false, false, true, false]);
    // One address, one block.
    assert!(lines[..4].iter().all(|line| line["block"] == lines[0]["block"]), "{lines:#?}");

    assert_eq!((&lines[0]["derivation"], &lines[0]["decimals_from"]), (&Value::Null, &json!("network")));
    let slot = |layout, code_hash: alloy_primitives::B256, implementation: Option<Address>| {
        json!({
            "kind": "slot",
            "layout": layout,
            "code_hash": code_hash,
            "implementation": implementation.map(hex),
            "touched": null,
        })
    };
    assert_eq!(lines[1]["derivation"], slot("WETH9", WETH_CODE_HASH, None));
    assert_eq!(lines[2]["derivation"], slot("FiatTokenV2_2", USDC_CODE_HASH, Some(USDC_CODE)));
    assert_eq!(lines[3]["derivation"], slot("WETH9", WETH_CODE_HASH, Some(WETH)));
    for token in &lines[1..4] {
        assert_eq!(token["asset"], format!("eip155:31337/erc20:{}", token["token"].as_str().unwrap()));
        assert_eq!(
            (&token["decimals"], &token["decimals_from"]),
            (&Value::Null, &Value::Null),
            "nothing is guessed"
        );
        assert_eq!((&token["formatted"], &token["symbol"]), (&Value::Null, &Value::Null));
    }
    for line in &lines {
        assert_eq!(
            line["coverage"],
            json!({ "native": true, "tokens": 3, "other_networks": 0, "skipped": 0 })
        );
    }
}

#[test]
fn the_text_says_token_amount_frozen_and_derivation() {
    let services = Services::new(2, 1);
    let read = run_with(&services, &[BOB], &[USDC], &[]);
    assert_eq!((read.status, read.err.as_str()), (0, ""), "{read:?}");
    for part in [
        &format!("{BOB}  0.7 ether\n"),
        &format!(
            "{BOB}  token {USDC}  9 base units (its decimals are not known), frozen by the issuer: it cannot be moved\n"
        ),
        &format!(
            "\n  derived by the layout FiatTokenV2_2, which holds for the code {USDC_CODE_HASH} of its implementation {USDC_CODE}\n"
        ),
        "\nlooked at the native coin and 1 token for each address: nothing is said about other tokens\n",
    ] {
        assert!(read.out.contains(part), "`{part}` is missing: {}", read.out);
    }
    let own_code = run_with(&services, &[ALICE], &[WETH, WETH], &["-v"]);
    assert!(
        own_code.out.contains(&format!("layout WETH9, which holds for the token's code {WETH_CODE_HASH}\n"))
    );
    assert_eq!(own_code.out.matches("  token ").count(), 1, "named twice, read once: {}", own_code.out);
    let quiet = run_with(&services, &[ALICE], &[WETH, USDC], &["-q"]);
    assert_eq!(quiet.out.lines().count(), 3, "only the readings: {quiet:?}");
    // Without tokens the output is as before.
    assert!(!services.run_for(ALICE, &[]).out.contains("looked at"));
}

#[test]
fn a_token_without_a_layout_is_run_and_says_so() {
    let services = Services::new(2, 1);
    let read = lines(&run_with(&services, &[ALICE], &[RUN], &["--json"]));
    let code_hash = alloy_primitives::keccak256(RUN_CODE);
    let executed = json!({
        "kind": "executed",
        "layout": null,
        "code_hash": code_hash,
        "implementation": null,
        "touched": { "accounts": 1, "slots": 1 },
    });
    assert_eq!((&read[1]["amount"], &read[1]["derivation"]), (&json!("10"), &executed));
    assert_eq!((&read[1]["frozen"], &read[1]["decimals"]), (&json!(false), &json!(6)));
    assert_eq!((&read[1]["decimals_from"], &read[1]["formatted"]), (&json!("execution"), &json!("0.00001")));
    assert_eq!(read[1]["symbol"], json!({ "text": "RUN", "from": "execution", "flaws": [] }));
    let text = run_with(&services, &[ALICE], &[RUN], &[]);
    assert_eq!(text.status, 0, "{text:?}");
    let said =
        format!("derived by running the token's own code {code_hash} over proven state: 1 account, 1 slot\n");
    assert!(text.out.contains(&said), "{}", text.out);
    assert!(text.out.contains(&format!("token {RUN}  0.00001 RUN (as its code says)\n")), "{}", text.out);
    // What a list declares comes first, and is said to be declared.
    let list = list_file(&[(CHAIN, RUN, 1, "LIST")]);
    let listed = run_with(&services, &[ALICE], &[RUN], &["--token-list", list.to_str().unwrap()]);
    assert!(listed.out.contains("  1 LIST (as the token list declares it)\n"), "{}", listed.out);
}

#[test]
fn what_cannot_be_proven_says_why_and_the_next_step() {
    let services = Services::new(2, 1);
    let nothing = Address::repeat_byte(0x98);
    for (token, status, code, said) in [
        (nothing, 4, "not_a_token", "unknown: there is no token at that address (it has no code)\n"),
        (
            BROKEN,
            4,
            "not_a_token",
            "unknown: there is no token at that address (its calls go to an address without code)\n",
        ),
        (
            REVERTS,
            4,
            "not_a_token",
            "unknown: there is no token at that address (its code fails when it is asked for a balance)\n",
        ),
        (ENDLESS, 4, "token_not_run", "unknown: the token's own code was not run to its end"),
        (OLD_USDT, 3, "providers_failing", "unknown: the providers answer with errors\n"),
    ] {
        let text = run_with(&services, &[ALICE], &[token], &["--timeout", "10s"]);
        assert_eq!(text.status, status, "{text:?}");
        assert!(text.out.contains(&format!("{ALICE}  token {token}  {said}")), "{}", text.out);
        let hint = format!("\n  `saldo token {token}` shows what is known of it.\n");
        assert_eq!(text.out.contains(&hint), status == 4, "{}", text.out);
        assert!(text.out.contains("the amount is not known (it is not 0)"), "{}", text.out);
        assert!(!text.out.contains("base units") && text.out.contains("1.5 ether"), "{}", text.out);

        let read = lines(&run_with(&services, &[ALICE], &[token], &["--json", "--timeout", "10s"]));
        assert_eq!((&read[0]["state"], &read[1]["state"]), (&json!("proven"), &json!("unknown")));
        assert_eq!((&read[1]["why"]["code"], &read[1]["token"]), (&json!(code), &json!(hex(token))));
        for key in ["amount", "frozen", "derivation", "formatted"] {
            assert_eq!(read[1][key], Value::Null, "{key}");
        }
    }
}

#[test]
fn an_outage_is_no_zero_of_a_token_and_the_last_amount_stays() {
    let services = Services::new(2, 1);
    let mut command = services.balance();
    command.args(tokens(&[USDC])).args(["-", "--line-by-line", "--json", "--timeout", "5s"]);
    let mut conversation = Conversation::start(&mut command);
    conversation.send_line(&BOB.to_string());
    let before: Vec<Value> =
        (0..2).map(|_| serde_json::from_str(&conversation.read_line()).unwrap()).collect();
    assert_eq!((&before[1]["amount"], &before[1]["frozen"]), (&json!("9"), &json!(true)));
    services.refuse_all_connections();
    std::thread::sleep(Duration::from_secs(2));
    conversation.send_line(&BOB.to_string());
    let during: Vec<Value> =
        (0..2).map(|_| serde_json::from_str(&conversation.read_line()).unwrap()).collect();
    let token = &during[1];
    assert!(schema("reading").is_valid(token), "{token}");
    assert_eq!((&token["state"], &token["amount"]), (&json!("unknown"), &Value::Null));
    let last = &token["last"];
    assert_eq!(
        (&last["amount"], &last["frozen"], &last["token"]),
        (&json!("9"), &json!(true), &json!(hex(USDC)))
    );
    assert_eq!(last["derivation"]["layout"], "FiatTokenV2_2");
    assert_eq!((&last["decimals"], &last["formatted"]), (&Value::Null, &Value::Null));
    assert_eq!(conversation.end().0, 3);
}

#[test]
fn a_lie_about_a_slot_is_no_zero() {
    for lie in [Fault::TruncatedStorageProof { nodes: 0 }, Fault::OtherAccountsProof, Fault::ExtraNodes] {
        let services = Services::new(1, 1);
        services.providers[0].set(lie.clone());
        let read = lines(&run_with(&services, &[ALICE], &[WETH], &["--json", "--timeout", "3s"]));
        assert_eq!((&read[1]["state"], &read[1]["amount"]), (&json!("unknown"), &Value::Null), "{lie:?}");
        assert_eq!(read[1]["why"]["code"], "proofs_refused", "{lie:?}");
    }
}

#[test]
fn the_watch_has_a_line_for_each_token() {
    let services = Services::new(2, 1);
    let mut command = services.balance();
    command.arg(ALICE.to_string()).args(tokens(&[USDC, REVERTS])).args(["--watch", "--json"]);
    let list = list_file(&[(CHAIN, USDC, 6, "USDC")]);
    let mut watch = Conversation::start(command.arg("--token-list").arg(list));
    let schema = schema("change");
    let (mut remembered, mut read) = (0, Vec::new());
    while read.len() < 3 {
        let line: Value = serde_json::from_str(&watch.read_line()).unwrap();
        assert!(schema.is_valid(&line), "{line}");
        match line["change"].as_str().unwrap() {
            "remembered" => remembered += 1,
            "reading" if line["reading"]["why"]["code"] != "unsigned_tip" => read.push(line),
            _ => {}
        }
    }
    watch.kill();
    assert_eq!(remembered, 3, "the coin and two tokens");
    let of = |token: Value| read.iter().find(|line| line["token"] == token).unwrap();
    assert_eq!(of(Value::Null)["reading"]["amount"], ALICE_WEI);
    let usdc = &of(json!(hex(USDC)))["reading"];
    assert_eq!((&usdc["formatted"], &usdc["frozen"]), (&json!("7.25"), &json!(false)));
    assert_eq!(of(json!(hex(REVERTS)))["reading"]["why"]["code"], "not_a_token");

    let mut command = services.balance();
    command.arg(BOB.to_string()).args(tokens(&[USDC])).arg("--watch");
    let mut watch = Conversation::start(&mut command);
    assert!(watch.read_line().contains("nothing is said about other tokens"));
    let frozen =
        "9 base units (its decimals are not known), frozen by the issuer: it cannot be moved, block ";
    let expected = format!("{BOB}  token {USDC}  {frozen}");
    while !watch.read_line().starts_with(&expected) {}
    watch.kill();
}
