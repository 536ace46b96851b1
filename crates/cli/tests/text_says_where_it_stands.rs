//! What people read: the amount with its block, age, signers and source; or why there is none, and what to do.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what goes wrong here is a failed test"
)]

mod stage;

use std::process::Command;

use saldo_drill::Fault;

use stage::{ALICE, BOB, Cast, Conversation, NOBODY, Run, network_file, run, saldo, world};

#[track_caller]
fn assert_says(run: &Run, parts: &[&str]) {
    for part in parts {
        assert!(run.out.contains(part), "`{part}` is missing: {run:?}");
    }
    assert!(!run.all().contains('\x1b'), "escape codes, though no terminal: {run:?}");
}

/// The number that stands after `before` on some line.
#[track_caller]
fn number_after(text: &str, before: &str) -> u64 {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no `{before}`: {text}"));
    rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn a_proven_amount() {
    let chain = &world().chain;
    let before = chain.signed().number;
    let reading = Cast::new(2, 1).run_for(ALICE, &[]);
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
    let reading = Cast::new(1, 1).run_for(NOBODY, &[]);
    assert_says(&reading, &[&format!("{NOBODY}  0 ether\n"), "signed by"]);
}

#[test]
fn a_finalized_amount() {
    let reading = Cast::new(1, 1).run_for(ALICE, &["--finalized"]);
    assert_eq!(reading.status, 0, "{reading:?}");
    assert_says(&reading, &["1.5 ether", ", finalized", "served by anna"]);
    let number = number_after(&reading.out, "block ");
    assert!(number <= world().chain.finalized().number, "{reading:?}");
}

#[test]
fn verbose_adds_who_was_asked_and_what_trust_starts_from() {
    let cast = Cast::new(1, 1);
    let reading = cast.run_for(ALICE, &["-v"]);
    assert_says(
        &reading,
        &["anna: its proof joined a signed header (", "nonce 0", "trust starts from checkpoint 0x"],
    );
    assert!(reading.err.contains("head.signed"), "the log: {reading:?}");
    assert!(!cast.run_for(ALICE, &[]).all().contains("checkpoint"));
}

#[test]
fn unknown_says_why_who_and_what_next() {
    let cast = Cast::new(3, 1);
    cast.providers[0].set(Fault::Status(500));
    cast.providers[1].set(Fault::TruncatedProof { nodes: 1 });
    cast.providers[2].set(Fault::Html);
    let reading = cast.run_for(ALICE, &[]);
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
    assert!(!reading.out.contains(" ether"), "no amount where none is known: {reading:?}");
}

#[test]
fn provisional_says_who_claims_what() {
    let cast = Cast::new(1, 1);
    let _same = cast.providers[0].clone().proof_window(0);
    let reading = cast.run_for(ALICE, &["--no-wait"]);
    assert_eq!(reading.status, 3, "{reading:?}");
    assert_says(
        &reading,
        &[
            &format!("{ALICE}  provisional: proven at a block that the sync committee has not signed yet\n"),
            "claimed by anna, not proven: 1.5 ether",
            "anna: its proof waits for the committee to sign the block (",
        ],
    );
    let zero = cast.run_for(NOBODY, &["--no-wait"]);
    assert_says(&zero, &["provisional: "]);
    assert!(!zero.out.contains("ether"), "zero is not shown on a claim: {zero:?}");
}

#[test]
fn the_last_amount_stays_in_sight() {
    let cast = Cast::new(1, 1);
    let mut command = cast.balance();
    let mut conversation = Conversation::start(command.args(["-", "--timeout", "3s"]));
    conversation.tell(&ALICE.to_string());
    assert_eq!(conversation.hear(), format!("{ALICE}  1.5 ether"));
    assert!(conversation.hear().contains("signed by"));
    cast.take_everything_away();
    std::thread::sleep(std::time::Duration::from_secs(2));
    conversation.tell(&ALICE.to_string());
    let (status, said) = conversation.end();
    assert_eq!(status, 3);
    assert!(said.contains(&format!("{ALICE}  unknown: no provider could be reached")), "{said}");
    assert!(said.contains("\n  last proven: 1.5 ether, block "), "{said}");
    assert!(said.contains(" s old, signed by "), "{said}");
}

#[test]
fn several_addresses_keep_their_order_and_quiet_is_one_line_each() {
    let cast = Cast::new(2, 1);
    let owners = [BOB, NOBODY, ALICE, BOB].map(|owner| owner.to_string());
    let mut arguments: Vec<&str> = owners.iter().map(String::as_str).collect();
    arguments.push("-q");
    let expected = format!("{BOB}  0.7 ether\n{NOBODY}  0 ether\n{ALICE}  1.5 ether\n{BOB}  0.7 ether\n");
    let reading = cast.run(&arguments);
    assert_eq!((reading.out, reading.err.as_str()), (expected, ""));

    cast.take_everything_away();
    let reading = cast.run_for(ALICE, &["-q"]);
    assert_eq!(
        (reading.out, reading.err),
        (format!("{ALICE}  unknown: no provider could be reached\n"), String::new())
    );
}

#[test]
fn standard_input_is_read_to_its_end() {
    use std::io::Write;
    use std::process::Stdio;

    let cast = Cast::new(1, 1);
    let mut command = cast.balance();
    let mut child = command
        .args(["-", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lower = BOB.to_string().to_lowercase();
    write!(child.stdin.take().unwrap(), "# owners\n\n{ALICE}\n  {lower}   # Bob\n{NOBODY}").unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out, format!("{ALICE}  1.5 ether\n{BOB}  0.7 ether\n{NOBODY}  0 ether\n"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn no_color_is_heard_at_a_terminal_and_none_is_used_elsewhere() {
    let cast = Cast::new(1, 1);
    for value in ["", "1"] {
        let reading = run(cast.balance().arg(ALICE.to_string()).env("NO_COLOR", value));
        assert_says(&reading, &["1.5 ether"]);
    }
    // A terminal of its own, where the machine has `script`.
    let at_a_terminal = |no_color: bool| {
        let mut line = Command::new("script");
        let command = cast.balance();
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
    let cast = Cast::new(2, 1);
    let network = world().chain.network();
    let file = network_file(&network.to_toml());
    let (rpc, beacon) = (cast.rpc_urls(), cast.beacon_urls().remove(0));
    let checkpoint = world().chain.checkpoint().to_string();
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
    cast.providers[0].set(Fault::Refuse);
    assert_eq!(run(&mut from_environment()).out, right, "the second of the list is asked too");
    cast.providers[0].clear();

    // Each variable in turn is wrong: alone it is used, beside its option it is not.
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

    // Set to nothing is not set.
    let empty = run(from_environment().env("ETH_RPC_URL", " ").args(["--json"]));
    assert_eq!(empty.only()["error"]["code"], "no_provider");
    // Names come from the list too.
    let named = run(from_environment().args(["--json"]));
    assert_eq!(named.only()["provider"], "anna");
}
