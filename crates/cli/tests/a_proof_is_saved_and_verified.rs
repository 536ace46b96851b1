//! `saldo proof` and `saldo evidence`: one person saves a file, another checks it without any request.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use saldo::Address;
use saldo_drill::Fault;
use serde_json::{Value, json};

use testbed::schema::{assert_follows, schema};
use testbed::token::WETH;
use testbed::{ALICE, Run, Services, network_file, run, saldo, test_chain};

/// A path that no other test uses.
fn out(name: &str) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}-{name}", std::process::id()))
}

fn with_endpoints(services: &Services, command: &str, owner: Address, file: &Path, options: &[&str]) -> Run {
    let mut command = saldo(&[command, "save", &owner.to_string(), "--timeout", "5s", "--network"]);
    command.arg(network_file(&test_chain().network().to_toml()));
    for url in services.rpc_urls() {
        command.args(["--rpc-url", &url]);
    }
    for url in services.beacon_urls() {
        command.args(["--beacon-url", &url]);
    }
    run(command.arg("--out").arg(file).args(options))
}

/// Checks a file. No server is named, so there is none to ask.
fn verify(what: &str, file: &Path, options: &[&str]) -> Run {
    let mut command = saldo(&[what, "verify"]);
    command.arg(file).arg("--network").arg(network_file(&test_chain().network().to_toml()));
    run(command.args(options))
}

/// The root after `option` in what `save` printed.
fn root_of(saved: &Run, option: &str) -> String {
    let after = saved.out.split(option).nth(1).unwrap_or_else(|| panic!("{saved:?}"));
    after.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn one_person_saves_it_and_another_checks_it() {
    let services = Services::new(1, 1);
    let follows = schema("proof-file");
    for form in ["complete", "compact"] {
        let file = out("balance.saldo");
        let saved = with_endpoints(
            &services,
            "proof",
            ALICE,
            &file,
            &["--form", form, "--token", &WETH.to_string(), "--coin"],
        );
        assert_eq!(saved.status, 0, "{saved:?}");
        let checkpoint = root_of(&saved, "--checkpoint ");
        let checked = verify("proof", &file, &["--checkpoint", &checkpoint, "--json"]);
        assert_eq!((checked.status, checked.err.as_str()), (0, ""), "{checked:?}");
        let line = checked.only();
        assert_follows(&follows, &line);
        assert_eq!((&line["state"], &line["form"]), (&json!("verified"), &json!(form)));
        let held: Vec<&str> =
            line["holdings"].as_array().unwrap().iter().map(|held| held["asset"].as_str().unwrap()).collect();
        assert_eq!(held, ["eip155:31337/slip44:60", &format!("eip155:31337/erc20:{WETH:#x}")]);
        let number = line["block"]["number"].as_u64().unwrap();
        let truth = test_chain().chain.balance_at(number, ALICE).unwrap();
        assert_eq!(line["holdings"][0]["amount"], truth.to_string());
        let text = verify("proof", &file, &["--checkpoint", &checkpoint]);
        for words in ["proven", "This rests on", "can have changed", &format!("{truth} wei")] {
            assert!(text.out.contains(words), "{words}: {text:?}");
        }
        if form == "compact" {
            let committee = root_of(&saved, "--committee ");
            let checked = verify("proof", &file, &["--committee", &committee, "--json"]).only();
            assert_follows(&follows, &checked);
            assert_eq!(checked["rests_on"]["root"], json!(committee));
        }
    }
}

#[test]
fn without_a_trusted_root_nothing_is_proven() {
    let services = Services::new(1, 1);
    let follows = schema("proof-file");
    let file = out("balance.saldo");
    let saved = with_endpoints(&services, "proof", ALICE, &file, &[]);
    assert_eq!(saved.status, 0, "{saved:?}");
    let claimed = verify("proof", &file, &["--json"]);
    assert_eq!(claimed.status, 4);
    assert_follows(&follows, &claimed.only());
    assert_eq!((&claimed.only()["state"], &claimed.only()["holdings"]), (&json!("untrusted"), &json!([])));
    let text = verify("proof", &file, &[]);
    assert!(text.out.starts_with("not proven"), "{text:?}");
    let other = format!("0x{}", "77".repeat(32));
    for options in [["--checkpoint", other.as_str()], ["--committee", other.as_str()]] {
        let refused = verify("proof", &file, &[options[0], options[1], "--json"]);
        assert_eq!(refused.status, 4, "{refused:?}");
        assert_follows(&follows, &refused.only());
        assert_eq!(refused.only()["state"], "refused");
    }
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let checkpoint = root_of(&saved, "--checkpoint ");
    assert_eq!(verify("proof", &file, &["--checkpoint", &checkpoint]).status, 4);
    // mainnet, where nothing else is said.
    let elsewhere = run(saldo(&["proof", "verify", "--checkpoint", &checkpoint, "--json"]).arg(&file));
    assert_eq!(elsewhere.only()["error"]["code"], "other_network");
    for wrong in [["--checkpoint", "12"], ["--committee", "12"], ["--committee", "0x12@x"]] {
        assert_eq!(verify("proof", &file, &wrong).status, 2, "{wrong:?}");
    }
    assert_eq!(verify("proof", &out("missing.saldo"), &[]).status, 2);
}

#[test]
fn what_is_not_proven_is_not_saved() {
    let services = Services::new(1, 1);
    services.providers[0].set(Fault::NoProofs);
    let file = out("balance.saldo");
    let saved = with_endpoints(&services, "proof", ALICE, &file, &[]);
    assert!([3, 4].contains(&saved.status), "{saved:?}");
    assert!(saved.err.contains("no file was written"), "{saved:?}");
    assert!(!file.exists());
}

/// Whether the proof file shows that the block of the evidence is of the chain, as text and JSON say alike.
#[track_caller]
fn is_shown_to_be_of_the_chain(evidence: &Path, proof: &Path, saved: &Run) -> bool {
    let checkpoint = root_of(saved, "--checkpoint ");
    let options = ["--proof", proof.to_str().unwrap(), "--checkpoint", &checkpoint];
    let text = verify("evidence", evidence, &options);
    let is_shown = text.out.contains("shows that the chain has this block");
    assert_eq!(text.status, if is_shown { 0 } else { 4 }, "{text:?}");
    assert_ne!(is_shown, text.out.contains("of another block"), "{text:?}");
    let json = verify("evidence", evidence, &[&options[..], &["--json"]].concat());
    assert_follows(&schema("evidence-verdict"), &json.json()[0]);
    assert_eq!(json.json()[0]["is_of_chain"], json!(is_shown));
    is_shown
}

#[test]
fn a_false_proof_is_saved_and_checked_by_another() {
    let services = Services::new(1, 1);
    let follows = schema("evidence");
    let file = out("evidence.jsonl");
    let none = with_endpoints(&services, "evidence", ALICE, &file, &[]);
    assert_eq!((none.status, file.exists()), (3, false), "{none:?}");
    let proof = out("balance.saldo");
    services.providers[0].set(Fault::TruncatedProof { nodes: 1 });
    let saved = with_endpoints(&services, "evidence", ALICE, &file, &[]);
    assert_eq!(saved.status, 0, "{saved:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("anna"), "it names no provider");
    text.lines().for_each(|line| assert_follows(&follows, &serde_json::from_str(line).unwrap()));
    let checked = verify("evidence", &file, &[]);
    assert_eq!(checked.status, 0, "{checked:?}");
    for words in ["false proof", "It does not show who sent", "A proof file of the same block shows that"] {
        assert!(checked.out.contains(words), "{words}: {checked:?}");
    }
    let verdicts = schema("evidence-verdict");
    let found = verify("evidence", &file, &["--json"]).json();
    assert_eq!(found.len(), text.lines().count());
    for line in &found {
        assert_follows(&verdicts, line);
        assert_eq!((&line["is_false_proof"], &line["is_of_chain"]), (&json!(true), &Value::Null), "{line}");
        assert_eq!(line["address"].as_str().unwrap().to_lowercase(), format!("{ALICE:#x}"));
    }
    // A proof file of the same block shows that the chain has it. Where the next slot began between the two, once more.
    let mut is_of_chain = false;
    for _ in 0..20 {
        services.providers[0].set(Fault::TruncatedProof { nodes: 1 });
        with_endpoints(&services, "evidence", ALICE, &file, &[]);
        services.providers[0].clear();
        let saved = with_endpoints(&services, "proof", ALICE, &proof, &[]);
        is_of_chain = is_shown_to_be_of_the_chain(&file, &proof, &saved);
        if is_of_chain {
            break;
        }
    }
    assert!(is_of_chain, "the same block");
    // One of another block shows nothing about it.
    let saved = with_endpoints(&services, "proof", ALICE, &proof, &["--finalized"]);
    assert!(!is_shown_to_be_of_the_chain(&file, &proof, &saved));
    let path = proof.to_str().unwrap();
    assert_eq!(verify("evidence", &file, &["--proof", path]).status, 2, "no trusted root");
    let text = std::fs::read_to_string(&file).unwrap();
    // A true proof is no evidence.
    let mut line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    line["reply"]["accountProof"] = json!([]);
    std::fs::write(&file, line.to_string()).unwrap();
    assert_eq!(verify("evidence", &file, &[]).status, 0, "no nodes prove nothing");
    std::fs::write(&file, "{}\n").unwrap();
    assert_eq!(verify("evidence", &file, &[]).status, 4);
    let none = verify("evidence", &file, &["--json"]);
    assert_follows(&verdicts, &none.only());
    assert_eq!(
        (none.status, &none.only()["is_false_proof"], &none.only()["block"]),
        (4, &json!(false), &Value::Null)
    );
    std::fs::write(&file, "\n").unwrap();
    assert_eq!(verify("evidence", &file, &[]).status, 4);
}
