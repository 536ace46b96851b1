//! Why no block of a rollup follows.

use std::time::Duration;

use alloy_primitives::{Address, B256};
use saldo_proof::Query;

use crate::rollup::clone_code::CloneCodeError;
use crate::rollup::extra_data::ExtraDataError;
use crate::rollup::super_root::SuperRootError;

/// Why a step is not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// Something has to be proven first, under the same L1 block.
    #[error("not everything is proven yet")]
    Missing(Query),
    /// The step is refused. More proofs do not change that.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A contract on L1 whose code must be known before its storage means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Contract {
    /// The registry, which says which games are valid.
    Registry,
    /// The factory, which lists all games.
    Factory,
    /// The code that a game runs.
    Game,
    /// The contract that can pause the rollup.
    SuperchainConfig,
    /// The contract that names the sequencer's key.
    SystemConfig,
}

impl Contract {
    /// Returns a stable name, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Factory => "factory",
            Self::Game => "game",
            Self::SuperchainConfig => "superchain_config",
            Self::SystemConfig => "system_config",
        }
    }
}

/// Why L1 does not vouch for a claim. Where no other fault is stated, it is that of the party that named the claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The L1 block is of another chain than the rollup's L1. The caller's fault.
    #[error("the L1 block is of chain {got}, expected {expected}")]
    OtherL1 {
        /// The chain of the block.
        got: u64,
        /// The rollup's L1.
        expected: u64,
    },
    /// The proven state is of another L1 block. The caller's fault.
    #[error("the proofs are under state root {got}, the L1 block has {expected}")]
    OtherRoot {
        /// The root of the proofs.
        got: B256,
        /// The root of the block.
        expected: B256,
    },
    /// The L1 block is not final. No party is at fault: a later one will be.
    #[error("the L1 block is not final")]
    L1NotFinal,
    /// The L1 block is too old: a game that counts there may have been taken back since. The caller's fault, or its providers lag.
    #[error("the L1 block is {} s old, at most {} s are allowed", .age.as_secs(), .limit.as_secs())]
    L1TooOld {
        /// How old the block is.
        age: Duration,
        /// How old it may be.
        limit: Duration,
    },
    /// A contract has code that the profile does not know, so its storage may mean anything. No party is at fault: the contract
    /// was upgraded, or the profile was never completed.
    #[error("the {} has the code {got}, which the profile does not know", .contract.code())]
    UnknownCode {
        /// Which contract.
        contract: Contract,
        /// The hash of its code.
        got: B256,
    },
    /// A word of a contract is not of the form that its layout says. The contract is not what the profile says.
    #[error("a word of the {} is not of the known layout", .contract.code())]
    Layout {
        /// Which contract.
        contract: Contract,
    },
    /// The registry belongs to another rollup.
    #[error("the registry belongs to the system {got}, expected {expected}")]
    OtherSystem {
        /// The `SystemConfig` that the registry names.
        got: Address,
        /// That of the rollup.
        expected: Address,
    },
    /// The factory has no game with this type, claim and extra data.
    #[error("the factory has no such game")]
    NoSuchGame,
    /// The game's code is not that of a game's proxy.
    #[error("the game's code: {0}")]
    CloneCode(#[from] CloneCodeError),
    /// The claim is not what the game's own code holds.
    #[error("the game's code holds another claim")]
    OtherClaim,
    /// The game is of another type than its code.
    #[error("the game is of type {got}, its code is of type {expected}")]
    GameType {
        /// The type in the factory.
        got: u32,
        /// The type that belongs to the code.
        expected: u32,
    },
    /// The game belongs to the registry of another rollup.
    #[error("the game belongs to the registry {got}, expected {expected}")]
    OtherRegistry {
        /// The registry that the game names.
        got: Address,
        /// The rollup's registry.
        expected: Address,
    },
    /// The game is about another rollup.
    #[error("the game is about chain {got}, expected {expected}")]
    OtherChain {
        /// The chain that the game names; the largest number if it does not fit.
        got: u64,
        /// The rollup.
        expected: u64,
    },
    /// The game's extra data is malformed.
    #[error("the game's extra data: {0}")]
    ExtraData(#[from] ExtraDataError),
    /// The super root is malformed, or has not exactly one entry of the rollup.
    #[error("the super root: {0}")]
    SuperRoot(#[from] SuperRootError),
    /// The game was created or resolved after the L1 block: its layout is not what the profile says.
    #[error("the game was created or resolved after the L1 block")]
    AfterL1,
    /// The game's code was never initialized.
    #[error("the game is not initialized")]
    NotInitialized,
    /// The game's status is none that is known.
    #[error("the game has the unknown status {got}")]
    UnknownStatus {
        /// The status.
        got: u8,
    },
    /// The guardian took the game back.
    #[error("the game is blacklisted")]
    Blacklisted,
    /// The game is not younger than the moment from which on games count.
    #[error("the game was created at {created}, and games up to {retirement} are retired")]
    Retired {
        /// When the game was created.
        created: u64,
        /// Up to when games are retired.
        retirement: u64,
    },
    /// The game ended against its claim.
    #[error("the game was won by its challenger: the claim is false")]
    ChallengerWins,
    /// A proof showed that an intermediate root of the game is false.
    #[error("the intermediate root {index} of the game was refuted")]
    Countered {
        /// Which root, from 0 on.
        index: u64,
    },
    /// The game's type did not count when the game was created, so it never will.
    #[error("the game's type did not count when it was created")]
    NotRespected,
    /// The rollup's system is paused: no game counts.
    #[error("the rollup's system is paused")]
    Paused,
}

impl Refusal {
    /// Returns a stable name, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherL1 { .. } => "other_l1",
            Self::OtherRoot { .. } => "other_root",
            Self::L1NotFinal => "l1_not_final",
            Self::L1TooOld { .. } => "l1_too_old",
            Self::UnknownCode { .. } => "unknown_code",
            Self::Layout { .. } => "layout",
            Self::OtherSystem { .. } => "other_system",
            Self::NoSuchGame => "no_such_game",
            Self::CloneCode(_) => "clone_code",
            Self::OtherClaim => "other_claim",
            Self::GameType { .. } => "game_type",
            Self::OtherRegistry { .. } => "other_registry",
            Self::OtherChain { .. } => "other_chain",
            Self::ExtraData(_) => "extra_data",
            Self::SuperRoot(_) => "super_root",
            Self::AfterL1 => "after_l1",
            Self::NotInitialized => "not_initialized",
            Self::UnknownStatus { .. } => "unknown_status",
            Self::Blacklisted => "blacklisted",
            Self::Retired { .. } => "retired",
            Self::ChallengerWins => "challenger_wins",
            Self::Countered { .. } => "countered",
            Self::NotRespected => "not_respected",
            Self::Paused => "paused",
        }
    }

    /// Returns whether L1 itself says that the game does not count (any more). A block that rests on the game is then withdrawn.
    /// With another refusal nothing is known about the game.
    pub const fn takes_back(&self) -> bool {
        matches!(
            self,
            Self::Blacklisted
                | Self::Retired { .. }
                | Self::ChallengerWins
                | Self::Countered { .. }
                | Self::NotRespected
                | Self::Paused
                | Self::NoSuchGame
        )
    }
}
