//! saldo's tables of mainnet, Sepolia, Hoodi and Gnosis agree with those that the clients publish: every number, every fork,
//! and every digest that names a fork in messages.

use std::collections::BTreeMap;
use std::fs::File;

use alloy_primitives::hex;
use saldo::Network;
use saldo_beacon::unit::{Epoch, Slot, UnixTime};
use saldo_tests::vectors;
use serde_json::Value;

/// Forks that saldo does not know yet, and the epoch that means "not scheduled".
const UNSCHEDULED: [&str; 1] = ["HEZE"];
const FAR_FUTURE: u64 = u64::MAX;

/// Scheduled after the published files were made: ethereum/pm issue 2205.
const SEPOLIA_GLOAS: u64 = 353_024;

fn published(file: &str) -> Option<Value> {
    let path = vectors(&format!("networks/{file}"))?;
    Some(serde_json::from_reader(File::open(path).unwrap()).unwrap())
}

/// A number, written as a number or as text.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value}"))
}

/// Every network whose table comes with saldo.
fn tables() -> impl Iterator<Item = Network> {
    Network::built_in().into_iter().chain([Network::gnosis()])
}

#[test]
fn every_number_and_fork() {
    let Some(published) = published("all-networks.json") else { return };
    for network in tables() {
        let (genesis, config) = (&published[network.name()]["genesis"], &published[network.name()]["config"]);
        assert_eq!(network.chain_id(), number(&config["DEPOSIT_CHAIN_ID"]));
        assert_eq!(network.genesis_time().as_secs(), number(&genesis["genesisTime"]));
        assert_eq!(network.genesis_validators_root().to_string(), genesis["genesisValidatorsRoot"]);
        assert_eq!(network.slot_duration().as_millis(), u128::from(number(&config["SLOT_DURATION_MS"])));
        assert_eq!(hex::encode_prefixed(network.genesis_fork_version()), config["GENESIS_FORK_VERSION"]);
        let (preset, slots, epochs) =
            if network.name() == "gnosis" { ("gnosis", 16, 512) } else { ("mainnet", 32, 256) };
        assert_eq!(config["PRESET_BASE"], preset);
        assert_eq!(network.slots_per_epoch(), slots);
        assert_eq!(network.epochs_per_sync_committee_period(), epochs);
        assert_eq!(network.sync_committee_size(), 512);

        let theirs: BTreeMap<String, (String, u64)> = config
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(key, epoch)| Some((key.strip_suffix("_FORK_EPOCH")?, number(epoch))))
            .filter(|(fork, _)| !UNSCHEDULED.contains(fork))
            .map(|(fork, epoch)| {
                let version = config[format!("{fork}_FORK_VERSION")].as_str().unwrap();
                let later = network.name() == "sepolia" && fork == "GLOAS" && epoch == FAR_FUTURE;
                (fork.to_lowercase(), (version.to_owned(), if later { SEPOLIA_GLOAS } else { epoch }))
            })
            .collect();
        let ours: BTreeMap<String, (String, u64)> = network
            .forks()
            .iter()
            .map(|fork| {
                let epoch = fork.epoch().map_or(FAR_FUTURE, Epoch::get);
                (fork.name().to_owned(), (hex::encode_prefixed(fork.version()), epoch))
            })
            .collect();
        assert_eq!(ours, theirs, "{}", network.name());

        let electra = (number(&config["ELECTRA_FORK_EPOCH"]), number(&config["MAX_BLOBS_PER_BLOCK_ELECTRA"]));
        let later = config["BLOB_SCHEDULE"].as_array().unwrap().iter();
        let later = later.map(|entry| (number(&entry["EPOCH"]), number(&entry["MAX_BLOBS_PER_BLOCK"])));
        let theirs: Vec<(u64, u64)> = std::iter::once(electra).chain(later).collect();
        let ours = network.blob_schedule().iter().map(|entry| (entry.epoch.get(), entry.max_blobs));
        assert_eq!(ours.collect::<Vec<_>>(), theirs, "{}", network.name());
    }
}

#[test]
fn every_fork_digest() {
    let Some(published) = published("fork-digests.json") else { return };
    for network in tables() {
        let entries = published[network.name()].as_array().unwrap();
        for (position, entry) in entries.iter().enumerate() {
            let (fork, epoch) = (entry["fork"].as_str().unwrap(), number(&entry["epoch"]));
            if UNSCHEDULED.contains(&fork) {
                let known = network.forks().iter().any(|known| known.name().eq_ignore_ascii_case(fork));
                assert!(!known, "{fork} is in the table now");
                continue;
            }
            // Published digests also exist for forks that ended when the next one began, and for forks without an
            // epoch.
            let over = entries[position + 1..].iter().any(|later| number(&later["epoch"]) == epoch);
            let digest = if over || epoch == FAR_FUTURE {
                alone(&network, fork).fork_digest(Epoch::new(0))
            } else {
                network.fork_digest(Epoch::new(epoch))
            };
            assert_eq!(hex::encode_prefixed(digest), entry["fork_digest"], "{} {fork}", network.name());
        }
    }
}

/// The network with only that other fork, if any, and without blob parameters.
fn alone(network: &Network, fork: &str) -> Network {
    let mut file: toml::Table = network.to_toml().parse().unwrap();
    file.remove("blob_schedule");
    let forks = file["forks"].as_array_mut().unwrap();
    forks.retain(|known| known["name"].as_str().unwrap().eq_ignore_ascii_case(fork));
    assert_eq!(forks.is_empty(), fork == "GENESIS", "{fork}");
    for fork in forks {
        fork.as_table_mut().unwrap().insert("epoch".to_owned(), toml::Value::Integer(0));
    }
    Network::from_toml(&file.to_string()).unwrap()
}

#[test]
fn gloas_starts_on_sepolia_when_it_was_scheduled() {
    let sepolia = Network::sepolia();
    let slot = Slot::new(SEPOLIA_GLOAS * sepolia.slots_per_epoch());
    assert_eq!(sepolia.slot_start(slot), UnixTime::from_secs(1_791_294_816), "2026-10-06 13:53:36 UTC");
    assert_eq!(sepolia.fork_at(slot).unwrap().name(), "gloas");
    assert_eq!(sepolia.max_checkpoint_age_at(Epoch::new(SEPOLIA_GLOAS)), 1573);
}

#[test]
fn mainnets_built_in_checkpoint_is_a_real_block() {
    let Some(folder) = vectors("e2e/mainnet-fulu-14017856-nimbus") else { return };
    let scenario: Value = serde_json::from_reader(File::open(folder.join("scenario.json")).unwrap()).unwrap();
    let checkpoint = *Network::mainnet().checkpoint().unwrap();
    assert_eq!(checkpoint.root.to_string(), scenario["checkpoint"]);
    assert_eq!(checkpoint.slot, Some(Slot::new(number(&scenario["steps"][0]["slot"]))));
    for without in [Network::sepolia(), Network::hoodi()] {
        assert_eq!(without.checkpoint(), None);
    }
}
