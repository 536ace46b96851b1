//! Several clients may write one storage, as the tabs of a browser do. None loses what another wrote, nothing older replaces
//! something newer, and what one of them removed stays removed.

use saldo::{Checkpoint, Client, Holding, MemoryStorage, Storage, StorageError, StorageFault};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, BOB, UNUSED};
use saldo_tests::slow_storage::SlowStorage;
use saldo_tests::stored::{Durable, entries};

const ALICES: Holding = native(ALICE);
const BOBS: Holding = native(BOB);
const UNUSEDS: Holding = native(UNUSED);

fn start(world: &CheckpointWorld, storage: &(impl Storage + Clone + 'static)) -> Client {
    let builder = world.builder().checkpoint(world.chain.checkpoint()).storage(storage.clone());
    builder.build().expect("the wallet starts")
}

fn number(client: &Client, holding: &Holding) -> Option<u64> {
    client.last(holding).map(|last| last.anchor().number())
}

#[track_caller]
fn prove(world: &CheckpointWorld, client: &Client, holding: Holding) -> u64 {
    let reading = world.simulation.run(client.read(&[holding])).pop().unwrap();
    let proven = reading.proven().unwrap_or_else(|| panic!("{:?}", reading.why()));
    proven.anchor().number()
}

#[test]
fn what_both_wrote_is_there_in_either_order() {
    for [first, second] in [[ALICES, BOBS], [BOBS, ALICES]] {
        let (world, storage) = (CheckpointWorld::new(1, 0), MemoryStorage::new());
        let [one, other] = [start(&world, &storage), start(&world, &storage)];
        let mine = prove(&world, &one, first);
        world.pass_slots(1);
        let theirs = prove(&world, &other, second);
        assert!(theirs > mine);
        // The second client met the first one's write, and learned of it.
        assert_eq!(number(&other, &first), Some(mine));
        assert!(other.last(&first).unwrap().is_restored());
        // Then the first client meets the second one's.
        world.pass_slots(1);
        let third = prove(&world, &one, UNUSEDS);
        assert_eq!(number(&one, &second), Some(theirs));
        let again = start(&world, &storage);
        let stored = [first, second, UNUSEDS].map(|holding| number(&again, &holding));
        assert_eq!(stored, [Some(mine), Some(theirs), Some(third)]);
        for client in [&one, &other, &again] {
            assert_eq!(client.storage_faults(), []);
        }
    }
}

/// One client could not write for a while. When it can, the other has stored a newer reading of the same holding.
#[test]
fn nothing_older_replaces_something_newer() {
    let (world, storage) = (CheckpointWorld::new(2, 0), MemoryStorage::new());
    let slow = SlowStorage::new(&storage, world.simulation.clock());
    let [one, other] = [start(&world, &slow), start(&world, &storage)];
    slow.set_failing(Some(StorageError::Io { kind: std::io::ErrorKind::StorageFull }));
    let older = prove(&world, &one, ALICES);
    assert!(matches!(one.storage_faults()[..], [StorageFault::Unwritten(_)]));
    world.chain.set_balance(ALICE, AFTER);
    world.pass_slots(2);
    let newer = prove(&world, &other, ALICES);
    assert!(newer > older);
    slow.set_failing(None);
    world.simulation.internet().set_offline(true);
    world.simulation.run(one.read(&[UNUSEDS]));
    assert_eq!(one.storage_faults(), []);
    for client in [&one, &other, &start(&world, &storage)] {
        let last = client.last(&ALICES).unwrap();
        assert_eq!((last.anchor().number(), last.amount().base_units()), (newer, AFTER));
    }
    // What the first client proved is not lost either: it is there to fall back to.
    let readings = entries(&storage).iter().filter(|(name, _)| name.starts_with("reading/")).count();
    assert_eq!(readings, 2);
}

/// The light client that has come further stays.
#[test]
fn the_light_client_that_has_come_further_stays() {
    let (world, storage) = (CheckpointWorld::new(3, 0), MemoryStorage::new());
    let one = start(&world, &storage);
    prove(&world, &one, ALICES);
    world.pass_slots(40);
    let other = start(&world, &storage);
    prove(&world, &other, BOBS);
    let light_client = || entries(&storage).into_iter().find(|(name, _)| name == "light-client").unwrap();
    let further = light_client();
    // The first client stores something without having seen a newer head.
    world.simulation.internet().set_offline(true);
    one.forget(&UNUSEDS);
    world.simulation.run(one.read(&[UNUSEDS]));
    assert_eq!(light_client(), further);
    assert!(start(&world, &storage).last(&BOBS).is_some());
}

/// One client forgets a holding that the other knows.
#[test]
fn what_one_forgets_the_other_does_not_write_again() {
    let (world, storage) = (CheckpointWorld::new(4, 0), MemoryStorage::new());
    let one = start(&world, &storage);
    prove(&world, &one, ALICES);
    let other = start(&world, &storage);
    assert!(other.last(&ALICES).is_some());
    one.forget(&ALICES);
    world.pass_slots(1);
    prove(&world, &other, BOBS);
    let again = start(&world, &storage);
    assert_eq!(again.last(&ALICES), None);
    assert!(again.last(&BOBS).is_some());
    let address = format!("{ALICE:#x}");
    assert!(entries(&storage).iter().all(|(name, _)| !name.contains(&address)));
}

/// In one client trust starts again elsewhere. The other follows as soon as it meets that, and writes nothing from the old
/// start.
#[test]
fn a_restart_in_one_client_counts_in_the_other() {
    let (world, storage) = (CheckpointWorld::new(5, 0), MemoryStorage::new());
    let [one, other] = [start(&world, &storage), start(&world, &storage)];
    prove(&world, &one, ALICES);
    let elsewhere = Checkpoint { root: alloy_primitives::B256::repeat_byte(9), slot: None };
    one.start_again(elsewhere);
    let reading = world.simulation.run(other.read(&[BOBS])).pop().unwrap();
    assert_eq!((reading.proven(), other.last(&BOBS)), (None, None));
    assert!(entries(&storage).iter().all(|(name, _)| !name.starts_with("reading/")));
    // The other starts again at a true block. The first client learns that with its next write.
    other.start_again(world.chain.checkpoint());
    one.forget(&ALICES);
    prove(&world, &one, ALICES);
    prove(&world, &other, BOBS);
    let again = start(&world, &storage);
    assert!(again.last(&ALICES).is_some() && again.last(&BOBS).is_some());
}

/// A storage that is always ahead: the read ends, the client says so, and nothing is lost.
#[test]
fn endless_conflicts_end_the_write_and_not_the_reading() {
    let (world, storage) = (CheckpointWorld::new(6, 0), MemoryStorage::new());
    let slow = SlowStorage::new(&storage, world.simulation.clock());
    let client = start(&world, &slow);
    slow.set_failing(Some(StorageError::Conflict));
    prove(&world, &client, ALICES);
    assert_eq!(client.storage_faults(), [StorageFault::Unwritten(StorageError::Conflict)]);
    assert!(slow.writes().len() <= 10, "{}", slow.writes().len());
    assert!(entries(&storage).is_empty());
    slow.set_failing(None);
    world.simulation.internet().set_offline(true);
    world.simulation.run(client.read(&[UNUSEDS]));
    assert_eq!(client.storage_faults(), []);
    assert!(start(&world, &storage).last(&ALICES).is_some());
}

/// The storage is emptied while a client has it open: it goes on with what it proves from then on.
#[test]
fn an_emptied_storage_is_filled_again() {
    let (world, storage) = (CheckpointWorld::new(7, 0), MemoryStorage::new());
    let client = start(&world, &storage);
    prove(&world, &client, ALICES);
    let gone = entries(&storage).into_iter().map(|(name, _)| saldo::Write { name, value: None });
    saldo_tests::stored::put(&storage, gone.collect::<Vec<_>>());
    world.pass_slots(1);
    prove(&world, &client, BOBS);
    let again = start(&world, &storage);
    assert!(again.last(&BOBS).is_some());
    assert_eq!(again.storage_faults(), []);
    let names: Vec<String> = entries(&storage).into_iter().map(|(name, _)| name).collect();
    for owner in [ALICE, BOB] {
        assert!(names.contains(&format!("disclosed/{owner:#x}")), "{names:?}");
    }
}

/// The same with a file: clones of one `RedbStorage` are one storage.
#[test]
fn clones_of_a_file_are_one_storage() {
    let world = CheckpointWorld::new(8, 0);
    let folder = std::env::temp_dir().join(format!("saldo-shared-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("saldo.redb");
    let storage = saldo::RedbStorage::open(&path).unwrap();
    let builder = || world.builder().checkpoint(world.chain.checkpoint());
    let client = || builder().storage(Durable(storage.clone())).build().unwrap();
    let [one, other] = [client(), client()];
    prove(&world, &one, ALICES);
    prove(&world, &other, BOBS);
    assert_eq!(other.last(&ALICES).unwrap().amount().base_units(), BEFORE);
    drop((one, other, storage));
    // The thread that writes has ended, so the file can be opened again.
    let again = builder().storage(saldo::RedbStorage::open(&path).unwrap()).build().unwrap();
    assert!(again.last(&ALICES).is_some() && again.last(&BOBS).is_some());
    drop(again);
    std::fs::remove_dir_all(&folder).unwrap();
}
