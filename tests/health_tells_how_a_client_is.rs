//! What a status screen shows: which endpoints answer, fail, back off or lied, and how far the light client has come.
//! It contains no URL and no address.

use std::time::Duration;

use saldo::{Client, Endpoint, EndpointHealth, EndpointState, Health, ProviderId, Role};
use saldo_drill::{Chain, Fault};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::key_recorder::{assert_no_key, with_keys};
use saldo_tests::scene::{ALICE, BEFORE, Scene};
use saldo_tests::stopped_clock::StoppedClock;

fn of<'a>(health: &'a Health, name: &str) -> &'a EndpointHealth {
    let mut found = health.endpoints.iter().filter(|endpoint| endpoint.provider.as_str() == name);
    let endpoint = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "{name} twice");
    endpoint
}

#[test]
fn before_the_first_read_nothing_is_known() {
    let scene = Scene::new(1, 2, 1);
    let health = scene.client.health();
    assert_eq!(health.heads, None);
    assert!(!health.is_offline && !health.is_clock_off && !health.is_faulted);
    let roles: Vec<(&str, Role)> =
        health.endpoints.iter().map(|endpoint| (endpoint.provider.as_str(), endpoint.role)).collect();
    let [execution, beacon] = [Role::Execution, Role::Beacon];
    assert_eq!(roles, [("provider0", execution), ("provider1", execution), ("source0", beacon)]);
    assert!(health.endpoints.iter().all(|endpoint| endpoint.state() == EndpointState::Unasked));
    assert_eq!(of(&health, "provider0").operator, "provider0.test");
}

#[test]
fn health_shows_the_known_heads() {
    let scene = Scene::new(2, 2, 1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    let heads = scene.client.health().heads.unwrap();
    let signed = heads.signed.unwrap();
    assert!(signed > heads.finalized);
    assert_eq!(heads.signed_time, Some(scene.chain.network().slot_start(signed)));
    assert_eq!(heads.finalized_time, scene.chain.network().slot_start(heads.finalized));
    assert_eq!(heads.slots_behind, Some(0));
    assert!(heads.is_committee_known);

    scene.pass_slots(20);
    let later = scene.client.health().heads.unwrap();
    assert_eq!((later.signed, later.slots_behind), (Some(signed), Some(20)), "no request is sent for it");
}

#[test]
fn health_shows_when_the_next_committee_is_known() {
    let chain = Chain::builder(3).accounts([(ALICE, BEFORE)]).build();
    let scene = Scene::of(chain, 3, 1, 1, saldo::Policy::signed());
    scene.sources[0].set(Fault::Status(404).on("updates"));
    let _ = scene.balance(ALICE);
    let known = |client: &Client| client.health().heads.map(|heads| heads.is_next_committee_known);
    assert_eq!(known(&scene.client), Some(false));
    scene.sources[0].clear();
    scene.simulation.pass(Duration::from_secs(700));
    let _ = scene.balance(ALICE);
    assert_eq!(known(&scene.client), Some(true));
}

#[test]
fn a_failing_provider_is_shown_with_its_reason_until_it_works() {
    let scene = Scene::new(4, 2, 1);
    scene.providers[0].add(Fault::Status(503));
    scene.assert_true(&scene.balance(ALICE), ALICE);
    let health = scene.client.health();
    let (failing, well) = (of(&health, "provider0"), of(&health, "provider1"));
    assert_eq!(failing.state(), EndpointState::Failing);
    assert_eq!(failing.failure().map(saldo::Failure::code), Some("http"));
    assert_eq!((failing.stats.accepted, failing.stats.usual_latency), (None, None));
    assert_eq!((well.state(), well.failure()), (EndpointState::Accepted, None));
    assert!(well.stats.usual_latency.unwrap() > Duration::ZERO);

    scene.pass_slots(2);
    let aged = scene.client.health();
    assert_eq!(
        of(&aged, "provider1").stats.accepted.unwrap() - well.stats.accepted.unwrap(),
        scene.chain.network().slot_duration() * 2
    );

    scene.providers[0].clear();
    scene.providers[1].add(Fault::Refuse);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    let health = scene.client.health();
    let again = of(&health, "provider0");
    assert_eq!((again.state(), again.failure()), (EndpointState::Accepted, None));
    assert_eq!(
        again.stats.failed.as_ref().map(|(failure, _)| failure.code()),
        Some("http"),
        "the last failure is kept"
    );
    assert_eq!(of(&health, "provider1").state(), EndpointState::Failing);
}

#[test]
fn a_rate_limit_backs_off_and_two_lies_quarantine() {
    let scene = Scene::new(5, 3, 1);
    scene.providers[0].add(Fault::RateLimited { retry_after: Some("30".into()) });
    scene.providers[1].add(Fault::ExtraNodes);
    scene.providers[2].add(Fault::NoProofs);
    let _ = scene.balance(ALICE);
    let health = scene.client.health();
    let backed_off = of(&health, "provider0").stats.backed_off.unwrap();
    assert!(backed_off > Duration::from_secs(25) && backed_off <= Duration::from_secs(30), "{backed_off:?}");
    assert_eq!(of(&health, "provider0").state(), EndpointState::BackedOff);
    assert_eq!(
        (of(&health, "provider1").stats.strikes, of(&health, "provider1").state().code()),
        (1, "failing")
    );
    scene.pass_slots(3);
    let _ = scene.balance(ALICE);
    let health = scene.client.health();
    assert_eq!(
        of(&health, "provider0").stats.backed_off.is_some(),
        health.endpoints[0].state() == EndpointState::BackedOff
    );
    let liar = of(&health, "provider1");
    assert_eq!((liar.stats.strikes, liar.state()), (2, EndpointState::Quarantined));
    assert!(liar.stats.is_quarantined);
}

/// Two providers that fail together may share an infrastructure, whatever they declare. That is shown, and they are
/// asked as before.
#[test]
fn providers_that_fail_together_are_shown() {
    let scene = Scene::new(7, 3, 1);
    let together = || scene.client.health().failed_together;
    let fail = |places: &[usize], fault: &Fault| {
        places.iter().for_each(|place| scene.providers[*place].add(fault.clone()));
        for _ in 0..3 {
            scene.assert_true(&scene.balance(ALICE), ALICE);
            scene.pass_slots(1);
        }
        places.iter().for_each(|place| scene.providers[*place].clear());
        for _ in 0..60 {
            scene.assert_true(&scene.balance(ALICE), ALICE);
            scene.pass_slots(10);
        }
    };
    fail(&[], &Fault::Refuse);
    assert_eq!(scene.client.health().endpoints.iter().filter(|it| it.stats.accepted.is_some()).count(), 4);
    fail(&[0], &Fault::Refuse);
    assert_eq!(together(), []);
    for times in [1, 2] {
        fail(&[0, 1], &[Fault::Refuse, Fault::Hang][times - 1]);
        let shown = together();
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert_eq!(shown[0].endpoints.each_ref().map(ProviderId::as_str), ["provider0", "provider1"]);
        assert_eq!((shown[0].role, usize::try_from(shown[0].times).unwrap()), (Role::Execution, times));
    }
}

#[test]
fn offline_is_shown_until_an_endpoint_answers() {
    let scene = Scene::new(6, 2, 1);
    scene.client.network_changed(false);
    assert!(scene.client.health().is_offline);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    assert!(!scene.client.health().is_offline);
}

#[test]
fn checkpoint_sources_are_listed_without_urls() {
    let world = CheckpointWorld::new(7, 3);
    let client = world.client();
    assert!(world.read_until_proven(&client).proven().is_some());
    let health = client.health();
    let asked = health.endpoints.iter().filter(|endpoint| endpoint.role == Role::Checkpoint);
    let shown: Vec<(&str, &str, EndpointState)> = asked
        .map(|endpoint| (endpoint.provider.as_str(), endpoint.operator.as_str(), endpoint.state()))
        .collect();
    let accepted = EndpointState::Accepted;
    assert_eq!(
        shown,
        [
            ("checkpoint0", "operator0", accepted),
            ("checkpoint1", "operator1", accepted),
            ("checkpoint2", "operator2", accepted)
        ]
    );

    let chain = Chain::new(8);
    let secret: Endpoint = with_keys("https://node.example").parse().unwrap();
    let client = Client::builder(chain.network())
        .checkpoint(chain.checkpoint())
        .rpc(secret.clone())
        .beacon(secret)
        .clock(StoppedClock)
        .build()
        .unwrap();
    assert_no_key(&format!("{:?}", client.health()), "health");
}
