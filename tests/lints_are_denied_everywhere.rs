//! Code that could panic or wrap is denied in every crate, and no file makes an exception.

use std::path::{Path, PathBuf};

use toml::Table;

/// These lints are errors in every checked build, not only in CI.
const DENIED: [&str; 8] = [
    "indexing_slicing",
    "string_slice",
    "as_conversions",
    "unwrap_used",
    "panic",
    "todo",
    "unimplemented",
    "arithmetic_side_effects",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(path: &Path) -> Table {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_workspace_denies_them() {
    let lints = manifest(&root().join("Cargo.toml"))["workspace"]["lints"].clone();
    assert_eq!(lints["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for lint in DENIED {
        assert_eq!(lints["clippy"][lint].as_str(), Some("deny"), "{lint}");
    }
}

#[test]
fn every_crate_inherits_them_without_exceptions() {
    let (mut crates, mut files) = (0, Vec::new());
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        rust_files(&folder.join("src"), &mut files);
        crates += 1;
        if folder.ends_with("ffi") {
            continue; // The next test is for it.
        }
        let lints = manifest(&folder.join("Cargo.toml"))["lints"].clone();
        assert_eq!(lints.as_table().map(Table::len), Some(1), "{}", folder.display());
        assert_eq!(lints["workspace"].as_bool(), Some(true), "{}", folder.display());
    }
    assert!(crates >= 9 && files.len() > 100, "{crates} crates, {} files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for excuse in ["allow", "expect", "warn"] {
            for group in DENIED.iter().chain(&["all", "restriction", "pedantic"]) {
                let excused = format!("{excuse}(clippy::{group}");
                assert!(!text.contains(&excused), "{}: {excused}", file.display());
            }
        }
    }
}

/// What UniFFI's macros write is unsafe code, which a forbidden lint cannot allow. All other lints are those of the workspace,
/// and no line of the crate's own is unsafe.
#[test]
fn the_crate_for_other_languages_differs_in_one_lint_only() {
    let mut own = manifest(&root().join("crates/ffi/Cargo.toml"))["lints"].clone();
    let workspace = manifest(&root().join("Cargo.toml"))["workspace"]["lints"].clone();
    let rust = own["rust"].as_table_mut().unwrap();
    assert_eq!(rust.insert("unsafe_code".to_owned(), "forbid".into()), Some("allow".into()));
    assert_eq!(own, workspace);
    let mut files = Vec::new();
    rust_files(&root().join("crates/ffi/src"), &mut files);
    assert!(files.len() > 20);
    for file in files {
        assert!(!std::fs::read_to_string(&file).unwrap().contains("unsafe"), "{}", file.display());
    }
}
