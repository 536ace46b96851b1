//! `Client::state` and `Client::block`: what JSON-RPC asks about a block is proven at that very block, or not known.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use futures_util::future::{join, join_all};
use saldo::{BlockId, BlockState, Level, NotProven, Query};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::Exchange;
use saldo_drill::{Fault, Provider};
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene, UNUSED};
use saldo_tests::token::{CLONE, WETH, deploy, minimal_proxy};
use serde_json::{Value, json};

const KEY: B256 = B256::with_last_byte(5);

/// A chain with more than 64 blocks, in each of which Alice has another balance.
fn scene(seed: u64, providers: usize) -> Scene {
    let scene = Scene::new(seed, providers, 2);
    deploy(&scene.chain);
    for step in 1..=70_u64 {
        scene.chain.set_balance(ALICE, BEFORE + U256::from(step));
        scene.chain.set_nonce(ALICE, step);
        scene.chain.set_storage(WETH, KEY, U256::from(1_000 + step));
        scene.chain.set_storage(WETH, B256::repeat_byte(7), U256::from(step));
        scene.pass_slots(1);
    }
    scene.pass_slots(1);
    scene
}

fn at(scene: &Scene, block: BlockId, query: &Query) -> Result<BlockState, NotProven> {
    scene.simulation.run(scene.client.state(block, query))
}

/// What is proven of Alice and of a slot is what the chain had in that block.
#[track_caller]
fn assert_true(scene: &Scene, state: &BlockState) {
    let number = state.anchor().number();
    assert_eq!(state.anchor().hash(), scene.chain.block(number).unwrap().hash);
    if let Some(alice) = state.account(ALICE) {
        assert_eq!(Some(alice.balance()), scene.chain.balance_at(number, ALICE));
    }
    if let Some(weth) = state.account(WETH) {
        assert_eq!(Some(weth.slot(KEY).unwrap().word()), scene.chain.storage_at(number, WETH, KEY));
    }
}

#[track_caller]
fn assert_not(outcome: Result<BlockState, NotProven>, code: &str) {
    let failed = outcome.map(|state| state.anchor().number()).expect_err("it is proven");
    assert_eq!(failed.why().code(), code, "{:?}", failed.attempts());
}

fn query() -> Query {
    let mut query = Query::account(ALICE);
    query.add_slot(WETH, KEY);
    query.add_account(UNUSED);
    query.add_code(CLONE);
    query
}

#[test]
fn accounts_slots_and_codes_are_those_of_the_block() {
    let scene = scene(1, 2);
    for id in [BlockId::Latest, BlockId::Finalized] {
        let state = at(&scene, id, &query()).unwrap();
        assert_true(&scene, &state);
        let unused = state.account(UNUSED).unwrap();
        assert!(!unused.exists() && unused.balance().is_zero() && unused.nonce() == 0);
        assert_eq!(unused.storage_hash(), None);
        assert!(!unused.proof().is_empty(), "absence is proven");
        let clone = state.account(CLONE).unwrap();
        assert_eq!(clone.code(), Some(&minimal_proxy(WETH)));
        assert_eq!(clone.code_hash(), alloy_primitives::keccak256(minimal_proxy(WETH)));
        assert_eq!(state.account(ALICE).unwrap().code(), None, "it was not asked for");
        assert!(state.account(WETH).unwrap().slot(B256::ZERO).is_none());
        assert!(state.account(BOB).is_none());
        assert_eq!(state.accounts().count(), 4);
    }
    let latest = at(&scene, BlockId::Latest, &query()).unwrap();
    let finalized = at(&scene, BlockId::Finalized, &query()).unwrap();
    assert_eq!(finalized.anchor().assurance().level(), Level::Finalized);
    assert_eq!(latest.anchor().number(), scene.chain.signed().number);
    assert_eq!(finalized.anchor().number(), scene.chain.finalized().number);
}

#[test]
fn each_of_the_last_64_blocks_is_read_at_itself() {
    let scene = scene(2, 2);
    let newest = scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap().number();
    for depth in [0, 1, 2, 5, 17, 40, 63, 64] {
        let number = newest - depth;
        let state = at(&scene, BlockId::Number(number), &query()).unwrap();
        assert_eq!(state.anchor().number(), number);
        assert_true(&scene, &state);
        let by_hash = at(&scene, BlockId::Hash(state.anchor().hash()), &query()).unwrap();
        assert_eq!(by_hash.anchor().number(), number);
        assert_true(&scene, &by_hash);
    }
}

#[test]
fn a_block_that_was_never_seen_is_found_by_its_hash() {
    let scene = scene(3, 2);
    let hash = scene.chain.block(scene.chain.signed().number - 30).unwrap().hash;
    assert_true(&scene, &at(&scene, BlockId::Hash(hash), &query()).unwrap());
    // Two requests bring the block: one proof of the history contract, and its header.
    let asked = scene.simulation.internet().log().len();
    assert!(asked < 20, "{asked}");
}

#[test]
fn a_block_that_is_not_there_is_no_other_block() {
    let scene = scene(4, 2);
    let newest = scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap().number();
    assert_not(at(&scene, BlockId::Number(newest + 3), &query()), "unsigned_tip");
    assert_not(at(&scene, BlockId::Number(newest - 65), &query()), "proof_window_missed");
    assert_not(at(&scene, BlockId::Number(0), &query()), "proof_window_missed");
    assert_not(at(&scene, BlockId::Hash(B256::repeat_byte(7)), &query()), "proof_window_missed");
}

#[test]
fn twenty_reads_at_once_cost_one_head_and_one_batch() {
    let scene = scene(5, 2);
    let owners: Vec<Address> = (1..=20).map(Address::repeat_byte).collect();
    assert!(scene.balance(ALICE).proven().is_some());
    scene.pass_slots(1);
    let internet = scene.simulation.internet();
    let before = internet.log().len();
    let queries: Vec<Query> = owners.iter().map(|owner| Query::account(*owner)).collect();
    let reads = queries.iter().map(|query| scene.client.state(BlockId::Latest, query));
    let states = scene.simulation.run(join_all(reads));
    for (owner, state) in owners.iter().zip(states) {
        let state = state.unwrap();
        let number = state.anchor().number();
        assert_eq!(Some(state.account(*owner).unwrap().balance()), scene.chain.balance_at(number, *owner));
    }
    let log = internet.log();
    let asked = |host: &str| log[before..].iter().filter(|it| it.host.contains(host)).count();
    let paths: Vec<(&str, &str)> =
        log[before..].iter().map(|it| (it.host.as_str(), it.path.as_str())).collect();
    let of_sources: Vec<&str> = paths.iter().filter(|it| it.0.contains("source")).map(|it| it.1).collect();
    let distinct: BTreeSet<&str> = of_sources.iter().copied().collect();
    assert_eq!(of_sources.len(), distinct.len(), "nothing is asked twice: {paths:?}");
    assert!(asked("provider") <= 2, "{paths:?}");
    // And none for what is proven already.
    let before = internet.log().len();
    for query in &queries {
        at(&scene, BlockId::Latest, query).unwrap();
    }
    assert_eq!(internet.log().len(), before);
}

#[test]
fn equal_questions_are_asked_once_also_while_the_first_is_under_way() {
    let scene = scene(6, 1);
    let query = query();
    scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap();
    let internet = scene.simulation.internet();
    let before = internet.log().len();
    let clock = scene.simulation.clock();
    let late = async {
        saldo::Clock::sleep(&clock, Duration::from_millis(20)).await;
        scene.client.state(BlockId::Latest, &query).await
    };
    let (first, late) = scene.simulation.run(join(scene.client.state(BlockId::Latest, &query), late));
    assert_true(&scene, &first.unwrap());
    assert_true(&scene, &late.unwrap());
    let log = internet.log();
    let is_proof = |it: &&Exchange| String::from_utf8_lossy(&it.body).contains("eth_getProof");
    assert_eq!(log[before..].iter().filter(is_proof).count(), 1);
}

#[test]
fn a_dropped_call_stops_no_other() {
    let scene = scene(7, 1);
    scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap();
    let query = query();
    let clock = scene.simulation.clock();
    for pause in [0, 1, 3, 30] {
        scene.pass_slots(1);
        let first = scene.client.state(BlockId::Latest, &query);
        let first = async {
            let end = saldo::Clock::sleep(&clock, Duration::from_millis(pause));
            drop(futures_util::future::select(first, end).await);
        };
        let second = scene.client.state(BlockId::Latest, &query);
        let ((), second) = scene.simulation.run(join(first, second));
        assert_true(&scene, &second.unwrap());
    }
}

#[test]
fn a_liar_proves_nothing_and_one_honest_provider_is_enough() {
    for fault in [
        Fault::OtherAccountsProof,
        Fault::TruncatedProof { nodes: 1 },
        Fault::ExtraNodes,
        Fault::InventedTrie { balance: U256::ZERO },
        Fault::TruncatedStorageProof { nodes: 0 },
        Fault::OtherSlotsProof,
    ] {
        let alone = scene(8, 1);
        alone.providers[0].add(fault.clone());
        assert_not(at(&alone, BlockId::Latest, &query()), "proofs_refused");
        let beside = scene(9, 2);
        beside.providers[0].add(fault);
        assert_true(&beside, &at(&beside, BlockId::Latest, &query()).unwrap());
    }
}

#[test]
fn silence_is_no_zero() {
    let scene = scene(10, 2);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    assert_not(at(&scene, BlockId::Latest, &query()), "all_unreachable");
    let offline = self::scene(11, 1);
    at(&offline, BlockId::Latest, &query()).unwrap();
    offline.simulation.internet().set_offline(true);
    // What is proven of a block stays proven; that it is the newest does not.
    let number = offline.simulation.run(offline.client.block(BlockId::Latest)).unwrap().number();
    offline.pass_slots(40);
    assert_true(&offline, &at(&offline, BlockId::Number(number), &query()).unwrap());
    assert!(at(&offline, BlockId::Latest, &query()).is_err());
}

#[test]
fn a_block_that_was_taken_back_is_not_handed_out() {
    let scene = scene(12, 2);
    let state = at(&scene, BlockId::Latest, &query()).unwrap();
    let hash = state.anchor().hash();
    scene.chain.reorg(2);
    scene.pass_slots(2);
    let newest = at(&scene, BlockId::Latest, &query()).unwrap();
    assert_true(&scene, &newest);
    assert_not(at(&scene, BlockId::Hash(hash), &query()), "block_withdrawn");
}

#[test]
fn after_a_restart_of_trust_the_block_is_found_again() {
    let scene = scene(13, 2);
    at(&scene, BlockId::Latest, &query()).unwrap();
    scene.client.start_again(scene.chain.checkpoint());
    assert_true(&scene, &at(&scene, BlockId::Latest, &query()).unwrap());
}

/// A provider whose client takes no block hash.
struct Older(Provider);

impl Service for Older {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_by_hash = body.to_string().contains(r#"{"blockHash""#);
        if !is_by_hash {
            return self.0.answer(request);
        }
        let error = |id: &Value| json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32602, "message": "invalid" } });
        let reply = match &body {
            Value::Array(calls) => calls.iter().map(|call| error(&call["id"])).collect(),
            call => error(&call["id"]),
        };
        Reaction::Reply(Reply::json(200, &reply))
    }

    fn refuses(&self) -> bool {
        false
    }
}

#[test]
fn a_provider_that_takes_no_hash_is_asked_by_number() {
    let scene = scene(14, 1);
    scene.simulation.internet().register("http://provider0.test", Older(scene.providers[0].clone()));
    assert_true(&scene, &at(&scene, BlockId::Latest, &query()).unwrap());
    assert_true(&scene, &at(&scene, BlockId::Number(scene.chain.signed().number - 4), &query()).unwrap());
}

/// A provider whose client takes a block hash for proofs, and not for codes.
struct ProofsByHash(Provider);

impl Service for ProofsByHash {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let Reaction::Reply(mut reply) = self.0.answer(request) else { panic!("it always answers") };
        let listed = |value: Value| match value {
            Value::Array(list) => list,
            one => vec![one],
        };
        let calls = listed(serde_json::from_slice(&request.body).unwrap_or_default());
        let is_code_by_hash =
            |call: &&Value| call["method"] == "eth_getCode" && call["params"][1].is_object();
        let refused: Vec<Value> =
            calls.iter().filter(is_code_by_hash).map(|call| call["id"].clone()).collect();
        if refused.is_empty() {
            return Reaction::Reply(reply);
        }
        let mut answers: Value = serde_json::from_slice(&reply.body).unwrap();
        let error = |answer: &mut Value| {
            if refused.contains(&answer["id"]) {
                let id = answer["id"].clone();
                *answer =
                    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32602, "message": "invalid" } });
            }
        };
        match &mut answers {
            Value::Array(list) => list.iter_mut().for_each(error),
            one => error(one),
        }
        reply.body = answers.to_string().into_bytes();
        Reaction::Reply(reply)
    }

    fn refuses(&self) -> bool {
        false
    }
}

#[test]
fn a_provider_that_takes_no_hash_for_codes_is_asked_for_them_by_number() {
    let scene = scene(16, 1);
    scene.simulation.internet().register("http://provider0.test", ProofsByHash(scene.providers[0].clone()));
    let state = at(&scene, BlockId::Latest, &query()).unwrap();
    assert_eq!(state.account(CLONE).unwrap().code(), Some(&minimal_proxy(WETH)));
}

#[test]
fn an_address_is_shown_to_as_many_operators_as_the_policy_allows() {
    let policy = saldo::Policy { operators_per_address: 1, strict: true, ..saldo::Policy::signed() };
    let scene = Scene::with_policy(15, 3, 1, policy);
    scene.providers.iter().for_each(|provider| provider.add(Fault::TruncatedProof { nodes: 1 }));
    scene.pass_slots(2);
    assert!(at(&scene, BlockId::Latest, &Query::account(ALICE)).is_err());
    let log = scene.simulation.internet().log();
    let saw = |it: &&Exchange| String::from_utf8_lossy(&it.body).contains("a1a1a1a1");
    let hosts: BTreeSet<&str> = log.iter().filter(saw).map(|it| it.host.as_str()).collect();
    assert_eq!(hosts.len(), 1, "{hosts:?}");
}
