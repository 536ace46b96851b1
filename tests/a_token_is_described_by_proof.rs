//! `Client::token` hands out what was proven at a block that stands. Nothing that a provider says of a token without proof is in it.

use alloy_primitives::{Address, U256};
use saldo::{Level, Provability, ProvenToken, TokenReading};
use saldo_drill::Fault;
use saldo_tests::assembler::token_of;
use saldo_tests::scene::{ALICE, Scene};
use saldo_tests::token::{
    CLONE, UNKNOWN, USDC, USDC_CODE, USDT, WETH, deploy, layout, point, proxy, set_word,
};

fn scene(seed: u64, providers: usize) -> Scene {
    let scene = Scene::new(seed, providers, 1);
    deploy(&scene.chain);
    scene.chain.set_token_balance(UNKNOWN, ALICE, U256::from(10));
    scene.chain.set_code(UNKNOWN, vec![0x60, 0x00].into());
    // With several words in its storage, another slot has another proof.
    for owner in 1..=16 {
        set_word(&scene.chain, USDC, "FiatTokenV2_2", Address::repeat_byte(owner), U256::from(owner));
    }
    scene.pass_slots(4);
    scene
}

fn look(scene: &Scene, token: Address) -> TokenReading {
    scene.simulation.run(scene.client.token(token))
}

#[track_caller]
fn proven(scene: &Scene, token: Address) -> ProvenToken {
    match look(scene, token) {
        TokenReading::Proven(proven) => *proven,
        TokenReading::Unknown(unknown) => panic!("{:?} {:?}", unknown.why(), unknown.attempts()),
    }
}

#[track_caller]
fn assert_unknown(scene: &Scene, token: Address, code: &str) {
    let TokenReading::Unknown(unknown) = look(scene, token) else { panic!("it is proven") };
    assert_eq!(unknown.why().code(), code, "{:?}", unknown.attempts());
}

#[test]
fn a_token_is_described_at_a_signed_block_without_any_owner() {
    let scene = scene(1, 2);
    for (token, name, implementation) in [
        (WETH, "WETH9", None),
        (USDT, "TetherToken", None),
        (USDC, "FiatTokenV2_2", Some(USDC_CODE)),
        (CLONE, "WETH9", Some(WETH)),
    ] {
        let proven = proven(&scene, token);
        let described = proven.description();
        assert_eq!((described.token(), described.layout().unwrap().name), (token, name));
        assert_eq!(described.implementation(), implementation.map(|it| (it, layout(name).code_hash)));
        assert_eq!(described.provability(), Provability::Slot);
        assert!(described.guards().iter().all(|guard| guard.holds));
        assert_eq!(described.state_root(), proven.anchor().state_root());
        assert!(proven.anchor().assurance().level() >= Level::Signed);
        let block = scene.chain.block(proven.anchor().number()).unwrap();
        assert_eq!((block.hash, block.state_root), (proven.anchor().hash(), described.state_root().get()));
    }
    assert_eq!(proven(&scene, USDC).description().code_hash(), proxy("FiatTokenProxy").0.code_hash);
    assert_eq!(proven(&scene, UNKNOWN).description().provability(), Provability::LayoutUnknown);
    for not in [ALICE, Address::repeat_byte(0x77)] {
        assert_eq!(proven(&scene, not).description().provability().code(), "not_a_token");
    }
}

#[test]
fn an_upgrade_is_seen() {
    let scene = scene(2, 2);
    assert_eq!(proven(&scene, USDC).description().provability(), Provability::Slot);
    point(&scene.chain, USDC, UNKNOWN);
    scene.pass_slots(3);
    let upgraded = proven(&scene, USDC);
    assert_eq!(upgraded.description().provability(), Provability::LayoutUnknown);
    assert_eq!(upgraded.description().implementation().unwrap().0, UNKNOWN);
    point(&scene.chain, USDC, Address::repeat_byte(0x78));
    scene.pass_slots(3);
    assert_eq!(proven(&scene, USDC).description().provability().code(), "not_a_token");
}

#[test]
fn a_condition_that_fails_is_said() {
    let scene = scene(3, 1);
    scene.chain.set_storage(USDT, alloy_primitives::B256::with_last_byte(10), U256::ONE);
    scene.pass_slots(3);
    let proven = proven(&scene, USDT);
    assert_eq!(proven.description().provability(), Provability::GuardFailed);
    assert_eq!(proven.description().guards().iter().filter(|guard| !guard.holds).count(), 1);
}

/// Its code asks for one slot after another, and does a quarter of what one run may do before. All rounds together may not do that.
#[test]
fn a_slow_token_is_described_without_its_decimals() {
    let scene = scene(6, 1);
    for (place, next) in (0..5).zip(1..) {
        scene.chain.set_storage(UNKNOWN, alloy_primitives::B256::with_last_byte(place), U256::from(next));
    }
    for (steps, decimals) in [(0, Some(5)), (62_500, None)] {
        // `JUMPDEST …`
        let code = [vec![0x5b; steps], token_of("0 SLOAD SLOAD SLOAD SLOAD SLOAD").to_vec()].concat();
        scene.chain.set_code(UNKNOWN, code.into());
        scene.pass_slots(3);
        let described = proven(&scene, UNKNOWN);
        assert_eq!(described.info().map(saldo::TokenInfo::decimals), decimals);
        assert_eq!(described.description().provability(), Provability::LayoutUnknown);
    }
}

#[test]
fn a_lone_liar_describes_no_token() {
    for (fault, code) in [
        (Fault::OtherAccountsProof, "proofs_refused"),
        (Fault::TruncatedProof { nodes: 1 }, "proofs_refused"),
        (Fault::ExtraNodes, "proofs_refused"),
        (Fault::InventedTrie { balance: U256::ZERO }, "proofs_refused"),
        (Fault::TruncatedStorageProof { nodes: 0 }, "proofs_refused"),
        (Fault::OtherSlotsProof, "proofs_refused"),
        (Fault::NoStorageProof, "providers_failing"),
        (Fault::Refuse, "all_unreachable"),
    ] {
        let scene = scene(4, 1);
        scene.providers[0].add(fault.clone());
        let TokenReading::Unknown(unknown) = look(&scene, USDC) else { panic!("{fault:?}") };
        assert_eq!(unknown.why().code(), code, "{fault:?} {:?}", unknown.attempts());
    }
}

#[test]
fn one_honest_provider_is_enough() {
    let scene = scene(5, 3);
    scene.providers[0].add(Fault::OtherAccountsProof);
    scene.providers[1].add(Fault::TruncatedStorageProof { nodes: 0 });
    assert_eq!(proven(&scene, USDC).description().provability(), Provability::Slot);
}

#[test]
fn false_code_is_no_code() {
    let scene = scene(6, 1);
    scene.providers[0].add(Fault::OtherCode);
    assert_unknown(&scene, CLONE, "providers_failing");
}

#[test]
fn without_a_head_nothing_is_said() {
    let scene = scene(7, 2);
    scene.sources.iter().for_each(|source| source.add(Fault::Refuse));
    assert_unknown(&scene, WETH, "light_client_behind");
    let outage = self::scene(8, 2);
    assert_eq!(proven(&outage, WETH).description().provability(), Provability::Slot);
    outage.pass_slots(200);
    outage.sources.iter().for_each(|source| source.add(Fault::Refuse));
    assert_unknown(&outage, WETH, "light_client_behind");
}
