//! The packages that a wallet links, and that run on the machine that builds it, are those of `docs/dependencies.md`:
//! names, numbers, licences, build scripts. No package is banned, doubled or from another registry.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use saldo_tests::skip;
use saldo_tests::supply::{Crate, Package, Tree, is_licensed, packages, repository};
use serde_json::{Value, json};

type Names = BTreeSet<String>;

const LINKED: &str = "normal,no-proc-macro";
const BUILT: &str = "normal,build";
const WALLET: [&str; 4] = ["-p", "saldo", "-p", "saldo-doctor"];

/// Every licence that a linked or built package may have.
const LICENCES: [&str; 6] =
    ["MIT", "Apache-2.0", "Unicode-3.0", "ISC", "BSD-3-Clause", "CDLA-Permissive-2.0"];

/// Additional licences for tests, fuzzing and benches, and for the feature `execute`: `docs/dependencies.md` names its crates.
const LICENCES_OF_TESTS: [&str; 6] =
    ["Zlib", "CC0-1.0", "MIT-0", "BSD-2-Clause", "Unlicense", "Apache-2.0 WITH LLVM-exception"];

/// Licensed under the MPL, which is copyleft per file. It is in the lock file because `ruint` could use it, and no
/// build compiles it.
const MPL_IN_TESTS: [&str; 1] = ["fastrlp"];

/// UniFFI is licensed under the MPL too. Only `saldo-ffi` and its generator link it, unchanged: `docs/dependencies.md`.
const MPL_FOR_OTHER_LANGUAGES: [&str; 8] = [
    "uniffi",
    "uniffi_bindgen",
    "uniffi_core",
    "uniffi_internal_macros",
    "uniffi_macros",
    "uniffi_meta",
    "uniffi_pipeline",
    "uniffi_udl",
];

/// Banned even in tests.
const BANNED: [(&str, &str); 8] = [
    ("openssl", "a TLS library of the system, in an unknown version"),
    ("openssl-sys", "the same"),
    ("native-tls", "the same"),
    ("ethers", "archived; brings TLS with known holes"),
    ("ethers-providers", "the same"),
    ("tracing-ethers", "RUSTSEC-2026-0040: sent SSH keys away"),
    ("rustls-pemfile", "RUSTSEC-2025-0134: unmaintained"),
    ("instant", "RUSTSEC-2024-0384: unmaintained"),
];

/// In the lock file only for the feature `aws-lc-rs`. They need CMake, and are three times the size of `ring`.
const ONLY_BY_THEIR_FEATURE: [&str; 2] = ["aws-lc-rs", "aws-lc-sys"];

/// Banned in a wallet's dependencies: the other implementations that tests compare with, and tools for tests.
const BANNED_IN_WALLETS: [&str; 13] = [
    "alloy-trie",
    "ethers-core",
    "rlp",
    "tree_hash",
    "ethereum_ssz",
    "ssz_types",
    "alloy-consensus",
    "clap",
    "tracing-subscriber",
    "saldo-drill",
    "saldo-worlds",
    "saldo-tests",
    "proptest",
];

/// Linked only by the feature `execute`, with what runs code.
const ONLY_TO_RUN_CODE: [&str; 4] = ["saldo-execute", "revm", "rand", "k256"];

/// Banned in pure crates: packages that wait, open sockets, read a clock or draw random numbers.
const BANNED_IN_PURE: [&str; 10] = [
    "tokio",
    "futures-util",
    "futures-core",
    "mio",
    "socket2",
    "hyper",
    "reqwest",
    "rustls",
    "getrandom",
    "rand",
];

/// Packages of the lists above that are certainly found outside wallets. Otherwise the search itself is broken.
const FOUND_IN_TESTS: [&str; 7] =
    ["alloy-trie", "ethers-core", "clap", "saldo-drill", "tokio", "reqwest", "getrandom"];

/// Packages that declare a native library.
const NATIVE: [&str; 2] = ["blst", "ring"];

/// Packages in two versions, and what requires the older one: on x86-64 Linux, and on other platforms only.
const TWICE: [(&str, &str); 2] = [
    ("cpufeatures", "const-hex has 0.2, sha2 has 0.3"),
    ("syn", "derive_more and zeroize have 2, the others 3"),
];
const TWICE_ON_OTHER_PLATFORMS: [(&str, &str); 1] = [("windows-sys", "ring has 0.52, tokio has 0.61")];

/// cargo's data, read once, or `None` after printing that this machine has none.
fn known() -> Option<&'static BTreeMap<Crate, Package>> {
    static KNOWN: LazyLock<Result<BTreeMap<Crate, Package>, String>> = LazyLock::new(packages);
    match &*KNOWN {
        Ok(packages) => Some(packages),
        Err(reason) => {
            skip(&format!("cargo cannot list all packages, for example without a network: {reason}"));
            None
        }
    }
}

/// Cached, so that cargo runs once per tree.
fn tree(of: &[&str], edges: &str, everywhere: bool) -> Arc<Tree> {
    static KNOWN: Mutex<BTreeMap<Vec<String>, Arc<Tree>>> = Mutex::new(BTreeMap::new());
    let mut arguments = of.to_vec();
    arguments.extend(["-e", edges]);
    if everywhere {
        arguments.extend(["--target", "all"]);
    }
    let key = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(key).or_insert_with(|| Arc::new(Tree::of(&arguments))))
}

fn names<'a>(crates: impl IntoIterator<Item = &'a Crate>) -> Names {
    crates.into_iter().map(|node| node.name.clone()).collect()
}

/// The rows of the table under a heading of the document, without its header, as cells.
fn table(heading: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(repository().join("docs/dependencies.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let section = section.unwrap_or_else(|| panic!("no heading `{heading}`"));
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "no table under `{heading}`");
    rows
}

/// The texts in backticks, without duplicates.
fn ticked(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// All names in one column of a table, which must not contain a name twice.
fn column(heading: &str, column: usize) -> Names {
    let all: Vec<String> = table(heading).iter().flat_map(|row| ticked(&row[column])).collect();
    let once: Names = all.iter().cloned().collect();
    assert_eq!(all.len(), once.len(), "a name is listed twice under `{heading}`");
    once
}

#[test]
fn the_numbers_are_right() {
    let Some(_) = known() else { return };
    let mut count = 0;
    for row in table("How many") {
        let mut of: Vec<&str> = match row[0].as_str() {
            "`saldo`, with the default features `http`, `http2`, `redb` and `toml`" => vec!["-p", "saldo"],
            "`saldo` with the feature `execute` besides: the command" => {
                vec!["-p", "saldo", "--features", "execute"]
            }
            "`saldo` without them: the app brings transport, clock and storage" => {
                vec!["-p", "saldo", "--no-default-features"]
            }
            "`saldo-beacon`, `saldo-chain`, `saldo-reading`, `saldo-proof-file`" => {
                vec!["-p", "saldo-proof-file"]
            }
            "`saldo-proof`" => vec!["-p", "saldo-proof"],
            "`saldo-proof` without the feature `serde`" => vec!["-p", "saldo-proof", "--no-default-features"],
            other => panic!("no such row: {other}"),
        };
        let linked = tree(&of, LINKED, false).foreign();
        let built = tree(&of, BUILT, false).foreign();
        let anywhere = tree(&of, LINKED, true).foreign();
        let expected = [linked.len(), built.difference(&linked).count(), anywhere.len()];
        let got: Vec<usize> = row[1..].iter().map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(got, expected, "{}", row[0]);
        count += 1;
        if of == ["-p", "saldo"] {
            of.extend(["-p", "saldo-doctor"]);
            assert_eq!(tree(&of, LINKED, false).foreign(), linked, "the doctor adds something");
        }
    }
    assert_eq!(count, 6);
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let Some(_) = known() else { return };
    let tree = tree(&WALLET, LINKED, false);
    let mut direct = tree.direct();
    for row in table("Direct") {
        let [name] = &ticked(&row[0])[..] else { panic!("{}", row[0]) };
        let users = direct.remove(name).unwrap_or_else(|| panic!("{name} is not used"));
        let stated: Names = row[1].split(", ").map(str::to_owned).collect();
        assert_eq!(stated, users, "{name}: used by");
        assert!(row[2].len() > 20, "{name}: why?");
        assert_eq!(row[3], tree.brought_by(name).len().to_string(), "{name}: brings");
    }
    assert_eq!(direct, BTreeMap::new(), "dependencies without a row");
}

#[test]
fn every_other_is_named_with_what_brings_it() {
    let Some(_) = known() else { return };
    let linked = tree(&WALLET, LINKED, false);
    let direct: Names = linked.direct().into_keys().collect();
    let brought: Names = names(&linked.foreign()).difference(&direct).cloned().collect();
    assert_eq!(column("What they bring", 1), brought);
    for row in table("What they bring") {
        let by = ticked(&row[0]);
        let from: Names = by.iter().flat_map(|name| names(&linked.brought_by(name))).collect();
        for name in ticked(&row[1]) {
            assert!(from.contains(&name), "{name} is not brought by {by:?}");
        }
    }
    let anywhere = names(&tree(&WALLET, LINKED, true).foreign());
    let on_other_platforms: Names = anywhere.difference(&names(&linked.foreign())).cloned().collect();
    assert_eq!(column("Linked elsewhere only", 1), on_other_platforms);
    let built = names(&tree(&WALLET, BUILT, true).foreign());
    let only_built: Names = built.difference(&anywhere).cloned().collect();
    assert_eq!(column("Built, not linked", 0), only_built);
}

#[test]
fn what_runs_while_building_is_known() {
    let Some(packages) = known() else { return };
    let built = tree(&WALLET, BUILT, true).foreign();
    let scripts = built.iter().filter(|node| packages[node].has_build_script);
    assert_eq!(column("What runs while building", 0), names(scripts));
    let native = built.iter().filter(|node| packages[node].links.is_some());
    let mut expected: Names = NATIVE.map(str::to_owned).into();
    // It links nothing: its name keeps cargo from building two versions.
    expected.insert("wasm-bindgen-shared".into());
    assert_eq!(names(native), expected);
}

#[test]
fn every_licence_is_allowed() {
    let Some(packages) = known() else { return };
    let built = tree(&WALLET, BUILT, true).foreign();
    let plain = |licence: &str| ["MIT", "Apache-2.0"].contains(&licence);
    let mut named = Names::new();
    for row in table("Licences") {
        assert!(LICENCES.contains(&row[0].as_str()), "{} is not allowed", row[0]);
        for name in ticked(&row[1]) {
            let node = built.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("{name}?"));
            let expression = &packages[node].licence;
            assert!(
                is_licensed(expression, &|licence| plain(licence) || licence == row[0]),
                "{name}: {expression}"
            );
            assert!(named.insert(name));
        }
    }
    let others = built.iter().filter(|node| !is_licensed(&packages[node].licence, &plain));
    assert_eq!(names(others), named);

    let of_tests = |licence: &str| LICENCES.contains(&licence) || LICENCES_OF_TESTS.contains(&licence);
    let refused = packages.iter().filter(|(_, package)| !is_licensed(&package.licence, &of_tests));
    let refused: BTreeSet<(&str, &str)> =
        refused.map(|(node, package)| (node.name.as_str(), package.licence.as_str())).collect();
    let known = MPL_IN_TESTS.into_iter().chain(MPL_FOR_OTHER_LANGUAGES);
    assert_eq!(refused, known.map(|name| (name, "MPL-2.0")).collect());
}

#[test]
fn licences_are_read_as_written() {
    let allowed = |licence: &str| ["MIT", "Apache-2.0", "ISC"].contains(&licence);
    for expression in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "Apache-2.0 AND ISC",
        "(MIT OR GPL-3.0-only) AND ISC",
        "GPL-3.0-only AND ISC OR MIT",
    ] {
        assert!(is_licensed(expression, &allowed), "{expression}");
    }
    for expression in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR ISC) AND GPL-3.0-only",
        "Apache-2.0 WITH LLVM-exception",
        "MIT-0",
        "GPL-3.0-only/AGPL-3.0-only",
    ] {
        assert!(!is_licensed(expression, &allowed), "{expression}");
    }
}

#[test]
fn no_banned_package_is_used() {
    let Some(packages) = known() else { return };
    for (name, reason) in BANNED {
        assert!(!packages.keys().any(|node| node.name == name), "{name}: {reason}");
    }
    let mut tries = packages.keys().filter(|node| node.name == "alloy-trie").peekable();
    assert!(tries.peek().is_some(), "the oracle is missing");
    for node in tries {
        let numbers: Vec<u64> = node.version.split('.').map(|number| number.parse().unwrap()).collect();
        assert!(numbers >= vec![0, 9, 9], "alloy-trie {} accepts proofs that prove nothing", node.version);
    }
    let is_in = |tree: &Tree, banned: &[&'static str]| -> Vec<&str> {
        let names = tree.names();
        banned.iter().copied().filter(|name| names.contains(name)).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(is_in(&tree(&WALLET, BUILT, true), &BANNED_IN_WALLETS), none);
    assert_eq!(is_in(&tree(&["--workspace"], "all", true), &ONLY_BY_THEIR_FEATURE), none);
    let chosen = tree(&["-p", "saldo", "--no-default-features", "--features", "aws-lc-rs"], BUILT, true);
    assert_eq!(is_in(&chosen, &ONLY_BY_THEIR_FEATURE), ONLY_BY_THEIR_FEATURE);
    assert_eq!(is_in(&chosen, &["ring"]), none, "aws-lc-rs stands in place of ring");
    assert_eq!(
        is_in(
            &tree(&["-p", "saldo-reading", "-p", "saldo-proof-file", "-p", "saldo-token"], LINKED, true),
            &BANNED_IN_PURE
        ),
        none
    );
    // No C library is linked to run code, and no runtime and no socket. Random numbers are linked, and not drawn.
    let running = tree(&["-p", "saldo-execute"], LINKED, true);
    assert_eq!(is_in(&running, &["secp256k1", "secp256k1-sys", "c-kzg", "gmp-mpfr-sys"]), none);
    assert_eq!(is_in(&running, &BANNED_IN_PURE), ["getrandom", "rand"]);
    assert_eq!(is_in(&tree(&WALLET, LINKED, true), &ONLY_TO_RUN_CODE), none);
    let with_code = tree(&["-p", "saldo", "--features", "execute"], LINKED, false);
    assert_eq!(is_in(&with_code, &ONLY_TO_RUN_CODE), ONLY_TO_RUN_CODE);
    assert_eq!(is_in(&tree(&["--workspace"], "all", true), &FOUND_IN_TESTS), FOUND_IN_TESTS);
}

#[test]
fn no_package_is_doubled_without_a_reason() {
    let Some(_) = known() else { return };
    let twice = |everywhere| -> Names {
        let mut seen = Names::new();
        let all = tree(&WALLET, BUILT, everywhere).foreign();
        all.into_iter().map(|node| node.name).filter(|name| !seen.insert(name.clone())).collect()
    };
    let expected = |listed: &[(&str, &str)]| listed.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(twice(false), expected(&TWICE));
    assert_eq!(twice(true), expected(&[&TWICE[..], &TWICE_ON_OTHER_PLATFORMS].concat()));
}

#[test]
fn everything_comes_from_crates_io() {
    const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let Some(packages) = known() else { return };
    for (node, package) in packages {
        match &package.source {
            Some(source) => assert_eq!(source, SOURCE, "{}", node.name),
            None => {
                assert!(
                    package.manifest.starts_with(repository()),
                    "{} is not in this repository",
                    node.name
                );
            }
        }
    }
    let locked = |path: &str| -> BTreeMap<Crate, Option<String>> {
        let text = std::fs::read_to_string(repository().join(path)).unwrap();
        let lock: toml::Table = text.parse().unwrap();
        let entries = lock["package"].as_array().unwrap().iter();
        entries
            .map(|entry| {
                let field = |name: &str| entry.get(name).map(|value| value.as_str().unwrap().to_owned());
                let node = Crate { name: field("name").unwrap(), version: field("version").unwrap() };
                if field("source").is_some() {
                    assert_eq!(field("source").as_deref(), Some(SOURCE), "{path}: {}", node.name);
                    assert!(field("checksum").is_some(), "{path}: {} has no checksum", node.name);
                }
                (node, field("checksum"))
            })
            .collect()
    };
    let ours = locked("Cargo.lock");
    for path in ["fuzz/Cargo.lock", "tests/testnet/execution/Cargo.lock"] {
        assert!(locked(path).len() > 10);
    }
    // The WebAssembly test uses exactly the packages that a wallet links.
    let hint = "copy Cargo.lock there and run `cargo metadata` to shorten it";
    for (node, checksum) in locked("tests/wasm/Cargo.lock").into_iter().filter(is_from_registry) {
        assert_eq!(ours.get(&node), Some(&checksum), "{} {}: {hint}", node.name, node.version);
    }
    // So does the module of TypeScript, with another version of UniFFI and what its macros use.
    let is_of_uniffi = |name: &str| {
        name.starts_with("uniffi") || ["fs-err", "toml", "toml_datetime", "winnow"].contains(&name)
    };
    for (node, checksum) in
        locked("bindings/typescript/module/Cargo.lock").into_iter().filter(is_from_registry)
    {
        if !is_of_uniffi(&node.name) {
            assert_eq!(ours.get(&node), Some(&checksum), "{} {}: {hint}", node.name, node.version);
        }
    }
}

fn is_from_registry((_, checksum): &(Crate, Option<String>)) -> bool {
    checksum.is_some()
}

/// Writes a list of components as `cargo cyclonedx` does, cuts it as a release does, and returns what is left.
fn cut(listed: &[&Crate], target: &str) -> Result<BTreeSet<Crate>, String> {
    let component =
        |one: &Crate| json!({ "bom-ref": format!("{one:?}"), "name": one.name, "version": one.version });
    let (ours, others): (Vec<&Crate>, Vec<&Crate>) = listed.iter().partition(|one| one.name == "saldo-cli");
    let dependencies: Vec<Value> =
        listed.iter().map(|one| json!({ "ref": format!("{one:?}"), "dependsOn": ["nothing"] })).collect();
    let list = json!({
        "metadata": { "component": component(ours[0]) },
        "components": others.into_iter().map(component).collect::<Vec<_>>(),
        "dependencies": dependencies,
    });
    let path = std::env::temp_dir().join(format!("saldo-list-{}-{target}.json", std::process::id()));
    std::fs::write(&path, list.to_string()).unwrap();
    let mut command = Command::new(repository().join(".ci/linked"));
    command.arg(&path).args(["saldo-cli", target]).current_dir(repository()).env("CARGO_NET_OFFLINE", "true");
    let output = command.output().map_err(|error| error.to_string())?;
    let shorter = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let shorter: Value = serde_json::from_str(&shorter).unwrap();
    let (components, dependencies) = (&shorter["components"], shorter["dependencies"].as_array().unwrap());
    assert_eq!(dependencies.len(), components.as_array().unwrap().len() + 1, "and the command itself");
    assert!(dependencies.iter().all(|one| one["dependsOn"] == json!([])), "only what is in the list");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let crate_of = |one: &Value| Crate { name: text(&one["name"]), version: text(&one["version"]) };
    Ok(components.as_array().unwrap().iter().map(crate_of).collect())
}

#[test]
fn the_list_of_a_release_has_what_the_command_links() {
    let Some(known) = known() else { return };
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("there is no python3");
    }
    let workflow = std::fs::read_to_string(repository().join(".github/workflows/release.yml")).unwrap();
    for target in ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"] {
        assert!(workflow.contains(&format!("list saldo-cli crates/cli {target} ")), "{target}");
        let all: Vec<&Crate> = known.keys().collect();
        let linked = Tree::of(&["-p", "saldo-cli", "-e", LINKED, "--target", target]);
        let names: Names = names(&cut(&all, target).unwrap());
        let expected: Names = linked.names().into_iter().map(str::to_owned).collect();
        assert_eq!(names.len() + 1, expected.len(), "{target}");
        assert!(names.is_subset(&expected) && !names.contains("saldo-cli"), "{target}");
        assert!(!names.contains("proptest") && names.contains("rustls"), "{target}");
    }
    let without: Vec<&Crate> = known.keys().filter(|one| one.name != "rustls").collect();
    let refused = cut(&without, "x86_64-unknown-linux-gnu").unwrap_err();
    assert!(refused.contains("linked, and not in the list: [('rustls'"), "{refused}");
}
