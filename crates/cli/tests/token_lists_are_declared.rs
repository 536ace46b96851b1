//! `saldo balance --token-list`: what a list declares is said to be declared.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use saldo::Address;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use serde_json::{Value, json};

use testbed::token::{BROKEN, CLONE, USDC, WETH};
use testbed::token_runs::{CHAIN, hex, lines, list, list_file, run_with};
use testbed::{ALICE, Services, UNUSED, network_file, run, saldo, test_chain};

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
