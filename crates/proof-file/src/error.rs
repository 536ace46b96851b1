//! Why a file proves nothing.

use alloy_primitives::{Address, B256};
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{AdvanceError, BootstrapError, CondensedError, DecodeError};
use saldo_chain::{EnvironmentError, HeaderError};
use saldo_proof::ProofError;
use saldo_reading::Holding;
use saldo_token::Obstacle;

use crate::format::VERSION;

/// Why a file proves nothing. The fault of the party that made or carried the file, unless said otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file is larger than any that is read. Nothing of it was read.
    #[error("the file has {got} bytes, at most {limit} are read")]
    TooLarge {
        /// Bytes of the file.
        got: usize,
        /// [`MAX_BYTES`](crate::limit::MAX_BYTES).
        limit: usize,
    },
    /// The file does not begin as a proof file does.
    #[error("this is not a proof file")]
    NotAProofFile,
    /// The file is of a version that this version of saldo does not know. No party is at fault.
    #[error("the file is of version {got}, this version of saldo reads version {}", VERSION)]
    Version {
        /// The version of the file.
        got: u16,
    },
    /// The bytes are not SSZ of this form: cut off, with a rest, or with a wrong offset.
    #[error("the file is damaged: {what}")]
    Malformed {
        /// The part of the file.
        what: &'static str,
    },
    /// A part is longer than any that is read.
    #[error("{what}: {got} are too many, at most {limit} are read")]
    TooMany {
        /// The part of the file.
        what: &'static str,
        /// Entries or bytes of the part.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// The same content has another encoding: only that one is a proof file.
    #[error("the file is not written in the one canonical way")]
    NotCanonical,
    /// A light-client object is malformed.
    #[error(transparent)]
    Object(#[from] DecodeError),
    /// The file is of another network than the reader trusts.
    #[error("the file is of chain {got}, expected chain {expected}")]
    OtherNetwork {
        /// The chain id of the file.
        got: u64,
        /// The chain id of the reader's network.
        expected: u64,
    },
    /// The file has the chain id of the reader's network, and is of another chain.
    #[error("the file is of a chain with the genesis validators root {got}, expected {expected}")]
    OtherGenesis {
        /// The root in the file.
        got: B256,
        /// The root of the reader's network.
        expected: B256,
    },
    /// A complete file can only be checked from a checkpoint. The reader's fault.
    #[error("a complete file is checked from a checkpoint, not from the root of a committee")]
    NeedsCheckpoint,
    /// The bootstrap is not of the checkpoint that the reader trusts, or does not verify.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// An update does not verify.
    #[error(transparent)]
    Update(Box<AdvanceError>),
    /// An update of a complete file does not bring the committee of the next period.
    #[error("update {place} does not bring the next committee")]
    UselessUpdate {
        /// The place of the update.
        place: usize,
    },
    /// The head is older than what the updates of a complete file show, or finalizes no block.
    #[error("the head is older than the updates, or finalizes no block")]
    OlderHead,
    /// The signature of a compact file does not verify, or is not of the committee that the reader trusts.
    #[error(transparent)]
    Committee(Box<CondensedError>),
    /// The head has no execution block.
    #[error("the head at slot {slot} has no execution block")]
    NoExecution {
        /// The slot.
        slot: Slot,
    },
    /// A header is not linked to the block before it.
    #[error("header {place}: {error}")]
    Header {
        /// The place of the header.
        place: usize,
        /// Why.
        error: HeaderError,
    },
    /// A header has another number than one less than its child.
    #[error("header {place} has the number {got}, expected {expected}")]
    HeaderNumber {
        /// The place of the header.
        place: usize,
        /// Its number.
        got: u64,
        /// One less than that of its child.
        expected: u64,
    },
    /// The block is later than the slot in which it was signed, so it would seem younger than it is.
    #[error("the block has the time {got}, which is later than its slot")]
    BlockTime {
        /// The time of the block.
        got: UnixTime,
    },
    /// The proof of an account, or of one of its slots, does not verify.
    #[error("the proof of the account {address} is refused: {error}")]
    Proof {
        /// The account.
        address: Address,
        /// Why.
        error: ProofError,
    },
    /// The file names no holding.
    #[error("the file names no holding")]
    NoHolding,
    /// Not everything is proven that the amount of a holding needs.
    #[error("not everything is proven that the balance of {} needs", .holding.owner())]
    NotProven {
        /// The holding.
        holding: Box<Holding>,
    },
    /// The token has no balance that can be proven.
    #[error("the balance of the token {token} is not proven: {obstacle}")]
    Token {
        /// The token.
        token: Address,
        /// Why.
        obstacle: Box<Obstacle>,
    },
    /// The token's own code has to be run, and this build runs no code (feature `execute`). No party is at fault.
    #[error("the code of the token {token} has to be run, and this build runs no code")]
    NeedsExecution {
        /// The token.
        token: Address,
    },
    /// The rules of the block in which a token's code has to be run are not known.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The file has a code that no proven account has.
    #[error("the file has a code that no proven account has")]
    UnusedCode,
}

impl From<AdvanceError> for FileError {
    fn from(error: AdvanceError) -> Self {
        Self::Update(Box::new(error))
    }
}

impl From<CondensedError> for FileError {
    fn from(error: CondensedError) -> Self {
        Self::Committee(Box::new(error))
    }
}

impl FileError {
    /// Returns a stable name of the error, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotAProofFile => "not_a_proof_file",
            Self::Version { .. } => "version",
            Self::Malformed { .. } => "malformed",
            Self::TooMany { .. } => "too_many",
            Self::NotCanonical => "not_canonical",
            Self::Object(_) => "object",
            Self::OtherNetwork { .. } => "other_network",
            Self::OtherGenesis { .. } => "other_genesis",
            Self::NeedsCheckpoint => "needs_checkpoint",
            Self::Bootstrap(_) => "bootstrap",
            Self::Update(_) => "update",
            Self::UselessUpdate { .. } => "useless_update",
            Self::OlderHead => "older_head",
            Self::Committee(_) => "committee",
            Self::NoExecution { .. } => "no_execution",
            Self::Header { .. } => "header",
            Self::HeaderNumber { .. } => "header_number",
            Self::BlockTime { .. } => "block_time",
            Self::Proof { .. } => "proof",
            Self::NoHolding => "no_holding",
            Self::NotProven { .. } => "not_proven",
            Self::Token { .. } => "token",
            Self::NeedsExecution { .. } => "needs_execution",
            Self::Environment(_) => "environment",
            Self::UnusedCode => "unused_code",
        }
    }
}
