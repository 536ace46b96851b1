//! The cost of a reading on a chain of mainnet's shape: round trips and bytes.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use saldo::{Checkpoint, Client, Clock, Policy};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fork, Preset, Provider};
use saldo_tests::counted::{Bytes, Counted};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE};
use saldo_tests::token::{erc20, layout, set_word};

const ONE_WAY: Duration = Duration::from_secs(1);

struct World {
    chain: Chain,
    simulation: Simulation,
    counted: Counted,
    client: Client,
}

/// A chain of mainnet's shape, some time after the block from which trust starts.
fn world(seed: u64, fork: Fork, slots_since: u64, policy: Policy) -> World {
    let chain = Chain::builder(seed)
        .preset(Preset::Mainnet)
        .fork(fork)
        .mainnet_shape(true)
        .accounts([(ALICE, BEFORE)])
        .build();
    let checkpoint = chain.checkpoint();
    assert!(checkpoint.slot.is_some());
    if slots_since > 200 {
        chain.set_pace(64);
        chain.advance(slots_since - 100);
        chain.set_pace(1);
        chain.advance(100);
    } else {
        chain.advance(slots_since);
    }
    begin(chain, seed, Some(checkpoint), policy)
}

fn begin(chain: Chain, seed: u64, checkpoint: Option<Checkpoint>, policy: Policy) -> World {
    let simulation = Simulation::new(seed, &chain);
    let internet = simulation.internet();
    internet.register("http://provider.test", Provider::honest(&chain));
    internet.register("http://source.test", BeaconSource::honest(&chain));
    let counted = Counted::new(internet, simulation.clock(), ONE_WAY);
    let mut builder = Client::builder(chain.network())
        .rpc("http://provider.test")
        .beacon("http://source.test")
        .policy(policy)
        .transport(counted.clone())
        .clock(simulation.clock());
    match checkpoint {
        Some(checkpoint) => builder = builder.checkpoint(checkpoint),
        None => {
            for name in ["https://one.test", "https://two.test", "https://three.test"] {
                simulation.internet().register(name, BeaconSource::honest(&chain));
                builder = builder.checkpoint_source(name);
            }
        }
    }
    let client = builder.build().unwrap();
    World { chain, simulation, counted, client }
}

impl World {
    /// Reads Alice's balance. Returns the number of round trips, and the bytes.
    #[track_caller]
    fn read(&self) -> (u64, Bytes) {
        self.counted.reset();
        let clock = self.simulation.clock();
        let before = clock.monotonic();
        let reading = self.simulation.run(self.client.balance(ALICE));
        let proven =
            reading.proven().unwrap_or_else(|| panic!("{:?} {:?}", reading.why(), reading.attempts()));
        assert_eq!(proven.amount().base_units(), BEFORE);
        let took = clock.monotonic() - before;
        (took.as_millis().div_ceil(ONE_WAY.as_millis()).try_into().unwrap(), self.counted.all())
    }

    fn pass_slots(&self, slots: u32) {
        self.simulation.pass(self.chain.network().slot_duration() * slots);
    }
}

fn patient() -> Policy {
    Policy { deadline: Duration::from_secs(20), ..Policy::signed() }
}

#[test]
fn two_round_trips_from_a_checkpoint_with_its_slot() {
    for fork in [Fork::Fulu, Fork::Gloas] {
        let world = world(1, fork, 40, patient());
        let (ways, bytes) = world.read();
        assert_eq!(ways, 2, "{fork} {bytes:?}");
    }
}

#[test]
fn one_more_if_sources_have_to_agree() {
    let chain = Chain::builder(6).accounts([(ALICE, BEFORE)]).history(100).build();
    let world = begin(chain, 6, None, patient());
    let (ways, bytes) = world.read();
    assert_eq!(ways, 3, "{bytes:?}");
}

#[test]
fn two_round_trips_with_a_running_light_client() {
    for fork in [Fork::Fulu, Fork::Gloas] {
        let world = world(2, fork, 40, patient());
        world.read();
        world.pass_slots(3);
        let (ways, bytes) = world.read();
        assert_eq!(ways, 2, "{fork} {bytes:?}");
        // From Gloas on the execution header is fetched too: a head gives only its hash.
        let most = if fork < Fork::Gloas { 6_000 } else { 6_600 };
        assert!(bytes.gzip <= most, "{fork} {bytes:?}");
        assert!(bytes.requests <= 3, "{fork} {bytes:?}");
    }
}

#[test]
fn one_round_trip_if_there_can_be_no_newer_head() {
    let world = world(3, Fork::Fulu, 40, patient());
    let _ = world.simulation.run(world.client.balance(saldo::Address::repeat_byte(9)));
    let (ways, _) = world.read();
    assert_eq!(ways, 1);
}

#[test]
fn one_round_trip_to_the_finalized_block() {
    let policy = Policy { deadline: Duration::from_secs(20), ..Policy::finalized() };
    let world = world(4, Fork::Fulu, 40, policy);
    let _ = world.simulation.run(world.client.balance(saldo::Address::repeat_byte(9)));
    let (ways, _) = world.read();
    assert_eq!(ways, 1);
}

/// The checkpoint is one sync committee period old: one committee update.
#[test]
fn seventy_five_kilobytes_from_a_period_ago() {
    let world = world(5, Fork::Fulu, 8_192, patient());
    let (ways, bytes) = world.read();
    assert_eq!(ways, 2, "{bytes:?}");
    assert!(bytes.plain <= 75_000, "{bytes:?}");
}

/// The tokens have the code of WETH on mainnet. On the drill's chain a slot has a shorter proof than on mainnet: real bytes are in
/// `docs/tokens.md`.
#[test]
fn one_coin_and_fifty_tokens_take_one_batch() {
    let chain = Chain::builder(9)
        .preset(Preset::Mainnet)
        .fork(Fork::Fulu)
        .mainnet_shape(true)
        .accounts([(ALICE, BEFORE)])
        .build();
    let tokens: Vec<Address> =
        (1..=50_u64).map(|n| Address::left_padding_from(&(n << 20).to_be_bytes())).collect();
    for token in &tokens {
        chain.set_code_hash(*token, layout("WETH9").code_hash);
        set_word(&chain, *token, "WETH9", ALICE, U256::from(7));
    }
    chain.advance(4);
    let checkpoint = chain.checkpoint();
    let world = begin(chain, 9, Some(checkpoint), patient());
    let mut holdings = vec![native(ALICE)];
    holdings.extend(tokens.iter().map(|token| erc20(ALICE, *token)));
    let read = || {
        world.counted.reset();
        let clock = world.simulation.clock();
        let before = clock.monotonic();
        let readings = world.simulation.run(world.client.read(&holdings));
        let amounts: Vec<U256> =
            readings.iter().map(|it| it.proven().unwrap().amount().base_units()).collect();
        assert!(amounts[0] == BEFORE && amounts[1..].iter().all(|amount| *amount == U256::from(7)));
        let hash = |place: usize| readings[place].proven().unwrap().anchor().hash();
        assert!((1..=50).all(|place| hash(place) == hash(0)), "all at one block");
        ((clock.monotonic() - before).as_millis().div_ceil(ONE_WAY.as_millis()), world.counted.all())
    };
    let (ways, bytes) = read();
    println!("first: {ways} round trips, {bytes:?}");
    assert!(ways <= 3, "the heads, the code hash of each token, its slot: {ways} {bytes:?}");
    world.pass_slots(2);
    let (ways, bytes) = read();
    println!("then: {ways} round trips, {bytes:?}");
    // The newest head and its header, and one batch.
    assert!(ways <= 2 && bytes.requests <= 5, "{ways} {bytes:?}");
    assert!(bytes.plain <= 700_000, "{bytes:?}");
}
