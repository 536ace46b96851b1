//! A token's balance is stored with all its proofs. After a restart they are verified again, by the layouts of this version.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use saldo::{Client, Holding, MemoryStorage, Reading, StorageFault, Write};
use saldo_tests::assembler::{RETURN_WORD, assemble, proxy_to, push_balance, slot_of, token_of};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, UNUSED};
use saldo_tests::stored::{entries, put, with_record_checksum};
use saldo_tests::token::{CLONE, UNKNOWN, USDC, USDT, WETH, deploy, erc20, point, set_word};

const TOKENS: [Address; 4] = [WETH, USDT, USDC, CLONE];

fn world(seed: u64) -> CheckpointWorld {
    let world = CheckpointWorld::new(seed, 0);
    deploy(&world.chain);
    for (token, name) in [(WETH, "WETH9"), (USDT, "TetherToken"), (USDC, "FiatTokenV2_2"), (CLONE, "WETH9")] {
        set_word(&world.chain, token, name, ALICE, U256::from(5));
    }
    world.pass_slots(4);
    world
}

fn start(world: &CheckpointWorld, storage: &MemoryStorage) -> Client {
    let builder = world.builder().checkpoint(world.chain.checkpoint()).storage(storage.clone());
    builder.build().expect("the wallet starts")
}

fn holdings() -> Vec<Holding> {
    let tokens = TOKENS.iter().flat_map(|token| [erc20(ALICE, *token), erc20(UNUSED, *token)]);
    tokens.chain([native(ALICE)]).collect()
}

fn read_all(world: &CheckpointWorld, client: &Client) -> Vec<Reading> {
    world.simulation.run(client.read(&holdings()))
}

/// The name of the only stored record of `holding`.
fn record(storage: &MemoryStorage, token: Address) -> (String, Vec<u8>) {
    let start = format!("reading/31337/{ALICE:#x}/{token:#x}/");
    let mut found = entries(storage).into_iter().filter(|(name, _)| name.starts_with(&start));
    found.next().expect("the reading was stored")
}

#[test]
fn what_was_proven_is_there_after_a_restart() {
    let (world, storage) = (world(1), MemoryStorage::new());
    let before = read_all(&world, &start(&world, &storage));
    assert!(before.iter().all(|reading| reading.proven().is_some()), "{before:?}");
    world.simulation.internet().set_offline(true);
    world.simulation.pass(Duration::from_secs(600));
    let client = start(&world, &storage);
    assert!(client.storage_faults().is_empty(), "{:?}", client.storage_faults());
    for (holding, before) in holdings().iter().zip(&before) {
        let before = before.proven().unwrap();
        let last = client.last(holding).unwrap_or_else(|| panic!("{holding:?} was not restored"));
        assert!(last.is_restored() && !before.is_restored());
        assert_eq!(
            (last.amount(), last.token(), last.anchor()),
            (before.amount(), before.token(), before.anchor())
        );
    }
    for reading in read_all(&world, &client) {
        assert_eq!(reading.why().map(saldo::Why::code), Some("device_offline"));
        assert!(reading.latest_proven().unwrap().is_restored());
    }
}

/// An amount that the token's own code returned at the time of its block is found by running the code again.
#[test]
fn stored_code_is_run_again() {
    let (world, storage) = (world(5), MemoryStorage::new());
    let code = token_of(&format!("TIMESTAMP {} MUL", push_balance(0)));
    world.chain.set_code(UNKNOWN, code);
    world.chain.set_storage(UNKNOWN, slot_of(ALICE, 0), U256::from(5));
    world.pass_slots(2);
    let holding = erc20(ALICE, UNKNOWN);
    let read = |client: &Client| world.simulation.run(client.read(&[holding])).pop().unwrap();
    let before = read(&start(&world, &storage));
    let before = before.proven().unwrap_or_else(|| panic!("{before:?}"));
    let time = before.anchor().timestamp().as_secs();
    assert_eq!(before.amount().base_units(), U256::from(5 * time));
    world.simulation.internet().set_offline(true);
    world.simulation.pass(Duration::from_secs(600));
    let client = start(&world, &storage);
    assert!(client.storage_faults().is_empty(), "{:?}", client.storage_faults());
    let last = client.last(&holding).unwrap();
    assert_eq!((last.amount(), last.token(), last.is_restored()), (before.amount(), before.token(), true));
    // With another code in the record, the proof is that of no code.
    let (name, sealed) = record(&storage, UNKNOWN);
    let mut value = sealed[..sealed.len() - 32].to_vec();
    let last = value.len() - 1;
    value[last] ^= 1;
    put(&storage, [Write { name: name.clone(), value: Some(with_record_checksum(&name, value)) }]);
    let client = start(&world, &storage);
    assert!(matches!(client.storage_faults()[..], [StorageFault::Damaged]), "{:?}", client.storage_faults());
    assert!(client.last(&holding).is_none());
}

/// The checksum of the record is right, and the proof is not.
#[test]
fn a_stored_token_with_a_false_proof_is_dropped() {
    for (seed, token) in (10..).zip(TOKENS) {
        let (world, storage) = (world(seed), MemoryStorage::new());
        read_all(&world, &start(&world, &storage));
        let (name, sealed) = record(&storage, token);
        let whole = sealed[..sealed.len() - 32].to_vec();
        // Each of these bytes is in a node of the proof, or in a code.
        for place in [whole.len() / 4, whole.len() / 2, whole.len() - 5] {
            let mut value = whole.clone();
            value[place] ^= 1;
            let storage = storage.clone();
            put(&storage, [Write { name: name.clone(), value: Some(with_record_checksum(&name, value)) }]);
            let client = start(&world, &storage);
            let is_expected = |fault: &StorageFault| {
                matches!(fault, StorageFault::Reading { holding, .. } if *holding == erc20(ALICE, token))
                    || matches!(fault, StorageFault::Damaged)
            };
            let faults = client.storage_faults();
            assert!(faults.len() == 1 && faults.iter().all(is_expected), "{token} {place}: {faults:?}");
            assert_eq!(client.last(&erc20(ALICE, token)), None);
            assert!(client.last(&erc20(UNUSED, token)).is_some());
        }
    }
}

/// A record under the name of another owner, or of another token, is the proof of something else.
#[test]
fn a_stored_token_under_another_name_is_dropped() {
    let (world, storage) = (world(20), MemoryStorage::new());
    read_all(&world, &start(&world, &storage));
    let (name, sealed) = record(&storage, WETH);
    let value = sealed[..sealed.len() - 32].to_vec();
    let (bob, usdt) = (Address::repeat_byte(0xb0), format!("{USDT:#x}"));
    let others = [
        (name.replace(&format!("{ALICE:#x}"), &format!("{bob:#x}")), erc20(bob, WETH)),
        (name.replace(&format!("{WETH:#x}"), &format!("{CLONE:#x}")), erc20(ALICE, CLONE)),
        (name.replace(&format!("{WETH:#x}"), &usdt), erc20(ALICE, USDT)),
    ];
    let moved = others.iter().map(|(name, _)| Write {
        name: name.clone(),
        value: Some(with_record_checksum(name, value.clone())),
    });
    put(&storage, moved.collect::<Vec<_>>());
    let client = start(&world, &storage);
    // Equal faults are told once.
    assert_eq!(client.storage_faults(), [StorageFault::Damaged]);
    for (_, holding) in &others {
        assert_eq!(client.last(holding), None, "{holding:?}");
    }
    assert!(client.last(&erc20(ALICE, WETH)).is_some());
}

#[test]
fn after_a_restart_an_upgraded_token_is_read_by_its_new_code() {
    let (world, storage) = (world(30), MemoryStorage::new());
    read_all(&world, &start(&world, &storage));
    point(&world.chain, USDC, WETH);
    world.pass_slots(2);
    let client = start(&world, &storage);
    assert_eq!(client.last(&erc20(ALICE, USDC)).unwrap().amount().base_units(), U256::from(5));
    let reading = world.simulation.run(client.read(&[erc20(ALICE, USDC)])).pop().unwrap();
    let proven = reading.proven().unwrap_or_else(|| panic!("{reading:?}"));
    assert!(proven.amount().base_units().is_zero() && !proven.is_restored());
    assert_eq!(client.last(&erc20(ALICE, USDC)).unwrap().amount().base_units(), U256::ZERO);
}

/// To forget one token of an owner leaves what is known of the owner's other holdings, and who has seen the address.
#[test]
fn a_token_is_forgotten_alone() {
    let (world, storage) = (world(40), MemoryStorage::new());
    let client = start(&world, &storage);
    read_all(&world, &client);
    let is_there = |part: &str| entries(&storage).iter().any(|(name, _)| name.contains(part));
    let (weth, disclosed) = (format!("{ALICE:#x}/{WETH:#x}"), format!("disclosed/{ALICE:#x}"));
    assert!(is_there(&weth) && is_there(&disclosed));
    client.forget(&erc20(ALICE, WETH));
    world.simulation.run(client.settle_storage(Duration::from_secs(5)));
    assert!(!is_there(&weth) && is_there(&disclosed));
    assert!(client.last(&erc20(ALICE, WETH)).is_none() && client.last(&native(ALICE)).is_some());
    for holding in holdings().iter().filter(|holding| holding.owner() == ALICE) {
        client.forget(holding);
    }
    world.simulation.run(client.settle_storage(Duration::from_secs(5)));
    assert!(
        !is_there(&format!("{ALICE:#x}")),
        "{:?}",
        entries(&storage).iter().map(|it| &it.0).collect::<Vec<_>>()
    );
}

/// How many requests named `token`.
fn requests(world: &CheckpointWorld, token: Address) -> usize {
    let log = world.simulation.internet().log();
    let name = format!("{token:#x}");
    log.iter().filter(|exchange| String::from_utf8_lossy(&exchange.body).contains(&name)).count()
}

/// Reads one token with a new client, and returns the amount and how many requests it took.
fn first_read(world: &CheckpointWorld, storage: &MemoryStorage, token: Address) -> (Option<U256>, usize) {
    let client = start(world, storage);
    let before = requests(world, token);
    let reading = world.simulation.run(client.read(&[erc20(ALICE, token)])).pop().unwrap();
    (reading.proven().map(|proven| proven.amount().base_units()), requests(world, token) - before)
}

#[test]
fn what_a_token_was_is_known_after_a_restart() {
    let world = world(30);
    for token in TOKENS {
        let storage = MemoryStorage::new();
        let (amount, cold) = first_read(&world, &storage, token);
        world.pass_slots(2);
        let (again, warm) = first_read(&world, &storage, token);
        assert_eq!((amount, again), (Some(U256::from(5)), Some(U256::from(5))), "{token}");
        assert!(warm < cold && warm == 1, "{token}: {cold} requests, and {warm} after the restart");
        world.pass_slots(2);
    }
}

/// A proxy whose code asks another contract: what it read is known after a restart, so that all of it is in one request.
#[test]
fn what_code_read_is_known_after_a_restart() {
    let (world, storage) = (world(32), MemoryStorage::new());
    let (library, pool) = (Address::repeat_byte(0x71), Address::repeat_byte(0x72));
    let code = format!("{} 32 0 0 0 {pool:?} GAS STATICCALL POP 0 MLOAD MUL {RETURN_WORD}", push_balance(0));
    world.chain.set_code(UNKNOWN, proxy_to("1 SLOAD"));
    world.chain.set_storage(UNKNOWN, B256::with_last_byte(1), U256::from_be_bytes(library.into_word().0));
    world.chain.set_storage(UNKNOWN, slot_of(ALICE, 0), U256::from(5));
    world.chain.set_code(library, assemble(&code));
    world.chain.set_code(pool, token_of("3 SLOAD"));
    world.chain.set_storage(pool, B256::with_last_byte(3), U256::from(2));
    world.pass_slots(2);
    let of_state = || {
        let log = world.simulation.internet().log();
        let asks = |body: &[u8]| String::from_utf8_lossy(body).contains("eth_getProof");
        log.iter().filter(|exchange| asks(&exchange.body)).count()
    };
    assert_eq!(first_read(&world, &storage, UNKNOWN).0, Some(U256::from(10)));
    let cold = of_state();
    world.chain.set_storage(pool, B256::with_last_byte(3), U256::from(3));
    world.pass_slots(2);
    assert_eq!(first_read(&world, &storage, UNKNOWN).0, Some(U256::from(15)));
    let warm = of_state() - cold;
    assert!(cold > 2 && warm == 1, "{cold} requests, and {warm} after the restart");
}

/// What was learned is only a guess: a token that was upgraded since costs a request more, and its amount is right.
#[test]
fn a_token_that_was_upgraded_meanwhile_costs_a_request() {
    let (world, storage) = (world(31), MemoryStorage::new());
    assert_eq!(first_read(&world, &storage, USDC).0, Some(U256::from(5)));
    point(&world.chain, USDC, WETH);
    set_word(&world.chain, USDC, "WETH9", ALICE, U256::from(70));
    world.pass_slots(4);
    let (amount, requests) = first_read(&world, &storage, USDC);
    assert_eq!(amount, Some(U256::from(70)));
    // One of them asks, at the same time, what the new code reads.
    assert!((2..=4).contains(&requests), "{requests} requests");
}

/// Storage that an attacker has written teaches nothing that is not proven, and leads to no false amount.
#[test]
fn hostile_storage_teaches_nothing() {
    for (seed, token) in (40..).zip(TOKENS) {
        let (world, storage) = (world(seed), MemoryStorage::new());
        read_all(&world, &start(&world, &storage));
        for (name, sealed) in entries(&storage).into_iter().filter(|(name, _)| name.starts_with("reading/")) {
            let mut value = sealed[..sealed.len() - 32].to_vec();
            let place = value.len() / 2;
            value[place] ^= 1;
            put(&storage, [Write { name: name.clone(), value: Some(with_record_checksum(&name, value)) }]);
        }
        world.pass_slots(2);
        let (amount, requests) = first_read(&world, &storage, token);
        assert_eq!(amount, Some(U256::from(5)), "{token}");
        assert!(requests > 1, "{token}: {requests}");
    }
}
