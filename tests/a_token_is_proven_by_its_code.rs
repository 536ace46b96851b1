//! A client proves the balance of a token where the layout of the token's code is known. Everywhere else the reading is unknown,
//! with the reason. It is never zero for lack of knowledge.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use saldo::{Activity, Change, Holding, Level, Reading};
use saldo_drill::Fault;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene, UNUSED};
use saldo_tests::token::{
    CLONE, UNKNOWN, USDC, USDC_CODE, USDT, WETH, deploy, erc20, layout, point, set_word,
};
use saldo_tests::watched::{SLOT, changes_within, readings};
use saldo_token::{Derivation, layouts};

/// The code has to be run, and no provider has it: the drill knows only the hashes of codes of mainnet.
const NO_CODE: &str = "providers_failing";
const TOP_BIT: U256 = U256::from_limbs([0, 0, 0, 1 << 63]);

/// A scene in which Alice has 5 WETH, 6 USDT, 7 USDC and 8 of the minimal proxy, and Bob has frozen USDC.
fn scene(seed: u64, providers: usize) -> Scene {
    let scene = Scene::new(seed, providers, 1);
    deploy(&scene.chain);
    for (token, name, units) in
        [(WETH, "WETH9", 5_u64), (USDT, "TetherToken", 6), (USDC, "FiatTokenV2_2", 7), (CLONE, "WETH9", 8)]
    {
        set_word(&scene.chain, token, name, ALICE, U256::from(units));
    }
    set_word(&scene.chain, USDC, "FiatTokenV2_2", BOB, TOP_BIT | U256::from(9));
    scene.chain.set_token_balance(UNKNOWN, ALICE, U256::from(10));
    scene.pass_slots(4);
    scene
}

fn read(scene: &Scene, holding: Holding) -> Reading {
    scene.simulation.run(scene.client.read(&[holding])).pop().unwrap()
}

#[track_caller]
fn amount(reading: &Reading) -> u64 {
    let proven = reading.proven();
    let proven = proven.unwrap_or_else(|| panic!("{:?} {:?}", reading.why(), reading.attempts()));
    u64::try_from(proven.amount().base_units()).unwrap()
}

#[track_caller]
fn assert_unknown(reading: &Reading, code: &str) {
    let Reading::Unknown(unknown) = reading else { panic!("not unknown: {reading:?}") };
    assert_eq!(unknown.why().code(), code, "{:?}", reading.attempts());
}

#[test]
fn tokens_with_known_layouts_are_proven() {
    let scene = scene(1, 2);
    for (token, units) in [(WETH, 5), (USDT, 6), (USDC, 7), (CLONE, 8)] {
        let reading = read(&scene, erc20(ALICE, token));
        assert_eq!(amount(&reading), units, "{token}");
        let proven = reading.proven().unwrap();
        assert_eq!((*proven.holding(), proven.nonce()), (erc20(ALICE, token), None));
        let block = scene.chain.block(proven.anchor().number()).unwrap();
        assert_eq!(proven.token().unwrap().state_root().get(), block.state_root);
        assert!(!proven.is_frozen() && !proven.is_restored());
    }
    let usdc = read(&scene, erc20(ALICE, USDC));
    let Derivation::Slot { layout: name, code_hash, implementation } =
        usdc.proven().unwrap().token().unwrap().derivation()
    else {
        panic!()
    };
    assert_eq!(
        (*name, *code_hash, *implementation),
        ("FiatTokenV2_2", layout("FiatTokenV2_2").code_hash, Some(USDC_CODE))
    );
    // A native reading has neither.
    let native = read(&scene, native(ALICE));
    assert!(native.proven().unwrap().token().is_none() && !native.proven().unwrap().is_frozen());
}

#[test]
fn an_empty_slot_of_a_known_layout_is_a_proven_zero() {
    let scene = scene(2, 2);
    for token in [WETH, USDT, USDC, CLONE] {
        assert_eq!(amount(&read(&scene, erc20(UNUSED, token))), 0, "{token}");
    }
}

#[test]
fn a_blocked_owner_has_an_amount_that_is_frozen() {
    let scene = scene(3, 2);
    let reading = read(&scene, erc20(BOB, USDC));
    assert_eq!(amount(&reading), 9);
    assert!(reading.proven().unwrap().is_frozen());
    assert!(!read(&scene, erc20(ALICE, USDC)).proven().unwrap().is_frozen());
}

#[test]
fn an_address_without_code_is_no_token() {
    let scene = scene(4, 2);
    // The second has an account, and the third does not even have that.
    for token in [UNUSED, BOB, Address::repeat_byte(0x77)] {
        assert_unknown(&read(&scene, erc20(ALICE, token)), "not_a_token");
    }
    point(&scene.chain, USDC, UNUSED);
    scene.pass_slots(2);
    assert_unknown(&read(&scene, erc20(ALICE, USDC)), "not_a_token");
    point(&scene.chain, USDC, Address::ZERO);
    scene.pass_slots(2);
    assert_unknown(&read(&scene, erc20(ALICE, USDC)), "not_a_token");
}

#[test]
fn a_token_without_a_layout_is_unknown() {
    let scene = scene(5, 2);
    for owner in [ALICE, UNUSED] {
        let reading = read(&scene, erc20(owner, UNKNOWN));
        assert_unknown(&reading, "token_not_run");
        assert!(reading.latest_proven().is_none() && reading.why().unwrap().needs_action());
        // The first provider proved it, so that no other one is asked.
        let joined = reading.attempts().iter().filter(|attempt| attempt.outcome.code() == "joined");
        assert_eq!(joined.count(), 1, "{:?}", reading.attempts());
    }
    // A minimal proxy to code without a layout, and a proxy to a proxy.
    for (target, code) in [(UNKNOWN, "token_not_run"), (USDC, NO_CODE)] {
        scene.chain.set_code(CLONE, saldo_tests::token::minimal_proxy(target));
        scene.pass_slots(2);
        assert_unknown(&read(&scene, erc20(ALICE, CLONE)), code);
    }
}

/// A layout holds for exactly one code. Code that differs anywhere has another hash, and its slots say nothing.
#[test]
fn a_layout_holds_for_no_other_code() {
    let scene = scene(17, 2);
    const TOKEN: Address = Address::repeat_byte(0x37);
    for (byte, layout) in [0, 31, 15, 7].into_iter().cycle().zip(layouts()) {
        set_word(&scene.chain, TOKEN, layout.name, ALICE, U256::from(5));
        let mut other = layout.code_hash;
        other[byte] ^= 1;
        for (code_hash, is_its_own) in [(other, false), (layout.code_hash, true), (other, false)] {
            scene.chain.set_code_hash(TOKEN, code_hash);
            scene.pass_slots(2);
            for (owner, units) in [(ALICE, 5), (UNUSED, 0)] {
                let reading = read(&scene, erc20(owner, TOKEN));
                match is_its_own {
                    true => assert_eq!(amount(&reading), units, "{}", layout.name),
                    false => assert_unknown(&reading, NO_CODE),
                }
            }
        }
    }
}

/// USDT asks another contract for the balance once it is deprecated. Then the slot says nothing.
#[test]
fn a_guard_that_does_not_hold_is_no_zero() {
    let scene = scene(6, 2);
    assert_eq!(amount(&read(&scene, erc20(ALICE, USDT))), 6);
    let guard = layout("TetherToken").guards[0].slot;
    scene.chain.set_storage(USDT, guard, U256::from(1));
    scene.pass_slots(2);
    for owner in [ALICE, UNUSED] {
        assert_unknown(&read(&scene, erc20(owner, USDT)), NO_CODE);
    }
    assert_eq!(scene.client.last(&erc20(ALICE, USDT)).unwrap().amount().base_units(), U256::from(6));
    scene.chain.set_storage(USDT, guard, U256::ZERO);
    scene.pass_slots(2);
    assert_eq!(amount(&read(&scene, erc20(ALICE, USDT))), 6);
}

/// The new implementation keeps its balances in another slot. The old slot still has the old amount.
#[test]
fn an_upgraded_proxy_is_read_by_its_new_code() {
    let scene = scene(7, 2);
    assert_eq!(amount(&read(&scene, erc20(ALICE, USDC))), 7);
    point(&scene.chain, USDC, UNKNOWN);
    scene.pass_slots(2);
    let reading = read(&scene, erc20(ALICE, USDC));
    assert_unknown(&reading, NO_CODE);
    assert_eq!(reading.latest_proven().unwrap().amount().base_units(), U256::from(7));
    point(&scene.chain, USDC, WETH);
    set_word(&scene.chain, USDC, "WETH9", ALICE, U256::from(70));
    scene.pass_slots(2);
    assert_eq!(amount(&read(&scene, erc20(ALICE, USDC))), 70);
    // The words of the implementation itself are not the token's.
    assert_eq!(amount(&read(&scene, erc20(ALICE, WETH))), 5);
}

#[test]
fn native_and_tokens_are_read_in_one_request_once_they_are_known() {
    let scene = scene(8, 1);
    let tokens = [WETH, USDT, USDC, CLONE];
    let holdings: Vec<Holding> =
        std::iter::once(native(ALICE)).chain(tokens.map(|token| erc20(ALICE, token))).collect();
    let read_all = || scene.simulation.run(scene.client.read(&holdings));
    let check = |readings: &[Reading]| {
        assert_eq!(readings[0].proven().unwrap().amount().base_units(), BEFORE);
        assert_eq!(readings[1..].iter().map(amount).collect::<Vec<_>>(), [5, 6, 7, 8]);
        let blocks: Vec<_> = readings.iter().map(|it| it.proven().unwrap().anchor().hash()).collect();
        assert!(blocks.iter().all(|block| *block == blocks[0]));
    };
    check(&read_all());
    scene.pass_slots(2);
    let asked = |method: &str| {
        let log = scene.simulation.internet().log();
        let bodies = log.iter().map(|exchange| String::from_utf8_lossy(&exchange.body).into_owned());
        bodies.filter(|body| body.contains(method)).count()
    };
    let (proofs, codes) = (asked("eth_getProof"), asked("eth_getCode"));
    check(&read_all());
    assert_eq!(asked("eth_getProof") - proofs, 1);
    assert_eq!(asked("eth_getCode"), codes, "codes are kept by their hashes");
}

/// A provider that proves only its own tip: the proofs join when the committee has signed their block.
#[test]
fn proofs_at_the_tip_wait_for_their_signature() {
    let scene = scene(9, 1);
    scene.providers[0].set_proof_window(0);
    let wait = std::time::Duration::from_secs(60);
    let holdings = [erc20(ALICE, USDC), erc20(ALICE, WETH)];
    let first = scene.simulation.run(scene.client.read(&holdings));
    let claimed = |reading: &Reading| match reading {
        Reading::Provisional(claim) => claim.unconfirmed_amount().map(|amount| amount.base_units()),
        _ => panic!("{reading:?}"),
    };
    assert_eq!(first.iter().map(claimed).collect::<Vec<_>>(), [Some(U256::from(7)), Some(U256::from(5))]);
    let readings = scene.simulation.run(scene.client.read_patiently(&holdings, wait));
    assert_eq!(readings.iter().map(amount).collect::<Vec<_>>(), [7, 5]);
    for (token, code) in [(BOB, "not_a_token"), (UNKNOWN, "token_not_run")] {
        let holding = [erc20(ALICE, token)];
        let reading = scene.simulation.run(scene.client.read(&holding)).pop().unwrap();
        // A claim that there is no token is a claim, and nothing more.
        assert_eq!((claimed(&reading), reading.why().unwrap().code()), (None, "unsigned_tip"));
        let reading = scene.simulation.run(scene.client.read_patiently(&holding, wait)).pop().unwrap();
        assert_unknown(&reading, code);
    }
}

#[test]
fn a_token_can_be_final() {
    let scene = scene(10, 2);
    scene.pass_slots(40);
    let holding = [erc20(ALICE, USDC)];
    let reading = scene.simulation.run(scene.client.finalized(&holding)).pop().unwrap();
    assert_eq!(amount(&reading), 7);
    assert_eq!(reading.proven().unwrap().anchor().assurance().level(), Level::Finalized);
}

#[test]
fn an_outage_changes_no_amount_of_a_token() {
    let scene = scene(11, 2);
    assert_eq!(amount(&read(&scene, erc20(ALICE, WETH))), 5);
    scene.providers.iter().for_each(|provider| provider.set(Fault::Refuse));
    scene.pass_slots(2);
    let reading = read(&scene, erc20(ALICE, WETH));
    assert_unknown(&reading, "all_unreachable");
    assert_eq!(reading.latest_proven().unwrap().amount().base_units(), U256::from(5));
    assert_unknown(&read(&scene, erc20(UNUSED, WETH)), "all_unreachable");
}

/// A watch asks for the token's own balance, not for the owner's coin: what does not change costs no proof, and a change of either is
/// told within some slots.
#[test]
fn a_hint_has_a_change_of_a_token_proven() {
    let scene = scene(15, 2);
    scene.chain.stall_finality(true);
    let (token, coin) = (erc20(ALICE, WETH), saldo_tests::native(ALICE));
    let mut watch = scene.client.watch([token, coin]);
    assert_eq!(readings(&changes_within(&scene, &mut watch, SLOT * 4)).len(), 2);
    let proofs = || -> u64 {
        scene.providers.iter().filter_map(|provider| provider.requests().get("eth_getProof").copied()).sum()
    };
    let before = proofs();
    assert!(before > 0);
    assert_eq!(changes_within(&scene, &mut watch, SLOT * 15), [], "nothing has changed");
    assert_eq!(proofs(), before);
    for (units, wei) in [(50, None), (50, Some(3_u64)), (51, Some(4))] {
        set_word(&scene.chain, WETH, "WETH9", ALICE, U256::from(units));
        if let Some(wei) = wei {
            scene.chain.set_balance(ALICE, U256::from(wei));
        }
        assert!(!readings(&changes_within(&scene, &mut watch, SLOT * 8)).is_empty());
        let last = |holding| scene.client.last(&holding).unwrap().amount().base_units();
        assert_eq!(last(token), U256::from(units));
        assert!(wei.is_none_or(|wei| last(coin) == U256::from(wei)));
    }
}

/// A provider whose hint is always false causes some proofs, fewer and fewer, and no other amount.
#[test]
fn a_false_hint_of_a_token_changes_nothing() {
    let scene = scene(16, 1);
    scene.providers[0].add(Fault::Result(serde_json::json!("0x0")).on("eth_call"));
    let mut watch = scene.client.watch([erc20(ALICE, WETH)]);
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(3_600));
    let amounts: Vec<u64> = readings(&changes).iter().map(|(_, reading, _)| amount(reading)).collect();
    assert!(amounts.len() > 3 && amounts.iter().all(|amount| *amount == 5), "{amounts:?}");
    // Twelve proofs are due in an hour anyway.
    let proofs = scene.providers[0].requests()["eth_getProof"];
    assert!((12..=20).contains(&proofs), "{proofs}");
}

#[test]
fn a_watch_tells_that_a_proxy_was_upgraded() {
    let scene = scene(12, 2);
    let holding = erc20(ALICE, USDC);
    let mut watch = scene.client.watch([holding]);
    let mut last = |slots| readings(&changes_within(&scene, &mut watch, SLOT * slots)).pop().unwrap().1;
    assert_eq!(amount(&last(5)), 7);
    point(&scene.chain, USDC, UNKNOWN);
    let reading = last(30);
    assert_unknown(&reading, NO_CODE);
    assert_eq!(reading.latest_proven().unwrap().amount().base_units(), U256::from(7));
    point(&scene.chain, USDC, WETH);
    set_word(&scene.chain, USDC, "WETH9", ALICE, U256::from(70));
    assert_eq!(amount(&last(200)), 70);
}

#[test]
fn holders_of_one_token_share_its_proof() {
    let scene = scene(13, 1);
    let owners: Vec<Address> = (1..=100).map(Address::repeat_byte).collect();
    for (owner, units) in owners.iter().zip(1_u64..) {
        set_word(&scene.chain, WETH, "WETH9", *owner, U256::from(units));
    }
    scene.pass_slots(2);
    let holdings: Vec<Holding> = owners.iter().map(|owner| erc20(*owner, WETH)).collect();
    let read_all = || scene.simulation.run(scene.client.read(&holdings));
    let check = |readings: &[Reading]| {
        assert_eq!(readings.iter().map(amount).collect::<Vec<_>>(), (1..=100).collect::<Vec<u64>>());
    };
    check(&read_all());
    scene.pass_slots(2);
    let asked = || {
        let log = scene.simulation.internet().log();
        let bodies = log.iter().map(|exchange| String::from_utf8_lossy(&exchange.body).into_owned());
        bodies.map(|body| body.matches("eth_getProof").count()).sum::<usize>()
    };
    let before = asked();
    check(&read_all());
    assert_eq!(asked() - before, 2, "at most 64 slots in one question");
}

/// It is proven that there is nothing to prove, so that nothing has failed. The watch looks again from time to time.
#[test]
fn a_watch_of_a_token_without_an_amount_is_idle() {
    let scene = scene(14, 2);
    let holdings = [erc20(ALICE, UNKNOWN), erc20(ALICE, UNUSED)];
    let mut watch = scene.client.watch(holdings);
    let asked = || scene.simulation.internet().log().len();
    let changes = changes_within(&scene, &mut watch, SLOT * 4);
    let told: Vec<_> = readings(&changes).into_iter().map(|(_, reading, _)| reading).collect();
    assert_eq!(told.len(), 2);
    assert_unknown(&told[0], "token_not_run");
    assert_unknown(&told[1], "not_a_token");
    let before = asked();
    let later = changes_within(&scene, &mut watch, SLOT * 300);
    for (_, change) in changes.iter().chain(&later) {
        if let Change::Activity(activity) = change {
            assert!(matches!(activity, Activity::Idle | Activity::Fetching), "{activity:?}");
        }
    }
    assert!(readings(&later).is_empty(), "nothing has changed");
    let looks = asked() - before;
    assert!((10..150).contains(&looks), "{looks} requests in an hour");
    // Once there is a token, it is shown within the time after which a proven amount is proven again.
    scene.chain.set_code_hash(UNUSED, layout("WETH9").code_hash);
    set_word(&scene.chain, UNUSED, "WETH9", ALICE, U256::from(3));
    let found = changes_within(&scene, &mut watch, SLOT * 30);
    assert_eq!(amount(&readings(&found).pop().unwrap().1), 3);
    // In an outage it is said that it is not reached.
    scene.providers.iter().for_each(|provider| provider.set(Fault::Refuse));
    let outage = changes_within(&scene, &mut watch, SLOT * 60);
    let is_backing_off = |change: &Change| matches!(change, Change::Activity(Activity::BackingOff { .. }));
    assert!(outage.iter().any(|(_, change)| is_backing_off(change)), "{outage:?}");
}
