//! Ethereum mainnet. Source: consensus-specs `configs/mainnet.yaml`.

use core::time::Duration;

use alloy_primitives::b256;

use super::{BlobParameters, Network, ScheduledFork};
use crate::fork::Fork;
use crate::unit::{Epoch, UnixTime};

const FORKS: [(Fork, u8, Option<u64>); 7] = [
    (Fork::Altair, 1, Some(74_240)),
    (Fork::Bellatrix, 2, Some(144_896)),
    (Fork::Capella, 3, Some(194_048)),
    (Fork::Deneb, 4, Some(269_568)),
    (Fork::Electra, 5, Some(364_032)),
    (Fork::Fulu, 6, Some(411_392)),
    (Fork::Gloas, 7, None),
];

const BLOBS: [(u64, u64); 3] = [(364_032, 9), (412_672, 15), (419_072, 21)];

pub(super) fn network() -> Network {
    let forks = FORKS.into_iter().map(|(fork, version, epoch)| ScheduledFork {
        name: fork.name().into(),
        version: [version, 0, 0, 0],
        epoch: epoch.map(Epoch::new),
    });
    let blobs =
        BLOBS.into_iter().map(|(epoch, max_blobs)| BlobParameters { epoch: Epoch::new(epoch), max_blobs });
    Network {
        name: "mainnet".into(),
        chain_id: 1,
        genesis_time: UnixTime::from_secs(1_606_824_023),
        genesis_validators_root: b256!("4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
        slot_duration: Duration::from_secs(12),
        slots_per_epoch: 32,
        epochs_per_sync_committee_period: 256,
        sync_committee_size: 512,
        max_checkpoint_age_epochs: super::file::DEFAULT_MAX_CHECKPOINT_AGE,
        genesis_fork_version: [0; 4],
        forks: forks.collect(),
        blob_schedule: blobs.collect(),
        checkpoint: None,
    }
}
