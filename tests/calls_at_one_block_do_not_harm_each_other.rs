//! Calls that run at the same time share requests. None of them waits for another, fails by another, or gets another block by it.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use futures_util::future::{Either, join, join_all, select};
use saldo::{BlockId, BlockState, Call, Clock, Level, NotProven, Policy, Query};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::{Fault, Provider};
use saldo_tests::assembler::assemble;
use saldo_tests::scene::{ALICE, BEFORE, Scene, UNUSED};
use saldo_tests::token::{WETH, deploy};
use serde_json::Value;

/// A chain in which Alice has another balance in each block.
fn scene_with(seed: u64, providers: usize, policy: Policy) -> Scene {
    let scene = Scene::with_policy(seed, providers, 2, policy);
    deploy(&scene.chain);
    for step in 1..=40_u64 {
        scene.chain.set_balance(ALICE, BEFORE + U256::from(step));
        scene.chain.set_storage(WETH, key(step), U256::from(step));
        scene.pass_slots(1);
    }
    scene.pass_slots(1);
    scene
}

fn scene(seed: u64, providers: usize) -> Scene {
    scene_with(seed, providers, Policy { operators_per_address: providers, ..Policy::signed() })
}

fn key(number: u64) -> B256 {
    B256::from(U256::from(number))
}

fn newest(scene: &Scene) -> u64 {
    scene.simulation.run(scene.client.block(BlockId::Latest)).unwrap().number()
}

fn at(scene: &Scene, block: BlockId, query: &Query) -> Result<BlockState, NotProven> {
    scene.simulation.run(scene.client.state(block, query))
}

#[track_caller]
fn assert_alice(scene: &Scene, state: &BlockState) {
    let number = state.anchor().number();
    assert_eq!(state.anchor().hash(), scene.chain.block(number).unwrap().hash);
    assert_eq!(Some(state.account(ALICE).unwrap().balance()), scene.chain.balance_at(number, ALICE));
}

#[track_caller]
fn assert_not(outcome: Result<BlockState, NotProven>, code: &str) {
    let failed = outcome.map(|state| state.anchor().number()).expect_err("it is proven");
    assert_eq!(failed.why().code(), code, "{:?}", failed.attempts());
}

/// A provider whose answers take that long.
struct Slow(Provider, Duration);

impl Service for Slow {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        match self.0.answer(request) {
            Reaction::Reply(reply) => Reaction::Reply(Reply { delay: self.1, ..reply }),
            other => other,
        }
    }

    fn refuses(&self) -> bool {
        false
    }
}

fn make_slow(scene: &Scene, duration: Duration) {
    let slow = Slow(scene.providers[0].clone(), duration);
    scene.simulation.internet().register("http://provider0.test", slow);
}

/// The outcome of `call`, and the time that it took.
fn timed<T>(scene: &Scene, call: impl Future<Output = T>) -> (T, Duration) {
    let clock = scene.simulation.clock();
    let began = clock.monotonic();
    let outcome = scene.simulation.run(call);
    (outcome, clock.monotonic() - began)
}

#[test]
fn a_call_that_is_no_longer_polled_holds_up_no_other() {
    let scene = scene(1, 1);
    let clock = scene.simulation.clock();
    for pause in [0, 1, 3, 10, 30] {
        for silence in [0, 1, 5, 60] {
            let block = BlockId::Number(newest(&scene));
            let mut query = Query::account(ALICE);
            query.add_slot(WETH, key(1_000 * pause + silence));
            let mut first = scene.client.state(block, &query);
            let while_polled = select(&mut first, clock.sleep(Duration::from_millis(pause)));
            let is_over = matches!(scene.simulation.run(while_polled), Either::Left(_));
            scene.simulation.pass(Duration::from_secs(silence));
            let second = at(&scene, block, &query);
            assert_alice(&scene, &second.unwrap_or_else(|error| panic!("{pause} {silence} {error}")));
            if !is_over {
                // It ends too, by what is proven or by its deadline.
                let _ = scene.simulation.run(first);
            }
        }
    }
}

#[test]
fn a_call_whose_requests_began_earlier_for_another_has_its_own_time() {
    let scene = scene(2, 1);
    let block = BlockId::Number(newest(&scene));
    scene.providers[0].add(Fault::Hang);
    let (query, clock) = (Query::account(ALICE), scene.simulation.clock());
    let first = scene.client.state(block, &query);
    let late = async {
        clock.sleep(Duration::from_secs(3)).await;
        scene.client.state(block, &query).await
    };
    let heal = async {
        clock.sleep(Duration::from_millis(4_100)).await;
        scene.providers[0].clear();
    };
    let (first, (late, ())) = scene.simulation.run(join(first, join(late, heal)));
    assert!(first.is_err());
    assert_alice(&scene, &late.expect("three seconds were left when the provider answered"));
}

#[test]
fn what_two_calls_ask_for_comes_side_by_side() {
    let scene = scene(3, 1);
    let block = BlockId::Number(newest(&scene));
    make_slow(&scene, Duration::from_millis(2_500));
    let (query, clock) = (Query::account(ALICE), scene.simulation.clock());
    let mut more = query.clone();
    more.add_slot(WETH, key(1));
    let first = scene.client.state(block, &query);
    let late = async {
        clock.sleep(Duration::from_millis(500)).await;
        scene.client.state(block, &more).await
    };
    let ((first, late), took) = timed(&scene, join(first, late));
    assert_alice(&scene, &first.unwrap());
    assert_alice(&scene, &late.unwrap());
    assert!(took < Duration::from_millis(4_500), "{took:?}");
}

#[test]
fn a_call_ends_at_its_deadline() {
    let scene = scene(4, 1);
    let code = Address::repeat_byte(0x71);
    // Each slot is known only once the one before it is.
    scene.chain.set_code(code, assemble("0 SLOAD SLOAD SLOAD SLOAD 0 MSTORE 32 0 RETURN"));
    for number in 0..6 {
        scene.chain.set_storage(code, key(number), U256::from(number + 1));
    }
    scene.pass_slots(2);
    let block = BlockId::Number(newest(&scene));
    make_slow(&scene, Duration::from_millis(1_500));
    let call = Call::new(code, alloy_primitives::Bytes::new());
    let (outcome, took) = timed(&scene, scene.client.call(block, &call));
    assert!(outcome.is_err());
    assert!(took <= scene.client.policy().deadline, "{took:?}");
}

#[test]
fn a_block_that_is_not_final_is_not_read_by_its_number_if_the_policy_asks_for_final_ones() {
    let scene = scene_with(5, 2, Policy::finalized());
    newest(&scene);
    let (signed, finalized) = (scene.chain.signed().number, scene.chain.finalized().number);
    assert!(finalized < signed);
    let query = Query::account(ALICE);
    for number in [signed, signed - 1, finalized + 1] {
        let hash = scene.chain.block(number).unwrap().hash;
        for id in [BlockId::Number(number), BlockId::Hash(hash)] {
            assert_not(at(&scene, id, &query), "unsigned_tip");
        }
    }
    for number in [finalized, finalized - 1, finalized - 7] {
        let state = at(&scene, BlockId::Number(number), &query).unwrap();
        assert_eq!(state.anchor().assurance().level(), Level::Finalized);
        assert_alice(&scene, &state);
    }
}

#[test]
fn a_number_names_the_block_of_the_present_chain_also_after_a_sleep() {
    let scene = scene(6, 2);
    let number = newest(&scene);
    let query = Query::account(ALICE);
    assert_alice(&scene, &at(&scene, BlockId::Number(number), &query).unwrap());
    scene.chain.set_balance(ALICE, BEFORE);
    scene.chain.reorg(3);
    scene.pass_slots(4);
    assert_alice(&scene, &at(&scene, BlockId::Number(number), &query).unwrap());
}

#[test]
fn many_slots_of_one_account_are_asked_for_in_parts() {
    let scene = scene(7, 1);
    let block = BlockId::Number(newest(&scene));
    let mut query = Query::default();
    (0..300).for_each(|number| query.add_slot(WETH, key(number)));
    let state = at(&scene, block, &query).unwrap();
    for number in 0..300 {
        let word = state.account(WETH).unwrap().slot(key(number)).unwrap().word();
        let expected = if (1..=40).contains(&number) { U256::from(number) } else { U256::ZERO };
        assert_eq!(word, expected, "{number}");
    }
    // Common clients answer at most 1,024 in one question.
    let mut most = 0;
    for exchange in scene.simulation.internet().log() {
        let body: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
        let calls = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        let keys =
            calls.iter().filter(|call| call["method"] == "eth_getProof").map(|call| &call["params"][1]);
        most = keys.map(|keys| keys.as_array().unwrap().len()).fold(most, usize::max);
    }
    assert!((1..=64).contains(&most), "{most}");
}

#[test]
fn an_account_that_is_proven_not_to_exist_needs_no_proof_of_its_slots() {
    let scene = scene(8, 1);
    scene.providers[0].add(Fault::NoStorageProof);
    let state = at(&scene, BlockId::Latest, &Query::slot(UNUSED, key(1))).unwrap();
    assert!(state.account(UNUSED).unwrap().slot(key(1)).unwrap().word().is_zero());
    assert!(at(&scene, BlockId::Latest, &Query::slot(WETH, key(1))).is_err(), "this one has storage");
}

#[test]
fn a_thousand_accounts_are_proven_by_one_call() {
    let scene = scene(9, 2);
    let mut query = Query::account(ALICE);
    let owners: Vec<Address> = (0..1_000_u64).map(|owner| Address::from_word(key(owner + 1_000))).collect();
    owners.iter().for_each(|owner| query.add_account(*owner));
    let state = at(&scene, BlockId::Latest, &query).unwrap();
    assert_alice(&scene, &state);
    assert!(owners.iter().all(|owner| state.account(*owner).unwrap().balance().is_zero()));
    assert_eq!(state.accounts().count(), 1_001);
}

#[test]
fn calls_at_several_blocks_get_each_its_own() {
    let scene = scene(10, 2);
    let number = newest(&scene);
    let query = Query::account(ALICE);
    let calls = (0..12).map(|depth| scene.client.state(BlockId::Number(number - depth), &query));
    let states = scene.simulation.run(join_all(calls));
    for (depth, state) in (0..12).zip(states) {
        let state = state.unwrap();
        assert_eq!(state.anchor().number(), number - depth);
        assert_alice(&scene, &state);
    }
}

#[test]
fn trust_that_restarts_while_a_call_runs_ends_the_call() {
    let scene = scene(11, 1);
    let block = BlockId::Number(newest(&scene));
    let (query, clock) = (Query::account(ALICE), scene.simulation.clock());
    for pause in [1, 3, 10] {
        // The block is known, so that the call begins with the requests for its state.
        at(&scene, block, &query).unwrap();
        let restart = async {
            clock.sleep(Duration::from_millis(pause)).await;
            scene.client.start_again(scene.chain.checkpoint());
        };
        let slot = Query::slot(WETH, key(pause));
        let (state, ()) = scene.simulation.run(join(scene.client.state(block, &slot), restart));
        assert_not(state, "trust_restarted");
        newest(&scene);
    }
    assert_alice(&scene, &at(&scene, block, &query).unwrap());
}
