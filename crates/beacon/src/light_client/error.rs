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
    /// It is the bootstrap of another block than the checkpoint. The source's fault.
    #[error("bootstrap of block {got}, asked for {expected}")]
    WrongRoot {
        /// Root of the bootstrap's header.
        got: B256,
        /// Root of the checkpoint.
        expected: B256,
    },
    /// The checkpoint's block is not at the slot the checkpoint names. The caller's fault: the root matches.
    #[error("the checkpoint is at slot {got}, said to be at {expected}")]
    WrongSlot {
        /// Slot of the block.
        got: Slot,
        /// Slot of the checkpoint.
        expected: Slot,
    },
    /// The execution header is not the one of the block. The source's fault.
    #[error("the execution header is not proven by the block")]
    ExecutionBranch,
    /// The committee has another size than the network's. The source's fault.
    #[error("a sync committee of {got} members, expected {expected}")]
    CommitteeSize {
        /// Members given.
        got: usize,
        /// Members expected.
        expected: usize,
    },
    /// The committee is not the one of the block's state. The source's fault.
    #[error("the sync committee is not proven by the block's state")]
    CommitteeBranch,
    /// The checkpoint is beyond weak subjectivity: former validators could have signed another chain since without
    /// risk. The caller's fault: a newer checkpoint is needed; show the age.
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
        /// When it starts.
        starts: UnixTime,
        /// What the clock says.
        now: UnixTime,
    },
    /// The checkpoint is of a fork that cannot be read. Nobody's fault.
    #[error(transparent)]
    UnknownFork(#[from] UnknownFork),
}

impl BootstrapError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::WrongRoot { .. }
            | Self::ExecutionBranch
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
    /// The bits do not fit the network's committee. The source's fault.
    #[error("participation bits are not one for each of {size} members")]
    ParticipationBits {
        /// Members of a committee.
        size: usize,
    },
    /// Fewer than two thirds signed, which proves nothing. Not held against the source: it may be all there is.
    #[error("{signers} of {size} signed, at least two thirds are needed")]
    TooFewSigners {
        /// Members that signed.
        signers: usize,
        /// Members of the committee.
        size: usize,
    },
    /// Not signed after the attested block, or finalized after it. The source's fault.
    #[error("slots out of order: signed at {signature}, attested {attested}, finalized {finalized}")]
    SlotOrder {
        /// Slot of the signature.
        signature: Slot,
        /// Slot of the attested header.
        attested: Slot,
        /// Slot of the finalized header.
        finalized: Slot,
    },
    /// The head's slot is later than the device's clock, by more than 30 s, and the committee signed it: so that time has
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
    /// The slot of the signature is later than the device's clock, by more than 30 s, although the head's is not. Nobody
    /// signs that slot, so it says nothing. Not held against the source: the clock may be slow.
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
    #[error("signed in period {period}, while the client is in {known}")]
    CommitteeUnknown {
        /// Period of the signature.
        period: Period,
        /// Period of the client.
        known: Period,
    },
    /// Older than what is known, and it brings no committee. The source is behind.
    #[error("the attested slot {attested} is not after the finalized {finalized}")]
    NotNewer {
        /// Slot of the attested header.
        attested: Slot,
        /// Slot of the client's final head.
        finalized: Slot,
    },
    /// The execution header is not laid out as its fork has it, or not the one of its block. The source's fault.
    #[error("the execution header at slot {slot} is not proven by its block")]
    ExecutionBranch {
        /// Slot of the header.
        slot: Slot,
    },
    /// The finalized header is not the one of the attested state. The source's fault.
    #[error("the finalized header is not proven by the attested state")]
    FinalityBranch,
    /// The next committee has another size than the network's. The source's fault.
    #[error("a sync committee of {got} members, expected {expected}")]
    CommitteeSize {
        /// Members given.
        got: usize,
        /// Members expected.
        expected: usize,
    },
    /// The next committee is not the one of the attested state. The source's fault.
    #[error("the next sync committee is not proven by the attested state")]
    CommitteeBranch,
    /// The next committee differs from the one already known for that period. The source's fault.
    #[error("next sync committee {got}, known is {expected}")]
    OtherNextCommittee {
        /// Root of the committee given.
        got: B256,
        /// Root of the committee known.
        expected: B256,
    },
    /// The committee's signature does not hold. The source's fault.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The update is of a fork that cannot be read. Nobody's fault.
    #[error(transparent)]
    UnknownFork(#[from] UnknownFork),
    /// The head lies where one fork ends and another begins at a time that the network table does not have, and no
    /// signature tells yet of which of the two it is. Nobody's fault: take a later head, or a newer network table.
    #[error("it is not known yet of which fork the head at slot {slot} is")]
    UnsettledFork {
        /// Slot of the attested header.
        slot: Slot,
    },
    /// Two thirds of a committee signed a contradiction. The client has stopped.
    #[error(transparent)]
    ConsensusFault(#[from] ConsensusFault),
}

impl AdvanceError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::ParticipationBits { .. }
            | Self::SlotOrder { .. }
            | Self::NotNewer { .. }
            | Self::ExecutionBranch { .. }
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
