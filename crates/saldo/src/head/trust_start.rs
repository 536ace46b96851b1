//! Where trust can start, as the client was set up.

use saldo_beacon::Checkpoint;
use saldo_source::Endpoint;

/// Where trust can start.
pub(crate) enum TrustStart {
    /// At this finalized block, on the caller's word or the network's, and nowhere else.
    Given(Checkpoint),
    /// At a given finalized block as long as it is not too old, else where the sources agree.
    Agreement { given: Option<Checkpoint>, agreement: Agreement },
}

impl TrustStart {
    pub(super) fn given(&self) -> Option<&Checkpoint> {
        match self {
            Self::Given(given) => Some(given),
            Self::Agreement { given, .. } => given.as_ref(),
        }
    }

    pub(crate) fn agreement(&self) -> Option<&Agreement> {
        match self {
            Self::Given(_) => None,
            Self::Agreement { agreement, .. } => Some(agreement),
        }
    }
}

/// Who can agree where trust starts.
pub(crate) struct Agreement {
    /// How many operators must name one block: at least 2, at most as many as the sources have.
    pub(crate) k: usize,
    pub(crate) sources: Vec<Endpoint>,
}
