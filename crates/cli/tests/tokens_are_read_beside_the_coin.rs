//! `saldo balance --token` and `--token-list`: tokens beside the native coin, each with how its amount was derived, or why it is not
//! known. What a list declares is said to be declared.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::path::PathBuf;
use std::time::Duration;

use jsonschema::{Registry, Validator};
use saldo::Address;
use saldo_drill::Fault;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use serde_json::{Value, json};

use testbed::token::{
    BROKEN, CLONE, ENDLESS, OLD_USDT, REVERTS, RUN, RUN_CODE, USDC, USDC_CODE, USDC_CODE_HASH, WETH,
    WETH_CODE_HASH,
};
use testbed::{
    ALICE, ALICE_WEI, BOB, Conversation, Run, Services, UNUSED, network_file, run, saldo, test_chain,
};

fn schema(name: &str) -> Validator {
    let read = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let reading = read(include_str!("../../../docs/saldo.reading-1.schema.json"));
    let change = read(include_str!("../../../docs/saldo.change-1.schema.json"));
    let registry = Registry::new().add("urn:saldo:reading:1", reading).unwrap();
    let registry = registry.add("urn:saldo:change:1", change).unwrap().prepare().unwrap();
    let root = json!({ "$ref": format!("urn:saldo:{name}:1") });
    jsonschema::draft202012::options().with_registry(&registry).build(&root).unwrap()
}

/// The lines of a run, each checked against the schema.
#[track_caller]
fn lines(run: &Run) -> Vec<Value> {
    let schema = schema("reading");
    for line in run.json() {
        let errors: Vec<String> = schema.iter_errors(&line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}: {line}");
    }
    run.json()
}

fn hex(address: Address) -> String {
    format!("{address:#x}")
}

fn tokens(tokens: &[Address]) -> Vec<String> {
    tokens.iter().flat_map(|token| ["--token".to_owned(), token.to_string()]).collect()
}

fn run_with(services: &Services, owners: &[Address], of: &[Address], options: &[&str]) -> Run {
    let owners = owners.iter().map(ToString::to_string);
    run(services.balance().args(owners).args(tokens(of)).args(options))
}

/// Writes a token list with these entries: chain id, contract, decimals and symbol.
fn list(entries: &[(u64, Address, u8, &str)]) -> Value {
    let entry = |(chain, address, decimals, symbol): &(u64, Address, u8, &str)| json!({ "chainId": chain, "address": address.to_string(), "decimals": decimals, "symbol": symbol, "name": "A token" });
    let tokens: Vec<Value> = entries.iter().map(entry).collect();
    json!({ "name": "A list", "timestamp": "2026-01-01T00:00:00Z", "tokens": tokens })
}

fn list_file(entries: &[(u64, Address, u8, &str)]) -> PathBuf {
    network_file(&list(entries).to_string())
}

const CHAIN: u64 = 31_337;

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

#[test]
fn a_list_gives_tokens_symbols_and_decimals_and_says_that_they_are_declared() {
    let services = Services::new(2, 1);
    let list = list_file(&[
        (CHAIN, USDC, 6, "USDC"),
        (1, Address::repeat_byte(0x77), 6, "FAR"),
        (CHAIN, WETH, 18, "WETH"),
        (10, USDC, 6, "FAR"),
        (CHAIN, USDC, 6, "USDC"),
    ]);
    let list = list.to_str().unwrap();
    let read = lines(&run_with(&services, &[ALICE], &[WETH], &["--json", "--token-list", list]));
    let seen: Vec<_> = read.iter().map(|line| (line["token"].clone(), line["formatted"].clone())).collect();
    let expected = [
        (Value::Null, json!("1.5")),
        (json!(hex(WETH)), json!("0.000000000000000005")),
        (json!(hex(USDC)), json!("7.25")),
    ];
    assert_eq!(seen, expected, "a token of both is read once, and those that were named come first");
    assert_eq!(read[2]["symbol"], json!({ "text": "USDC", "from": "list", "flaws": [] }));
    assert_eq!((&read[2]["decimals"], &read[2]["decimals_from"]), (&json!(6), &json!("list")));
    assert_eq!(
        read[0]["coverage"],
        json!({ "native": true, "tokens": 2, "other_networks": 2, "skipped": 1 })
    );
    let text = run_with(&services, &[ALICE], &[], &["--token-list", list]);
    for part in [
        &format!("{ALICE}  token {USDC}  7.25 USDC (as the token list declares it)\n"),
        "looked at the native coin and 2 tokens for each address: nothing is said about other tokens; entries of the list of \
         other networks: 2; entries of the list not readable, or there twice: 1\n",
    ] {
        assert!(text.out.contains(part), "`{part}` is missing: {}", text.out);
    }
    let elsewhere = list_file(&[(1, USDC, 6, "USDC")]);
    let elsewhere = run_with(&services, &[ALICE], &[], &["--token-list", elsewhere.to_str().unwrap()]);
    assert_eq!(elsewhere.status, 0, "{elsewhere:?}");
    assert!(elsewhere.out.contains("the native coin and 0 tokens"), "{}", elsewhere.out);
}

#[test]
fn a_hostile_symbol_is_marked_and_the_contract_stands_beside_it() {
    let services = Services::new(1, 1);
    let list = list_file(&[
        (CHAIN, USDC, 6, "USDC"),
        (CHAIN, WETH, 18, "USD\u{421}"),
        (CHAIN, CLONE, 0, "\u{202e}000 E\u{200b}TH"),
        (CHAIN, BROKEN, 255, &"A".repeat(1_000)),
    ]);
    let read = run_with(&services, &[ALICE], &[], &["--json", "--token-list", list.to_str().unwrap()]);
    let read = lines(&read);
    let flaws = |place: usize| read[place]["symbol"]["flaws"].clone();
    assert_eq!(flaws(1), json!(["look_alike"]));
    assert_eq!(flaws(2), json!(["not_ascii", "look_alike"]));
    assert_eq!(
        (flaws(3), &read[3]["symbol"]["text"]),
        (json!(["invisible", "direction"]), &json!("000 ETH"))
    );
    assert_eq!(flaws(4), json!(["too_long"]));
    let text = run_with(&services, &[ALICE], &[], &["--token-list", list.to_str().unwrap()]);
    assert!(!text.out.contains(['\u{202e}', '\u{200b}']), "{}", text.out);
    assert!(
        text.out.contains(&format!("token {CLONE}  8 \"000 ETH\" (as the token list declares it)\n")),
        "{}",
        text.out
    );
    assert!(
        text.out.contains("\n  do not trust the symbol: another token has a symbol that looks the same\n"),
        "{}",
        text.out
    );
    assert!(text.out.contains("it had characters that turn text around"), "{}", text.out);
}

/// Serves one answer to every request of a list.
#[derive(Clone)]
struct Lists(Reaction);

impl Service for Lists {
    fn answer(&self, _: &HttpRequest) -> Reaction {
        self.0.clone()
    }

    fn refuses(&self) -> bool {
        self.0 == Reaction::Refuse
    }
}

#[test]
fn a_list_comes_from_a_url_in_time_and_within_its_limit_or_not_at_all() {
    let services = Services::new(1, 1);
    let served = |reaction: Reaction| test_chain().serve(Lists(reaction));
    let right = Reply::json(200, &list(&[(CHAIN, USDC, 6, "USDC")]));
    let moved = Reply::new(302, "text/html", "").header("location", "https://elsewhere.example/SECRET");
    let large = Reply::new(200, "application/json", vec![b' '; (8 << 20) + 1]);
    for (reaction, status, code) in [
        (Reaction::Reply(right.clone()), 0, None),
        (Reaction::Reply(moved), 1, Some("moved")),
        (Reaction::Reply(Reply::new(404, "text/html", "SECRET")), 1, Some("http")),
        (Reaction::Reply(Reply::new(200, "text/html", "<html>SECRET</html>")), 2, Some("token_list")),
        (Reaction::Reply(large), 1, Some("unreachable")),
        (Reaction::Hang, 1, Some("unreachable")),
        (Reaction::Reset { reply: right, after: 10 }, 1, Some("unreachable")),
    ] {
        let server = served(reaction.clone());
        let url = format!("{}/SECRET/list.json", server.url());
        let options = ["--json", "--timeout", "3s", "--token-list", url.as_str()];
        let read = run_with(&services, &[ALICE], &[], &options);
        assert_eq!(read.status, status, "{code:?}: {read:?}");
        match code {
            Some(code) => assert_eq!(read.only()["error"]["code"], code, "{read:?}"),
            None => assert_eq!(lines(&read).len(), 2),
        }
        assert!(!read.all().contains("SECRET"), "{read:?}");
    }
}

#[test]
fn wrong_tokens_and_lists_are_usage_errors_that_repeat_no_url() {
    let refused = |arguments: &[&str]| {
        let run = run(saldo(&["balance", "--json"]).arg(ALICE.to_string()).args(arguments));
        assert_eq!((run.status, run.err.as_str()), (2, ""), "{run:?}");
        run.only()["error"].clone()
    };
    let address = WETH.to_string();
    for (arguments, code, said) in [
        (&["--token", "USDC"][..], "not_an_address", "--token number 1: "),
        (&["--token", &address, "--token", "0x12"], "not_an_address", "--token number 2: "),
        (&["--token", "0x95222290dD7278Aa3Ddd389Cc1E1d165CC4BAfe5"], "wrong_checksum", "--token number 1: "),
        (&["--token", "0x0000000000000000000000000000000000000000"], "native_coin", "--token number 1: "),
        (&["--token", "https://host.example/SECRET"], "not_an_address", "--token number 1: "),
        (&["--tokens", &address], "usage", "unexpected argument"),
        (&["--token-list", "http://host.example/SECRET"], "not_a_url", "must be https"),
        (&["--token-list", "ftp://host.example/SECRET"], "not_a_url", "http or https"),
        (&["--token-list", "https://"], "not_a_url", "--token-list: "),
        (&["--token-list", "/no/such/SECRET"], "token_list", "cannot be read"),
        (&["--token-list", "/"], "token_list", "it is a folder"),
    ] {
        let error = refused(arguments);
        assert_eq!(error["code"], code, "{arguments:?}: {error}");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains(said) && !error.to_string().contains("SECRET"), "{error}");
    }
    let similar = run(&mut saldo(&["balance", &address, "--tokens", &address]));
    assert!(similar.err.contains("a similar argument exists: '--token'"), "{similar:?}");
    for text in ["SECRET", "[]", r#"{"tokens": "SECRET"}"#] {
        let file = network_file(text);
        let error = refused(&["--token-list", file.to_str().unwrap()]);
        assert_eq!(error["code"], "token_list");
        assert!(!error.to_string().contains("SECRET"), "{error}");
    }
    let many: Vec<_> = (0..1_001_u64)
        .map(|number| (CHAIN, Address::left_padding_from(&(number + 7).to_be_bytes()), 6, "MANY"))
        .collect();
    let many = list_file(&many);
    let run = Services::new(1, 1).run_for(UNUSED, &["--json", "--token-list", many.to_str().unwrap()]);
    assert_eq!((run.status, &run.only()["error"]["code"]), (2, &json!("too_many_tokens")), "{run:?}");
}
