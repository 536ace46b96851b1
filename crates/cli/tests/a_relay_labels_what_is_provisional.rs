//! `--relay-url`: what is provisional says whether the rollup's sequencer announced it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use saldo_drill::SequencerRelay;
use testbed::rollup_world::{World, now};
use testbed::schema::schema;
use testbed::{ALICE, run, saldo, test_chain};

const PROVISIONAL: i32 = 3;
const USAGE: i32 = 2;

#[test]
fn a_relay_labels_what_is_provisional() {
    let world = World::new();
    world.advance_to(now());
    let relay = test_chain().serve(SequencerRelay::honest(world.rollup.chain()));
    let option = format!("rela={}", relay.url());
    let files = format!("{},{}", world.l1_file, world.rollup_file);
    let balance = |more: &[&str]| {
        let mut command = saldo(&["balance", "-n", &files, "--timeout", "4s", "--relay-url", &option]);
        run(command.args(world.endpoints()).args(more).arg(ALICE.to_string()))
    };
    let text = balance(&[]);
    assert_eq!(text.status, PROVISIONAL, "{text:?}");
    assert!(
        text.out.contains(" announced this block; that proves nothing: one trusts its key"),
        "{}",
        text.out
    );

    let json = balance(&["--json"]);
    let readings: Vec<serde_json::Value> =
        json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_rollup = readings.iter().find(|reading| reading["chain_id"] == 84_532).unwrap();
    assert!(of_rollup["announced"]["signer"].is_string(), "{of_rollup}");
    assert!(schema("reading").is_valid(of_rollup), "{of_rollup}");

    let mut doctor = saldo(&["doctor", "--json", "-n", &files, "--timeout", "8s", "--relay-url", &option]);
    let report: serde_json::Value = serde_json::from_str(&run(doctor.args(world.endpoints())).out).unwrap();
    assert_eq!(report["rollup"]["relays"][0]["relay"], "rela", "{report}");
    assert!(schema("doctor").is_valid(&report), "{report}");
}

#[test]
fn a_relay_of_no_rollup_is_a_mistake() {
    for more in [&["-n", "mainnet"][..], &["-n", "mainnet,base"], &["-n", "base"]] {
        let url =
            if more[1] == "mainnet" { "https://relay.example" } else { "mainnet:https://relay.example" };
        let refused = run(saldo(&["balance", "--relay-url", url]).args(more).arg(ALICE.to_string()));
        assert_eq!(refused.status, USAGE, "{refused:?}");
        assert!(refused.err.contains("is for a network that is no rollup"), "{refused:?}");
    }
}
