//! `Client::check`: an amount that another source named is confirmed by proof, or it is said what is known instead.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::future::{join, join_all};
use saldo::{Claim, Clock, Holding, Policy, Verdict};
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

/// A chain whose tip is two blocks above the newest signed one, and in which Alice's balance changes in the tip's parent.
fn scene_with_a_new_amount(seed: u64, policy: Policy) -> Scene {
    let chain = saldo_drill::Chain::builder(seed).accounts([(ALICE, BEFORE)]).tip_lead(2).history(8).build();
    let scene = Scene::of(chain, seed, 2, 1, policy);
    scene.pass_slots(1);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(1);
    scene
}

#[test]
fn a_claim_from_an_unsigned_tip_is_not_called_wrong() {
    let scene = scene_with_a_new_amount(6, Policy::signed());
    let (signed, tip) = (scene.chain.signed().number, scene.chain.tip().number);
    assert_eq!(scene.chain.balance_at(tip, ALICE), Some(AFTER));
    assert_eq!(scene.chain.balance_at(signed, ALICE), Some(BEFORE));
    let right = Claim { holding: native(ALICE), amount: AFTER, block: Some(tip) };
    let old = Claim { amount: BEFORE, ..right };
    let nameless = Claim { block: None, ..right };
    let verdicts = check(&scene, &[right, old]);
    assert_eq!(codes(&verdicts), ["not_checked", "confirmed"], "the newest proven amount is the old one");
    let Verdict::NotChecked(unknown) = &verdicts[0] else { panic!() };
    assert_eq!(unknown.why().code(), "unsigned_tip");
    // With patience the block is signed, and what was said before is looked at again.
    let patience = Duration::from_secs(60);
    let wrong = Claim { amount: U256::from(3), ..nameless };
    let verdicts = scene.simulation.run(scene.client.check_patiently(&[right, nameless, wrong], patience));
    assert_eq!(codes(&verdicts), ["confirmed", "confirmed", "different"]);
    for verdict in &verdicts {
        assert_eq!(verdict.proven().unwrap().amount().base_units(), AFTER);
    }
}

#[test]
fn without_a_newer_block_a_claim_that_names_none_is_not_called_different() {
    let scene = scene_with_a_new_amount(7, Policy::signed());
    let nameless = claim(native(ALICE), AFTER);
    let verdicts =
        scene.simulation.run(scene.client.check_patiently(&[nameless], Duration::from_millis(200)));
    let Verdict::NotChecked(unknown) = &verdicts[0] else { panic!("{verdicts:?}") };
    assert_eq!(unknown.why().code(), "unsigned_tip");
    assert_eq!(unknown.last().unwrap().amount().base_units(), BEFORE);
}

#[test]
fn a_block_that_can_never_come_in_time_is_not_waited_for() {
    let scene = scene(8, 2);
    let far = Claim { holding: native(ALICE), amount: U256::from(3), block: Some(u64::MAX) };
    let clock = scene.simulation.clock();
    let began = clock.monotonic();
    let verdicts = scene.simulation.run(scene.client.check_patiently(&[far], Duration::from_secs(60)));
    assert_eq!(codes(&verdicts), ["not_checked"]);
    assert!(clock.monotonic() - began < Duration::from_secs(10));
}

#[test]
fn finality_that_comes_late_makes_no_claim_different() {
    let scene = Scene::with_policy(9, 2, 1, Policy { operators_per_address: 2, ..Policy::finalized() });
    scene.pass_slots(40);
    let final_one = scene.chain.finalized().number;
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(2);
    let newer = Claim { holding: native(ALICE), amount: AFTER, block: Some(scene.chain.signed().number) };
    let older = Claim { holding: native(ALICE), amount: U256::from(3), block: Some(final_one) };
    let claims = [newer, older, Claim { block: None, ..newer }];
    let verdicts = scene.simulation.run(scene.client.check_patiently(&claims, Duration::from_secs(2)));
    assert_eq!(codes(&verdicts), ["not_checked", "different", "not_checked"]);
    for place in [0, 2] {
        let Verdict::NotChecked(unknown) = &verdicts[place] else { panic!() };
        assert_eq!(unknown.why().code(), "only_old_blocks", "it is signed, and not final");
    }
}

#[test]
fn one_holding_may_be_claimed_at_many_blocks() {
    let scene = scene(10, 2);
    let mut claims = Vec::new();
    for step in 1..=20_u64 {
        scene.chain.set_balance(ALICE, BEFORE + U256::from(step));
        scene.pass_slots(1);
    }
    scene.pass_slots(2);
    let newest = scene.chain.signed().number;
    for number in newest - 20..=newest {
        let amount = scene.chain.balance_at(number, ALICE).unwrap();
        claims.push(Claim { holding: native(ALICE), amount, block: Some(number) });
        claims.push(Claim { holding: native(ALICE), amount: amount + U256::from(100), block: Some(number) });
    }
    let verdicts = check(&scene, &claims);
    let now = scene.chain.balance_at(newest, ALICE).unwrap();
    for (claim, verdict) in claims.iter().zip(&verdicts) {
        let is_right = scene.chain.balance_at(claim.block.unwrap(), ALICE) == Some(claim.amount);
        let wanted = match is_right {
            true if claim.amount == now => "confirmed",
            true => "changed",
            false => "different",
        };
        assert_eq!(verdict.code(), wanted, "{claim:?}");
    }
}

#[test]
fn what_many_claims_name_is_asked_for_once() {
    let scene = scene(11, 1);
    let block = scene.chain.signed().number;
    let owners: Vec<Address> = (1..=60).map(Address::repeat_byte).collect();
    for owner in &owners {
        scene.chain.set_balance(*owner, U256::from(5));
    }
    scene.pass_slots(4);
    let claims: Vec<Claim> = owners
        .iter()
        .map(|owner| Claim { holding: native(*owner), amount: U256::ZERO, block: Some(block) })
        .collect();
    let before = scene.simulation.internet().log().len();
    let verdicts = check(&scene, &claims);
    assert!(codes(&verdicts).iter().all(|code| *code == "changed"), "{:?}", codes(&verdicts));
    let asked = scene.simulation.internet().log().len() - before;
    assert!(asked < 40, "{asked} requests for 60 claims at one block");
}

#[test]
fn a_block_that_was_taken_back_confirms_nothing() {
    let scene = scene(12, 2);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(2);
    let seen = Claim { holding: native(ALICE), amount: AFTER, block: Some(scene.chain.signed().number) };
    assert_eq!(codes(&check(&scene, &[seen])), ["confirmed"]);
    scene.chain.reorg(3);
    scene.pass_slots(2);
    let verdicts = check(&scene, &[seen, claim(native(ALICE), BEFORE)]);
    assert_eq!(codes(&verdicts), ["different", "confirmed"], "what the block changed is undone");
}

#[test]
fn nothing_of_an_earlier_trust_start_is_handed_out() {
    let mut ends = [0, 0];
    for after in (0..400).step_by(20) {
        let scene = scene(13, 2);
        let begun = scene.chain.checkpoint();
        let block = scene.chain.signed().number;
        scene.chain.set_balance(ALICE, AFTER);
        scene.pass_slots(20);
        let changed = Claim {
            holding: native(ALICE),
            amount: BEFORE,
            block: Some(block.max(scene.chain.signed().number - 30)),
        };
        let claims = [changed, claim(native(ALICE), AFTER), claim(native(BOB), U256::ZERO)];
        let other = scene.chain.checkpoint();
        assert_ne!(other.root, begun.root, "another checkpoint");
        let clock = scene.simulation.clock();
        let restart = async {
            clock.sleep(Duration::from_millis(after)).await;
            scene.client.start_again(other);
        };
        let (verdicts, ()) = scene.simulation.run(join(scene.client.check(&claims), restart));
        let has_restarted = |verdict: &Verdict| {
            verdict.proven().is_none_or(|proven| proven.anchor().origin().checkpoint().root == other.root)
        };
        // A check that ended before the restart had every right to its verdicts.
        let is_before = verdicts.iter().all(|verdict| verdict.proven().is_some() && !has_restarted(verdict));
        assert!(is_before || verdicts.iter().all(has_restarted), "after {after} ms: {verdicts:?}");
        ends[usize::from(is_before)] += 1;
    }
    assert!(ends.iter().all(|count| *count > 0), "before and during: {ends:?}");
}

#[test]
fn a_check_returns_at_its_deadline() {
    let policy = Policy { operators_per_address: 1, deadline: Duration::from_secs(2), ..Policy::signed() };
    let scene = Scene::with_policy(14, 1, 1, policy);
    scene.pass_slots(10);
    let block = scene.chain.signed().number;
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(3);
    assert!(scene.balance(ALICE).proven().is_some());
    scene.providers[0].set(Fault::Hang);
    let claims: Vec<Claim> = (0..40)
        .map(|below| Claim {
            holding: native(ALICE),
            amount: BEFORE,
            block: Some(block.saturating_sub(below)),
        })
        .collect();
    let clock = scene.simulation.clock();
    let began = clock.monotonic();
    let verdicts = check(&scene, &claims);
    assert!(clock.monotonic() - began <= Duration::from_millis(4_500), "{:?}", clock.monotonic() - began);
    assert!(codes(&verdicts).iter().all(|code| *code == "not_checked"), "{:?}", codes(&verdicts));
}

#[test]
fn checks_at_once_agree() {
    let scene = scene(15, 2);
    let block = scene.chain.signed().number;
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(3);
    let claims = [
        Claim { holding: native(ALICE), amount: BEFORE, block: Some(block) },
        claim(native(BOB), U256::from(7)),
    ];
    let checks = scene.simulation.run(join_all((0..10).map(|_| scene.client.check(&claims))));
    assert!(checks.iter().all(|verdicts| codes(verdicts) == ["changed", "confirmed"]));
}
