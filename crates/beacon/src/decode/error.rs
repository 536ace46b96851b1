//! Why bytes are not the light-client object that was asked for.

use crate::fault::Fault;
use crate::fork::{Fork, UnknownFork};
use crate::unit::Slot;

/// Why bytes are not the light-client object that was asked for.
///
/// The source's fault, except for [`DecodeError::UnknownFork`], which is nobody's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The answer is larger than any such object. The source's fault.
    #[error("an answer of {got} bytes: at most {limit} are read")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The list has more updates than may be asked for. The source's fault.
    #[error("more than {limit} updates in one list")]
    TooMany {
        /// Updates allowed.
        limit: usize,
    },
    /// The SSZ is malformed. The source's fault.
    #[error(transparent)]
    Ssz(#[from] SszError),
    /// The JSON is malformed, or not of the shape the beacon API gives. The source's fault.
    #[error("malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The object says, or is said to be, of another fork than the one scheduled at its slot. The source's fault.
    #[error("labelled `{label}` at slot {slot}, where `{scheduled}` is scheduled")]
    Relabelled {
        /// The fork of the label.
        label: Fork,
        /// The fork of the schedule.
        scheduled: Fork,
        /// The slot of the object's header.
        slot: Slot,
    },
    /// The object's fork cannot be read. Nobody's fault: a newer saldo or network table is needed.
    #[error(transparent)]
    UnknownFork(#[from] UnknownFork),
    /// A list has another length than the fork or the network demands. The source's fault.
    #[error("`{field}` has {got} entries, expected {expected}")]
    Length {
        /// The field.
        field: &'static str,
        /// Entries given.
        got: usize,
        /// Entries expected.
        expected: usize,
    },
    /// Participation bits are set beyond the committee, or there are too few of them. The source's fault.
    #[error("`sync_committee_bits` are not one bit for each of {size} members")]
    ParticipationBits {
        /// Members of the committee.
        size: usize,
    },
    /// A field that the fork of its header does not have, or `extra_data` beyond its limit. The source's fault.
    #[error("the execution header at slot {slot} is not laid out as its fork has it")]
    ExecutionLayout {
        /// The slot of the header.
        slot: Slot,
    },
    /// A part is present without its proof: the proof is all zero and the part is not. The source's fault.
    #[error("`{field}` is not empty although its branch is")]
    Unproven {
        /// The part.
        field: &'static str,
    },
}

impl DecodeError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::UnknownFork(_) => Fault::Network,
            _ => Fault::Source,
        }
    }
}

/// Why bytes are not the SSZ that was expected. The source's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SszError {
    /// The bytes end too early.
    #[error("SSZ ends after {got} bytes, {needed} are needed")]
    Truncated {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        got: usize,
    },
    /// An offset does not point to where its part must begin.
    #[error("SSZ offset {got}, expected {expected}")]
    Offset {
        /// The offset given.
        got: usize,
        /// The only offset that is right.
        expected: usize,
    },
    /// A list of bytes is longer than its type allows; so are bytes left over after the end.
    #[error("SSZ list of {got} bytes, at most {limit}")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
}
