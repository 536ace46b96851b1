//! A stored reading whose block the chain excludes leaves the storage with the next write, also if a newer reading of the
//! same holding is stored.

use alloy_primitives::B256;
use saldo::{Client, MemoryStorage};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::scene::{AFTER, ALICE};
use saldo_tests::stored::entries;

/// The stored readings and blocks of the block `hash`.
fn names_of(storage: &MemoryStorage, hash: B256) -> Vec<String> {
    let hash = format!("{hash:x}");
    entries(storage).into_iter().map(|(name, _)| name).filter(|name| name.contains(&hash)).collect()
}

fn proven(world: &CheckpointWorld, client: &Client) -> B256 {
    world.assert_true(&world.read(client)).anchor().hash()
}

/// A wallet with two stored readings at signed blocks, the older first.
fn with_two_readings(seed: u64) -> (CheckpointWorld, MemoryStorage, Client, [B256; 2]) {
    let (world, storage) = (CheckpointWorld::new(seed, 0), MemoryStorage::new());
    let builder = world.builder().checkpoint(world.chain.checkpoint()).storage(storage.clone());
    let client = builder.build().unwrap();
    let older = proven(&world, &client);
    world.pass_slots(1);
    let newer = proven(&world, &client);
    assert_ne!(older, newer);
    for hash in [older, newer] {
        assert_eq!(names_of(&storage, hash).len(), 2, "{:?}", entries(&storage));
    }
    (world, storage, client, [older, newer])
}

#[test]
fn an_older_reading_is_removed_as_well() {
    let (world, storage, client, both) = with_two_readings(1);
    world.chain.abandon(6);
    world.chain.set_balance(ALICE, AFTER);
    world.pass_slots(2);
    let now = proven(&world, &client);
    assert_eq!(both.map(|hash| names_of(&storage, hash)), [Vec::<String>::new(), Vec::new()]);
    assert_eq!(names_of(&storage, now).len(), 2);
}

#[test]
fn only_what_is_excluded_is_removed() {
    let (world, storage, client, [older, newer]) = with_two_readings(2);
    world.chain.abandon(2);
    world.pass_slots(2);
    let now = proven(&world, &client);
    assert_eq!([older, newer, now].map(|hash| names_of(&storage, hash).len()), [2, 0, 2]);
}
