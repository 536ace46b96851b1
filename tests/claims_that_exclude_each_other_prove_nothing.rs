//! Two claims about neighbouring blocks of a rollup can exclude each other, as two about one block do: neither counts until L1 has decided.

use alloy_primitives::U256;
use saldo::{Assurance, Client, Reading};
use saldo_drill::{Proposal, Provider, RollupKind};
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::ALICE;

/// A claim about each block alone.
const KIND: RollupKind = RollupKind::Multiproof { interval: 1, step: 1 };

fn proven(reading: &Reading) -> Option<u64> {
    reading.proven().map(|proven| proven.amount().base_units().saturating_to())
}

/// A world in which Alice was read at the head. Then one claims a block of the rollup, and another the next one of a branch that parted
/// before both, where she has 999 wei. One provider serves each.
fn world(seed: u64) -> (RollupWorld, Client, [Proposal; 2]) {
    let world = RollupWorld::new(seed, KIND);
    let fork = world.rollup.chain().split();
    fork.set_balance(ALICE, U256::from(999));
    world.simulation.internet().register("http://liar.test", Provider::honest(&fork).proof_window(8));
    let rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test").rpc("liar=http://liar.test");
    let client = world.of_l1().and(rollup).build().unwrap();
    world.pass(1);
    fork.advance_to(world.simulation.clock().true_time());
    assert_eq!(proven(&world.read(&client, ALICE)), None);
    let taken = world.rollup.chain().tip().number;
    world.pass(1);
    fork.advance_to(world.simulation.clock().true_time());
    let proposals = [world.rollup.propose(taken + 5), world.rollup.propose_of(&fork, taken + 6)];
    world.pass(9);
    fork.advance_to(world.simulation.clock().true_time());
    (world, client, proposals)
}

#[test]
fn neither_counts_while_l1_accepts_both() {
    let (world, client, _) = world(1);
    for _ in 0..4 {
        let reading = world.read(&client, ALICE);
        assert_eq!((proven(&reading), reading.latest_proven()), (None, None), "{reading:?}");
        world.pass(5);
    }
}

#[test]
fn the_one_that_is_left_counts() {
    let (world, client, [own, other]) = world(2);
    assert_eq!(proven(&world.read(&client, ALICE)), None);
    world.rollup.counter(other.game(), 0);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    let latest = reading.latest_proven().unwrap();
    assert_eq!(latest.amount().base_units(), U256::from(100), "{reading:?}");
    let Assurance::Rollup(vouched) = latest.anchor().assurance() else { panic!() };
    assert_eq!(vouched.game(), own.game());
}
