//! What a status screen is told: who answers, who fails, backed_off or lied, and how far the light client has come. And nothing of
//! it is a URL or an address.

use std::time::Duration;

use saldo::{Client, Endpoint, EndpointHealth, EndpointState, Health, ProviderId, Role};
use saldo_drill::{Chain, Fault};
use saldo_tests::council::Council;
use saldo_tests::scene::{ALICE, BEFORE, Scene};
use saldo_tests::still::Still;
use saldo_tests::witness::{assert_no_key, with_keys};

fn of<'a>(health: &'a Health, name: &str) -> &'a EndpointHealth {
    let mut found = health.endpoints.iter().filter(|endpoint| endpoint.provider.as_str() == name);
    let endpoint = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "{name} twice");
    endpoint
}

#[test]
fn before_the_first_read_nothing_is_known_of_anybody() {
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
fn heads_are_told_of_as_they_are_known() {
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
    assert_eq!((later.signed, later.slots_behind), (Some(signed), Some(20)), "nobody is asked for it");
}

#[test]
fn the_next_committee_is_told_of_when_it_is_there() {
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
fn who_fails_is_told_of_with_the_reason_until_he_is_of_use_again() {
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
    assert_eq!(again.stats.failed.as_ref().map(|(failure, _)| failure.code()), Some("http"), "it is kept");
    assert_eq!(of(&health, "provider1").state(), EndpointState::Failing);
}

#[test]
fn who_asks_for_rest_rests_and_who_lies_twice_is_quarantined() {
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

/// Two that fail together may stand on the same ground, whatever is declared: that is told, and they are asked as before.
#[test]
fn who_fails_together_is_told_of() {
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
        let told = together();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].endpoints.each_ref().map(ProviderId::as_str), ["provider0", "provider1"]);
        assert_eq!((told[0].role, usize::try_from(told[0].times).unwrap()), (Role::Execution, times));
    }
}

#[test]
fn being_offline_is_told_of_until_somebody_answers() {
    let scene = Scene::new(6, 2, 1);
    scene.client.network_changed(false);
    assert!(scene.client.health().is_offline);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    assert!(!scene.client.health().is_offline);
}

#[test]
fn checkpoint_sources_are_there_as_well_and_no_url_is() {
    let council = Council::new(7, 3);
    let client = council.client();
    assert!(council.read_on(&client).proven().is_some());
    let health = client.health();
    let asked = health.endpoints.iter().filter(|endpoint| endpoint.role == Role::Checkpoint);
    let told: Vec<(&str, &str, EndpointState)> = asked
        .map(|endpoint| (endpoint.provider.as_str(), endpoint.operator.as_str(), endpoint.state()))
        .collect();
    let accepted = EndpointState::Accepted;
    assert_eq!(
        told,
        [
            ("witness0", "operator0", accepted),
            ("witness1", "operator1", accepted),
            ("witness2", "operator2", accepted)
        ]
    );

    let chain = Chain::new(8);
    let secret: Endpoint = with_keys("https://node.example").parse().unwrap();
    let client = Client::builder(chain.network())
        .checkpoint(chain.checkpoint())
        .rpc(secret.clone())
        .beacon(secret)
        .clock(Still)
        .build()
        .unwrap();
    assert_no_key(&format!("{:?}", client.health()), "health");
}
