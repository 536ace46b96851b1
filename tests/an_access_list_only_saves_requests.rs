//! What a provider says that a token's code reads (`eth_createAccessList`) only decides what is asked for next: a right list saves
//! requests, and a wrong one changes nothing.

use alloy_primitives::{Address, B256, U256};
use saldo::{Policy, Reading};
use saldo_drill::{Chain, ContractCode, Fault};
use saldo_tests::assembler::{plain_token, proxy_to, slot_of};
use saldo_tests::scene::{ALICE, BOB, Scene};
use saldo_tests::token::{UNKNOWN, erc20};

const FIRST: Address = Address::repeat_byte(0x51);
const SECOND: Address = Address::repeat_byte(0x52);
const THIRD: Address = Address::repeat_byte(0x53);

/// An access list.
type List = Vec<(Address, Vec<B256>)>;

fn slot(number: u8) -> B256 {
    B256::with_last_byte(number)
}

/// A scene in which the token's code passes its calls on three times. Alice has 5, Bob 6.
fn scene(seed: u64, providers: usize) -> Scene {
    let chain = Chain::builder(seed).accounts([(ALICE, U256::from(1))]).build();
    let policy = Policy { operators_per_address: providers, ..Policy::signed() };
    let scene = Scene::of(chain, seed, providers, 1, policy);
    let codes = [(UNKNOWN, 1, FIRST), (FIRST, 2, SECOND), (SECOND, 3, THIRD)];
    for (place, pointer, target) in codes {
        scene.chain.set_code(place, proxy_to(&format!("{pointer} SLOAD")));
        scene.chain.set_storage(UNKNOWN, slot(pointer), U256::from_be_bytes(target.into_word().0));
    }
    scene.chain.set_code(THIRD, plain_token(0));
    for (owner, units) in [(ALICE, 5), (BOB, 6), (FIRST, 7)] {
        scene.chain.set_storage(UNKNOWN, slot_of(owner, 0), U256::from(units));
    }
    scene.pass_slots(4);
    scene
}

/// What the code reads for `owner`.
fn true_list(owner: Address) -> List {
    let own = vec![slot(1), slot(2), slot(3), slot_of(owner, 0)];
    vec![(UNKNOWN, own), (FIRST, vec![]), (SECOND, vec![]), (THIRD, vec![])]
}

/// Reads what `owner` has, and counts the requests about the token, and those among them that ask for a list.
#[track_caller]
fn read(scene: &Scene, owner: Address) -> (U256, usize, usize) {
    let bodies = || {
        let log = scene.simulation.internet().log();
        let bodies = log.iter().map(|exchange| String::from_utf8_lossy(&exchange.body).into_owned());
        bodies.filter(|body| body.contains("blockHash")).collect::<Vec<_>>()
    };
    let before = bodies().len();
    let reading = scene.simulation.run(scene.client.read(&[erc20(owner, UNKNOWN)])).pop().unwrap();
    let Reading::Proven(proven) = &reading else { panic!("{reading:?}") };
    let asked = bodies().split_off(before);
    let lists = asked.iter().filter(|body| body.contains("eth_createAccessList")).count();
    (proven.amount().base_units(), asked.len(), lists)
}

#[test]
fn a_right_list_makes_a_first_read_three_requests() {
    let scene = scene(1, 1);
    scene.providers[0].set_access_list(UNKNOWN, true_list(ALICE));
    assert_eq!(read(&scene, ALICE), (U256::from(5), 3, 1), "the code, what it reads, and all of it");
    scene.pass_slots(2);
    assert_eq!(read(&scene, BOB), (U256::from(6), 1, 0), "what it reads is known");
}

#[test]
fn without_a_list_the_contracts_are_followed_one_by_one() {
    let scene = scene(2, 1);
    let (units, requests, lists) = read(&scene, ALICE);
    assert_eq!((units, lists), (U256::from(5), 1));
    assert!(requests > 3, "{requests}");
    // The provider does not have the method: it is not asked for it again.
    scene.chain.set_storage(UNKNOWN, slot(1), U256::from_be_bytes(SECOND.into_word().0));
    scene.chain.set_code(UNKNOWN, proxy_to(&format!("{THIRD:?}")));
    scene.pass_slots(2);
    let (units, _, lists) = read(&scene, BOB);
    assert_eq!((units, lists), (U256::from(6), 0));
}

#[test]
fn a_wrong_list_changes_nothing() {
    let many = |number: u64| Address::left_padding_from(&(number + 0x1000).to_be_bytes());
    let lists: Vec<List> = vec![
        vec![],
        true_list(BOB),
        vec![(UNKNOWN, vec![slot(9), slot(9), B256::ZERO, B256::repeat_byte(0xff)])],
        vec![(ALICE, vec![slot(1)]), (Address::ZERO, vec![]), (UNKNOWN, vec![]), (UNKNOWN, vec![slot(1)])],
        (0..200).map(|number| (many(number), vec![slot(1), slot(2)])).collect(),
        vec![(UNKNOWN, (0..500_u64).map(|number| B256::from(U256::from(number))).collect())],
    ];
    for (seed, list) in (10..).zip(lists) {
        let scene = scene(seed, 1);
        let says = format!("{:?}", list.first());
        scene.providers[0].set_access_list(UNKNOWN, list);
        let (units, requests, _) = read(&scene, ALICE);
        assert_eq!(units, U256::from(5), "{says}");
        assert!(requests <= 12, "{requests} requests: {says}");
    }
}

/// Some refuse the whole batch for a method that they do not know.
#[test]
fn a_list_that_fails_is_no_failure_of_the_read() {
    let failures = [
        Fault::Error { code: -32601, message: "the method does not exist".to_owned() },
        Fault::Error { code: -32000, message: "insufficient funds for gas * price + value".to_owned() },
        Fault::NullResult,
        Fault::Result(serde_json::json!({ "accessList": "0x" })),
        Fault::Status(400),
        Fault::Status(500),
    ];
    for (seed, fault) in (30..).zip(failures) {
        let scene = scene(seed, 1);
        let says = format!("{fault:?}");
        scene.providers[0].add(fault.on("eth_createAccessList"));
        assert_eq!(read(&scene, ALICE).0, U256::from(5), "{says}");
        scene.pass_slots(2);
        let (units, requests, lists) = read(&scene, BOB);
        assert_eq!((units, lists), (U256::from(6), 0), "{says}");
        assert!(requests <= 4, "each of the four contracts at most once: {requests}, {says}");
    }
}

/// Proxies whose codes the chain has a model of: its providers say by themselves what the code reads.
#[test]
fn a_first_read_behind_two_proxies_takes_three_requests() {
    let chain = Chain::builder(40).accounts([(ALICE, U256::from(1))]).build();
    let scene = Scene::of(chain, 40, 1, 1, Policy::signed());
    for (place, code) in [
        (UNKNOWN, ContractCode::MinimalProxy(FIRST)),
        (FIRST, ContractCode::MinimalProxy(SECOND)),
        (SECOND, ContractCode::Unknown),
    ] {
        scene.chain.deploy(place, &code);
    }
    for (owner, units) in [(ALICE, 5), (BOB, 6), (THIRD, 7)] {
        let (key, word) = ContractCode::Unknown.word(owner, U256::from(units), false).unwrap();
        scene.chain.set_storage(UNKNOWN, key, word);
    }
    scene.pass_slots(4);
    let (units, requests, _) = read(&scene, ALICE);
    assert_eq!(units, U256::from(5));
    assert!(requests <= 3, "{requests}");
}
