//! `saldo drill serve` with a rollup: it serves the rollup and its L1, and the files that it writes are all that a wallet needs.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a panic fails the test")]

mod testbed;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;
use testbed::{network_file, run, saldo};

/// A command that serves until it is dropped, and its output.
struct Served(Child, BufReader<ChildStdout>);

impl Served {
    fn start(options: &[&str]) -> Self {
        let mut child = saldo(&["drill", "serve"]).args(options).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves the scenario and reads the account with both files. Returns what was said of the servers, and the rollup's reading.
fn served_and_read(scenario: &str) -> (Value, Value) {
    let mut served = Served::start(&["--scenario", scenario, "--json"]);
    let said: Value = serde_json::from_str(&served.line()).unwrap();
    let of = |place: &Value| place["network_file"].as_str().unwrap().to_owned();
    let networks = format!("{},{}", of(&said), of(&said["rollup"]));
    let owner = said["address"].as_str().unwrap();
    let readings = run(&mut saldo(&["balance", owner, "--network", &networks, "--json"])).json();
    assert_eq!((readings.len(), &readings[0]["state"]), (2, &"proven".into()), "{readings:?}");
    (said, readings[1].clone())
}

/// L1 vouches for a block of the rollup from the start, and the providers prove the account at it.
#[test]
fn the_files_of_both_networks_lead_to_a_proven_balance() {
    let (said, reading) = served_and_read("rollup-stopped");
    assert_eq!((&said["chain_id"], &said["rollup"]["chain_id"]), (&31_337.into(), &84_532.into()), "{said}");
    let count = |urls: &Value| urls.as_array().unwrap().len();
    assert_eq!((count(&said["rpc_urls"]), count(&said["rollup"]["rpc_urls"])), (2, 3), "{said}");
    assert_eq!((&reading["state"], &reading["chain_id"]), (&"proven".into(), &84_532.into()), "{reading}");
    assert_eq!(reading["amount"], "1250000000000000000", "{reading}");
    assert_eq!(reading["block"]["assurance"], "l1_proof_checked", "{reading}");
}

/// These providers prove at their heads alone, for which L1 does not vouch yet.
#[test]
fn what_l1_does_not_vouch_for_is_served_too() {
    let (_, reading) = served_and_read("rollup-proof-window");
    let state = (&reading["state"], &reading["why"]["code"]);
    assert_eq!(state, (&"provisional".into(), &"not_vouched_yet".into()), "{reading}");
    assert_eq!(reading["amount"], Value::Null, "a claim is no amount");
}

#[test]
fn the_printed_command_names_both_files() {
    let out = network_file("");
    let mut served = Served::start(&["--scenario", "rollup-stopped", "--out", out.to_str().unwrap()]);
    let rollup = out.with_extension("rollup.toml");
    let command = loop {
        let line = served.line();
        assert!(!line.is_empty(), "it ended");
        if line.contains("saldo balance") {
            break line;
        }
    };
    assert!(command.contains(&format!("--network {},{}", out.display(), rollup.display())), "{command}");
    let text = std::fs::read_to_string(&rollup).unwrap();
    assert!(saldo::Profile::from_toml(&text).unwrap().is_pinned());
    assert_eq!(saldo::Directory::from_toml(&text).unwrap().rpc().len(), 3, "{text}");
}
