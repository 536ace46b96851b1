//! What the games of a rollup are like.

/// How L1 decides about the claims of a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollupKind {
    /// As on Base: L1 checks a proof when a game is created (`AggregateVerifier`, games of type 621).
    Multiproof {
        /// How many blocks a game is about.
        interval: u64,
        /// How many blocks lie between two of its roots. It divides `interval`.
        step: u64,
    },
    /// As on rollups where anybody may propose, and a claim counts after days without a challenge (`FaultDisputeGame`).
    Fault,
}

impl RollupKind {
    /// The chain id of a rollup of this kind whose chain was not built otherwise: that of Base Sepolia, or of OP Sepolia.
    pub const fn chain_id(self) -> u64 {
        match self {
            Self::Multiproof { .. } => 84_532,
            Self::Fault => 11_155_420,
        }
    }

    /// The type of its games.
    pub const fn game_type(self) -> u32 {
        match self {
            Self::Multiproof { .. } => 621,
            Self::Fault => 8,
        }
    }

    /// How many seconds after a game ended its claim is final. It is part of the registry's code.
    pub const fn finality_delay(self) -> u64 {
        match self {
            Self::Multiproof { .. } => 0,
            Self::Fault => 302_400,
        }
    }

    /// How many blocks a game is about, and how many lie between two of its roots.
    pub(crate) const fn intervals(self) -> (u64, u64) {
        match self {
            Self::Multiproof { interval, step } => (interval, step),
            Self::Fault => (1, 1),
        }
    }
}
