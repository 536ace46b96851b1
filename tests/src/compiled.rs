//! Contracts that compilers made from source, in `tests/data/tokens`. `tests/tokens/README.md` says how.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_drill::Chain;
use serde::Deserialize;

/// A compiled contract.
#[derive(Clone, Debug, Deserialize)]
pub struct Compiled {
    /// The name of its file.
    pub name: String,
    /// Where its source is.
    pub source: String,
    /// The compiler with its version.
    pub compiler: String,
    /// The types of the constructor's arguments.
    pub constructor: Vec<String>,
    /// What creates the contract, before the arguments of the constructor.
    pub creation_code: Bytes,
    /// The code of the contract. Immutable values are zero in it.
    pub deployed_code: Bytes,
    /// The keccak256 hash of `deployed_code`.
    pub deployed_code_hash: B256,
    /// Where the immutable values are.
    pub immutables: Vec<Immutable>,
    /// The variables in storage, if the compiler says where they are.
    pub storage_layout: Option<Vec<Variable>>,
    /// What an independent virtual machine found in storage after the contract gave a holder some units.
    pub observed: Option<Observed>,
    /// The same after the issuer then blocked the holder and paused the token.
    #[serde(default)]
    pub observed_blocked: Option<Observed>,
}

/// Where an immutable value is in deployed code.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Immutable {
    /// The first byte.
    pub start: usize,
    /// The number of bytes.
    pub length: usize,
}

/// A variable in storage.
#[derive(Clone, Debug, Deserialize)]
pub struct Variable {
    /// Its name.
    pub label: String,
    /// Its slot.
    pub slot: U256,
    /// Its first byte within the slot, from the lowest one.
    pub offset: usize,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The variables of a struct, from its first slot on.
    #[serde(default)]
    pub members: Vec<Self>,
}

/// A contract after one holder got some units.
#[derive(Clone, Debug, Deserialize)]
pub struct Observed {
    /// The holder.
    pub holder: Address,
    /// The units that the contract was told to give.
    pub units: U256,
    /// What `balanceOf` returns for the holder.
    pub balance: U256,
    /// The words of storage that are not zero.
    pub storage: BTreeMap<B256, B256>,
}

impl Compiled {
    /// The code with `value` in the place of each immutable value.
    pub fn code_with(&self, value: B256) -> Bytes {
        let mut code = self.deployed_code.to_vec();
        for Immutable { start, length } in &self.immutables {
            code[*start..start + length].copy_from_slice(value.as_slice());
        }
        code.into()
    }

    /// What creates the contract with these arguments, each a word.
    pub fn creation(&self, arguments: &[B256]) -> Bytes {
        [self.creation_code.to_vec(), arguments.concat()].concat().into()
    }

    /// From the next block on `chain` has this contract at `address`, with the storage that was observed.
    pub fn deploy(&self, chain: &Chain, address: Address) {
        chain.set_code(address, self.deployed_code.clone());
        for (slot, word) in self.observed.iter().flat_map(|observed| &observed.storage) {
            chain.set_storage(address, *slot, (*word).into());
        }
    }

    /// The variable of that name.
    ///
    /// # Panics
    /// If there is none.
    pub fn variable(&self, label: &str) -> &Variable {
        let variables = self.storage_layout.as_ref().expect("the compiler describes the storage");
        variables.iter().find(|variable| variable.label == label).expect("a variable of that name")
    }
}

/// The contract of that name.
///
/// # Panics
/// If there is none.
pub fn compiled(name: &str) -> Compiled {
    let path = crate::data("tokens").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All contracts, by name.
///
/// # Panics
/// If there are none.
pub fn all_compiled() -> Vec<Compiled> {
    let files = std::fs::read_dir(crate::data("tokens")).expect("the folder of the compiled contracts");
    let paths = files.map(|file| file.unwrap().path());
    let mut names: Vec<_> =
        paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names.iter().map(|name| compiled(name)).collect()
}
