//! A provider that was never needed is probed now and then, with a request that reveals nothing, beside a read and
//! never instead of it.

use saldo_drill::Fault;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene};
use serde_json::json;

fn bodies(scene: &Scene, place: usize) -> Vec<String> {
    let host = format!("provider{place}.test");
    let log = scene.simulation.internet().log();
    log.iter()
        .filter(|exchange| exchange.host == host)
        .map(|exchange| String::from_utf8_lossy(&exchange.body).to_lowercase())
        .collect()
}

#[test]
fn once_an_hour_and_without_an_address() {
    let scene = Scene::new(1, 3, 1);
    for _ in 0..60 {
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        scene.pass_slots(2);
    }
    let address = format!("{ALICE:?}").to_lowercase();
    for place in [1, 2] {
        let bodies = bodies(&scene, place);
        // If the read ended before the answer, the probe is repeated a minute later.
        assert!((1..=6).contains(&bodies.len()), "{bodies:?}");
        let is_harmless = |body: &String| body.contains("eth_capabilities") && !body.contains(&address);
        assert!(bodies.iter().all(is_harmless), "{bodies:?}");
    }
    let before = bodies(&scene, 1).len();
    scene.pass_slots(310);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    assert_eq!(bodies(&scene, 1).len(), before + 1);
}

/// A provider that is known to fail is not asked second when the first one fails.
#[test]
fn a_failing_provider_is_known_before_it_is_needed() {
    let scene = Scene::new(2, 3, 1);
    scene.providers[1].add(Fault::NoProofs);
    for _ in 0..30 {
        scene.assert_true(&scene.balance(ALICE), ALICE);
        scene.pass_slots(2);
    }
    scene.providers[0].add(Fault::Hang);
    let before = bodies(&scene, 1).len();
    let reading = scene.balance(ALICE);
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
    assert_eq!(reading.proven().unwrap().provider().as_str(), "provider2");
    assert_eq!(bodies(&scene, 1).len(), before);
}

/// A provider that says its proofs do not reach final blocks is asked last for these.
#[test]
fn a_providers_proof_window_is_known_before_it_is_needed() {
    let scene = Scene::new(4, 3, 1);
    for _ in 0..30 {
        let oldest = scene.chain.signed().number - 8;
        let says = json!({ "stateproofs": { "disabled": false, "oldestBlock": format!("{oldest:#x}") } });
        scene.providers[1].set(Fault::Result(says).on("eth_capabilities"));
        scene.assert_true(&scene.balance(ALICE), ALICE);
        scene.pass_slots(2);
    }
    assert!(bodies(&scene, 1).iter().any(|body| body.contains("eth_capabilities")));
    scene.providers[0].add(Fault::NoProofs);
    let before = bodies(&scene, 1).len();
    let final_ones = scene.simulation.run(scene.client.finalized(&[native(BOB)]));
    assert_eq!(final_ones[0].proven().unwrap().provider().as_str(), "provider2");
    assert_eq!(bodies(&scene, 1).len(), before);
}

/// A read takes no longer because of a probe.
#[test]
fn no_read_waits_for_a_probe() {
    use saldo_source::Clock;
    let time = |others: Option<Fault>| {
        let scene = Scene::new(3, 2, 1);
        if let Some(fault) = others {
            scene.providers[1].add(fault);
        }
        let clock = scene.simulation.clock();
        (0..4)
            .map(|_| {
                let before = clock.monotonic();
                scene.assert_true(&scene.balance(ALICE), ALICE);
                let took = clock.monotonic() - before;
                scene.pass_slots(1);
                took
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(time(Some(Fault::Hang)), time(None));
}
