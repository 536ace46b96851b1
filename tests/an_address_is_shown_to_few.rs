//! As many operators see an address as the policy names, the same ones each time; more only if none of these proves what it
//! holds, and then the reading says so.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_primitives::Address;
use futures_util::future::join;
use saldo::{Attempt, Clock, Holding, Policy, Reading, Role, Why};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{Fault, Provider};
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene};

/// The providers that were sent a request that names `owner`, from the `from`th request on.
fn saw(scene: &Scene, owner: Address, from: usize) -> BTreeSet<String> {
    let address = format!("{owner:?}").to_lowercase();
    let names = |body: &[u8]| String::from_utf8_lossy(body).to_lowercase().contains(&address);
    let log = scene.simulation.internet().log();
    log[from..]
        .iter()
        .filter(|exchange| names(&exchange.body))
        .map(|exchange| exchange.host.clone())
        .collect()
}

fn requests(scene: &Scene) -> usize {
    scene.simulation.internet().log().len()
}

fn hosts(places: &[usize]) -> BTreeSet<String> {
    places.iter().map(|place| format!("provider{place}.test")).collect()
}

fn policy(operators_per_address: usize, strict: bool) -> Policy {
    Policy { operators_per_address, strict, ..Policy::signed() }
}

#[test]
fn the_same_ones_are_asked_again() {
    let scene = Scene::with_policy(1, 4, 1, policy(2, false));
    for round in 0..6 {
        // Whoever is asked first fails now and then, in one way or the other.
        let failing = &scene.providers[round % 2];
        failing.set(if round % 3 == 0 { Fault::Hang } else { Fault::NoProofs });
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
        assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy));
        failing.clear();
        scene.pass_slots(1);
    }
    assert_eq!(saw(&scene, ALICE, 0), hosts(&[0, 1]));
}

#[test]
fn more_see_it_only_if_none_of_these_proves_anything_and_the_reading_says_so() {
    let scene = Scene::with_policy(2, 4, 1, policy(2, false));
    scene.providers[..2].iter().for_each(|provider| provider.add(Fault::NoProofs));
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    let over_policy: Vec<&str> = reading
        .attempts()
        .iter()
        .filter(|attempt| attempt.over_policy)
        .map(|attempt| attempt.provider.as_str())
        .collect();
    assert_eq!(over_policy, ["provider2", "provider3"]);

    // From then on the one that proved it is one of those that know of it, and nobody new has to.
    scene.pass_slots(1);
    let from = requests(&scene);
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy));
    assert_eq!(saw(&scene, ALICE, from).len(), 1);
    // Another address is as unknown as it was.
    scene.pass_slots(1);
    scene.providers.iter().for_each(saldo_drill::Provider::clear);
    scene.assert_true(&scene.balance(BOB), BOB);
    assert_eq!(saw(&scene, BOB, 0).len(), 1);
}

#[test]
fn a_strict_policy_rather_knows_nothing() {
    let scene = Scene::with_policy(3, 4, 1, policy(2, true));
    scene.providers[..2].iter().for_each(|provider| provider.add(Fault::NoProofs));
    for _ in 0..3 {
        let reading = scene.balance(ALICE);
        assert_eq!(reading.why().map(Why::code), Some("policy_forbids_more_operators"));
        assert_eq!(saw(&scene, ALICE, 0), hosts(&[0, 1]));
        scene.pass_slots(1);
    }
}

/// Who could not be reached knows nothing: others may be asked in his place.
#[test]
fn who_was_not_reached_does_not_count() {
    let scene = Scene::with_policy(4, 4, 1, policy(1, true));
    // So that there is a head to ask about, and nobody is asked for a tip meanwhile.
    scene.assert_true(&scene.balance(BOB), BOB);
    scene.providers[..3].iter().for_each(|provider| provider.add(Fault::Refuse));
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert_eq!(reading.proven().unwrap().provider().as_str(), "provider3");
}

/// One who proves only tips, and whose tips were signed before, is taken at his word: while its proof waits nobody else
/// has to see the address.
#[test]
fn a_tip_of_one_who_was_right_before_is_waited_for() {
    let scene = Scene::with_policy(5, 3, 1, policy(1, false));
    scene.providers.iter().for_each(|provider| drop(provider.clone().proof_window(0)));
    let first = scene.patient_balance(ALICE, std::time::Duration::from_secs(60));
    assert_eq!(scene.assert_true(&first, ALICE), BEFORE);
    let from = requests(&scene);
    for _ in 0..5 {
        scene.pass_slots(1);
        let reading = scene.balance(ALICE);
        assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy), "{:?}", reading.attempts());
    }
    assert!(saw(&scene, ALICE, from).len() <= saw(&scene, ALICE, 0).len());
}

/// One beyond the policy who alone proves anything, and that only tips, belongs to those who know the address once a tip of his
/// was proven: the next one is asked for in time, each time.
#[test]
fn one_who_proves_only_tips_is_of_use_beyond_the_policy_too() {
    let scene = Scene::with_policy(10, 3, 1, policy(2, false));
    scene.providers[..2].iter().for_each(|provider| provider.add(Fault::NoProofs));
    let _ = scene.providers[2].clone().proof_window(0);
    let mut are_proven = Vec::new();
    for _ in 0..12 {
        are_proven.push(scene.balance(ALICE).proven().is_some());
        scene.pass_slots(1);
    }
    assert!(are_proven[3..].iter().all(|is_proven| *is_proven), "{are_proven:?}");
}

/// Who wants to be left alone is asked if nobody else is left, but not beyond a strict policy.
#[test]
fn a_last_resort_is_no_way_around_a_strict_policy() {
    for strict in [true, false] {
        let scene = Scene::with_policy(6, 4, 1, policy(2, strict));
        scene.providers[2..].iter().for_each(|provider| {
            provider.add(Fault::RateLimited { retry_after: Some("1".to_owned()) });
        });
        // They are got to know beside these reads, which name no address to them.
        for _ in 0..12 {
            scene.assert_true(&scene.balance(ALICE), ALICE);
            scene.simulation.pass(std::time::Duration::from_millis(100));
        }
        scene.providers[2..].iter().for_each(saldo_drill::Provider::clear);
        scene.providers[..2].iter().for_each(|provider| provider.add(Fault::NoProofs));
        scene.pass_slots(1);
        let reading = scene.balance(ALICE);
        assert_eq!(reading.proven().is_some(), !strict, "{:?}", reading.attempts());
        if strict {
            assert_eq!(saw(&scene, ALICE, 0), hosts(&[0, 1]));
        }
    }
}

/// Two reads that go on at the same time would ask others, each as many as may know of it: the one for the newest block
/// begins with other providers than the one for a final block. Nobody proves anything.
fn two_reads_at_once(strict: bool) -> (Scene, [Reading; 2]) {
    let scene = Scene::with_policy(7, 4, 1, policy(2, strict));
    scene.providers[0].add(Fault::NoProofs);
    scene.assert_true(&scene.balance(BOB), BOB);
    scene.providers[0].clear();
    scene.providers.iter().for_each(|provider| provider.add(Fault::Hang.on("eth_getProof")));
    let (clock, client) = (scene.simulation.clock(), scene.client.clone());
    let holding = [Holding::native(ALICE)];
    let later = async {
        clock.sleep(std::time::Duration::from_millis(100)).await;
        client.finalized(&holding).await.remove(0)
    };
    let readings = scene.simulation.run(join(scene.client.balance(ALICE), later)).into();
    (scene, readings)
}

#[test]
fn two_reads_at_once_show_it_to_no_more() {
    let (scene, [_, later]) = two_reads_at_once(true);
    assert_eq!(saw(&scene, ALICE, 0), hosts(&[1, 2]));
    assert_eq!(later.why().map(Why::code), Some("policy_forbids_more_operators"));
}

/// Where more may see it if need be, each attempt beyond the policy says so, whichever read made it.
#[test]
fn of_two_reads_at_once_each_says_whom_it_showed_it_beyond_the_policy() {
    let (scene, readings) = two_reads_at_once(false);
    assert_eq!(saw(&scene, ALICE, 0), hosts(&[0, 1, 2, 3]));
    let attempts = readings.iter().flat_map(Reading::attempts);
    let proofs = attempts.filter(|attempt| attempt.role == Role::Execution);
    let (beyond, within): (Vec<_>, Vec<_>) = proofs.partition(|attempt| attempt.over_policy);
    let names = |attempts: Vec<&Attempt>| -> BTreeSet<String> {
        attempts.iter().map(|attempt| format!("{}.test", attempt.provider)).collect()
    };
    assert_eq!((names(within), names(beyond)), (hosts(&[1, 2]), hosts(&[0, 3])));
}

/// It has seen the address in a form that it does not take, and is gone when it is asked in another.
#[test]
fn who_has_seen_it_counts_even_if_it_is_gone_then() {
    struct Leaves(Provider, AtomicBool);
    impl Service for Leaves {
        fn answer(&self, request: &HttpRequest) -> Reaction {
            let is_proof = String::from_utf8_lossy(&request.body).contains("eth_getProof");
            if is_proof && self.1.swap(true, Ordering::Relaxed) {
                return Reaction::BadCertificate;
            }
            self.0.answer(request)
        }

        fn refuses(&self) -> bool {
            false
        }
    }
    let scene = Scene::with_policy(8, 2, 1, policy(1, true));
    scene.assert_true(&scene.balance(BOB), BOB);
    let unread = Fault::Error { code: -32602, message: "invalid argument".into() };
    let provider = Provider::honest(&scene.chain).with(unread.on("eth_getProof"));
    scene.simulation.internet().register("http://provider0.test", Leaves(provider, AtomicBool::new(false)));
    let reading = scene.balance(ALICE);
    assert_eq!(saw(&scene, ALICE, 0), hosts(&[0]));
    assert_eq!(reading.why().map(Why::code), Some("policy_forbids_more_operators"));
}
