//! A genuine update can lack the next committee. Then all other sources are asked for that period, and then trust
//! restarts after it by agreement. A period is never skipped.

use std::path::PathBuf;
use std::time::Duration;

use saldo::{Client, Network, Reading, Why};
use saldo_beacon::Checkpoint;
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use saldo_tests::checkpoint_world::{CheckpointWorld, SplitSource, agreed_by};
use saldo_tests::scene::ALICE;

/// The first source's update of period 1 is from the start of that period: the block it finalizes is of period 0.
fn stuck(seed: u64, checkpoint_sources: usize) -> CheckpointWorld {
    let world = CheckpointWorld::new(seed, checkpoint_sources);
    world.pass_slots(26);
    let early = world.chain.split();
    world.pass_slots(24);
    let (updates, rest) = (BeaconSource::honest(&early), world.sources[0].clone());
    world.replace_source(SplitSource { updates, rest });
    assert_eq!(world.network.period_at(world.chain.checkpoint().slot.unwrap()), Period::new(1));
    world
}

#[test]
fn the_missing_period_is_named_until_another_source_has_it() {
    let mut world = stuck(1, 0);
    world.add_source(BeaconSource::honest(&world.chain).with(Fault::Refuse));
    let client = world.client_with_checkpoint();
    world.assert_true(&world.read(&client));
    world.pass_slots(48);
    let reading = world.read(&client);
    assert_eq!(reading.why(), Some(&Why::HandOverMissing { period: Period::new(1) }));
    assert!(matches!(&reading, Reading::Unknown(unknown) if unknown.last().is_some()));
    world.sources[1].clear();
    world.assert_true(&world.read(&client));
}

/// The heads of a stalled source verify, while another source's heads are of an unknown committee.
#[test]
fn a_stalled_source_does_not_hide_a_missing_committee_update() {
    let mut world = stuck(6, 0);
    world.add_source(BeaconSource::honest(&world.chain.split()).with(Fault::NoUpdates));
    let client = world.client_with_checkpoint();
    world.assert_true(&world.read(&client));
    world.pass_slots(48);
    for _ in 0..2 {
        let reading = world.read(&client);
        assert_eq!(reading.why(), Some(&Why::HandOverMissing { period: Period::new(1) }));
    }
}

#[test]
fn agreement_restarts_trust_after_the_missing_period() {
    let world = stuck(2, 3);
    let client =
        world.with_checkpoint_sources(world.builder()).checkpoint(world.chain.checkpoint()).build().unwrap();
    world.assert_true(&world.read(&client));
    world.pass_slots(48);
    // The block that is final everywhere is still of the period without a committee update.
    let reading = world.read(&client);
    assert_eq!(reading.why(), Some(&Why::HandOverMissing { period: Period::new(1) }));
    world.pass_slots(32);
    let reading = world.read(&client);
    let proven = world.assert_true(&reading);
    assert_eq!(agreed_by(proven).len(), 3);
    let started = proven.anchor().origin().checkpoint().slot.unwrap();
    assert_eq!(world.network.period_at(started), Period::new(2));
}

/// A fast clock asks for committees that do not exist yet. The sources' newest heads verify, so no update is missing.
#[test]
fn a_clock_a_day_fast_is_no_missing_committee_update() {
    for checkpoint_sources in [0, 3] {
        let world = CheckpointWorld::new(3, checkpoint_sources);
        let client = if checkpoint_sources == 0 { world.client_with_checkpoint() } else { world.client() };
        world.assert_true(&world.read(&client));
        world.simulation.clock().set_ahead(Duration::from_secs(86_400));
        world.pass_slots(2);
        // The dates of the servers show it.
        assert_eq!(world.read(&client).why(), Some(&Why::ClockOff));
        world.without_dates();
        let reading = world.read(&client);
        let Some(Why::LightClientBehind { newest: Some(newest) }) = reading.why() else {
            panic!("{:?}, {:?}", reading.why(), reading.attempts());
        };
        assert!(world.chain.time().saturating_sub(*newest) <= 2 * world.network.slot_duration());
        world.simulation.clock().set_ahead(Duration::ZERO);
        world.assert_true(&world.read(&client));
    }
}

/// A clock that is fast by more than weak subjectivity is no old checkpoint either.
#[test]
fn a_clock_a_month_fast_is_no_old_checkpoint() {
    let world = CheckpointWorld::of_long_slots(4, 0);
    let client = world.client_with_checkpoint();
    world.assert_true(&world.read(&client));
    world.simulation.clock().set_ahead(Duration::from_secs(30 * 86_400));
    world.pass_slots(2);
    assert_eq!(world.read(&client).why(), Some(&Why::ClockOff), "the dates of the servers show it");
    world.without_dates();
    assert_eq!(world.read(&client).why().unwrap().code(), "light_client_behind");
    world.simulation.clock().set_ahead(Duration::ZERO);
    world.assert_true(&world.read(&client));
}

/// The data that a real source had of mainnet's period 1573, and no other data.
struct Real {
    folder: PathBuf,
    network: Network,
}

impl Real {
    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).unwrap()
    }

    /// The framing of `/updates`: length, fork digest, update.
    fn framed(&self, period: u64) -> Vec<u8> {
        let update = self.read(&format!("update_{period}.ssz"));
        let slot = self.network.period_start(Period::new(period));
        let digest = self.network.fork_digest(self.network.epoch_at(slot));
        let length = u64::try_from(update.len() + digest.len()).unwrap().to_le_bytes();
        [length.as_slice(), &digest, &update].concat()
    }
}

impl Service for Real {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let ssz = |body| Reply::new(200, "application/octet-stream", body);
        Reaction::Reply(if request.path.contains("/light_client/bootstrap/") {
            ssz(self.read("bootstrap.ssz")).header("eth-consensus-version", "electra")
        } else if request.path.ends_with("/light_client/updates") {
            match request.parameter("start_period") {
                Some("1573") => ssz([self.framed(1573), self.framed(1574)].concat()),
                Some("1574") => ssz(self.framed(1574)),
                _ => Reply::new(500, "application/json", "{}"),
            }
        } else {
            Reply::new(404, "application/json", "{}")
        })
    }

    fn refuses(&self) -> bool {
        false
    }
}

#[test]
fn mainnets_stale_update_is_a_missing_committee_update() {
    let Some(folder) = saldo_tests::vectors("e2e/mainnet-electra-12890400-stale-update") else { return };
    let network = Network::mainnet();
    let start = network.slot_start(network.period_start(Period::new(1574)).saturating_add(100));
    let other_chain = Chain::builder(5).genesis_time(UnixTime::from_secs(start.as_secs() - 480)).build();
    let simulation = Simulation::new(5, &other_chain);
    let internet = simulation.internet();
    internet.register("http://real.test", Real { folder, network: network.clone() });
    internet.register("http://elsewhere.test", Provider::honest(&other_chain));
    let root = "0x994cb789313ae5c5aceab6854d2ee32d8d0883a138e82d018e1a1dc59c22ba32".parse().unwrap();
    let client = Client::builder(network)
        .transport(internet)
        .clock(simulation.clock())
        .rpc("http://elsewhere.test")
        .beacon("http://real.test")
        .checkpoint(Checkpoint { root, slot: Some(Slot::new(12_890_400)) })
        .build()
        .unwrap();
    let reading = simulation.run(client.balance(ALICE));
    assert_eq!(reading.why(), Some(&Why::HandOverMissing { period: Period::new(1573) }));
}
