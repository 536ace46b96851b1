//! Writes the seeds into the given folder, one folder for each target. They come from `tests/data`, from the test vectors
//! (`$SALDO_VECTORS`, else `../shared/vectors` beside the checkout) if they are there, and from the histories of the
//! targets.
//!
//! Data is found by its content, not by the name of its file: all data that a target can use becomes a seed.

// The build flags add hooks, as in the targets. libFuzzer defines them.
extern crate libfuzzer_sys as _;

mod made;
mod real;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Longer inputs are slow, and find little more.
const MOST_BYTES: usize = 30_000;

/// The seeds of each target.
#[derive(Default)]
pub struct Seeds {
    of_targets: BTreeMap<&'static str, Vec<Vec<u8>>>,
}

impl Seeds {
    /// Adds a seed, unless it is too long.
    pub fn add(&mut self, target: &'static str, input: Vec<u8>) {
        if input.len() <= MOST_BYTES {
            self.of_targets.entry(target).or_default().push(input);
        }
    }

    fn write(&self, corpus: &Path) -> std::io::Result<()> {
        for (target, inputs) in &self.of_targets {
            let folder = corpus.join(target);
            std::fs::create_dir_all(&folder)?;
            for input in inputs {
                let name: String =
                    Sha256::digest(input)[..20].iter().map(|byte| format!("{byte:02x}")).collect();
                std::fs::write(folder.join(name), input)?;
            }
            println!("{target}: {} seeds", inputs.len());
        }
        Ok(())
    }
}

fn main() -> std::io::Result<()> {
    let corpus = std::env::args().nth(1).expect("usage: seeds FOLDER");
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let beside = repository.join("../shared/vectors");
    let vectors = std::env::var_os("SALDO_VECTORS").map_or(beside, PathBuf::from);
    let mut seeds = Seeds::default();
    real::add(&mut seeds, &repository.join("tests/data"));
    if vectors.is_dir() {
        for folder in ["e2e", "mpt/real-getproof", "mpt/real-headers", "consensus"] {
            real::add(&mut seeds, &vectors.join(folder));
        }
    }
    made::add(&mut seeds, &repository.join("crates/source/src/directory"));
    made::execution(&mut seeds, &repository.join("tests/data/tokens"));
    made::returned(&mut seeds);
    made::rollups(&mut seeds, &repository.join("tests/data/rollup/games.json"));
    seeds.write(Path::new(&corpus))
}
