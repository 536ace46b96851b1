//! Why a light client refuses a bootstrap or an update.

use alloy_primitives::B256;

use super::contradiction::ConsensusFault;
use crate::fault::Fault;
use crate::fork::UnknownFork;
use crate::signature::SignatureError;
use crate::unit::{Period, Slot, UnixTime};

/// Why a bootstrap is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// The bootstrap is of another block than the checkpoint. The source's fault.
    #[error("the bootstrap is of block {got}, expected {expected}")]
    WrongRoot {
        /// Root of the bootstrap's header.
        got: B256,
        /// Root of the checkpoint.
        expected: B256,
    },
    /// The checkpoint's block is not at the slot that the checkpoint names. The caller's fault: the root matches.
    #[error("the checkpoint's block is at slot {got}, the checkpoint says {expected}")]
    WrongSlot {
        /// Slot of the block.
        got: Slot,
        /// Slot of the checkpoint.
        expected: Slot,
    },
    /// The block does not prove the execution header. The source's fault.
    #[error("the execution header is not proven by the block")]
    ExecutionBranch,
    /// The execution header is dated later than its slot, as in no valid block. The source's fault.
    #[error("the execution header at slot {slot} is dated {time}")]
    ExecutionTime {
        /// Slot of the block.
        slot: Slot,
        /// Time of the execution header.
        time: UnixTime,
    },
    /// The committee does not have the network's size. The source's fault.
    #[error("the sync committee has {got} members, expected {expected}")]
    CommitteeSize {
        /// Members given.
        got: usize,
        /// Members expected.
        expected: usize,
    },
    /// The block's state does not prove the committee. The source's fault.
    #[error("the sync committee is not proven by the block's state")]
    CommitteeBranch,
    /// The checkpoint is older than the weak subjectivity period: former validators could since have signed another chain
    /// without risk. The caller's fault: a newer checkpoint is needed. Show the age.
    #[error("the checkpoint is {age_epochs} epochs old, at most {limit_epochs} are safe")]
    CheckpointTooOld {
        /// Its age, in epochs.
        age_epochs: u64,
        /// The network's limit, in epochs.
        limit_epochs: u64,
    },
    /// The checkpoint is newer than the device's clock. The device's fault: the root matches.
    #[error("the checkpoint's slot {slot} starts at {starts}, the clock says {now}")]
    FromFuture {
        /// Slot of the checkpoint.
        slot: Slot,
        /// When the slot starts.
        starts: UnixTime,
        /// What the clock says.
        now: UnixTime,
    },
    /// The checkpoint is of a fork that cannot be read. No party is at fault.
    #[error(transparent)]
    UnknownFork(#[from] UnknownFork),
}

impl BootstrapError {
    /// Returns who is at fault.
    pub fn fault(&self) -> Fault {
        match self {
            Self::WrongRoot { .. }
            | Self::ExecutionBranch
            | Self::ExecutionTime { .. }
            | Self::CommitteeSize { .. }
            | Self::CommitteeBranch => Fault::Source,
            Self::WrongSlot { .. } | Self::CheckpointTooOld { .. } => Fault::Caller,
            Self::FromFuture { .. } => Fault::Device,
            Self::UnknownFork(_) => Fault::Network,
        }
    }
}

/// Why an update is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdvanceError {
    /// The participation bits do not fit the network's committee. The source's fault.
    #[error("there is not exactly one participation bit for each of {size} members")]
    ParticipationBits {
        /// Members of a committee.
        size: usize,
    },
    /// Fewer than two thirds signed, which proves nothing. Does not count against the source: it may be the only update
    /// there is.
    #[error("{signers} of {size} signed, at least two thirds are needed")]
    TooFewSigners {
        /// Members that signed.
        signers: usize,
        /// Members of the committee.
        size: usize,
    },
    /// The signature is not after the attested block, or the finalized block is after it. The source's fault.
    #[error("slots out of order: signed at {signature}, attested {attested}, finalized {finalized}")]
    SlotOrder {
        /// Slot of the signature.
        signature: Slot,
        /// Slot of the attested header.
        attested: Slot,
        /// Slot of the finalized header.
        finalized: Slot,
    },
    /// The head's slot is more than 30 s later than the device's clock. The committee signed that slot, so that time has
    /// come, and the clock is slow. The device's fault; try again later.
    #[error("the head's slot {slot} starts at {starts}, the clock says {now}")]
    FromFuture {
        /// Slot of the attested header.
        slot: Slot,
        /// When it starts.
        starts: UnixTime,
        /// What the clock says.
        now: UnixTime,
    },
    /// The slot of the signature is more than 30 s later than the device's clock, but the head's slot is not. No
    /// signature covers that slot, so it proves nothing. Does not count against the source: the clock may be slow.
    #[error("signature slot {signature_slot} starts at {starts}, the clock says {now}")]
    SignatureFromFuture {
        /// Slot of the signature.
        signature_slot: Slot,
        /// When it starts.
        starts: UnixTime,
        /// What the clock says.
        now: UnixTime,
    },
    /// The committee of that period is not known yet. The caller's fault: fetch the updates in between first.
    #[error("the update was signed in period {period}, but the client is in period {known}")]
    CommitteeUnknown {
        /// Period of the signature.
        period: Period,
        /// Period of the client.
        known: Period,
    },
    /// The update is not newer than the final head, and has no unknown committee. The source is behind.
    #[error("the attested slot {attested} is not after the finalized {finalized}")]
    NotNewer {
        /// Slot of the attested header.
        attested: Slot,
        /// Slot of the client's final head.
        finalized: Slot,
    },
    /// The execution header does not have the layout of its fork, or its block does not prove it. The source's fault.
    #[error("the execution header at slot {slot} is not proven by its block")]
    ExecutionBranch {
        /// Slot of the header.
        slot: Slot,
    },
    /// An execution header is dated later than its slot, as in no valid block. The source's fault.
    #[error("the execution header at slot {slot} is dated {time}")]
    ExecutionTime {
        /// Slot of the header.
        slot: Slot,
        /// Time of the execution header.
        time: UnixTime,
    },
    /// The attested state does not prove the finalized header. The source's fault.
    #[error("the finalized header is not proven by the attested state")]
    FinalityBranch,
    /// The next committee does not have the network's size. The source's fault.
    #[error("the next sync committee has {got} members, expected {expected}")]
    CommitteeSize {
        /// Members given.
        got: usize,
        /// Members expected.
        expected: usize,
    },
    /// The attested state does not prove the next committee. The source's fault.
    #[error("the next sync committee is not proven by the attested state")]
    CommitteeBranch,
    /// The next committee is not the one already known for that period. The source's fault.
    #[error("the next sync committee is {got}, but {expected} is already known")]
    OtherNextCommittee {
        /// Root of the committee in the update.
        got: B256,
        /// Root of the known committee.
        expected: B256,
    },
    /// The committee's signature does not verify. The source's fault.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The update is of a fork that cannot be read. No party is at fault.
    #[error(transparent)]
    UnknownFork(#[from] UnknownFork),
    /// The head is close to the start of a fork whose time the network table does not have, and no signature has shown
    /// yet on which side it is. No party is at fault: take a later head, or a newer network table.
    #[error("it is not known yet which fork the head at slot {slot} belongs to")]
    UnsettledFork {
        /// Slot of the attested header.
        slot: Slot,
    },
    /// Two thirds of a committee signed a contradiction. The client has stopped.
    #[error(transparent)]
    ConsensusFault(#[from] ConsensusFault),
}

impl AdvanceError {
    /// Returns who is at fault.
    pub fn fault(&self) -> Fault {
        match self {
            Self::ParticipationBits { .. }
            | Self::SlotOrder { .. }
            | Self::NotNewer { .. }
            | Self::ExecutionBranch { .. }
            | Self::ExecutionTime { .. }
            | Self::FinalityBranch
            | Self::CommitteeSize { .. }
            | Self::CommitteeBranch
            | Self::OtherNextCommittee { .. }
            | Self::Signature(_) => Fault::Source,
            Self::FromFuture { .. } | Self::SignatureFromFuture { .. } => Fault::Device,
            Self::CommitteeUnknown { .. } => Fault::Caller,
            Self::UnknownFork(_) | Self::UnsettledFork { .. } => Fault::Network,
            Self::TooFewSigners { .. } | Self::ConsensusFault(_) => Fault::Chain,
        }
    }
}
