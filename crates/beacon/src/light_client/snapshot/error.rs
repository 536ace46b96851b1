//! Why a snapshot is refused.

use super::layout::{MAX_BYTES, VERSION};
use crate::fault::Fault;
use crate::light_client::adopt::AdoptError;
use crate::light_client::error::AdvanceError;
use crate::unit::Period;

/// Why a snapshot is refused. The caller must then start again from a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The bytes are not a snapshot. The caller's fault: another file, or an empty one.
    #[error("the bytes are not a snapshot of a light client")]
    NotASnapshot,
    /// More than [`LightClient::MAX_SNAPSHOT_BYTES`](crate::LightClient::MAX_SNAPSHOT_BYTES). The caller's fault.
    #[error("the snapshot has {got} bytes, at most {} are read", MAX_BYTES)]
    TooLarge {
        /// Bytes given.
        got: usize,
    },
    /// Another version of saldo wrote it, and the same bytes may have another meaning there. No party is at fault.
    #[error("the snapshot has version {got}, expected version {VERSION}")]
    Version {
        /// The version.
        got: u16,
    },
    /// The bytes changed since they were written, or some are missing. The device's fault.
    #[error("the snapshot is damaged")]
    Damaged,
    /// The snapshot is of another chain. The caller's fault.
    #[error("the snapshot is of chain {got}, expected chain {expected}")]
    OtherNetwork {
        /// Chain id of the snapshot; the same as expected if only the beacon chain differs.
        got: u64,
        /// Chain id of the network given.
        expected: u64,
    },
    /// The snapshot is undamaged, but does not have the right layout: other software made it. The caller's fault.
    #[error("the snapshot is malformed: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The stored evidence does not prove the final head. The caller's fault: this library did not write the snapshot.
    /// The same is true for the variants below, unless they say otherwise.
    #[error("the final head is not proven by the data stored with it")]
    FinalizedHead,
    /// The stored proof does not prove a committee for its period.
    #[error("the sync committee of period {period} is not proven by the data stored with it")]
    Committee {
        /// The period.
        period: Period,
    },
    /// A stored update does not hold under the stored committee.
    #[error("a stored update does not hold: {0}")]
    Update(AdvanceError),
    /// The network table has forks at other times than signatures have shown. The caller's fault: it gives the table.
    #[error(transparent)]
    Schedule(AdoptError),
    /// The final head is older than the weak subjectivity period, which a checkpoint must not be either. A newer
    /// checkpoint is needed. Show the age.
    #[error("the snapshot is {age_epochs} epochs old, at most {limit_epochs} are safe")]
    TooOld {
        /// Age of its final head, in epochs.
        age_epochs: u64,
        /// The network's limit, in epochs.
        limit_epochs: u64,
    },
}

impl SnapshotError {
    /// Returns who is at fault.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Damaged => Fault::Device,
            Self::Version { .. } => Fault::Network,
            _ => Fault::Caller,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_names_who_is_at_fault() {
        assert_eq!(SnapshotError::Damaged.fault(), Fault::Device);
        assert_eq!(SnapshotError::Version { got: 2 }.fault(), Fault::Network);
        assert_eq!(SnapshotError::NotASnapshot.fault(), Fault::Caller);
        assert_eq!(SnapshotError::FinalizedHead.fault(), Fault::Caller);
    }
}
