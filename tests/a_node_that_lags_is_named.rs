//! A node that is far behind the chain has no part in a reading, and the reason says that it lags.

use std::time::Duration;

use saldo::{Policy, Reading, Why};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{Chain, Fault, Provider};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, Scene};
use serde_json::{Value, json};

/// All providers are that many blocks behind.
fn lagging(seed: u64, blocks: u64, providers: usize) -> Scene {
    let chain = Chain::builder(seed).history(400).accounts([(ALICE, BEFORE)]).build();
    let policy = Policy { operators_per_address: providers, ..Policy::signed() };
    let scene = Scene::of(chain, seed, providers, 1, policy);
    scene.providers.iter().for_each(|provider| provider.set_lag(blocks));
    scene
}

fn code(reading: &Reading) -> Option<&'static str> {
    reading.why().map(Why::code)
}

/// The first balance and later ones; one provider and several; an hour and a day behind.
#[test]
fn the_reason_says_that_providers_are_behind() {
    for (seed, (blocks, providers)) in (0..).zip([(283, 1), (283, 3), (60, 1), (399, 2)]) {
        let scene = lagging(seed, blocks, providers);
        for _ in 0..3 {
            let reading = scene.balance(ALICE);
            assert_eq!(code(&reading), Some("providers_behind"), "{blocks} blocks: {:?}", reading.attempts());
            assert!(
                matches!(reading, Reading::Unknown(_)),
                "an amount from then is not shown as if it were newer"
            );
            scene.pass_slots(1);
        }
        scene.providers.iter().for_each(|provider| provider.set_lag(0));
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "it has caught up");
    }
}

/// It costs few requests, and one provider that keeps up is enough.
#[test]
fn one_provider_that_keeps_up_is_enough() {
    let scene = lagging(100, 283, 3);
    scene.providers[2].set_lag(0);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    let scene = lagging(101, 283, 1);
    let _ = scene.balance(ALICE);
    let asked: u64 = scene.providers[0].requests().values().sum();
    assert!(asked <= 16, "{asked} calls");
}

/// A provider a block or two behind still helps: its block is an ancestor of a signed one.
#[test]
fn a_little_lag_is_no_lag() {
    for blocks in [1, 2] {
        let scene = lagging(200 + blocks, blocks, 1);
        let reading = scene.patient_balance(ALICE, Duration::from_secs(60));
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{blocks} blocks");
    }
}

/// The provider's own number is a claim. A false one changes the reason at most, and a missing one nothing.
#[test]
fn what_it_says_of_its_tip_proves_nothing() {
    let ahead = Fault::Result(serde_json::json!("0xffffff"));
    let nonsense = Fault::Result(serde_json::json!("soon"));
    for (seed, fault) in (300..).zip([ahead, nonsense]) {
        let scene = lagging(seed, 283, 1);
        scene.providers[0].add(fault.on("eth_blockNumber"));
        let reading = scene.balance(ALICE);
        assert!(reading.proven().is_none());
        assert_eq!(code(&reading), Some("unsigned_tip"));
    }
    let scene = lagging(310, 0, 1);
    scene.providers[0].add(Fault::Result(serde_json::json!("0x1")).on("eth_blockNumber"));
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
}

/// A provider that proves its newest block, whatever block it is asked for.
struct OnlyTip(Provider);

impl Service for OnlyTip {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let mut body: Value = serde_json::from_slice(&request.body).unwrap();
        let calls = match &mut body {
            Value::Array(calls) => calls.as_mut_slice(),
            call => std::slice::from_mut(call),
        };
        for call in calls.iter_mut().filter(|call| call["method"] == "eth_getProof") {
            call["params"][2] = json!("latest");
        }
        self.0.answer(&HttpRequest { body: body.to_string().into_bytes(), ..request.clone() })
    }

    fn refuses(&self) -> bool {
        false
    }
}

fn finalized(scene: &Scene) -> Reading {
    scene.simulation.run(scene.client.finalized(&[native(ALICE)])).pop().unwrap()
}

/// A provider that no longer has the final block is past it, however it says that it does not know the block.
#[test]
fn a_provider_past_the_final_block_is_not_behind() {
    let error = |message: &str| Fault::Error { code: -32_000, message: message.into() }.on("eth_getProof");
    let faults = [
        Some(error("header not found")),
        Some(error("header for hash not found")),
        Some(error("unknown block")),
        Some(error("missing trie node")),
        None,
    ];
    for (seed, fault) in (400..).zip(faults) {
        let scene = lagging(seed, 0, 1);
        match &fault {
            Some(rule) => scene.providers[0].add(rule.clone()),
            None => {
                // Its tip is the newest signed block.
                let only_tip = OnlyTip(Provider::honest(&scene.chain));
                only_tip.0.set_lag(1);
                scene.simulation.internet().register("http://provider0.test", only_tip);
            }
        }
        let reading = finalized(&scene);
        assert_eq!(code(&reading), Some("proof_window_missed"), "{fault:?}: {:?}", reading.attempts());
    }
    let scene = lagging(410, 0, 1);
    scene.providers[0].set_proof_window(3);
    assert_eq!(code(&finalized(&scene)), Some("proof_window_missed"));
    // One that is really behind, and one that does not say where it is.
    let scene = lagging(411, 283, 1);
    assert_eq!(code(&finalized(&scene)), Some("providers_behind"));
    let scene = lagging(412, 0, 1);
    scene.providers[0].add(error("header not found"));
    scene.providers[0].add(Fault::NullResult.on("eth_blockNumber"));
    assert_eq!(code(&finalized(&scene)), Some("providers_behind"));
}
