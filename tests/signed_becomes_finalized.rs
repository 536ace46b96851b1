//! What was proven at a signed block is given as final when finality reaches that block, the cheapest way that works.

use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Holding, Level, Path, Policy, Reading};
use saldo_drill::{Chain, Fault};
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, NOBODY, Scene};

fn finalized(scene: &Scene, holding: Holding) -> Reading {
    scene.simulation.run(scene.client.finalized(&[holding])).pop().unwrap()
}

/// How often proofs and headers were asked for.
fn asked(scene: &Scene) -> (u64, u64) {
    let of = |method: &str| {
        scene.providers.iter().filter_map(|provider| provider.requests().get(method).copied()).sum()
    };
    (of("eth_getProof"), of("eth_getBlockByHash"))
}

/// Lets slots pass, without a reading, until the block is final but is not the finalized head's parent, which is known.
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

/// One proof of the history contract raises the readings of all holdings, and no address is named again.
#[test]
fn by_the_chains_own_record() {
    let scene = Scene::new(1, 2, 1);
    let holdings = [Holding::native(ALICE), Holding::native(BOB), Holding::native(NOBODY)];
    let signed = scene.simulation.run(scene.client.read(&holdings));
    let number = signed[0].proven().unwrap().anchor().number();
    assert_eq!(signed[0].proven().unwrap().anchor().assurance().level(), Level::Signed);
    pass_until_final(&scene, number);
    let (proofs, headers) = asked(&scene);
    let readings = scene.simulation.run(scene.client.finalized(&holdings));
    for (reading, owner) in readings.iter().zip([ALICE, BOB, NOBODY]) {
        let under = scene.chain.finalized().number;
        let (at, path, amount) = assert_final(&scene, reading, owner);
        assert_eq!((at, path), (number, Path::History { under }));
        assert_eq!(Some(amount), scene.chain.balance_at(number, owner));
    }
    assert_eq!(asked(&scene), (proofs + 1, headers));
}

/// Where the blocks in between are known, nobody is asked for anything but the heads.
#[test]
fn by_known_links_without_a_request() {
    let scene = Scene::new(2, 1, 1);
    let number = scene.balance(ALICE).proven().unwrap().anchor().number();
    while scene.chain.finalized().number < number {
        scene.pass_slots(1);
        scene.assert_true(&scene.balance(ALICE), ALICE);
    }
    let before = asked(&scene);
    let (at, path, _) = assert_final(&scene, &finalized(&scene, Holding::native(ALICE)), ALICE);
    assert!(at >= number);
    assert_eq!((at, path), (scene.chain.finalized().number, Path::Head));
    assert_eq!(asked(&scene), before);
}

/// Providers that prove nothing but their tip can prove neither the record nor the finalized block: the headers in between
/// lead there.
#[test]
fn by_headers_where_only_tips_are_proven() {
    let scene = Scene::new(3, 2, 1);
    scene.providers.iter().for_each(|provider| drop(provider.clone().proof_window(0)));
    let _ = scene.balance(ALICE);
    scene.pass_slots(1);
    let number = {
        let reading = scene.balance(ALICE);
        scene.assert_true(&reading, ALICE);
        reading.proven().unwrap().anchor().number()
    };
    pass_until_final(&scene, number);
    let (at, path, _) = assert_final(&scene, &finalized(&scene, Holding::native(ALICE)), ALICE);
    assert_eq!(at, number);
    assert!(matches!(path, Path::Ancestor { .. }), "{path:?}");
}

/// What was never proven before is proven at the finalized block itself; so is what was proven after it only.
#[test]
fn by_a_proof_at_the_finalized_block() {
    let scene = Scene::new(4, 2, 1);
    let (at, path, amount) = assert_final(&scene, &finalized(&scene, Holding::native(ALICE)), ALICE);
    assert_eq!((at, path, amount), (scene.chain.finalized().number, Path::Head, BEFORE));

    let scene = Scene::new(5, 2, 1);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    // The payment is not final yet.
    let (at, _, amount) = assert_final(&scene, &finalized(&scene, Holding::native(ALICE)), ALICE);
    assert_eq!((at, amount), (scene.chain.finalized().number, BEFORE));
    // And the newer reading is not replaced by it.
    assert_eq!(scene.client.last(&Holding::native(ALICE)).unwrap().amount().base_units(), AFTER);
}

/// A payment is final when its block is.
#[test]
fn a_payment_becomes_final() {
    let scene = Scene::new(6, 2, 1);
    let holding = Holding::native(ALICE);
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

/// A provider that lies about the record raises nothing, and does not keep an honest one from it.
#[test]
fn a_false_record_raises_nothing() {
    let scene = Scene::new(7, 2, 1);
    let number = scene.balance(ALICE).proven().unwrap().anchor().number();
    pass_until_final(&scene, number);
    scene.providers[0].add(Fault::FlippedByte { node: 1, byte: 40 });
    let (at, path, _) = assert_final(&scene, &finalized(&scene, Holding::native(ALICE)), ALICE);
    assert_eq!(at, number);
    assert!(matches!(path, Path::History { .. }), "{path:?}");
}

/// Where nobody proves anything final the reading says why, and still has what was proven last.
#[test]
fn without_a_proof_it_is_unknown() {
    let scene = Scene::new(8, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    scene.assert_unknown(&finalized(&scene, Holding::native(ALICE)), "all_unreachable", BEFORE);
}

/// Where the chain does not finalize, an old final amount is not given as one of now.
#[test]
fn old_finality_is_too_old() {
    let slot_duration = Duration::from_secs(60);
    let chain = Chain::builder(9).slot_duration(slot_duration).accounts([(ALICE, BEFORE)]).build();
    let scene = Scene::of(chain, 9, 2, 1, Policy { operators_per_address: 2, ..Policy::signed() });
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.chain.stall_finality(true);
    scene.pass_slots(20);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.assert_unknown(&finalized(&scene, Holding::native(ALICE)), "only_old_blocks", BEFORE);
}

/// Who was found not to reach the finalized block is not asked first for anything at it: beside it there is one who does.
#[test]
fn who_does_not_reach_so_far_is_not_asked_first() {
    let scene = Scene::new(20, 2, 1);
    let _ = scene.providers[0].clone().proof_window(6);
    let number = scene.balance(ALICE).proven().unwrap().anchor().number();
    pass_until_final(&scene, number);
    // The record of the finalized block shows it.
    assert_final(&scene, &finalized(&scene, Holding::native(ALICE)), ALICE);
    let proofs = || scene.providers[0].requests().get("eth_getProof").copied();
    let before = proofs();
    assert_final(&scene, &finalized(&scene, Holding::native(BOB)), BOB);
    assert_eq!(proofs(), before);
    // What is signed it proves as before.
    scene.pass_slots(1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    assert!(proofs() > before);
}
