use alloy_primitives::hex;

use super::*;

#[test]
fn mainnet_round_trips_through_toml() {
    let checkpoint = Checkpoint { root: B256::repeat_byte(7), slot: Some(Slot::new(9)) };
    for network in [Network::mainnet(), Network::mainnet().with_checkpoint(checkpoint)] {
        assert_eq!(Network::from_toml(&network.to_toml()).unwrap(), network);
    }
}

#[test]
fn fork_digests_of_mainnet_are_the_published_ones() {
    let mainnet = Network::mainnet();
    let published = [
        (0, "b5303f2a"),
        (74_240, "afcaaba0"),
        (144_896, "4a26c58b"),
        (194_048, "bba4da96"),
        (269_568, "6a95a1a9"),
        (364_032, "ad532ceb"),
        (411_392, "cc2c5cdb"),
        (412_672, "cb0d1acc"),
        (419_072, "8c9f62fe"),
    ];
    for (epoch, digest) in published {
        assert_eq!(hex::encode(mainnet.fork_digest(Epoch::new(epoch))), digest, "epoch {epoch}");
    }
}

#[test]
fn fork_digests_of_gnosis_are_the_published_ones() {
    let gnosis = Network::gnosis();
    let published = [
        (0, "bc9a6864"),
        (512, "56fdb5e0"),
        (385_536, "824be431"),
        (648_704, "21a6f836"),
        (889_856, "3ebfd484"),
        (1_337_856, "7d5aab40"),
        (1_714_688, "3237dab6"),
    ];
    for (epoch, digest) in published {
        assert_eq!(hex::encode(gnosis.fork_digest(Epoch::new(epoch))), digest, "epoch {epoch}");
    }
}

/// Gnosis' own configuration states the dates of its forks beside their epochs.
#[test]
fn the_clock_of_gnosis_gives_the_dates_of_its_forks() {
    let gnosis = Network::gnosis();
    let start = |epoch: u64| gnosis.slot_start(Slot::new(epoch.saturating_mul(gnosis.slots_per_epoch())));
    for (epoch, date, fork) in [
        (385_536, "2022-11-30T19:23:40Z", Fork::Bellatrix),
        (648_704, "2023-08-01T11:34:20Z", Fork::Capella),
        (889_856, "2024-03-11T18:30:20Z", Fork::Deneb),
        (1_337_856, "2025-04-30T14:03:40Z", Fork::Electra),
        (1_714_688, "2026-04-14T12:06:20Z", Fork::Fulu),
    ] {
        let at = start(epoch);
        assert_eq!(at.to_string(), date);
        let slot = gnosis.slot_at(at).unwrap();
        assert_eq!((gnosis.epoch_at(slot), gnosis.fork_at(slot)), (Epoch::new(epoch), Ok(fork)));
        let before = Slot::new(slot.get().saturating_sub(1));
        assert_ne!(gnosis.fork_at(before), Ok(fork));
    }
}

/// A period of Gnosis has as many slots as one of mainnet, and is over in 11.4 hours instead of 27.3.
#[test]
fn gnosis_has_its_own_preset() {
    let (gnosis, mainnet) = (Network::gnosis(), Network::mainnet());
    assert_eq!((gnosis.chain_id(), gnosis.name()), (100, "gnosis"));
    assert_eq!((gnosis.slots_per_epoch(), gnosis.epochs_per_sync_committee_period()), (16, 512));
    assert_eq!(gnosis.slots_per_period(), mainnet.slots_per_period());
    assert_eq!(gnosis.sync_committee_size(), 512);
    let hours = |network: &Network, slots: u64| {
        let seconds = network.slot_duration().as_secs().saturating_mul(slots);
        seconds.checked_div(360).unwrap()
    };
    assert_eq!((hours(&gnosis, 8_192), hours(&mainnet, 8_192)), (113, 273));
    let age = gnosis.max_checkpoint_age_epochs().saturating_mul(gnosis.slots_per_epoch());
    assert_eq!(hours(&gnosis, age), 102, "10.2 hours");
    assert_eq!(Network::from_toml(&gnosis.to_toml()).unwrap(), gnosis);
    assert_eq!(gnosis.checkpoint(), None);
}

#[test]
fn a_digest_names_its_fork() {
    let mainnet = Network::mainnet();
    let named =
        |epoch| mainnet.fork_of_digest(mainnet.fork_digest(Epoch::new(epoch))).and_then(ScheduledFork::fork);
    assert_eq!(named(500_000), Some(Fork::Fulu));
    assert_eq!(named(411_391), Some(Fork::Electra));
    assert_eq!(mainnet.fork_of_digest([1, 2, 3, 4]), None);
}

#[test]
fn built_in_networks_are_found_by_name_and_round_trip() {
    for network in Network::built_in() {
        assert_eq!(Network::named(network.name()).as_ref(), Some(&network));
        assert_eq!(Network::from_toml(&network.to_toml()).unwrap(), network);
    }
    assert_eq!(Network::named("goerli"), None);
}

#[test]
fn the_smallest_checkpoint_age_between_two_epochs_counts() {
    let sepolia = Network::sepolia();
    let gloas = sepolia.forks().last().and_then(ScheduledFork::epoch).unwrap();
    let at = |offset: i64| Epoch::new(gloas.get().checked_add_signed(offset).unwrap());
    assert_eq!(sepolia.max_checkpoint_age_at(at(-1)), 3532);
    assert_eq!(sepolia.max_checkpoint_age_at(gloas), 1573);
    assert_eq!(sepolia.max_checkpoint_age_between(at(-9), at(-1)), 3532);
    assert_eq!(sepolia.max_checkpoint_age_between(at(-9), gloas), 1573);
    assert_eq!(sepolia.max_checkpoint_age_between(gloas, at(9)), 1573);
    assert_eq!(Network::mainnet().max_checkpoint_age_at(Epoch::new(u64::MAX)), 3532, "no epoch, no effect");

    let longer = sepolia.to_toml().replace("= 1573", "= 9000");
    let longer = Network::from_toml(&longer).unwrap();
    assert_eq!(longer.max_checkpoint_age_between(at(-9), at(9)), 3532, "made under the shorter one");
    assert_eq!(longer.max_checkpoint_age_between(gloas, at(9)), 9000);
}

#[test]
fn a_network_file_may_hold_endpoints_and_errors_never_quote_them() {
    let text = Network::hoodi().to_toml() + "\n[[rpc]]\nurl = \"https://node.example/KEY\"\n";
    assert_eq!(Network::from_toml(&text).unwrap(), Network::hoodi());
    let all = text.clone() + "[[beacon]]\nanything = 1\n[[checkpoint_source]]\n";
    assert_eq!(Network::from_toml(&all).unwrap(), Network::hoodi());
    let other = text.clone() + "[[provider]]\n";
    assert!(matches!(Network::from_toml(&other), Err(NetworkError::Toml(_))));
    let error = Network::from_toml(&(text + "url = \"https://other.example/KEY\"\n")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("KEY"), "{error:?}");
}

#[test]
fn the_digest_of_a_fork_names_it() {
    let mainnet = Network::mainnet();
    assert!(mainnet.forks().iter().any(|fork| fork.epoch().is_none()), "with or without a time");
    for fork in mainnet.forks() {
        assert_eq!(mainnet.fork_of_digest(mainnet.fork_digest_of(fork)), Some(fork));
    }
}

#[test]
fn a_digest_names_a_fork_without_a_time() {
    let mainnet = Network::mainnet();
    let named = |digest| mainnet.fork_of_digest(digest).and_then(ScheduledFork::fork);
    assert_eq!(
        mainnet.forks().last().map(|fork| (fork.fork(), fork.epoch())),
        Some((Some(Fork::Gloas), None))
    );
    assert_eq!(named([0xc0, 0x44, 0xd4, 0x52]), Some(Fork::Gloas), "without blob parameters");
    let line = "version = \"0x07000000\"";
    let text = mainnet.to_toml().replace(line, &format!("{line}\nepoch = 500000"));
    let scheduled = Network::from_toml(&text).unwrap();
    assert_eq!(named(scheduled.fork_digest(Epoch::new(500_000))), Some(Fork::Gloas));
}

#[test]
fn time_becomes_slots_epochs_and_periods() {
    let mainnet = Network::mainnet();
    let genesis = mainnet.genesis_time();
    assert_eq!(mainnet.slot_at(UnixTime::from_millis(genesis.as_millis() - 1)), None);
    assert_eq!(mainnet.slot_at(genesis), Some(Slot::new(0)));
    assert_eq!(mainnet.slot_at(genesis.saturating_add(Duration::from_millis(11_999))), Some(Slot::new(0)));
    assert_eq!(mainnet.slot_start(Slot::new(2)).as_secs(), 1_606_824_047);
    assert_eq!(mainnet.slot_start(Slot::new(u64::MAX)), UnixTime::from_millis(u64::MAX));
    assert_eq!(mainnet.period_at(Slot::new(8191)), Period::new(0));
    assert_eq!(mainnet.period_at(Slot::new(8192)), Period::new(1));
    assert_eq!(mainnet.period_start(Period::new(2)), Slot::new(16_384));
}

#[test]
fn forks_change_with_their_first_slot() {
    let mainnet = Network::mainnet();
    assert_eq!(mainnet.fork_at(Slot::new(0)), Err(UnknownFork::named("phase0")));
    assert_eq!(mainnet.fork_at(Slot::new(11_649_023)), Ok(Fork::Deneb));
    assert_eq!(mainnet.fork_at(Slot::new(11_649_024)), Ok(Fork::Electra));
    assert_eq!(mainnet.fork_at(Slot::new(u64::MAX)), Ok(Fork::Fulu));
    assert_eq!(mainnet.fork_at(Slot::new(2_375_680)), Ok(Fork::Altair));
    assert_eq!(mainnet.fork_version_at(Slot::new(11_649_024)), [5, 0, 0, 0]);
    assert_eq!(mainnet.fork_after(Slot::new(13_164_544)).map(ScheduledFork::name), Some("gloas"));
}

#[test]
fn a_fork_that_this_version_does_not_know_can_be_scheduled() {
    let text = Network::mainnet().to_toml().replace(
        "[[blob_schedule]]",
        "[[forks]]\nname = \"heze\"\nversion = \"0x08000000\"\n\n[[blob_schedule]]",
    );
    // The first replacement is enough; the others would repeat the name.
    let refused = Network::from_toml(&text).map_err(reason);
    assert!(matches!(refused, Err(NetworkError::ForkOrder { name }) if name == "heze"));
    let text = Network::mainnet().to_toml()
        + "\n[[forks]]\nname = \"heze\"\nversion = \"0x08000000\"\nepoch = 500000\n";
    let text = text.replace("version = \"0x07000000\"", "version = \"0x07000000\"\nepoch = 450000");
    let network = Network::from_toml(&text).unwrap();
    let slot = network.slots_per_epoch() * 500_000;
    assert_eq!(network.fork_at(Slot::new(slot)), Err(UnknownFork::named("heze")));
    assert_eq!(network.fork_version_at(Slot::new(slot)), [8, 0, 0, 0]);
}

/// An error without the line of its value.
fn reason(error: NetworkError) -> NetworkError {
    match error {
        NetworkError::AtLine { error, .. } => *error,
        other => other,
    }
}

#[test]
fn every_number_is_bounded() {
    let refused = [
        ("chain_id = 1", "chain_id = 0", "chain_id"),
        ("slots_per_epoch = 32", "slots_per_epoch = 0", "slots_per_epoch"),
        (
            "epochs_per_sync_committee_period = 256",
            "epochs_per_sync_committee_period = 0",
            "epochs_per_sync_committee_period",
        ),
        ("sync_committee_size = 512", "sync_committee_size = 513", "sync_committee_size"),
        ("slot_duration_ms = 12000", "slot_duration_ms = 0", "slot_duration_ms"),
        ("genesis_time = 1606824023", "genesis_time = 9000000000000000000", "genesis_time"),
        ("max_checkpoint_age_epochs = 3532", "max_checkpoint_age_epochs = 0", "max_checkpoint_age_epochs"),
        (
            "max_checkpoint_age_epochs = 1573",
            "max_checkpoint_age_epochs = 1000001",
            "forks.max_checkpoint_age_epochs",
        ),
    ];
    for (from, to, expected) in refused {
        let text = Network::mainnet().to_toml();
        assert!(text.contains(from), "{from}");
        match Network::from_toml(&text.replace(from, to)).map_err(reason) {
            Err(NetworkError::OutOfRange { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn malformed_networks_are_refused() {
    let text = Network::mainnet().to_toml();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        reason(Network::from_toml(&text.replacen(from, to, 1)).unwrap_err())
    };
    assert!(matches!(with("chain_id", "colour = 1\nchain_id"), NetworkError::Toml(_)));
    assert!(matches!(with("chain_id = 1\n", ""), NetworkError::Toml(_)));
    assert!(matches!(with("chain_id = 1\n", "chain_id = -1\n"), NetworkError::Toml(_)));
    // TOML has no such integer, so that it could not be written again.
    let past_the_last = with("chain_id = 1\n", "chain_id = 9223372036854775808\n");
    assert!(matches!(past_the_last, NetworkError::OutOfRange { .. } | NetworkError::Toml(_)));
    assert!(matches!(with("= 512", "= 500"), NetworkError::CommitteeSize { got: 500 }));
    assert!(matches!(with("\"mainnet\"", "\"main net\""), NetworkError::Name { .. }));
    assert!(matches!(with("\"0x01000000\"", "\"0x010000\""), NetworkError::Version { .. }));
    assert!(matches!(with("\"0x01000000\"", "\"01000000\""), NetworkError::Version { .. }));
    assert!(
        matches!(with("epoch = 74240", "epoch = 144897"), NetworkError::ForkOrder { name } if name == "bellatrix")
    );
    assert!(
        matches!(with("\"altair\"", "\"capella\""), NetworkError::ForkOrder { name } if name == "bellatrix")
    );
    assert!(
        matches!(with("\"altair\"", "\"heze\""), NetworkError::ForkOrder { name } if name == "bellatrix")
    );
    assert!(matches!(with("epoch = 412672", "epoch = 364032"), NetworkError::BlobOrder { .. }));
    assert!(matches!(with("@14017856", "@"), NetworkError::Checkpoint(_)));
    assert!(matches!(Network::from_toml(&" ".repeat(65_536)), Err(NetworkError::Toml(_))));
    assert!(matches!(
        Network::from_toml(&" ".repeat(65_537)),
        Err(NetworkError::TooLarge { got: 65_537, .. })
    ));
}

#[test]
fn a_url_in_a_wrong_place_is_not_repeated() {
    let text = Network::mainnet().to_toml();
    for (from, to) in [
        ("chain_id = 1\n", "chain_id = \"https://node.example/KEY\"\n"),
        ("chain_id = 1\n", "chain_id = 1\n\"https://node.example/KEY\" = 1\n"),
        ("epoch = 74240", "epoch = \"https://node.example/KEY\""),
        ("\"mainnet\"", "\"https://node.example/KEY\""),
        ("\"0x01000000\"", "\"https://node.example/KEY\""),
        ("@14017856", "@https://node.example/KEY"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Network::from_toml(&text.replacen(from, to, 1)).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("KEY"), "{to}: {shown}");
    }
}

#[test]
fn names_have_only_letters_digits_hyphens_and_underscores() {
    let named = |name: &str| {
        let text = Network::mainnet().to_toml().replacen("\"mainnet\"", &format!("\"{name}\""), 1);
        Network::from_toml(&text).map(|network| network.name().to_owned())
    };
    for name in ["a", "My-Net_7", "-", "_", &"x".repeat(64)] {
        assert_eq!(named(name).unwrap(), name);
    }
    for name in ["", " ", "a.b", "ä", &"x".repeat(65)] {
        let refused = named(name).map_err(reason);
        assert!(matches!(refused, Err(NetworkError::Name { got }) if got == name), "{name}");
    }
}

#[test]
fn lists_are_bounded() {
    let text = Network::mainnet().to_toml();
    let with = |count: usize, entry: &dyn Fn(usize) -> String| {
        Network::from_toml(&format!("{text}\n{}", (0..count).map(entry).collect::<Vec<_>>().join("\n")))
    };
    let network = Network::mainnet();
    let left = |used: usize| 64_usize.checked_sub(used).unwrap();
    let (forks, blobs) = (left(network.forks().len()), left(network.blob_schedule().len()));
    let fork = |at: usize| format!("[[forks]]\nname = \"later-{at}\"\nversion = \"0x100000{at:02x}\"");
    let blob =
        |at: usize| format!("[[blob_schedule]]\nepoch = {}\nmax_blobs = 9", at.saturating_add(1_000_000));
    assert_eq!(with(forks, &fork).unwrap().forks().len(), 64);
    assert!(matches!(
        with(forks.saturating_add(1), &fork),
        Err(NetworkError::TooMany { field: "forks", got: 65, limit: 64 })
    ));
    assert_eq!(with(blobs, &blob).unwrap().blob_schedule().len(), 64);
    assert!(matches!(
        with(blobs.saturating_add(1), &blob),
        Err(NetworkError::TooMany { field: "blob_schedule", got: 65, limit: 64 })
    ));
}

#[test]
fn a_mistyped_file_names_the_line_the_key_and_what_was_meant() {
    let file = Network::hoodi().to_toml();
    let shown = |from: &str, to: &str| {
        assert!(file.contains(from), "{from}");
        Network::from_toml(&file.replacen(from, to, 1)).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        (
            "chain_id",
            "chain_idd",
            "not a network file: line 2: unknown key `chain_idd`; did you mean `chain_id`?",
        ),
        (
            "chain_id",
            "Chain_Id",
            "not a network file: line 2: unknown key `Chain_Id`; did you mean `chain_id`?",
        ),
        ("genesis_time", "genesistime", "line 3: unknown key `genesistime`; did you mean `genesis_time`?"),
        ("[[forks]]", "[[fork]]", "line 12: unknown key `fork`; did you mean `forks`?"),
        ("[[forks]]", "[[rcp]]", "line 12: unknown key `rcp`; did you mean `rpc`?"),
        ("[[forks]]", "[[beacons]]", "line 12: unknown key `beacons`; did you mean `beacon`?"),
        ("name = ", "[network]\nname = ", "line 1: unknown key `network`; the keys are name,"),
        ("slots_per_epoch = 32", "slots_per_epoch = 32\nslots_per_epoch = 32", "line 7: "),
        ("chain_id", "colour = 1\nchain_id", "line 2: unknown key `colour`; the keys are name, chain_id,"),
        ("chain_id = 560048\n", "", "not a network file: missing field `chain_id`"),
        ("chain_id = 560048", "chain_id = \"x\"", "line 2: `chain_id` must be a whole number"),
        ("genesis_time = ", "genesis_time = 1.5 #", "line 3: `genesis_time` must be a whole number"),
        ("chain_id = 560048", "chain_id = -1", "line 2: `chain_id` must be a whole number"),
        ("name = \"hoodi\"", "name = true", "line 1: `name` must be text in quotes"),
        (
            "slots_per_epoch = 32",
            "slots_per_epoch = [32]",
            "line 6: `slots_per_epoch` must be a whole number",
        ),
        ("chain_id = ", "chain_id : ", "not a network file: line 2: "),
        ("chain_id = 560048", "chain_id = \"https://KEY@x\"", "line 2: a URL, where no URL is allowed"),
    ] {
        let shown = shown(from, to);
        assert!(shown.contains(expected), "{shown}");
        assert!(!shown.contains("KEY") && !shown.contains('\n'), "{shown}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_its_line() {
    let file = Network::hoodi().to_toml();
    let file = format!("checkpoint = \"0x{}\"\n{file}", "12".repeat(32));
    assert!(Network::from_toml(&file).is_ok());
    let line = |from: &str| file.split_once(from).unwrap().0.split('\n').count();
    for (from, to, expected) in [
        ("\"0x12", "\"0x1", "`checkpoint`: a checkpoint is written as 0xROOT or 0xROOT@SLOT"),
        ("\"0x12", "\"12", "`checkpoint`: a checkpoint is written as"),
        ("12\"\n", "12@\"\n", "`checkpoint`: a checkpoint is written as"),
        ("12\"\n", "12@0x7\"\n", "`checkpoint`: a checkpoint is written as"),
        ("chain_id = 560048", "chain_id = 0", "`chain_id` is 0, expected 1 to"),
        ("slots_per_epoch = 32", "slots_per_epoch = 513", "`slots_per_epoch` is 513"),
        ("sync_committee_size = 512", "sync_committee_size = 511", "`sync_committee_size` is 511"),
        ("name = \"hoodi\"", "name = \"my net\"", "`my net` is not a name"),
        ("name = \"capella\"", "name = \"altair\"", "fork `altair` is out of order"),
        ("version = \"0x40000910\"", "version = \"0x4000091\"", "`0x4000091` is not a fork version"),
    ] {
        assert!(file.contains(from), "{from}");
        let error = Network::from_toml(&file.replacen(from, to, 1)).unwrap_err();
        let expected = format!("line {}: {expected}", line(from));
        assert!(error.to_string().starts_with(&expected), "{error}\n{expected}");
    }
}
