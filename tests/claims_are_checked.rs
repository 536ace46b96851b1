//! `Client::check`: an amount that another source named is confirmed by proof, or it is said what is known instead.

use alloy_primitives::{Address, U256};
use saldo::{Claim, Holding, Verdict};
use saldo_drill::Fault;
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, Scene, UNUSED};
use saldo_tests::token::{UNKNOWN, USDC, WETH, deploy, erc20, set_word};

fn scene(seed: u64, providers: usize) -> Scene {
    let scene = Scene::new(seed, providers, 1);
    deploy(&scene.chain);
    set_word(&scene.chain, WETH, "WETH9", ALICE, U256::from(10));
    set_word(&scene.chain, USDC, "FiatTokenV2_2", ALICE, U256::from(20));
    scene.pass_slots(4);
    scene
}

const fn claim(holding: Holding, amount: U256) -> Claim {
    Claim { holding, amount, block: None }
}

fn check(scene: &Scene, claims: &[Claim]) -> Vec<Verdict> {
    scene.simulation.run(scene.client.check(claims))
}

fn codes(verdicts: &[Verdict]) -> Vec<&'static str> {
    verdicts.iter().map(Verdict::code).collect()
}

#[test]
fn right_and_wrong_amounts_are_told_apart() {
    let scene = scene(1, 2);
    let ten = U256::from(10);
    let claims = [
        claim(native(ALICE), BEFORE),
        claim(native(ALICE), U256::ZERO),
        claim(native(UNUSED), U256::ZERO),
        claim(native(UNUSED), ten),
        claim(erc20(ALICE, WETH), ten),
        claim(erc20(ALICE, USDC), ten),
        claim(erc20(BOB, WETH), U256::ZERO),
        claim(erc20(ALICE, UNKNOWN), U256::ZERO),
        claim(erc20(ALICE, Address::repeat_byte(0x99)), U256::ZERO),
    ];
    let verdicts = check(&scene, &claims);
    let wanted = [
        "confirmed",
        "different",
        "confirmed",
        "different",
        "confirmed",
        "different",
        "confirmed",
        "not_checked",
        "not_checked",
    ];
    assert_eq!(codes(&verdicts), wanted);
    let Verdict::Different { proven, claimed } = &verdicts[1] else { panic!() };
    assert_eq!((proven.amount().base_units(), *claimed), (BEFORE, U256::ZERO));
}

#[test]
fn it_takes_no_more_requests_than_a_read() {
    let count = |scene: &Scene, run: &dyn Fn(&Scene)| {
        let before = scene.simulation.internet().log().len();
        run(scene);
        scene.simulation.internet().log().len() - before
    };
    let holdings: Vec<Holding> = (1..=30).map(|byte| native(Address::repeat_byte(byte))).collect();
    let claims: Vec<Claim> = holdings.iter().map(|holding| claim(*holding, U256::ZERO)).collect();
    let read = count(&scene(2, 2), &|scene| drop(scene.simulation.run(scene.client.read(&holdings))));
    let checked = count(&scene(2, 2), &|scene| drop(check(scene, &claims)));
    assert!(checked <= read, "{checked} requests, a read takes {read}");
}

#[test]
fn a_claim_that_was_right_at_its_block_has_changed() {
    let scene = scene(3, 2);
    let before = scene.chain.signed().number;
    scene.chain.set_balance(ALICE, AFTER);
    set_word(&scene.chain, WETH, "WETH9", ALICE, U256::from(11));
    scene.pass_slots(4);
    let at = |holding, amount, block| Claim { holding, amount, block: Some(block) };
    let newest = scene.chain.signed().number;
    let verdicts = check(
        &scene,
        &[
            at(native(ALICE), BEFORE, before),
            at(native(ALICE), U256::from(3), before),
            at(native(ALICE), AFTER, before),
            at(native(ALICE), BEFORE, newest),
            at(erc20(ALICE, WETH), U256::from(10), before),
            at(native(ALICE), BEFORE, newest + 9),
            claim(native(ALICE), BEFORE),
        ],
    );
    let wanted = ["changed", "different", "confirmed", "different", "changed", "not_checked", "different"];
    assert_eq!(codes(&verdicts), wanted);
    let Verdict::Changed { proven, claimed, at } = &verdicts[0] else { panic!() };
    assert_eq!((proven.amount().base_units(), *claimed, at.number()), (AFTER, BEFORE, before));
    let Verdict::NotChecked(unknown) = &verdicts[5] else { panic!() };
    assert_eq!(unknown.why().code(), "unsigned_tip");
    assert_eq!(unknown.last().unwrap().amount().base_units(), AFTER, "what is proven is still said");
}

#[test]
fn a_claimed_zero_is_never_confirmed_by_silence() {
    for fault in [Fault::Refuse, Fault::TruncatedProof { nodes: 1 }, Fault::NoProofs, Fault::ZeroBalance] {
        let scene = scene(4, 1);
        scene.providers[0].add(fault.clone());
        let verdicts = check(&scene, &[claim(native(ALICE), U256::ZERO), claim(native(UNUSED), U256::ZERO)]);
        for verdict in &verdicts[..1] {
            assert_ne!(verdict.code(), "confirmed", "{fault:?}");
        }
        if fault != Fault::ZeroBalance {
            assert_eq!(codes(&verdicts), ["not_checked", "not_checked"], "{fault:?}");
        }
    }
}

#[test]
fn an_old_block_that_nobody_proves_is_not_called_different() {
    let scene = scene(5, 1);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(80);
    let old = Claim { holding: native(ALICE), amount: BEFORE, block: Some(1) };
    let verdicts = check(&scene, &[old]);
    let Verdict::NotChecked(unknown) = &verdicts[0] else { panic!("{verdicts:?}") };
    assert_eq!(unknown.why().code(), "proof_window_missed");
    assert_eq!(unknown.last().unwrap().amount().base_units(), AFTER);
}
