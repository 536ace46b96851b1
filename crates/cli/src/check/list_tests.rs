use super::*;

const ALICE: &str = "0x95222290DD7278Aa3Ddd389Cc1E1d165CC4BAfe5";
const TOKEN: &str = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";

fn claims(text: &str) -> Vec<ListedClaim> {
    read(text).unwrap_or_else(|failure| panic!("{failure:?}: {text}"))
}

#[track_caller]
fn assert_refused(text: &str, said: &[&str]) {
    let failure = format!("{:?}", read(text).unwrap_err());
    said.iter().for_each(|words| assert!(failure.contains(words), "{failure}"));
    assert!(!failure.contains("http"), "a line is not repeated: {failure}");
}

#[test]
fn csv_and_json_lines_say_the_same() {
    let wanted = [
        ListedClaim {
            owner: ALICE.parse().unwrap(),
            asset: Asset::Native,
            amount: U256::from(15),
            block: None,
        },
        ListedClaim {
            owner: ALICE.parse().unwrap(),
            asset: Asset::Erc20(TOKEN.parse().unwrap()),
            amount: U256::ZERO,
            block: Some(16),
        },
    ];
    for text in [
        format!("{ALICE},native,15\n{ALICE},{TOKEN},0,16"),
        format!("address,asset,amount,block\r\n{ALICE},ETH,0xf,\r\n{ALICE},{TOKEN},0x0,0x10\r\n"),
        format!(
            "# exported\n\nBlock, Amount, Asset, Address\n,15,native,{ALICE} # Alice\n16,\"0\",{TOKEN},{ALICE}"
        ),
        format!(
            r#"{{"address":"{ALICE}","asset":"native","amount":15}}
{{"amount":"0","asset":"{TOKEN}","block":"0x10","address":"{ALICE}"}}"#
        ),
        format!(
            "{ALICE},native,15\n{{\"address\":\"{ALICE}\",\"asset\":\"{TOKEN}\",\"amount\":\"0\",\"block\":16}}"
        ),
        format!(
            r#"{{"address":"{ALICE}","asset":"eth","amount":"0.000000000000000015 ether","block":null}}
{ALICE},{TOKEN},0,16"#
        ),
    ] {
        assert_eq!(claims(&text), wanted, "{text}");
    }
}

#[test]
fn every_wrong_line_is_named() {
    let text = format!(
        "{ALICE},native,1\n{ALICE},native\n{ALICE},USDC,1\n{ALICE},{TOKEN},1.5\n{ALICE},native,1,-1\nx.eth,native,1"
    );
    let said = ["line 2: ", "line 3: ", "any token", "line 4: ", "line 5: ", "line 6: "];
    assert_refused(&text, &["line 2: a line has three or four fields", "line 3: ", "line 4: ", "line 5: "]);
    let shown = format!("{:?}", read(&text).unwrap_err());
    assert!(!shown.contains("line 1: ") && said.iter().filter(|words| shown.contains(**words)).count() == 5);
    assert_refused(&"x\n".repeat(30), &["line 20: ", "; and 10 more"]);
}

#[test]
fn what_is_not_exactly_a_claim_is_refused() {
    for (text, said) in [
        (String::new(), "no_claims"),
        ("# a remark\n".to_owned(), "no_claims"),
        ("address,asset,amount".to_owned(), "no_claims"),
        (format!("address,asset,amount,decimals\n{ALICE},native,1,18"), "a column other than"),
        (format!("address,asset,amount,amount\n{ALICE},native,1,1"), "once"),
        (format!("address,asset\n{ALICE},native"), "once"),
        (format!("address,asset,amount\n{ALICE},native,1,5"), "as many fields"),
        (format!("{ALICE},native,1\naddress,asset,amount"), "line 2"),
        (format!("{ALICE};native;1"), "three or four"),
        (format!("{ALICE},native,\"1,5\""), "quotation mark"),
        (format!("{ALICE},native,\"1\"\"\""), "quotation mark"),
        (format!("{ALICE},0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE,1"), "Write `native`"),
        (format!("{ALICE},https://node.example/KEY,1"), "not_an_asset"),
        ("https://node.example/KEY,native,1".to_owned(), "not_an_address"),
        (format!("{{\"address\":\"{ALICE}\",\"asset\":\"native\",\"amount\":1e18}}"), "write it as text"),
        (
            format!("{{\"address\":\"{ALICE}\",\"asset\":\"native\",\"amount\":9007199254740993}}"),
            "write it as text",
        ),
        (format!("{{\"address\":\"{ALICE}\",\"asset\":\"native\",\"amount\":null}}"), "neither"),
        (format!("{{\"address\":\"{ALICE}\",\"asset\":\"native\",\"amount\":1,\"amount\":2}}"), "each once"),
        (
            format!("{{\"address\":\"{ALICE}\",\"asset\":\"native\",\"amount\":1,\"url\":\"http://x\"}}"),
            "each once",
        ),
        (format!("{{\"address\":\"{ALICE}\",\"asset\":\"native\"}}"), "each once"),
        (format!("{{\"address\":\"{ALICE}\",\"asset\":\"native\",\"amount\":1"), "each once"),
        (format!("{{\"address\":\"{ALICE}\",\"asset\":7,\"amount\":1}}"), "`asset` is not a text"),
    ] {
        assert_refused(&text, &[said]);
    }
}
