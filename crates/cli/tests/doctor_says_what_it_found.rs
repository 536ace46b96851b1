//! `saldo doctor` as a user runs it: its JSON follows the schema in `docs`, its exit status says whether a balance
//! can be proven, and no URL appears.

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
use serde_json::{Value, json};

use testbed::schema::{assert_follows, schema};
use testbed::{Services, network_file, run, saldo, test_chain};

#[track_caller]
fn check(line: &Value) {
    assert_follows(&schema("doctor"), line);
}

fn doctor(services: &Services) -> Command {
    let mut command = saldo(&["doctor", "--network"]);
    command.arg(network_file(&test_chain().network().to_toml()));
    for url in services.rpc_urls() {
        command.args(["--rpc-url", &url]);
    }
    for url in services.beacon_urls() {
        command.args(["--beacon-url", &url]);
    }
    command
}

#[test]
fn all_are_well() {
    let services = Services::new(2, 2);
    let report = run(doctor(&services).arg("--json"));
    assert_eq!(report.status, 0, "{report:?}");
    assert_eq!(report.err, "");
    let line = report.only();
    check(&line);
    assert_eq!(line["diagnosis"]["verdict"], "works");
    for provider in line["providers"].as_array().unwrap() {
        assert_eq!(provider["findings"], json!([]), "{provider}");
        assert_eq!(provider["proof_at_signed_head"]["state"], "found", "{provider}");
    }
    let single: Vec<_> =
        line["diagnosis"]["single_failures"].as_array().unwrap().iter().map(|s| &s["kind"]).collect();
    assert_eq!(single, ["operator", "beacon_source", "checkpoint"], "all have the same host: {line}");

    let text = run(&mut doctor(&services));
    assert_eq!(text.status, 0, "{text:?}");
    for part in ["execution providers", "anna", "beacon sources", "north", "A balance can be proven now"] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
}

#[test]
fn defects_are_named_and_the_status_says_whether_to_retry() {
    let services = Services::new(2, 1);
    services.providers[0].add(Fault::Html);
    services.providers[1].add(Fault::TruncatedProof { nodes: 0 });
    let report = run(doctor(&services).arg("--json"));
    assert_eq!(report.status, 3, "{report:?}");
    let line = report.only();
    check(&line);
    assert_eq!(line["providers"][0]["findings"][0]["code"], "web_page");
    assert_eq!(line["providers"][1]["findings"][0]["code"], "truncated_proof");

    services.providers[1].set(Fault::NoProofs);
    let text = run(&mut doctor(&services));
    assert_eq!(text.status, 4, "{text:?}");
    assert!(text.out.contains("bert: no_proofs (defect: does not serve eth_getProof)"), "{}", text.out);
    assert!(text.out.contains("You need to act."), "{}", text.out);
}

#[test]
fn everything_down() {
    let services = Services::new(2, 1);
    services.refuse_all_connections();
    let report = run(doctor(&services).arg("--json"));
    assert_eq!(report.status, 3, "{report:?}");
    let line = report.only();
    check(&line);
    assert_eq!(line["signed_head"], Value::Null);
    for one in [&line["providers"][0], &line["providers"][1], &line["beacon_sources"][0]] {
        assert_eq!(one["findings"][0]["code"], "unreachable", "{line}");
    }
}

#[test]
fn providers_alone() {
    let services = Services::new(1, 0);
    let report = run(doctor(&services).arg("--json"));
    assert_eq!(report.status, 4, "nothing can be proven without a signed head: {report:?}");
    let line = report.only();
    check(&line);
    assert_eq!(line["providers"][0]["proof_at_tip"]["state"], "found", "{line}");
    assert_eq!(line["providers"][0]["proof_at_signed_head"]["code"], "no_signed_head");
}

#[test]
fn urls_are_secret() {
    let network = network_file(&test_chain().network().to_toml());
    for form in [&["--json"][..], &[]] {
        let mut command = saldo(&["doctor", "--network"]);
        command.arg(&network).args(form);
        command.args(["--rpc-url", "http://user:SECRET@127.0.0.1:9/SECRET?key=SECRET"]);
        command.args(["--beacon-url", "south=http://127.0.0.1:9/SECRET"]);
        let report = run(&mut command);
        assert_eq!(report.status, 3, "{report:?}");
        assert!(!report.all().contains("SECRET"), "{}", report.all());
        assert!(report.out.contains("127.0.0.1:9") && report.out.contains("south"), "{}", report.out);
    }
}

#[test]
fn the_command_itself_fails() {
    for arguments in
        [&["doctor", "--json", "--network", "nowhere"][..], &["doctor", "--json", "--rpc-url", "x"]]
    {
        let failed = run(&mut saldo(arguments));
        assert_eq!(failed.status, 2, "{failed:?}");
        check(&failed.only());
    }
}

#[test]
fn the_schema_refuses_invalid_reports() {
    let services = Services::new(1, 1);
    let report = run(doctor(&services).arg("--json")).only();
    check(&report);
    let schema = schema("doctor");
    for key in report.as_object().unwrap().keys() {
        let mut lacking = report.clone();
        lacking.as_object_mut().unwrap().remove(key);
        assert!(!schema.is_valid(&lacking), "without {key}");
    }
    for (pointer, value) in [
        ("/schema", json!("saldo.doctor/2")),
        ("/diagnosis/verdict", json!("fine")),
        ("/rollup", json!({})),
        ("/providers/0/tip/state", json!("failed")),
        ("/providers/0/tip/value", json!(5)),
        ("/providers/0/depth/state", json!("lost")),
        ("/providers/0/requests", json!(-1)),
        ("/beacon_sources/0/optimistic/value/signers", json!(0)),
    ] {
        let mut wrong = report.clone();
        *wrong.pointer_mut(pointer).expect(pointer) = value;
        assert!(!schema.is_valid(&wrong), "{pointer}");
    }
}
