//! Why bytes are not the light-client object that was asked for.

use crate::fault::Fault;
use crate::fork::UnknownFork;
use crate::unit::Slot;

/// Why bytes are not the light-client object that was asked for.
///
/// The source's fault, except for [`DecodeError::UnknownFork`], where no party is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The answer is larger than any such object. The source's fault.
    #[error("the answer has {got} bytes, at most {limit} are read")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The list has more updates than may be asked for. The source's fault.
    #[error("the list has more than {limit} updates")]
    TooMany {
        /// Updates allowed.
        limit: usize,
    },
    /// The SSZ is malformed. The source's fault.
    #[error(transparent)]
    Ssz(#[from] SszError),
    /// The JSON is malformed, or not in the form of the beacon API. The source's fault.
    #[error("malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The object's fork cannot be read. No party is at fault: a newer saldo or network table is needed.
    #[error(transparent)]
    UnknownFork(#[from] UnknownFork),
    /// A list does not have the length that the fork or the network demands. The source's fault.
    #[error("`{field}` has {got} entries, expected {expected}")]
    Length {
        /// The field.
        field: &'static str,
        /// Entries given.
        got: usize,
        /// Entries expected.
        expected: usize,
    },
    /// There are too few participation bits, or bits beyond the committee are set. The source's fault.
    #[error("`sync_committee_bits` are not one bit for each of {size} members")]
    ParticipationBits {
        /// Members of the committee.
        size: usize,
    },
    /// The execution header does not have the fields of its fork, or its `extra_data` is too long. The source's fault.
    #[error("the execution header at slot {slot} does not have the layout of its fork")]
    ExecutionLayout {
        /// The slot of the header.
        slot: Slot,
    },
    /// A part has no proof: the proof is all zero, but the part is not. The source's fault.
    #[error("`{field}` is not empty although its branch is")]
    Unproven {
        /// The part.
        field: &'static str,
    },
}

impl DecodeError {
    /// Returns who is at fault.
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
    /// An offset does not point to the place where its part must begin.
    #[error("SSZ offset {got}, expected {expected}")]
    Offset {
        /// The offset given.
        got: usize,
        /// The only valid offset.
        expected: usize,
    },
    /// A list of bytes is longer than its type allows. Bytes after the end count as a list with the limit 0.
    #[error("SSZ list of {got} bytes, at most {limit}")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
}
