//! A node that is far behind the chain has no part in a reading, and the reason says that it lags.

use std::time::Duration;

use saldo::{Policy, Reading, Why};
use saldo_drill::{Chain, Fault};
use saldo_tests::scene::{ALICE, BEFORE, Scene};

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
