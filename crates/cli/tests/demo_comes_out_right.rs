//! `saldo demo` plays all its acts, and each comes out right.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what goes wrong here is a failed test"
)]

mod stage;

use std::time::{Duration, Instant};

use serde_json::Value;

use stage::{run, saldo};

#[test]
fn every_line_is_right() {
    every_line_is_right_at("fulu");
}

/// Where heads are known by hash alone, and the tip is further ahead of them.
#[test]
fn every_line_is_right_on_gloas() {
    every_line_is_right_at("gloas");
}

fn every_line_is_right_at(fork: &str) {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/saldo.reading-1.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let start = Instant::now();
    let demo = run(&mut saldo(&["demo", "--json", "--fork", fork]));
    assert!(start.elapsed() < Duration::from_secs(30), "the demo promises to be short");
    assert_eq!((demo.status, demo.err.as_str()), (0, ""), "{demo:?}");

    let lines = demo.json();
    let (summary, acts) = lines.split_last().unwrap();
    assert_eq!(summary["wrong"], 0);
    assert!(acts.len() >= 12, "{} acts", acts.len());
    let mut naive_is_wrong = 0;
    for act in acts {
        assert_eq!(act["right"], true, "{act}");
        assert!(schema.is_valid(&act["saldo"]), "{act}");
        // Held against what the line itself says is true, not against the demo's own verdict.
        let amount = &act["saldo"]["amount"];
        assert!(amount.is_null() || *amount == act["truth"], "{act}");
        naive_is_wrong += usize::from(act["naive"] != act["truth"]);
    }
    let unknown = acts.iter().filter(|act| act["saldo"]["state"] == "unknown").count();
    assert_eq!(unknown, 2, "all lie, all are down");
    assert!(naive_is_wrong >= 5, "the naive wallet was wrong {naive_is_wrong} times");
    assert!(acts.iter().any(|act| act["truth"] == "0" && act["saldo"]["state"] == "proven"), "a proven zero");
}
