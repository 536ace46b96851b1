//! A client reads a rollup: a proof is taken at the rollup's head, and counts once L1 vouches for a block that follows.

use std::time::Duration;

use saldo::{
    Assurance, BuildError, Client, ClientBuilder, Clock, Holding, Level, NetworkId, Policy, Reading, U256,
    Why,
};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fault, Provider, Rollup, RollupKind};
use saldo_tests::scene::{ALICE, BOB};

const KIND: RollupKind = RollupKind::Multiproof { interval: 60, step: 30 };

/// An L1 with a rollup, and a provider of each.
struct World {
    l1: Chain,
    rollup: Rollup,
    provider: Provider,
    simulation: Simulation,
}

impl World {
    fn new(seed: u64, kind: RollupKind) -> Self {
        let l1 = Chain::builder(seed).build();
        let rollup = Rollup::new(&l1, kind);
        rollup.chain().set_balance(ALICE, U256::from(100));
        let mut simulation = Simulation::new(seed, &l1);
        simulation.follow(rollup.chain());
        let internet = simulation.internet();
        internet.register("http://l1.test", Provider::honest(&l1));
        internet.register("http://source.test", BeaconSource::honest(&l1));
        let provider = Provider::honest(rollup.chain());
        internet.register("http://l2.test", provider.clone());
        let world = Self { l1, rollup, provider, simulation };
        world.pass(1);
        world
    }

    fn of_l1(&self) -> ClientBuilder {
        Client::builder(self.l1.network())
            .checkpoint(self.l1.checkpoint())
            .transport(self.simulation.internet())
            .clock(self.simulation.clock())
            .rpc("l1=http://l1.test")
            .beacon("source=http://source.test")
    }

    fn client(&self) -> Client {
        let rollup = Client::rollup(self.rollup.profile()).rpc("l2=http://l2.test");
        self.of_l1().and(rollup).build().unwrap()
    }

    fn holding(&self, owner: saldo::Address) -> Holding {
        Holding::native(NetworkId::new(self.rollup.profile().chain_id()), owner)
    }

    fn read(&self, client: &Client, owner: saldo::Address) -> Reading {
        let holdings = [self.holding(owner)];
        self.simulation.run(client.read(&holdings)).pop().unwrap()
    }

    fn pass(&self, minutes: u64) {
        let clock = self.simulation.clock();
        self.simulation.run(clock.sleep(Duration::from_secs(minutes * 60)));
    }

    /// Proposes the blocks up to the first end of an interval that is after the block of this number, once it exists.
    fn propose_after(&self, number: u64) {
        let last = number.next_multiple_of(60);
        while self.rollup.chain().tip().number < last {
            self.pass(1);
        }
        self.rollup.propose(last);
    }
}

#[test]
fn a_proof_at_the_head_is_proven_when_l1_vouches_for_a_later_block() {
    let world = World::new(1, KIND);
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
