//! The state of one block: accounts, slots and codes, each proven under the block's state root.
//!
//! A [`Reading`](saldo_reading::Reading) answers what an address holds now. This module answers what an account was at a block that
//! the caller names, as JSON-RPC does.

mod amount;
mod at;
mod block;
mod body;
mod cache;
#[cfg(feature = "execute")]
mod call;
#[cfg(feature = "rollup")]
mod codes;
mod counted;
mod facts;
mod found;
mod header;
mod once;
mod prove;
mod proven;
mod reason;
mod token;
#[cfg(feature = "rollup")]
mod under;
mod waves;

pub(crate) use amount::{AmountAt, amounts};
pub(crate) use at::{at, block};
pub use block::BlockId;
pub use body::ProvenBlock;
pub(crate) use body::full;
pub(crate) use cache::StateCache;
#[cfg(feature = "execute")]
pub use call::{CallError, CallReading, GasReading};
#[cfg(feature = "execute")]
pub(crate) use call::{call, gas};
#[cfg(feature = "rollup")]
pub use codes::RollupCodes;
#[cfg(feature = "rollup")]
pub(crate) use codes::codes;
pub use header::ProvenHeader;
pub(crate) use header::header;
pub(crate) use once::{Bodies, Headers};
pub use proven::{BlockState, NotProven, ProvenAccount, ProvenSlot};
pub(crate) use token::token;
pub use token::{ProvenToken, TokenReading};
#[cfg(feature = "rollup")]
pub(crate) use under::prove_under;
pub(crate) use waves::Waves;
