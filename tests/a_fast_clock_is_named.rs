//! A device clock that is ahead makes everything look old. The dates that the servers send tell it from sources that lag.

use std::time::Duration;

use saldo::{Checkpoint, Policy, Reading, TlsFault, TransportError, Why};
use saldo_drill::simulate::Internet;
use saldo_drill::{BeaconSource, Fault, Provider};
use saldo_source::{BoxedFuture, IntoBoxed, Request, Response, Transport};
use saldo_tests::checkpoint_world::{CheckpointWorld, with_max_checkpoint_age};
use saldo_tests::scene::{ALICE, BEFORE, Scene};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn code(reading: &Reading) -> Option<&'static str> {
    reading.why().map(Why::code)
}

/// A wallet that runs, with that many providers and sources, and a clock that is then set ahead.
fn running(seed: u64, providers: usize, sources: usize, ahead: Duration) -> Scene {
    let policy = Policy { operators_per_address: providers, ..Policy::signed() };
    let scene = Scene::with_policy(seed, providers, sources, policy);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.simulation.clock().set_ahead(ahead);
    scene
}

fn shift_dates(scene: &Scene, seconds: i64) {
    scene.providers.iter().for_each(|provider| provider.add(Fault::ShiftedDate(seconds)));
    scene.sources.iter().for_each(|source| source.add(Fault::ShiftedDate(seconds)));
}

#[test]
fn a_clock_that_is_ahead_is_named() {
    for (seed, ahead) in (0..).zip([HOUR / 4, HOUR, DAY, DAY * 10]) {
        let scene = running(seed, 2, 2, ahead);
        scene.assert_unknown(&scene.balance(ALICE), "clock_off", BEFORE);
        scene.simulation.clock().set_ahead(Duration::ZERO);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    }
}

/// One provider and one source of different operators are enough.
#[test]
fn two_servers_are_enough() {
    let scene = running(10, 1, 1, DAY);
    scene.assert_unknown(&scene.balance(ALICE), "clock_off", BEFORE);
}

/// At the first start the checkpoint or its sources seem to be at fault.
#[test]
fn at_the_first_start() {
    for ahead in [HOUR, DAY, DAY * 10] {
        let world = CheckpointWorld::new(20, 3);
        world.simulation.clock().set_ahead(ahead);
        let reading = world.read(&world.client());
        assert_eq!(code(&reading), Some("clock_off"), "{ahead:?}: {:?}", reading.attempts());
        // The checkpoint seems to be too old, before any source was asked.
        let mut world = CheckpointWorld::new(21, 0);
        world.network = with_max_checkpoint_age(&world.network, 8);
        world.simulation.clock().set_ahead(ahead);
        world.add_source(BeaconSource::honest(&world.chain));
        world.simulation.internet().register("http://second.test", Provider::honest(&world.chain));
        for slot in [world.chain.checkpoint().slot, None] {
            let given = Checkpoint { slot, ..world.chain.checkpoint() };
            let client = world.builder().rpc("http://second.test").checkpoint(given).build().unwrap();
            let reading = world.read(&client);
            assert_eq!(code(&reading), Some("clock_off"), "{ahead:?}, {slot:?}: {:?}", reading.attempts());
        }
    }
}

/// One server's certificate, which is not valid at the device's time. The other servers are those of the simulation.
struct Expired {
    host: &'static str,
    internet: Internet,
}

impl Transport for Expired {
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>> {
        if request.url.expose().host_str() == Some(self.host) {
            let fault = TlsFault::Expired { since: None };
            return std::future::ready(Err(TransportError::Unsecured(fault))).into_boxed();
        }
        self.internet.send(request)
    }
}

/// A certificate that has expired is the operator's fault, until the dates of the others disagree with this device's clock.
#[test]
fn an_expired_certificate_beside_dates_that_disagree_is_the_clock() {
    for (seed, (host, ahead, expected)) in (70..).zip([
        ("provider.test", DAY * 2, "clock_off"),
        ("provider.test", Duration::ZERO, "not_secure"),
        ("source0.test", DAY * 2, "clock_off"),
        ("source0.test", Duration::ZERO, "not_secure"),
    ]) {
        let mut world = CheckpointWorld::new(seed, 0);
        let internet = world.simulation.internet();
        let builder = if host == "provider.test" {
            world.add_source(BeaconSource::honest(&world.chain));
            world.builder()
        } else {
            internet.register("http://second.test", Provider::honest(&world.chain));
            world.builder().rpc("http://second.test")
        };
        world.simulation.clock().set_ahead(ahead);
        let client = builder.checkpoint(world.chain.checkpoint()).transport(Expired { host, internet });
        let reading = world.read(&client.build().unwrap());
        assert_eq!(code(&reading), Some(expected), "{host} {ahead:?}: {:?}", reading.attempts());
    }
}

/// Servers that give no date, or a date that no other server gives, change no reason.
#[test]
fn without_agreement_the_reason_stays() {
    for (seed, dates) in (30..).zip(["none", "one lies", "all agree with the clock", "one server"]) {
        let scene = if dates == "one server" {
            let scene = running(seed, 1, 1, HOUR);
            scene.sources[0].add(Fault::NoDate);
            scene
        } else {
            running(seed, 2, 2, HOUR)
        };
        match dates {
            "none" => {
                scene.providers.iter().for_each(|provider| provider.add(Fault::NoDate));
                scene.sources.iter().for_each(|source| source.add(Fault::NoDate));
            }
            "one lies" => scene.providers[1].add(Fault::ShiftedDate(3_600)),
            "all agree with the clock" => shift_dates(&scene, 3_600),
            _ => {}
        }
        scene.simulation.pass(Duration::from_secs(180));
        let reading = scene.balance(ALICE);
        scene.assert_unknown(&reading, "light_client_behind", BEFORE);
    }
}

/// The clock is right, and servers lie about the date: no reading is lost, and a reason that has nothing to do with time stays.
#[test]
fn false_dates_change_no_amount() {
    for (seed, seconds) in (40..).zip([-86_400, -3_600, 86_400]) {
        let scene = running(seed, 2, 2, Duration::ZERO);
        shift_dates(&scene, seconds);
        scene.pass_slots(5);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        scene.pass_slots(5);
        scene.providers.iter().for_each(|provider| provider.add(Fault::NoProofs));
        scene.assert_unknown(&scene.balance(ALICE), "nobody_serves_proofs", BEFORE);
    }
}

/// A slow clock is known from the signatures of the committee, with or without dates.
#[test]
fn a_slow_clock_is_known_without_dates() {
    for (seed, behind) in (50..).zip([HOUR, DAY]) {
        let scene = running(seed, 2, 2, Duration::ZERO);
        scene.providers.iter().for_each(|provider| provider.add(Fault::NoDate));
        scene.sources.iter().for_each(|source| source.add(Fault::NoDate));
        scene.simulation.clock().set_behind(behind);
        scene.assert_unknown(&scene.balance(ALICE), "clock_off", BEFORE);
    }
}

/// Sources that lag, and a device that slept: the clock is right.
#[test]
fn a_right_clock_is_not_blamed() {
    let scene = running(60, 2, 2, Duration::ZERO);
    scene.sources.iter().for_each(|source| source.set_lag(100));
    scene.pass_slots(100);
    scene.assert_unknown(&scene.balance(ALICE), "light_client_behind", BEFORE);
    let scene = running(61, 2, 2, Duration::ZERO);
    scene.simulation.clock().sleep_device(DAY);
    scene.sources.iter().for_each(|source| source.add(Fault::Refuse));
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    assert_eq!(code(&scene.balance(ALICE)), Some("all_unreachable"));
    scene.providers.iter().for_each(Provider::clear);
    scene.assert_unknown(&scene.balance(ALICE), "light_client_behind", BEFORE);
}
