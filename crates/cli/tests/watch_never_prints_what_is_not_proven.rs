//! `saldo balance --watch` through an outage, lies and a restart: every number that it prints was proven.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use alloy_primitives::U256;
use saldo_drill::Fault;
use serde_json::Value;

use testbed::schema::{assert_follows, schema};
use testbed::{ALICE, Conversation, Services, run, test_chain};

/// How long a test waits for an expected line.
const LINE_TIMEOUT: Duration = Duration::from_secs(40);

fn store(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.redb", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn watch(services: &Services, store: &PathBuf, options: &[&str]) -> Command {
    let mut command = services.balance();
    command
        .args(["--watch", "--max-age", "2s", "--timeout", "2s", "--store"])
        .arg(store)
        .arg(ALICE.to_string());
    command.args(options);
    command
}

/// Reads lines until one contains `part`, and returns all of them.
#[track_caller]
fn read_until(conversation: &mut Conversation, part: &str) -> Vec<String> {
    let started = Instant::now();
    let mut lines = Vec::new();
    while started.elapsed() < LINE_TIMEOUT {
        let line = conversation.read_line();
        let is_last = line.contains(part);
        lines.push(line);
        if is_last {
            return lines;
        }
    }
    panic!("`{part}` was not printed: {lines:#?}");
}

/// The numbers before the word `ether`.
fn amounts(lines: &[String]) -> BTreeSet<String> {
    let words: Vec<&str> = lines.iter().flat_map(|line| line.split([' ', ','])).collect();
    let amounts = words.windows(2).filter(|pair| pair[1] == "ether").map(|pair| pair[0].to_owned());
    amounts.collect()
}

/// Only amounts that Alice really held are printed, as text and as JSON. The restart is in the middle of the outage.
#[test]
fn through_an_outage_lies_and_a_restart() {
    let services = Services::new(2, 1);
    let store = store("watch-text");
    let mut all = Vec::new();
    let mut first = Conversation::start(&mut watch(&services, &store, &[]));
    let begin = first.read_line();
    assert!(begin.contains("not known yet (it is not 0)"), "{begin}");
    all.push(begin);
    all.extend(read_until(&mut first, "1.5 ether, block "));

    // Both providers lie; then all servers are down.
    let lie = || [Fault::ZeroBalance.into(), saldo_drill::Rule::from(Fault::TruncatedProof { nodes: 1 })];
    services.providers.iter().for_each(|provider| lie().into_iter().for_each(|rule| provider.add(rule)));
    all.extend(read_until(&mut first, "1.5 ether, last proven: "));
    services.refuse_all_connections();
    all.extend(read_until(&mut first, "no provider could be reached"));
    first.kill();

    let mut second = Conversation::start(&mut watch(&services, &store, &[]));
    let begin = second.read_line();
    assert!(begin.contains("1.5 ether, proven before this start: block "), "{begin}");
    all.push(begin);
    all.extend(read_until(&mut second, "no provider could be reached"));
    test_chain().chain.set_balance(ALICE, U256::from(2_250_000_000_000_000_000_u64));
    services.providers.iter().for_each(saldo_drill::Provider::clear);
    services.sources.iter().for_each(saldo_drill::BeaconSource::clear);
    all.extend(read_until(&mut second, "2.25 ether, block "));
    second.kill();

    let known: BTreeSet<String> = ["1.5", "2.25"].map(str::to_owned).into();
    assert_eq!(amounts(&all), known, "{all:#?}");
    assert!(all.iter().all(|line| !line.contains('\x1b')));

    // The same store, with JSON output.
    let mut third = Conversation::start(&mut watch(&services, &store, &["--json"]));
    let lines = read_until(&mut third, "\"proven\"");
    third.kill();
    let validator = schema("change");
    for line in &lines {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_follows(&validator, &value);
    }
    let first: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((&first["change"], &first["last"]["restored"]), (&"remembered".into(), &true.into()));
    assert_eq!(first["last"]["amount"], "2250000000000000000");
    assert!(lines.iter().any(|line| line.contains("\"fetching\"")), "{lines:#?}");
    test_chain().chain.set_balance(ALICE, U256::from(1_500_000_000_000_000_000_u64));
}

#[test]
fn a_store_in_use_and_input_that_cannot_be_watched_are_refused() {
    let services = Services::new(1, 1);
    let store = store("watch-used");
    let mut first = Conversation::start(&mut watch(&services, &store, &[]));
    let _ = first.read_line();
    let second = run(&mut watch(&services, &store, &[]));
    assert_eq!(second.status, 2, "{second:?}");
    assert!(
        second.err.contains("open for writing elsewhere") && second.err.contains("End the other `saldo`"),
        "{second:?}"
    );
    first.kill();
    let input = services.run(&["--watch", "-"]);
    assert_eq!(input.status, 2, "{input:?}");
    assert!(input.err.contains("`-` cannot be watched"), "{input:?}");
    std::fs::write(&store, "not a store at all, but some text of a person").unwrap();
    let damaged = run(&mut watch(&services, &store, &[]));
    assert_eq!(damaged.status, 2, "{damaged:?}");
    assert!(damaged.err.contains("Delete the file"), "{damaged:?}");
}
