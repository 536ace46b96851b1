//! Every public method of the Rust client is exported, or the table of `docs/ffi.md` has a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The rows of the table: the Rust method, and what the other languages have.
fn rows() -> BTreeMap<String, String> {
    let cells = |line: &str| {
        let (method, exported) = line.strip_prefix("| `")?.split_once("` | ")?;
        let is_method = method.starts_with("Client::") || method.starts_with("Watch::");
        is_method.then(|| (method.to_owned(), exported.trim_end_matches(" |").to_owned()))
    };
    read("docs/ffi.md").lines().filter_map(cells).collect()
}

/// The methods of the public API, without those of traits.
fn methods() -> BTreeSet<String> {
    let api = read("docs/api/saldo.txt");
    let mut own = false;
    let mut found = BTreeSet::new();
    for line in api.lines() {
        if line.starts_with("impl ") {
            own = line == "impl saldo::Client" || line == "impl saldo::Watch";
        }
        let name = line.strip_prefix("pub fn saldo::").and_then(|rest| rest.split(['(', '<']).next());
        found.extend(name.filter(|_| own).map(ToOwned::to_owned));
    }
    found
}

#[test]
fn the_table_has_every_method_and_no_other() {
    let methods = methods();
    assert!(methods.len() >= 29, "{methods:?}");
    assert_eq!(rows().into_keys().collect::<BTreeSet<_>>(), methods);
}

#[test]
fn what_the_table_names_is_exported() {
    let files = ["client", "start", "watch"];
    let source: String = files.iter().map(|file| read(&format!("crates/ffi/src/{file}.rs"))).collect();
    for (method, exported) in rows() {
        if let Some(reason) = exported.strip_prefix("no: ") {
            assert!(reason.len() > 20, "{method} has no reason");
            continue;
        }
        let name = exported.split('`').nth(1).unwrap();
        let name = if method == "Client::builder" { "new" } else { name };
        let is_there =
            source.contains(&format!("pub fn {name}(")) || source.contains(&format!("pub async fn {name}("));
        assert!(is_there, "{method}: there is no `{name}`");
    }
}
