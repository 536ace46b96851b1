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

/// A few blocks are a lag too, if the provider says itself that it does not have the signed block.
#[test]
fn a_lag_of_a_few_blocks_is_told_with_its_number() {
    for (seed, (blocks, providers)) in (20..).zip([(3, 1), (4, 2), (10, 1), (16, 3), (25, 1)]) {
        let scene = lagging(seed, blocks, providers);
        let reading = scene.balance(ALICE);
        let why = reading.why().unwrap_or_else(|| panic!("{blocks} blocks: {reading:?}"));
        assert_eq!(why.code(), "providers_behind", "{blocks} blocks: {:?}", reading.attempts());
        // The newest block of the chain is not signed yet.
        assert_eq!(*why, Why::ProvidersBehind { blocks: Some(blocks - 1) });
        assert!(why.to_string().contains(&format!("{} blocks behind", blocks - 1)), "{why}");
        assert!(why.next_step().contains("keeps up with the chain"), "{}", why.next_step());
        scene.providers.iter().for_each(|provider| provider.set_lag(0));
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "it has caught up");
    }
    // One of two may have the block soon.
    let scene = lagging(30, 10, 2);
    scene.providers[1].add(
        Fault::Error { code: -32_000, message: "header for hash not found".into() }.on("eth_getBlockByHash"),
    );
    scene.providers[1].set_lag(2);
    assert_eq!(code(&scene.balance(ALICE)), Some("unsigned_tip"));
}

/// A provider that does not tell its number, or a false one, is behind if it still lacks the block after some slots.
#[test]
fn a_provider_that_lacks_the_block_for_some_slots_is_behind() {
    let said = [
        Fault::Result(json!("0xffffff")),
        Fault::Result(json!("soon")),
        Fault::NullResult,
        Fault::Error { code: -32_601, message: "method not found".into() },
    ];
    for (seed, fault) in (40..).zip(said) {
        let scene = lagging(seed, 20, 1);
        scene.providers[0].add(fault.clone().on("eth_blockNumber"));
        let mut codes = Vec::new();
        for _ in 0..4 {
            codes.push(code(&scene.balance(ALICE)));
            scene.pass_slots(1);
        }
        assert_eq!(codes.first(), Some(&Some("unsigned_tip")), "{fault:?}");
        assert_eq!(codes.last(), Some(&Some("providers_behind")), "{fault:?}: {codes:?}");
        scene.providers[0].set_lag(0);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    }
}

/// A patient read waits for a lag that is short enough.
#[test]
fn a_patient_read_waits_for_a_provider_that_lags() {
    for blocks in [3, 5] {
        let scene = lagging(60 + blocks, blocks, 1);
        let reading = scene.patient_balance(ALICE, Duration::from_secs(180));
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{blocks} blocks");
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
        let first = scene.balance(ALICE);
        assert!(first.proven().is_some() || code(&first) == Some("unsigned_tip"), "{first:?}");
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
