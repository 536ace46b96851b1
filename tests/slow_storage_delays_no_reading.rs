//! Storage may be slow, or not ready when the client is built. A call waits for it until its own deadline and no longer; the
//! next call goes on, and nothing that was proven or removed is lost.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{
    Change, Checkpoint, Client, Clock, Holding, MemoryStorage, Network, StorageError, StorageFault,
    StorageRefusal, Write,
};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BOB, UNUSED};
use saldo_tests::slow_storage::SlowStorage;
use saldo_tests::stored::entries;

const ALICES: Holding = native(ALICE);
const BOBS: Holding = native(BOB);
const UNUSEDS: Holding = native(UNUSED);
const MINUTE: Duration = Duration::from_secs(60);

fn start(world: &CheckpointWorld, storage: &(impl saldo::Storage + Clone + 'static)) -> Client {
    let builder = world.builder().checkpoint(world.chain.checkpoint()).storage(storage.clone());
    builder.build().expect("the wallet starts")
}

/// A world, and a storage of it that is ready at once until it is told otherwise.
fn new_world(seed: u64) -> (CheckpointWorld, SlowStorage) {
    let world = CheckpointWorld::new(seed, 0);
    let storage = SlowStorage::new(&MemoryStorage::new(), world.simulation.clock());
    (world, storage)
}

/// A world whose wallet has stored a reading of Alice's balance.
fn world_with_reading(seed: u64) -> (CheckpointWorld, SlowStorage) {
    let (world, storage) = new_world(seed);
    world.assert_true(&world.read(&start(&world, &storage)));
    world.pass_slots(2);
    (world, storage)
}

/// How long `future` takes in virtual time, and what it gives.
fn timed<T>(world: &CheckpointWorld, future: impl Future<Output = T>) -> (Duration, T) {
    let clock = world.simulation.clock();
    let before = clock.monotonic();
    let output = world.simulation.run(future);
    (clock.monotonic() - before, output)
}

fn puts(writes: &[Vec<Write>], prefix: &str) -> Vec<usize> {
    let is_put = |write: &Write| write.value.is_some() && write.name.starts_with(prefix);
    writes.iter().map(|changes| changes.iter().filter(|write| is_put(write)).count()).collect()
}

fn bootstraps(world: &CheckpointWorld) -> usize {
    let log = world.simulation.internet().log();
    log.iter().filter(|exchange| format!("{exchange:?}").contains("light_client/bootstrap")).count()
}

#[test]
fn a_slow_write_does_not_outlast_the_deadline() {
    let (world, storage) = new_world(1);
    let client = start(&world, &storage);
    let deadline = client.policy().deadline;
    storage.set_write(MINUTE);
    let (took, reading) = timed(&world, client.balance(ALICE));
    world.assert_true(&reading);
    assert!(took <= deadline, "{took:?}");
    // It says nothing else while the write is under way, and no second write is begun.
    let (took, reading) = timed(&world, client.balance(ALICE));
    world.assert_true(&reading);
    assert!(took <= deadline, "{took:?}");
    assert_eq!(client.storage_faults(), []);
    assert_eq!((storage.writes().len(), entries(&storage.inner).len()), (1, 0));

    // The next call finishes it, and what was proven meanwhile follows in its order.
    world.simulation.pass(MINUTE);
    storage.set_write(Duration::ZERO);
    let last = world.read(&client);
    let last = world.assert_true(&last);
    assert_eq!(puts(&storage.writes(), "reading/"), [1, 1]);
    let again = start(&world, &storage.inner);
    assert_eq!(again.last(&ALICES).map(|last| last.anchor().hash()), Some(last.anchor().hash()));
    assert_eq!(again.storage_faults(), []);
}

/// A call that has no time left starts the write all the same.
#[test]
fn a_write_is_started_also_without_time_left() {
    let (world, storage) = new_world(2);
    let client = start(&world, &storage);
    storage.set_failing(Some(StorageError::Io { kind: std::io::ErrorKind::StorageFull }));
    world.assert_true(&world.read(&client));
    assert!(entries(&storage.inner).is_empty());
    storage.set_failing(None);
    world.simulation.internet().set_offline(true);
    let _ = client.refresh(Duration::ZERO).now_or_never();
    assert!(start(&world, &storage.inner).last(&ALICES).is_some());
}

/// The app drops the read while it waits for the storage: the next call goes on with the very same write.
#[test]
fn a_dropped_read_loses_no_write() {
    let (world, storage) = new_world(3);
    let client = start(&world, &storage);
    storage.set_write(Duration::from_secs(3));
    let clock = world.simulation.clock();
    let dropped = async {
        let wait = clock.sleep(Duration::from_millis(2_500));
        matches!(select(client.balance(ALICE).boxed(), wait).await, Either::Right(_))
    };
    assert!(world.simulation.run(dropped), "the read was still waiting");
    assert!(client.last(&ALICES).is_some());
    assert_eq!((storage.writes().len(), entries(&storage.inner).len()), (1, 0));
    // Nothing can be proven any more, but the write goes on.
    world.simulation.internet().set_offline(true);
    world.simulation.pass(MINUTE);
    world.simulation.run(client.refresh(Duration::from_secs(5)));
    assert_eq!(storage.writes().len(), 1);
    assert!(start(&world, &storage.inner).last(&ALICES).is_some());
}

/// A write that an earlier call began fails while the next call waits for it. That call writes once more.
#[test]
fn a_write_of_an_earlier_call_that_fails_is_tried_once_more() {
    let (world, storage) = new_world(13);
    let client = start(&world, &storage);
    storage.set_write(Duration::from_secs(3));
    storage.set_failing(Some(StorageError::InUse));
    let clock = world.simulation.clock();
    let dropped = async {
        let wait = clock.sleep(Duration::from_millis(2_500));
        matches!(select(client.balance(ALICE).boxed(), wait).await, Either::Right(_))
    };
    assert!(world.simulation.run(dropped), "the read was still waiting");
    storage.set_write(Duration::ZERO);
    storage.set_failing(None);
    world.simulation.internet().set_offline(true);
    world.simulation.run(client.refresh(Duration::from_secs(5)));
    assert_eq!(storage.writes().len(), 2);
    assert!(start(&world, &storage.inner).last(&ALICES).is_some());
}

/// Two calls wait for one write. One of them is dropped, and the other sees it through.
#[test]
fn two_calls_wait_for_one_write() {
    let (world, storage) = new_world(4);
    let client = start(&world, &storage);
    storage.set_write(Duration::from_millis(1_500));
    let clock = world.simulation.clock();
    let first = select(client.balance(ALICE).boxed(), clock.sleep(Duration::from_secs(1)));
    let second = async {
        clock.sleep(Duration::from_millis(700)).await;
        client.balance(ALICE).await
    };
    let (_, reading) = world.simulation.run(futures_util::future::join(first, second));
    world.assert_true(&reading);
    assert_eq!(storage.writes().len(), 1);
    assert!(start(&world, &storage.inner).last(&ALICES).is_some());
}

#[test]
fn a_storage_that_is_pending_is_restored_by_the_first_call() {
    let (world, storage) = world_with_reading(5);
    storage.set_load(Duration::from_millis(100));
    let bootstrapped = bootstraps(&world);
    let client = start(&world, &storage);
    assert_eq!((client.last(&ALICES), client.storage_faults()), (None, Vec::new()));
    let reading = world.read(&client);
    world.assert_true(&reading);
    // The light client goes on from where it was.
    assert_eq!(bootstraps(&world), bootstrapped);

    // A watch tells it first.
    let client = start(&world, &storage);
    let mut watch = client.watch([ALICES]);
    let first = world.simulation.run(watch.next());
    let Change::Remembered { holding: ALICES, last: Some(last), .. } = first else { panic!("{first:?}") };
    assert!(last.is_restored());

    // Offline, what was stored is what there is.
    world.simulation.internet().set_offline(true);
    let client = start(&world, &storage);
    let reading = world.read(&client);
    assert_eq!(reading.why().map(saldo::Why::code), Some("device_offline"));
    assert!(reading.latest_proven().is_some_and(saldo::Proven::is_restored));

    // A background job reads what was stored, although nothing else names it.
    let client = start(&world, &storage);
    let refreshed = world.simulation.run(client.refresh(Duration::from_secs(5)));
    assert_eq!(refreshed.iter().map(|(holding, _)| *holding).collect::<Vec<_>>(), [ALICES]);
}

/// A storage that takes longer than any read: what is proven is handed out in time, and is merged with what is stored.
#[test]
fn a_storage_that_stays_pending_delays_no_reading() {
    let (world, storage) = new_world(6);
    let first = start(&world, &storage);
    world.simulation.run(first.read(&[ALICES, BOBS]));
    world.pass_slots(2);
    storage.set_load(MINUTE);
    let client = start(&world, &storage);
    let deadline = client.policy().deadline;
    let (took, reading) = timed(&world, client.balance(ALICE));
    let newest = world.assert_true(&reading).anchor().number();
    assert!(took <= deadline, "{took:?}");
    assert_eq!(client.last(&BOBS), None);

    world.simulation.pass(MINUTE);
    world.simulation.internet().set_offline(true);
    world.simulation.run(client.read(&[UNUSEDS]));
    assert!(client.last(&BOBS).is_some_and(|last| last.is_restored()));
    assert_eq!(client.last(&ALICES).map(|last| last.anchor().number()), Some(newest));
    assert_eq!(storage.loads(), 2);
    let again = start(&world, &storage.inner);
    assert_eq!(again.last(&ALICES).map(|last| last.anchor().number()), Some(newest));
    assert!(again.last(&BOBS).is_some());
}

/// It turns out late that the storage belongs to another chain: it is left as it is, and the client says so.
#[test]
fn a_pending_storage_of_another_chain_is_left_alone() {
    let (world, storage) = world_with_reading(7);
    let before = entries(&storage.inner);
    storage.set_load(Duration::from_millis(100));
    let builder = Client::builder(Network::mainnet())
        .rpc("http://provider.test")
        .beacon("http://source0.test")
        .checkpoint(world.chain.checkpoint())
        .transport(world.simulation.internet())
        .clock(world.simulation.clock());
    let client = builder.storage(storage.clone()).build().unwrap();
    for _ in 0..2 {
        let _ = world.read(&client);
    }
    let refusal = StorageRefusal::OtherNetwork { got: world.network.chain_id(), expected: 1 };
    assert_eq!(client.storage_faults(), [StorageFault::Refused(refusal)]);
    client.forget(&ALICES);
    client.start_again(world.chain.checkpoint());
    let _ = world.read(&client);
    assert_eq!((client.last(&ALICES), entries(&storage.inner)), (None, before));
    assert_eq!((storage.loads(), storage.writes().len()), (2, 1));
}

/// The caller had trust start elsewhere, in an earlier run. A client that learns it late takes back what it proved from the
/// checkpoint that it was set up with.
#[test]
fn a_stored_trust_start_counts_also_when_it_is_read_late() {
    let (world, storage) = world_with_reading(8);
    let elsewhere = Checkpoint { root: alloy_primitives::B256::repeat_byte(9), slot: None };
    start(&world, &storage).start_again(elsewhere);
    storage.set_load(Duration::from_secs(2));
    let client = start(&world, &storage);
    let reading = world.read(&client);
    assert_eq!((reading.proven(), reading.latest_proven(), client.last(&ALICES)), (None, None, None));
    assert_eq!(world.read(&client).proven(), None);
    assert!(entries(&storage.inner).iter().all(|(name, _)| !name.starts_with("reading/")));
}

/// The same for every moment at which the storage can become readable: before the first request, while the bootstrap of the
/// other checkpoint is on its way, and after it.
#[test]
fn a_stored_trust_start_counts_at_whatever_moment_it_is_read() {
    // A read waits for the storage at first, and then its bootstrap is on its way for some hundredths of a second.
    for hundredths in 0..120 {
        let (world, storage) = world_with_reading(8);
        let elsewhere = Checkpoint { root: alloy_primitives::B256::repeat_byte(9), slot: None };
        start(&world, &storage).start_again(elsewhere);
        storage.set_load(Duration::from_millis(10) * hundredths);
        let client = start(&world, &storage);
        for _ in 0..2 {
            let reading = world.read(&client);
            assert_eq!(
                (reading.proven(), client.last(&ALICES)),
                (None, None),
                "read after {hundredths} hundredths of a second"
            );
        }
    }
}

/// Trust is restarted while a write is under way: what that write stores is removed before anything else is written.
#[test]
fn a_restart_leaves_no_old_reading_behind() {
    let (world, storage) = new_world(9);
    let client = start(&world, &storage);
    storage.set_write(Duration::from_secs(10));
    world.assert_true(&world.read(&client));
    assert_eq!(storage.writes().len(), 1);
    client.start_again(world.chain.checkpoint());
    client.start_again(world.chain.checkpoint());
    assert_eq!((client.last(&ALICES), storage.writes().len()), (None, 1));

    // The app is killed now: the old reading may still be stored, and nothing else was written.
    world.simulation.internet().set_offline(true);
    world.simulation.pass(MINUTE);
    let (took, _) = timed(&world, client.balance(ALICE));
    assert!(took <= client.policy().deadline);
    let writes = storage.writes();
    assert_eq!(writes.len(), 2, "the removal is under way");
    let removed = |prefix: &str| {
        writes[1].iter().filter(|write| write.value.is_none() && write.name.starts_with(prefix)).count()
    };
    assert_eq!(["reading/", "block/", "light-client", "providers"].map(removed), [1; 4]);
    world.simulation.pass(MINUTE);
    let _ = world.read(&client);
    let names: Vec<String> = entries(&storage.inner).into_iter().map(|(name, _)| name).collect();
    let alice = format!("disclosed/{ALICE:#x}");
    assert_eq!(names, [alice.as_str(), "saldo", "start"]);
    assert_eq!(start(&world, &storage.inner).last(&ALICES), None);

    world.simulation.internet().set_offline(false);
    storage.set_write(Duration::ZERO);
    world.assert_true(&world.read(&client));
    assert!(start(&world, &storage.inner).last(&ALICES).is_some());
}

/// The same for one holding that is forgotten.
#[test]
fn a_forgotten_holding_does_not_come_back_with_a_late_write() {
    let (world, storage) = new_world(10);
    let client = start(&world, &storage);
    storage.set_write(Duration::from_secs(10));
    world.simulation.run(client.read(&[ALICES, BOBS]));
    client.forget(&ALICES);
    assert_eq!(storage.writes().len(), 1);
    world.simulation.internet().set_offline(true);
    for _ in 0..3 {
        world.simulation.pass(MINUTE);
        world.simulation.run(client.read(&[UNUSEDS]));
    }
    let again = start(&world, &storage.inner);
    assert_eq!(again.last(&ALICES), None);
    assert!(again.last(&BOBS).is_some());
    let address = format!("{ALICE:#x}");
    assert!(entries(&storage.inner).iter().all(|(name, _)| !name.contains(&address)));
    let removes = |write: &&Write| write.value.is_none() && write.name.contains(&address);
    assert_eq!(storage.writes()[1].iter().filter(removes).count(), 2);
    assert_eq!(storage.writes()[1].len(), 2, "nothing else is written with it");
}

/// What is removed before a pending storage can be read is not restored from it, and is removed when it can.
#[test]
fn removals_reach_a_storage_that_was_pending() {
    let (world, storage) = new_world(11);
    world.simulation.run(start(&world, &storage).read(&[ALICES, BOBS]));
    world.simulation.internet().set_offline(true);
    storage.set_load(Duration::from_millis(100));
    let client = start(&world, &storage);
    client.forget(&ALICES);
    world.simulation.run(client.read(&[UNUSEDS]));
    assert_eq!(client.last(&ALICES), None);
    assert!(client.last(&BOBS).is_some());
    assert_eq!(start(&world, &storage.inner).last(&ALICES), None);

    let client = start(&world, &storage);
    client.start_again(world.chain.checkpoint());
    world.simulation.run(client.read(&[UNUSEDS]));
    assert_eq!(client.last(&BOBS), None);
    assert_eq!(start(&world, &storage.inner).last(&BOBS), None);
}

/// A watch that waits for the next block goes on with what the app asked to remove.
#[test]
fn a_watch_goes_on_with_removals() {
    let (world, storage) = new_world(12);
    let client = start(&world, &storage);
    let mut watch = client.watch([ALICES]);
    let clock = world.simulation.clock();
    let watch_for = |watch: &mut saldo::Watch, time: Duration| {
        let mut end = clock.sleep(time);
        world
            .simulation
            .run(async { while let Either::Left(_) = select(watch.next().boxed(), &mut end).await {} });
    };
    watch_for(&mut watch, Duration::from_secs(5));
    assert!(start(&world, &storage.inner).last(&ALICES).is_some());
    client.set_pace(saldo::Pace::Paused);
    storage.set_write(Duration::from_secs(3));
    client.forget(&ALICES);
    assert!(start(&world, &storage.inner).last(&ALICES).is_some(), "the removal is under way");
    watch_for(&mut watch, Duration::from_secs(5));
    assert_eq!(start(&world, &storage.inner).last(&ALICES), None);
}

/// A batch costs in proportion to what changed: with the number of holdings that are stored, what is written for a few of
/// them does not grow.
#[test]
fn a_write_does_not_grow_with_what_is_stored() {
    let (world, storage) = new_world(13);
    let client = start(&world, &storage);
    let holding =
        |number: u64| native(alloy_primitives::Address::left_padding_from(&(number << 40 | 1).to_be_bytes()));
    let holdings: Vec<Holding> = (1..=2_560).map(holding).collect();
    for together in holdings.chunks(32) {
        let readings = world.simulation.run(client.read(together));
        assert!(readings.iter().all(|reading| reading.proven().is_some()));
    }
    let bytes = |changes: &Vec<Write>| -> usize {
        changes.iter().map(|write| write.name.len() + write.value.as_ref().map_or(0, Vec::len)).sum()
    };
    let writes: Vec<usize> = storage.writes().iter().map(bytes).collect();
    assert_eq!(writes.len(), 80);
    // From the second on: with the first comes the light client. Beyond the bound, the names of 32 holdings are removed.
    let (early, late, beyond) = (&writes[1..9], &writes[56..64], &writes[72..]);
    let mean = |part: &[usize]| part.iter().sum::<usize>() / part.len();
    assert!(mean(late) <= mean(early) * 11 / 10, "{early:?} and {late:?}");
    assert!(mean(beyond) <= mean(early) * 11 / 10 + 32 * 160, "{early:?} and {beyond:?}");
    // All of the last 2,048 are stored, and no other.
    let again = start(&world, &storage.inner);
    let is_stored = |holding: &&Holding| again.last(holding).is_some();
    assert_eq!(holdings.iter().filter(is_stored).count(), 2_048);
    assert_eq!(again.storage_faults(), []);
}

/// An app on a full device learns it from the watch, once, and learns when there is room again.
#[test]
fn a_watch_tells_that_the_storage_is_full_and_that_there_is_room_again() {
    let (world, storage) = new_world(12);
    let client = start(&world, &storage);
    let full = StorageError::Io { kind: std::io::ErrorKind::StorageFull };
    assert!(full.is_full() && full.code() == "full");
    storage.set_failing(Some(full));
    let mut watch = client.watch([ALICES, UNUSEDS]);
    let clock = world.simulation.clock();
    let mut told_within = |duration: Duration| {
        world.simulation.run(async {
            let end = clock.monotonic() + duration;
            let mut told = Vec::new();
            loop {
                let over = clock.sleep(end.saturating_sub(clock.monotonic()));
                match select(watch.next().boxed(), over).await {
                    Either::Left((Change::Storage { unwritten }, _)) => told.push(unwritten),
                    Either::Left(_) => {}
                    Either::Right(_) => return told,
                }
            }
        })
    };
    assert_eq!(told_within(2 * MINUTE), [Some(full)]);
    assert!(client.last(&ALICES).is_some(), "the readings are not affected");
    storage.set_failing(None);
    assert_eq!(told_within(10 * MINUTE), [None]);
    assert!(!entries(&storage.inner).is_empty());
}
