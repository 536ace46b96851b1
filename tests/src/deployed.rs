//! Codes as they are on a chain, in `tests/data/deployed`. They cannot be compiled again here, and each file says why. What shows
//! that a file is right is the hash of its code. `tests/tokens/README.md` says more.

use alloy_primitives::{Address, B256, Bytes};
use serde::Deserialize;

/// The code of a contract on a chain.
#[derive(Clone, Debug, Deserialize)]
pub struct Deployed {
    /// The name of its file.
    pub name: String,
    /// The name of the contract in its source.
    pub contract: String,
    /// The chain.
    pub chain_id: u64,
    /// The address that has the code.
    pub address: Address,
    /// Where its source is.
    pub source: String,
    /// The compiler with its version.
    pub compiler: String,
    /// Why it is not compiled again.
    pub why_not_compiled: String,
    /// The code.
    pub deployed_code: Bytes,
    /// The keccak256 hash of `deployed_code`.
    pub deployed_code_hash: B256,
}

/// The code of that name.
///
/// # Panics
/// If there is none.
pub fn deployed(name: &str) -> Deployed {
    let path = crate::data("deployed").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All codes, by name.
///
/// # Panics
/// If there are none.
pub fn all_deployed() -> Vec<Deployed> {
    let files = std::fs::read_dir(crate::data("deployed")).expect("the folder of the deployed codes");
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names.iter().map(|name| deployed(name)).collect()
}
