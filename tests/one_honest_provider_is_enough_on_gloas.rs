//! If heads give only a hash, a wallet needs a header besides the proof. Whatever one provider does to either of
//! them, one other honest provider is enough. A head's header is fetched once for all holdings.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use saldo::{Holding, Policy};
use saldo_beacon::Fork;
use saldo_drill::{Chain, Fault, Provider};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene, UNUSED};

const HEADER: &str = "eth_getBlockByHash";
const PROOF: &str = "eth_getProof";

fn gloas(seed: u64, providers: usize) -> Scene {
    let accounts = [(ALICE, BEFORE), (BOB, U256::from(7))];
    let chain = Chain::builder(seed).fork(Fork::Gloas).accounts(accounts).build();
    let policy = Policy { operators_per_address: providers, ..Policy::signed() };
    Scene::of(chain, seed, providers, 1, policy)
}

fn not_served() -> Fault {
    Fault::Error { code: -32601, message: "no such method".into() }
}

fn field(name: &str, value: &str) -> Fault {
    Fault::Field { name: name.into(), value: Some(value.into()) }
}

type Make = fn(&Provider);

fn defects() -> [(&'static str, Make); 18] {
    [
        ("hangs", |it| it.add(Fault::Hang)),
        ("hangs on headers", |it| it.add(Fault::Hang.on(HEADER))),
        ("hangs on proofs", |it| it.add(Fault::Hang.on(PROOF))),
        ("edits headers", |it| it.add(field("stateRoot", &B256::repeat_byte(1).to_string()).on(HEADER))),
        ("has an unknown field", |it| it.add(field("newField", "0x11").on(HEADER))),
        ("serves no headers", |it| it.add(not_served().on(HEADER))),
        ("denies access to headers", |it| it.add(Fault::Forbidden.on(HEADER))),
        ("has no header", |it| it.add(Fault::NullResult.on(HEADER))),
        ("has nothing", |it| it.add(Fault::NullResult)),
        ("serves no proofs", |it| it.add(Fault::NoProofs)),
        ("invents a state", |it| it.add(Fault::InventedTrie { balance: U256::ZERO })),
        ("answers half a batch", |it| it.add(Fault::PartialBatch)),
        ("swaps the answers of a batch", |it| it.add(Fault::SwappedBatch)),
        ("answers twice", |it| it.add(Fault::DuplicatedId)),
        ("forgets ids", |it| it.add(Fault::MissingId)),
        ("proves only its tip", |it| it.set_proof_window(0)),
        ("is three blocks behind", |it| it.set_lag(3)),
        ("is slow", |it| it.set_latency(Duration::from_millis(1_800))),
    ]
}

#[test]
fn an_honest_provider_proves_whatever_the_other_does() {
    for (defect, make) in defects() {
        for faulty in [0, 1] {
            let scene = gloas(7, 2);
            make(&scene.providers[faulty]);
            for round in 0..4 {
                let holdings = [ALICE, BOB, UNUSED].map(native);
                let readings = scene.simulation.run(scene.client.read(&holdings));
                for (reading, holding) in readings.iter().zip(holdings) {
                    let why = reading.why();
                    assert!(
                        why.is_none(),
                        "{defect} ({faulty}), round {round}: {why:?} {:?}",
                        reading.attempts()
                    );
                    scene.assert_true(reading, holding.owner());
                }
                scene.pass_slots(1);
            }
        }
    }
}

#[test]
fn a_header_is_fetched_once_for_all_holdings() {
    let scene = gloas(1, 1);
    let holdings: Vec<Holding> = (0..10_u8).map(|index| native(Address::repeat_byte(index))).collect();
    let calls = |method: &str| scene.providers[0].requests().get(method).copied().unwrap_or(0);
    // The first read also fetches the finalized head's header.
    for _ in 0..3 {
        assert!(scene.simulation.run(scene.client.read(&holdings)).iter().all(|it| it.proven().is_some()));
        scene.pass_slots(1);
    }
    let (headers, proofs) = (calls(HEADER), calls(PROOF));
    assert!(scene.simulation.run(scene.client.read(&holdings)).iter().all(|it| it.proven().is_some()));
    assert_eq!((calls(HEADER) - headers, calls(PROOF) - proofs), (1, 10));
}

/// A header with an unknown field cannot be rebuilt from JSON, but its raw bytes still give its hash. If no provider
/// serves the bytes, the reason says so, and no provider gets a strike.
#[test]
fn a_layout_of_the_future_is_read_from_bytes_or_named() {
    let scene = gloas(3, 2);
    for provider in &scene.providers {
        provider.add(field("newField", "0x11").on(HEADER));
        provider.add(Fault::Field { name: "slotNumber".into(), value: None }.on(HEADER));
    }
    scene.assert_true(&scene.balance(ALICE), ALICE);

    scene.providers.iter().for_each(|provider| provider.add(not_served().on("debug_getRawHeader")));
    scene.pass_slots(40);
    let reading = scene.balance(ALICE);
    scene.assert_unknown(&reading, "unknown_header_layout", BEFORE);
    let why = reading.why().unwrap();
    assert!(why.needs_action() && why.fault().code() == "saldo", "{why}");

    scene.providers.iter().for_each(Provider::clear);
    scene.pass_slots(1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
}

/// A header from one provider and the proof from another are as good as both from one.
#[test]
fn neither_provider_needs_to_serve_both() {
    let proves: [Make; 3] = [
        |it| it.add(not_served().on(HEADER)),
        |it| it.add(Fault::Forbidden.on(HEADER)),
        |it| {
            it.add(field("newField", "0x11").on(HEADER));
            it.add(Fault::Field { name: "slotNumber".into(), value: None }.on(HEADER));
            it.add(not_served().on("debug_getRawHeader"));
        },
    ];
    let has_headers: [Make; 3] = [
        |it| it.add(Fault::NoProofs),
        |it| it.add(Fault::InventedTrie { balance: U256::ZERO }),
        |it| it.set_proof_window(0),
    ];
    for (which, prove) in proves.into_iter().enumerate() {
        for (other, have) in has_headers.into_iter().enumerate() {
            for first in [0, 1] {
                let scene = gloas(7, 2);
                prove(&scene.providers[first]);
                have(&scene.providers[1 - first]);
                for round in 0..4 {
                    let reading = scene.balance(ALICE);
                    let why = reading.why();
                    assert!(
                        why.is_none(),
                        "{which} beside {other} ({first}), round {round}: {why:?} {:?}",
                        reading.attempts()
                    );
                    scene.assert_true(&reading, ALICE);
                    scene.pass_slots(1);
                }
            }
        }
    }
}
