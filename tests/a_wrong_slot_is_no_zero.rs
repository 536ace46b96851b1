//! Providers that lie about a token: a slot of another layout, a proof that ends early, another contract, another code, proofs of
//! different blocks. Each is refused, and the amount of an honest provider is shown.

use alloy_primitives::{Address, U256};
use saldo::{Holding, Policy, Reading};
use saldo_drill::{Chain, Fault};
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use saldo_tests::scene::{ALICE, Scene};
use saldo_tests::token::{CLONE, UNKNOWN, USDC, USDT, WETH, deploy, erc20, failure_codes, set_word};

/// A scene in which Alice has 5 of each token, among other holders.
fn scene(seed: u64, providers: usize) -> Scene {
    let chain = Chain::builder(seed).accounts([(ALICE, U256::from(1))]).build();
    around(chain, seed, providers)
}

fn around(chain: Chain, seed: u64, providers: usize) -> Scene {
    let policy = Policy { operators_per_address: providers, ..Policy::signed() };
    let scene = Scene::of(chain, seed, providers, 1, policy);
    deploy(&scene.chain);
    for (token, name) in [(WETH, "WETH9"), (USDT, "TetherToken"), (USDC, "FiatTokenV2_2"), (CLONE, "WETH9")] {
        set_word(&scene.chain, token, name, ALICE, U256::from(5));
        // In a trie of one slot, the proof of any other slot is the same.
        let others = (1..=60).map(Address::repeat_byte).filter(|other| *other != ALICE);
        others.for_each(|other| set_word(&scene.chain, token, name, other, U256::from(6)));
    }
    scene.chain.set_token_balance(UNKNOWN, ALICE, U256::from(5));
    scene.pass_slots(4);
    scene
}

fn read(scene: &Scene, holding: Holding) -> Reading {
    scene.simulation.run(scene.client.read(&[holding])).pop().unwrap()
}

/// The lies, each with the codes of the failures that a lone liar can be refused with.
fn lies() -> Vec<(Fault, &'static [&'static str])> {
    vec![
        (Fault::OtherSlotsProof, &["proof_refused"]),
        (Fault::TruncatedStorageProof { nodes: 0 }, &["proof_refused"]),
        (Fault::NoStorageProof, &["malformed"]),
        (Fault::OtherAccountsProof, &["proof_refused"]),
        (Fault::OtherAccountEchoed, &["proof_refused"]),
        (Fault::TruncatedProof { nodes: 0 }, &["proof_refused"]),
        (Fault::TruncatedProof { nodes: 1 }, &["proof_refused"]),
        (Fault::ExtraNodes, &["proof_refused"]),
        (Fault::FlippedByte { node: 0, byte: 9 }, &["proof_refused"]),
        (Fault::InventedTrie { balance: U256::ZERO }, &["proof_refused"]),
    ]
}

#[test]
fn a_lone_liar_proves_nothing_about_a_token() {
    for (seed, (lie, codes)) in (1..).zip(lies()) {
        for token in [WETH, USDC, USDT, CLONE] {
            let scene = scene(seed, 1);
            scene.providers[0].add(lie.clone());
            let reading = read(&scene, erc20(ALICE, token));
            let Reading::Unknown(_) = &reading else { panic!("{lie:?} {token}: {reading:?}") };
            let failures = failure_codes(&reading);
            assert!(
                !failures.is_empty() && failures.iter().all(|code| codes.contains(code)),
                "{lie:?} {token}: {failures:?}"
            );
            assert!(scene.client.last(&erc20(ALICE, token)).is_none());
        }
    }
}

#[test]
fn one_honest_provider_is_enough_for_a_token() {
    for (seed, (lie, _)) in (20..).zip(lies()) {
        let scene = scene(seed, 2);
        scene.providers[0].add(lie.clone());
        for token in [WETH, USDC, USDT, CLONE] {
            let reading = read(&scene, erc20(ALICE, token));
            let proven = reading.proven().unwrap_or_else(|| panic!("{lie:?} {token}: {reading:?}"));
            assert_eq!(proven.amount().base_units(), U256::from(5), "{lie:?} {token}");
            assert_eq!(proven.provider().as_str(), "provider1", "{lie:?} {token}");
        }
    }
}

/// The proof of the account is of the block, and the one of the implementation is of the block before.
#[test]
fn proofs_of_two_blocks_do_not_join() {
    // The second provider proves only blocks that are not signed yet.
    for (seed, window, expected) in [(40, None, "proof_refused"), (41, Some(1), "malformed")] {
        let chain = Chain::builder(seed).tip_lead(3).accounts([(ALICE, U256::from(1))]).build();
        let scene = around(chain, seed, 1);
        assert!(read(&scene, erc20(ALICE, USDC)).proven().is_some());
        scene.pass_slots(2);
        scene.providers[0].add(Fault::MixedBlocks);
        if let Some(blocks) = window {
            scene.providers[0].set_proof_window(blocks);
        }
        let reading = read(&scene, erc20(ALICE, USDC));
        let Reading::Unknown(unknown) = &reading else { panic!("{reading:?}") };
        assert_eq!(unknown.last().unwrap().amount().base_units(), U256::from(5));
        let lied =
            reading.attempts().iter().find(|attempt| attempt.provider.as_str() == "provider0").unwrap();
        assert_eq!(lied.outcome.code(), expected, "{:?}", reading.attempts());
    }
}

/// The code of a minimal proxy decides whose layout counts. Bytes with another hash are never read.
#[test]
fn another_code_is_refused() {
    let scene = scene(50, 1);
    scene.providers[0].add(Fault::OtherCode);
    for token in [CLONE, UNKNOWN] {
        let reading = read(&scene, erc20(ALICE, token));
        let Reading::Unknown(_) = &reading else { panic!("{reading:?}") };
        assert!(
            reading.attempts().iter().any(|attempt| attempt.outcome.code() == "malformed"),
            "{reading:?}"
        );
        scene.pass_slots(1);
    }
    scene.providers[0].clear();
    assert_eq!(read(&scene, erc20(ALICE, CLONE)).proven().unwrap().amount().base_units(), U256::from(5));
}

/// What a liar says of a token in an invented state is a guess for the next request, and never more.
#[test]
fn what_a_liar_says_of_a_token_is_not_believed_later() {
    let scene = scene(51, 2);
    scene.providers[0].set_proof_window(0);
    scene.providers[0].add(Fault::InventedTrie { balance: U256::from(9) });
    scene.providers[1].add(Fault::Refuse);
    for token in [WETH, USDC] {
        let reading = read(&scene, erc20(ALICE, token));
        assert!(reading.proven().is_none(), "{reading:?}");
    }
    scene.providers[1].clear();
    scene.pass_slots(2);
    for token in [WETH, USDC] {
        assert_eq!(read(&scene, erc20(ALICE, token)).proven().unwrap().amount().base_units(), U256::from(5));
    }
}

#[test]
fn a_false_proof_of_a_slot_is_kept_as_evidence() {
    let scene = scene(52, 1);
    assert!(read(&scene, erc20(ALICE, WETH)).proven().is_some());
    scene.pass_slots(1);
    scene.providers[0].add(Fault::OtherSlotsProof);
    assert!(read(&scene, erc20(ALICE, WETH)).proven().is_none());
    let evidence = scene.client.evidence();
    assert_eq!(evidence.len(), 1);
    let json: serde_json::Value = serde_json::from_str(&evidence[0].to_json()).unwrap();
    let key = saldo_tests::token::layout("WETH9").mapping.slot(ALICE);
    assert_eq!(json["request"]["params"][0], format!("{WETH:#x}"));
    assert_eq!(json["request"]["params"][1][0], key.to_string());
    let reply: AccountReply = serde_json::from_value(json["reply"].clone()).unwrap();
    let root = StateRoot::new(json["block"]["stateRoot"].as_str().unwrap().parse().unwrap());
    let account = reply.verify(root, WETH).unwrap();
    assert!(account.slot(key, &reply.storage(key).unwrap().proof).is_err());
}
