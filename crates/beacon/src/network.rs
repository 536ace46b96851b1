//! A network as data: its clock, its forks and the size of its sync committee.

mod built_in;
mod file;
mod plain;
mod read;
mod toml_fault;

use core::time::Duration;

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

pub use file::NetworkError;
pub use toml_fault::TomlFault;

use crate::checkpoint::Checkpoint;
use crate::fork::{Fork, UnknownFork};
use crate::signature::{ForkVersion, compute_fork_data_root};
use crate::unit::{Epoch, Period, Slot, UnixTime};

/// A beacon chain and the execution chain it finalizes.
///
/// Built in ([`Network::built_in`]) or read from TOML ([`Network::from_toml`]). No code depends on its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    name: String,
    chain_id: u64,
    genesis_time: UnixTime,
    genesis_validators_root: B256,
    slot_duration: Duration,
    slots_per_epoch: u64,
    epochs_per_sync_committee_period: u64,
    sync_committee_size: usize,
    max_checkpoint_age_epochs: u64,
    genesis_fork_version: ForkVersion,
    forks: Vec<ScheduledFork>,
    blob_schedule: Vec<BlobParameters>,
    checkpoint: Option<Checkpoint>,
}

/// One fork of a network's schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledFork {
    name: String,
    version: ForkVersion,
    epoch: Option<Epoch>,
    max_checkpoint_age_epochs: Option<u64>,
}

impl ScheduledFork {
    /// Returns the fork's name. This version of saldo may not know it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the fork if this version of saldo knows it by name.
    pub fn fork(&self) -> Option<Fork> {
        Fork::from_name(&self.name)
    }

    /// Returns the fork version that signatures are bound to.
    pub fn version(&self) -> ForkVersion {
        self.version
    }

    /// Returns the first epoch of the fork, or `None` if its time is not set yet.
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Returns how old a checkpoint may be from the fork on, in epochs, or `None` if the fork does not change the limit.
    pub fn max_checkpoint_age_epochs(&self) -> Option<u64> {
        self.max_checkpoint_age_epochs
    }
}

/// How many blobs a block may carry from an epoch on. From Fulu on it is part of the fork digest.
///
/// Source: EIP-7892.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobParameters {
    /// The first epoch.
    pub epoch: Epoch,
    /// The most blobs of a block.
    pub max_blobs: u64,
}

/// Four bytes that name a fork and its blob parameters on the wire.
pub type ForkDigest = [u8; 4];

impl Network {
    /// Returns a chain that has no committee of its own, as a rollup: its name, its chain id, the time of its first block and the
    /// time between two blocks. No light client can follow it.
    pub fn without_committee(name: &str, chain_id: u64, start: UnixTime, block_time: Duration) -> Self {
        Self {
            name: name.to_owned(),
            chain_id,
            genesis_time: start,
            genesis_validators_root: B256::ZERO,
            slot_duration: block_time.clamp(Duration::from_millis(1), Duration::from_secs(3_600)),
            slots_per_epoch: 1,
            epochs_per_sync_committee_period: 1,
            sync_committee_size: 0,
            max_checkpoint_age_epochs: 0,
            genesis_fork_version: ForkVersion::default(),
            forks: Vec::new(),
            blob_schedule: Vec::new(),
            checkpoint: None,
        }
    }

    /// Returns whether the chain has a committee whose signatures a light client follows. A rollup has none.
    pub fn has_committee(&self) -> bool {
        self.sync_committee_size > 0
    }

    /// Returns the network's name, for people only.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the execution chain's id (EIP-155).
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns the moment slot 0 starts.
    pub fn genesis_time(&self) -> UnixTime {
        self.genesis_time
    }

    /// Returns the root of the first validators, which every signature is bound to.
    pub fn genesis_validators_root(&self) -> B256 {
        self.genesis_validators_root
    }

    /// Returns how long a slot is.
    pub fn slot_duration(&self) -> Duration {
        self.slot_duration
    }

    /// Returns how many slots an epoch has.
    pub fn slots_per_epoch(&self) -> u64 {
        self.slots_per_epoch
    }

    /// Returns for how many epochs a sync committee signs.
    pub fn epochs_per_sync_committee_period(&self) -> u64 {
        self.epochs_per_sync_committee_period
    }

    /// Returns how many members a sync committee has.
    pub fn sync_committee_size(&self) -> usize {
        self.sync_committee_size
    }

    /// Returns how old a checkpoint may be until a fork sets another limit, in epochs: the weak subjectivity period.
    pub fn max_checkpoint_age_epochs(&self) -> u64 {
        self.max_checkpoint_age_epochs
    }

    /// Returns how old a checkpoint may be by the rules of `epoch`, in epochs.
    pub fn max_checkpoint_age_at(&self, epoch: Epoch) -> u64 {
        let started = self.forks.iter().filter(|fork| fork.epoch.is_some_and(|start| start <= epoch));
        let newest = started.filter_map(|fork| fork.max_checkpoint_age_epochs).next_back();
        newest.unwrap_or(self.max_checkpoint_age_epochs)
    }

    /// Returns how old a checkpoint of the epoch `from` may be at the epoch `to`, in epochs: the smallest limit of any
    /// epoch between them. After a fork that lets stake leave faster, the validators that vouched for an older
    /// checkpoint may also have left sooner.
    ///
    /// Source: consensus-specs `phase0/weak-subjectivity.md`; EIP-8061.
    pub fn max_checkpoint_age_between(&self, from: Epoch, to: Epoch) -> u64 {
        let starts = self.forks.iter().filter_map(|fork| fork.epoch);
        let between = starts.filter(|start| from < *start && *start <= to);
        between.chain([from]).map(|epoch| self.max_checkpoint_age_at(epoch)).min().unwrap_or(0)
    }

    /// Returns how old a finalized block at `slot` is at `now`, and how old it may be to start from it, in epochs.
    pub fn checkpoint_age(&self, slot: Slot, now: UnixTime) -> (u64, u64) {
        let made = self.epoch_at(slot);
        let today = self.slot_at(now).map_or(made, |present| self.epoch_at(present));
        (today.since(made).unwrap_or(0), self.max_checkpoint_age_between(made, today))
    }

    /// Returns the fork version before the first scheduled fork.
    pub fn genesis_fork_version(&self) -> ForkVersion {
        self.genesis_fork_version
    }

    /// Returns the forks after genesis, oldest first. Forks without an epoch come last.
    pub fn forks(&self) -> &[ScheduledFork] {
        &self.forks
    }

    /// Returns the blob parameters, oldest first, starting with those of Electra.
    pub fn blob_schedule(&self) -> &[BlobParameters] {
        &self.blob_schedule
    }

    /// Returns the checkpoint that comes with the network, if there is one.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// Returns the same network with another checkpoint.
    #[must_use]
    pub fn with_checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// Returns the fork scheduled at a slot.
    ///
    /// # Errors
    /// [`UnknownFork`] if saldo does not know the fork by name. Before the first fork it names `phase0`.
    pub fn fork_at(&self, slot: Slot) -> Result<Fork, UnknownFork> {
        match self.scheduled_at(self.epoch_at(slot)) {
            Some(scheduled) => scheduled.name.parse(),
            None => Err(UnknownFork::named("phase0")),
        }
    }

    /// Returns the fork version that signatures of blocks at a slot are bound to.
    pub fn fork_version_at(&self, slot: Slot) -> ForkVersion {
        self.version_at(self.epoch_at(slot))
    }

    /// Returns the next fork in the schedule after the fork at `slot`, with or without an epoch.
    pub fn fork_after(&self, slot: Slot) -> Option<&ScheduledFork> {
        let epoch = self.epoch_at(slot);
        self.forks.iter().find(|fork| fork.epoch.is_none_or(|start| start > epoch))
    }

    /// Returns the slot at a moment, or `None` before genesis.
    pub fn slot_at(&self, time: UnixTime) -> Option<Slot> {
        let elapsed = time.as_millis().checked_sub(self.genesis_time.as_millis())?;
        elapsed.checked_div(self.slot_millis()).map(Slot::new)
    }

    /// Returns the moment a slot starts, or the last representable one if that overflows.
    pub fn slot_start(&self, slot: Slot) -> UnixTime {
        let elapsed = slot.get().saturating_mul(self.slot_millis());
        UnixTime::from_millis(self.genesis_time.as_millis().saturating_add(elapsed))
    }

    /// Returns the epoch of a slot.
    pub fn epoch_at(&self, slot: Slot) -> Epoch {
        Epoch::new(
            slot.get().checked_div(self.slots_per_epoch).expect("epochs have slots: checked when built"),
        )
    }

    /// Returns the sync committee period of a slot.
    pub fn period_at(&self, slot: Slot) -> Period {
        let epoch = self.epoch_at(slot).get();
        Period::new(
            epoch
                .checked_div(self.epochs_per_sync_committee_period)
                .expect("periods have epochs: checked when built"),
        )
    }

    /// Returns the first slot of a period, or the last representable slot if that overflows.
    pub fn period_start(&self, period: Period) -> Slot {
        Slot::new(period.get().saturating_mul(self.slots_per_period()))
    }

    /// Returns how many slots a sync committee period has.
    pub fn slots_per_period(&self) -> u64 {
        self.slots_per_epoch.saturating_mul(self.epochs_per_sync_committee_period)
    }

    /// Returns the digest that names the fork of an epoch, and from Fulu on its blob parameters.
    ///
    /// Source: `compute_fork_digest`, consensus-specs `fulu/beacon-chain.md` (EIP-7892).
    pub fn fork_digest(&self, epoch: Epoch) -> ForkDigest {
        self.digest(self.version_at(epoch), self.blob_parameters_at(epoch))
    }

    /// Returns the digest that names a fork from its first epoch on. Without an epoch the digest has no blob parameters.
    pub fn fork_digest_of(&self, fork: &ScheduledFork) -> ForkDigest {
        self.digest(fork.version, fork.epoch.and_then(|start| self.blob_parameters_at(start)))
    }

    fn digest(&self, version: ForkVersion, blobs: Option<&BlobParameters>) -> ForkDigest {
        let root = compute_fork_data_root(version, self.genesis_validators_root);
        let mask = match blobs {
            Some(parameters) => {
                let mut hasher = Sha256::new();
                hasher.update(parameters.epoch.get().to_le_bytes());
                hasher.update(parameters.max_blobs.to_le_bytes());
                B256::from(<[u8; 32]>::from(hasher.finalize()))
            }
            None => B256::ZERO,
        };
        let [a, b, c, d, ..] = (root ^ mask).0;
        [a, b, c, d]
    }

    /// Returns the fork that a digest names, or `None` if it is not in this schedule.
    ///
    /// For a fork without an epoch, a digest with any blob parameters of the schedule counts.
    pub fn fork_of_digest(&self, digest: ForkDigest) -> Option<&ScheduledFork> {
        let names = |fork: &&ScheduledFork| {
            let blobs = self.blob_schedule.iter().map(Some).chain([None]);
            fork.epoch.is_none() && blobs.into_iter().any(|blobs| self.digest(fork.version, blobs) == digest)
        };
        self.scheduled_fork_of_digest(digest).or_else(|| self.forks.iter().find(names))
    }

    fn scheduled_fork_of_digest(&self, digest: ForkDigest) -> Option<&ScheduledFork> {
        let starts = self.forks.iter().filter_map(|fork| fork.epoch);
        let blob_starts = self.blob_schedule.iter().map(|parameters| parameters.epoch);
        let epoch = starts.chain(blob_starts).find(|epoch| self.fork_digest(*epoch) == digest)?;
        self.scheduled_at(epoch)
    }

    /// Returns a field in which `other` differs from this chain, if there is one. The tables of forks may differ.
    pub(crate) fn other_chain(&self, other: &Self) -> Option<&'static str> {
        let fields = [
            ("chain_id", self.chain_id == other.chain_id),
            ("genesis_time", self.genesis_time == other.genesis_time),
            ("genesis_validators_root", self.genesis_validators_root == other.genesis_validators_root),
            ("slot_duration_ms", self.slot_duration == other.slot_duration),
            ("slots_per_epoch", self.slots_per_epoch == other.slots_per_epoch),
            (
                "epochs_per_sync_committee_period",
                self.epochs_per_sync_committee_period == other.epochs_per_sync_committee_period,
            ),
            ("sync_committee_size", self.sync_committee_size == other.sync_committee_size),
        ];
        fields.into_iter().find(|(_, is_same)| !is_same).map(|(field, _)| field)
    }

    fn blob_parameters_at(&self, epoch: Epoch) -> Option<&BlobParameters> {
        let is_mixed_in = self
            .forks
            .iter()
            .any(|fork| fork.fork() == Some(Fork::Fulu) && fork.epoch.is_some_and(|start| start <= epoch));
        if !is_mixed_in {
            return None;
        }
        self.blob_schedule.iter().rfind(|parameters| parameters.epoch <= epoch)
    }

    fn scheduled_at(&self, epoch: Epoch) -> Option<&ScheduledFork> {
        self.forks.iter().rfind(|fork| fork.epoch.is_some_and(|start| start <= epoch))
    }

    fn version_at(&self, epoch: Epoch) -> ForkVersion {
        self.scheduled_at(epoch).map_or(self.genesis_fork_version, |fork| fork.version)
    }

    fn slot_millis(&self) -> u64 {
        u64::try_from(self.slot_duration.as_millis()).expect("slots are at most an hour: checked when built")
    }
}

#[cfg(test)]
mod tests;
