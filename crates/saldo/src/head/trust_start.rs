//! The trust start that the client was built with.

use saldo_beacon::Checkpoint;
use saldo_source::Endpoint;

/// Where trust can start.
pub(crate) enum TrustStart {
    /// Only at this finalized block, which the caller or the network vouches for.
    Given(Checkpoint),
    /// At a given finalized block while it is not too old, else where the sources agree.
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

/// The checkpoint sources, and the number of operators that must agree.
pub(crate) struct Agreement {
    /// The number of operators that must name one block: at least 2, at most the number of operators of the
    /// sources.
    pub(crate) k: usize,
    pub(crate) sources: Vec<Endpoint>,
}
