//! An app that wants to show the last amounts waits for the storage alone.

use std::time::Duration;

use saldo::{Client, Clock, Holding, MemoryStorage};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BOB};
use saldo_tests::slow_storage::SlowStorage;

const ALICES: Holding = native(ALICE);
const BOBS: Holding = native(BOB);

fn start(world: &CheckpointWorld, storage: &(impl saldo::Storage + Clone + 'static)) -> Client {
    let builder = world.builder().checkpoint(world.chain.checkpoint()).storage(storage.clone());
    builder.build().expect("the wallet starts")
}

/// How long the client waits for its storage, at most for `within`.
fn waits(world: &CheckpointWorld, client: &Client, within: Duration) -> Duration {
    let clock = world.simulation.clock();
    let before = clock.monotonic();
    world.simulation.run(client.settle_storage(within));
    clock.monotonic() - before
}

#[test]
fn the_storage_is_waited_for_without_a_request() {
    let world = CheckpointWorld::new(1, 0);
    let storage = SlowStorage::new(&MemoryStorage::new(), world.simulation.clock());
    let minute = Duration::from_secs(60);
    world.simulation.run(start(&world, &storage).read(&[ALICES, BOBS]));
    storage.set_load(Duration::from_millis(100));
    let client = start(&world, &storage);
    client.forget(&ALICES);
    assert_eq!(client.last(&BOBS), None, "it is not read yet");
    let requests = world.simulation.internet().log().len();
    let waited = waits(&world, &client, minute);
    assert!((100..1_000).contains(&waited.as_millis()), "{waited:?}");
    assert!(client.last(&BOBS).is_some());
    assert_eq!(client.last(&ALICES), None);
    assert_eq!(start(&world, &storage.inner).last(&ALICES), None, "it is removed");
    assert_eq!(world.simulation.internet().log().len(), requests);
}

#[test]
fn it_is_waited_for_no_longer_than_asked() {
    let world = CheckpointWorld::new(2, 0);
    let storage = SlowStorage::new(&MemoryStorage::new(), world.simulation.clock());
    world.simulation.run(start(&world, &storage).read(&[ALICES]));
    storage.set_load(Duration::from_secs(10));
    let client = start(&world, &storage);
    assert_eq!(waits(&world, &client, Duration::from_secs(1)), Duration::from_secs(1));
    assert_eq!(client.last(&ALICES), None);
    let without = start(&world, &MemoryStorage::new());
    assert_eq!(
        waits(&world, &without, Duration::from_secs(1)),
        Duration::ZERO,
        "there is nothing to wait for"
    );
}
