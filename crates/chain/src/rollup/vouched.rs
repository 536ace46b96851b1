//! How far L1 stands behind a block of a rollup.

use alloy_primitives::{Address, B256};
use saldo_beacon::unit::UnixTime;

use crate::level::Level;

/// Which provers vouched for a claim, where L1 checks proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provers {
    /// None is named.
    None,
    /// A trusted execution environment: its maker, and the party that registers its image.
    Tee,
    /// A zero-knowledge proof system.
    Zk,
    /// Both: a false claim needs a fault in each of them.
    Both,
}

impl Provers {
    /// Returns a stable name, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tee => "tee",
            Self::Zk => "zk",
            Self::Both => "both",
        }
    }
}

/// Whether the rollup's system is paused. A paused system is [`Refusal::Paused`](crate::rollup::Refusal::Paused).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pause {
    /// It is proven that it is not.
    NotPaused,
    /// It was not checked, because the profile does not know the contract that pauses.
    NotChecked,
}

/// How far L1 stands behind a block of a rollup, and by which game. Only a verdict makes it, or the device's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched {
    pub(crate) is_final: bool,
    pub(crate) game: Address,
    pub(crate) game_type: u32,
    pub(crate) provers: Provers,
    pub(crate) pause: Pause,
    pub(crate) l1: (u64, B256, UnixTime),
}

impl Vouched {
    /// Returns the level.
    pub const fn level(&self) -> Level {
        if self.is_final { Level::L1Finalized } else { Level::L1ProofChecked }
    }

    /// Returns the game whose claim the block rests on.
    pub const fn game(&self) -> Address {
        self.game
    }

    /// Returns that game's type.
    pub const fn game_type(&self) -> u32 {
        self.game_type
    }

    /// Returns whose proofs L1 checked.
    pub const fn provers(&self) -> Provers {
        self.provers
    }

    /// Returns whether it is proven that the rollup's system is not paused.
    pub const fn pause(&self) -> Pause {
        self.pause
    }

    /// Returns number, hash and time of the L1 block under which all of it was read.
    pub const fn l1(&self) -> (u64, B256, UnixTime) {
        self.l1
    }
}
