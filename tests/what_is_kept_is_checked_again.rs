//! Whatever comes from storage is checked: what does not hold is dropped and said, the rest goes on, and no amount is ever
//! another than the one that was proven. A loss of power leaves what was there before or what is there after.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use alloy_primitives::U256;
use futures_util::FutureExt;
use saldo::{
    Amount, BoxedFuture, Client, ClientBuilder, Entries, Holding, MemoryStorage, RedbStorage, Storage,
    StorageError, StorageFault, StorageKey, Version, Write,
};
use saldo_tests::checkpoint_world::CheckpointWorld as Council;
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, UNUSED};
use saldo_tests::stored::{Durable, entries, put, with_record_checksum as sealed};

const HOLDINGS: [Holding; 3] = [native(ALICE), native(BOB), native(UNUSED)];

fn builder(council: &Council) -> ClientBuilder {
    council.builder().checkpoint(council.chain.checkpoint())
}

fn start(council: &Council, storage: &(impl Storage + Clone + 'static)) -> Client {
    builder(council).storage(storage.clone()).build().expect("the wallet starts")
}

fn read(council: &Council, client: &Client) {
    let readings = council.simulation.run(client.read(&HOLDINGS));
    assert!(readings.iter().all(|reading| reading.proven().is_some()), "{readings:?}");
}

fn amounts(client: &Client) -> [Option<Amount>; 3] {
    HOLDINGS.map(|holding| client.last(&holding).map(|last| last.amount()))
}

/// A world, and what its wallet kept of three holdings.
fn kept(seed: u64) -> (Council, MemoryStorage) {
    let (council, storage) = (Council::new(seed, 0), MemoryStorage::new());
    council.chain.set_balance(BOB, U256::from(7));
    council.pass_slots(3);
    let client = start(&council, &storage);
    read(&council, &client);
    assert!(client.storage_faults().is_empty());
    (council, storage)
}

fn of(records: &[(String, Vec<u8>)]) -> MemoryStorage {
    let storage = MemoryStorage::new();
    let write = |(name, value): &(String, Vec<u8>)| Write { name: name.clone(), value: Some(value.clone()) };
    put(&storage, records.iter().map(write));
    storage
}

/// With the record `name` changed, nothing that comes back is another amount; that it is missing is said.
#[track_caller]
fn assert_only_dropped(
    council: &Council,
    records: &[(String, Vec<u8>)],
    expected: [Option<Amount>; 3],
    name: &str,
) {
    let client = start(council, &of(records));
    let fault = if name == "saldo" { StorageFault::AllDropped } else { StorageFault::Damaged };
    assert!(client.storage_faults().contains(&fault), "{name}: {:?}", client.storage_faults());
    for (got, expected) in amounts(&client).into_iter().zip(expected) {
        assert!(got.is_none() || got == expected, "{name}: {got:?}");
    }
}

#[test]
fn a_flipped_bit_or_a_missing_end_drops_what_it_is_in() {
    let (council, storage) = kept(1);
    let records = entries(&storage);
    let expected = amounts(&start(&council, &storage));
    assert_eq!(
        expected.map(|amount| amount.map(|amount| amount.base_units())),
        [BEFORE, U256::from(7), U256::ZERO].map(Some)
    );
    for (place, (name, value)) in records.iter().enumerate() {
        let step = (value.len() * 8 / 40).max(1);
        for bit in (0..value.len() * 8).step_by(step) {
            let mut changed = records.clone();
            changed[place].1[bit / 8] ^= 1 << (bit % 8);
            assert_only_dropped(&council, &changed, expected, name);
        }
        for length in (0..value.len()).step_by((value.len() / 20).max(1)) {
            let mut changed = records.clone();
            changed[place].1.truncate(length);
            assert_only_dropped(&council, &changed, expected, name);
        }
    }
}

/// A reading that is put under another's name is not that one's.
#[test]
fn a_record_counts_under_its_own_name_alone() {
    let (council, storage) = kept(2);
    let records = entries(&storage);
    let expected = amounts(&start(&council, &storage));
    for first in 0..records.len() {
        for second in 0..first {
            let mut changed = records.clone();
            let (one, other) = (changed[first].1.clone(), changed[second].1.clone());
            (changed[first].1, changed[second].1) = (other, one);
            let (one, other) = (&records[first].0, &records[second].0);
            let name = if one == "saldo" { one } else { other };
            assert_only_dropped(&council, &changed, expected, name);
        }
    }
}

/// Even with the right checksum: the proof decides, under the header that is kept.
#[test]
fn a_proof_is_walked_again_under_its_header() {
    let (council, storage) = kept(3);
    let mut records: BTreeMap<String, Vec<u8>> = entries(&storage).into_iter().collect();
    let names: Vec<String> = records.keys().filter(|name| name.starts_with("reading/")).cloned().collect();
    let bodies: Vec<Vec<u8>> =
        names.iter().map(|name| records[name][..records[name].len() - 32].to_vec()).collect();
    let alice = names.iter().position(|name| name.contains("a1a1")).unwrap();
    let bob = names.iter().position(|name| name.contains("b0b0")).unwrap();
    records.insert(names[alice].clone(), sealed(&names[alice], bodies[bob].clone()));
    // Alice's own, with a bit of the balance in its leaf turned, is another trie's.
    let client = start(&council, &of(&records.clone().into_iter().collect::<Vec<_>>()));
    assert_eq!(client.last(&HOLDINGS[0]), None);
    assert!(
        matches!(client.storage_faults()[..], [StorageFault::Reading { holding, .. }] if holding == HOLDINGS[0])
    );
    for byte in (0..bodies[alice].len()).step_by(7) {
        let mut body = bodies[alice].clone();
        body[byte] ^= 1;
        records.insert(names[alice].clone(), sealed(&names[alice], body));
        let client = start(&council, &of(&records.clone().into_iter().collect::<Vec<_>>()));
        let last = client.last(&HOLDINGS[0]);
        // All that can be another is the name of who served it.
        assert!(last.is_none_or(|last| last.amount().base_units() == BEFORE), "byte {byte}");
    }
    // A header of another block, or one that is edited, is not the block's.
    let block = records.keys().find(|name| name.starts_with("block/")).cloned().unwrap();
    let body = records[&block][..records[&block].len() - 32].to_vec();
    records.insert(names[alice].clone(), sealed(&names[alice], bodies[alice].clone()));
    let state_root = start(&council, &storage).last(&HOLDINGS[0]).unwrap().anchor().state_root().get();
    let place = body.windows(32).position(|window| window == state_root).unwrap();
    let mut edited = body;
    edited[place] ^= 1;
    records.insert(block.clone(), sealed(&block, edited));
    let client = start(&council, &of(&records.clone().into_iter().collect::<Vec<_>>()));
    assert_eq!(amounts(&client), [None; 3]);
    assert!(matches!(client.storage_faults()[0], StorageFault::Block(_)), "{:?}", client.storage_faults());
}

/// Whoever writes the storage can have an older state believed, which shows as its age, and no other one without the key.
#[test]
fn a_key_closes_the_storage() {
    let council = Council::new(4, 0);
    let storage = MemoryStorage::new();
    let with = |byte: u8| {
        builder(&council).storage(storage.clone()).storage_key(StorageKey::new([byte; 32])).build().unwrap()
    };
    let client = with(1);
    read(&council, &client);
    assert_eq!(with(1).last(&HOLDINGS[0]).unwrap().amount().base_units(), BEFORE);
    let older = entries(&storage);

    // Another key, or none, opens nothing.
    for other in [with(2), start(&council, &storage)] {
        assert_eq!(amounts(&other), [None; 3]);
        assert_eq!(other.storage_faults(), [StorageFault::AllDropped]);
    }
    // What bears a checksum alone is dropped, one by one.
    for (name, value) in &older {
        let forged = sealed(name, value[..value.len() - 32].to_vec());
        put(&storage, [Write { name: name.clone(), value: Some(forged) }]);
        let fault = if name == "saldo" { StorageFault::AllDropped } else { StorageFault::Damaged };
        assert!(with(1).storage_faults().contains(&fault), "{name}");
        put(&storage, [Write { name: name.clone(), value: Some(value.clone()) }]);
    }
    // What was there before is only old.
    council.chain.set_balance(ALICE, AFTER);
    council.pass_slots(40);
    read(&council, &client);
    assert_eq!(with(1).last(&HOLDINGS[0]).unwrap().amount().base_units(), AFTER);
    let back = of(&older);
    let client = builder(&council).storage(back).storage_key(StorageKey::new([1; 32])).build().unwrap();
    let last = client.last(&HOLDINGS[0]).unwrap();
    assert_eq!(last.amount().base_units(), BEFORE);
    assert!(matches!(last.freshness(client.now(), client.policy()), saldo::Freshness::Old(_)));
    let reading = council.read(&client);
    assert_eq!(council.assert_true(&reading).amount().base_units(), AFTER);
    assert_eq!(format!("{:?}", StorageKey::new([7; 32])), "StorageKey(..)");
}

/// Any one record put back to what it was before: what is shown is what was proven then or since, and the next reading is
/// right.
#[test]
fn a_store_of_several_ages_is_only_old() {
    let (council, storage) = kept(10);
    let older: BTreeMap<String, Vec<u8>> = entries(&storage).into_iter().collect();
    council.chain.set_balance(ALICE, AFTER);
    council.pass_slots(40);
    read(&council, &start(&council, &storage));
    let newer: BTreeMap<String, Vec<u8>> = entries(&storage).into_iter().collect();
    let names: std::collections::BTreeSet<&String> = older.keys().chain(newer.keys()).collect();
    for name in names {
        let mut mixed = newer.clone();
        match older.get(name) {
            Some(value) => mixed.insert(name.clone(), value.clone()),
            None => mixed.remove(name),
        };
        let mixed = of(&mixed.into_iter().collect::<Vec<_>>());
        let client = start(&council, &mixed);
        let last = client.last(&HOLDINGS[0]);
        let amount = last.as_ref().map(|last| last.amount().base_units());
        assert!([None, Some(BEFORE), Some(AFTER)].contains(&amount), "{name}: {amount:?}");
        if let Some(last) = last {
            let true_amount = council.chain.balance_at(last.anchor().number(), ALICE);
            assert_eq!((amount, last.is_restored()), (true_amount, true), "{name}");
        }
        let reading = council.read(&client);
        assert_eq!(council.assert_true(&reading).amount().base_units(), AFTER, "{name}");
        assert_eq!(client.withdrawn(&HOLDINGS[0]), None, "{name}");
    }
}

/// What was damaged is written anew with the next reading, and then nothing is wrong any more.
#[test]
fn the_next_reading_mends_it() {
    let (council, storage) = kept(5);
    for (name, value) in entries(&storage) {
        let mut changed = value.clone();
        changed[0] ^= 1;
        put(&storage, [Write { name: name.clone(), value: Some(changed) }]);
        let client = start(&council, &storage);
        assert!(!client.storage_faults().is_empty());
        council.pass_slots(1);
        read(&council, &client);
        let again = start(&council, &storage);
        assert_eq!(again.storage_faults(), [], "{name}");
        assert!(amounts(&again).iter().all(Option::is_some));
    }
}

/// What somebody else keeps in the same place is left alone.
#[test]
fn foreign_records_are_left_alone() {
    let (council, storage) = kept(11);
    let foreign = ("somebody's words".to_owned(), vec![1, 2, 3]);
    let write = Write { name: foreign.0.clone(), value: Some(foreign.1.clone()) };
    put(&storage, [write]);
    let client = start(&council, &storage);
    assert_eq!(client.storage_faults(), []);
    council.pass_slots(1);
    read(&council, &client);
    client.start_again(council.chain.checkpoint());
    assert!(entries(&storage).contains(&foreign));
}

/// A planted block with a state of its own, from before Gloas, where a header does not hash to the block's hash: shown as
/// restored, it never comes to stand under the block that the chain has, and is gone with the first reading.
#[test]
fn a_planted_state_never_comes_to_stand_under_the_true_block() {
    let (council, storage) = kept(12);
    let records: BTreeMap<String, Vec<u8>> = entries(&storage).into_iter().collect();
    // Another chain, in which Alice has something else, and everything else is the same.
    let other = Council::new(12, 0);
    other.chain.set_balance(ALICE, AFTER);
    other.chain.set_balance(BOB, U256::from(7));
    other.pass_slots(3);
    let planted = MemoryStorage::new();
    read(&other, &start(&other, &planted));
    let foreign: BTreeMap<String, Vec<u8>> = entries(&planted).into_iter().collect();
    let body = |records: &BTreeMap<String, Vec<u8>>, name: &str| {
        let value = &records[name];
        value[..value.len() - 32].to_vec()
    };
    let name_of = |records: &BTreeMap<String, Vec<u8>>, part: &str| {
        records.keys().find(|name| name.contains(part)).cloned().unwrap()
    };
    let (block, foreign_block) = (name_of(&records, "block/"), name_of(&foreign, "block/"));
    let (reading, foreign_reading) =
        (name_of(&records, "reading/31337/0xa1a1"), name_of(&foreign, "reading/31337/0xa1a1"));
    let hash = |name: &str| alloy_primitives::hex::decode(name.rsplit('/').next().unwrap()).unwrap();
    // The foreign block under the true one's hash, with the root that belongs to the edited header.
    let mut edited = body(&foreign, &foreign_block);
    let place = edited.windows(32).position(|window| window == hash(&foreign_block)).unwrap();
    edited[place..place + 32].copy_from_slice(&hash(&block));
    let before = foreign_root(&body(&foreign, &foreign_block));
    let after = foreign_root(&edited);
    let place = edited.windows(32).position(|window| window == before).unwrap();
    edited[place..place + 32].copy_from_slice(&after);
    let mut mixed = records;
    mixed.insert(block.clone(), sealed(&block, edited));
    mixed.insert(reading.clone(), sealed(&reading, body(&foreign, &foreign_reading)));
    let mixed = of(&mixed.into_iter().collect::<Vec<_>>());

    // The light client that is kept knows the block, and what its state is: the planted one does not come back at all.
    let client = start(&council, &mixed);
    assert_eq!(client.last(&HOLDINGS[0]), None);
    // Without it nobody knows better, until somebody is asked.
    let gone = Write { name: "light-client".to_owned(), value: None };
    put(&mixed, [gone]);
    let client = start(&council, &mixed);
    let last = client.last(&HOLDINGS[0]).expect("it is believed");
    assert!(last.is_restored() && last.amount().base_units() == AFTER);
    let finalized = council.simulation.run(client.finalized(&HOLDINGS[..1])).pop().unwrap();
    assert_eq!(council.assert_true(&finalized).amount().base_units(), BEFORE);
    let reading = council.read(&client);
    assert_eq!(council.assert_true(&reading).amount().base_units(), BEFORE);
    while council.chain.finalized().number < last.anchor().number() + 2 {
        council.pass_slots(4);
        council.assert_true(&council.simulation.run(client.finalized(&HOLDINGS[..1])).pop().unwrap());
    }
    assert_eq!(client.last(&HOLDINGS[0]).unwrap().amount().base_units(), BEFORE);
}

/// The older readings of a holding are checked only when they are needed. What does not verify is said then too.
#[test]
fn a_damaged_older_reading_is_said_when_it_is_needed() {
    let (council, storage) = kept(21);
    let client = start(&council, &storage);
    let older = client.last(&HOLDINGS[0]).unwrap().anchor().hash();
    council.pass_slots(2);
    read(&council, &client);
    drop(client);
    let part = format!("{older:#x}");
    let is_older = |name: &str| name.starts_with("reading/31337/0xa1a1") && name.ends_with(&part);
    let (name, value) =
        entries(&storage).into_iter().find(|(name, _)| is_older(name)).expect("both are kept");
    let mut body = value[..value.len() - 32].to_vec();
    let middle = body.len() / 2;
    body[middle] ^= 1;
    put(&storage, [Write { name: name.clone(), value: Some(sealed(&name, body)) }]);

    let client = start(&council, &storage);
    assert!(client.storage_faults().is_empty(), "{:?}", client.storage_faults());
    let reading = council.simulation.run(client.finalized(&HOLDINGS[..1])).pop().unwrap();
    council.assert_true(&reading);
    let faults = client.storage_faults();
    assert!(
        matches!(faults[..], [StorageFault::Reading { holding, .. }] if holding == HOLDINGS[0]),
        "{faults:?}"
    );
}

/// The hash tree root that stands in the record of a block, worked out from the payload header in it.
fn foreign_root(block: &[u8]) -> [u8; 32] {
    saldo_tests::stored::payload_root(block).0
}

fn failed<T: Send + 'static>(error: StorageError) -> BoxedFuture<'static, Result<T, StorageError>> {
    std::future::ready(Err(error)).boxed()
}

/// Fails at one of its writes: before it happens, or after.
#[derive(Clone)]
struct Failing {
    inner: MemoryStorage,
    writes: Arc<AtomicUsize>,
    at: usize,
    after: bool,
}

impl Storage for Failing {
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
        self.inner.load()
    }

    fn apply(
        &self,
        changes: Vec<Write>,
        expected: Version,
    ) -> BoxedFuture<'_, Result<Version, StorageError>> {
        let fails = self.writes.fetch_add(1, Ordering::Relaxed) == self.at;
        if !fails {
            return self.inner.apply(changes, expected);
        }
        if self.after {
            put(&self.inner, changes);
        }
        failed(StorageError::Io { kind: std::io::ErrorKind::StorageFull })
    }
}

/// At every write of a wallet's day: what is found afterwards is a state that the wallet was in.
#[test]
fn a_failed_write_leaves_the_old_state_or_the_new_one() {
    for after in [false, true] {
        for at in 0..5 {
            let council = Council::new(6, 0);
            let writes = Arc::new(AtomicUsize::new(0));
            let storage = Failing { inner: MemoryStorage::new(), writes: Arc::clone(&writes), at, after };
            let client = start(&council, &storage);
            let mut states = vec![[None; 3]];
            for round in 0_u64..6 {
                council.chain.set_balance(BOB, U256::from(round));
                council.pass_slots(2);
                read(&council, &client);
                states.push(amounts(&client));
                let found = amounts(&start(&council, &storage.inner));
                let is_failed =
                    client.storage_faults().iter().any(|fault| matches!(fault, StorageFault::Unwritten(_)));
                let newest = &states[states.len() - 2..];
                assert!(newest.contains(&found), "write {at}, round {round}: {found:?} of {newest:?}");
                assert!(is_failed || found == newest[1], "write {at}, round {round}");
            }
            assert!(writes.load(Ordering::Relaxed) > at, "the write that fails was reached");
            assert_eq!(client.storage_faults(), [], "written with the next reading");
            assert_eq!(amounts(&start(&council, &storage.inner)), states[states.len() - 1]);
        }
    }
}

/// Storage that cannot be read, and storage that takes nothing.
#[test]
fn a_storage_that_is_not_there_stops_nobody() {
    struct Broken;
    impl Storage for Broken {
        fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
            failed(StorageError::Damaged)
        }
        fn apply(&self, _: Vec<Write>, _: Version) -> BoxedFuture<'_, Result<Version, StorageError>> {
            failed(StorageError::Damaged)
        }
    }
    let council = Council::new(7, 0);
    let client = builder(&council).storage(Broken).build().unwrap();
    assert_eq!(client.storage_faults(), [StorageFault::Unreadable(StorageError::Damaged)]);
    read(&council, &client);
    read(&council, &client);
    // Nothing is written where nothing could be read.
    assert_eq!(client.storage_faults(), [StorageFault::Unreadable(StorageError::Damaged)]);
}

/// Storage that can be read only after a while, as before a phone is unlocked: nothing is written over what is there, and
/// then it is as if it had been read at once.
#[test]
fn what_cannot_be_read_yet_is_not_written_over() {
    #[derive(Clone)]
    struct Locked(MemoryStorage, Arc<std::sync::atomic::AtomicBool>);
    impl Storage for Locked {
        fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
            if self.1.load(Ordering::Relaxed) { failed(StorageError::Damaged) } else { self.0.load() }
        }
        fn apply(
            &self,
            changes: Vec<Write>,
            expected: Version,
        ) -> BoxedFuture<'_, Result<Version, StorageError>> {
            self.0.apply(changes, expected)
        }
    }
    let (council, storage) = kept(13);
    let before = entries(&storage);
    let locked = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let client = start(&council, &Locked(storage.clone(), Arc::clone(&locked)));
    council.pass_slots(2);
    council.assert_true(&council.read(&client));
    assert_eq!(entries(&storage), before);
    assert_eq!(client.last(&HOLDINGS[1]), None);
    locked.store(false, Ordering::Relaxed);
    council.pass_slots(2);
    council.assert_true(&council.read(&client));
    assert!(client.last(&HOLDINGS[1]).is_some_and(|last| last.is_restored()));
    assert!(!client.last(&HOLDINGS[0]).unwrap().is_restored());
    let again = start(&council, &storage);
    assert!(again.storage_faults().is_empty());
    assert_eq!(
        again.last(&HOLDINGS[0]).map(|last| last.anchor().number()),
        client.last(&HOLDINGS[0]).map(|last| last.anchor().number())
    );
    // And where everything was given up meanwhile, nothing of it comes back.
    locked.store(true, Ordering::Relaxed);
    let client = start(&council, &Locked(storage.clone(), Arc::clone(&locked)));
    client.start_again(council.chain.checkpoint());
    locked.store(false, Ordering::Relaxed);
    council.assert_true(&council.read(&client));
    assert_eq!(client.last(&HOLDINGS[1]), None);
    assert_eq!(start(&council, &storage).last(&HOLDINGS[1]), None);
}

/// Counts, and takes nothing.
struct ReadOnly(MemoryStorage, Arc<Mutex<usize>>);

impl Storage for ReadOnly {
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
        self.0.load()
    }
    fn apply(&self, _: Vec<Write>, _: Version) -> BoxedFuture<'_, Result<Version, StorageError>> {
        *self.1.lock().unwrap() += 1;
        failed(StorageError::ReadOnly)
    }
    fn is_read_only(&self) -> bool {
        true
    }
}

#[test]
fn a_widget_reads_and_writes_nothing() {
    let (council, storage) = kept(8);
    let writes = Arc::new(Mutex::new(0));
    let widget = builder(&council).storage(ReadOnly(storage, Arc::clone(&writes))).build().unwrap();
    assert_eq!(widget.last(&HOLDINGS[0]).unwrap().amount().base_units(), BEFORE);
    read(&council, &widget);
    widget.start_again(council.chain.checkpoint());
    read(&council, &widget);
    assert_eq!((*writes.lock().unwrap(), widget.storage_faults()), (0, Vec::new()));
}

/// In a file: one writes, any number read beside it, and a second one that would write is told so.
#[test]
fn one_writes_the_file_and_others_read_it() {
    let council = Council::new(9, 0);
    let folder = std::env::temp_dir().join(format!("saldo-kept-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("saldo.redb");
    let not_there = RedbStorage::read_only(&path).unwrap_err();
    assert_eq!(not_there, StorageError::Io { kind: std::io::ErrorKind::NotFound });
    let client = builder(&council).storage(Durable(RedbStorage::open(&path).unwrap())).build().unwrap();
    read(&council, &client);
    let widget = || builder(&council).storage(RedbStorage::read_only(&path).unwrap()).build().unwrap();
    let widgets = [widget(), widget()];
    for widget in &widgets {
        assert_eq!(amounts(widget), amounts(&client));
        assert!(widget.storage_faults().is_empty());
    }
    assert_eq!(RedbStorage::open(&path).unwrap_err(), StorageError::InUse);
    // What is written later is there for who opens it later.
    council.chain.set_balance(ALICE, AFTER);
    council.pass_slots(2);
    read(&council, &client);
    assert_eq!(client.storage_faults(), []);
    assert_eq!(widget().last(&HOLDINGS[0]).unwrap().amount().base_units(), AFTER);
    drop((client, widgets));
    council.simulation.internet().set_offline(true);
    let again = builder(&council).storage(RedbStorage::open(&path).unwrap()).build().unwrap();
    assert_eq!(again.last(&HOLDINGS[0]).unwrap().amount().base_units(), AFTER);
    drop(again);

    // A file that is damaged is refused, and nothing panics. Who only reads does not check every page.
    let bytes = std::fs::read(&path).unwrap();
    let mut refused = 0;
    let step = bytes.len() / 61;
    for place in (0..bytes.len()).step_by(step) {
        let mut damaged = bytes.clone();
        damaged[place..(place + 64).min(bytes.len())].fill(0x5a);
        std::fs::write(&path, &damaged).unwrap();
        for (storage, is_checked) in
            [(RedbStorage::open(&path), true), (RedbStorage::read_only(&path), false)]
        {
            let Ok(storage) = storage else {
                refused += 1;
                continue;
            };
            let client = builder(&council).storage(storage).build().unwrap();
            // Where the newest reading is lost, the one before it is there, and says how old it is.
            let is_all_there = is_checked && client.storage_faults().is_empty();
            let expected = [(AFTER, BEFORE), (U256::ZERO, U256::ZERO), (U256::ZERO, U256::ZERO)];
            for (got, (newest, older)) in
                amounts(&client).map(|got| got.map(|got| got.base_units())).into_iter().zip(expected)
            {
                assert!(got.is_none_or(|got| got == newest || got == older), "byte {place}");
                assert!(!is_all_there || got == Some(newest), "byte {place}");
            }
        }
        std::fs::write(&path, &bytes[..place]).unwrap();
        let _ = RedbStorage::open(&path).map(|storage| builder(&council).storage(storage).build().unwrap());
    }
    assert!(refused > 0);
    std::fs::remove_dir_all(&folder).unwrap();
}
