//! An L1 with a rollup, and a client that reads both.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use saldo::{Client, ClientBuilder, Clock, Holding, NetworkId, Reading};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Proposal, Provider, Rollup, RollupKind};

use crate::scene::ALICE;

/// An L1 with a rollup, and a provider of each.
pub struct RollupWorld {
    /// The L1.
    pub l1: Chain,
    /// The rollup. Alice has 100 wei there.
    pub rollup: Rollup,
    /// The provider of the rollup, named `l2`.
    pub provider: Provider,
    /// The simulated network, in virtual time.
    pub simulation: Simulation,
}

impl RollupWorld {
    /// A rollup of this kind, a minute after its start.
    pub fn new(seed: u64, kind: RollupKind) -> Self {
        let l1 = Chain::builder(seed).build();
        let rollup = Rollup::new(&l1, kind);
        rollup.chain().set_balance(ALICE, U256::from(100));
        let mut simulation = Simulation::new(seed, &l1);
        simulation.follow(rollup.chain());
        let internet = simulation.internet();
        internet.register("http://l1.test", Provider::honest(&l1));
        internet.register("http://source.test", BeaconSource::honest(&l1));
        // As most providers: they prove at their newest blocks only.
        let provider = Provider::honest(rollup.chain()).proof_window(8);
        internet.register("http://l2.test", provider.clone());
        let world = Self { l1, rollup, provider, simulation };
        world.pass(1);
        world
    }

    /// The builder of the client of L1.
    pub fn of_l1(&self) -> ClientBuilder {
        Client::builder(self.l1.network())
            .checkpoint(self.l1.checkpoint())
            .transport(self.simulation.internet())
            .clock(self.simulation.clock())
            .rpc("l1=http://l1.test")
            .beacon("source=http://source.test")
    }

    /// A client of L1 and the rollup.
    pub fn client(&self) -> Client {
        let rollup = Client::rollup(self.rollup.profile()).rpc("l2=http://l2.test");
        self.of_l1().and(rollup).build().unwrap()
    }

    /// The coin of the rollup.
    pub fn holding(&self, owner: Address) -> Holding {
        Holding::native(NetworkId::new(self.rollup.profile().chain_id()), owner)
    }

    /// Reads the coin of the rollup.
    pub fn read(&self, client: &Client, owner: Address) -> Reading {
        let holdings = [self.holding(owner)];
        self.simulation.run(client.read(&holdings)).pop().unwrap()
    }

    /// Lets this many minutes pass.
    pub fn pass(&self, minutes: u64) {
        let clock = self.simulation.clock();
        self.simulation.run(clock.sleep(Duration::from_secs(minutes * 60)));
    }

    /// Proposes the blocks up to the first end of an interval that is after the block of this number, once it exists.
    pub fn propose_after(&self, number: u64) -> Proposal {
        let last = number.next_multiple_of(60);
        while self.rollup.chain().tip().number < last {
            self.pass(1);
        }
        self.rollup.propose(last)
    }
}
