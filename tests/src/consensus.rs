//! Runs the consensus specification's vectors in any folder: each case's files say what it needs.

mod collection;
mod merkle_proof;
mod object;
mod ranking;
mod sync;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use saldo_beacon::{Execution, Fork, LightClientHeader, Network};
use serde::Deserialize;
use serde_json::Value;

use crate::beacon::network_of_config;

/// The genesis time of the vectors' chains, in seconds. No result depends on it.
const GENESIS_TIME: u64 = 1_578_009_900;

/// How often each kind was run, by name, so that no case is skipped silently.
pub type Counts = BTreeMap<&'static str, usize>;

/// One case: a folder, and the data in its path.
struct Case {
    folder: PathBuf,
    preset: String,
    fork: String,
    /// The handler, as in `light_client/sync`, or the name of an object.
    handler: String,
}

/// Runs every case below `tests`, whose layout is `PRESET/FORK/RUNNER/HANDLER/SUITE/CASE`.
///
/// # Panics
/// If a case does not end as expected, or its kind is unknown.
pub fn run(tests: &Path) -> Counts {
    let mut counts = Counts::new();
    for preset in children(tests) {
        for fork in children(&preset) {
            for runner in children(&fork) {
                for handler in children(&runner) {
                    for folder in children(&handler).iter().flat_map(|suite| children(suite)) {
                        let case = Case {
                            folder,
                            preset: name(&preset).into(),
                            fork: name(&fork).into(),
                            handler: name(&handler).into(),
                        };
                        run_case(name(&runner), &case, &mut counts);
                    }
                }
            }
        }
    }
    counts
}

fn run_case(runner: &str, case: &Case, counts: &mut Counts) {
    println!("{}", case.folder.display());
    match (runner, case.handler.as_str()) {
        ("light_client", "sync") => sync::run(&case.folder, counts),
        ("light_client", "update_ranking") => ranking::run(case, counts),
        ("light_client", "single_merkle_proof") => merkle_proof::run(case, counts),
        ("light_client", "data_collection") => collection::run(case, counts),
        ("ssz_static", _) => object::run(case, counts),
        (runner, handler) => panic!("no such kind of case: {runner}/{handler} of {}", case.folder.display()),
    }
}

/// The cases in folders `FORK/CASE`, as some repositories keep them.
pub fn cases_by_fork(root: &Path) -> Vec<PathBuf> {
    children(root).iter().flat_map(|fork| children(fork)).collect()
}

/// Runs sync cases.
///
/// # Panics
/// If one does not end as expected.
pub fn run_sync(cases: &[PathBuf]) -> Counts {
    let mut counts = Counts::new();
    for case in cases {
        println!("{}", case.display());
        sync::run(case, &mut counts);
    }
    counts
}

fn count(counts: &mut Counts, what: &'static str) {
    *counts.entry(what).or_default() += 1;
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn yaml<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let value: Value = serde_yaml_ng::from_str(&text).unwrap();
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of `NAME.ssz_snappy`, which is Snappy without frames.
///
/// # Panics
/// If there is no such file.
pub fn ssz(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(format!("{name}.ssz_snappy"));
    let compressed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    snap::raw::Decoder::new().decompress_vec(&compressed).unwrap()
}

/// The network of a case's `config.yaml`.
fn network(folder: &Path, genesis_validators_root: B256) -> Network {
    network_of_config(&yaml(&folder.join("config.yaml")), GENESIS_TIME, genesis_validators_root)
}

/// A network that has one fork from genesis on, for cases without a configuration.
///
/// # Panics
/// If there is no such fork or preset.
pub fn network_on(fork: &str, preset: &str) -> Network {
    let fork = Fork::from_name(fork).unwrap_or_else(|| panic!("no such fork: {fork}"));
    let mut config =
        serde_json::json!({ "PRESET_BASE": preset, "SLOT_DURATION_MS": 6000, "GENESIS_FORK_VERSION": 1 });
    for (index, known) in Fork::ALL.into_iter().enumerate() {
        let key = known.name().to_uppercase();
        config[format!("{key}_FORK_VERSION")] = (((index + 1) << 24) + 1).into();
        config[format!("{key}_FORK_EPOCH")] = if known <= fork { 0_u64 } else { u64::MAX }.into();
    }
    config["MAX_BLOBS_PER_BLOCK_ELECTRA"] = 9.into();
    network_of_config(&config, GENESIS_TIME, B256::ZERO)
}

/// The specification's execution root of a header: the payload header's root or, from Gloas on, the hash.
///
/// Source: `get_lc_execution_root`, consensus-specs `gloas/light-client/sync-protocol.md`.
fn execution_root(header: &LightClientHeader, network: &Network) -> B256 {
    let rules = network.fork_at(header.beacon.slot).unwrap().rules();
    match &header.execution {
        Execution::Absent => B256::ZERO,
        Execution::Header(payload) => payload.hash_tree_root(),
        Execution::Hash(hash) => {
            // The payload header is a leaf of the body at its own index. Nothing above it is hashed here.
            let (whole, payload) = (rules.execution_block_hash.unwrap(), rules.execution.unwrap());
            let depth = |gindex: u64| usize::try_from(gindex.ilog2()).unwrap();
            let below = depth(whole) - depth(payload);
            let padding = header.execution_branch.len() - depth(whole);
            let siblings = header.execution_branch[padding..][..below].iter().enumerate();
            siblings.fold(*hash, |node, (level, sibling)| {
                let is_right = whole >> level & 1 == 1;
                let (left, right) = if is_right { (*sibling, node) } else { (node, *sibling) };
                saldo_beacon::merkle::hash_pair(left, right)
            })
        }
    }
}
