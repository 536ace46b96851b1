//! `saldo check`: each claim of a list has a verdict, a second run goes on after the first, and the exit status tells.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed check ends the test"
)]

mod testbed;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use saldo::U256;
use saldo_drill::Fault;
use serde_json::{Value, json};

use testbed::schema::{assert_follows, schema};
use testbed::token::WETH;
use testbed::{ALICE, ALICE_WEI, BOB, Run, Services, UNUSED, network_file, run, saldo, test_chain};

/// `saldo check` of a file with this text.
fn check(services: &Services, list: &str) -> Command {
    let mut command = services.command("check");
    command.arg(network_file(list));
    command
}

/// Runs it with `--json`, and checks each line against the schema.
#[track_caller]
fn checked(services: &Services, list: &str, options: &[&str]) -> Run {
    let done = run(check(services, list).arg("--json").args(options));
    let schema = schema("verdict");
    for line in done.json() {
        assert_follows(&schema, &line);
        let is_checked = line.get("error").is_none() && line["verdict"] != "not_checked";
        assert_eq!(line["proven"].is_object(), is_checked, "{line}");
    }
    done
}

fn codes(lines: &[Value]) -> Vec<String> {
    lines.iter().map(|line| line["verdict"].as_str().unwrap_or("none").to_owned()).collect()
}

#[test]
fn each_claim_has_a_verdict() {
    let services = Services::new(2, 1);
    let list = format!("address,asset,amount,block\n{ALICE},native,1.5 ether,\n{BOB},native,0.7 ether\n");
    let refused = run(check(&services, &list).arg("--json"));
    assert_eq!(refused.status, 2, "a line with a field too few: {refused:?}");
    let list = format!(
        "{ALICE},native,1.5 ether\n{ALICE},native,0x0\n{UNUSED},eth,0\n{ALICE},{WETH},5\n{BOB},{UNUSED},0\n"
    );
    let done = checked(&services, &list, &[]);
    let lines = done.json();
    assert_eq!(
        codes(&lines),
        ["confirmed", "different", "confirmed", "confirmed", "not_checked"],
        "{done:?}"
    );
    assert_eq!(done.status, 5, "different wins over not checked");
    assert_eq!(lines[0]["proven"]["amount"], ALICE_WEI);
    assert_eq!((&lines[1]["claimed"], &lines[1]["claim"]["amount"]), (&json!("0"), &json!("0")));
    assert_eq!(lines[4]["claimed"], Value::Null, "an unchecked zero is not repeated as an amount");
    assert_eq!(lines[4]["why"]["code"], "not_a_token");
}

#[test]
fn a_claim_that_was_right_at_its_block_has_changed() {
    let services = Services::new(1, 1);
    let chain = &test_chain().chain;
    let holder = saldo::Address::repeat_byte(0xc7);
    chain.set_balance(holder, U256::from(5));
    std::thread::sleep(std::time::Duration::from_secs(4));
    let block = chain.signed().number;
    assert_eq!(chain.balance_at(block, holder), Some(U256::from(5)));
    chain.set_balance(holder, U256::from(6));
    std::thread::sleep(std::time::Duration::from_secs(4));
    let list = format!(
        "{holder},native,5,{block}\n{holder},native,4,{block}\n{holder},native,6,{block}\n{holder},native,5"
    );
    let done = checked(&services, &list, &[]);
    assert_eq!(codes(&done.json()), ["changed", "different", "confirmed", "different"], "{done:?}");
    assert_eq!(done.json()[0]["at"]["number"], block);
    let right = checked(&services, &format!("{holder},native,5,{block}"), &[]);
    assert_eq!(right.status, 0, "{right:?}");
    let text = run(&mut check(&services, &list));
    assert!(
        text.out
            .contains(&format!("changed      {holder}  0.000000000000000005 ether at block {block}, now")),
        "{text:?}"
    );
    assert!(text.out.contains("1 confirmed, 1 changed since, 2 different, 0 not checked"), "{text:?}");
}

#[test]
fn the_exit_status_tells() {
    let services = Services::new(1, 1);
    let status = |list: &str| run(&mut check(&services, list)).status;
    assert_eq!(status(&format!("{ALICE},native,{ALICE_WEI}")), 0);
    assert_eq!(status(&format!("{ALICE},native,1")), 5);
    assert_eq!(status(&format!("{ALICE},native,1,{}", u64::MAX)), 3);
    assert_eq!(status(&format!("{ALICE},{UNUSED},0")), 4, "no token: the user must act");
    assert_eq!(status("x,native,1"), 2);
    assert_eq!(run(&mut saldo(&["check", "./no-such-file.csv"])).status, 2);
    services.refuse_all_connections();
    let down = run(&mut check(&services, &format!("{UNUSED},native,0")));
    assert_eq!(down.status, 3, "{down:?}");
    assert!(down.out.contains("not checked  "), "{down:?}");
    assert!(down.out.contains("0 ether is claimed: no provider could be reached"), "{down:?}");
}

#[test]
fn a_list_on_standard_input_is_read_too() {
    let services = Services::new(1, 1);
    let path =
        network_file(&format!("{{\"address\":\"{ALICE}\",\"asset\":\"native\",\"amount\":\"{ALICE_WEI}\"}}"));
    let mut command = services.command("check");
    let done = run(command.arg("-").stdin(fs::File::open(path).unwrap()));
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.out.starts_with("confirmed    "), "{done:?}");
    let quiet = run(check(&services, &format!("{ALICE},native,{ALICE_WEI}")).arg("--quiet"));
    assert_eq!(quiet.out, "1 confirmed, 0 changed since, 0 different, 0 not checked\n");
}

/// A path that no other test uses, without a file.
fn fresh_path() -> PathBuf {
    let path = network_file("");
    fs::remove_file(&path).unwrap();
    path
}

fn lines_of(path: &PathBuf) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_list_that_is_no_text_or_has_a_wrong_line_is_refused_whole() {
    let services = Services::new(1, 1);
    let refused = |bytes: &[u8]| {
        let path = network_file("");
        fs::write(&path, bytes).unwrap();
        let mut command = saldo(&["check", "--json", "--rpc-url", "http://127.0.0.1:9"]);
        let done = run(command.arg(path));
        assert_eq!(done.status, 2, "{done:?}");
        done.only()["error"].clone()
    };
    let latin1 = refused(&[format!("{ALICE},native,1 # caf").as_bytes(), b"\xe9\n"].concat());
    assert_eq!(latin1["code"], "input_not_text");
    assert!(latin1["detail"].as_str().unwrap().contains("line 1"), "{latin1}");
    let wrong = refused(format!("{ALICE},native,1\n{ALICE},native,1.5\nx,native,1\n").as_bytes());
    assert_eq!(wrong["code"], "not_an_amount");
    let detail = wrong["detail"].as_str().unwrap();
    assert!(detail.contains("line 2: ") && detail.contains("; line 3: "), "{detail}");
    assert_eq!(refused(b"")["code"], "no_claims");
    assert_eq!(refused(&vec![b'\n'; (8 << 20) + 1])["code"], "input_too_large");
    let utf16: Vec<u8> =
        format!("\u{feff}{ALICE},native,{ALICE_WEI}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let path = network_file("");
    fs::write(&path, utf16).unwrap();
    assert_eq!(run(services.command("check").arg(path)).status, 0);
}

#[test]
fn a_second_run_goes_on_after_the_first() {
    let services = Services::new(1, 1);
    let path = fresh_path();
    let output = ["--output", path.to_str().unwrap()];
    let first = format!("{ALICE},native,{ALICE_WEI}\n{BOB},native,1\n{ALICE},native,1,{}\n", u64::MAX);
    let one = checked(&services, &first, &output);
    assert_eq!((one.status, lines_of(&path).len()), (5, 3), "{one:?}");
    // The line that a stopped run did not finish does not count.
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"at\":null,\"attem");
    fs::write(&path, text).unwrap();
    let second = format!("{first}{UNUSED},native,0\n");
    let two = checked(&services, &second, &output);
    assert_eq!(two.status, 5, "what the file says counts: {two:?}");
    let asked: Vec<Value> = two.json().iter().map(|line| line["claim"]["address"].clone()).collect();
    assert_eq!(asked.len(), 2, "the claim that was not checked, and the new one: {two:?}");
    assert_eq!(lines_of(&path).len(), 5);
    // Nothing is asked if everything is there.
    let settled = format!("{ALICE},native,{ALICE_WEI}\n{UNUSED},native,0\n");
    services.refuse_all_connections();
    let three = run(check(&services, &settled).args(output));
    assert_eq!(
        (three.status, three.out.as_str()),
        (0, "2 confirmed, 0 changed since, 0 different, 0 not checked (2 of them by the file)\n"),
        "{three:?}"
    );
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let services = Services::new(1, 1);
    let list = format!("{ALICE},native,{ALICE_WEI}");
    for content in ["private notes", "private notes\n", "{\"schema\":\"other\"}\n", "\u{0}\n{"] {
        let path = network_file(content);
        let done = checked(&services, &list, &["--output", path.to_str().unwrap()]);
        assert_eq!(
            (done.status, &done.only()["error"]["code"]),
            (2, &json!("output_file")),
            "{content}: {done:?}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    let folder = checked(&services, &list, &["--output", "/tmp"]);
    assert_eq!(folder.only()["error"]["code"], "output_file");
}

#[test]
fn ten_thousand_claims_are_checked_in_portions() {
    let services = Services::new(1, 1);
    let claims = (1..=10_000_u32).map(|number| format!("0x{number:040x},native,0\n"));
    let list: String = claims.collect();
    let path = fresh_path();
    let mut command = services.command("check");
    command.arg(network_file(&list)).args(["--timeout", "60s", "--quiet", "--output"]).arg(&path);
    let done = run(&mut command);
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(lines_of(&path).len(), 10_000);
    assert!(done.out.starts_with("10000 confirmed"), "{done:?}");
}

#[test]
fn a_liar_confirms_nothing() {
    let services = Services::new(1, 1);
    for fault in
        [Fault::ZeroBalance, Fault::TruncatedProof { nodes: 1 }, Fault::NoProofs, Fault::OtherAccountsProof]
    {
        services.providers[0].set(fault.clone());
        let done = checked(&services, &format!("{ALICE},native,0"), &["--timeout", "2s"]);
        assert_ne!(codes(&done.json()), ["confirmed"], "{fault:?}: {done:?}");
        assert_ne!(done.status, 0);
    }
}

#[test]
fn with_finality_a_newer_claim_is_not_checked() {
    let services = Services::new(1, 1);
    let newest = test_chain().chain.signed().number;
    let list = format!("{ALICE},native,1,{newest}\n{ALICE},native,{ALICE_WEI}\n");
    let done = checked(&services, &list, &["--finalized", "--timeout", "2s"]);
    let lines = done.json();
    assert_eq!(codes(&lines), ["not_checked", "confirmed"], "{done:?}");
    assert_eq!(lines[0]["why"]["code"], "only_old_blocks");
    assert_eq!(lines[1]["proven"]["block"]["assurance"], "finalized");
}
