//! A genuine update can bring no next committee. Then all other sources are asked for that period, and then trust starts again
//! after it by agreement; a period is never skipped.

use std::path::PathBuf;
use std::time::Duration;

use saldo::{Client, Network, Reading, Why};
use saldo_beacon::Checkpoint;
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use saldo_tests::council::{Apart, Council, agreed_by};
use saldo_tests::scene::ALICE;

/// The update that the first source has of period 1 is from the very start of it: what it finalizes is of period 0.
fn stuck(seed: u64, witnesses: usize) -> Council {
    let council = Council::new(seed, witnesses);
    council.pass_slots(26);
    let early = council.chain.split();
    council.pass_slots(24);
    let (updates, rest) = (BeaconSource::honest(&early), council.sources[0].clone());
    council.replace_source(Apart { updates, rest });
    assert_eq!(council.network.period_at(council.chain.checkpoint().slot.unwrap()), Period::new(1));
    council
}

#[test]
fn the_missing_period_is_named_until_another_source_has_it() {
    let mut council = stuck(1, 0);
    council.add_source(BeaconSource::honest(&council.chain).with(Fault::Refuse));
    let client = council.given();
    council.assert_true(&council.read(&client));
    council.pass_slots(48);
    let reading = council.read(&client);
    assert_eq!(reading.why(), Some(&Why::HandOverMissing { period: Period::new(1) }));
    assert!(matches!(&reading, Reading::Unknown(unknown) if unknown.last().is_some()));
    council.sources[1].clear();
    council.assert_true(&council.read(&client));
}

/// The heads of a source that stands still verify, while another's are of a committee that is not known.
#[test]
fn a_source_that_stands_still_hides_no_missing_hand_over() {
    let mut council = stuck(6, 0);
    council.add_source(BeaconSource::honest(&council.chain.split()).with(Fault::NoUpdates));
    let client = council.given();
    council.assert_true(&council.read(&client));
    council.pass_slots(48);
    for _ in 0..2 {
        let reading = council.read(&client);
        assert_eq!(reading.why(), Some(&Why::HandOverMissing { period: Period::new(1) }));
    }
}

#[test]
fn agreement_goes_on_after_the_missing_period() {
    let council = stuck(2, 3);
    let client =
        council.with_witnesses(council.builder()).checkpoint(council.chain.checkpoint()).build().unwrap();
    council.assert_true(&council.read(&client));
    council.pass_slots(48);
    // What is final everywhere is still of the period that cannot be left.
    let reading = council.read(&client);
    assert_eq!(reading.why(), Some(&Why::HandOverMissing { period: Period::new(1) }));
    council.pass_slots(32);
    let reading = council.read(&client);
    let proven = council.assert_true(&reading);
    assert_eq!(agreed_by(proven).len(), 3);
    let started = proven.anchor().origin().checkpoint().slot.unwrap();
    assert_eq!(council.network.period_at(started), Period::new(2));
}

/// A clock that is fast asks for committees that nobody can have yet. The sources' newest heads verify, so nothing is missing.
#[test]
fn a_clock_a_day_fast_is_no_missing_hand_over() {
    for witnesses in [0, 3] {
        let council = Council::new(3, witnesses);
        let client = if witnesses == 0 { council.given() } else { council.client() };
        council.assert_true(&council.read(&client));
        council.simulation.clock().set_ahead(Duration::from_secs(86_400));
        council.pass_slots(2);
        let reading = council.read(&client);
        let Some(Why::LightClientBehind { newest: Some(newest) }) = reading.why() else {
            panic!("{:?}, {:?}", reading.why(), reading.attempts());
        };
        assert!(council.chain.time().saturating_sub(*newest) <= 2 * council.network.slot_duration());
        council.simulation.clock().set_ahead(Duration::ZERO);
        council.assert_true(&council.read(&client));
    }
}

/// So is one that is fast by more than weak subjectivity.
#[test]
fn a_clock_a_month_fast_is_no_old_checkpoint() {
    let council = Council::of_long_slots(4, 0);
    let client = council.given();
    council.assert_true(&council.read(&client));
    council.simulation.clock().set_ahead(Duration::from_secs(30 * 86_400));
    council.pass_slots(2);
    assert_eq!(council.read(&client).why().unwrap().code(), "light_client_behind");
    council.simulation.clock().set_ahead(Duration::ZERO);
    council.assert_true(&council.read(&client));
}

/// What a real source had of mainnet's period 1573, and nothing else.
struct Real {
    folder: PathBuf,
    network: Network,
}

impl Real {
    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).unwrap()
    }

    /// As `/updates` frames it: length, fork digest, update.
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
fn mainnets_stale_update_is_a_missing_hand_over() {
    let Some(folder) = saldo_tests::vectors("e2e/mainnet-electra-12890400-stale-update") else { return };
    let network = Network::mainnet();
    let start = network.slot_start(network.period_start(Period::new(1574)).saturating_add(100));
    let elsewhere = Chain::builder(5).genesis_time(UnixTime::from_secs(start.as_secs() - 480)).build();
    let simulation = Simulation::new(5, &elsewhere);
    let internet = simulation.internet();
    internet.register("http://real.test", Real { folder, network: network.clone() });
    internet.register("http://elsewhere.test", Provider::honest(&elsewhere));
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
