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

/// The sources have the head of a slot three seconds after its start. A screen reads each half second: after some slots the sources are
/// asked when they have it, and the head is not missed for longer than a second.
#[test]
fn when_sources_publish_is_learned() {
    let chain = Chain::builder(3).accounts([(ALICE, BEFORE)]).build();
    let policy = Policy { operators_per_address: 3, ..Policy::signed() };
    let scene = Scene::of(chain, 3, 3, 2, policy);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    let clock = scene.simulation.clock();
    let network = scene.chain.network();
    let (mut asked_before, mut late, slots) = (0, Duration::ZERO, 24_u32);
    for slot in 0..slots {
        if slot == 8 {
            (asked_before, late) = (asked(&scene), Duration::ZERO);
        }
        let wall = clock.wall();
        let start = network.slot_start(network.slot_at(wall).unwrap().checked_add(1).unwrap());
        scene.sources.iter().for_each(|source| source.set_lag(1));
        scene.simulation.pass(start.saturating_sub(wall));
        let mut found = None;
        while clock.wall().saturating_sub(start) < Duration::from_secs(11) {
            let at = clock.wall().saturating_sub(start);
            scene.sources.iter().for_each(|source| source.set_lag(u64::from(at < Duration::from_secs(3))));
            let reading = scene.balance(ALICE);
            scene.assert_true(&reading, ALICE);
            let anchor = reading.proven().unwrap().anchor().timestamp();
            if found.is_none() && start.saturating_sub(anchor) <= network.slot_duration() {
                found = Some(at);
            }
            scene.simulation.pass(Duration::from_millis(500));
        }
        late += found.expect("the head of the slot is found").saturating_sub(Duration::from_secs(3));
    }
    let (slots, asked) = (slots - 8, asked(&scene) - asked_before);
    println!("{asked} requests in {slots} slots, {:?} late", late / slots);
    assert!(asked <= usize::try_from(slots * 3 / 2).unwrap(), "{asked} requests in {slots} slots");
    assert!(late / slots <= Duration::from_secs(1), "{:?} late", late / slots);
}
