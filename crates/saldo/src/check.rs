//! Checks amounts that a wallet already shows.

mod claim;
mod judge;
mod patient;

pub use claim::{Claim, Verdict};
pub(crate) use judge::{find, judge};
pub(crate) use patient::{find_patiently, settle};
