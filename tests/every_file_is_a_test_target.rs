//! A test file that is in no target would never run. This test fails on such a file, and on one that is in two.

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

/// The files that `target` includes as its modules.
fn modules(target: &Path) -> Vec<PathBuf> {
    let source = std::fs::read_to_string(target).unwrap();
    let lines = source.lines().filter_map(|line| line.strip_prefix("#[path = \"../"));
    let folder = target.parent().unwrap().parent().unwrap();
    lines.map(|line| folder.join(line.strip_suffix("\"]").unwrap())).collect()
}

#[test]
fn every_file_is_a_test_target() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = std::fs::read_to_string(tests.join("Cargo.toml")).unwrap().parse().unwrap();
    let targets = manifest["test"].as_array().unwrap();
    let targets = targets.iter().map(|target| tests.join(target["path"].as_str().unwrap()));
    let declared: Vec<PathBuf> =
        targets.flat_map(|target| modules(&target).into_iter().chain([target])).collect();
    let once: BTreeSet<PathBuf> = declared.iter().cloned().collect();
    assert_eq!(declared.len(), once.len(), "a file is in two targets");
    let mut present = BTreeSet::new();
    rust_files(tests, &mut present);
    assert!(present.len() > 1, "no files were found");
    assert_eq!(present, once, "files in tests/ (left) and in targets of tests/Cargo.toml (right) differ");
}
