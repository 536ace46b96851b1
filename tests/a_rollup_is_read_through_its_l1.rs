//! A client reads a rollup: a proof is taken at the rollup's head, and counts once L1 vouches for a block that follows.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{
    Assurance, BlockId, BuildError, Change, Client, Clock, Holding, Level, MemoryStorage, Policy, Query,
    Reading, U256, Why,
};
use saldo_drill::{BeaconSource, Fault, Provider, Rollup, RollupKind};
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::{ALICE, BOB};

const KIND: RollupKind = RollupKind::Multiproof { interval: 60, step: 30 };

#[test]
fn a_proof_at_the_head_is_proven_when_l1_vouches_for_a_later_block() {
    let world = RollupWorld::new(1, KIND);
    let client = world.client();
    let Reading::Provisional(provisional) = world.read(&client, ALICE) else { panic!() };
    assert_eq!(provisional.unconfirmed_amount().unwrap().base_units(), U256::from(100));
    let taken = world.rollup.chain().tip().number;
    world.propose_after(taken);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    let Reading::Proven(proven) = &reading else { panic!("{reading:?}") };
    assert_eq!(proven.amount().base_units(), U256::from(100));
    assert_eq!(proven.anchor().assurance().level(), Level::L1ProofChecked);
    assert!(proven.anchor().number() <= taken && proven.anchor().number() + 2 > taken);
    assert_eq!(proven.holding(), &world.holding(ALICE));
}

/// Reads at the rollup's head, and lets L1 vouch for a later block.
fn proven_world(seed: u64, kind: RollupKind) -> (RollupWorld, Client, saldo_drill::Proposal) {
    let world = RollupWorld::new(seed, kind);
    let client = world.client();
    assert!(matches!(world.read(&client, ALICE), Reading::Provisional(_)));
    let proposal = world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    assert_eq!(proven(&reading), Some(100), "{reading:?}");
    (world, client, proposal)
}

fn proven(reading: &Reading) -> Option<u64> {
    reading.proven().map(|proven| proven.amount().base_units().saturating_to())
}

#[test]
fn another_amount_at_the_head_is_provisional_beside_the_proven_one() {
    let (world, client, _) = proven_world(2, KIND);
    world.rollup.chain().set_balance(ALICE, U256::from(7));
    world.pass(1);
    let Reading::Provisional(provisional) = world.read(&client, ALICE) else { panic!() };
    assert_eq!(provisional.unconfirmed_amount().unwrap().base_units(), U256::from(7));
    assert_eq!(provisional.why(), &Why::NotVouchedYet);
    assert_eq!(provisional.last().unwrap().amount().base_units(), U256::from(100));
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    assert_eq!(proven(&world.read(&client, ALICE)), Some(7));
}

/// The outage of October 2025: Base has stopped, and Ethereum vouches for an amount of some time ago.
#[test]
fn while_the_rollup_is_down_the_amount_that_l1_vouches_for_is_shown_with_its_age() {
    let (world, client, _) = proven_world(3, KIND);
    world.provider.set(Fault::Status(503));
    world.pass(52);
    let reading = world.read(&client, ALICE);
    assert_eq!(proven(&reading), Some(100), "{reading:?}");
    let shown = reading.proven().unwrap();
    let age = client.now().age_of(shown.anchor().timestamp()).unwrap();
    assert!(age > Duration::from_secs(60 * 60), "{age:?}");
    assert!(
        shown.attempts().iter().any(|attempt| attempt.outcome.failure().is_some()),
        "it says who was silent"
    );
    // After three hours it is no present amount any more.
    world.pass(3 * 60);
    let Reading::Unknown(unknown) = world.read(&client, ALICE) else { panic!() };
    assert_eq!(unknown.last().unwrap().amount().base_units(), U256::from(100));
}

#[test]
fn a_game_that_l1_takes_back_takes_the_amount_back() {
    type Take = fn(&Rollup, saldo::Address);
    let ways: [(&str, Take); 6] = [
        ("blacklisted", |rollup, game| rollup.blacklist(game)),
        ("countered", |rollup, game| rollup.counter(game, 0)),
        ("lost", |rollup, game| rollup.resolve(game, false)),
        ("retired", |rollup, _| rollup.retire(saldo::UnixTime::from_secs(4_000_000_000))),
        ("paused", |rollup, _| rollup.pause(true)),
        ("upgraded", |rollup, _| rollup.upgrade_registry(vec![0xfe; 3].into())),
    ];
    for (seed, (name, take)) in (10..).zip(ways) {
        let (world, client, proposal) = proven_world(seed, KIND);
        take(&world.rollup, proposal.game());
        world.pass(9);
        let reading = world.read(&client, ALICE);
        assert_eq!((proven(&reading), reading.latest_proven()), (None, None), "{name}: {reading:?}");
        let holding = world.holding(ALICE);
        assert_eq!((client.last(&holding), client.withdrawn(&holding).is_some()), (None, true), "{name}");
    }
}

#[test]
fn a_claim_that_no_block_fulfils_proves_nothing() {
    let world = RollupWorld::new(20, KIND);
    let client = world.client();
    let _ = world.read(&client, ALICE);
    world.pass(3);
    world.rollup.propose_false(world.rollup.chain().tip().number / 60 * 60);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    assert_eq!(proven(&reading), None);
    assert_eq!(reading.why(), Some(&Why::NotVouchedYet));
}

/// L1 vouches for a fork: what was proven on the other side of it never counts.
#[test]
fn a_proof_of_a_fork_that_l1_does_not_vouch_for_never_counts() {
    let world = RollupWorld::new(21, KIND);
    let fork = world.rollup.chain().split();
    fork.set_balance(ALICE, U256::from(999));
    fork.advance(4);
    let liar = Provider::honest(&fork).proof_window(8);
    world.simulation.internet().register("http://l2.test", liar);
    let client = world.client();
    let Reading::Provisional(provisional) = world.read(&client, ALICE) else { panic!() };
    assert_eq!(provisional.unconfirmed_amount().unwrap().base_units(), U256::from(999));
    world.simulation.internet().register("http://l2.test", world.provider.clone());
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    assert_eq!((proven(&reading), reading.latest_proven()), (None, None), "{reading:?}");
}

/// A provider that still has the state of a block for which L1 vouches proves the amount at once.
#[test]
fn a_provider_with_older_proofs_is_proven_at_once() {
    let world = RollupWorld::new(34, KIND);
    world.provider.set_proof_window(1_000_000);
    let proposal = world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let client = world.client();
    let reading = world.read(&client, ALICE);
    assert_eq!(proven(&reading), Some(100), "{reading:?}");
    let Assurance::Rollup(vouched) = reading.proven().unwrap().anchor().assurance() else { panic!() };
    assert_eq!(vouched.game(), proposal.game());
}

#[test]
fn no_provider_needs_to_serve_anything_but_its_head() {
    let world = RollupWorld::new(22, KIND);
    world.provider.set_proof_window(0);
    let client = world.client();
    let holdings: Vec<Holding> = [ALICE, BOB].map(|owner| world.holding(owner)).into();
    let taken = world.rollup.chain().tip().number;
    let _ = world.simulation.run(client.read(&holdings));
    world.propose_after(taken);
    world.pass(9);
    let readings = world.simulation.run(client.read(&holdings));
    assert_eq!(readings.iter().map(proven).collect::<Vec<_>>(), [Some(100), Some(0)], "{readings:?}");
    // It is not asked for older proofs again and again.
    let asked = || world.provider.requests()["eth_getProof"];
    let before = asked();
    for _ in 0..5 {
        world.pass(1);
        let _ = world.simulation.run(client.read(&holdings));
    }
    assert!(asked() - before <= 5 * 2 * 2, "{} proofs in five reads of two", asked() - before);
}

#[test]
fn restarting_the_trust_of_l1_drops_what_it_vouched_for() {
    let (world, client, _) = proven_world(23, KIND);
    client.start_again(world.l1.checkpoint());
    let holding = world.holding(ALICE);
    assert_eq!(client.last(&holding), None);
    // Nothing is proven by what was found before; the pending proofs are gone too.
    let reading = world.read(&client, ALICE);
    assert_eq!((proven(&reading), reading.latest_proven()), (None, None), "{reading:?}");
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    assert_eq!(proven(&world.read(&client, ALICE)), Some(100));
}

#[test]
fn a_rollup_needs_its_l1_and_levels_of_its_own() {
    let world = RollupWorld::new(24, KIND);
    let rollup = || Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test");
    let alone = rollup().transport(world.simulation.internet()).clock(world.simulation.clock()).build();
    assert!(matches!(alone, Err(BuildError::NoL1 { l1: 31_337, .. })), "{alone:?}");
    let signed = world.of_l1().and(rollup().policy(Policy::signed())).build();
    assert!(matches!(signed, Err(BuildError::Policy)), "{signed:?}");
    let of_rollup = world.of_l1().policy(Policy::rollup()).build();
    assert!(matches!(of_rollup, Err(BuildError::Policy)), "{of_rollup:?}");
}

/// Where anybody may propose, a claim that L1 only stores gives no proof.
#[test]
fn a_proposed_claim_proves_nothing() {
    let world = RollupWorld::new(25, RollupKind::Fault);
    let client = world.client();
    let _ = world.read(&client, ALICE);
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    assert_eq!((proven(&reading), reading.latest_proven()), (None, None));
    assert!(matches!(reading.why(), Some(Why::RollupNotVouched { .. })), "{reading:?}");
}

/// A claim that can still be challenged does not meet a policy that asks for a final one.
#[test]
fn a_claim_that_can_be_challenged_is_not_enough_for_a_stricter_policy() {
    let world = RollupWorld::new(26, KIND);
    let policy = Policy { assurance: Level::L1Finalized, ..Policy::rollup().at(Level::L1Finalized) };
    let rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test").policy(policy);
    let client = world.of_l1().and(rollup).build().unwrap();
    let _ = world.read(&client, ALICE);
    let proposal = world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    assert_eq!((proven(&reading), reading.why()), (None, Some(&Why::NotVouchedYet)), "{reading:?}");
    world.rollup.resolve(proposal.game(), true);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    assert_eq!(proven(&reading), Some(100), "{reading:?}");
    let Assurance::Rollup(vouched) = reading.proven().unwrap().anchor().assurance() else { panic!() };
    assert_eq!((vouched.level(), vouched.game()), (Level::L1Finalized, proposal.game()));
}

/// Every change of the watch, until `minutes` have passed without one.
fn changes(world: &RollupWorld, watch: &mut saldo::Watch, minutes: u64) -> Vec<saldo::Change> {
    let clock = world.simulation.clock();
    world.simulation.run(async {
        let mut changes = Vec::new();
        let mut over = clock.sleep(Duration::from_secs(minutes * 60));
        loop {
            match select(watch.next_all().boxed(), over).await {
                Either::Left((batch, left)) => {
                    changes.extend(batch);
                    over = left;
                }
                Either::Right(_) => return changes,
            }
        }
    })
}

#[test]
fn a_watch_tells_when_l1_vouches_for_an_amount_and_when_it_takes_it_back() {
    let world = RollupWorld::new(27, KIND);
    let client = world.client();
    let mut watch = client.watch([world.holding(ALICE)]);
    let told = changes(&world, &mut watch, 3);
    let is_provisional =
        |change: &Change| matches!(change, Change::Reading { reading: Reading::Provisional(_), .. });
    assert!(told.iter().any(is_provisional), "{told:?}");
    let proposal = world.propose_after(world.rollup.chain().tip().number);
    let told = changes(&world, &mut watch, 10);
    let amounts: Vec<_> = told
        .iter()
        .filter_map(|change| match change {
            Change::Reading { reading, .. } => proven(reading),
            _ => None,
        })
        .collect();
    assert_eq!(amounts.first(), Some(&100), "{told:?}");
    world.rollup.blacklist(proposal.game());
    let told = changes(&world, &mut watch, 10);
    assert!(told.iter().any(|change| matches!(change, Change::Withdrawn { .. })), "{told:?}");
    assert!(client.last(&world.holding(ALICE)).is_none());
}

#[test]
fn what_was_proven_is_remembered_with_its_level() {
    let world = RollupWorld::new(28, KIND);
    let storage = MemoryStorage::new();
    let client = || {
        let rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test");
        world.of_l1().storage(storage.clone()).and(rollup).build().unwrap()
    };
    let first = client();
    let _ = world.read(&first, ALICE);
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    let reading = world.read(&first, ALICE);
    drop(first);
    let again = client();
    let last = again.last(&world.holding(ALICE)).unwrap();
    assert!(last.is_restored());
    assert_eq!(last.amount().base_units(), U256::from(100));
    assert_eq!(last.anchor(), reading.proven().unwrap().anchor());
    // It is not proven again by being remembered, but because L1 vouches for its block again.
    let reading = world.read(&again, ALICE);
    assert_eq!(
        (proven(&reading), reading.proven().map(saldo::Proven::is_restored)),
        (Some(100), Some(false))
    );
}

/// What L1 takes back while the app is closed is gone when it is opened.
#[test]
fn what_is_remembered_is_looked_at_again() {
    let world = RollupWorld::new(30, KIND);
    let storage = MemoryStorage::new();
    let client = || {
        let rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test");
        world.of_l1().storage(storage.clone()).and(rollup).build().unwrap()
    };
    let first = client();
    let _ = world.read(&first, ALICE);
    let proposal = world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    assert_eq!(proven(&world.read(&first, ALICE)), Some(100));
    drop(first);
    world.rollup.blacklist(proposal.game());
    world.pass(9);
    let again = client();
    assert!(again.last(&world.holding(ALICE)).is_some(), "nothing was asked yet");
    let reading = world.read(&again, ALICE);
    assert_eq!((proven(&reading), reading.latest_proven()), (None, None), "{reading:?}");
    drop(again);
    assert_eq!(client().last(&world.holding(ALICE)), None, "it is not remembered again");
}

/// One of two claims is false, and L1 has not said which: neither is believed, however often one asks.
#[test]
fn claims_that_contradict_each_other_prove_nothing() {
    let world = RollupWorld::new(31, KIND);
    let client = world.client();
    let _ = world.read(&client, ALICE);
    let fork = world.rollup.chain().split();
    let last = world.rollup.chain().tip().number.next_multiple_of(60);
    while world.rollup.chain().tip().number < last {
        world.pass(1);
    }
    fork.set_balance(BOB, U256::from(1));
    fork.advance_to(world.simulation.clock().true_time());
    let own = world.rollup.propose(last);
    let other = world.rollup.propose_of(&fork, last);
    world.pass(9);
    for _ in 0..3 {
        let reading = world.read(&client, ALICE);
        assert_eq!((proven(&reading), reading.latest_proven()), (None, None), "{reading:?}");
        assert!(matches!(reading.why(), Some(Why::RollupNotVouched { .. })), "{reading:?}");
        world.pass(1);
    }
    world.rollup.counter(other.game(), 0);
    world.pass(9);
    let reading = world.read(&client, ALICE);
    assert_eq!(proven(&reading), Some(100), "{reading:?}");
    let Assurance::Rollup(vouched) = reading.proven().unwrap().anchor().assurance() else { panic!() };
    assert_eq!(vouched.game(), own.game());
}

/// Every proof at a rollup's head waits for L1. That is no reason to show the address to more operators.
#[test]
fn waiting_for_l1_shows_an_address_to_no_further_operator() {
    let world = RollupWorld::new(32, KIND);
    let others: Vec<Provider> = (0..4).map(|_| Provider::honest(world.rollup.chain())).collect();
    let mut rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test");
    for (place, other) in others.iter().enumerate() {
        world.simulation.internet().register(&format!("http://other{place}.test"), other.clone());
        rollup = rollup.rpc(format!("http://other{place}.test"));
    }
    let client = world.of_l1().and(rollup).build().unwrap();
    for _ in 0..5 {
        let reading = world.read(&client, ALICE);
        assert!(matches!(reading, Reading::Provisional(_)), "{reading:?}");
        assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy), "{reading:?}");
        world.pass(30);
    }
    let asked = |provider: &&Provider| provider.requests().contains_key("eth_getProof");
    assert!(others.iter().filter(asked).count() < 2, "with the first one at most two");
}

#[test]
fn when_ethereum_is_silent_it_vouches_for_nothing_any_more() {
    let (world, client, _) = proven_world(33, KIND);
    let internet = world.simulation.internet();
    let source = BeaconSource::honest(&world.l1).with(Fault::Status(503));
    internet.register("http://source.test", source);
    world.pass(30);
    let read = world.read(&client, ALICE);
    assert_eq!(proven(&read), Some(100));
    internet.register("http://l2.test", Provider::honest(world.rollup.chain()));
    let rollup = client.on(world.holding(ALICE).network()).unwrap();
    let block = BlockId::Hash(read.proven().unwrap().anchor().hash());
    let state = || world.simulation.run(rollup.state(block, &Query::account(ALICE)));
    let known = state();
    world.pass(90);
    let reading = world.read(&client, ALICE);
    assert_eq!(proven(&reading), None, "{reading:?}");
    // The state of the block is not handed out either.
    assert_eq!(known.unwrap().account(ALICE).unwrap().balance(), U256::from(100));
    assert_eq!(state().unwrap_err().why().code(), "rollup_not_vouched");
    assert_eq!(reading.latest_proven().unwrap().amount().base_units(), U256::from(100));
    internet.register("http://source.test", BeaconSource::honest(&world.l1));
    world.pass(1);
    // The same game is vouched for again, and the block is young enough.
    assert_eq!(proven(&world.read(&client, ALICE)), Some(100));
}

/// In October 2025 Base itself was among what went down. That is another reason than providers that are down.
#[test]
fn a_rollup_that_stands_still_is_named() {
    let world = RollupWorld::new(29, KIND);
    let internet = world.simulation.internet();
    let other = Provider::honest(world.rollup.chain()).proof_window(8);
    internet.register("http://other.test", other.clone());
    let rollup =
        Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test").rpc("other=http://other.test");
    let client = world.of_l1().and(rollup).build().unwrap();
    let on_rollup = client.on(world.holding(ALICE).network()).unwrap();
    let _ = world.read(&client, ALICE);
    world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    assert_eq!(proven(&world.read(&client, ALICE)), Some(100));
    assert_eq!(on_rollup.health().rollup.unwrap().stopped, None);
    // Both operators stand at the same block from now on.
    let minutes = 20;
    for provider in [&world.provider, &other] {
        provider.set_lag(minutes * 60 / 2);
    }
    world.pass(minutes);
    let reading = world.read(&client, ALICE);
    assert_eq!(proven(&reading), Some(100), "Ethereum vouches for it: {reading:?}");
    let health = on_rollup.health().rollup.unwrap();
    assert!(health.stopped.is_some() && health.problem.is_none(), "{health:?}");
    assert!(health.newest.is_some());
    assert!(matches!(world.read(&client, BOB).why(), Some(Why::RollupStopped { .. })));
    // One operator that lags is no standstill.
    other.set_lag(0);
    let _ = world.read(&client, ALICE);
    assert_eq!(on_rollup.health().rollup.unwrap().stopped, None);
}
