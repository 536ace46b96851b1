//! For a part of each slot the newest signed head is one slot behind. Many reads in that time ask the sources once in a
//! sixth of a slot, and not each for itself.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use saldo::{Clock, Policy};
use saldo_drill::Chain;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

fn scene(seed: u64) -> Scene {
    let chain = Chain::builder(seed).accounts([(ALICE, BEFORE)]).tip_lead(2).build();
    let policy = Policy { operators_per_address: 3, ..Policy::signed() };
    Scene::of(chain, seed, 3, 2, policy)
}

/// The number of requests for heads.
fn asked(scene: &Scene) -> usize {
    let log = scene.simulation.internet().log();
    log.iter().filter(|exchange| exchange.path.contains("light_client/optimistic_update")).count()
}

#[test]
fn many_reads_within_two_seconds_ask_for_a_head_once() {
    let scene = scene(1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    let (clock, asked_before) = (scene.simulation.clock(), asked(&scene));
    let (began, mut reads) = (clock.monotonic(), 0_u8);
    while clock.monotonic() < began + Duration::from_secs(2) {
        let owner = Address::repeat_byte(reads);
        let readings = scene.simulation.run(scene.client.read(&[native(owner)]));
        assert_eq!(scene.assert_true(&readings[0], owner), U256::ZERO);
        reads += 1;
    }
    assert!(reads > 10, "{reads}");
    // One pause ends within the two seconds, and a hedge asks the second source.
    assert!(asked(&scene) - asked_before <= 2, "{} in {reads} reads", asked(&scene) - asked_before);
}

/// The pause is short: a head that is published is found by the first read after it.
#[test]
fn the_next_slot_is_asked_for_again() {
    let scene = scene(2);
    let number = || scene.balance(ALICE).proven().unwrap().anchor().number();
    let first = number();
    for slots in 1..6 {
        scene.pass_slots(1);
        assert_eq!(number(), first + slots);
    }
}
