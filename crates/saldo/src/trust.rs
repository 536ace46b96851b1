//! The trust start that the caller chooses.

use saldo_beacon::Checkpoint;

/// Says where trust starts.
///
/// A given [`Checkpoint`] is used first. If there is none, or it is too old, the operators of the checkpoint
/// sources decide ([`ClientBuilder::checkpoint_source`](crate::ClientBuilder::checkpoint_source)). Both may be
/// set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// This finalized block, which the caller vouches for.
    Given(Checkpoint),
    /// The finalized block that at least `k` independent operators of checkpoint sources name.
    Agreement {
        /// The number of operators, at least 2.
        k: usize,
    },
}

impl Trust {
    /// The number of operators that must agree by default.
    pub const DEFAULT_AGREEMENT: usize = 2;

    /// Starts trust at the finalized block that at least `k` independent operators of checkpoint sources name.
    pub fn agree(k: usize) -> Self {
        Self::Agreement { k }
    }
}

impl From<Checkpoint> for Trust {
    fn from(checkpoint: Checkpoint) -> Self {
        Self::Given(checkpoint)
    }
}
