//! Which execution headers follow from a head that the sync committee signed.
//!
//! An [`Anchor`] is an execution header that is trusted, with the reason why. Only this crate builds anchors:
//! - from a head that [`saldo_beacon::LightClient`] verified. From Gloas on, such a head has only a hash, and
//!   [`Chain::attach`] takes the header;
//! - as an ancestor of a head by parent hashes, at most [`Chain::MAX_ANCESTRY`] blocks deep;
//! - through the chain's own record of block hashes ([`Chain::attach_history`]).
//!
//! A proof joins an anchor by its state root ([`Chain::anchor_at_root`]). An anchor no longer stands when a newer head
//! excludes its block ([`Chain::standing`]).
//!
//! An anchor also gives the [`Environment`] of its block: what code can ask about the block that it runs in.
//!
//! Headers come from untrusted providers. [`ExecutionHeader`] takes the expected hash and the bytes, and exists only if
//! their keccak256 is that hash. The bytes are raw RLP, or the JSON of `eth_getBlockByHash`, which is encoded as RLP
//! again.
//!
//! ```
//! use alloy_primitives::B256;
//! use saldo_chain::{ExecutionHeader, HeaderError};
//!
//! let refusal = ExecutionHeader::from_rlp(&[0xc0], B256::ZERO).unwrap_err();
//! assert!(matches!(refusal, HeaderError::HashMismatch { .. }));
//! ```
//!
//! The crate is pure: it uses no sockets, clock, randomness or async.

mod anchor;
mod assurance;
mod body;
mod chain;
mod environment;
mod fields;
mod header;
mod history;
mod layout;
mod level;
mod ordered_root;
mod pending;
pub mod rollup;
mod stored;
mod transaction;

pub use anchor::{Anchor, Path};
pub use assurance::Assurance;
pub use body::{Body, BodyError};
pub use chain::{Chain, ChainError, Contradiction, Standing};
pub use environment::{Environment, EnvironmentError, ExecutionFork};
pub use header::{ExecutionHeader, HeaderError};
pub use history::{
    HISTORY_CODE_HASH, HISTORY_CONTRACT, HISTORY_WINDOW, HistoryError, history_key, verify_record,
};
pub use level::Level;
pub use stored::StoredAnchorError;
pub use transaction::Withdrawal;
