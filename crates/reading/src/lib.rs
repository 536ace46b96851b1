//! What is known about an amount, and with how much assurance.
//!
//! Only [`join`] and [`join_token`] create an amount. They take the result of a Merkle proof
//! ([`Verified<Account>`](saldo_proof::Verified), or [`VerifiedBalance`](saldo_token::VerifiedBalance) for a token) and a
//! trusted execution header ([`Anchor`](saldo_chain::Anchor)). If subject and state root match, it returns a
//! [`Candidate`]. Only the [`gate`] turns it into a [`Proven`], by the state at the moment of handing it out. An amount that
//! could not be proven is a [`Reading::Unknown`] with a [`Why`], never a number. [`Record`] is the rule by which one reading
//! replaces another. [`Totals`] adds up readings and states which holdings are missing.
//!
//! ```
//! use saldo_reading::Reading;
//!
//! fn show(reading: &Reading) -> String {
//!     match reading {
//!         Reading::Proven(proven) => proven.amount().format(18),
//!         Reading::Provisional(provisional) => format!("not confirmed yet: {}", provisional.why()),
//!         Reading::Unknown(unknown) => format!("unknown: {}", unknown.why()),
//!     }
//! }
//! ```
//!
//! The crate is pure: no sockets, clock, randomness or async; the time is an argument.
//!
//! With the feature `serde` readings, reasons and totals implement `Serialize`, by the schemas `saldo.reading/1` and
//! `saldo.total/1` in `docs`. Nothing implements `Deserialize`: an amount that was read from a text is not proven.

mod amount;
mod announced;
mod candidate;
mod claim;
mod failure;
mod fault;
#[cfg(feature = "serde")]
mod form;
mod freshness;
pub mod gate;
mod holding;
mod join;
mod policy;
mod provider;
mod quorum;
mod reading;
mod record;
mod tls;
mod total;
mod why;

pub use amount::Amount;
pub use announced::Announced;
pub use candidate::{Candidate, Generation};
pub use claim::Claim;
pub use failure::{Attempt, Failure, Outcome, Role, TransportError};
pub use fault::Fault;
pub use freshness::{Freshness, Now};
pub use holding::{Asset, Holding, NetworkId};
pub use join::{JoinError, join, join_token};
pub use policy::Policy;
pub use provider::ProviderId;
pub use quorum::Quorum;
pub use reading::{Proven, Provisional, Reading, Unknown};
pub use record::{Change, Mark, Record};
pub use tls::TlsFault;
pub use total::{Sum, Total, TotalError, Totals};
pub use why::Why;
