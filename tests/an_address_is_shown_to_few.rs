//! At most as many operators as the policy allows see an address, the same ones each time. More see it only if none
//! of these proves its balance, and then the reading says so.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_primitives::Address;
use futures_util::future::join;
use saldo::{Attempt, Clock, Holding, NetworkId, Policy, Reading, Role, Why};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{Fault, Provider};
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene};
use saldo_tests::{NETWORK, native};

/// The providers that received a request with `owner`, starting with the log's request number `from`.
fn providers_that_saw(scene: &Scene, owner: Address, from: usize) -> BTreeSet<String> {
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
fn the_same_providers_are_asked_again() {
    let scene = Scene::with_policy(1, 4, 1, policy(2, false));
    for round in 0..6 {
        // The provider that is asked first fails in every other round, once one and once the other.
        let failing = &scene.providers[round % 2];
        failing.set(if round % 3 == 0 { Fault::Hang } else { Fault::NoProofs });
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
        assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy));
        failing.clear();
        scene.pass_slots(1);
    }
    assert_eq!(providers_that_saw(&scene, ALICE, 0), hosts(&[0, 1]));
}

#[test]
fn more_providers_see_it_only_if_no_allowed_one_proves() {
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

    // After that, the provider that proved it is one of those that know the address, and no further provider sees it.
    scene.pass_slots(1);
    let from = requests(&scene);
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy));
    assert_eq!(providers_that_saw(&scene, ALICE, from).len(), 1);
    // For another address, nothing has changed.
    scene.pass_slots(1);
    scene.providers.iter().for_each(saldo_drill::Provider::clear);
    scene.assert_true(&scene.balance(BOB), BOB);
    assert_eq!(providers_that_saw(&scene, BOB, 0).len(), 1);
}

#[test]
fn a_strict_policy_prefers_an_unknown_balance() {
    let scene = Scene::with_policy(3, 4, 1, policy(2, true));
    scene.providers[..2].iter().for_each(|provider| provider.add(Fault::NoProofs));
    for _ in 0..3 {
        let reading = scene.balance(ALICE);
        assert_eq!(reading.why().map(Why::code), Some("policy_forbids_more_operators"));
        assert_eq!(providers_that_saw(&scene, ALICE, 0), hosts(&[0, 1]));
        scene.pass_slots(1);
    }
}

/// A token of the owner, and the same owner on another network, are other holdings: to forget them shows the address to no
/// further operator.
#[test]
fn forgetting_another_holding_of_the_owner_changes_nothing() {
    let scene = Scene::with_policy(14, 4, 1, policy(1, true));
    scene.assert_true(&scene.balance(ALICE), ALICE);
    let seen = providers_that_saw(&scene, ALICE, 0);
    scene.client.forget(&Holding::erc20(NETWORK, ALICE, BOB));
    scene.client.forget(&Holding::native(NetworkId::new(1), ALICE));
    scene.providers[0].add(Fault::Refuse);
    scene.pass_slots(1);
    let reading = scene.balance(ALICE);
    assert_eq!(reading.why().map(Why::code), Some("policy_forbids_more_operators"));
    assert_eq!(providers_that_saw(&scene, ALICE, 0), seen);

    scene.client.forget(&native(ALICE));
    scene.assert_true(&scene.balance(ALICE), ALICE);
}

/// A provider that was not reached has not seen the address: another one may be asked in its place.
#[test]
fn an_unreached_provider_does_not_count() {
    let scene = Scene::with_policy(4, 4, 1, policy(1, true));
    // The client then has a head, so it asks no provider at its tip meanwhile.
    scene.assert_true(&scene.balance(BOB), BOB);
    scene.providers[..3].iter().for_each(|provider| provider.add(Fault::Refuse));
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert_eq!(reading.proven().unwrap().provider().as_str(), "provider3");
}

/// A provider that proves only tips, and whose tips were signed later, is trusted to be right again: while its proof
/// is pending, no further provider has to see the address.
#[test]
fn the_client_waits_for_the_tip_of_a_reliable_provider() {
    let scene = Scene::with_policy(5, 3, 1, policy(1, false));
    scene.providers.iter().for_each(|provider| provider.set_proof_window(0));
    let first = scene.patient_balance(ALICE, std::time::Duration::from_secs(60));
    assert_eq!(scene.assert_true(&first, ALICE), BEFORE);
    let from = requests(&scene);
    for _ in 0..5 {
        scene.pass_slots(1);
        let reading = scene.balance(ALICE);
        assert!(reading.attempts().iter().all(|attempt| !attempt.over_policy), "{:?}", reading.attempts());
    }
    assert!(providers_that_saw(&scene, ALICE, from).len() <= providers_that_saw(&scene, ALICE, 0).len());
}

/// Only a provider over the policy proves anything, and only at its tip. Once one of its tips was proven, it belongs
/// to the address's disclosure set, and the next tip is requested in time.
#[test]
fn a_tip_only_provider_can_serve_over_the_policy() {
    let scene = Scene::with_policy(10, 3, 1, policy(2, false));
    scene.providers[..2].iter().for_each(|provider| provider.add(Fault::NoProofs));
    scene.providers[2].set_proof_window(0);
    let mut are_proven = Vec::new();
    for _ in 0..12 {
        are_proven.push(scene.balance(ALICE).proven().is_some());
        scene.pass_slots(1);
    }
    assert!(are_proven[3..].iter().all(|is_proven| *is_proven), "{are_proven:?}");
}

/// A backed-off provider is asked if no other one is left, but not over a strict policy.
#[test]
fn a_last_resort_respects_a_strict_policy() {
    for strict in [true, false] {
        let scene = Scene::with_policy(6, 4, 1, policy(2, strict));
        scene.providers[2..].iter().for_each(|provider| {
            provider.add(Fault::RateLimited { retry_after: Some("1".to_owned()) });
        });
        // Besides these reads the client probes the other providers, with requests that contain no address.
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
            assert_eq!(providers_that_saw(&scene, ALICE, 0), hosts(&[0, 1]));
        }
    }
}

/// Two concurrent reads that would ask different providers: the read of the newest block starts with other providers
/// than the read of a final block. No provider proves anything.
fn two_reads_at_once(strict: bool) -> (Scene, [Reading; 2]) {
    let scene = Scene::with_policy(7, 4, 1, policy(2, strict));
    scene.providers[0].add(Fault::NoProofs);
    scene.assert_true(&scene.balance(BOB), BOB);
    scene.providers[0].clear();
    scene.providers.iter().for_each(|provider| provider.add(Fault::Hang.on("eth_getProof")));
    let (clock, client) = (scene.simulation.clock(), scene.client.clone());
    let holding = [native(ALICE)];
    let later = async {
        clock.sleep(std::time::Duration::from_millis(100)).await;
        client.finalized(&holding).await.remove(0)
    };
    let readings = scene.simulation.run(join(scene.client.balance(ALICE), later)).into();
    (scene, readings)
}

#[test]
fn two_concurrent_reads_show_it_to_no_more_providers() {
    let (scene, [_, later]) = two_reads_at_once(true);
    assert_eq!(providers_that_saw(&scene, ALICE, 0), hosts(&[1, 2]));
    assert_eq!(later.why().map(Why::code), Some("policy_forbids_more_operators"));
}

/// If more providers may see it when needed, each attempt over the policy says so, in both reads.
#[test]
fn each_of_two_concurrent_reads_names_its_attempts_over_policy() {
    let (scene, readings) = two_reads_at_once(false);
    assert_eq!(providers_that_saw(&scene, ALICE, 0), hosts(&[0, 1, 2, 3]));
    let attempts = readings.iter().flat_map(Reading::attempts);
    let proofs = attempts.filter(|attempt| attempt.role == Role::Execution);
    let (over_policy, within): (Vec<_>, Vec<_>) = proofs.partition(|attempt| attempt.over_policy);
    let names = |attempts: Vec<&Attempt>| -> BTreeSet<String> {
        attempts.iter().map(|attempt| format!("{}.test", attempt.provider)).collect()
    };
    assert_eq!((names(within), names(over_policy)), (hosts(&[1, 2]), hosts(&[0, 3])));
}

/// The provider saw the address in a request form that it does not support, and is unreachable when asked in another
/// form.
#[test]
fn a_provider_that_saw_it_counts_even_if_unreachable_later() {
    struct VanishesAfterFirst(Provider, AtomicBool);
    impl Service for VanishesAfterFirst {
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
    scene
        .simulation
        .internet()
        .register("http://provider0.test", VanishesAfterFirst(provider, AtomicBool::new(false)));
    let reading = scene.balance(ALICE);
    assert_eq!(providers_that_saw(&scene, ALICE, 0), hosts(&[0]));
    assert_eq!(reading.why().map(Why::code), Some("policy_forbids_more_operators"));
}
