//! A wallet that is started again shows what was last proven, offline and at once, and is right with the next reading.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::FutureExt;
use saldo::{
    BuildError, Client, Clock, Holding, Level, MemoryStorage, Network, Policy, Reading, StorageFault,
    StorageRefusal, Write,
};
use saldo_beacon::unit::UnixTime;
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use saldo_tests::checkpoint_world::CheckpointWorld as Council;
use saldo_tests::native;
use saldo_tests::scene::{AFTER, ALICE, BEFORE, UNUSED};
use saldo_tests::stored::{entries, put, with_record_checksum};

const HOLDING: Holding = native(ALICE);

/// The app is started: a client of the council's world that keeps what it knows in `storage`.
fn start(council: &Council, storage: &MemoryStorage) -> Client {
    let builder = council.builder().checkpoint(council.chain.checkpoint()).storage(storage.clone());
    builder.build().expect("the wallet starts")
}

fn asked(council: &Council) -> usize {
    council.simulation.internet().log().len()
}

fn asked_for(council: &Council, route: &str) -> usize {
    let log = council.simulation.internet().log();
    log.iter().filter(|exchange| format!("{exchange:?}").contains(route)).count()
}

#[test]
fn offline_and_at_once() {
    let (council, storage) = (Council::new(1, 0), MemoryStorage::new());
    let before = {
        let client = start(&council, &storage);
        let reading = council.read(&client);
        council.assert_true(&reading).clone()
    };
    council.simulation.internet().set_offline(true);
    council.simulation.pass(Duration::from_secs(7_200));
    let requests = asked(&council);
    let client = start(&council, &storage);
    assert!(client.storage_faults().is_empty());

    // Before anything is asked.
    let last = client.last(&HOLDING).expect("it was proven before");
    assert!(last.is_restored() && !before.is_restored());
    assert_eq!((last.amount(), last.nonce()), (before.amount(), before.nonce()));
    assert_eq!((last.anchor(), last.provider()), (before.anchor(), before.provider()));
    let age = last.freshness(client.now(), client.policy());
    assert!(matches!(age, saldo::Freshness::Old(age) if age >= Duration::from_secs(7_200)));
    assert_eq!(client.last(&native(UNUSED)), None);
    assert_eq!(asked(&council), requests);

    // A read finds nobody, and keeps it.
    let reading = council.read(&client);
    assert_eq!(reading.why().map(saldo::Why::code), Some("device_offline"));
    assert_eq!(reading.latest_proven(), Some(&last));
}

/// The light client goes on from where it was: nobody is asked for a bootstrap, and what is proven is not restored any more.
#[test]
fn online_it_goes_on_where_it_was() {
    let (council, storage) = (Council::new(2, 0), MemoryStorage::new());
    let before = council.assert_true(&council.read(&start(&council, &storage))).anchor().number();
    council.chain.set_balance(ALICE, AFTER);
    council.pass_slots(3);
    let bootstraps = || asked_for(&council, "light_client/bootstrap");
    assert_eq!(bootstraps(), 1);
    let client = start(&council, &storage);
    let reading = council.read(&client);
    let proven = council.assert_true(&reading);
    assert!(!proven.is_restored() && proven.anchor().number() > before);
    assert_eq!(proven.amount().base_units(), AFTER);
    assert_eq!(bootstraps(), 1);
    assert!(!client.last(&HOLDING).unwrap().is_restored());
}

/// A wallet that is never open for long learns the next committee all the same, and needs nobody when its period begins.
#[test]
fn short_sessions_hand_over_in_time() {
    let (council, storage) = (Council::new(12, 0), MemoryStorage::new());
    council.assert_true(&council.read(&start(&council, &storage)));
    council.pass_slots(3);
    council.assert_true(&council.read(&start(&council, &storage)));
    assert_eq!(asked_for(&council, "light_client/updates"), 1);

    council.sources[0].add(Fault::NoUpdates);
    council.pass_slots(30);
    council.assert_true(&council.read(&start(&council, &storage)));
    assert_eq!(asked_for(&council, "light_client/updates"), 1);
}

/// The next committee is not needed yet: whoever opens the app hardly waits for it, however slow its source is.
#[test]
fn opening_does_not_wait_for_what_is_needed_later() {
    let (council, storage) = (Council::new(13, 0), MemoryStorage::new());
    council.assert_true(&council.read(&start(&council, &storage)));
    council.pass_slots(3);
    let clock = council.simulation.clock();
    let [quick, slow] = [Fault::NoUpdates.on("updates"), Fault::Hang.on("updates")].map(|fault| {
        council.sources[0].set(fault);
        let client = start(&council, &storage);
        let before = clock.monotonic();
        let reading = council.read(&client);
        let took = clock.monotonic() - before;
        council.assert_true(&reading);
        council.pass_slots(1);
        took
    });
    assert!(slow <= quick + Duration::from_millis(120), "{quick:?} and {slow:?}");
    assert_eq!(asked_for(&council, "light_client/updates"), 2);
}

/// A read never gives out what is only restored, not even in the very slot in which it was proven.
#[test]
fn a_restored_reading_is_not_a_new_one() {
    let (council, storage) = (Council::new(3, 0), MemoryStorage::new());
    let before = council.assert_true(&council.read(&start(&council, &storage))).clone();
    let client = start(&council, &storage);
    assert_eq!(client.last(&HOLDING).unwrap().anchor(), before.anchor());
    let reading = council.read(&client);
    assert!(!council.assert_true(&reading).is_restored());
    assert!(!client.last(&HOLDING).unwrap().is_restored());
}

/// The block went away while the app was closed: the reading is withdrawn with the first head, and the finalized one that
/// was kept beside it returns, although no provider answers.
#[test]
fn what_was_reorganised_away_meanwhile_is_withdrawn() {
    let (council, storage) = (Council::new(4, 0), MemoryStorage::new());
    let (finalized, signed) = {
        let client = start(&council, &storage);
        let finalized = council.simulation.run(client.finalized(&[HOLDING])).pop().unwrap();
        let finalized = council.assert_true(&finalized).clone();
        let signed = council.assert_true(&council.read(&client)).clone();
        (finalized, signed)
    };
    assert_eq!(finalized.anchor().assurance().level(), Level::Finalized);
    assert!(signed.anchor().number() > finalized.anchor().number());
    council.chain.set_balance(ALICE, AFTER);
    council.chain.reorg(2);
    council.pass_slots(1);
    council
        .simulation
        .internet()
        .register("http://provider.test", Provider::honest(&council.chain).with(Fault::NoProofs));
    let client = start(&council, &storage);
    assert_eq!(client.last(&HOLDING).unwrap().anchor().hash(), signed.anchor().hash());
    let reading = council.read(&client);
    assert!(reading.proven().is_none());
    let gone = client.withdrawn(&HOLDING).expect("its block is gone");
    assert_eq!(gone.anchor().hash(), signed.anchor().hash());
    let last = client.last(&HOLDING).expect("the finalized one is there");
    assert!(last.is_restored());
    assert_eq!(last.anchor().hash(), finalized.anchor().hash());
    // And so it is after the next start.
    assert_eq!(start(&council, &storage).last(&HOLDING).unwrap().anchor().hash(), finalized.anchor().hash());
}

/// Nobody was asked for a restored reading, so `finalized` gives it no more than `read` does.
#[test]
fn a_restored_reading_is_no_finalized_one_either() {
    let (council, storage) = (Council::new(13, 0), MemoryStorage::new());
    let client = start(&council, &storage);
    let finalized = |client: &Client| council.simulation.run(client.finalized(&[HOLDING])).pop().unwrap();
    council.assert_true(&finalized(&client));
    drop(client);
    council.simulation.internet().set_offline(true);
    let client = start(&council, &storage);
    let reading = finalized(&client);
    assert_eq!(reading.proven(), None);
    assert!(reading.latest_proven().is_some_and(saldo::Proven::is_restored));
    council.simulation.internet().set_offline(false);
    assert!(!council.assert_true(&finalized(&client)).is_restored());
}

/// A light client that has to start anew, from an older block than the reading's, takes nothing back.
#[test]
fn starting_from_further_back_withdraws_nothing() {
    let (council, storage) = (Council::new(5, 0), MemoryStorage::new());
    let before = council.assert_true(&council.read(&start(&council, &storage))).clone();
    let gone = Write { name: "light-client".to_owned(), value: None };
    put(&storage, [gone]);
    let nothing = BeaconSource::honest(&council.chain)
        .with(Fault::NoRoute.on("optimistic_update"))
        .with(Fault::NoRoute.on("finality_update"));
    council.replace_source(nothing);
    let client = start(&council, &storage);
    let _ = council.read(&client);
    assert_eq!(client.withdrawn(&HOLDING), None);
    assert_eq!(client.last(&HOLDING).unwrap().anchor().hash(), before.anchor().hash());
}

#[test]
fn another_network_and_a_newer_format_are_refused_and_left_as_they_are() {
    let (council, storage) = (Council::new(6, 0), MemoryStorage::new());
    let _ = council.read(&start(&council, &storage));
    let kept = entries(&storage);
    let elsewhere = Client::builder(Network::mainnet())
        .rpc("http://provider.test")
        .beacon("http://source0.test")
        .checkpoint(council.chain.checkpoint())
        .transport(council.simulation.internet())
        .clock(council.simulation.clock())
        .storage(storage.clone());
    let refused = elsewhere.build().unwrap_err();
    let expected = StorageRefusal::OtherNetwork { got: council.network.chain_id(), expected: 1 };
    assert_eq!(refused, BuildError::Storage(expected));

    // As the next version would write its first record.
    let mut first = kept.iter().find(|(name, _)| name == "saldo").unwrap().1.clone();
    first.truncate(first.len() - 32);
    first[0] = 4;
    let sum = with_record_checksum("saldo", first);
    put(&storage, [Write { name: "saldo".to_owned(), value: Some(sum) }]);
    let changed = entries(&storage);
    let refused = council
        .builder()
        .checkpoint(council.chain.checkpoint())
        .storage(storage.clone())
        .build()
        .unwrap_err();
    assert_eq!(refused, BuildError::Storage(StorageRefusal::NewerFormat { got: 4, known: 3 }));
    assert!(refused.to_string().contains("update saldo"));
    assert_eq!(entries(&storage), changed);
}

/// Earlier formats named the chain, or the network of a reading, less exactly. They are refused and never misread.
#[test]
fn an_older_format_is_refused_and_left_as_it_is() {
    let (council, storage) = (Council::new(6, 0), MemoryStorage::new());
    let _ = council.read(&start(&council, &storage));
    let mut first = entries(&storage).into_iter().find(|(name, _)| name == "saldo").unwrap().1;
    first.truncate(first.len() - 32);
    for format in [1, 2] {
        first[0] = format;
        let sealed = with_record_checksum("saldo", first.clone());
        put(&storage, [Write { name: "saldo".to_owned(), value: Some(sealed) }]);
        let before = entries(&storage);
        let builder = council.builder().checkpoint(council.chain.checkpoint()).storage(storage.clone());
        let refused = builder.build().unwrap_err();
        let expected = StorageRefusal::OlderFormat { got: format.into(), known: 3 };
        assert_eq!(refused, BuildError::Storage(expected));
        assert!(refused.to_string().contains("delete it"), "{refused}");
        assert_eq!(entries(&storage), before);
    }
}

/// A development chain is started anew: chain id and validators are the same, its genesis is not. Its client does not take
/// over what the first chain's client kept, and leaves it as it is.
#[test]
fn a_chain_that_was_started_anew_is_another_chain() {
    let genesis = |seconds| Chain::builder(20).genesis_time(UnixTime::from_secs(seconds));
    let (first, storage) = (Council::of(genesis(1_760_000_000), 20, 0), MemoryStorage::new());
    let proven = first.assert_true(&first.read(&start(&first, &storage))).clone();
    let before = entries(&storage);

    let second = Council::of(genesis(1_760_000_480), 20, 0);
    assert_eq!(second.network.chain_id(), first.network.chain_id());
    assert_eq!(second.network.genesis_validators_root(), first.network.genesis_validators_root());
    let builder = second.builder().checkpoint(second.chain.checkpoint());
    let refused = builder.storage(storage.clone()).build().unwrap_err();
    let expected = StorageRefusal::OtherChain {
        chain_id: first.network.chain_id(),
        field: "genesis_time",
        genesis: first.network.genesis_time(),
    };
    assert_eq!(refused, BuildError::Storage(expected));
    for part in ["genesis was 2025-10-09T08:53:20Z", "a place of its own", "delete the old one"] {
        assert!(refused.to_string().contains(part), "{refused}");
    }
    assert_eq!(entries(&storage), before);

    // The first chain goes on as if nothing had been.
    let client = start(&first, &storage);
    assert!(client.storage_faults().is_empty());
    assert_eq!(client.last(&HOLDING).map(|last| last.amount()), Some(proven.amount()));
    first.pass_slots(2);
    first.assert_true(&first.read(&client));
    // And the second, with a place of its own.
    second.assert_true(&second.read(&start(&second, &MemoryStorage::new())));
}

/// The caller starts again elsewhere: nothing of before comes back with the next start.
#[test]
fn what_was_given_up_stays_away() {
    let (council, storage) = (Council::new(7, 0), MemoryStorage::new());
    let client = start(&council, &storage);
    council.assert_true(&council.read(&client));
    client.start_again(council.chain.checkpoint());
    assert_eq!(start(&council, &storage).last(&HOLDING), None);
    council.assert_true(&council.read(&client));
    assert!(start(&council, &storage).last(&HOLDING).is_some());
}

/// The clock is set back while the app is closed, to when an earlier reading was new: the time that had come by then is kept.
#[test]
fn a_clock_set_back_meanwhile_is_found_out() {
    let (council, storage) = (Council::new(12, 0), MemoryStorage::new());
    let client = start(&council, &storage);
    council.assert_true(&council.read(&client));
    council.pass_slots(50);
    council.assert_true(&council.read(&client));
    drop(client);
    council.simulation.internet().set_offline(true);
    council.simulation.clock().set_behind(Duration::from_secs(300));
    let client = start(&council, &storage);
    let last = client.last(&HOLDING).unwrap();
    assert_eq!(last.freshness(client.now(), client.policy()), saldo::Freshness::Unknown);
    // Without that storage nothing is known of it.
    assert!(!start(&council, &MemoryStorage::new()).now().clock_off());
    council.simulation.clock().set_behind(Duration::ZERO);
    assert!(!start(&council, &storage).now().clock_off());
}

/// The caller's new start is where the next start of the app begins, not the checkpoint that it was set up with.
#[test]
fn a_new_start_is_kept_as_well() {
    let (council, storage) = (Council::new(14, 0), MemoryStorage::new());
    let elsewhere = saldo::Checkpoint { root: alloy_primitives::B256::repeat_byte(9), slot: None };
    let client = start(&council, &storage);
    council.assert_true(&council.read(&client));
    client.start_again(elsewhere);
    drop(client);
    // It is no block of this chain, so that nothing can be proven from it.
    let client = start(&council, &storage);
    assert_eq!(client.last(&HOLDING), None);
    assert_eq!(council.read(&client).proven(), None);
    client.start_again(council.chain.checkpoint());
    drop(client);
    council.assert_true(&council.read(&start(&council, &storage)));
}

/// With a clock that is wrong at one start, the light client is not gone on from, and not lost.
#[test]
fn a_wrong_clock_loses_nothing() {
    let (council, storage) = (Council::new(15, 0), MemoryStorage::new());
    council.assert_true(&council.read(&start(&council, &storage)));
    let kept = || entries(&storage).into_iter().find(|(name, _)| name == "light-client");
    let before = kept();
    council.simulation.clock().set_ahead(Duration::from_secs(400 * 86_400));
    let client = start(&council, &storage);
    assert!(
        matches!(client.storage_faults()[..], [StorageFault::LightClient(_)]),
        "{:?}",
        client.storage_faults()
    );
    let _ = council.read(&client);
    drop(client);
    assert_eq!(kept(), before);
    council.simulation.clock().set_ahead(Duration::ZERO);
    let client = start(&council, &storage);
    assert!(client.storage_faults().is_empty());
    council.assert_true(&council.read(&client));
}

/// The user removes an account: nothing of it is left, of the others all.
#[test]
fn one_holding_can_be_forgotten() {
    let (council, storage) = (Council::new(16, 0), MemoryStorage::new());
    let unused = native(UNUSED);
    let client = start(&council, &storage);
    let readings = council.simulation.run(client.read(&[HOLDING, unused]));
    assert!(readings.iter().all(|reading| reading.proven().is_some()));
    client.forget(&HOLDING);
    let again = start(&council, &storage);
    for client in [&client, &again] {
        assert_eq!(client.last(&HOLDING), None);
        assert!(client.last(&unused).is_some() && client.storage_faults().is_empty());
    }
    let refreshed = council.simulation.run(again.refresh(Duration::from_secs(20)));
    assert_eq!(refreshed.iter().map(|(holding, _)| *holding).collect::<Vec<_>>(), [unused]);
    let address = format!("{ALICE:#x}");
    let all = entries(&storage);
    assert!(all.iter().all(|(name, value)| {
        !name.contains(&address) && !value.windows(20).any(|window| window == ALICE.as_slice())
    }));
}

/// Reads that end, and a new start, on several threads: nobody waits for ever.
#[test]
fn a_new_start_waits_for_no_read_and_no_read_for_it() {
    let (council, storage) = (Council::new(17, 0), MemoryStorage::new());
    let client = start(&council, &storage);
    council.assert_true(&council.read(&client));
    let (done, waits) = std::sync::mpsc::channel();
    let checkpoint = council.chain.checkpoint();
    for thread in 0..4 {
        let (client, done) = (client.clone(), done.clone());
        std::thread::spawn(move || {
            for _ in 0..200 {
                match thread {
                    0 => client.start_again(checkpoint),
                    1 => client.forget(&HOLDING),
                    // Nobody is there to answer, so that it ends at once.
                    2 => drop(client.refresh(Duration::ZERO).now_or_never()),
                    _ => drop((client.last(&HOLDING), client.storage_faults(), client.health())),
                }
            }
            done.send(()).unwrap();
        });
    }
    for _ in 0..4 {
        waits.recv_timeout(Duration::from_secs(60)).expect("no thread hangs");
    }
}

/// Who was shown an address is not forgotten: the same operators are asked after the start, and no further ones.
#[test]
fn an_address_is_shown_to_the_same_operators() {
    let (council, storage) = (Council::new(8, 0), MemoryStorage::new());
    let internet = council.simulation.internet();
    let providers: Vec<Provider> = (0..4).map(|_| Provider::honest(&council.chain)).collect();
    for (index, provider) in providers.iter().enumerate() {
        internet.register(&format!("http://other{index}.test"), provider.clone());
    }
    internet.register("http://provider.test", Provider::honest(&council.chain).with(Fault::Refuse));
    let start = |order: [usize; 4]| {
        let policy = Policy { operators_per_address: 1, strict: true, ..Policy::signed() };
        let builder =
            council.builder().policy(policy).checkpoint(council.chain.checkpoint()).storage(storage.clone());
        let with = |builder: saldo::ClientBuilder, index| builder.rpc(format!("http://other{index}.test"));
        order.into_iter().fold(builder, with).build().unwrap()
    };
    let first = council.assert_true(&council.read(&start([2, 0, 1, 3]))).provider().clone();
    assert_eq!(first.as_str(), "other2.test");
    council.pass_slots(2);
    let again = council.read(&start([3, 1, 0, 2]));
    assert_eq!(council.assert_true(&again).provider(), &first);
    let address = format!("{ALICE:#x}");
    let names = |body: &[u8]| String::from_utf8_lossy(body).to_lowercase().contains(&address);
    let log = internet.log();
    // The first one refuses connections, and sees nothing.
    let shown: BTreeSet<&str> =
        log.iter().filter(|exchange| names(&exchange.body)).map(|exchange| exchange.host.as_str()).collect();
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), ["other2.test", "provider.test"]);
}

/// Beyond the bound those whose newest block is the oldest are given up; nothing else is.
#[test]
fn the_oldest_are_given_up_beyond_the_bound() {
    let (council, storage) = (Council::new(9, 0), MemoryStorage::new());
    let holdings = |range: std::ops::Range<u64>| -> Vec<Holding> {
        range.map(|number| native(Address::left_padding_from(&number.to_be_bytes()))).collect()
    };
    let (old, new) = (holdings(1..30), holdings(100..100 + 2_048 - 10));
    let policy = Policy { deadline: Duration::from_secs(60), ..Policy::signed() };
    let builder =
        council.builder().policy(policy).checkpoint(council.chain.checkpoint()).storage(storage.clone());
    let client = builder.build().unwrap();
    let read = |holdings: &[Holding]| {
        let readings = council.simulation.run(client.read(holdings));
        assert!(readings.iter().all(|reading| matches!(reading, Reading::Proven(_))));
    };
    read(&old);
    council.pass_slots(2);
    read(&new);
    let again = start(&council, &storage);
    let kept = |holdings: &[Holding]| holdings.iter().filter(|holding| again.last(holding).is_some()).count();
    assert_eq!((kept(&old), kept(&new)), (10, new.len()));
    assert!(again.storage_faults().is_empty());
    let blocks = entries(&storage).iter().filter(|(name, _)| name.starts_with("block/")).count();
    assert_eq!(blocks, 2);
}

/// Only so many readings of a holding are kept, and the blocks that are needed for them.
#[test]
fn readings_below_a_final_one_are_given_up() {
    let (council, storage) = (Council::new(10, 0), MemoryStorage::new());
    let client = start(&council, &storage);
    let mut most = 0;
    for round in 0_u64..60 {
        council.chain.set_balance(ALICE, U256::from(round));
        council.pass_slots(1);
        council.assert_true(&council.read(&client));
        let count = |part: &str| entries(&storage).iter().filter(|(name, _)| name.starts_with(part)).count();
        assert_eq!(count("block/"), count("reading/"));
        most = most.max(count("reading/"));
        let again = start(&council, &storage);
        assert_eq!(
            again.last(&HOLDING).map(|last| last.amount()),
            client.last(&HOLDING).map(|last| last.amount())
        );
    }
    assert_eq!(most, 4);
    assert_eq!(start(&council, &storage).storage_faults(), Vec::<StorageFault>::new());
}

/// What is said to be kept is never more than what the chain's own books say.
#[test]
fn what_is_restored_is_true_of_its_block() {
    let (council, storage) = (Council::new(11, 0), MemoryStorage::new());
    council.assert_true(&council.read(&start(&council, &storage)));
    let last = start(&council, &storage).last(&HOLDING).unwrap();
    let books: &Chain = &council.chain;
    assert_eq!(books.balance_at(last.anchor().number(), ALICE), Some(last.amount().base_units()));
    assert_eq!(last.amount().base_units(), BEFORE);
}
