//! Super roots: the output roots of several rollups at one moment.
//!
//! The extra data of a super game is the whole preimage of its claim.

use alloy_primitives::{B256, U256, keccak256};
use saldo_beacon::unit::UnixTime;

/// The only known version.
const VERSION: u8 = 1;
/// The most entries that are read.
const MAX_ENTRIES: usize = 256;

/// Why bytes are no super root, or it says nothing about a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuperRootError {
    /// The version is unknown.
    #[error("the version is {}, expected 1", .got.map_or_else(|| "missing".to_owned(), |got| got.to_string()))]
    Version {
        /// The version; `None` if there are no bytes.
        got: Option<u8>,
    },
    /// It is not a time and whole entries.
    #[error("{got} bytes are not a time and whole entries")]
    Length {
        /// Its bytes.
        got: usize,
    },
    /// It does not hash to the claim.
    #[error("it hashes to {got}, the claim is {expected}")]
    OtherClaim {
        /// keccak256 of the bytes.
        got: B256,
        /// The claim.
        expected: B256,
    },
    /// It has no entry of the rollup.
    #[error("it has no entry of chain {chain_id}")]
    NoEntry {
        /// The rollup.
        chain_id: u64,
    },
    /// It has more than one entry of the rollup, so it says two things.
    #[error("it has more than one entry of chain {chain_id}")]
    TwoEntries {
        /// The rollup.
        chain_id: u64,
    },
}

/// A super root whose bytes hash to the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuperRoot {
    time: UnixTime,
    entries: Vec<(U256, B256)>,
}

impl SuperRoot {
    /// Reads a super root, which has to hash to `claim`.
    ///
    /// # Errors
    /// [`SuperRootError`] if it hashes to another value, or is malformed.
    pub fn read(bytes: &[u8], claim: B256) -> Result<Self, SuperRootError> {
        let (version, rest) = bytes.split_first().ok_or(SuperRootError::Version { got: None })?;
        if *version != VERSION {
            return Err(SuperRootError::Version { got: Some(*version) });
        }
        let malformed = SuperRootError::Length { got: bytes.len() };
        let (time, rest) = rest.split_first_chunk::<8>().ok_or(malformed)?;
        let (entries, rest) = rest.as_chunks::<64>();
        if !rest.is_empty() || entries.is_empty() || entries.len() > MAX_ENTRIES {
            return Err(malformed);
        }
        let got = keccak256(bytes);
        if got != claim {
            return Err(SuperRootError::OtherClaim { got, expected: claim });
        }
        let entry = |entry: &[u8; 64]| {
            let (chain_id, root) = entry.split_first_chunk::<32>()?;
            Some((U256::from_be_bytes(*chain_id), B256::try_from(root).ok()?))
        };
        let entries: Option<Vec<_>> = entries.iter().map(entry).collect();
        let time = UnixTime::from_secs(u64::from_be_bytes(*time));
        Ok(Self { time, entries: entries.ok_or(malformed)? })
    }

    /// Returns the moment that it is about.
    pub fn time(&self) -> UnixTime {
        self.time
    }

    /// Returns the output root of a rollup.
    ///
    /// # Errors
    /// [`SuperRootError`] if it has no entry of the rollup, or more than one.
    pub fn output_root(&self, chain_id: u64) -> Result<B256, SuperRootError> {
        let mut own = self.entries.iter().filter(|(id, _)| *id == U256::from(chain_id));
        match (own.next(), own.next()) {
            (Some((_, root)), None) => Ok(*root),
            (None, _) => Err(SuperRootError::NoEntry { chain_id }),
            (Some(_), Some(_)) => Err(SuperRootError::TwoEntries { chain_id }),
        }
    }
}
