//! Promise 4: with any one honest, reachable provider the amount is proven, whatever the others do.

use std::time::Duration;

use alloy_primitives::U256;
use saldo_drill::{BeaconSource, Chain, Fault, Rule};
use saldo_tests::scene::{ALICE, BEFORE, NOBODY, Scene};
use serde_json::json;

/// Every way in which an execution provider can fail or lie about a single proof.
fn execution_faults() -> Vec<Fault> {
    let elsewhere = Chain::builder(99).chain_id(1).build();
    let mut faults = both_sides();
    faults.extend([
        Fault::OtherChain(elsewhere),
        Fault::NullResult,
        Fault::Result(json!("0x0")),
        Fault::Result(json!("0x")),
        Fault::Result(json!("")),
        Fault::Result(json!(0)),
        Fault::Result(json!({})),
        Fault::Error { code: -32000, message: "header not found".into() },
        Fault::Error { code: -32603, message: "internal error".into() },
        Fault::WrongId,
        Fault::MissingId,
        Fault::ListForSingle,
        Fault::NoProofs,
        Fault::StaleBlock(1),
        Fault::StaleBlock(30),
        Fault::TruncatedProof { nodes: 0 },
        Fault::TruncatedProof { nodes: 1 },
        Fault::ExtraNodes,
        Fault::FlippedByte { node: 0, byte: 5 },
        Fault::OtherAccountsProof,
        Fault::InventedTrie { balance: U256::ZERO },
        Fault::InventedTrie { balance: U256::MAX },
    ]);
    faults
}

fn both_sides() -> Vec<Fault> {
    vec![
        Fault::Refuse,
        Fault::Hang,
        Fault::Unresolvable,
        Fault::BadCertificate,
        Fault::Trickle { bytes_per_second: 1 },
        Fault::Reset { after: 20 },
        Fault::Status(500),
        Fault::Status(503),
        Fault::RateLimited { retry_after: Some("30".into()) },
        Fault::RateLimited { retry_after: None },
        Fault::QuotaExhausted,
        Fault::Forbidden,
        Fault::Html,
        Fault::Redirect("http://provider0.test/".into()),
        Fault::Huge { bytes: 20_000_000 },
        Fault::GzipBomb { bytes: 50_000_000 },
        Fault::Truncated,
        Fault::Body(String::new()),
        Fault::Body("[".repeat(100_000)),
    ]
}

fn beacon_faults() -> Vec<Fault> {
    let mut faults = both_sides();
    faults.extend([
        Fault::ForgedSignature,
        Fault::TooFewSigners(1),
        Fault::TooFewSigners(21),
        Fault::LastCommittee,
        Fault::NoBootstrap,
        Fault::Relabelled(saldo_beacon::Fork::Deneb),
    ]);
    faults
}

#[test]
fn whatever_the_other_providers_do() {
    for (seed, fault) in (0..).zip(execution_faults()) {
        let scene = Scene::new(seed, 4, 2);
        scene.providers[..3].iter().for_each(|provider| provider.add(fault.clone()));
        for owner in [ALICE, NOBODY] {
            let reading = scene.balance(owner);
            let expected = if owner == ALICE { BEFORE } else { U256::ZERO };
            assert_eq!(scene.assert_true(&reading, owner), expected, "{fault:?}");
            // One node can be a whole proof of absence; and a provider one block behind proves the signed head with what it takes for its tip.
            if owner == ALICE && !matches!(fault, Fault::StaleBlock(1)) {
                assert_eq!(reading.proven().unwrap().provider().as_str(), "provider3", "{fault:?}");
            }
        }
    }
}

#[test]
fn whatever_the_other_sources_do() {
    for (seed, fault) in (0..).zip(beacon_faults()) {
        let scene = Scene::new(seed, 1, 3);
        scene.sources[..2].iter().for_each(|source| source.add(fault.clone()));
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{fault:?}");
    }
}

/// A claim beside a genuine proof is not believed, and does not spoil the proof either.
#[test]
fn a_claim_of_zero_beside_a_proof_changes_nothing() {
    let scene = Scene::new(1, 1, 1);
    scene.providers[0].add(Fault::ZeroBalance);
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
}

#[test]
fn sources_differ_in_what_they_speak() {
    for fault in [Fault::JsonOnly, Fault::WithoutVersion] {
        let scene = Scene::new(5, 1, 1);
        scene.sources[0].add(fault.clone());
        scene.sources[0].add(Fault::JsonOnly);
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{fault:?}");
    }
}

/// A provider that answers well but slowly is waited for, beside one that fails fast.
#[test]
fn a_slow_good_answer_wins_over_a_fast_bad_one() {
    let scene = Scene::new(2, 2, 1);
    scene.providers[0].add(Fault::Html);
    let _ = scene.providers[1].clone().latency(Duration::from_millis(1_500));
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
}

/// Sources that lag are no reason to stop at their head.
#[test]
fn a_lagging_source_does_not_hold_the_head_back() {
    let scene = Scene::new(3, 1, 2);
    scene.pass_slots(3);
    let lagging: BeaconSource = scene.sources[0].clone().lag(5);
    drop(lagging);
    let reading = scene.balance(ALICE);
    scene.assert_true(&reading, ALICE);
    assert_eq!(reading.proven().unwrap().anchor().number(), scene.chain.signed().number);
}

/// The chain goes on for three periods while the wallet sleeps; the hand-overs come from whoever has them.
#[test]
fn a_long_sleep_is_caught_up_with() {
    let scene = Scene::new(4, 1, 2);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(200);
    scene.sources[0].add(Rule::from(Fault::NoUpdates));
    let reading = scene.patient_balance(ALICE, Duration::from_secs(60));
    scene.assert_true(&reading, ALICE);
    assert!(reading.proven().unwrap().anchor().number() > 200);
}
