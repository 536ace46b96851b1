//! Checks amounts that a wallet already shows.

mod claim;
mod judge;
mod patient;

pub use claim::{Claim, Verdict};
pub(crate) use judge::check;
pub(crate) use patient::check_patiently;
