//! A proof that was taken at a rollup's head waits for L1 also while the app is closed. What is stored of it is checked again, and only
//! waits again: no level and no trust comes from the storage.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use saldo::{
    Client, Holding, Level, MemoryStorage, Policy, Reading, Storage, StorageError, StorageFault, Write,
};
use saldo_drill::{BeaconSource, Fault, Provider, RollupKind};
use saldo_tests::forge;
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::{ALICE, BOB};
use saldo_tests::slow_storage::SlowStorage;
use saldo_tests::stored::{entries, pending_parts, pending_record, put, with_record_checksum};
use saldo_tests::token::{WETH, deploy, set_word};

const KIND: RollupKind = RollupKind::Multiproof { interval: 60, step: 30 };
/// Begins the names of the rollup's records: the storage is first that of L1.
const OF_ROLLUP: &str = "network/84532/";

/// Opens the app.
fn open(world: &RollupWorld, storage: &(impl Storage + Clone + 'static)) -> Client {
    let rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test");
    world.of_l1().storage(storage.clone()).and(rollup).build().unwrap()
}

fn amount(reading: &Reading) -> Option<U256> {
    reading.proven().map(|proven| proven.amount().base_units())
}

/// The names of the stored proofs that wait, as the rollup knows them, with their records.
fn waiting(storage: &MemoryStorage) -> BTreeMap<String, Vec<u8>> {
    let own = |(name, value): (String, _)| Some((name.strip_prefix(OF_ROLLUP)?.to_owned(), value));
    entries(storage).into_iter().filter_map(own).filter(|(name, _)| name.starts_with("pending/")).collect()
}

/// A storage with the same entries, except that the proofs that wait are `waiting`.
fn with(storage: &MemoryStorage, waiting: &BTreeMap<String, Vec<u8>>) -> MemoryStorage {
    let changed = MemoryStorage::new();
    let is_other = |(name, _): &(String, Vec<u8>)| !name.contains("/pending/");
    let others = entries(storage).into_iter().filter(is_other);
    let waiting = waiting.iter().map(|(name, value)| (format!("{OF_ROLLUP}{name}"), value.clone()));
    put(&changed, others.chain(waiting).map(|(name, value)| Write { name, value: Some(value) }));
    changed
}

/// A world in which the app took a proof of Alice's 100 wei at the rollup's head and was closed, and the number of that head. From now
/// on the provider gives no proof at all.
fn closed(seed: u64) -> (RollupWorld, MemoryStorage, u64) {
    let (world, storage) = (RollupWorld::new(seed, KIND), MemoryStorage::new());
    world.provider.set_proof_window(0);
    let Reading::Provisional(provisional) = world.read(&open(&world, &storage), ALICE) else { panic!() };
    assert_eq!(provisional.unconfirmed_amount().unwrap().base_units(), U256::from(100));
    world.provider.set(Fault::NoProofs);
    let taken = world.rollup.chain().tip().number;
    (world, storage, taken)
}

/// L1 vouches for a block after the one of this number.
fn vouch(world: &RollupWorld, taken: u64) {
    world.propose_after(taken);
    world.pass(9);
}

#[test]
fn a_proof_that_was_taken_before_a_restart_is_proven_after_it() {
    let (world, storage, taken) = closed(1);
    assert_eq!(waiting(&storage).len(), 1);
    // Later Alice has another amount. No provider proves the one that the proof shows.
    world.rollup.chain().set_balance(ALICE, U256::from(7));
    world.pass(40);
    vouch(&world, taken);
    let client = open(&world, &storage);
    assert_eq!(client.storage_faults(), []);
    assert_eq!(client.last(&world.holding(ALICE)), None, "it only waits");
    let reading = world.read(&client, ALICE);
    assert_eq!(amount(&reading), Some(U256::from(100)), "{reading:?}");
    let proven = reading.proven().unwrap();
    assert!(!proven.is_restored() && proven.provider().as_str() == "l2");
    assert!(proven.anchor().number() <= taken && proven.anchor().number() + 2 > taken);
    // It is a reading now, and waits no more.
    assert!(waiting(&storage).is_empty());
    assert_eq!(
        open(&world, &storage).last(&world.holding(ALICE)).unwrap().amount().base_units(),
        U256::from(100)
    );
}

/// Without the storage the same world proves nothing: the test above tells them apart.
#[test]
fn without_a_storage_the_proof_is_gone() {
    let (world, _, taken) = closed(1);
    vouch(&world, taken);
    assert_eq!(amount(&world.read(&open(&world, &MemoryStorage::new()), ALICE)), None);
}

#[test]
fn a_restart_between_each_two_steps_changes_nothing() {
    let (world, storage, taken) = closed(2);
    let steps: [&dyn Fn(); 3] = [&|| world.pass(10), &|| drop(world.propose_after(taken)), &|| world.pass(9)];
    for step in steps {
        let reading = world.read(&open(&world, &storage), ALICE);
        assert_eq!((amount(&reading), waiting(&storage).len()), (None, 1), "{reading:?}");
        step();
    }
    assert_eq!(amount(&world.read(&open(&world, &storage), ALICE)), Some(U256::from(100)));
}

#[test]
fn the_balance_of_a_token_waits_too() {
    let (world, storage) = (RollupWorld::new(3, KIND), MemoryStorage::new());
    deploy(world.rollup.chain());
    set_word(world.rollup.chain(), WETH, "WETH9", ALICE, U256::from(5));
    world.pass(1);
    let token = Holding::erc20(world.holding(ALICE).network(), ALICE, WETH);
    let read = |client: &Client| world.simulation.run(client.read(&[token])).pop().unwrap();
    let reading = read(&open(&world, &storage));
    assert!(matches!(reading, Reading::Provisional(_)), "{reading:?}");
    let names: Vec<String> = waiting(&storage).into_keys().collect();
    assert!(names.len() == 1 && names[0].contains(&format!("{WETH:#x}")), "{names:?}");
    world.provider.set(Fault::NoProofs);
    vouch(&world, world.rollup.chain().tip().number);
    let client = open(&world, &storage);
    assert_eq!(client.storage_faults(), []);
    assert_eq!(amount(&read(&client)), Some(U256::from(5)));
}

#[test]
fn a_stored_proof_that_was_changed_is_dropped() {
    let (world, storage, taken) = closed(4);
    let (name, value) = waiting(&storage).pop_first().unwrap();
    // A bit is turned, or the end is missing: the seal tells.
    let changed = |value: Vec<u8>| with(&storage, &BTreeMap::from([(name.clone(), value)]));
    for bit in (0..value.len() * 8).step_by(97) {
        let mut value = value.clone();
        value[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&world, &changed(value)).storage_faults(), [StorageFault::Damaged], "bit {bit}");
    }
    // With a right seal, the proof and the header decide.
    let body = &value[..value.len() - 32];
    let mut dropped = Vec::new();
    for byte in 0..body.len() {
        let mut body = body.to_vec();
        body[byte] ^= 1;
        let storage = changed(with_record_checksum(&name, body));
        match &open(&world, &storage).storage_faults()[..] {
            // The time, or a part of the header beside the root.
            [] => {}
            [StorageFault::Damaged | StorageFault::Reading { .. }] => dropped.push(storage),
            other => panic!("byte {byte}: {other:?}"),
        }
    }
    assert!(dropped.len() > body.len() / 4, "{} of {}", dropped.len(), body.len());
    // None of them is ever an amount.
    vouch(&world, taken);
    for storage in dropped.iter().step_by(dropped.len() / 3) {
        let client = open(&world, storage);
        let reading = world.read(&client, ALICE);
        assert_eq!((amount(&reading), reading.latest_proven()), (None, None), "{reading:?}");
    }
}

#[test]
fn a_stored_proof_under_another_name_is_dropped() {
    let (world, storage, _) = closed(5);
    let (name, value) = waiting(&storage).pop_first().unwrap();
    let moved = name.replace(&format!("{ALICE:#x}"), &format!("{BOB:#x}"));
    assert_ne!(name, moved);
    let body = value[..value.len() - 32].to_vec();
    let storage = with(&storage, &BTreeMap::from([(moved.clone(), with_record_checksum(&moved, body))]));
    let faults = open(&world, &storage).storage_faults();
    assert!(
        matches!(faults[..], [StorageFault::Reading { holding, .. }] if holding == world.holding(BOB)),
        "{faults:?}"
    );
}

/// A state with one account: Alice's, which holds `wei`. Returns its root, and the proof of the account.
fn invented(wei: u64) -> (Bytes, Vec<Bytes>) {
    let word = |bytes: B256| forge::string(bytes.as_slice());
    let account = forge::list(&[
        forge::string(&[]),
        alloy_rlp::encode(U256::from(wei)),
        word(alloy_trie::EMPTY_ROOT_HASH),
        word(keccak256([])),
    ]);
    let leaf = forge::leaf(&forge::nibbles(keccak256(ALICE).as_slice()), &account);
    (keccak256(&leaf).to_vec().into(), vec![leaf.into()])
}

/// Software that writes the storage makes up a header whose state it likes, and a flawless proof under it.
#[test]
fn a_stored_header_that_is_made_up_leads_to_no_amount() {
    let (world, storage, taken) = closed(6);
    let genuine = waiting(&storage).pop_first().unwrap();
    let (provider, came, mut header, nodes) = pending_parts(&genuine.1);
    assert_eq!(
        pending_record(&(provider.clone(), came, header.clone(), nodes), 84_532, ALICE),
        genuine,
        "the test writes as saldo does"
    );
    let (root, nodes) = invented(1_000);
    header[3] = root;
    let forged = pending_record(&(provider, came, header.clone(), nodes.clone()), 84_532, ALICE);
    let other = pending_record(&("another".to_owned(), came, header, nodes), 84_532, ALICE);
    let storage = with(&storage, &BTreeMap::from([forged, other, genuine]));
    vouch(&world, taken);
    let client = open(&world, &storage);
    assert_eq!(client.storage_faults(), [], "nothing is wrong with it, except that no such block exists");
    let reading = world.read(&client, ALICE);
    assert_eq!(amount(&reading), Some(U256::from(100)), "the genuine one counts: {reading:?}");
    for _ in 0..4 {
        let reading = world.read(&client, ALICE);
        assert_eq!(amount(&reading), Some(U256::from(100)), "{reading:?}");
        world.pass(1);
    }
    assert!(waiting(&storage).is_empty(), "they are dropped when the block of that number is known");
}

/// The block exists, but on a fork that L1 does not vouch for.
#[test]
fn a_stored_proof_of_a_fork_never_counts() {
    let (world, storage) = (RollupWorld::new(7, KIND), MemoryStorage::new());
    let fork = world.rollup.chain().split();
    fork.set_balance(ALICE, U256::from(999));
    fork.advance(4);
    world.simulation.internet().register("http://l2.test", Provider::honest(&fork).proof_window(8));
    assert!(matches!(world.read(&open(&world, &storage), ALICE), Reading::Provisional(_)));
    assert_eq!(waiting(&storage).len(), 1);
    world.simulation.internet().register("http://l2.test", world.provider.clone());
    world.provider.set(Fault::NoProofs);
    vouch(&world, world.rollup.chain().tip().number);
    let client = open(&world, &storage);
    let reading = world.read(&client, ALICE);
    assert_eq!((amount(&reading), reading.latest_proven()), (None, None), "{reading:?}");
    assert!(waiting(&storage).is_empty(), "the block of that number is another");
}

#[test]
fn what_is_forgotten_is_removed() {
    let (world, storage) = (RollupWorld::new(8, KIND), MemoryStorage::new());
    let client = open(&world, &storage);
    let holdings = [ALICE, BOB].map(|owner| world.holding(owner));
    let _ = world.simulation.run(client.read(&holdings));
    // Another client of the same storage has it in memory too.
    let other = open(&world, &storage);
    assert_eq!(waiting(&storage).len(), 2);
    client.forget(&holdings[0]);
    let names = |owner: Address| {
        entries(&storage).iter().filter(|(name, _)| name.contains(&format!("{owner:#x}"))).count()
    };
    assert_eq!((names(ALICE), waiting(&storage).len()), (0, 1));
    // The other client meets that with its next write, and does not write it again.
    world.rollup.chain().set_balance(BOB, U256::from(3));
    world.pass(6);
    let _ = world.read(&other, BOB);
    assert_eq!((names(ALICE), waiting(&storage).len()), (0, 2));
    world.provider.set(Fault::NoProofs);
    vouch(&world, world.rollup.chain().tip().number);
    let client = open(&world, &storage);
    assert_eq!(amount(&world.read(&client, ALICE)), None);
    assert_eq!(amount(&world.read(&client, BOB)), Some(U256::from(3)));
    // Also where the app was closed in between.
    let (_, storage, _) = closed(9);
    let world = RollupWorld::new(9, KIND);
    open(&world, &storage).forget(&world.holding(ALICE));
    assert!(waiting(&storage).is_empty());
}

#[test]
fn a_new_start_of_trust_removes_it() {
    let (world, storage, taken) = closed(10);
    let client = open(&world, &storage);
    client.start_again(world.l1.checkpoint());
    assert!(waiting(&storage).is_empty());
    vouch(&world, taken);
    for client in [client, open(&world, &storage)] {
        assert_eq!(amount(&world.read(&client, ALICE)), None);
    }
}

/// Ethereum contradicts itself. Nothing that its chain vouches for later may turn what was taken before into an amount.
#[test]
fn a_contradiction_of_l1_removes_it() {
    let (mut world, storage, _) = closed(16);
    let other = world.l1.split();
    world.simulation.follow(&other);
    world.l1.set_balance(BOB, U256::from(1));
    world.pass(9);
    let internet = world.simulation.internet();
    internet.register(
        "http://source.test",
        BeaconSource::honest(&world.l1).with(Fault::Status(503).on("finality_update")),
    );
    internet.register("http://other.test", BeaconSource::honest(&other));
    let rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test");
    let l1 = world.of_l1().beacon("other=http://other.test").storage(storage.clone());
    let client = l1.and(rollup).build().unwrap();
    for _ in 0..4 {
        let reading = world.read(&client, ALICE);
        assert_eq!(amount(&reading), None, "{reading:?}");
        world.pass(1);
    }
    assert!(client.consensus_fault().is_some());
    assert!(waiting(&storage).is_empty());
}

/// A proof waits as long as the policy lets its block count: where L1 counts a claim as final after days, that long.
#[test]
fn a_policy_that_waits_longer_keeps_proofs_longer() {
    let finalized = Policy { assurance: Level::L1Finalized, ..Policy::rollup().at(Level::L1Finalized) };
    let short = Policy { max_age: Duration::from_secs(20 * 60), ..finalized };
    for (policy, expected) in [(short, None), (finalized, Some(U256::from(100)))] {
        let (world, storage) = (RollupWorld::new(17, KIND), MemoryStorage::new());
        let open = || {
            let rollup = Client::rollup(world.rollup.profile()).rpc("l2=http://l2.test").policy(policy);
            world.of_l1().storage(storage.clone()).and(rollup).build().unwrap()
        };
        let _ = world.read(&open(), ALICE);
        world.provider.set(Fault::NoProofs);
        let proposal = world.propose_after(world.rollup.chain().tip().number);
        world.pass(25);
        let _ = world.read(&open(), ALICE);
        assert_eq!(waiting(&storage).len(), usize::from(expected.is_some()));
        world.rollup.resolve(proposal.game(), true);
        world.pass(9);
        assert_eq!(amount(&world.read(&open(), ALICE)), expected);
    }
}

/// By default a block may be three hours old.
#[test]
fn a_proof_that_is_too_old_is_removed() {
    let (world, storage, _) = closed(11);
    world.pass(2 * 60 + 30);
    let _ = world.read(&open(&world, &storage), ALICE);
    assert_eq!(waiting(&storage).len(), 1);
    // It is as old as it is, not as old as the app has been running.
    world.pass(35);
    let client = open(&world, &storage);
    let _ = world.read(&client, ALICE);
    assert_eq!((waiting(&storage).len(), client.storage_faults()), (0, Vec::new()));
    // The same while the app is open.
    let (world, storage, _) = closed(11);
    let client = open(&world, &storage);
    for _ in 0..4 {
        world.pass(50);
        let _ = world.read(&client, ALICE);
    }
    assert!(waiting(&storage).is_empty());
}

#[test]
fn a_clock_that_went_back_keeps_no_proof_for_ever() {
    let (world, storage, taken) = closed(12);
    vouch(&world, taken);
    // It came tomorrow: by this clock nothing is known of its age.
    world.simulation.clock().set_behind(Duration::from_secs(24 * 60 * 60));
    let _ = world.read(&open(&world, &storage), ALICE);
    assert!(waiting(&storage).is_empty());
    // It came an hour ago by a clock that is three hours slow. When the clock is right again, its block is too old.
    let (world, storage, _) = closed(12);
    world.pass(4 * 60);
    world.simulation.clock().set_behind(Duration::from_secs(3 * 60 * 60));
    let client = open(&world, &storage);
    let _ = world.read(&client, ALICE);
    assert_eq!(waiting(&storage).len(), 1);
    world.simulation.clock().set_behind(Duration::ZERO);
    let _ = world.read(&client, ALICE);
    assert!(waiting(&storage).is_empty());
}

#[test]
fn what_each_of_two_clients_waits_for_is_kept() {
    let (world, storage) = (RollupWorld::new(13, KIND), MemoryStorage::new());
    let [one, other] = [open(&world, &storage), open(&world, &storage)];
    let _ = world.read(&one, ALICE);
    let _ = world.read(&other, BOB);
    world.pass(6);
    let _ = world.read(&one, ALICE);
    let owners = |owner: Address| {
        waiting(&storage).keys().filter(|name| name.contains(&format!("{owner:#x}"))).count()
    };
    assert!(owners(ALICE) > 0 && owners(BOB) > 0, "{:?}", waiting(&storage).keys());
    world.provider.set(Fault::NoProofs);
    vouch(&world, world.rollup.chain().tip().number);
    // One of them proves both, and the other is told by the storage.
    let client = open(&world, &storage);
    let holdings = [ALICE, BOB].map(|owner| world.holding(owner));
    let readings = world.simulation.run(client.read(&holdings));
    assert_eq!(readings.iter().map(amount).collect::<Vec<_>>(), [Some(U256::from(100)), Some(U256::ZERO)]);
    assert!(waiting(&storage).is_empty());
    world.provider.set(Fault::Status(503));
    let _ = world.read(&other, BOB);
    for client in [&client, &other] {
        assert_eq!(client.storage_faults(), []);
    }
}

/// A write that fails loses nothing: the next one has it.
#[test]
fn a_write_that_fails_is_made_good() {
    let (world, storage) = (RollupWorld::new(14, KIND), MemoryStorage::new());
    let slow = SlowStorage::new(&storage, world.simulation.clock());
    let client = open(&world, &slow);
    slow.set_failing(Some(StorageError::Io { kind: std::io::ErrorKind::StorageFull }));
    let _ = world.read(&client, ALICE);
    assert!(waiting(&storage).is_empty());
    slow.set_failing(None);
    let _ = world.read(&client, ALICE);
    assert_eq!(waiting(&storage).len(), 1);
}

/// One proof in five minutes is written for each holding and provider, and one at once if the amount is another.
#[test]
fn few_proofs_are_written() {
    let (world, storage) = (RollupWorld::new(15, KIND), MemoryStorage::new());
    let slow = SlowStorage::new(&storage, world.simulation.clock());
    let client = open(&world, &slow);
    let written = || {
        let of_pending = |write: &&Write| write.name.contains("/pending/") && write.value.is_some();
        slow.writes()
            .iter()
            .flatten()
            .filter(of_pending)
            .map(|write| write.value.as_ref().unwrap().len())
            .collect::<Vec<_>>()
    };
    for minute in 0..30 {
        // Each block of a real rollup has another state.
        world.rollup.chain().set_balance(BOB, U256::from(minute));
        let _ = world.read(&client, ALICE);
        world.pass(1);
    }
    assert!((5..=7).contains(&written().len()), "{:?}", written());
    assert!(written().iter().all(|bytes| *bytes < 8_192), "{:?}", written());
    let before = written().len();
    for amount in [1, 2, 2, 2] {
        world.rollup.chain().set_balance(ALICE, U256::from(amount));
        world.rollup.chain().set_balance(BOB, U256::from(100 + amount));
        world.pass(1);
        let _ = world.read(&client, ALICE);
    }
    assert!((2..=3).contains(&(written().len() - before)), "{:?}", written());
}
