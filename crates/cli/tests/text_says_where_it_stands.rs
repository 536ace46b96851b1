//! The text for people: an amount with its block, age, signers and provider; or why there is none, and what to do.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::process::Command;

use saldo_drill::Fault;

use testbed::{ALICE, BOB, Conversation, Run, Services, UNUSED, network_file, run, saldo, test_chain};

#[track_caller]
fn assert_says(run: &Run, parts: &[&str]) {
    for part in parts {
        assert!(run.out.contains(part), "`{part}` is missing: {run:?}");
    }
    assert!(!run.all().contains('\x1b'), "escape codes, though no terminal: {run:?}");
}

/// The number after `before`.
#[track_caller]
fn number_after(text: &str, before: &str) -> u64 {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no `{before}`: {text}"));
    rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn a_proven_amount() {
    let chain = &test_chain().chain;
    let before = chain.signed().number;
    let reading = Services::new(2, 1).run_for(ALICE, &[]);
    assert_eq!((reading.status, reading.err.as_str()), (0, ""));
    assert_says(
        &reading,
        &[&format!("{ALICE}  1.5 ether\n"), " s old, signed by ", " of 32, served by anna"],
    );
    let number = number_after(&reading.out, "block ");
    assert!((before..=chain.signed().number).contains(&number), "{reading:?}");
    let age = number_after(&reading.out, &format!("block {number}, "));
    assert!(age < 60, "{reading:?}");
    assert!((22..=32).contains(&number_after(&reading.out, "signed by ")));
}

#[test]
fn a_proven_zero() {
    let reading = Services::new(1, 1).run_for(UNUSED, &[]);
    assert_says(&reading, &[&format!("{UNUSED}  0 ether\n"), "signed by"]);
}

#[test]
fn a_finalized_amount() {
    let reading = Services::new(1, 1).run_for(ALICE, &["--finalized"]);
    assert_eq!(reading.status, 0, "{reading:?}");
    assert_says(&reading, &["1.5 ether", ", finalized", "served by anna"]);
    let number = number_after(&reading.out, "block ");
    assert!(number <= test_chain().chain.finalized().number, "{reading:?}");
}

#[test]
fn verbose_adds_the_attempts_and_the_trust_start() {
    let services = Services::new(1, 1);
    let reading = services.run_for(ALICE, &["-v"]);
    assert_says(
        &reading,
        &["anna: its proof joined a trusted header (", "nonce 0", "trust starts from checkpoint 0x"],
    );
    assert!(reading.err.contains("head.signed"), "the log: {reading:?}");
    assert!(!services.run_for(ALICE, &[]).all().contains("checkpoint"));
}

#[test]
fn unknown_says_the_reason_the_attempts_and_the_next_step() {
    let services = Services::new(3, 1);
    services.providers[0].set(Fault::Status(500));
    services.providers[1].set(Fault::TruncatedProof { nodes: 1 });
    services.providers[2].set(Fault::Html);
    let reading = services.run_for(ALICE, &[]);
    assert_eq!(reading.status, 3, "{reading:?}");
    assert_says(
        &reading,
        &[
            &format!("{ALICE}  unknown: answers came, but none of them proves anything\n"),
            "\n  anna: HTTP 500 (",
            "\n  bert: proof refused: ",
            "\n  cleo: answered with a web page (",
            "\n  Do not trust these providers; add one run by another operator.\n",
            "nothing was proven before: the amount is not known (it is not 0)",
        ],
    );
    assert!(!reading.out.contains(" ether"), "no amount is shown if none is known: {reading:?}");
}

#[test]
fn provisional_names_the_claim_and_its_provider() {
    let services = Services::new(1, 1);
    services.providers[0].set_proof_window(0);
    let reading = services.run_for(ALICE, &["--no-wait"]);
    assert_eq!(reading.status, 3, "{reading:?}");
    assert_says(
        &reading,
        &[
            &format!("{ALICE}  provisional: the sync committee has not signed the block yet\n"),
            "claimed by anna, not proven: 1.5 ether",
            "anna: its proof waits for its block to be signed or vouched for (",
        ],
    );
    let zero = services.run_for(UNUSED, &["--no-wait"]);
    assert_says(&zero, &["provisional: "]);
    assert!(!zero.out.contains("ether"), "zero is not shown on a claim: {zero:?}");
}

#[test]
fn the_last_amount_is_still_shown() {
    let services = Services::new(1, 1);
    let mut command = services.balance();
    let mut conversation = Conversation::start(command.args(["-", "--line-by-line", "--timeout", "3s"]));
    conversation.send_line(&ALICE.to_string());
    assert_eq!(conversation.read_line(), format!("{ALICE}  1.5 ether"));
    assert!(conversation.read_line().contains("signed by"));
    services.refuse_all_connections();
    std::thread::sleep(std::time::Duration::from_secs(2));
    conversation.send_line(&ALICE.to_string());
    let (status, said) = conversation.end();
    assert_eq!(status, 3);
    assert!(said.contains(&format!("{ALICE}  unknown: no provider could be reached")), "{said}");
    assert!(said.contains("\n  last proven: 1.5 ether, block "), "{said}");
    assert!(said.contains(" s old, signed by "), "{said}");
}

#[test]
fn several_addresses_keep_their_order_and_quiet_is_one_line_each() {
    let services = Services::new(2, 1);
    let owners = [BOB, UNUSED, ALICE, BOB].map(|owner| owner.to_string());
    let mut arguments: Vec<&str> = owners.iter().map(String::as_str).collect();
    arguments.push("-q");
    let expected = format!("{BOB}  0.7 ether\n{UNUSED}  0 ether\n{ALICE}  1.5 ether\n{BOB}  0.7 ether\n");
    let reading = services.run(&arguments);
    assert_eq!((reading.out, reading.err.as_str()), (expected, ""));

    services.refuse_all_connections();
    let reading = services.run_for(ALICE, &["-q"]);
    assert_eq!(
        (reading.out, reading.err),
        (format!("{ALICE}  unknown: no provider could be reached\n"), String::new())
    );
}

#[test]
fn standard_input_is_read_to_its_end() {
    use std::io::Write;
    use std::process::Stdio;

    let services = Services::new(1, 1);
    let mut command = services.balance();
    let mut child = command
        .args(["-", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lower = BOB.to_string().to_lowercase();
    write!(child.stdin.take().unwrap(), "# owners\n\n{ALICE}\n  {lower}   # Bob\n{UNUSED}").unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out, format!("{ALICE}  1.5 ether\n{BOB}  0.7 ether\n{UNUSED}  0 ether\n"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn no_color_is_honoured_and_only_terminals_get_colours() {
    let services = Services::new(1, 1);
    for value in ["", "1"] {
        let reading = run(services.balance().arg(ALICE.to_string()).env("NO_COLOR", value));
        assert_says(&reading, &["1.5 ether"]);
    }
    // `script` gives the command a terminal, if this machine has `script`.
    let at_a_terminal = |no_color: bool| {
        let mut line = Command::new("script");
        let command = services.balance();
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        line.args(["-qec", &format!("{} {ALICE} -q", words.join(" ")), "/dev/null"]);
        line.env_remove("NO_COLOR").stdin(std::process::Stdio::null());
        if no_color {
            line.env("NO_COLOR", "1");
        }
        line.output().ok().map(|output| String::from_utf8(output.stdout).unwrap())
    };
    let Some(coloured) = at_a_terminal(false) else {
        assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "must not be skipped in CI");
        println!("skipped: no `script` on this machine to give the command a terminal");
        return;
    };
    assert!(coloured.contains("\x1b[32m1.5 ether\x1b[0m"), "{coloured:?}");
    let plain = at_a_terminal(true).unwrap();
    assert!(plain.contains("1.5 ether") && !plain.contains('\x1b'), "{plain:?}");
}

#[test]
fn settings_come_from_the_environment_and_options_win() {
    let services = Services::new(2, 1);
    let network = test_chain().chain.network();
    let file = network_file(&network.to_toml());
    let (rpc, beacon) = (services.rpc_urls(), services.beacon_urls().remove(0));
    let checkpoint = test_chain().chain.checkpoint().to_string();
    let owner = ALICE.to_string();
    let from_environment = || {
        let mut command = saldo(&["balance", "-q", &owner]);
        command
            .env("SALDO_NETWORK", &file)
            .env("ETH_RPC_URL", rpc.join(" , "))
            .env("SALDO_BEACON_URL", &beacon)
            .env("SALDO_CHECKPOINT", &checkpoint);
        command
    };
    let right = format!("{ALICE}  1.5 ether\n");
    assert_eq!(run(&mut from_environment()).out, right);
    services.providers[0].set(Fault::Refuse);
    assert_eq!(run(&mut from_environment()).out, right, "the second URL of the list is asked too");
    services.providers[0].clear();

    // Each variable has a wrong value in turn: alone it is used, beside its option it is not.
    let nowhere = "http://127.0.0.1:9";
    let whole = file.display().to_string();
    for (variable, wrong, option, value) in [
        ("SALDO_NETWORK", "no-such-network", "--network", whole.as_str()),
        ("ETH_RPC_URL", nowhere, "--rpc-url", rpc[0].as_str()),
        ("SALDO_BEACON_URL", nowhere, "--beacon-url", beacon.as_str()),
        ("SALDO_CHECKPOINT", "0x12", "--checkpoint", checkpoint.as_str()),
    ] {
        let used = run(from_environment().env(variable, wrong).args(["--timeout", "3s"]));
        assert_ne!(used.status, 0, "{variable}: {used:?}");
        let overruled = run(from_environment().env(variable, wrong).args([option, value]));
        assert_eq!(overruled.out, right, "{variable}: {overruled:?}");
    }

    // An empty variable counts as not set.
    let empty = run(from_environment().env("ETH_RPC_URL", " ").args(["--json"]));
    assert_eq!(empty.only()["error"]["code"], "no_provider");
    // A list in a variable can also give names.
    let named = run(from_environment().args(["--json"]));
    assert_eq!(named.only()["provider"], "anna");
}
