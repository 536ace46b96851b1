//! On Gloas, and across the fork, a wallet reads as before: the head's header is fetched together with the proof.

use std::time::Duration;

use saldo::{Assurance, Path, Policy, Reading};
use saldo_beacon::Fork;
use saldo_beacon::unit::Epoch;
use saldo_drill::{Chain, Fault};
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, Scene, UNUSED};

fn on_gloas(seed: u64, providers: usize) -> Scene {
    let chain =
        Chain::builder(seed).fork(Fork::Gloas).accounts([(ALICE, BEFORE), (BOB, 7_u64.try_into().unwrap())]);
    let policy = Policy { operators_per_address: providers, ..Policy::signed() };
    Scene::of(chain.build(), seed, providers, 1, policy)
}

fn calls(scene: &Scene, provider: usize, method: &str) -> u64 {
    scene.providers[provider].requests().get(method).copied().unwrap_or_default()
}

/// The header is requested once per head, from a provider that proves. Absence is proven as well as presence.
#[test]
fn header_and_proof_are_fetched_together() {
    let scene = on_gloas(1, 2);
    for round in 0..6 {
        let reading = scene.balance(ALICE);
        assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "round {round}");
        let anchor = reading.proven().unwrap().anchor();
        assert_eq!(anchor.path(), Path::Head);
        assert!(matches!(anchor.assurance(), Assurance::Signed { .. }));
        let headers = calls(&scene, 0, "eth_getBlockByHash");
        assert!(scene.assert_true(&scene.balance(UNUSED), UNUSED).is_zero());
        assert_eq!(calls(&scene, 0, "eth_getBlockByHash"), headers, "the same head needs no second header");
        scene.pass_slots(1);
    }
}

/// Many holdings share one header.
#[test]
fn many_holdings_share_a_header() {
    let scene = on_gloas(2, 1);
    let holdings = [native(ALICE), native(BOB), native(UNUSED)];
    let mut finalized = None;
    for round in 0..12 {
        let before = calls(&scene, 0, "eth_getBlockByHash");
        let readings = scene.simulation.run(scene.client.read(&holdings));
        for (reading, owner) in readings.iter().zip([ALICE, BOB, UNUSED]) {
            scene.assert_true(reading, owner);
        }
        // One more header is fetched for each finalized head.
        let is_new = finalized.replace(scene.chain.finalized().number) != finalized;
        let headers = calls(&scene, 0, "eth_getBlockByHash") - before;
        assert!(headers <= 1 + u64::from(is_new), "round {round}: {headers}");
        scene.pass_slots(1);
    }
}

/// A payment is shown one signed block later. A withheld payload delays it and changes nothing else.
#[test]
fn payments_and_withheld_payloads() {
    let scene = on_gloas(3, 2);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.chain.withhold_payload();
    scene.pass_slots(1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(4);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
}

/// A provider with a false header is skipped, and its attempt says so.
#[test]
fn a_false_header_is_the_providers_fault() {
    let scene = on_gloas(4, 2);
    let field =
        Fault::Field { name: "stateRoot".to_owned(), value: Some(format!("0x{}", "ab".repeat(32)).into()) };
    scene.providers[0].add(field.clone().on("eth_getBlockByHash"));
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    let codes: Vec<_> = reading.attempts().iter().map(|attempt| attempt.outcome.code()).collect();
    assert!(codes.contains(&"header_refused"), "{codes:?}");

    // No provider gives a true header: no amount.
    let scene = on_gloas(5, 2);
    scene.providers.iter().for_each(|provider| provider.add(field.clone().on("eth_getBlockByHash")));
    let reading = scene.balance(ALICE);
    assert!(reading.proven().is_none());
    assert_eq!(reading.why().unwrap().code(), "proofs_refused");
}

/// An unknown layout is no provider's fault, and the raw bytes can be read in any layout.
#[test]
fn an_unknown_layout() {
    let scene = on_gloas(6, 2);
    // The hash differs and there is an unknown field: that is how a fork with a new field looks.
    let strange = [("fieldOfTheFuture", "0x1"), ("gasUsed", "0x7")].map(|(name, value)| {
        Fault::Field { name: name.to_owned(), value: Some(value.into()) }.on("eth_getBlockByHash")
    });
    scene.providers.iter().for_each(|provider| strange.iter().cloned().for_each(|rule| provider.add(rule)));
    for round in 0..3 {
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "round {round}");
        scene.pass_slots(1);
    }
    assert_eq!(calls(&scene, 0, "eth_getBlockByHash"), 1, "after that the raw bytes are requested");

    let scene = on_gloas(7, 2);
    let unserved = Fault::Error { code: -32601, message: "method not found".to_owned() };
    for provider in &scene.providers {
        strange.iter().cloned().for_each(|rule| provider.add(rule));
        provider.add(unserved.clone().on("debug_getRawHeader"));
    }
    let reading = scene.balance(ALICE);
    assert_eq!(
        reading.why().map(|why| why.code()),
        Some("unknown_header_layout"),
        "{:?}",
        reading.attempts()
    );
    let is_false = |failure: &saldo::Failure| failure.is_false_answer();
    assert!(!reading.attempts().iter().filter_map(|attempt| attempt.outcome.failure()).any(is_false));
}

/// Providers that prove only their tip, which on Gloas is one block further ahead of the signed head.
#[test]
fn tips_are_bound_later() {
    for lead in [1, 2] {
        let chain = Chain::builder(lead).fork(Fork::Gloas).tip_lead(lead).accounts([(ALICE, BEFORE)]).build();
        let scene = Scene::of(chain, lead, 1, 1, Policy::signed());
        scene.providers[0].set_proof_window(0);
        for _ in 0..lead + 2 {
            let _ = scene.balance(ALICE);
            scene.pass_slots(1);
        }
        for round in 0..10 {
            let reading = scene.balance(ALICE);
            assert_eq!(scene.assert_true(&reading, ALICE), BEFORE, "lead {lead}, round {round}");
            scene.pass_slots(1);
        }
    }
}

/// The chain crosses from Fulu to Gloas while a wallet reads it.
#[test]
fn the_fork_is_crossed() {
    let chain = Chain::builder(8).fork_at(Fork::Gloas, Epoch::new(8)).accounts([(ALICE, BEFORE)]).build();
    let scene = Scene::of(chain, 8, 2, 1, Policy { operators_per_address: 2, ..Policy::signed() });
    let mut crossed = false;
    for slot in 0..40 {
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "slot {slot}");
        scene.pass_slots(1);
        crossed |= scene.chain.network().fork_at(scene.chain.slot()) == Ok(Fork::Gloas);
    }
    assert!(crossed);
}

/// Finality is given by hash as well.
#[test]
fn finality_is_reached() {
    let scene = on_gloas(9, 2);
    let holding = native(ALICE);
    let number = scene.balance(ALICE).proven().unwrap().anchor().number();
    while scene.chain.finalized().number < number + 2 {
        scene.pass_slots(1);
    }
    let reading: Reading = scene.simulation.run(scene.client.finalized(&[holding])).pop().unwrap();
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    let anchor = reading.proven().unwrap().anchor();
    assert_eq!(anchor.assurance().level(), saldo::Level::Finalized);
    assert_eq!(anchor.number(), number);
    assert!(matches!(anchor.path(), Path::History { .. }), "{:?}", anchor.path());

    // A finalized policy proves under the finalized head.
    let chain = Chain::builder(10).fork(Fork::Gloas).accounts([(ALICE, BEFORE)]).build();
    let scene = Scene::of(chain, 10, 2, 1, Policy::finalized());
    let reading = scene.patient_balance(ALICE, Duration::from_secs(1));
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert_eq!(reading.proven().unwrap().anchor().assurance().level(), saldo::Level::Finalized);
}

/// A block that is reorganised away takes its reading with it.
#[test]
fn a_reorganisation_is_noticed() {
    let scene = on_gloas(11, 2);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(3);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    scene.chain.reorg(5);
    scene.pass_slots(2);
    let reading = scene.balance(ALICE);
    scene.assert_true(&reading, ALICE);
}

/// A provider that does not support batches, or blocks named by hash, is asked in another form, and later at once so.
#[test]
fn unsupported_request_forms_are_remembered() {
    let scene = on_gloas(12, 1);
    scene.providers[0].add(Fault::PartialBatch);
    for round in 0..4 {
        let before = calls(&scene, 0, "eth_getProof");
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "round {round}");
        let proofs = calls(&scene, 0, "eth_getProof") - before;
        assert!(round < 2 || proofs == 1, "round {round}: {proofs}");
        scene.pass_slots(1);
    }
}
