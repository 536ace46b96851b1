//! `Client::header` and `Client::full_block`: a header hashes to its block, a body rebuilds the roots of its header, and each is asked for
//! once.

use futures_util::FutureExt;
use futures_util::future::join_all;
use saldo::{BlockId, ExecutionHeader};
use saldo_drill::{Fault, Fork};
use saldo_tests::scene::{ALICE, Scene};
use serde_json::json;

fn scene(seed: u64, providers: usize) -> Scene {
    let scene = Scene::new(seed, providers, 1);
    scene.pass_slots(10);
    scene
}

fn asked(scene: &Scene) -> u64 {
    scene
        .providers
        .iter()
        .map(|provider| provider.requests().get("eth_getBlockByHash").copied().unwrap_or(0))
        .sum()
}

#[test]
fn headers_are_those_of_the_chain() {
    let scene = scene(1, 1);
    for id in [BlockId::Latest, BlockId::Finalized] {
        let proven = scene.simulation.run(scene.client.header(id)).unwrap();
        let block = scene.chain.block(proven.anchor().number()).unwrap();
        assert_eq!((proven.header().hash(), proven.anchor().hash()), (block.hash, block.hash));
        let json = proven.header().to_json().unwrap();
        assert_eq!(json["stateRoot"], json!(proven.anchor().state_root().get()));
        let rebuilt = ExecutionHeader::from_json(json!(json).to_string().as_bytes(), block.hash).unwrap();
        assert_eq!(&rebuilt, proven.header(), "all fields are there");
        for named in [BlockId::Number(block.number), BlockId::Hash(block.hash)] {
            let again = scene.simulation.run(scene.client.header(named)).unwrap();
            assert_eq!(again.header(), proven.header());
        }
    }
}

#[test]
fn many_calls_ask_once() {
    let scene = scene(2, 1);
    let newest = scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap();
    let before = asked(&scene);
    let header = || scene.client.header(BlockId::Hash(newest.hash())).map(|header| header.is_ok()).boxed();
    let body = || scene.client.full_block(BlockId::Latest).map(|block| block.is_ok()).boxed();
    let calls = (0..20).flat_map(|_| [header(), body()]);
    let results = scene.simulation.run(join_all(calls.collect::<Vec<_>>()));
    assert!(results.iter().all(|is_proven| *is_proven));
    assert!(asked(&scene) - before <= 2, "one header, and one body: {}", asked(&scene) - before);
    let before = asked(&scene);
    let again = scene.simulation.run(join_all((0..20).map(|_| body())));
    assert!(again.iter().all(|is_proven| *is_proven));
    assert_eq!(asked(&scene), before, "nothing is asked again");
}

#[test]
fn a_false_body_is_refused() {
    let scene = scene(3, 2);
    let invented = json!([{ "index": "0x0", "validatorIndex": "0x0", "address": ALICE, "amount": "0x1" }]);
    let lie = Fault::Field { name: "withdrawals".to_owned(), value: Some(invented) };
    scene.providers[0].set(lie.clone());
    let block = scene
        .simulation
        .run(scene.client.full_block(BlockId::Latest))
        .expect("one honest provider is enough");
    assert_eq!((block.body().transactions(), block.body().withdrawals()), (&[][..], Some(&[][..])));

    scene.providers[1].set(lie);
    scene.pass_slots(1);
    let failed = scene.simulation.run(scene.client.full_block(BlockId::Latest)).expect_err("both lie");
    let codes: Vec<&str> = failed.attempts().iter().map(|attempt| attempt.outcome.code()).collect();
    assert!(codes.contains(&"body_refused"), "{codes:?}");
    assert!(failed.attempts().iter().all(|attempt| {
        attempt
            .outcome
            .failure()
            .is_none_or(|failure| failure.code() != "body_refused" || failure.is_false_answer())
    }));
}

/// The header of a Gloas head is fetched with it, and that of an earlier one from a provider.
#[test]
fn on_every_fork_a_header_is_whole() {
    for fork in [Fork::Capella, Fork::Deneb, Fork::Electra, Fork::Fulu, Fork::Gloas] {
        let chain =
            saldo_drill::Chain::builder(4).fork(fork).accounts([(ALICE, saldo_tests::scene::BEFORE)]).build();
        let scene = Scene::of(chain, 4, 1, 1, saldo::Policy::signed());
        scene.pass_slots(3);
        let block = scene.simulation.run(scene.client.full_block(BlockId::Latest));
        let block = block.unwrap_or_else(|error| panic!("{fork}: {error}"));
        let number = block.header().anchor().number();
        assert_eq!(block.header().header().hash(), scene.chain.block(number).unwrap().hash, "{fork}");
    }
}

#[test]
fn a_withdrawn_block_is_known_as_withdrawn() {
    let scene = scene(5, 1);
    let newest = scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap();
    assert!(!scene.client.is_withdrawn(&newest));
    scene.chain.reorg(3);
    scene.pass_slots(3);
    let other = scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap();
    // The chain has another block at that height once the headers between are known.
    let at_height = scene.simulation.run(scene.client.block(BlockId::Number(newest.number())));
    assert!(at_height.is_ok_and(|block| block.hash() != newest.hash()), "{other:?}");
    assert!(scene.client.is_withdrawn(&newest));
}
