//! Promise 4: with one honest, reachable provider the amount is proven, whatever the other providers do.

use std::time::Duration;

use alloy_primitives::U256;
use saldo_drill::{BeaconSource, Chain, Fault, Rule};
use saldo_tests::scene::{ALICE, BEFORE, Scene, UNUSED};
use serde_json::json;

/// Every way in which an execution provider can fail or lie about a single proof.
fn execution_faults() -> Vec<Fault> {
    let other_chain = Chain::builder(99).chain_id(1).build();
    let mut faults = both_sides();
    faults.extend([
        Fault::OtherChain(other_chain),
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
        Fault::NoRoute,
    ]);
    faults
}

#[test]
fn an_honest_provider_proves_whatever_the_others_do() {
    for (seed, fault) in (0..).zip(execution_faults()) {
        let scene = Scene::new(seed, 4, 2);
        scene.providers[..3].iter().for_each(|provider| provider.add(fault.clone()));
        for owner in [ALICE, UNUSED] {
            let reading = scene.balance(owner);
            let expected = if owner == ALICE { BEFORE } else { U256::ZERO };
            assert_eq!(scene.assert_true(&reading, owner), expected, "{fault:?}");
            // One node can be a complete proof of absence. And a provider that is one block behind proves the signed
            // head as its own tip.
            if owner == ALICE && !matches!(fault, Fault::StaleBlock(1)) {
                assert_eq!(reading.proven().unwrap().provider().as_str(), "provider3", "{fault:?}");
            }
        }
    }
}

#[test]
fn an_honest_source_is_followed_whatever_the_others_do() {
    for (seed, fault) in (0..).zip(beacon_faults()) {
        let scene = Scene::new(seed, 1, 3);
        scene.sources[..2].iter().for_each(|source| source.add(fault.clone()));
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{fault:?}");
    }
}

/// A false claim beside a genuine proof is not believed, and the proof still counts.
#[test]
fn a_claim_of_zero_beside_a_proof_changes_nothing() {
    let scene = Scene::new(1, 1, 1);
    scene.providers[0].add(Fault::ZeroBalance);
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
}

#[test]
fn sources_may_use_different_encodings() {
    for fault in [Fault::JsonOnly, Fault::WithoutVersion] {
        let scene = Scene::new(5, 1, 1);
        scene.sources[0].add(fault.clone());
        scene.sources[0].add(Fault::JsonOnly);
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{fault:?}");
    }
}

/// The client waits for a slow provider with a good answer, although another one fails fast.
#[test]
fn a_slow_good_answer_wins_over_a_fast_bad_one() {
    let scene = Scene::new(2, 2, 1);
    scene.providers[0].add(Fault::Html);
    scene.providers[1].set_latency(Duration::from_millis(1_500));
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
}

/// The client does not stop at the head of a source that lags.
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

/// The chain advances by three periods while the wallet sleeps. Any source can serve the committee updates.
#[test]
fn a_wallet_catches_up_after_a_long_sleep() {
    let scene = Scene::new(4, 1, 2);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(200);
    scene.sources[0].add(Rule::from(Fault::NoUpdates));
    let reading = scene.patient_balance(ALICE, Duration::from_secs(60));
    scene.assert_true(&reading, ALICE);
    assert!(reading.proven().unwrap().anchor().number() > 200);
}
