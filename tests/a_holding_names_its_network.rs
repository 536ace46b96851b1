//! A holding names its network. A client reads the holdings of its own network only, and says so of any other.

use saldo::{Activity, Change, Holding, MemoryStorage, NetworkId, Reading, Why, Write};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene};
use saldo_tests::stored::{entries, put};
use saldo_tests::watched::{SLOT, changes_within};
use saldo_tests::{NETWORK, native};

const OTHER: NetworkId = NetworkId::new(NETWORK.chain_id() + 1);
const ELSEWHERE: Holding = Holding::native(OTHER, ALICE);

#[track_caller]
fn assert_not_configured(reading: &Reading) {
    let Reading::Unknown(unknown) = reading else { panic!("{reading:?}") };
    assert_eq!(unknown.why(), &Why::NetworkNotConfigured { expected: NETWORK });
    assert!(unknown.why().to_string().contains("eip155:31337"), "{}", unknown.why());
    assert!(unknown.why().needs_action() && unknown.last().is_none());
}

#[test]
fn a_holding_of_another_network_is_unknown_and_the_others_are_proven() {
    let scene = Scene::new(1, 3, 2);
    let holdings = [ELSEWHERE, native(ALICE), Holding::erc20(OTHER, ALICE, BOB), native(BOB)];
    for finalized in [false, true] {
        let readings = match finalized {
            false => scene.simulation.run(scene.client.read(&holdings)),
            true => scene.simulation.run(scene.client.finalized(&holdings)),
        };
        assert_not_configured(&readings[0]);
        assert_not_configured(&readings[2]);
        let proven = readings[1].proven().expect("Alice's balance here is proven");
        assert_eq!((*proven.holding(), proven.amount().base_units()), (native(ALICE), BEFORE));
        assert!(readings[3].proven().is_some(), "{:?}", readings[3]);
    }
    assert_eq!(scene.client.last(&ELSEWHERE), None);
}

/// A call that can prove nothing asks no provider about the address.
#[test]
fn no_provider_is_asked_about_a_holding_of_another_network() {
    let scene = Scene::new(2, 3, 2);
    let readings = scene.simulation.run(scene.client.read(&[ELSEWHERE, Holding::native(OTHER, BOB)]));
    readings.iter().for_each(assert_not_configured);
    let log = scene.simulation.internet().log();
    let named = |body: &[u8]| String::from_utf8_lossy(body).to_lowercase().contains("a1a1a1");
    assert!(!log.iter().any(|exchange| named(&exchange.body)), "{log:?}");
}

#[test]
fn a_watch_says_so_once() {
    let scene = Scene::new(3, 3, 2);
    let mut watch = scene.client.watch([ELSEWHERE, native(ALICE)]);
    let changes = changes_within(&scene, &mut watch, SLOT * 10);
    let said = |wanted: Holding| {
        changes.iter().filter_map(move |(_, change)| match change {
            Change::Reading { holding, reading, .. } if *holding == wanted => Some(reading),
            _ => None,
        })
    };
    assert_eq!(said(ELSEWHERE).count(), 1, "{changes:?}");
    said(ELSEWHERE).for_each(assert_not_configured);
    assert!(said(native(ALICE)).any(|reading| reading.proven().is_some()));
    // No request failed, so the watch does not wait for a next try, and it does not read that holding again.
    let activities: Vec<&Activity> = changes
        .iter()
        .filter_map(|(_, change)| match change {
            Change::Activity(activity) => Some(activity),
            _ => None,
        })
        .collect();
    assert_eq!(activities, [&Activity::Fetching, &Activity::Idle]);
}

/// The key of a stored reading names the network, and a record that is moved to another network's key is dropped.
#[test]
fn a_stored_reading_belongs_to_its_network() {
    let world = CheckpointWorld::new(4, 0);
    let storage = MemoryStorage::new();
    let start = |storage: &MemoryStorage| {
        world.builder().checkpoint(world.chain.checkpoint()).storage(storage.clone()).build().unwrap()
    };
    let client = start(&storage);
    assert!(world.simulation.run(client.balance(ALICE)).proven().is_some());
    drop(client);

    let own = format!("reading/31337/{ALICE:#x}/");
    let records = entries(&storage);
    let (name, value) =
        records.iter().find(|(name, _)| name.starts_with(&own)).expect("the reading was kept");
    let moved = name.replace("31337", &OTHER.chain_id().to_string());
    put(
        &storage,
        [
            Write { name: name.clone(), value: None },
            Write { name: moved.clone(), value: Some(value.clone()) },
        ],
    );
    let client = start(&storage);
    assert_eq!(client.storage_faults().len(), 1, "{:?}", client.storage_faults());
    assert_eq!((client.last(&native(ALICE)), client.last(&ELSEWHERE)), (None, None));
    let _ = world.simulation.run(client.balance(BOB));
    assert!(entries(&storage).iter().all(|(name, _)| *name != moved), "what was dropped is removed");
}

#[test]
fn a_network_is_written_as_caip_2_writes_it() {
    assert_eq!(NetworkId::new(8453).to_string(), "eip155:8453");
    let scene = Scene::new(5, 1, 1);
    assert_eq!(scene.client.network_id(), NETWORK);
    assert_eq!(scene.client.native(ALICE), native(ALICE));
}
