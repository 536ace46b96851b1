//! `saldo demo` runs all its steps, and each result is right.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::{Duration, Instant};

use serde_json::Value;

use testbed::{run, saldo};

#[test]
fn every_line_is_right() {
    every_line_is_right_at("fulu");
}

/// On Gloas, heads give only a block hash, and the tip is further ahead of the signed head.
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
    let (summary, steps) = lines.split_last().unwrap();
    assert_eq!(summary["wrong"], 0);
    assert!(steps.len() >= 12, "{} steps", steps.len());
    let mut naive_is_wrong = 0;
    for step in steps {
        assert_eq!(step["right"], true, "{step}");
        assert!(schema.is_valid(&step["saldo"]), "{step}");
        // Compare with the line's own truth, not with the demo's verdict.
        let amount = &step["saldo"]["amount"];
        assert!(amount.is_null() || *amount == step["truth"], "{step}");
        naive_is_wrong += usize::from(step["naive"] != step["truth"]);
    }
    let unknown = steps.iter().filter(|step| step["saldo"]["state"] == "unknown").count();
    assert_eq!(unknown, 4, "all lie, all are down, no token, all are down for the token");
    let of_token =
        |what: &str| steps.iter().find(|step| step["act"].as_str().unwrap().contains(what)).unwrap();
    for what in ["a provider proves an empty slot", "a token: all are down"] {
        let step = of_token(what);
        assert_eq!((&step["naive"], &step["truth"]), (&"0".into(), &"250000000".into()), "{step}");
    }
    assert_eq!(of_token("no token")["truth"], Value::Null);
    assert!(naive_is_wrong >= 5, "the naive wallet was wrong {naive_is_wrong} times");
    assert!(
        steps.iter().any(|step| step["truth"] == "0" && step["saldo"]["state"] == "proven"),
        "a proven zero"
    );
}

/// Base has stopped, Ethereum vouches for 1.25 ether as of 52 minutes ago.
#[test]
fn a_rollup_that_has_stopped_is_shown_beside_a_wallet_that_shows_zero() {
    let page = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-rollup.html", std::process::id()));
    let shown = run(saldo(&["demo", "--scenario", "rollup-stopped", "--html"]).arg(&page));
    assert_eq!((shown.status, shown.err.as_str()), (0, ""), "{shown:?}");
    let says = "The rollup has stopped. Ethereum vouches for 1.25 ether as of 52 min ago.";
    let picture = format!("After 1h24m a naive wallet shows 0 (wrong). saldo says: {says}\n");
    assert!(shown.out.contains(&picture), "{}", shown.out);
    for part in
        ["the rollup  ", "lena (serves Ethereum)", "the rollup makes no new blocks", "and never a false one."]
    {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let page = std::fs::read_to_string(page).unwrap();
    for part in [
        says,
        "<strong>1.25 ether</strong>",
        "<strong>0</strong><p>Wrong: the account holds 1.25.</p>",
        "makes no blocks",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_demo_shows_a_scenario_as_the_drill_does() {
    let demo = run(&mut saldo(&["demo", "-s", "rollup-proof-window", "--json"]));
    assert_eq!((demo.status, demo.err.as_str()), (0, ""), "{demo:?}");
    assert_eq!(demo.out, run(&mut saldo(&["drill", "run", "-s", "rollup-proof-window", "--json"])).out);
    let lines = demo.json();
    assert_eq!(
        (&lines[0]["members"][0]["role"], &lines[0]["members"][3]["role"]),
        (&"rollup".into(), &"l1_provider".into())
    );
    let proven = lines.iter().find(|line| line["saldo"]["state"] == "proven").unwrap();
    assert_eq!(proven["saldo"]["proven"]["level"], "l1_proof_checked", "{proven}");
    for (options, code) in [
        (&["-s", "no-such-thing"][..], "unknown_scenario"),
        (&["-s", "rollup-stopped", "--keep"], "usage"),
        (&["--html", "page.html"], "usage"),
    ] {
        let failed = run(saldo(&["demo", "--json"]).args(options));
        assert_eq!(
            (failed.status, &failed.only()["error"]["code"]),
            (2, &code.into()),
            "{options:?}: {failed:?}"
        );
    }
}
