//! Writes the seeds of every target into the folder that is named, one folder a target: from data in `tests/data`, from
//! the test vectors (`$SALDO_VECTORS`, else `../shared/vectors` beside the checkout) if they are there, and from the
//! histories that targets know.
//!
//! Data is found by what it is, not by its name: whatever a file holds that a target can use becomes a seed.

// Built with the same hooks as the targets, which libFuzzer has.
extern crate libfuzzer_sys as _;

mod made;
mod real;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Longer inputs are slow, and say little more.
const MOST_BYTES: usize = 30_000;

/// The seeds of each target.
#[derive(Default)]
pub struct Seeds {
    of_targets: BTreeMap<&'static str, Vec<Vec<u8>>>,
}

impl Seeds {
    /// Takes one more, unless it is too long.
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
    seeds.write(Path::new(&corpus))
}
