//! A program names a block of a rollup: it gets one that L1 vouches for, or the reason why not. Nothing else is linked for it.

use saldo::{BlockId, Client, Level, NetworkId, Policy, Query, Reading, U256};
use saldo_drill::RollupKind;
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::ALICE;

const KIND: RollupKind = RollupKind::Multiproof { interval: 60, step: 30 };

/// A world in which L1 vouches for a block of the rollup whose provider proves old blocks too, and a view of the rollup.
fn vouched() -> (RollupWorld, Client, u64) {
    let world = RollupWorld::new(7, KIND);
    world.provider.set_proof_window(100_000);
    let client = world.client();
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let Reading::Proven(proven) = world.read(&client, ALICE) else { panic!() };
    let number = proven.anchor().number();
    let rollup = client.on(NetworkId::new(world.rollup.profile().chain_id())).unwrap();
    (world, rollup, number)
}

fn balance(world: &RollupWorld, rollup: &Client, id: BlockId) -> Result<U256, String> {
    let state = world.simulation.run(rollup.state(id, &Query::account(ALICE)));
    match state {
        Ok(state) => Ok(state.account(ALICE).unwrap().balance()),
        Err(refused) => Err(refused.why().code().to_owned()),
    }
}

#[test]
fn a_block_that_l1_vouches_for_is_found_by_its_number_and_hash() {
    let (world, rollup, number) = vouched();
    let hash = world.rollup.chain().block(number).unwrap().hash;
    let hundred = Ok(U256::from(100));
    for id in [BlockId::Latest, BlockId::Number(number), BlockId::Hash(hash)] {
        assert_eq!(balance(&world, &rollup, id), hundred, "{id:?}");
    }
    // A newer claim takes nothing from it.
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    assert!(matches!(world.read(&rollup, ALICE), Reading::Proven(_)));
    assert_eq!(balance(&world, &rollup, BlockId::Number(number)), hundred);
}

#[test]
fn another_block_is_not_linked_for_the_question() {
    let (world, rollup, number) = vouched();
    let requests = || world.provider.requests().values().sum::<u64>();
    let before = requests();
    assert_eq!(balance(&world, &rollup, BlockId::Number(number - 1)), Err("proof_window_missed".to_owned()));
    let below = world.rollup.chain().block(number - 1).unwrap().hash;
    assert_eq!(balance(&world, &rollup, BlockId::Hash(below)), Err("proof_window_missed".to_owned()));
    let tip = world.rollup.chain().tip().number;
    assert!(tip > number);
    assert_eq!(balance(&world, &rollup, BlockId::Number(tip)), Err("not_vouched_yet".to_owned()));
    let asked = requests() - before;
    assert!(asked <= 3, "{asked} requests to a provider that cannot change the answer");
}

/// No block of the rollup is final by L1's own rule yet, and that is the reason: not a light client that the rollup does not have.
#[test]
fn without_a_final_block_the_reason_is_that_of_l1() {
    let (world, rollup, _) = vouched();
    assert_eq!(rollup.policy().assurance, Level::L1ProofChecked, "{:?}", Policy::rollup());
    assert_eq!(balance(&world, &rollup, BlockId::Finalized), Err("not_vouched_yet".to_owned()));
}
