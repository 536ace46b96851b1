//! Why a snapshot is refused.

use super::layout::{MAX_BYTES, VERSION};
use crate::fault::Fault;
use crate::light_client::adopt::AdoptError;
use crate::light_client::error::AdvanceError;
use crate::unit::Period;

/// Why a snapshot is refused. The caller starts again from a checkpoint then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The bytes are no snapshot. The caller's fault: another file, or an empty one.
    #[error("no snapshot of a light client")]
    NotASnapshot,
    /// More than [`LightClient::MAX_SNAPSHOT_BYTES`](crate::LightClient::MAX_SNAPSHOT_BYTES). The caller's fault.
    #[error("a snapshot of {got} bytes, at most {} are read", MAX_BYTES)]
    TooLarge {
        /// Bytes given.
        got: usize,
    },
    /// Written by another version of saldo, which may mean something else by the same bytes. Nobody's fault.
    #[error("a snapshot of version {got}, version {VERSION} is read")]
    Version {
        /// The version.
        got: u16,
    },
    /// The bytes changed since they were written, or some are missing. The device's fault.
    #[error("the snapshot is damaged")]
    Damaged,
    /// It is of another chain. The caller's fault.
    #[error("a snapshot of chain {got}, expected chain {expected}")]
    OtherNetwork {
        /// Chain id of the snapshot; the same as expected if only the beacon chain differs.
        got: u64,
        /// Chain id of the network given.
        expected: u64,
    },
    /// It is not laid out as it must be, although undamaged: it was made by something else. The caller's fault.
    #[error("the snapshot is malformed: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The final head is not the one that the stored testimony is for. The caller's fault, as is every further one: the
    /// snapshot was not written by this library.
    #[error("the final head is not proven by what is stored with it")]
    FinalizedHead,
    /// A committee is not the one of its period.
    #[error("the sync committee of period {period} is not proven by what is stored with it")]
    Committee {
        /// The period.
        period: Period,
    },
    /// A stored update does not hold under the stored committee.
    #[error("a stored update does not hold: {0}")]
    Update(AdvanceError),
    /// The network table has forks at other times than signatures have shown. The caller's fault, as it gives the table.
    #[error(transparent)]
    Schedule(AdoptError),
    /// The final head is beyond weak subjectivity: it is as old as a checkpoint must not be. Nobody's fault: a newer
    /// checkpoint is needed; show the age.
    #[error("the snapshot is {age_epochs} epochs old, at most {limit_epochs} are safe")]
    TooOld {
        /// Age of its final head, in epochs.
        age_epochs: u64,
        /// The network's limit, in epochs.
        limit_epochs: u64,
    },
}

impl SnapshotError {
    /// Whose fault it is.
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
    fn damage_is_the_devices_fault_and_another_version_nobodys() {
        assert_eq!(SnapshotError::Damaged.fault(), Fault::Device);
        assert_eq!(SnapshotError::Version { got: 2 }.fault(), Fault::Network);
        assert_eq!(SnapshotError::NotASnapshot.fault(), Fault::Caller);
        assert_eq!(SnapshotError::FinalizedHead.fault(), Fault::Caller);
    }
}
