//! No block states its chain id. A network file with a wrong one is noticed against what the providers say.

use alloy_primitives::U256;
use saldo::{Network, Policy, Reading, Why};
use saldo_drill::{Chain, Fault, Rule};
use saldo_tests::scene::{ALICE, BEFORE, Scene};

const WRONG: u64 = 4_242;

fn chain(seed: u64) -> Chain {
    Chain::builder(seed).accounts([(ALICE, BEFORE), (saldo_tests::scene::BOB, U256::from(7))]).build()
}

fn with_chain_id(network: &Network, chain_id: u64) -> Network {
    let right = format!("chain_id = {}", network.chain_id());
    let text = network.to_toml();
    assert!(text.contains(&right));
    Network::from_toml(&text.replacen(&right, &format!("chain_id = {chain_id}"), 1)).unwrap()
}

/// A wallet whose network file has that chain id.
fn scene(seed: u64, providers: usize, chain_id: u64, policy: Policy) -> Scene {
    let chain = chain(seed);
    let network = with_chain_id(&chain.network(), chain_id);
    let policy = Policy { operators_per_address: providers, ..policy };
    Scene::knowing(network, chain, seed, providers, 1, policy)
}

fn read(scene: &Scene) -> Reading {
    scene.simulation.run(scene.client.read(&[scene.client.native(ALICE)])).pop().unwrap()
}

fn finalized(scene: &Scene) -> Reading {
    scene.simulation.run(scene.client.finalized(&[scene.client.native(ALICE)])).pop().unwrap()
}

fn says(chain_id: u64) -> Rule {
    Fault::Result(serde_json::json!(format!("{chain_id:#x}"))).on("eth_chainId")
}

#[track_caller]
fn assert_wrong(reading: &Reading) {
    let why = reading.why().unwrap_or_else(|| panic!("{reading:?}"));
    assert_eq!(why, &Why::WrongChain { expected: WRONG }, "{:?}", reading.attempts());
    assert!(why.needs_action() && why.next_step().contains("network"), "{}", why.next_step());
    assert!(why.to_string().contains("4242") && reading.proven().is_none());
}

#[test]
fn a_wrong_number_in_the_file_is_noticed() {
    for (seed, providers) in (0..).zip([1, 2, 3]) {
        for policy in [Policy::signed(), Policy::finalized()] {
            let scene = scene(seed, providers, WRONG, policy);
            for _ in 0..2 {
                assert_wrong(&read(&scene));
                scene.pass_slots(1);
            }
            assert_wrong(&finalized(&scene));
        }
    }
}

/// The number of another provider's answer counts, and one that does not say it counts for none.
#[test]
fn silent_providers_change_nothing() {
    let scene = scene(10, 3, WRONG, Policy::signed());
    scene.providers[1].add(Fault::Status(503).on("eth_chainId"));
    scene.providers[2].add(Fault::Refuse);
    assert_wrong(&read(&scene));
    // If no provider says it, nothing can be noticed, and the proof is genuine.
    let scene = self::scene(11, 2, WRONG, Policy::signed());
    scene.providers.iter().for_each(|provider| provider.add(Fault::NullResult.on("eth_chainId")));
    assert!(read(&scene).proven().is_some());
}

/// Providers that lie about their chain hide no amount while one tells the truth.
#[test]
fn one_provider_that_tells_the_truth_is_enough() {
    for (seed, providers) in (20..).zip([2_usize, 3]) {
        for honest in 0..providers {
            let scene = scene(seed, providers, Chain::CHAIN_ID, Policy::signed());
            let liars = (0..providers).filter(|place| *place != honest);
            liars.for_each(|place| scene.providers[place].add(says(WRONG)));
            for _ in 0..3 {
                assert_eq!(scene.assert_true(&read(&scene), ALICE), BEFORE);
                scene.pass_slots(1);
            }
        }
    }
}

/// The right number costs one small request in the first reading, and none later.
#[test]
fn the_right_number_costs_one_request() {
    let scene = scene(30, 1, Chain::CHAIN_ID, Policy::signed());
    for _ in 0..5 {
        assert_eq!(scene.assert_true(&read(&scene), ALICE), BEFORE);
        scene.pass_slots(1);
    }
    assert_eq!(scene.providers[0].requests().get("eth_chainId"), Some(&1));
}

/// Once a provider has said that it serves the chain, no later claim hides an amount.
#[test]
fn later_claims_hide_nothing() {
    for (seed, providers) in (40..).zip([1_usize, 2, 3]) {
        let scene = scene(seed, providers, Chain::CHAIN_ID, Policy::signed());
        assert_eq!(scene.assert_true(&read(&scene), ALICE), BEFORE);
        scene.providers.iter().for_each(|provider| provider.add(says(WRONG)));
        for _ in 0..3 {
            scene.pass_slots(1);
            assert_eq!(scene.assert_true(&read(&scene), ALICE), BEFORE);
        }
        scene.providers.iter().for_each(|provider| provider.add(Fault::TruncatedProof { nodes: 1 }));
        scene.pass_slots(2);
        let reading = read(&scene);
        assert!(reading.proven().is_none() && reading.latest_proven().is_some(), "{reading:?}");
    }
}
