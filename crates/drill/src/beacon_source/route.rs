//! The routes of a beacon source.

use crate::fault::Fault;

/// What is asked for.
pub(crate) enum Route<'a> {
    Genesis,
    Spec,
    Version,
    Syncing,
    Health,
    Header(&'a str),
    BlockRoot(&'a str),
    FinalityCheckpoints,
    Bootstrap(&'a str),
    Updates,
    FinalityUpdate,
    OptimisticUpdate,
    Unknown,
}

impl<'a> Route<'a> {
    pub(crate) fn of(path: &'a str) -> Self {
        // Before the route may stand whatever path the source's URL has.
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            [.., "eth", "v1", "beacon", "genesis"] => Self::Genesis,
            [.., "eth", "v1", "config", "spec"] => Self::Spec,
            [.., "eth", "v1", "node", "version"] => Self::Version,
            [.., "eth", "v1", "node", "syncing"] => Self::Syncing,
            [.., "eth", "v1", "node", "health"] => Self::Health,
            [.., "eth", "v1", "beacon", "headers", block] => Self::Header(block),
            [.., "eth", "v1", "beacon", "blocks", block, "root"] => Self::BlockRoot(block),
            [.., "eth", "v1", "beacon", "states", _, "finality_checkpoints"] => Self::FinalityCheckpoints,
            [.., "eth", "v1", "beacon", "light_client", "bootstrap", root] => Self::Bootstrap(root),
            [.., "eth", "v1", "beacon", "light_client", "updates"] => Self::Updates,
            [.., "eth", "v1", "beacon", "light_client", "finality_update"] => Self::FinalityUpdate,
            [.., "eth", "v1", "beacon", "light_client", "optimistic_update"] => Self::OptimisticUpdate,
            _ => Self::Unknown,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Spec => "spec",
            Self::Version => "version",
            Self::Syncing => "syncing",
            Self::Health => "health",
            Self::Header(_) => "headers",
            Self::BlockRoot(_) => "block_root",
            Self::FinalityCheckpoints => "finality_checkpoints",
            Self::Bootstrap(_) => "bootstrap",
            Self::Updates => "updates",
            Self::FinalityUpdate => "finality_update",
            Self::OptimisticUpdate => "optimistic_update",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a source with that fault does not have the route.
    pub(super) fn is_withheld_by(&self, fault: &Fault) -> bool {
        match (fault, self) {
            (Fault::NoRoute, _) => true,
            // What checkpointz serves beside these describes the network.
            (
                Fault::Checkpointz,
                Self::Header(_)
                | Self::Bootstrap(_)
                | Self::Updates
                | Self::FinalityUpdate
                | Self::OptimisticUpdate,
            ) => true,
            _ => false,
        }
    }
}
