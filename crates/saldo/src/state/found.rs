//! The block that a call found.

use saldo_chain::{Anchor, Level};
use saldo_reading::{Attempt, Generation, Why};

/// A block that a call found, and what the call did to find it.
#[derive(Clone, Debug)]
pub(crate) struct FoundBlock {
    pub(crate) anchor: Anchor,
    pub(crate) generation: Generation,
    pub(crate) level: Level,
    pub(crate) attempts: Vec<Attempt>,
    /// Why the newest head is not known, if it is not.
    pub(crate) problem: Option<Why>,
}
