//! A strike needs a proof that is false under the requested block itself. What the provider sent is kept as evidence.

use std::time::Duration;

use saldo::{Evidence, Policy};
use saldo_drill::{Chain, Fault};
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene};

fn requests(scene: &Scene, place: usize) -> usize {
    let host = format!("provider{place}.test");
    scene.simulation.internet().log().iter().filter(|exchange| exchange.host == host).count()
}

#[test]
fn the_bytes_are_kept_and_can_be_verified() {
    let scene = Scene::new(1, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.providers[0].add(Fault::TruncatedProof { nodes: 1 });
    scene.assert_true(&scene.balance(ALICE), ALICE);
    let evidence = scene.client.evidence();
    assert_eq!(evidence.iter().map(|it| it.provider().as_str()).collect::<Vec<_>>(), ["provider0"]);
    let json: serde_json::Value = serde_json::from_str(&evidence[0].to_json()).unwrap();
    assert!(!evidence[0].to_json().contains("provider0"), "it does not name the provider");
    let hash = json["block"]["hash"].as_str().unwrap();
    let number = json["block"]["number"].as_u64().unwrap();
    assert_eq!(scene.chain.block(number).unwrap().hash.to_string(), hash);
    assert_eq!(json["request"]["params"][2]["blockHash"], hash);
    let reply: AccountReply = serde_json::from_value(json["reply"].clone()).unwrap();
    let root = StateRoot::new(json["block"]["stateRoot"].as_str().unwrap().parse().unwrap());
    let refusal = reply.verify(root, ALICE).unwrap_err();
    assert_eq!(evidence[0].reason(), format!("proof refused: {refusal}"));
}

/// After two false proofs a provider is asked only if no other one is left; but then it is.
#[test]
fn a_provider_with_two_strikes_is_asked_last() {
    let scene = Scene::new(2, 3, 1);
    for round in 0..2 {
        scene.providers[round].add(Fault::Hang);
        scene.providers[2].set(Fault::ExtraNodes);
        scene.providers[1 - round].add(Fault::NoProofs);
        let reading = scene.balance(ALICE);
        assert!(reading.proven().is_none());
        scene.providers.iter().for_each(saldo_drill::Provider::clear);
        scene.pass_slots(1);
    }
    assert_eq!(scene.client.evidence().len(), 2);
    let before = requests(&scene, 2);
    for _ in 0..5 {
        scene.providers[0].set(Fault::NoProofs);
        scene.assert_true(&scene.balance(ALICE), ALICE);
        scene.pass_slots(1);
    }
    assert_eq!(requests(&scene, 2), before);
    scene.providers[..2].iter().for_each(|provider| provider.set(Fault::NoProofs));
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
}

/// Lag, a small window, another chain, a reorganisation and other failures: none of them is a lie.
#[test]
fn no_other_failure_gives_a_strike() {
    let faults = [
        Fault::OtherChain(Chain::builder(99).chain_id(1).build()),
        Fault::NoProofs,
        Fault::NullResult,
        Fault::Hang,
        Fault::Html,
        Fault::Truncated,
        Fault::Status(500),
        Fault::Error { code: -32000, message: "header not found".to_owned() },
        Fault::Error { code: -32000, message: "missing trie node".to_owned() },
    ];
    for (seed, fault) in (10..).zip(faults) {
        let scene = Scene::new(seed, 2, 1);
        scene.providers[0].add(fault.clone());
        for _ in 0..4 {
            scene.assert_true(&scene.balance(ALICE), ALICE);
            scene.pass_slots(1);
        }
        assert!(scene.client.evidence().is_empty(), "{fault:?}");
    }
    for (lag, window) in [(1, None), (9, None), (0, Some(0)), (2, Some(1))] {
        let scene = Scene::with_policy(30, 1, 1, Policy::signed());
        scene.providers[0].set_lag(lag);
        if let Some(window) = window {
            scene.providers[0].set_proof_window(window);
        }
        for _ in 0..6 {
            let _ = scene.patient_balance(ALICE, Duration::from_secs(30));
            scene.pass_slots(1);
            scene.chain.reorg(1);
        }
        let all: Vec<Evidence> = scene.client.evidence();
        assert!(all.is_empty(), "{lag} {window:?} {all:?}");
    }
}

/// While the tip of a reliable provider is pending, a repaired provider with two strikes is asked: it may prove what
/// the other one only claims.
#[test]
fn a_repaired_provider_is_asked_while_a_tip_is_pending() {
    let scene = Scene::new(9, 2, 1);
    scene.providers[1].set_proof_window(0);
    scene.providers[0].add(Fault::NoProofs);
    for _ in 0..4 {
        let _ = scene.balance(ALICE);
        scene.pass_slots(1);
    }
    scene.assert_true(&scene.balance(ALICE), ALICE);
    for (round, owner) in [(1, BOB), (2, saldo_tests::scene::UNUSED)] {
        scene.providers[0].set(Fault::ExtraNodes);
        assert!(scene.balance(owner).proven().is_none());
        assert_eq!(scene.client.evidence().len(), round);
        scene.pass_slots(1);
    }
    scene.providers[0].clear();
    let nobody_yet = alloy_primitives::Address::repeat_byte(0x77);
    scene.assert_true(&scene.balance(nobody_yet), nobody_yet);
}
