//! A request can be lost although its server works, or soon works again. If there is no other server, it is asked again.

use std::time::Duration;

use futures_util::future::join;
use saldo::{Clock, Policy, Reading};
use saldo_drill::{Fault, Rule};
use saldo_tests::scene::{ALICE, BEFORE, Scene};

const PATIENCE: Duration = Duration::from_secs(20);

fn scene(seed: u64, providers: usize, sources: usize) -> Scene {
    let policy = Policy { deadline: PATIENCE, operators_per_address: providers, ..Policy::signed() };
    Scene::with_policy(seed, providers, sources, policy)
}

/// A reading, and how long it takes. After `healed` all servers work.
fn read(scene: &Scene, healed: Duration) -> (Reading, Duration) {
    let clock = scene.simulation.clock();
    let began = clock.monotonic();
    let read = async {
        let reading = scene.client.balance(ALICE).await;
        (reading, clock.monotonic() - began)
    };
    let heal = async {
        clock.sleep(healed).await;
        scene.providers.iter().for_each(saldo_drill::Provider::clear);
        scene.sources.iter().for_each(saldo_drill::BeaconSource::clear);
    };
    scene.simulation.run(join(read, heal)).0
}

/// The first request is lost: of the only provider, of the only source, or of both.
#[test]
fn one_lost_request_costs_little() {
    for (seed, place) in (0..9).zip(["provider", "source", "both"].into_iter().cycle()) {
        let scene = scene(seed, 1, 1);
        let lost = || Rule::from(Fault::Hang).times(1);
        if place != "source" {
            scene.providers[0].add(lost());
        }
        if place != "provider" {
            scene.sources[0].add(lost());
        }
        let (reading, took) = read(&scene, PATIENCE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
        assert!(took < Duration::from_millis(1_500), "{place}: {took:?}");
    }
}

/// The only servers, or all of several, are silent for five seconds, and then work.
#[test]
fn a_server_that_works_again_is_noticed() {
    for (seed, (count, is_provider)) in (100..).zip([(1, true), (1, false), (2, true), (2, false)]) {
        let scene = scene(seed, count, count);
        if is_provider {
            scene.providers.iter().for_each(|provider| provider.add(Fault::Hang));
        } else {
            scene.sources.iter().for_each(|source| source.add(Fault::Hang));
        }
        let (reading, took) = read(&scene, Duration::from_secs(5));
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
        let (least, most) = (Duration::from_secs(5), Duration::from_secs(10));
        assert!((least..most).contains(&took), "{count}, provider: {is_provider}: {took:?}");
    }
}

/// A server that stays silent has few requests.
#[test]
fn silence_is_answered_with_few_requests() {
    let scene = scene(200, 1, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.providers[0].add(Fault::Hang);
    let asked = || scene.providers[0].requests().values().sum::<u64>();
    let before = asked();
    let reading = scene.balance(ALICE);
    assert_eq!(reading.why().map(saldo::Why::code), Some("all_unreachable"));
    let number = asked() - before;
    assert!((3..=8).contains(&number), "{number} requests in {PATIENCE:?}");
}

/// A server that takes its time answers every question once: its answers are not thrown away.
#[test]
fn a_slow_answer_still_counts() {
    let scene = scene(300, 1, 1);
    scene.providers[0].set_latency(Duration::from_secs(6));
    let (reading, took) = read(&scene, PATIENCE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert!(took < Duration::from_secs(14), "{took:?}");
}

/// A server in front of the source has lost it for a moment.
#[test]
fn a_source_that_fails_for_a_moment_is_asked_again() {
    for (seed, status) in (400..).zip([500, 502, 503, 504]) {
        let scene = scene(seed, 1, 1);
        scene.sources[0].add(Fault::Status(status));
        let (reading, took) = read(&scene, Duration::from_millis(200));
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "{status}");
        assert!(took < Duration::from_secs(2), "{status}: {took:?}");
    }
    // If it lasts, the reason is not a checkpoint that no source has.
    let scene = scene(410, 1, 1);
    scene.sources[0].add(Fault::Status(500));
    assert_eq!(scene.balance(ALICE).why().map(saldo::Why::code), Some("light_client_behind"));
}
