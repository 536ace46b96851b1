//! A reading proven at a signed block becomes final when finality reaches that block, in the cheapest way that works.

use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Holding, Level, Path, Policy, Reading};
use saldo_drill::{Chain, Fault};
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, Scene, UNUSED};

fn finalized(scene: &Scene, holding: Holding) -> Reading {
    scene.simulation.run(scene.client.finalized(&[holding])).pop().unwrap()
}

/// The number of requests for proofs and for headers.
fn requests(scene: &Scene) -> (u64, u64) {
    let of = |method: &str| {
        scene.providers.iter().filter_map(|provider| provider.requests().get(method).copied()).sum()
    };
    (of("eth_getProof"), of("eth_getBlockByHash"))
}

/// Lets slots pass without a read, until the block is final but not the finalized head's parent, which would be
/// known.
fn pass_until_final(scene: &Scene, number: u64) {
    while scene.chain.finalized().number < number + 2 {
        scene.pass_slots(1);
    }
}

#[track_caller]
fn assert_final(scene: &Scene, reading: &Reading, owner: alloy_primitives::Address) -> (u64, Path, U256) {
    let amount = scene.assert_true(reading, owner);
    let anchor = reading.proven().unwrap().anchor();
    assert_eq!(anchor.assurance().level(), Level::Finalized);
    assert!(anchor.number() <= scene.chain.finalized().number);
    (anchor.number(), anchor.path(), amount)
}

/// One proof of the history contract makes the readings of all holdings final, and no address is sent again.
#[test]
fn by_the_chains_own_record() {
    let scene = Scene::new(1, 2, 1);
    let holdings = [native(ALICE), native(BOB), native(UNUSED)];
    let signed = scene.simulation.run(scene.client.read(&holdings));
    let number = signed[0].proven().unwrap().anchor().number();
    assert_eq!(signed[0].proven().unwrap().anchor().assurance().level(), Level::Signed);
    pass_until_final(&scene, number);
    let (proofs, headers) = requests(&scene);
    let readings = scene.simulation.run(scene.client.finalized(&holdings));
    for (reading, owner) in readings.iter().zip([ALICE, BOB, UNUSED]) {
        let under = scene.chain.finalized().number;
        let (at, path, amount) = assert_final(&scene, reading, owner);
        assert_eq!((at, path), (number, Path::History { under }));
        assert_eq!(Some(amount), scene.chain.balance_at(number, owner));
    }
    assert_eq!(requests(&scene), (proofs + 1, headers));
}

/// A newer signed reading is no reason against a new proof at the finalized block, which is always older.
#[test]
fn by_a_new_proof_below_a_newer_signed_reading() {
    let scene = Scene::new(21, 2, 1);
    let signed = scene.balance(ALICE);
    let newest = signed.proven().unwrap().anchor().number();
    let (proofs, _) = requests(&scene);
    let (at, _, amount) = assert_final(&scene, &finalized(&scene, native(ALICE)), ALICE);
    assert!(at < newest, "{at} {newest}");
    assert_eq!(Some(amount), scene.chain.balance_at(at, ALICE));
    assert_eq!(requests(&scene).0, proofs + 1, "one provider's proof counts at once");
    assert_eq!(scene.client.last(&native(ALICE)).unwrap().anchor().number(), newest);
}

/// If the blocks in between are known, only the heads are requested.
#[test]
fn by_known_links_without_a_request() {
    let scene = Scene::new(2, 1, 1);
    let number = scene.balance(ALICE).proven().unwrap().anchor().number();
    while scene.chain.finalized().number < number {
        scene.pass_slots(1);
        scene.assert_true(&scene.balance(ALICE), ALICE);
    }
    let before = requests(&scene);
    let (at, path, _) = assert_final(&scene, &finalized(&scene, native(ALICE)), ALICE);
    assert!(at >= number);
    assert_eq!((at, path), (scene.chain.finalized().number, Path::Head));
    assert_eq!(requests(&scene), before);
}

/// Providers that prove only their tip can prove neither the record nor the finalized block: the headers in between
/// lead there.
#[test]
fn by_headers_if_only_tips_are_proven() {
    let scene = Scene::new(3, 2, 1);
    scene.providers.iter().for_each(|provider| provider.set_proof_window(0));
    let _ = scene.balance(ALICE);
    scene.pass_slots(1);
    let number = {
        let reading = scene.balance(ALICE);
        scene.assert_true(&reading, ALICE);
        reading.proven().unwrap().anchor().number()
    };
    pass_until_final(&scene, number);
    let (at, path, _) = assert_final(&scene, &finalized(&scene, native(ALICE)), ALICE);
    assert_eq!(at, number);
    assert!(matches!(path, Path::Ancestor { .. }), "{path:?}");
}

/// A holding that was never proven is proven at the finalized block itself; so is one that was proven only at a later
/// block.
#[test]
fn by_a_proof_at_the_finalized_block() {
    let scene = Scene::new(4, 2, 1);
    let (at, path, amount) = assert_final(&scene, &finalized(&scene, native(ALICE)), ALICE);
    assert_eq!((at, path, amount), (scene.chain.finalized().number, Path::Head, BEFORE));

    let scene = Scene::new(5, 2, 1);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    // The payment is not final yet.
    let (at, _, amount) = assert_final(&scene, &finalized(&scene, native(ALICE)), ALICE);
    assert_eq!((at, amount), (scene.chain.finalized().number, BEFORE));
    // And the final reading does not replace the newer one.
    assert_eq!(scene.client.last(&native(ALICE)).unwrap().amount().base_units(), AFTER);
}

/// A payment becomes final with its block.
#[test]
fn a_payment_becomes_final() {
    let scene = Scene::new(6, 2, 1);
    let holding = native(ALICE);
    let _ = scene.balance(ALICE);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(3);
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), AFTER);
    let number = reading.proven().unwrap().anchor().number();
    pass_until_final(&scene, number);
    let (_, _, amount) = assert_final(&scene, &finalized(&scene, holding), ALICE);
    assert_eq!(amount, AFTER);
}

/// A provider with a false record makes nothing final, and an honest provider still can.
#[test]
fn a_false_record_makes_nothing_final() {
    let scene = Scene::new(7, 2, 1);
    let number = scene.balance(ALICE).proven().unwrap().anchor().number();
    pass_until_final(&scene, number);
    scene.providers[0].add(Fault::FlippedByte { node: 1, byte: 40 });
    let (at, path, _) = assert_final(&scene, &finalized(&scene, native(ALICE)), ALICE);
    assert_eq!(at, number);
    assert!(matches!(path, Path::History { .. }), "{path:?}");
}

/// If no provider proves a final block, the reading says why, and still has the last proven amount.
#[test]
fn without_a_proof_it_is_unknown() {
    let scene = Scene::new(8, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    scene.assert_unknown(&finalized(&scene, native(ALICE)), "all_unreachable", BEFORE);
}

/// While the chain does not finalize, an old final amount is not given as a present one.
#[test]
fn old_finality_is_too_old() {
    let slot_duration = Duration::from_secs(60);
    let chain = Chain::builder(9).slot_duration(slot_duration).accounts([(ALICE, BEFORE)]).build();
    let scene = Scene::of(chain, 9, 2, 1, Policy { operators_per_address: 2, ..Policy::signed() });
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.chain.stall_finality(true);
    scene.pass_slots(20);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.assert_unknown(&finalized(&scene, native(ALICE)), "only_old_blocks", BEFORE);
}

/// A provider whose proofs do not reach the finalized block is not asked first for a proof there: another provider
/// has it.
#[test]
fn a_provider_with_shallow_proofs_is_not_asked_first() {
    let scene = Scene::new(20, 2, 1);
    scene.providers[0].set_proof_window(6);
    let number = scene.balance(ALICE).proven().unwrap().anchor().number();
    pass_until_final(&scene, number);
    // The request for the finalized block's record shows it.
    assert_final(&scene, &finalized(&scene, native(ALICE)), ALICE);
    let proofs = || scene.providers[0].requests().get("eth_getProof").copied();
    let before = proofs();
    assert_final(&scene, &finalized(&scene, native(BOB)), BOB);
    assert_eq!(proofs(), before);
    // At signed blocks it proves as before.
    scene.pass_slots(1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    assert!(proofs() > before);
}
