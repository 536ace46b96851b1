//! Several operators of a rollup that name one block are a label of a provisional reading, with what one trusts in a sentence. No policy
//! lifts it.

use std::time::Duration;

use saldo::{Client, Clock, Level, Policy, Provisional, Reading, U256};
use saldo_drill::{Fault, Provider, RollupKind};
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::ALICE;

const KIND: RollupKind = RollupKind::Multiproof { interval: 60, step: 30 };

/// A rollup with the provider `l2`, and `other` of another operator.
fn world(seed: u64) -> (RollupWorld, Provider) {
    let world = RollupWorld::new(seed, KIND);
    let other = Provider::honest(world.rollup.chain()).proof_window(8);
    world.simulation.internet().register("http://other.test", other.clone());
    (world, other)
}

/// A client of L1 and the rollup, which asks these providers with that policy.
fn client(world: &RollupWorld, providers: &[&str], policy: Policy) -> Client {
    let rollup = Client::rollup(world.rollup.profile()).policy(policy);
    let rollup = providers.iter().fold(rollup, |to, provider| to.rpc(*provider));
    world.of_l1().and(rollup).build().unwrap()
}

const BOTH: [&str; 2] = ["l2=http://l2.test", "other=http://other.test"];

#[track_caller]
fn provisional(reading: Reading) -> Provisional {
    let Reading::Provisional(provisional) = reading else { panic!("{reading:?}") };
    provisional
}

/// How many operators a first reading names.
fn operators(world: &RollupWorld, providers: &[&str]) -> Option<usize> {
    let reading = world.read(&client(world, providers, Policy::rollup()), ALICE);
    provisional(reading).quorum().map(|quorum| quorum.operators())
}

#[test]
fn two_operators_that_name_one_block_are_a_label_and_no_proof() {
    let (world, other) = world(1);
    let usual = Policy::rollup();
    let policies = [
        usual,
        Policy { operators_per_address: usize::MAX, ..usual },
        Policy { assurance: Level::L1Finalized, max_age: Duration::from_secs(30 * 24 * 3_600), ..usual },
    ];
    for policy in policies {
        let client = client(&world, &BOTH, policy);
        let reading = world.read(&client, ALICE);
        let form = serde_json::to_value(&reading).unwrap();
        let claim = provisional(reading);
        let quorum = claim.quorum().unwrap();
        assert_eq!(quorum.operators(), 2, "{policy:?}");
        assert!(quorum.to_string().contains("proves nothing: one trusts that they do not lie together"));
        assert_eq!(claim.unconfirmed_amount().unwrap().base_units(), U256::from(100));
        assert_eq!((&form["amount"], &form["block"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        assert_eq!(form["quorum"]["operators"], 2, "{form}");
        assert_eq!(form["quorum"]["trust"], quorum.to_string());
        assert_eq!(client.last(&world.holding(ALICE)), None, "it is not recorded");
    }
    // One of both saw the address, or both did. The question for the block names no address.
    assert!(other.requests().contains_key("eth_getBlockByNumber"));
}

#[test]
fn only_other_operators_that_name_the_same_block_count() {
    let (world, other) = world(2);
    let internet = world.simulation.internet();
    assert_eq!(operators(&world, &BOTH[..1]), None, "one operator");
    assert_eq!(
        operators(&world, &[BOTH[0], "again=http://l2.test/again"]),
        None,
        "one operator under two names"
    );
    assert_eq!(operators(&world, &BOTH), Some(2));
    // The other one stands on a fork.
    let fork = world.rollup.chain().split();
    fork.set_balance(ALICE, U256::from(999));
    fork.advance(4);
    world.rollup.chain().advance(4);
    internet.register("http://other.test", Provider::honest(&fork).proof_window(8));
    assert_eq!(operators(&world, &BOTH), None);
    // It is silent: the reading ends in time.
    internet.register("http://other.test", other.clone());
    other.set(Fault::Hang);
    let clock = world.simulation.clock();
    let began = clock.monotonic();
    assert_eq!(operators(&world, &BOTH), None);
    assert!(clock.monotonic() - began <= Policy::rollup().deadline);
}

/// One that asks to wait is not asked again for the name of a block, before the time is over.
#[test]
fn an_operator_that_asks_to_wait_is_left_alone() {
    let (world, other) = world(5);
    let client = client(&world, &BOTH, Policy { operators_per_address: 1, ..Policy::rollup() });
    other.set(Fault::RateLimited { retry_after: Some("600".to_owned()) });
    let asked = || other.exchanges();
    assert_eq!(provisional(world.read(&client, ALICE)).quorum(), None);
    let first = asked();
    assert!(first >= 1, "it is asked once");
    for _ in 0..4 {
        world.pass(1);
        assert_eq!(provisional(world.read(&client, ALICE)).quorum(), None);
    }
    assert_eq!(asked(), first);
}

/// How many requests for blocks a second proven reading takes.
fn requests_of_a_proven_reading(providers: &[&str]) -> u64 {
    let (world, other) = world(3);
    let client = client(&world, providers, Policy::rollup());
    let first = provisional(world.read(&client, ALICE));
    assert_eq!(first.quorum().map(|quorum| quorum.operators()), (providers.len() > 1).then_some(2));
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let asked = || -> u64 {
        let of = |provider: &Provider| provider.requests().get("eth_getBlockByNumber").copied().unwrap_or(0);
        of(&world.provider) + of(&other)
    };
    let _ = world.read(&client, ALICE);
    let before = asked();
    let reading = world.read(&client, ALICE);
    assert_eq!(reading.proven().unwrap().amount().base_units(), U256::from(100));
    asked() - before
}

#[test]
fn no_operator_is_asked_for_a_label_that_is_not_shown() {
    let alone = requests_of_a_proven_reading(&BOTH[..1]);
    assert_eq!(
        (alone, requests_of_a_proven_reading(&BOTH)),
        (1, 2),
        "the head of each that may be asked for a proof"
    );
}
