//! A contradiction stops every reading until the caller restarts trust from another checkpoint, and no reading from
//! before stays.

use std::time::Duration;

use futures_util::future::join;
use saldo::{Client, Clock, Contradiction, Policy, Voucher};
use saldo_drill::{Chain, Fault};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, Scene};

/// A wallet whose two sources serve two signed chains.
fn contradicted() -> (Scene, Chain) {
    let mut scene = Scene::with_policy(1, 2, 2, Policy { operators_per_address: 2, ..Policy::finalized() });
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    let other = scene.chain.split();
    scene.simulation.follow(&other);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(40);
    // The first source gives no finality, so the second source is asked for the same heads.
    scene.sources[0].add(Fault::Status(503).on("finality_update"));
    scene.sources[1].add(Fault::OtherChain(other.clone()));
    (scene, other)
}

#[test]
fn every_read_reports_it_and_the_evidence_is_available() {
    let (scene, _) = contradicted();
    assert_eq!(scene.client.consensus_fault(), None);
    for _ in 0..3 {
        scene.assert_unknown(&scene.balance(ALICE), "consensus_fault", BEFORE);
        let fault = scene.client.consensus_fault().expect("the evidence");
        assert_eq!(fault.contradiction(), Contradiction::Signed);
        assert!(fault.to_json().contains("sync_committee_signature"));
        scene.pass_slots(1);
    }
    // Even if the sources agree again, the fault stays: the client has seen the signatures on both sides.
    scene.sources.iter().for_each(|source| source.clear());
    scene.pass_slots(100);
    scene.assert_unknown(&scene.balance(ALICE), "consensus_fault", BEFORE);
}

#[test]
fn restarting_trust_forgets_everything_before() {
    let (scene, _) = contradicted();
    let _ = scene.balance(ALICE);
    assert!(scene.client.consensus_fault().is_some());
    let clone: Client = scene.client.clone();
    clone.start_again(scene.chain.checkpoint());
    assert_eq!(scene.client.consensus_fault(), None);
    assert_eq!(scene.client.last(&native(ALICE)), None, "no reading from before is shown");
    scene.sources.iter().for_each(|source| source.clear());
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), AFTER);
    let anchor = scene.client.last(&native(ALICE)).unwrap().anchor().clone();
    assert_eq!(anchor.origin().checkpoint().root, scene.chain.checkpoint().root);
}

/// A read that is under way during the restart brings no light client from the old start.
#[test]
fn a_bootstrap_under_way_does_not_count_after() {
    let scene = Scene::new(2, 1, 1);
    let first = scene.chain.checkpoint();
    scene.pass_slots(80);
    assert_ne!(scene.chain.checkpoint().root, first.root);
    let mut reading = Box::pin(scene.client.balance(ALICE));
    let started_again = scene.simulation.run(async {
        let poll = futures_util::future::poll_fn(|context| {
            let _ = reading.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        poll.await;
        scene.client.start_again(scene.chain.checkpoint());
        reading.await
    });
    let started = scene.assert_true(&scene.balance(ALICE), ALICE);
    assert_eq!(started, BEFORE);
    let origin = scene.client.last(&native(ALICE)).unwrap().anchor().origin().clone();
    assert_eq!(origin.checkpoint().root, scene.chain.checkpoint().root, "{started_again:?}");
}

/// An agreement that is being sought during the restart does not count either.
#[test]
fn an_agreement_under_way_does_not_count_after() {
    let world = CheckpointWorld::new(3, 4);
    let named = world.chain.checkpoint();
    world.pass_slots(80);
    // The other sources agree at once; the client still waits for this one.
    world.checkpoint_sources[0].set(Fault::Hang);
    let client = world.client();
    let clock = world.simulation.clock();
    let (reading, ()) = world.simulation.run(join(client.balance(ALICE), async {
        clock.sleep(Duration::from_secs(1)).await;
        client.start_again(named);
    }));
    for reading in [reading, world.read(&client)] {
        let origin = world.assert_true(&reading).anchor().origin().clone();
        assert_eq!((origin.checkpoint(), origin.voucher()), (&named, &Voucher::Caller));
    }
}
