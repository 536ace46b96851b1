//! A wallet in a simulated network: a chain, its providers and sources, and a client that asks them.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use saldo::{Client, Network, Policy, Reading};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Provider};

use crate::native;

/// An address that holds [`BEFORE`] from the start.
pub const ALICE: Address = Address::repeat_byte(0xa1);
/// An address that never held anything.
pub const UNUSED: Address = Address::repeat_byte(0x0b);
/// Another address with a balance.
pub const BOB: Address = Address::repeat_byte(0xb0);
/// Alice's balance at first, in wei.
pub const BEFORE: U256 = U256::from_limbs([1_500_000_000_000_000_000, 0, 0, 0]);
/// Alice's balance later on, in wei.
pub const AFTER: U256 = U256::from_limbs([2_250_000_000_000_000_000, 0, 0, 0]);

/// Everything that a test of the client needs.
pub struct Scene {
    /// The chain.
    pub chain: Chain,
    /// The simulated network, in virtual time.
    pub simulation: Simulation,
    /// The execution providers, named `provider0` and so on.
    pub providers: Vec<Provider>,
    /// The beacon sources, named `source0` and so on.
    pub sources: Vec<BeaconSource>,
    /// The wallet's client.
    pub client: Client,
}

impl Scene {
    /// That many honest providers and sources, and a client that may ask them all.
    pub fn new(seed: u64, providers: usize, sources: usize) -> Self {
        let policy = Policy { operators_per_address: providers, ..Policy::signed() };
        Self::with_policy(seed, providers, sources, policy)
    }

    /// That many honest providers and sources, and a client with that policy.
    pub fn with_policy(seed: u64, providers: usize, sources: usize, policy: Policy) -> Self {
        let chain = Chain::builder(seed).accounts([(ALICE, BEFORE), (BOB, U256::from(7))]).build();
        Self::of(chain, seed, providers, sources, policy)
    }

    /// A scene around `chain`.
    pub fn of(chain: Chain, seed: u64, providers: usize, sources: usize, policy: Policy) -> Self {
        let network = chain.network();
        Self::knowing(network, chain, seed, providers, sources, policy)
    }

    /// A scene around `chain`, and a client with the table `table` of that chain.
    pub fn knowing(
        network: Network,
        chain: Chain,
        seed: u64,
        providers: usize,
        sources: usize,
        policy: Policy,
    ) -> Self {
        let simulation = Simulation::new(seed, &chain);
        let internet = simulation.internet();
        let providers: Vec<Provider> = (0..providers).map(|_| Provider::honest(&chain)).collect();
        let sources: Vec<BeaconSource> = (0..sources).map(|_| BeaconSource::honest(&chain)).collect();
        let mut builder = Client::builder(network)
            .checkpoint(chain.checkpoint())
            .policy(policy)
            .transport(internet.clone())
            .clock(simulation.clock());
        for (index, provider) in providers.iter().enumerate() {
            internet.register(&format!("http://provider{index}.test"), provider.clone());
            builder = builder.rpc(format!("provider{index}=http://provider{index}.test"));
        }
        for (index, source) in sources.iter().enumerate() {
            internet.register(&format!("http://source{index}.test"), source.clone());
            builder = builder.beacon(format!("source{index}=http://source{index}.test"));
        }
        let client = builder.build().expect("a complete configuration");
        Self { chain, simulation, providers, sources, client }
    }

    /// One reading of `owner`, in virtual time.
    pub fn balance(&self, owner: Address) -> Reading {
        self.simulation.run(self.client.balance(owner))
    }

    /// One reading that may wait until its block is signed.
    pub fn patient_balance(&self, owner: Address, timeout: Duration) -> Reading {
        let holding = [native(owner)];
        let mut readings = self.simulation.run(self.client.read_patiently(&holding, timeout));
        readings.pop().expect("one reading for one holding")
    }

    /// Lets slots pass, so that a new reading needs a new head.
    pub fn pass_slots(&self, slots: u32) {
        self.simulation.pass(self.chain.network().slot_duration() * slots);
    }

    /// Asserts that the reading is proven, and that the amount is the chain's balance at its block. Returns the
    /// amount.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn assert_true(&self, reading: &Reading, owner: Address) -> U256 {
        let proven = reading
            .proven()
            .unwrap_or_else(|| panic!("not proven: {:?}, {:?}", reading.why(), reading.attempts()));
        let amount = proven.amount().base_units();
        assert_eq!(Some(amount), self.chain.balance_at(proven.anchor().number(), owner));
        let block = self.chain.block(proven.anchor().number()).expect("a proven block exists");
        assert_eq!(proven.anchor().hash(), block.hash);
        amount
    }

    /// Asserts that the reading is unknown for the reason `code`, and still has the last proven amount.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn assert_unknown(&self, reading: &Reading, code: &str, last: U256) {
        let Reading::Unknown(unknown) = reading else { panic!("not unknown: {reading:?}") };
        assert_eq!(unknown.why().code(), code, "{:?}", reading.attempts());
        assert_eq!(unknown.last().map(|last| last.amount().base_units()), Some(last));
    }
}
