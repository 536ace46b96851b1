//! A proven reading is true at the moment when a call returns it, whatever other calls did meanwhile.

use std::time::Duration;

use alloy_primitives::U256;
use futures_util::FutureExt;
use futures_util::future::{Either, join, join3, select};
use saldo::{Change, Clock, Failure, Holding, Policy, Reading};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{Chain, Fault, Provider};
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, Scene, UNUSED};

const ALICE_HOLDING: Holding = native(ALICE);
const BOB_HOLDING: Holding = native(BOB);

/// A wallet whose trust started from the wrong chain, on which Alice holds nothing.
///
/// The first provider has no proof of the second holding and the second provider hangs, so a read of two holdings waits.
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
    scene.providers[0].add(Fault::NullResult.on("eth_getProof").about(BOB));
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
    scene.providers[0].add(Fault::NullResult.on("eth_getProof").about(UNUSED));
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

/// A call that reads two holdings. Alice's balance is proven at once. The first provider has no proof of Bob's, and the second
/// provider needs about 27 seconds for it.
fn with_a_slow_second_holding(seed: u64) -> Scene {
    let policy = Policy { deadline: Duration::from_secs(60), operators_per_address: 2, ..Policy::signed() };
    let scene = Scene::with_policy(seed, 2, 1, policy);
    // The client has a head, so that the call needs no early proofs.
    scene.assert_true(&scene.balance(UNUSED), UNUSED);
    scene.providers[0].add(Fault::NullResult.on("eth_getProof").about(BOB));
    scene.providers[1].set(Fault::Trickle { bytes_per_second: 30 }.on("eth_getProof"));
    scene
}

/// How many requests for proofs named Alice.
fn proofs_of_alice(scene: &Scene) -> usize {
    let log = scene.simulation.internet().log();
    let names_alice = |body: &[u8]| {
        let body = String::from_utf8_lossy(body).to_lowercase();
        body.contains("eth_getproof") && body.contains(&format!("{ALICE:#x}"))
    };
    log.iter().filter(|exchange| names_alice(&exchange.body)).count()
}

#[test]
fn a_holding_whose_block_goes_away_while_the_call_waits_is_read_again() {
    let scene = with_a_slow_second_holding(15);
    let clock = scene.simulation.clock();
    let meanwhile = async {
        clock.sleep(Duration::from_secs(1)).await;
        let first = scene.client.last(&ALICE_HOLDING).expect("it is proven already");
        scene.chain.set_balance(ALICE, AFTER);
        scene.chain.reorg(3);
        // Another call fetches the next head, and learns that the block is gone.
        clock.sleep(Duration::from_secs(13)).await;
        let _ = scene.client.balance(UNUSED).await;
        assert_eq!(scene.client.last(&ALICE_HOLDING), None);
        first
    };
    let holdings = [ALICE_HOLDING, BOB_HOLDING];
    let (readings, first) = scene.simulation.run(join(scene.client.read(&holdings), meanwhile));
    assert_eq!(scene.assert_true(&readings[0], ALICE), AFTER);
    assert_ne!(readings[0].proven().unwrap().anchor().hash(), first.anchor().hash());
    assert_eq!(proofs_of_alice(&scene), 2);
}

#[test]
fn a_holding_whose_block_remains_is_read_once() {
    let scene = with_a_slow_second_holding(16);
    let clock = scene.simulation.clock();
    let meanwhile = async {
        clock.sleep(Duration::from_secs(14)).await;
        let _ = scene.client.balance(UNUSED).await;
    };
    let holdings = [ALICE_HOLDING, BOB_HOLDING];
    let began = clock.monotonic();
    let read = async { (scene.client.read(&holdings).await, clock.monotonic() - began) };
    let ((readings, took), ()) = scene.simulation.run(join(read, meanwhile));
    // There was a newer head, and time to read again.
    assert!((15..50).contains(&took.as_secs()), "{took:?}");
    assert_eq!(scene.assert_true(&readings[0], ALICE), BEFORE);
    scene.assert_true(&readings[1], BOB);
    assert_eq!(proofs_of_alice(&scene), 1);
}

/// A provider that proves at the newest signed block, whatever block the request names.
struct AtTheSignedBlock(Chain, Provider);

impl Service for AtTheSignedBlock {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let mut call: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if call["method"] == "eth_getProof" {
            call["params"][2] = format!("{:#x}", self.0.signed().number).into();
        }
        self.1.answer(&HttpRequest { body: call.to_string().into_bytes(), ..request.clone() })
    }

    fn refuses(&self) -> bool {
        self.1.refuses()
    }
}

/// The proof is genuine, but its block is not final yet.
#[test]
fn a_proof_at_a_signed_block_is_no_finalized_reading() {
    let scene = Scene::new(17, 1, 1);
    let provider = AtTheSignedBlock(scene.chain.clone(), scene.providers[0].clone());
    scene.simulation.internet().register("http://provider0.test", provider);
    let reading = scene.simulation.run(scene.client.finalized(&[ALICE_HOLDING])).remove(0);
    assert!(matches!(reading, Reading::Unknown(_)) && reading.latest_proven().is_none(), "{reading:?}");
    let failures: Vec<&Failure> = reading.attempts().iter().filter_map(|it| it.outcome.failure()).collect();
    assert_eq!(failures, [&Failure::ProofWindowMissed]);
    assert_eq!(scene.client.last(&ALICE_HOLDING), None);
    // The same proof is enough for a call that asks for a signed block.
    scene.assert_true(&scene.balance(ALICE), ALICE);
}

/// The proof arrives after another call saw the contradiction.
#[test]
fn nothing_is_recorded_after_a_contradiction() {
    let policy = Policy { deadline: Duration::from_secs(60), ..Policy::signed() };
    let scene = Scene::with_policy(18, 1, 2, policy);
    let other = scene.chain.split();
    let before = scene.balance(ALICE);
    scene.assert_true(&before, ALICE);
    scene.chain.set_balance(ALICE, AFTER);
    scene.pass_slots(2);
    other.advance(2);
    scene.providers[0].set(Fault::Trickle { bytes_per_second: 40 }.on("eth_getProof"));
    let clock = scene.simulation.clock();
    let contradict = async {
        clock.sleep(Duration::from_millis(12_500)).await;
        scene.sources[0].set(Fault::Hang);
        scene.sources[1].set(Fault::OtherChain(other.clone()));
        let call = scene.client.balance(UNUSED);
        let _ = select(call.boxed(), clock.sleep(Duration::from_secs(2)).boxed()).await;
        assert!(scene.client.consensus_fault().is_some());
        clock.monotonic()
    };
    let read = async { (scene.client.balance(ALICE).await, clock.monotonic()) };
    let ((reading, read), contradicted) = scene.simulation.run(join(read, contradict));
    assert!(read > contradicted, "{read:?} {contradicted:?}");
    assert_eq!(reading.why().map(saldo::Why::code), Some("consensus_fault"));
    let last = scene.client.last(&ALICE_HOLDING).map(|last| last.anchor().hash());
    assert_eq!(last, before.proven().map(|proven| proven.anchor().hash()));
}
