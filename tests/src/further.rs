//! The cases of the further folder that `SALDO_VECTORS_EXTRA` names: they run like the project's own, and their
//! number is printed.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The paths of the cases in the further folder, by kind.
#[derive(Debug, Default)]
pub struct Further {
    /// Folders with the layout `PRESET/FORK/RUNNER/HANDLER/SUITE/CASE`.
    pub consensus: Vec<PathBuf>,
    /// Sync cases with another layout: folders with a `steps.yaml`.
    pub sync: Vec<PathBuf>,
    /// Folders with a `scenario.json`.
    pub scenarios: Vec<PathBuf>,
    /// Files named `headers.json`.
    pub headers: Vec<PathBuf>,
}

impl Further {
    /// The contents of the further folder, if one is named.
    ///
    /// # Panics
    /// If it has no case of a known kind.
    pub fn named() -> Option<Self> {
        let root = PathBuf::from(std::env::var_os("SALDO_VECTORS_EXTRA")?);
        let mut further = Self::default();
        further.look_into(&root);
        let kinds = [&further.consensus, &further.sync, &further.scenarios, &further.headers];
        assert!(kinds.iter().any(|kind| !kind.is_empty()), "no case is known in {}", root.display());
        Some(further)
    }

    fn look_into(&mut self, folder: &Path) {
        let has_presets = ["minimal", "mainnet"].iter().any(|preset| folder.join(preset).is_dir());
        let is_tests = folder.file_name().is_some_and(|name| name == "tests");
        if has_presets || is_tests {
            self.consensus.push(folder.to_owned());
            return;
        }
        for (file, kind) in [("scenario.json", &mut self.scenarios), ("steps.yaml", &mut self.sync)] {
            if folder.join(file).is_file() {
                kind.push(folder.to_owned());
                return;
            }
        }
        if folder.join("headers.json").is_file() {
            self.headers.push(folder.join("headers.json"));
        }
        let entries =
            std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut below: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        below.sort();
        below.iter().filter(|path| path.is_dir()).for_each(|path| self.look_into(path));
    }
}

/// Prints directly to stderr: the test harness hides the output of passing tests.
pub fn say(done: &str) {
    let _ = writeln!(std::io::stderr(), "{done}");
}
