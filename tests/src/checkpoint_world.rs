//! A wallet in a simulated world whose trust starts from what checkpoint sources agree on.

use std::time::Duration;

use saldo::{
    Checkpoint, Client, ClientBuilder, Endpoint, Network, Policy, Proven, Reading, Role, Trust, Voucher,
};
use saldo_beacon::unit::Period;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, ChainBuilder, Provider};

use crate::scene::{ALICE, BEFORE};

/// A world with one provider, some beacon sources, and some checkpoint sources, each of an operator of its own.
pub struct Council {
    /// The chain.
    pub chain: Chain,
    /// The world, in virtual time.
    pub simulation: Simulation,
    /// The beacon sources, named `source0` and so on.
    pub sources: Vec<BeaconSource>,
    /// The checkpoint sources, named `witness0` and so on, run by `operator0` and so on.
    pub witnesses: Vec<BeaconSource>,
    /// What the wallet knows of the chain beforehand.
    pub network: Network,
}

impl Council {
    /// A world around a chain that has run for 40 slots, with one honest beacon source.
    pub fn new(seed: u64, witnesses: usize) -> Self {
        Self::of(Chain::builder(seed), seed, witnesses)
    }

    /// A world around a chain whose days pass quickly: a slot is half an hour, a period 32 hours, and weak subjectivity 84
    /// epochs, which are two weeks.
    pub fn of_long_slots(seed: u64, witnesses: usize) -> Self {
        let chain = Chain::builder(seed).slot_duration(Duration::from_secs(1_800));
        let mut council = Self::of(chain, seed, witnesses);
        council.network = with_max_checkpoint_age(&council.network, 84);
        council
    }

    /// A world around a chain that has run for so many slots.
    pub fn after(slots: u64, seed: u64, witnesses: usize) -> Self {
        Self::of(Chain::builder(seed).history(slots), seed, witnesses)
    }

    fn of(chain: ChainBuilder, seed: u64, witnesses: usize) -> Self {
        let chain = chain.accounts([(ALICE, BEFORE)]).build();
        let simulation = Simulation::new(seed, &chain);
        let internet = simulation.internet();
        internet.register("http://provider.test", Provider::honest(&chain));
        let sources = vec![BeaconSource::honest(&chain)];
        let witnesses: Vec<BeaconSource> = (0..witnesses).map(|_| BeaconSource::honest(&chain)).collect();
        for (index, source) in sources.iter().enumerate() {
            internet.register(&format!("http://source{index}.test"), source.clone());
        }
        for (index, witness) in witnesses.iter().enumerate() {
            internet.register(&format!("https://witness{index}.test"), witness.clone());
        }
        let network = chain.network();
        Self { chain, simulation, sources, witnesses, network }
    }

    /// Another beacon source, named after how many there are.
    pub fn add_source(&mut self, source: BeaconSource) {
        let url = format!("http://source{}.test", self.sources.len());
        self.simulation.internet().register(&url, source.clone());
        self.sources.push(source);
    }

    /// Puts another service in the place of the first beacon source.
    pub fn replace_source(&self, service: impl Service + 'static) {
        self.simulation.internet().register("http://source0.test", service);
    }

    /// A client that asks the provider and the beacon sources, with nothing yet to start from.
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

    /// A client whose trust starts from what two operators of the checkpoint sources agree on.
    pub fn client(&self) -> Client {
        self.with_witnesses(self.builder()).build().expect("the council's client has all it needs")
    }

    /// A client that is given the newest final block and has nobody else to ask for one.
    pub fn given(&self) -> Client {
        let builder = self.builder().checkpoint(self.chain.checkpoint());
        builder.build().expect("the council's client has all it needs")
    }

    /// The same client, which asks the checkpoint sources too.
    pub fn with_witnesses(&self, builder: ClientBuilder) -> ClientBuilder {
        (0..self.witnesses.len()).fold(builder, |builder, index| {
            let endpoint = Endpoint::new(&format!("https://witness{index}.test"))
                .and_then(|endpoint| endpoint.named(&format!("witness{index}")))
                .and_then(|endpoint| endpoint.operator(&format!("operator{index}")));
            builder.checkpoint_source(endpoint.expect("a name and a URL"))
        })
    }

    /// A client that wants `k` operators to agree.
    pub fn client_of(&self, k: usize) -> Client {
        let builder = self.with_witnesses(self.builder()).checkpoint(Trust::agree(k));
        builder.build().expect("the council's client has all it needs")
    }

    /// One reading of Alice's balance, in virtual time.
    pub fn read(&self, client: &Client) -> Reading {
        self.simulation.run(client.balance(ALICE))
    }

    /// Reads until the reading is proven or will not become so, a few times at most: a long way takes more than one.
    pub fn read_on(&self, client: &Client) -> Reading {
        let mut reading = self.read(client);
        for _ in 0..20 {
            if reading.proven().is_some() {
                break;
            }
            reading = self.read(client);
        }
        reading
    }

    /// Lets time pass with a block only now and then, and then some slots with one each, so that the newest are final. In two
    /// months or less there are blocks enough for every hand-over.
    pub fn sleep_for(&self, duration: Duration) {
        let is_short = duration <= Duration::from_secs(60 * 86_400);
        self.chain.set_pace(if is_short { 8 } else { 32 });
        self.simulation.pass(duration);
        self.chain.set_pace(1);
        self.pass_slots(64);
    }

    /// Lets slots pass.
    pub fn pass_slots(&self, slots: u32) {
        self.simulation.pass(self.network.slot_duration() * slots);
    }

    /// Asserts that the reading is proven and true of the chain, and gives what it says.
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

/// Who agreed on the block that trust started from.
///
/// # Panics
/// If it was given.
#[track_caller]
pub fn agreed_by(proven: &Proven) -> Vec<String> {
    match proven.anchor().origin().voucher() {
        Voucher::Agreement { operators, .. } => operators.to_vec(),
        other => panic!("not by agreement: {other:?}"),
    }
}

/// What the checkpoint source of that name said, as the reading tells it.
///
/// # Panics
/// If the reading does not tell.
#[track_caller]
pub fn said(reading: &Reading, name: &str) -> String {
    let told = reading
        .attempts()
        .iter()
        .find(|attempt| attempt.role == Role::Checkpoint && attempt.provider.as_str() == name);
    told.unwrap_or_else(|| panic!("nothing told of {name}: {:?}", reading.attempts()))
        .outcome
        .code()
        .to_owned()
}

/// The same network with another weak subjectivity period, in epochs.
///
/// # Panics
/// If it cannot be one.
pub fn with_max_checkpoint_age(network: &Network, epochs: u64) -> Network {
    let before = format!("max_checkpoint_age_epochs = {}", network.max_checkpoint_age_epochs());
    let text = network.to_toml();
    assert!(text.contains(&before), "{text}");
    let text = text.replace(&before, &format!("max_checkpoint_age_epochs = {epochs}"));
    Network::from_toml(&text).expect("a network with another age is one")
}

/// A checkpoint at the block with that number.
///
/// # Panics
/// If there is no such block.
pub fn checkpoint_at(chain: &Chain, number: u64) -> Checkpoint {
    let block = chain.block(number).expect("the block exists");
    Checkpoint { root: block.beacon_root, slot: Some(block.slot) }
}

/// A beacon source that no longer has the updates of periods before `oldest`, and says so as real ones do: with an error.
pub struct Forgetful {
    /// What it has of everything else.
    pub source: BeaconSource,
    /// The oldest period it still has.
    pub oldest: Period,
}

impl Service for Forgetful {
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

/// A beacon source whose updates come from elsewhere than the rest.
pub struct Apart {
    /// Who serves the updates.
    pub updates: BeaconSource,
    /// Who serves all else.
    pub rest: BeaconSource,
}

impl Service for Apart {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let is_update = request.path.ends_with("/light_client/updates");
        if is_update { self.updates.answer(request) } else { self.rest.answer(request) }
    }

    fn refuses(&self) -> bool {
        false
    }
}
