//! What was proven on a rollup before the app was closed is proven again when it is opened: L1 is asked whether it still vouches for
//! the game, and the block is linked to the game's root again. The storage alone proves nothing.

use alloy_primitives::U256;
use saldo::{Client, Holding, Level, MemoryStorage, Reading};
use saldo_drill::{Fault, Proposal, Provider, RollupKind};
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::ALICE;
use saldo_tests::token::{WETH, deploy, set_word};

const KIND: RollupKind = RollupKind::Multiproof { interval: 60, step: 30 };

/// A world in which the app has proven the holdings and was closed a minute later. From now on the provider gives no proof at all.
struct Closed {
    world: RollupWorld,
    storage: MemoryStorage,
    proposal: Proposal,
    holdings: Vec<Holding>,
}

fn closed(seed: u64) -> Closed {
    let (world, storage) = (RollupWorld::new(seed, KIND), MemoryStorage::new());
    deploy(world.rollup.chain());
    set_word(world.rollup.chain(), WETH, "WETH9", ALICE, U256::from(5));
    world.provider.set_proof_window(0);
    world.pass(1);
    let coin = world.holding(ALICE);
    let holdings = vec![coin, Holding::erc20(coin.network(), ALICE, WETH)];
    let client = open(&world, &storage);
    assert_eq!(amounts(&read(&world, &client, &holdings)), [None, None]);
    world.provider.set(Fault::NoProofs);
    let proposal = world.propose_after(world.rollup.chain().tip().number);
    world.pass(9);
    assert_eq!(amounts(&read(&world, &client, &holdings)), [Some(100), Some(5)]);
    drop(client);
    world.pass(1);
    Closed { world, storage, proposal, holdings }
}

impl Closed {
    fn reopened(&self) -> (Client, Vec<Reading>) {
        let client = open(&self.world, &self.storage);
        let readings = read(&self.world, &client, &self.holdings);
        (client, readings)
    }
}

fn open(world: &RollupWorld, storage: &MemoryStorage) -> Client {
    let rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test");
    world.of_l1().storage(storage.clone()).and(rollup).build().unwrap()
}

fn read(world: &RollupWorld, client: &Client, holdings: &[Holding]) -> Vec<Reading> {
    world.simulation.run(client.read(holdings))
}

fn amounts(readings: &[Reading]) -> Vec<Option<u64>> {
    let amount =
        |reading: &Reading| reading.proven().map(|proven| proven.amount().base_units().saturating_to());
    readings.iter().map(amount).collect()
}

#[test]
fn a_remembered_amount_is_proven_at_the_first_read() {
    let closed = closed(1);
    let (_, readings) = closed.reopened();
    assert_eq!(amounts(&readings), [Some(100), Some(5)], "{readings:?}");
    for proven in readings.iter().filter_map(Reading::proven) {
        assert!(!proven.is_restored());
        assert_eq!(proven.anchor().assurance().level(), Level::L1ProofChecked);
        // L1 was asked again.
        let (_, _, read_at) = proven.anchor().assurance().vouched().unwrap().l1();
        let now = closed.world.simulation.clock().true_time();
        assert!(now.saturating_sub(read_at).as_secs() < 10 * 60, "{read_at:?}");
    }
}

#[test]
fn what_l1_took_back_while_the_app_was_closed_is_withdrawn() {
    let closed = closed(2);
    closed.world.rollup.blacklist(closed.proposal.game());
    closed.world.pass(9);
    let (client, readings) = closed.reopened();
    assert_eq!(amounts(&readings), [None, None]);
    for (holding, reading) in closed.holdings.iter().zip(&readings) {
        assert!(reading.latest_proven().is_none() && client.last(holding).is_none(), "{reading:?}");
    }
}

/// Without the headers between the block and the game's root, it is not known that the game is about that block.
#[test]
fn without_its_headers_it_is_remembered_and_not_proven() {
    let closed = closed(3);
    closed.world.provider.set(Fault::Status(503));
    let (client, readings) = closed.reopened();
    assert_eq!(amounts(&readings), [None, None]);
    let last = |reading: &Reading| reading.latest_proven().map(|last| (last.is_restored(), last.amount()));
    assert_eq!(
        last(&readings[0]).map(|(restored, last)| (restored, last.base_units())),
        Some((true, U256::from(100)))
    );
    // The provider returns, and L1 has another final block.
    closed.world.provider.set(Fault::NoProofs);
    closed.world.pass(9);
    let readings = read(&closed.world, &client, &closed.holdings);
    assert_eq!(amounts(&readings), [Some(100), Some(5)], "{readings:?}");
}

/// While L1 does not answer, it is not known whether it still accepts the claim.
#[test]
fn while_l1_is_silent_it_is_remembered_and_not_proven() {
    let closed = closed(4);
    let internet = closed.world.simulation.internet();
    let silent = Provider::honest(&closed.world.l1);
    silent.set(Fault::Refuse);
    internet.register("http://l1.test", silent);
    let (_, readings) = closed.reopened();
    assert_eq!(amounts(&readings), [None, None]);
    assert!(readings.iter().all(|reading| reading.latest_proven().is_some_and(saldo::Proven::is_restored)));
}

/// After three hours it is no present amount, whatever L1 says.
#[test]
fn what_is_too_old_stays_remembered() {
    let closed = closed(5);
    closed.world.pass(3 * 60);
    let (_, readings) = closed.reopened();
    assert_eq!(amounts(&readings), [None, None]);
    let last = readings[0].latest_proven().unwrap();
    assert_eq!(last.amount().base_units(), U256::from(100));
}
