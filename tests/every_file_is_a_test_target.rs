//! A test file that no target names would never run. This test fails on such a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Collects the `.rs` files. Skips folders that are no tests of this package: its library, and other packages.
fn rust_files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap();
            let apart = path.join("Cargo.toml").exists();
            if !apart && name != "src" && name != "target" && name != "node_modules" {
                rust_files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
}

#[test]
fn every_file_is_a_test_target() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = std::fs::read_to_string(tests.join("Cargo.toml")).unwrap().parse().unwrap();
    let declared: BTreeSet<PathBuf> = manifest["test"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| tests.join(target["path"].as_str().unwrap()))
        .collect();
    let mut present = BTreeSet::new();
    rust_files(tests, &mut present);
    assert!(present.len() > 1, "no files were found");
    assert_eq!(present, declared, "files in tests/ (left) and targets in tests/Cargo.toml (right) differ");
}
