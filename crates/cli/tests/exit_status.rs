//! The exit status: 0 everything is proven, 1 the command failed, 2 usage, 3 try again, 4 the user must act. That of `saldo check`, with 5,
//! is in `claims_of_a_list_are_checked.rs`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::Duration;

use saldo_drill::{BeaconSource, Chain, Fault};

use testbed::{ALICE, BOB, Conversation, Run, Services, UNUSED, network_file, run, saldo, test_chain};

const WRONG_CHECKSUM: &str = "0x95222290dD7278Aa3Ddd389Cc1E1d165CC4BAfe5";
const ROOT: &str = "0x00000000000000000000000000000000000000000000000000000000000000aa";

#[track_caller]
fn assert_usage(run: &Run, code: &str) {
    assert_eq!(run.status, 2, "{run:?}");
    assert_eq!(run.only()["error"]["code"], code, "{run:?}");
    assert_eq!(run.err, "");
}

/// Asserts the status, and the reason's code of the only reading.
#[track_caller]
fn assert_unproven(run: &Run, status: i32, why: &str) {
    assert_eq!((run.status, run.only()["why"]["code"].as_str()), (status, Some(why)), "{run:?}");
}

#[test]
fn zero_everything_is_proven() {
    let services = Services::new(2, 1);
    let addresses = [ALICE, UNUSED, BOB].map(|owner| owner.to_string());
    let addresses = addresses.each_ref().map(String::as_str);
    assert_eq!(services.run(&addresses).status, 0);
    services.providers[0].add(Fault::Refuse);
    assert_eq!(services.run(&addresses).status, 0, "one honest provider is enough");
    let nothing = run(services.balance().args(["-", "--line-by-line"]));
    assert_eq!((nothing.status, nothing.all().trim()), (0, ""), "no address, nothing unproven");
}

#[test]
fn zero_help_and_version() {
    for arguments in [&["--help"][..], &["--version"], &["balance", "--help"], &["help", "network"]] {
        let shown = run(&mut saldo(arguments));
        assert_eq!((shown.status, shown.err.as_str()), (0, ""), "{arguments:?}");
        assert!(!shown.out.is_empty());
    }
}

#[test]
fn one_the_command_failed() {
    let node = BeaconSource::honest(&test_chain().chain);
    let server = test_chain().serve(node.clone());
    let url = server.url();
    let import = || run(&mut saldo(&["network", "import", "--json", "--beacon-url", &url]));
    assert_eq!(import().status, 0);

    node.set(Fault::Html);
    assert_eq!((import().status, import().only()["error"]["code"].as_str()), (1, Some("web_page")));
    node.set(Fault::Refuse);
    std::thread::sleep(Duration::from_millis(100));
    let dead = import();
    assert_eq!((dead.status, dead.only()["error"]["code"].as_str()), (1, Some("connect")), "{dead:?}");
}

#[test]
fn two_wrong_arguments() {
    let services = Services::new(1, 1);
    for (address, code) in [
        (WRONG_CHECKSUM, "wrong_checksum"),
        ("x.eth", "name_not_supported"),
        ("0x1234", "not_an_address"),
        ("https://node.example", "not_an_address"),
    ] {
        assert_usage(&services.run(&["--json", address]), code);
        let good = ALICE.to_string();
        assert_usage(&services.run(&["--json", &good, address]), code);
    }
    assert_usage(&services.run(&["--json", "-", &ALICE.to_string()]), "mixed_addresses");
    for (option, value) in [("--max-age", "5"), ("--timeout", "soon"), ("--timeout", "-1s")] {
        let option = format!("{option}={value}");
        assert_usage(&services.run_for(ALICE, &["--json", &option]), "usage");
    }
    assert_usage(&services.run_for(ALICE, &["--json", "--no-such-option"]), "usage");
    assert_usage(&services.run_for(ALICE, &["--json", "-q", "-v"]), "usage");
    assert_usage(&services.run_for(ALICE, &["--json", "--checkpoint", "0x12"]), "not_a_checkpoint");
    assert_usage(&services.run_for(ALICE, &["--json", "--rpc-url", "ftp://node.example"]), "not_a_url");
    let same_name = services.rpc_urls().remove(0);
    assert_usage(&services.run_for(ALICE, &["--json", "--rpc-url", &same_name]), "setup");
}

#[test]
fn two_missing_arguments() {
    let owner = ALICE.to_string();
    let balance = |options: &[&str]| run(saldo(&["balance", "--json", &owner]).args(options));
    let (rpc, beacon) = (["--rpc-url", "http://127.0.0.1:9"], ["--beacon-url", "http://127.0.0.1:9"]);
    let bare = network_file(&test_chain().chain.network().to_toml()).display().to_string();
    let bare = ["-n", &bare];
    assert_usage(&balance(&bare), "no_provider");
    assert_usage(&balance(&[bare, rpc].concat()), "no_beacon_source");
    assert_usage(&balance(&[bare, rpc, beacon].concat()), "no_checkpoint");
    assert_usage(&balance(&["--providers", "./no-such-file.toml"]), "providers_file");
    let broken = network_file("[[rpc]]\n").display().to_string();
    assert_usage(&balance(&["--providers", &broken]), "providers_file");
    assert_usage(&balance(&["--operators", "0"]), "usage");
    assert_usage(&balance(&["-n", "goerli"]), "unknown_network");
    assert_usage(&balance(&["-n", "./no-such-file.toml"]), "network_file");
    let file = network_file("name = \"x\"").display().to_string();
    assert_usage(&balance(&["-n", &file]), "network_file");
    let text = run(saldo(&["balance", &owner]).args(bare));
    assert_eq!((text.status, text.out.as_str()), (2, ""));
    assert!(text.err.contains("--rpc-url"), "{text:?}");
}

#[test]
fn three_trying_again_may_help() {
    let services = Services::new(2, 1);
    services.providers.iter().for_each(|provider| provider.set(Fault::TruncatedProof { nodes: 1 }));
    assert_unproven(&services.run_for(ALICE, &["--json"]), 3, "proofs_refused");
    services.providers.iter().for_each(|provider| provider.set(Fault::Hang));
    assert_eq!(services.run_for(ALICE, &["--json", "--timeout", "1s"]).status, 3);
    services.providers.iter().for_each(|provider| provider.set(Fault::RateLimited { retry_after: None }));
    assert_unproven(&services.run_for(ALICE, &["--json"]), 3, "rate_limited");
    services.refuse_all_connections();
    assert_unproven(&services.run_for(ALICE, &["--json"]), 3, "all_unreachable");
}

#[test]
fn three_too_old_for_the_asked_age() {
    let services = Services::new(1, 1);
    let aged = services.run_for(ALICE, &["--json", "--finalized", "--max-age", "1s"]);
    assert_unproven(&aged, 3, "only_old_blocks");
    assert_eq!(aged.only()["amount"], serde_json::Value::Null);
}

#[test]
fn four_the_user_must_act() {
    let services = Services::new(2, 1);
    for (fault, why) in [
        (Fault::NoProofs, "nobody_serves_proofs"),
        (Fault::QuotaExhausted, "quota_exhausted"),
        (Fault::Forbidden, "denied"),
        (Fault::OtherChain(Chain::builder(5).chain_id(5).history(8).build()), "wrong_chain"),
    ] {
        services.providers.iter().for_each(|provider| provider.set(fault.clone()));
        let reading = services.run_for(ALICE, &["--json"]);
        assert_eq!(reading.status, 4, "{why}: {reading:?}");
        assert_unproven(&reading, 4, why);
    }
    let unknown = services.run_for(ALICE, &["--json", "--checkpoint", ROOT]);
    assert_unproven(&unknown, 4, "checkpoint_not_served");
}

#[test]
fn four_the_checkpoint_is_too_old() {
    let chain = &test_chain().chain;
    let genesis = chain.block(0).unwrap();
    let file = chain
        .network()
        .to_toml()
        .replace("max_checkpoint_age_epochs = 3532", "max_checkpoint_age_epochs = 2");
    let file = network_file(&file).display().to_string();
    let checkpoint = genesis.beacon_root.to_string();
    let services = Services::new(1, 1);
    let (rpc, beacon) = (services.rpc_urls().remove(0), services.beacon_urls().remove(0));
    let owner = ALICE.to_string();
    let reading = run(&mut saldo(&[
        "balance",
        "--json",
        &owner,
        "-n",
        &file,
        "-r",
        &rpc,
        "--beacon-url",
        &beacon,
        "--checkpoint",
        &checkpoint,
        "--timeout",
        "3s",
    ]));
    assert_unproven(&reading, 4, "checkpoint_too_old");
}

/// One run in which some lines give status 4, some 3 and some 2.
#[test]
fn four_wins_over_three_and_both_over_two() {
    let services = Services::new(1, 1);
    let mut command = services.balance();
    let mut conversation =
        Conversation::start(command.args(["-", "--line-by-line", "--json", "--timeout", "3s"]));
    let mut code_of = |line: &str, pointer: &str| {
        conversation.send_line(line);
        let answer: serde_json::Value = serde_json::from_str(&conversation.read_line()).unwrap();
        answer.pointer(pointer).and_then(|code| code.as_str().map(str::to_owned))
    };
    assert_eq!(code_of("x.eth", "/error/code").as_deref(), Some("name_not_supported"));
    services.providers[0].set(Fault::NoProofs);
    assert_eq!(code_of(&ALICE.to_string(), "/why/code").as_deref(), Some("nobody_serves_proofs"));
    services.providers[0].set(Fault::RateLimited { retry_after: None });
    assert_eq!(code_of(&ALICE.to_string(), "/why/code").as_deref(), Some("rate_limited"));
    assert_eq!(conversation.end().0, 4);

    services.providers[0].clear();
    let mut command = services.balance();
    let mut conversation =
        Conversation::start(command.args(["-", "--line-by-line", "--json", "--timeout", "3s"]));
    conversation.send_line("# a remark, and an empty line\n");
    conversation.send_line("0x12 # no address");
    assert!(conversation.read_line().contains("not_an_address"));
    conversation.send_line(&format!("{ALICE} # and one that is proven"));
    assert!(conversation.read_line().contains("\"proven\""));
    assert_eq!(conversation.end().0, 2, "the line with a wrong address decides the status");
}
