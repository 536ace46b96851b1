//! A proven balance as one file (`*.saldo`) that another person checks offline.
//!
//! ```
//! use saldo_beacon::{Checkpoint, Network};
//! use saldo_proof_file::{FileError, Trust, TrustRoot, verify};
//!
//! /// The checkpoint is a beacon block that the reader trusts. It never comes from the file.
//! fn read(file: &[u8], checkpoint: Checkpoint) -> Result<(), FileError> {
//!     let trust = Trust::new(Network::mainnet(), TrustRoot::Checkpoint(checkpoint));
//!     let verified = verify(file, &trust)?;
//!     for held in verified.holdings() {
//!         println!("{} wei at block {}, {}", held.amount(), verified.number(), verified.time());
//!     }
//!     println!("if {}", verified.rests_on());
//!     Ok(())
//! }
//! # let checkpoint = format!("0x{}", "11".repeat(32)).parse().unwrap();
//! # assert!(matches!(read(b"no file", checkpoint), Err(FileError::NotAProofFile)));
//! ```
//!
//! A file has one of two forms. A *complete* one begins at a checkpoint, and has the whole committee and an update for each later
//! period: about 32 KB on mainnet, and 27 KB more for each period. A *compact* one, of at most 16 KB for one balance, has so much
//! of the committee as one signature needs: for a reader who trusts the committee's root, or the block whose state names it.
//!
//! What a file proves is a [`VerifiedProofFile`]. It is no reading of a wallet: it can be of any age, which the reader judges by
//! the block's time, and it rests on what the reader named ([`RestsOn`]). Tokens whose own code has to be run are checked with the
//! feature `execute`, and refused by name without it.
//!
//! [`FalseProof`] checks evidence: that a provider's reply is no proof of what was asked.
//!
//! This crate has no socket, no clock and no randomness. `docs/proof-file.md` describes the format byte by byte.

mod amount;
mod block;
mod committee;
mod error;
mod false_proof;
mod file;
mod format;
pub mod limit;
mod ssz;
mod state;
mod trust;
mod verified;
mod verify;

pub use amount::VerifiedHolding;
pub use committee::{Committee, Form};
pub use error::FileError;
pub use false_proof::{FalseProof, FalseProofError};
pub use file::BalanceProof;
pub use format::{EXTENSION, MAGIC, MEDIA_TYPE, VERSION};
pub use state::StateProof;
pub use trust::{RestsOn, Trust, TrustRoot};
pub use verified::VerifiedProofFile;
pub use verify::verify;
