//! Tokens in odd places: their own holder, a delegated account, two proxies with one implementation, a proxy to itself. And calls
//! that overlap, are dropped, or share a question whose answer lacks a slot. No amount is false, and none is zero for lack of proof.

use alloy_primitives::{Address, Bytes, U256};
use futures_util::FutureExt;
use saldo::{Holding, Reading};
use saldo_drill::{Chain, ContractCode, Fault};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene, UNUSED};
use saldo_tests::token::{
    CLONE, UNKNOWN, USDC, USDC_CODE, USDT, WETH, deploy, erc20, minimal_proxy, point, proxy, set_word,
};

/// Another proxy, with the implementation of [`USDC`].
const OTHER_USDC: Address = Address::repeat_byte(0x41);

/// A scene in which Alice has 5 of each token.
fn scene(seed: u64, providers: usize) -> Scene {
    let scene = Scene::new(seed, providers, 1);
    deploy(&scene.chain);
    for (token, name) in [(WETH, "WETH9"), (USDT, "TetherToken"), (USDC, "FiatTokenV2_2"), (CLONE, "WETH9")] {
        let others = (1..=20).map(Address::repeat_byte);
        others.for_each(|other| set_word(&scene.chain, token, name, other, U256::from(6)));
        set_word(&scene.chain, token, name, ALICE, U256::from(5));
    }
    scene.pass_slots(4);
    scene
}

fn read_all(scene: &Scene, holdings: &[Holding]) -> Vec<Reading> {
    scene.simulation.run(scene.client.read(holdings))
}

#[track_caller]
fn amount(reading: &Reading) -> U256 {
    let proven = reading.proven();
    proven.unwrap_or_else(|| panic!("{:?} {:?}", reading.why(), reading.attempts())).amount().base_units()
}

/// The amount is true at its own block, however it was shown.
#[track_caller]
fn assert_true(chain: &Chain, reading: &Reading, token: Address, owner: Address) {
    let Some(shown) = reading.latest_proven() else { return };
    let units = shown.amount().base_units();
    let held = chain.held_at_hash(shown.anchor().hash(), token, owner);
    assert_eq!(held, Some(saldo_drill::Held::Units { units, is_frozen: shown.is_frozen() }));
}

#[test]
fn a_token_that_holds_itself_shares_its_question() {
    let scene = scene(1, 1);
    set_word(&scene.chain, WETH, "WETH9", WETH, U256::from(9));
    scene.chain.set_balance(WETH, U256::from(77));
    scene.pass_slots(2);
    let holdings = [native(WETH), erc20(WETH, WETH), erc20(Address::ZERO, WETH), erc20(ALICE, WETH)];
    for _ in 0..2 {
        let readings = read_all(&scene, &holdings);
        let units: Vec<U256> = readings.iter().map(amount).collect();
        assert_eq!(units, [77, 9, 0, 5].map(U256::from));
        scene.pass_slots(2);
    }
}

/// An account with the code of a token (EIP-7702) is that token, in its own storage.
#[test]
fn a_delegated_account_is_a_token_of_its_own() {
    let scene = scene(2, 1);
    let delegation: Bytes = [&[0xef, 0x01, 0x00], WETH.as_slice()].concat().into();
    scene.chain.set_code(ALICE, delegation);
    set_word(&scene.chain, ALICE, "WETH9", ALICE, U256::from(3));
    scene.pass_slots(2);
    let readings =
        read_all(&scene, &[erc20(ALICE, ALICE), erc20(UNUSED, ALICE), native(ALICE), erc20(ALICE, WETH)]);
    let units: Vec<U256> = readings.iter().map(amount).collect();
    assert_eq!(units, [U256::from(3), U256::ZERO, BEFORE, U256::from(5)]);
    // The delegation ends: then there is no code.
    scene.chain.set_code(ALICE, Bytes::new());
    scene.pass_slots(2);
    let reading = read_all(&scene, &[erc20(ALICE, ALICE)]).remove(0);
    assert_eq!(reading.why().map(saldo::Why::code), Some("not_a_token"));
    assert_eq!(reading.latest_proven().unwrap().amount().base_units(), U256::from(3));
}

#[test]
fn two_proxies_with_one_implementation_are_two_tokens() {
    let scene = scene(3, 1);
    scene.chain.set_code_hash(OTHER_USDC, proxy("FiatTokenProxy").0.code_hash);
    point(&scene.chain, OTHER_USDC, USDC_CODE);
    set_word(&scene.chain, OTHER_USDC, "FiatTokenV2_2", ALICE, U256::from(50));
    scene.pass_slots(2);
    let holdings = [erc20(ALICE, USDC), erc20(ALICE, OTHER_USDC)];
    assert_eq!(read_all(&scene, &holdings).iter().map(amount).collect::<Vec<_>>(), [5, 50].map(U256::from));
    // One of them is upgraded. The other stays as it is.
    point(&scene.chain, USDC, WETH);
    set_word(&scene.chain, USDC, "WETH9", ALICE, U256::from(8));
    scene.pass_slots(2);
    assert_eq!(read_all(&scene, &holdings).iter().map(amount).collect::<Vec<_>>(), [8, 50].map(U256::from));
}

#[test]
fn a_proxy_to_itself_or_to_another_proxy_is_no_zero() {
    let scene = scene(4, 1);
    for target in [USDC, OTHER_USDC, CLONE] {
        point(&scene.chain, USDC, target);
        scene.chain.set_code_hash(OTHER_USDC, proxy("FiatTokenProxy").0.code_hash);
        point(&scene.chain, OTHER_USDC, USDC);
        scene.pass_slots(2);
        for owner in [ALICE, UNUSED] {
            let reading = read_all(&scene, &[erc20(owner, USDC)]).remove(0);
            assert!(matches!(&reading, Reading::Unknown(_)), "{target}: {reading:?}");
            assert!(reading.latest_proven().is_none());
        }
    }
    scene.chain.set_code(CLONE, minimal_proxy(CLONE));
    scene.pass_slots(2);
    let reading = read_all(&scene, &[erc20(ALICE, CLONE)]).remove(0);
    assert!(matches!(&reading, Reading::Unknown(_)), "{reading:?}");
    assert!(reading.latest_proven().is_none());
}

/// One reply has the slots of several holdings, and the provider leaves one of them out.
#[test]
fn a_slot_that_is_left_out_stops_only_its_own_holding() {
    let scene = scene(5, 2);
    let holdings = [erc20(ALICE, WETH), erc20(BOB, WETH), native(WETH)];
    // Now both providers and the token are known.
    read_all(&scene, &holdings);
    scene.pass_slots(2);
    scene.providers[1].add(Fault::Refuse);
    scene.providers[0].add(Fault::LeftOutSlot);
    let readings = read_all(&scene, &holdings);
    let is_proven: Vec<bool> = readings.iter().map(|reading| reading.proven().is_some()).collect();
    assert_eq!(is_proven.iter().filter(|proven| **proven).count(), 2, "{readings:?}");
    assert!(is_proven[2], "the coin needs no slot");
    let units = [U256::from(5), U256::ZERO, U256::ZERO];
    for ((reading, (owner, token)), units) in readings.iter().zip([(ALICE, WETH), (BOB, WETH)]).zip(units) {
        assert_true(&scene.chain, reading, token, owner);
        assert_eq!(reading.latest_proven().unwrap().amount().base_units(), units);
    }
    // Another provider gives it.
    scene.pass_slots(1);
    scene.providers[1].clear();
    let readings = read_all(&scene, &holdings);
    assert_eq!(readings.iter().map(amount).collect::<Vec<_>>(), units);
}

/// A token is upgraded again and again, while calls overlap and are dropped, and a provider mixes blocks.
#[test]
fn overlapping_and_dropped_calls_show_no_mixture() {
    for seed in 10..16_u64 {
        let scene = scene(seed, 2);
        scene.providers[0].add(Fault::MixedBlocks);
        set_word(&scene.chain, USDC, "WETH9", ALICE, U256::from(70));
        let holdings = [erc20(ALICE, USDC), erc20(BOB, USDC), erc20(ALICE, WETH)];
        let mut proven = 0;
        for turn in 0..12_u64 {
            point(&scene.chain, USDC, if turn % 2 == 0 { WETH } else { USDC_CODE });
            let client = scene.client.clone();
            let dropped = async {
                let read = scene.client.read(&holdings).boxed();
                let time = std::time::Duration::from_millis(turn * 13 % 90);
                let clock = scene.simulation.clock();
                let _ = futures_util::future::select(read, saldo::Clock::sleep(&clock, time)).await;
            };
            let both =
                futures_util::future::join3(dropped, client.read(&holdings), client.read(&holdings[..1]));
            let ((), first, second) = scene.simulation.run(both);
            for (reading, holding) in first.iter().zip(&holdings).chain(second.iter().zip(&holdings)) {
                let token = if *holding == holdings[2] { WETH } else { USDC };
                assert_true(&scene.chain, reading, token, holding.owner());
                proven += usize::from(reading.proven().is_some());
            }
            scene.simulation.pass(std::time::Duration::from_millis(4_000 + turn * 1_711));
        }
        assert!(proven > 12, "seed {seed}: {proven}");
    }
}

/// Each look finds another lie, and then the truth.
#[test]
fn lies_that_change_over_time_lead_to_no_false_amount() {
    let lies = [
        Fault::OtherSlotsProof,
        Fault::InventedTrie { balance: U256::ZERO },
        Fault::LeftOutSlot,
        Fault::InventedTrie { balance: U256::from(77) },
        Fault::TruncatedStorageProof { nodes: 1 },
        Fault::MixedBlocks,
        Fault::StaleBlock(1),
        Fault::OtherCode,
    ];
    let scene = scene(20, 2);
    for turn in 0..lies.len() * 2 {
        let units = U256::from(turn);
        set_word(&scene.chain, USDC, "FiatTokenV2_2", ALICE, units);
        scene.chain.deploy(UNKNOWN, &ContractCode::MinimalProxy(if turn % 2 == 0 { WETH } else { USDT }));
        for (place, provider) in scene.providers.iter().enumerate() {
            provider.set(lies[(turn + place * 3) % lies.len()].clone());
        }
        scene.pass_slots(1);
        for (token, owner) in [(USDC, ALICE), (USDC, BOB), (UNKNOWN, ALICE)] {
            let reading = read_all(&scene, &[erc20(owner, token)]).remove(0);
            assert_true(&scene.chain, &reading, token, owner);
            if let Reading::Provisional(claim) = &reading {
                assert!(claim.unconfirmed_amount().is_none_or(|amount| !amount.base_units().is_zero()));
            }
        }
    }
    scene.providers.iter().for_each(saldo_drill::Provider::clear);
    scene.simulation.pass(std::time::Duration::from_secs(3_600));
    assert_eq!(amount(&read_all(&scene, &[erc20(ALICE, USDC)])[0]), U256::from(lies.len() * 2 - 1));
}
