//! A wallet that runs while its chain changes from Fulu to Gloas continues to prove, whether its table has the date
//! or not.

use std::time::Duration;

use saldo::{Network, Policy, Reading};
use saldo_beacon::Fork;
use saldo_beacon::unit::Epoch;
use saldo_drill::Chain;
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, Scene};

/// The chain is at slot 40 when the wallet opens; slot 56 is the first of Gloas.
const FORK_EPOCH: u64 = 7;
const FORK_SLOT: u64 = 56;

fn crossing(table: impl Fn(&Chain) -> Network) -> Scene {
    let chain = Chain::builder(5)
        .accounts([(ALICE, BEFORE)])
        .fork(Fork::Fulu)
        .fork_at(Fork::Gloas, Epoch::new(FORK_EPOCH))
        .build();
    let policy = Policy { operators_per_address: 2, ..Policy::signed() };
    Scene::knowing(table(&chain), chain, 5, 2, 2, policy)
}

/// Reads in every slot until `last`. Asserts that each reading is true, and that no reading is older than the one
/// before.
fn read_every_slot(scene: &Scene, last: u64) {
    let mut newest = 0;
    while scene.chain.slot().get() < last {
        let reading = scene.patient_balance(ALICE, Duration::from_secs(40));
        scene.assert_true(&reading, ALICE);
        let number = reading.proven().unwrap().anchor().number();
        assert!(number >= newest, "slot {}: block {number} after {newest}", scene.chain.slot());
        newest = number;
        scene.pass_slots(1);
    }
    let behind = scene.chain.tip().number - newest;
    assert!(behind <= 5, "{behind} blocks behind");
}

#[test]
fn at_the_time_that_its_table_has() {
    let scene = crossing(Chain::network);
    read_every_slot(&scene, FORK_SLOT + 40);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(4);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
}

#[test]
fn at_a_time_that_its_table_does_not_have() {
    let scene = crossing(|chain| chain.network_before(Fork::Gloas));
    assert_eq!(scene.client.network().forks().last().unwrap().epoch(), None);
    read_every_slot(&scene, FORK_SLOT + 40);
}

/// A block that was proven under Fulu becomes final under Gloas.
#[test]
fn a_reading_from_before_the_fork_becomes_final_after_it() {
    for table in [Chain::network, |chain: &Chain| chain.network_before(Fork::Gloas)] {
        let scene = crossing(table);
        scene.pass_slots(13);
        let before = scene.balance(ALICE);
        scene.assert_true(&before, ALICE);
        assert!(scene.chain.signed().slot.get() < FORK_SLOT);
        for _ in 0..40 {
            scene.pass_slots(1);
            scene.assert_true(&scene.patient_balance(ALICE, Duration::from_secs(40)), ALICE);
        }
        let finalized = scene.simulation.run(scene.client.finalized(&[native(ALICE)]));
        scene.assert_true(&finalized[0], ALICE);
        assert_eq!(finalized[0].proven().unwrap().anchor().assurance().level(), saldo::Level::Finalized);
    }
}

#[test]
fn a_wallet_sleeps_for_some_periods_across_the_fork() {
    for table in [Chain::network, |chain: &Chain| chain.network_before(Fork::Gloas)] {
        let scene = crossing(table);
        scene.assert_true(&scene.balance(ALICE), ALICE);
        scene.pass_slots(5 * 64 + 17);
        let reading = scene.patient_balance(ALICE, Duration::from_secs(60));
        scene.assert_true(&reading, ALICE);
        read_every_slot(&scene, scene.chain.slot().get() + 20);
    }
}

/// The wallet's table does not contain the fork. The client says so, and a newer table helps without a restart.
#[test]
fn an_unknown_fork_is_said_and_a_newer_table_helps() {
    let scene = crossing(|chain| chain.network_without(Fork::Gloas));
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(60);
    let reading = scene.balance(ALICE);
    scene.assert_unknown(&reading, "unknown_fork", BEFORE);
    let Reading::Unknown(unknown) = &reading else { unreachable!() };
    assert!(unknown.why().needs_action() && unknown.why().next_step().contains("Update saldo"));

    scene.client.adopt(scene.chain.network_before(Fork::Gloas)).unwrap();
    scene.assert_true(&scene.patient_balance(ALICE, Duration::from_secs(60)), ALICE);
}
