//! The rollups that come with saldo. Their files have the same format as those of a user.

use super::Profile;

const FILES: [&str; 6] = [
    include_str!("base.toml"),
    include_str!("base-sepolia.toml"),
    include_str!("op.toml"),
    include_str!("op-sepolia.toml"),
    include_str!("unichain.toml"),
    include_str!("ink.toml"),
];

impl Profile {
    /// Returns the rollups that come with saldo: Base, Base Sepolia, OP Mainnet, OP Sepolia, Unichain and Ink.
    pub fn built_in() -> [Self; 6] {
        FILES.map(|file| {
            Self::from_toml(file).expect("the files are part of the crate, and a test reads each of them")
        })
    }

    /// Returns the built-in rollup with that name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::built_in().into_iter().find(|profile| profile.name() == name)
    }
}
