//! A proven reading is true at the moment when a call returns it, whatever other calls did meanwhile.

use std::time::Duration;

use alloy_primitives::U256;
use futures_util::FutureExt;
use futures_util::future::{Either, join, join3, select};
use saldo::{Change, Clock, Holding, Policy, Reading};
use saldo_drill::{Chain, Fault, Provider};
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, Scene, UNUSED};

const ALICE_HOLDING: Holding = native(ALICE);
const BOB_HOLDING: Holding = native(BOB);

/// A wallet whose trust started from the wrong chain, on which Alice holds nothing.
///
/// The first provider omits the last item of a batch and the second provider hangs, so a read of two holdings waits.
fn falsely_started(seed: u64, policy: Policy) -> (Scene, Chain) {
    let chain = Chain::builder(seed).accounts([(ALICE, BEFORE), (BOB, U256::from(7))]).build();
    let other = chain.split();
    other.set_balance(ALICE, U256::ZERO);
    other.advance(100);
    chain.set_balance(BOB, U256::from(8));
    chain.advance(100);
    let mut scene = Scene::of(chain, seed, 2, 1, Policy { operators_per_address: 2, ..policy });
    scene.simulation.follow(&other);
    scene.client.start_again(other.checkpoint());
    scene.sources[0].set(Fault::OtherChain(other.clone()));
    scene.providers[0].set(Fault::OtherChain(other.clone()));
    scene.providers[0].add(Fault::PartialBatch.on("eth_getProof"));
    scene.providers[1].set(Fault::Hang);
    (scene, other)
}

/// After 1.5 s the app restarts trust from the true chain, and the first provider and the source serve that chain.
async fn learn_the_true_start(scene: &Scene) {
    scene.simulation.clock().sleep(Duration::from_millis(1_500)).await;
    scene.client.start_again(scene.chain.checkpoint());
    scene.sources[0].clear();
    scene.providers[0].clear();
}

#[test]
fn a_revoked_trust_start_proves_nothing() {
    let (scene, other) = falsely_started(1, Policy::signed());
    assert_eq!(other.balance_at(other.signed().number, ALICE), Some(U256::ZERO));
    let holdings = [ALICE_HOLDING, BOB_HOLDING];
    let (readings, ()) =
        scene.simulation.run(join(scene.client.read(&holdings), learn_the_true_start(&scene)));
    // There is time to read again, from the new trust start.
    assert_eq!(scene.assert_true(&readings[0], ALICE), BEFORE);
    assert_eq!(scene.assert_true(&readings[1], BOB), U256::from(8));
}

#[test]
fn a_revoked_trust_start_proves_nothing_final() {
    let (scene, _) = falsely_started(2, Policy::signed());
    let holdings = [ALICE_HOLDING, BOB_HOLDING];
    let (readings, ()) =
        scene.simulation.run(join(scene.client.finalized(&holdings), learn_the_true_start(&scene)));
    assert_eq!(scene.assert_true(&readings[0], ALICE), BEFORE);
}

#[test]
fn a_trust_start_revoked_at_the_last_moment_leaves_the_reading_unknown() {
    let (scene, _) = falsely_started(3, Policy::signed());
    let holdings = [ALICE_HOLDING, BOB_HOLDING];
    let revoke = async {
        scene.simulation.clock().sleep(Duration::from_millis(3_999)).await;
        scene.client.start_again(scene.chain.checkpoint());
    };
    let (readings, ()) = scene.simulation.run(join(scene.client.read(&holdings), revoke));
    for reading in readings {
        let Reading::Unknown(unknown) = reading else { panic!("{reading:?}") };
        assert_eq!((unknown.why().code(), unknown.last()), ("trust_restarted", None));
    }
    assert_eq!(scene.client.last(&ALICE_HOLDING), None);
}

#[test]
fn a_fault_that_appears_while_a_finalized_read_waits_stops_it() {
    let policy = Policy { operators_per_address: 2, ..Policy::finalized() };
    let mut scene = Scene::with_policy(4, 2, 2, policy);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    let other = scene.chain.split();
    scene.simulation.follow(&other);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(40);
    scene.simulation.pass(Duration::from_secs(10));
    scene.providers[0].set(Fault::Hang);
    scene.providers[1].set(Fault::Hang);
    let clock = scene.simulation.clock();
    let contradict = async {
        // After the next slot has begun, another call fetches its head, and sees the other chain too.
        clock.sleep(Duration::from_millis(2_500)).await;
        scene.sources[0].add(Fault::Status(503).on("finality_update"));
        scene.sources[1].add(Fault::OtherChain(other.clone()));
        let _ = scene.client.balance(UNUSED).await;
    };
    let holdings = [ALICE_HOLDING, BOB_HOLDING];
    let (readings, ()) = scene.simulation.run(join(scene.client.finalized(&holdings), contradict));
    assert!(scene.client.consensus_fault().is_some());
    for reading in readings {
        assert_eq!(reading.why().map(saldo::Why::code), Some("consensus_fault"));
    }
}

/// The call that receives the contradiction goes on waiting for another source, and the app drops it. The client knows the
/// contradiction from the moment when it came, and no other call proves anything.
#[test]
fn a_fault_that_a_dropped_call_received_stops_all_others() {
    let scene = Scene::new(14, 2, 2);
    let other = scene.chain.split();
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(2);
    other.advance(2);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.sources[0].set(Fault::Hang);
    scene.sources[1].set(Fault::OtherChain(other));
    scene.providers.iter().for_each(|provider| provider.set(Fault::Hang));
    let clock = scene.simulation.clock();
    let dropped = scene.simulation.run(async {
        let read = scene.client.balance(BOB);
        matches!(select(read, clock.sleep(Duration::from_millis(600)).boxed()).await, Either::Right(_))
    });
    assert!(dropped, "the call was still waiting");
    assert!(scene.client.consensus_fault().is_some());
    scene.providers.iter().for_each(Provider::clear);
    let reading = scene.balance(ALICE);
    assert_eq!(reading.why().map(saldo::Why::code), Some("consensus_fault"));
}

#[test]
fn no_call_returns_an_older_block_than_one_that_ended_before() {
    let policy = Policy { deadline: Duration::from_secs(40), operators_per_address: 2, ..Policy::signed() };
    let scene = Scene::with_policy(5, 2, 1, policy);
    scene.providers[0].add(Fault::PartialBatch.on("eth_getProof"));
    scene.providers[1].set(Fault::Hang);
    let clock = scene.simulation.clock();
    let meanwhile = async {
        clock.sleep(Duration::from_secs(25)).await;
        scene.client.balance(ALICE).await
    };
    let holdings = [ALICE_HOLDING, native(UNUSED)];
    let (readings, between) = scene.simulation.run(join(scene.client.read(&holdings), meanwhile));
    let number = |reading: &Reading| reading.proven().expect("proven").anchor().number();
    assert!(number(&readings[0]) >= number(&between), "{} < {}", number(&readings[0]), number(&between));
    scene.assert_true(&readings[0], ALICE);
    assert!(readings[1].proven().is_none(), "the call waited for the other holding: {:?}", readings[1]);
}

#[test]
fn a_holding_named_twice_has_one_answer() {
    let scene = Scene::new(6, 2, 1);
    scene.providers[0].add(Fault::PartialBatch.on("eth_getProof"));
    scene.providers[1].set(Fault::Hang);
    let holdings = [ALICE_HOLDING, BOB_HOLDING, ALICE_HOLDING, ALICE_HOLDING];
    let readings = scene.simulation.run(scene.client.read(&holdings));
    assert_eq!(readings.len(), 4);
    assert_eq!([&readings[2], &readings[3]], [&readings[0]; 2]);
    // A call with only one distinct holding sends no batch, so no item can be missing.
    let readings = scene.simulation.run(scene.client.read(&[ALICE_HOLDING, ALICE_HOLDING]));
    assert_eq!(readings[0], readings[1]);
    scene.assert_true(&readings[0], ALICE);
    let readings = scene.simulation.run(scene.client.finalized(&[ALICE_HOLDING, ALICE_HOLDING]));
    assert_eq!(readings[0], readings[1]);
}

#[test]
fn a_reading_withdrawn_while_a_call_waits_is_not_its_last_reading() {
    let policy = Policy { deadline: Duration::from_secs(40), operators_per_address: 2, ..Policy::signed() };
    let scene = Scene::with_policy(7, 1, 1, policy);
    let before = scene.balance(ALICE);
    scene.assert_true(&before, ALICE);
    // A watch links each new head to the shown block, and so learns that the block is gone.
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    while !matches!(scene.simulation.run(watch.next()), Change::Reading { .. }) {}
    scene.pass_slots(1);
    scene.providers[0].set(Fault::Hang.on("eth_getProof"));
    let clock = scene.simulation.clock();
    let reorganise = async {
        clock.sleep(Duration::from_secs(1)).await;
        scene.chain.reorg(4);
    };
    let look = async {
        let until = clock.sleep(Duration::from_secs(38));
        let watch = async {
            loop {
                let _ = watch.next().await;
            }
        };
        let _ = select(watch.boxed(), until).await;
    };
    let (reading, (), ()) = scene.simulation.run(join3(scene.client.balance(ALICE), reorganise, look));
    let Reading::Unknown(unknown) = &reading else { panic!("{reading:?}") };
    let gone = before.proven().unwrap().anchor().hash();
    assert_ne!(unknown.last().map(|last| last.anchor().hash()), Some(gone));
    assert_eq!(scene.client.withdrawn(&ALICE_HOLDING).map(|proven| proven.anchor().hash()), Some(gone));
}
