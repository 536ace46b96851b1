//! Where trust starts, as the caller wants it.

use saldo_beacon::Checkpoint;

/// Where trust starts.
///
/// A given [`Checkpoint`] comes first. Without one, or once it is too old, the operators of the checkpoint sources decide
/// ([`ClientBuilder::checkpoint_source`](crate::ClientBuilder::checkpoint_source)). Both may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// This finalized block, on the caller's own word.
    Given(Checkpoint),
    /// The finalized block that at least `k` independent operators of checkpoint sources name.
    Agreement {
        /// How many, at least 2.
        k: usize,
    },
}

impl Trust {
    /// How many operators must agree if nothing else is said.
    pub const DEFAULT_AGREEMENT: usize = 2;

    /// The finalized block that at least `k` independent operators of checkpoint sources name.
    pub fn agree(k: usize) -> Self {
        Self::Agreement { k }
    }
}

impl From<Checkpoint> for Trust {
    fn from(checkpoint: Checkpoint) -> Self {
        Self::Given(checkpoint)
    }
}
