//! What cargo reports about the packages that this repository builds, and what their licences allow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A package in the version of the lock file. Ordered by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The data in a package's manifest.
#[derive(Clone, Debug)]
pub struct Package {
    /// The SPDX expression, or the text in its place.
    pub licence: String,
    /// The native library that it declares to link.
    pub links: Option<String>,
    /// Whether cargo runs one of its programs before building it.
    pub has_build_script: bool,
    /// Its registry; `None` for a package of this repository.
    pub source: Option<String>,
    /// The path of its manifest.
    pub manifest: PathBuf,
}

/// The folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository").to_owned()
}

fn cargo(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(repository())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

/// Every package that any target on any platform may need, by `cargo metadata`. Missing packages are downloaded.
///
/// # Errors
/// cargo's message if it fails, for example without a network.
///
/// # Panics
/// If the answer does not have cargo's documented form.
pub fn packages() -> Result<BTreeMap<Crate, Package>, String> {
    let metadata = ["metadata", "--format-version", "1", "--locked"];
    let text = cargo(&[&metadata[..], &["--offline"]].concat()).or_else(|_| cargo(&metadata))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let packages = metadata["packages"].as_array().expect("packages");
    Ok(packages.iter().map(|package| (name_of(package), package_of(package))).collect())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn name_of(package: &Value) -> Crate {
    let field = |name: &str| text(&package[name]).expect("a field of every package");
    Crate { name: field("name"), version: field("version") }
}

fn package_of(package: &Value) -> Package {
    let targets = package["targets"].as_array().expect("targets");
    let is_build_script = |target: &Value| target["kind"] == serde_json::json!(["custom-build"]);
    Package {
        licence: text(&package["license"]).unwrap_or_default(),
        links: text(&package["links"]),
        has_build_script: targets.iter().any(is_build_script),
        source: text(&package["source"]),
        manifest: text(&package["manifest_path"]).expect("a path").into(),
    }
}

/// The dependencies between packages, as cargo resolves them with the given features.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    edges: BTreeMap<Crate, BTreeSet<Crate>>,
}

impl Tree {
    /// The output of `cargo tree` with these arguments, by default for x86-64 Linux.
    ///
    /// # Panics
    /// If cargo fails, or its output does not have the documented form.
    pub fn of(arguments: &[&str]) -> Self {
        const COMMON: [&str; 7] =
            ["tree", "--locked", "--offline", "--prefix", "depth", "--charset", "ascii"];
        let mut arguments = arguments.to_vec();
        if !arguments.contains(&"--target") {
            arguments.extend(["--target", "x86_64-unknown-linux-gnu"]);
        }
        let text = cargo(&[&COMMON[..], &arguments].concat()).unwrap_or_else(|error| panic!("{error}"));
        let mut tree = Self::default();
        let mut path: Vec<Crate> = Vec::new();
        for line in text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())) {
            let name = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
            let depth: usize = line[..line.len() - name.len()].parse().expect("a depth");
            let mut words = name.split(' ');
            let (name, version) = (words.next().expect("a name"), words.next().expect("a version"));
            let node = Crate { name: name.into(), version: version.trim_start_matches('v').into() };
            path.truncate(depth);
            assert_eq!(path.len(), depth, "{line}");
            tree.edges.entry(node.clone()).or_default();
            if let Some(parent) = path.last() {
                tree.edges.get_mut(parent).expect("the parent was listed before").insert(node.clone());
            }
            path.push(node);
        }
        assert!(!tree.edges.is_empty(), "cargo tree printed nothing for {arguments:?}");
        tree
    }

    /// The names of all packages, including the project's own.
    pub fn names(&self) -> BTreeSet<&str> {
        self.edges.keys().map(|node| node.name.as_str()).collect()
    }

    /// All packages except the project's own.
    pub fn foreign(&self) -> BTreeSet<Crate> {
        self.edges.keys().filter(|node| !is_ours(node)).cloned().collect()
    }

    /// The direct dependencies of the project's crates, and which crates name them, without `saldo-`.
    pub fn direct(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut direct = BTreeMap::<_, BTreeSet<_>>::new();
        for (ours, dependencies) in self.edges.iter().filter(|(node, _)| is_ours(node)) {
            for dependency in dependencies.iter().filter(|node| !is_ours(node)) {
                let by = ours.name.trim_start_matches("saldo-").to_owned();
                direct.entry(dependency.name.clone()).or_default().insert(by);
            }
        }
        direct
    }

    /// All packages that the crates of a name bring in, without those crates.
    pub fn brought_by(&self, name: &str) -> BTreeSet<Crate> {
        let mut waiting: Vec<&Crate> = self.edges.keys().filter(|node| node.name == name).collect();
        let mut found = BTreeSet::new();
        while let Some(node) = waiting.pop() {
            for dependency in self.edges.get(node).into_iter().flatten() {
                if found.insert(dependency.clone()) {
                    waiting.push(dependency);
                }
            }
        }
        found
    }
}

fn is_ours(node: &Crate) -> bool {
    node.name == "saldo" || node.name.starts_with("saldo-")
}

/// Whether licences that are each `allowed` satisfy an SPDX expression. `/` is an old way to write `OR`.
///
/// # Panics
/// If it is not an expression.
pub fn is_licensed(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let result = any_of(&mut words, allowed);
    assert!(words.is_empty(), "no SPDX expression: `{expression}`");
    result
}

fn any_of(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut result = all_of(words, allowed);
    while words.pop_if(|word| *word == "OR").is_some() {
        result |= all_of(words, allowed);
    }
    result
}

fn all_of(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut result = one(words, allowed);
    while words.pop_if(|word| *word == "AND").is_some() {
        result &= one(words, allowed);
    }
    result
}

fn one(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> bool {
    match words.pop() {
        Some("(") => {
            let result = any_of(words, allowed);
            assert_eq!(words.pop(), Some(")"));
            result
        }
        Some(licence) => match words.pop_if(|word| *word == "WITH") {
            Some(_) => allowed(&format!("{licence} WITH {}", words.pop().expect("an exception"))),
            None => allowed(licence),
        },
        None => panic!("an expression ends too early"),
    }
}
