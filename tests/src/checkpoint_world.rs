//! A wallet in a simulated network, whose trust starts from an agreement of checkpoint sources.

use std::time::Duration;

use saldo::{
    Checkpoint, Client, ClientBuilder, Endpoint, Network, Policy, Proven, Reading, Role, Trust, Voucher,
};
use saldo_beacon::unit::Period;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, ChainBuilder, Fault, Provider};

use crate::scene::{ALICE, BEFORE};

/// One provider, some beacon sources and some checkpoint sources, each with its own operator.
pub struct CheckpointWorld {
    /// The chain.
    pub chain: Chain,
    /// The simulated network, in virtual time.
    pub simulation: Simulation,
    /// The beacon sources, named `source0` and so on.
    pub sources: Vec<BeaconSource>,
    /// The checkpoint sources, named `checkpoint0` and so on, run by `operator0` and so on.
    pub checkpoint_sources: Vec<BeaconSource>,
    /// The wallet's table of the chain.
    pub network: Network,
}

impl CheckpointWorld {
    /// A world around a chain of 40 slots, with one honest beacon source.
    pub fn new(seed: u64, checkpoint_sources: usize) -> Self {
        Self::of(Chain::builder(seed), seed, checkpoint_sources)
    }

    /// A world around a chain with long slots: a slot is half an hour, a period 32 hours, and weak subjectivity 84
    /// epochs, which are two weeks.
    pub fn of_long_slots(seed: u64, checkpoint_sources: usize) -> Self {
        let chain = Chain::builder(seed).slot_duration(Duration::from_secs(1_800));
        let mut world = Self::of(chain, seed, checkpoint_sources);
        world.network = with_max_checkpoint_age(&world.network, 84);
        world
    }

    /// A world around a chain of that many slots.
    pub fn after(slots: u64, seed: u64, checkpoint_sources: usize) -> Self {
        Self::of(Chain::builder(seed).history(slots), seed, checkpoint_sources)
    }

    /// A world around that chain.
    pub fn of(chain: ChainBuilder, seed: u64, checkpoint_sources: usize) -> Self {
        let chain = chain.accounts([(ALICE, BEFORE)]).build();
        let simulation = Simulation::new(seed, &chain);
        let internet = simulation.internet();
        internet.register("http://provider.test", Provider::honest(&chain));
        let sources = vec![BeaconSource::honest(&chain)];
        let checkpoint_sources: Vec<BeaconSource> =
            (0..checkpoint_sources).map(|_| BeaconSource::honest(&chain)).collect();
        for (index, source) in sources.iter().enumerate() {
            internet.register(&format!("http://source{index}.test"), source.clone());
        }
        for (index, source) in checkpoint_sources.iter().enumerate() {
            internet.register(&format!("https://checkpoint{index}.test"), source.clone());
        }
        let network = chain.network();
        Self { chain, simulation, sources, checkpoint_sources, network }
    }

    /// Adds a beacon source, named by its index.
    pub fn add_source(&mut self, source: BeaconSource) {
        let url = format!("http://source{}.test", self.sources.len());
        self.simulation.internet().register(&url, source.clone());
        self.sources.push(source);
    }

    /// Replaces the first beacon source by another service.
    pub fn replace_source(&self, service: impl Service + 'static) {
        self.simulation.internet().register("http://source0.test", service);
    }

    /// A client that asks the provider and the beacon sources, without a checkpoint.
    pub fn builder(&self) -> ClientBuilder {
        let slot = self.network.slot_duration();
        let policy = Policy { max_age: (slot * 4).max(Duration::from_secs(300)), ..Policy::signed() };
        let builder = Client::builder(self.network.clone())
            .policy(policy)
            .transport(self.simulation.internet())
            .clock(self.simulation.clock())
            .rpc("http://provider.test");
        (0..self.sources.len()).fold(builder, |builder, index| {
            builder.beacon(format!("source{index}=http://source{index}.test"))
        })
    }

    /// A client whose trust starts from an agreement of two operators of the checkpoint sources.
    pub fn client(&self) -> Client {
        self.with_checkpoint_sources(self.builder()).build().expect("a complete configuration")
    }

    /// A client with the newest final block as its checkpoint, and without checkpoint sources.
    pub fn client_with_checkpoint(&self) -> Client {
        let builder = self.builder().checkpoint(self.chain.checkpoint());
        builder.build().expect("a complete configuration")
    }

    /// Adds the checkpoint sources to a client.
    pub fn with_checkpoint_sources(&self, builder: ClientBuilder) -> ClientBuilder {
        (0..self.checkpoint_sources.len()).fold(builder, |builder, index| {
            let endpoint = Endpoint::new(&format!("https://checkpoint{index}.test"))
                .and_then(|endpoint| endpoint.named(&format!("checkpoint{index}")))
                .and_then(|endpoint| endpoint.operator(&format!("operator{index}")));
            builder.checkpoint_source(endpoint.expect("a name and a URL"))
        })
    }

    /// A client that requires `k` operators to agree.
    pub fn client_of(&self, k: usize) -> Client {
        let builder = self.with_checkpoint_sources(self.builder()).checkpoint(Trust::agree(k));
        builder.build().expect("a complete configuration")
    }

    /// One reading of Alice's balance, in virtual time.
    pub fn read(&self, client: &Client) -> Reading {
        self.simulation.run(client.balance(ALICE))
    }

    /// Reads up to 21 times, until the reading is proven: many committee updates take more than one read.
    pub fn read_until_proven(&self, client: &Client) -> Reading {
        let mut reading = self.read(client);
        for _ in 0..20 {
            if reading.proven().is_some() {
                break;
            }
            reading = self.read(client);
        }
        reading
    }

    /// Lets time pass with rare blocks, and then some slots with a block each, so that the newest blocks are final.
    /// In two months or less there are enough blocks for every committee update.
    pub fn sleep_for(&self, duration: Duration) {
        let is_short = duration <= Duration::from_secs(60 * 86_400);
        self.chain.set_pace(if is_short { 8 } else { 32 });
        self.simulation.pass(duration);
        self.chain.set_pace(1);
        self.pass_slots(64);
    }

    /// From now on the beacon sources and the checkpoint sources give no date, and the dates that they gave are too old to count.
    pub fn without_dates(&self) {
        self.sources.iter().chain(&self.checkpoint_sources).for_each(|source| source.set(Fault::NoDate));
        self.simulation.pass(Duration::from_secs(180));
    }

    /// Lets slots pass.
    pub fn pass_slots(&self, slots: u32) {
        self.simulation.pass(self.network.slot_duration() * slots);
    }

    /// Asserts that the reading is proven, and that the amount is the chain's balance at its block. Returns the
    /// proven reading.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn assert_true<'a>(&self, reading: &'a Reading) -> &'a Proven {
        let proven = reading
            .proven()
            .unwrap_or_else(|| panic!("not proven: {:?}, {:?}", reading.why(), reading.attempts()));
        let block = self.chain.block(proven.anchor().number()).expect("a proven block exists");
        assert_eq!(proven.anchor().hash(), block.hash);
        assert_eq!(Some(proven.amount().base_units()), self.chain.balance_at(block.number, ALICE));
        proven
    }
}

/// The operators who agreed on the block from which trust started.
///
/// # Panics
/// If the checkpoint was given.
#[track_caller]
pub fn agreed_by(proven: &Proven) -> Vec<String> {
    match proven.anchor().origin().voucher() {
        Voucher::Agreement { operators, .. } => operators.to_vec(),
        other => panic!("not by agreement: {other:?}"),
    }
}

/// The outcome of the checkpoint source with that name, in the reading's attempts.
///
/// # Panics
/// If the reading has no such attempt.
#[track_caller]
pub fn said(reading: &Reading, name: &str) -> String {
    let attempt = reading
        .attempts()
        .iter()
        .find(|attempt| attempt.role == Role::Checkpoint && attempt.provider.as_str() == name);
    attempt
        .unwrap_or_else(|| panic!("no attempt at {name}: {:?}", reading.attempts()))
        .outcome
        .code()
        .to_owned()
}

/// The same network with another weak subjectivity period, in epochs.
///
/// # Panics
/// If the network refuses it.
pub fn with_max_checkpoint_age(network: &Network, epochs: u64) -> Network {
    let before = format!("max_checkpoint_age_epochs = {}", network.max_checkpoint_age_epochs());
    let text = network.to_toml();
    assert!(text.contains(&before), "{text}");
    let text = text.replace(&before, &format!("max_checkpoint_age_epochs = {epochs}"));
    Network::from_toml(&text).expect("a valid network")
}

/// A checkpoint at the block with that number.
///
/// # Panics
/// If there is no such block.
pub fn checkpoint_at(chain: &Chain, number: u64) -> Checkpoint {
    let block = chain.block(number).expect("the block exists");
    Checkpoint { root: block.beacon_root, slot: Some(block.slot) }
}

/// A beacon source without the updates of periods before `oldest`. It answers with an error, as real sources do.
pub struct PrunedSource {
    /// The source of all other data.
    pub source: BeaconSource,
    /// The oldest period with an update.
    pub oldest: Period,
}

impl Service for PrunedSource {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let start = request.parameter("start_period").and_then(|text| text.parse().ok());
        if start.is_some_and(|start| Period::new(start) < self.oldest) {
            return Reaction::Reply(Reply::new(500, "application/json", "{}"));
        }
        self.source.answer(request)
    }

    fn refuses(&self) -> bool {
        false
    }
}

/// A beacon source whose updates come from another source than its other data.
pub struct SplitSource {
    /// The source of the updates.
    pub updates: BeaconSource,
    /// The source of all other data.
    pub rest: BeaconSource,
}

impl Service for SplitSource {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let is_update = request.path.ends_with("/light_client/updates");
        if is_update { self.updates.answer(request) } else { self.rest.answer(request) }
    }

    fn refuses(&self) -> bool {
        false
    }
}
