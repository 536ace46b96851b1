//! Light-client data as plain files, at a URL or in a folder, is as good as a beacon node. A wallet proves with it
//! alone, across periods and forks. False, old or missing files only make that source fail.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use saldo::{BuildError, Client, Domain, Endpoint, EndpointError, Failure, Reading, Role, TransportError};
use saldo_beacon::Fork;
use saldo_beacon::unit::{Epoch, Period};
use saldo_drill::{Chain, Fault};
use saldo_source::mirror::{File, KeepError, Keeper, newest_checkpoint};
use saldo_source::{Clock, Io};
use saldo_tests::mirrored::{Folder, REFRESH_TIMEOUT, SLOTS_PER_PERIOD, WebServer, World, over_http};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE};

/// The failure of the source with that name.
#[track_caller]
fn failure_of(reading: &Reading, name: &str) -> Failure {
    let attempt = reading.attempts().iter().find(|attempt| attempt.provider.as_str() == name);
    let attempt = attempt.unwrap_or_else(|| panic!("{name} was not asked: {:?}", reading.attempts()));
    attempt.outcome.failure().unwrap_or_else(|| panic!("{attempt:?}")).clone()
}

#[test]
fn a_wallet_proves_with_a_folder_alone() {
    let mut world = World::new(1);
    let kept = world.refresh();
    assert_eq!(kept.head.unwrap(), world.chain.signed().slot);
    assert!(kept.attempts.is_empty() && kept.removed.is_empty(), "{kept:?}");
    assert_eq!(kept.written, {
        let mut files = world.folder.files();
        files
            .sort_by_key(|name| (!name.starts_with("bootstrap"), !name.starts_with("updates"), name.clone()));
        files
    });
    let wallet = world.wallet(&[world.in_folder()]);
    world.assert_proven(&world.read(&wallet));
    let by_path = Client::builder(world.chain.network())
        .checkpoint(world.begin)
        .transport(world.simulation.internet())
        .clock(world.simulation.clock())
        .rpc("http://provider.test")
        .mirror_folder(&world.folder.0)
        .build()
        .unwrap();
    world.assert_proven(&world.read(&by_path));
}

#[test]
fn the_files_work_at_any_url_with_one_request_each() {
    let mut world = World::new(2);
    world.refresh();
    let wallet = world.wallet(&[over_http()]);
    world.assert_proven(&world.read(&wallet));
    // The bootstrap and both heads: no index, and no file under a second name.
    assert_eq!(world.requests(), 3);
    for missing in [
        (403, "application/xml"),
        (404, "text/plain"),
        (410, "text/plain"),
        (200, "text/html; charset=utf-8"),
    ] {
        let site = WebServer { folder: world.folder.0.clone(), missing };
        world.simulation.internet().register("http://mirror.test", site);
        world.assert_proven(&world.read(&world.wallet(&[over_http()])));
    }
}

#[test]
fn a_wallet_follows_a_mirror_across_periods() {
    let mut world = World::new(3);
    world.refresh();
    let wallets = [world.wallet(&[world.in_folder()]), world.wallet(&[over_http()])];
    wallets.iter().for_each(|wallet| world.assert_proven(&world.read(wallet)));
    // The mirror is not refreshed for a while, and then it is.
    world.pass_slots(5 * SLOTS_PER_PERIOD);
    let kept = world.refresh();
    let updates = kept.written.iter().filter(|path| path.starts_with("updates/")).count();
    assert!(updates >= 4, "{kept:?}");
    wallets.iter().for_each(|wallet| world.assert_proven(&world.read(wallet)));
    // A wallet that starts at the first checkpoint works too: updates and bootstraps stay.
    world.assert_proven(&world.read(&world.wallet(&[over_http()])));
    // So does one that starts at the newest bootstrap, as a restarted keeper does.
    let newest = newest_checkpoint(&world.folder.0, &world.chain.network()).unwrap();
    assert_eq!(newest, kept.finalized);
}

#[test]
fn only_changed_files_are_written() {
    let mut world = World::new(4);
    let first = world.refresh();
    assert_eq!(world.refresh().written, Vec::<String>::new());
    world.pass_slots(1);
    let mut written = world.refresh().written;
    written.retain(|path| !path.starts_with("bootstrap/"));
    assert_eq!(written, ["finality_update.fulu.ssz", "optimistic_update.fulu.ssz"]);
    world.pass_slots(16);
    let later = world.refresh();
    assert_eq!(later.written.len(), 3, "{later:?}");
    assert!(later.written[0].starts_with("bootstrap/"));
    assert!(first.written.iter().all(|path| world.folder.0.join(path).is_file()));
}

#[test]
fn a_mirror_continues_across_a_fork() {
    for knows_date in [true, false] {
        let builder = Chain::builder(5).accounts([(ALICE, BEFORE)]).fork(Fork::Fulu);
        let chain = builder.fork_at(Fork::Gloas, Epoch::new(7)).build();
        let table = if knows_date { chain.network() } else { chain.network_before(Fork::Gloas) };
        let mut world = World::knowing(table.clone(), chain);
        // A web server that has a page for every path hides no file of the fork before or after.
        let site = WebServer { folder: world.folder.0.clone(), missing: (200, "text/html; charset=utf-8") };
        world.simulation.internet().register("http://mirror.test", site);
        let (folder, begin, outside) = (world.in_folder(), world.begin, world.simulation.internet());
        let clock = world.simulation.clock();
        let wallet = |mirror: Endpoint| {
            Client::builder(table.clone())
                .checkpoint(begin)
                .transport(outside.clone())
                .clock(clock.clone())
                .rpc("http://provider.test")
                .beacon(mirror)
                .build()
                .unwrap()
        };
        let wallets = [wallet(folder.clone()), wallet(over_http())];
        let asleep = wallet(folder.clone());
        world.refresh();
        world.assert_proven(&world.read(&asleep));
        let timeout = Duration::from_secs(40);
        let mut removed = Vec::new();
        while world.chain.slot().get() < 56 + 30 {
            removed.extend(world.refresh().removed);
            for wallet in &wallets {
                let holding = [native(ALICE)];
                let reading = world.simulation.run(wallet.read_patiently(&holding, timeout)).remove(0);
                world.assert_proven(&reading);
            }
            world.pass_slots(1);
        }
        removed.sort();
        assert_eq!(removed, ["finality_update.fulu.ssz", "optimistic_update.fulu.ssz"]);
        assert_eq!(world.folder.named("finality_update").len(), 1);
        // Some periods later, a wallet that slept and a new wallet follow the same files.
        world.pass_slots(3 * SLOTS_PER_PERIOD);
        world.refresh();
        for wallet in [asleep, wallet(folder), wallet(over_http())] {
            let holding = [native(ALICE)];
            let reading = world.simulation.run(wallet.read_patiently(&holding, timeout)).remove(0);
            world.assert_proven(&reading);
        }
    }
}

/// Falsified files are refused for the right reason, and another source is used.
#[test]
fn falsified_files_are_refused_and_another_source_is_used() {
    let mut world = World::new(6);
    world.refresh();
    let root = world.begin.root;
    let honest = Endpoint::new("http://node.test").unwrap();
    let heads = ["finality_update", "optimistic_update"];
    let check = |stems: &[&str], falsify: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let files: Vec<PathBuf> = stems.iter().map(|stem| world.folder.named(stem).remove(0)).collect();
        let genuine: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        for (file, bytes) in files.iter().zip(&genuine) {
            let mut falsified = bytes.clone();
            falsify(&mut falsified);
            std::fs::write(file, falsified).unwrap();
        }
        for mirror in [world.in_folder(), over_http().named("folder").unwrap()] {
            let reading = world.read(&world.wallet(std::slice::from_ref(&mirror)));
            // The bootstrap contains a head too, which is young enough to prove under.
            assert_eq!(reading.proven().is_some(), stems == heads, "{stems:?}");
            assert_eq!(failure_of(&reading, "folder").code(), expected, "{stems:?}");
            world.assert_proven(&world.read(&world.wallet(&[mirror, honest.clone()])));
        }
        files.iter().zip(genuine).for_each(|(file, bytes)| std::fs::write(file, bytes).unwrap());
    };
    for (stems, refused) in [(&["bootstrap/"][..], "bootstrap_refused"), (&heads, "update_refused")] {
        // One of the first bytes after the offset is a slot's; one of the last is the execution header's.
        check(stems, &|bytes| *bytes.last_mut().unwrap() ^= 1, refused);
        check(stems, &|bytes| bytes.truncate(bytes.len() / 2), "malformed");
        check(stems, &|bytes| bytes[0] ^= 1, "malformed");
        check(stems, &Vec::clear, "malformed");
        check(stems, &|bytes| bytes.resize(saldo_source::mirror::MAX_FILE + 1, 0), "too_large");
    }
    // A bootstrap of another block under this block's name.
    world.pass_slots(24);
    world.refresh();
    let own = File::Bootstrap(root).path("fulu");
    let other = world.folder.named("bootstrap/").into_iter().find(|path| !path.ends_with(&own)).unwrap();
    let other = std::fs::read(other).unwrap();
    let own = world.folder.0.join(own);
    let genuine = std::fs::read(&own).unwrap();
    std::fs::write(&own, other).unwrap();
    let reading = world.read(&world.wallet(&[world.in_folder()]));
    assert_eq!(failure_of(&reading, "folder").code(), "bootstrap_refused");
    std::fs::write(&own, genuine).unwrap();
    world.assert_proven(&world.read(&world.wallet(&[world.in_folder()])));
}

/// A file is found under the name of its own fork and of the one before, and the name is only a hint; elsewhere it is not asked for.
#[test]
fn a_renamed_fork_is_only_a_hint() {
    let chain = Chain::builder(7).accounts([(ALICE, BEFORE)]).fork(Fork::Electra);
    let mut world = World::of(chain.fork_at(Fork::Fulu, Epoch::new(1)).build());
    world.refresh();
    world.pass_slots(2 * SLOTS_PER_PERIOD);
    world.refresh();
    let not_served = Failure::NotServed { method: "light_client/updates" };
    let heads = ["finality_update", "optimistic_update"];
    for (stems, expected) in
        [(&["bootstrap/"][..], None), (&["updates/1."], Some(&not_served)), (&heads, None)]
    {
        let files: Vec<PathBuf> = stems.iter().flat_map(|stem| world.folder.named(stem)).collect();
        let renamed = |file: &PathBuf| PathBuf::from(file.to_str().unwrap().replace(".fulu.", ".electra."));
        assert!(!files.is_empty() && files.iter().all(|file| renamed(file) != *file), "{files:?}");
        files.iter().for_each(|file| std::fs::rename(file, renamed(file)).unwrap());
        for mirror in [world.in_folder(), over_http().named("folder").unwrap()] {
            let reading = world.read(&world.wallet(&[mirror]));
            match expected {
                Some(expected) => assert_eq!(failure_of(&reading, "folder"), *expected, "{stems:?}"),
                None => world.assert_proven(&reading),
            }
        }
        files.iter().for_each(|file| std::fs::rename(renamed(file), file).unwrap());
    }
    world.assert_proven(&world.read(&world.wallet(&[world.in_folder()])));
}

#[test]
fn an_old_mirror_is_behind_and_no_liar() {
    let mut world = World::new(8);
    world.refresh();
    world.pass_slots(30);
    for mirror in [world.in_folder(), over_http().named("folder").unwrap()] {
        let wallet = world.wallet(std::slice::from_ref(&mirror));
        let reading = world.read(&wallet);
        let failure = failure_of(&reading, "folder");
        assert!(matches!(failure, Failure::Behind { slots: 28..=32 }), "{failure:?}");
        assert!(!failure.is_false_answer());
        world
            .assert_proven(&world.read(&world.wallet(&[mirror, Endpoint::new("http://node.test").unwrap()])));
    }
}

#[test]
fn a_missing_file_is_not_served() {
    let world = World::new(9);
    let nowhere = Endpoint::folder(world.folder.0.join("nowhere")).unwrap();
    for mirror in [world.in_folder(), nowhere, over_http().named("folder").unwrap()] {
        let reading = world.read(&world.wallet(&[mirror]));
        let not_served = Failure::NotServed { method: "light_client/bootstrap" };
        assert_eq!(failure_of(&reading, "folder"), not_served);
    }
    // A missing file is requested under a few names, and no more.
    assert!(world.requests() <= 4, "{}", world.requests());
    // A web page is no answer.
    let site = WebServer { folder: world.folder.0.clone(), missing: (200, "text/html") };
    world.simulation.internet().register("http://mirror.test", site);
    let reading = world.read(&world.wallet(&[over_http()]));
    assert_eq!(failure_of(&reading, "mirror.test"), Failure::WebPage);
    // A folder under that name is no file.
    for fork in Fork::ALL {
        let path = world.folder.0.join(File::Bootstrap(world.begin.root).path(fork.name()));
        std::fs::create_dir_all(path).unwrap();
    }
    let reading = world.read(&world.wallet(&[world.in_folder()]));
    assert_eq!(failure_of(&reading, "folder").code(), "not_served");
}

#[test]
fn unverified_data_is_not_written() {
    let mut world = World::new(10);
    world.refresh();
    let before = world.folder.files();
    world.pass_slots(SLOTS_PER_PERIOD);
    let faults =
        [Fault::ForgedSignature, Fault::TooFewSigners(3), Fault::LastCommittee, Fault::JsonOnly, Fault::Html];
    for fault in faults {
        world.node.set(fault.clone());
        let kept = world.refresh();
        assert_eq!((kept.written, kept.head), (Vec::new(), None), "{fault:?}");
        assert!(kept.attempts.iter().all(|attempt| attempt.outcome.failure().is_some()), "{fault:?}");
        assert_eq!(world.folder.files(), before, "{fault:?}");
    }
    // The slot decides the fork, and not the label.
    for label in [Fault::WithoutVersion, Fault::Relabelled(Fork::Deneb)] {
        world.node.set(label);
        assert!(world.refresh().written.iter().all(|path| path.ends_with(".fulu.ssz")));
    }
    world.assert_proven(&world.read(&world.wallet(&[over_http()])));
    let mut world = World::new(11);
    world.node.set(Fault::Status(503));
    let error = world.simulation.run(world.keeper.refresh(REFRESH_TIMEOUT)).unwrap_err();
    assert!(matches!(error, KeepError::NotStarted { attempts } if !attempts.is_empty()));
    assert_eq!(world.folder.files(), Vec::<String>::new());
}

/// A mirror can be kept from another mirror, and for fewer periods.
#[test]
fn a_mirror_of_a_mirror_has_the_same_files() {
    let mut world = World::new(12);
    world.refresh();
    world.pass_slots(3 * SLOTS_PER_PERIOD);
    world.refresh();
    let keep = |periods: u64, folder: &Folder| {
        let outside = Io::new(Arc::new(world.simulation.internet()), Arc::new(world.simulation.clock()));
        let network = world.chain.network();
        let mut keeper = Keeper::new(outside, network, vec![over_http()], world.begin, &folder.0);
        keeper = keeper.periods(periods);
        world.simulation.run(keeper.refresh(REFRESH_TIMEOUT)).unwrap()
    };
    let (all, few) = (Folder::new(), Folder::new());
    keep(u64::MAX, &all);
    keep(2, &few);
    assert_eq!(all.named("updates/").len(), world.folder.named("updates/").len());
    let present = world.chain.network().period_at(world.chain.slot());
    let newest = [present.saturating_sub(1), present].map(|period: Period| format!("{period}.fulu.ssz"));
    let names: Vec<String> =
        few.named("updates/").iter().map(|path| path.file_name().unwrap().to_str().unwrap().into()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| newest.contains(name)), "{names:?}");
    for file in all.files() {
        assert_eq!(
            std::fs::read(all.0.join(&file)).unwrap(),
            std::fs::read(world.folder.0.join(&file)).unwrap()
        );
    }
}

#[test]
fn a_folder_is_an_operator_of_its_own_and_its_path_is_secret() {
    let world = World::new(13);
    let folder = Endpoint::folder(world.folder.0.join("SECRET")).unwrap();
    let client = world.wallet(&[folder.clone(), over_http()]);
    let diversity = client.diversity();
    let beacon = diversity.iter().find(|of| of.role == Role::Beacon).unwrap();
    assert_eq!(beacon.operators, ["mirror.test", "this device"]);
    assert!(beacon.stopped_by.is_empty());
    let alone = world.wallet(&[folder]).diversity();
    let alone = alone.iter().find(|of| of.role == Role::Beacon).unwrap().clone();
    assert!(alone.stopped_by.contains(&Domain::Operator("this device".to_owned())));
    let reading = world.read(&client);
    assert!(!format!("{reading:?} {client:?} {:?}", client.diversity()).contains("SECRET"));
}

#[test]
fn a_mirror_is_neither_a_provider_nor_a_checkpoint_source() {
    let world = World::new(15);
    let builder =
        || Client::builder(world.chain.network()).checkpoint(world.begin).beacon("http://node.test");
    for mirror in [world.in_folder(), over_http()] {
        let error = builder().rpc("http://provider.test").rpc(mirror.clone()).build().err().unwrap();
        assert_eq!(error, BuildError::Provider { position: 2, error: EndpointError::Mirror });
        let error = builder().rpc("http://provider.test").checkpoint_source(mirror).build().err().unwrap();
        assert_eq!(error, BuildError::CheckpointSource { position: 1, error: EndpointError::Mirror });
    }
    assert_eq!(
        builder().rpc("http://provider.test").mirror_folder("").build().err(),
        Some(BuildError::BeaconSource { position: 2, error: EndpointError::Folder })
    );
}

/// A folder that cannot be read is a fault of this device.
#[cfg(unix)]
#[test]
fn a_symbolic_link_to_itself_is_a_local_fault() {
    let world = World::new(14);
    let path = world.folder.0.join(File::Bootstrap(world.begin.root).path("fulu"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let reading = world.read(&world.wallet(&[world.in_folder()]));
    assert_eq!(failure_of(&reading, "folder"), Failure::Transport(TransportError::Failed));
    assert!(world.simulation.clock().monotonic() < Duration::from_secs(60));
}
