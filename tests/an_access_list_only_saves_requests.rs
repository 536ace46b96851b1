//! What a provider says that a token's code reads (`eth_createAccessList`) only decides what is asked for next: a right list saves
//! requests, and a wrong one changes nothing.

use alloy_primitives::{Address, B256, U256};
use saldo::{MemoryStorage, Policy, Reading};
use saldo_drill::{Chain, ContractCode, Fault, Provider};
use saldo_tests::assembler::{plain_token, proxy_to, slot_of};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::scene::{ALICE, BOB, Scene};
use saldo_tests::stored::entries;
use saldo_tests::token::{UNKNOWN, erc20};

const FIRST: Address = Address::repeat_byte(0x51);
const SECOND: Address = Address::repeat_byte(0x52);
const THIRD: Address = Address::repeat_byte(0x53);
const FOURTH: Address = Address::repeat_byte(0x54);

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
    deploy_proxies(&scene.chain);
    scene.pass_slots(4);
    scene
}

fn deploy_proxies(chain: &Chain) {
    let codes = [(UNKNOWN, 1, FIRST), (FIRST, 2, SECOND), (SECOND, 3, THIRD)];
    for (place, pointer, target) in codes {
        chain.set_code(place, proxy_to(&format!("{pointer} SLOAD")));
        chain.set_storage(UNKNOWN, slot(pointer), U256::from_be_bytes(target.into_word().0));
    }
    chain.set_code(THIRD, plain_token(0));
    for (owner, units) in [(ALICE, 5), (BOB, 6), (FIRST, 7)] {
        chain.set_storage(UNKNOWN, slot_of(owner, 0), U256::from(units));
    }
}

/// What the code reads for `owner`.
fn true_list(owner: Address) -> List {
    let own = vec![slot(1), slot(2), slot(3), slot_of(owner, 0)];
    vec![(UNKNOWN, own), (FIRST, vec![]), (SECOND, vec![]), (THIRD, vec![])]
}

/// Reads what `owner` has, and counts the requests for proofs at the block that was found, and all requests for lists.
#[track_caller]
fn read(scene: &Scene, owner: Address) -> (U256, usize, usize) {
    let bodies = || {
        let log = scene.simulation.internet().log();
        log.iter().map(|exchange| String::from_utf8_lossy(&exchange.body).into_owned()).collect::<Vec<_>>()
    };
    let before = bodies().len();
    let reading = scene.simulation.run(scene.client.read(&[erc20(owner, UNKNOWN)])).pop().unwrap();
    let Reading::Proven(proven) = &reading else { panic!("{reading:?}") };
    let asked = bodies().split_off(before);
    let count =
        |words: [&str; 2]| asked.iter().filter(|body| words.iter().all(|word| body.contains(word))).count();
    let proofs = count(["eth_getProof", "blockHash"]);
    (proven.amount().base_units(), proofs, count(["eth_createAccessList", ""]))
}

#[test]
fn a_right_list_makes_a_first_read_three_requests() {
    let scene = scene(1, 1);
    scene.providers[0].set_access_list(UNKNOWN, true_list(ALICE));
    let (units, requests, lists) = read(&scene, ALICE);
    assert_eq!((units, requests), (U256::from(5), 3), "the code, what it reads, and all of it");
    assert!(lists >= 1);
    scene.pass_slots(2);
    assert_eq!(read(&scene, BOB), (U256::from(6), 1, 0), "what it reads is known");
}

/// The provider does not have the method. It is not asked for it again.
#[test]
fn without_a_list_the_contracts_are_followed_one_by_one() {
    let scene = scene(2, 1);
    scene.providers[0].add(unserved().on("eth_createAccessList"));
    let (units, requests, lists) = read(&scene, ALICE);
    assert_eq!((units, lists), (U256::from(5), 1));
    assert!(requests > 3, "{requests}");
    // An upgrade: what its code read before is no guess of what it reads now.
    scene.chain.set_code(UNKNOWN, proxy_to(&format!("{FOURTH:?}")));
    scene.chain.set_code(FOURTH, proxy_to(&format!("{THIRD:?}")));
    scene.pass_slots(2);
    let (units, requests, lists) = read(&scene, BOB);
    assert_eq!((units, lists), (U256::from(6), 0));
    assert!(requests > 1, "the new contract was not known");
}

fn unserved() -> Fault {
    Fault::Error { code: -32601, message: "the method does not exist".to_owned() }
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

/// Whatever becomes of the list, the proofs are asked for in the same way, and nothing else is learned of the provider.
#[test]
fn a_list_that_fails_is_no_failure_of_the_read() {
    let failures = [
        unserved(),
        Fault::Error { code: -32000, message: "insufficient funds for gas * price + value".to_owned() },
        Fault::NullResult,
        Fault::Result(serde_json::json!({ "accessList": "0x" })),
        Fault::Result(serde_json::json!({ "accessList": "0x".repeat(1 << 20) })),
        Fault::Status(400),
        Fault::Status(500),
        Fault::RateLimited { retry_after: Some("60".to_owned()) },
        Fault::Html,
        Fault::Hang,
    ];
    for (seed, fault) in (30..).zip(failures) {
        let scene = scene(seed, 1);
        let says = format!("{fault:?}").chars().take(80).collect::<String>();
        scene.providers[0].add(fault.on("eth_createAccessList"));
        assert_eq!(read(&scene, ALICE).0, U256::from(5), "{says}");
        scene.pass_slots(2);
        assert_eq!(read(&scene, BOB), (U256::from(6), 1, 0), "{says}");
    }
}

/// A contract whose list is long is no reason that another token is not proven.
#[test]
fn a_long_list_of_one_token_does_not_stop_another() {
    let scene = scene(50, 1);
    let (other, key) = (Address::repeat_byte(0x61), slot_of(ALICE, 0));
    scene.chain.set_code(other, plain_token(0));
    scene.chain.set_storage(other, key, U256::from(8));
    scene.chain.set_storage(other, slot_of(BOB, 0), U256::from(9));
    scene.pass_slots(2);
    let many = (0..9_000_u64).map(|number| B256::from(U256::from(number))).collect();
    scene.providers[0].set_access_list(UNKNOWN, vec![(UNKNOWN, many)]);
    let readings = scene.simulation.run(scene.client.read(&[erc20(ALICE, UNKNOWN), erc20(ALICE, other)]));
    let amounts: Vec<U256> = readings.iter().map(|it| it.proven().unwrap().amount().base_units()).collect();
    assert_eq!(amounts, [5, 8].map(U256::from));
}

/// What a list names and the code does not read is not kept.
#[test]
fn a_false_list_makes_no_record_larger() {
    let contract = |number: u64| (Address::left_padding_from(&(number << 20).to_be_bytes()), vec![]);
    let others = || (1..=28).map(contract);
    let record = |list: List| {
        let storage = MemoryStorage::new();
        let world = CheckpointWorld::new(60, 0);
        deploy_proxies(&world.chain);
        for (contract, _) in others() {
            world.chain.set_code(contract, vec![0x5b; 20_000].into());
        }
        world.pass_slots(4);
        let provider = Provider::honest(&world.chain);
        provider.set_access_list(UNKNOWN, list);
        world.simulation.internet().register("http://provider.test", provider);
        let start = || {
            let builder = world.builder().checkpoint(world.chain.checkpoint()).storage(storage.clone());
            builder.build().unwrap()
        };
        let reading = world.simulation.run(start().read(&[erc20(ALICE, UNKNOWN)])).pop().unwrap();
        assert_eq!(reading.proven().unwrap().amount().base_units(), U256::from(5));
        let client = start();
        assert_eq!(client.storage_faults(), []);
        assert_eq!(client.last(&erc20(ALICE, UNKNOWN)).unwrap().amount().base_units(), U256::from(5));
        entries(&storage).iter().map(|(_, value)| value.len()).sum::<usize>()
    };
    let slots = (UNKNOWN, (10..110_u64).map(|number| B256::from(U256::from(number))).collect());
    let honest = record(true_list(ALICE));
    let with_more = record(true_list(ALICE).into_iter().chain(others()).chain([slots]).collect());
    // So many slots of one account are two questions, each with the proof of the account.
    assert!(with_more <= honest + 1_000, "{with_more} bytes, {honest} without");
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
