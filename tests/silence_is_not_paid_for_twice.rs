//! Promise 4 under load: providers and sources that hang cost time once, not with every holding and every read.

use std::time::Duration;

use alloy_primitives::Address;
use saldo::{Holding, Policy};
use saldo_drill::Fault;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

#[test]
fn a_hundred_holdings_beside_providers_that_hang() {
    for hanging in [1, 2, 3] {
        let scene = Scene::new(1, 4, 1);
        scene.providers[..hanging].iter().for_each(|provider| provider.add(Fault::Hang));
        let holdings: Vec<Holding> = (0..100).map(|index| native(Address::repeat_byte(index))).collect();
        let readings = scene.simulation.run(scene.client.read(&holdings));
        let proven = readings.iter().filter(|reading| reading.proven().is_some()).count();
        assert_eq!(proven, 100, "{hanging} hang");
    }
}

#[test]
fn the_one_source_of_six_that_answers_is_found() {
    let scene = Scene::new(2, 1, 6);
    scene.sources[..5].iter().for_each(|source| source.add(Fault::Hang));
    let proven = (0..3).any(|_| {
        let reading = scene.balance(ALICE);
        scene.pass_slots(1);
        reading.proven().is_some()
    });
    assert!(proven);
}

#[test]
fn the_one_provider_of_eleven_that_answers_is_found() {
    let scene = Scene::new(3, 11, 1);
    scene.providers[..10].iter().for_each(|provider| provider.add(Fault::Hang));
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
}

/// A provider or source that is slow, but answers within the deadline, is enough.
#[test]
fn a_slow_provider_is_not_taken_for_a_silent_one() {
    for (seed, deadline, latency) in [(4, 4_000, 1_900), (5, 20_000, 8_000)] {
        let policy = Policy { deadline: Duration::from_millis(deadline), ..Policy::signed() };
        let scene = Scene::with_policy(seed, 1, 1, policy);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        scene.pass_slots(1);
        scene.providers[0].set_latency(Duration::from_millis(latency));
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{latency} ms");
    }
    let scene = Scene::new(6, 1, 1);
    scene.sources[0].set_latency(Duration::from_millis(2_100));
    let proven = (0..3).any(|_| {
        let reading = scene.balance(ALICE);
        scene.pass_slots(1);
        reading.proven().is_some()
    });
    assert!(proven, "a source at 2.1 s");
}

/// Two operators see an address in one read; the next read begins with the others.
#[test]
fn the_next_read_begins_with_providers_that_have_not_failed() {
    for fault in [Fault::Status(503), Fault::Hang, Fault::TruncatedProof { nodes: 1 }] {
        let scene = Scene::with_policy(7, 3, 1, Policy::signed());
        scene.providers[..2].iter().for_each(|provider| provider.add(fault.clone()));
        let reading = scene.balance(ALICE);
        if reading.proven().is_none() {
            assert_eq!(reading.why().unwrap().code(), "policy_forbids_more_operators", "{fault:?}");
        }
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{fault:?}");
    }
    // A provider that could not be reached has not seen the address.
    let scene = Scene::with_policy(8, 4, 1, Policy::signed());
    scene.providers[..3].iter().for_each(|provider| provider.add(Fault::Refuse));
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
}

/// A provider whose answer failed is asked after those that were not asked: a false answer does not keep its provider first.
#[test]
fn no_failed_provider_stays_first() {
    let invented = Fault::InventedTrie { balance: alloy_primitives::U256::from(1) };
    let missing_node = Fault::Error { code: -32000, message: "missing trie node".into() };
    for (seed, fault, tip_only) in
        [(11, invented, true), (12, missing_node, false), (13, Fault::StaleBlock(3), true)]
    {
        let scene = Scene::with_policy(seed, 3, 1, Policy::signed());
        for provider in &scene.providers[..2] {
            provider.add(fault.clone());
            if tip_only {
                provider.set_proof_window(0);
            }
        }
        let proven = (0..4).filter(|_| {
            scene.pass_slots(1);
            scene.balance(ALICE).proven().is_some()
        });
        assert!(proven.count() >= 2, "{fault:?}");
    }
}

/// A pending claim takes no time away from an honest provider that is slow.
#[test]
fn a_pending_claim_costs_a_slow_provider_nothing() {
    let scene = Scene::new(14, 2, 1);
    scene.providers[0].add(Fault::InventedTrie { balance: alloy_primitives::U256::from(1) });
    scene.providers[0].set_proof_window(0);
    scene.providers[1].set_latency(Duration::from_millis(2_300));
    for _ in 0..4 {
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
        scene.pass_slots(1);
    }
}

/// Three providers prove only their tip, and two may see the address: a read that waits still ends proven.
#[test]
fn the_policy_does_not_hide_that_waiting_helps() {
    let scene = Scene::with_policy(15, 3, 1, Policy::signed());
    for provider in &scene.providers {
        provider.set_proof_window(0);
    }
    let reading = scene.patient_balance(ALICE, Duration::from_secs(60));
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
}

/// However the providers fail, no more operators see an address than a strict policy allows.
#[test]
fn no_more_operators_see_an_address_than_allowed() {
    let faults =
        [Fault::Hang, Fault::Status(503), Fault::NullResult, Fault::Reset { after: 3 }, Fault::StaleBlock(9)];
    for (seed, fault) in (20..).zip(faults) {
        let scene = Scene::with_policy(seed, 5, 1, Policy { strict: true, ..Policy::signed() });
        scene.providers.iter().for_each(|provider| provider.add(fault.clone()));
        let _ = scene.balance(ALICE);
        let address = format!("{ALICE:?}").to_lowercase();
        let log = scene.simulation.internet().log();
        let saw = log
            .iter()
            .filter(|exchange| String::from_utf8_lossy(&exchange.body).to_lowercase().contains(&address));
        let hosts: std::collections::BTreeSet<&str> = saw.map(|exchange| exchange.host.as_str()).collect();
        assert!(hosts.len() <= 2, "{fault:?}: {hosts:?}");
        assert!(!hosts.is_empty());
    }
}

/// A source whose finality update hangs still serves its head.
#[test]
fn a_head_does_not_wait_for_finality() {
    let scene = Scene::new(30, 1, 1);
    scene.sources[0].add(Fault::Hang.on("finality_update"));
    for _ in 0..3 {
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        scene.pass_slots(30);
    }
}

/// A read whose future is no longer polled does not block another read.
#[test]
fn an_abandoned_read_does_not_block_another() {
    use futures_util::FutureExt;
    use futures_util::future::select;
    use saldo_source::Clock;
    let scene = Scene::new(9, 1, 1);
    let clock = scene.simulation.clock();
    let mut abandoned = scene.client.balance(ALICE).boxed();
    scene.simulation.run(async {
        let _ = select(&mut abandoned, clock.sleep(Duration::from_millis(10))).await;
    });
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    drop(abandoned);
}

/// If one source withholds finality, the others are asked for it.
#[test]
fn finality_that_one_source_withholds_comes_from_another() {
    let scene = Scene::with_policy(10, 1, 2, Policy { operators_per_address: 1, ..Policy::finalized() });
    scene.sources[0].add(Fault::Status(404).on("finality_update"));
    for _ in 0..5 {
        scene.pass_slots(8);
        let reading = scene.balance(ALICE);
        scene.assert_true(&reading, ALICE);
        assert_eq!(reading.proven().unwrap().anchor().number(), scene.chain.finalized().number);
    }
}

/// No provider can be connected to, and the read ends before a slow source has answered. The source accepted the connection, so
/// the device is not offline.
#[test]
fn a_source_that_has_not_answered_yet_shows_a_network() {
    let scene = Scene::new(40, 2, 1);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.providers[0].add(Fault::Unresolvable);
    scene.providers[1].add(Fault::Refuse);
    scene.sources[0].set_latency(Duration::from_millis(1_400));
    scene.pass_slots(5);
    scene.assert_unknown(&scene.balance(ALICE), "all_unreachable", BEFORE);
}
