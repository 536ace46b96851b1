//! Shared by the examples: which chain they read.

use saldo::{Directory, Network};

/// The error of an example.
pub type Failure = Box<dyn std::error::Error>;

/// Mainnet and its public endpoints, or the contents of the network file named by the argument at `place`.
///
/// # Errors
/// If the file cannot be read, or is not a network file.
pub fn network(place: usize) -> Result<(Network, Directory), Failure> {
    match std::env::args().nth(place) {
        None => Ok((Network::mainnet(), Directory::of(&Network::mainnet()))),
        Some(path) => {
            let file = std::fs::read_to_string(path)?;
            Ok((Network::from_toml(&file)?, Directory::from_toml(&file)?))
        }
    }
}
