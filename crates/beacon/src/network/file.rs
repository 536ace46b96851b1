//! Networks as TOML text.

use core::ops::RangeInclusive;
use core::time::Duration;

use alloy_primitives::{B256, hex};
#[cfg(feature = "toml")]
use serde::de::IgnoredAny;
#[cfg(feature = "toml")]
use serde::{Deserialize, Serialize};

use super::toml_fault::TomlFault;
use super::{BlobParameters, Network, ScheduledFork};
use crate::checkpoint::{Checkpoint, CheckpointFormatError};
use crate::fault::Fault;
use crate::fork::Fork;
use crate::plain_toml::line_of;
use crate::signature::ForkVersion;
use crate::unit::{Epoch, UnixTime};

/// About 15.7 days on mainnet.
pub(super) const DEFAULT_MAX_CHECKPOINT_AGE: u64 = 3532;

const MAX_NAME: usize = 64;
/// The maximum ages of a checkpoint that a file may set, in epochs.
const CHECKPOINT_AGES: RangeInclusive<u64> = 1..=1_000_000;
const MAX_SCHEDULE: usize = 64;
const FORKS: &str = "forks";
const BLOBS: &str = "blob_schedule";
/// Stands for a URL in errors.
const A_URL: &str = "a URL, where no URL is allowed";
/// TOML integers are signed, so their largest value is half as large.
const MAX_INTEGER: u64 = u64::MAX >> 1;
/// About the year 36,800. Small enough that the start of a slot does not overflow because of it.
const MAX_SECONDS: u64 = 1 << 40;

/// Why a text does not describe a usable network. Always the caller's fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The text is larger than any network needs.
    #[error("a network file of {got} bytes: at most {limit} are read")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The text is not TOML, or a field is missing, unknown or of the wrong type.
    #[error("not a network file: {0}")]
    Toml(TomlFault),
    /// A number is out of range.
    #[error("`{field}` is {got}, expected {} to {}", .expected.start(), .expected.end())]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// The number given.
        got: u64,
        /// The numbers allowed.
        expected: RangeInclusive<u64>,
    },
    /// The committee size is not a power of two.
    #[error("`sync_committee_size` is {got}, expected a power of two")]
    CommitteeSize {
        /// The number given.
        got: u64,
    },
    /// A name is empty, too long, or has other characters than letters, digits, `-` and `_`.
    #[error("`{got}` is not a name: expected 1 to 64 letters, digits, `-` or `_`")]
    Name {
        /// The name given.
        got: String,
    },
    /// A list has more entries than any network needs.
    #[error("`{field}` has {got} entries, at most {limit} are read")]
    TooMany {
        /// The field.
        field: &'static str,
        /// Entries given.
        got: usize,
        /// Entries allowed.
        limit: usize,
    },
    /// A fork version is not `0x` and 8 hexadecimal digits.
    #[error("`{got}` is not a fork version: expected 0x and 8 hexadecimal digits")]
    Version {
        /// The text given.
        got: String,
    },
    /// A fork is listed twice, is listed before an older fork, or starts before it.
    #[error("fork `{name}` is out of order")]
    ForkOrder {
        /// The fork's name.
        name: String,
    },
    /// Blob parameters are not in the order of their epochs.
    #[error("blob parameters of epoch {epoch} are out of order")]
    BlobOrder {
        /// The epoch.
        epoch: Epoch,
    },
    /// The checkpoint is malformed.
    #[error("`checkpoint`: {0}")]
    Checkpoint(#[from] CheckpointFormatError),
    /// A value of a file cannot be used, and its line is known.
    #[error("line {line}: {error}")]
    AtLine {
        /// The line, from 1 on.
        line: usize,
        /// What is wrong with the value.
        error: Box<Self>,
    },
}

impl NetworkError {
    /// Returns who is at fault: always [`Fault::Caller`].
    pub fn fault(&self) -> Fault {
        Fault::Caller
    }
}

/// What is wrong with a value, and where the value is.
#[derive(Debug)]
pub(super) struct Misplaced {
    /// The array of tables and the number of its entry, from 0 on; `None` for a field that is in no entry.
    entry: Option<(&'static str, usize)>,
    key: &'static str,
    error: NetworkError,
}

impl Misplaced {
    fn at(key: &'static str) -> impl FnOnce(NetworkError) -> Self {
        move |error| Self { entry: None, key, error }
    }

    fn in_entry(table: &'static str, number: usize, key: &'static str) -> impl FnOnce(NetworkError) -> Self {
        move |error| Self { entry: Some((table, number)), key, error }
    }

    /// The error, with its line in `text` if the value is there in the usual form.
    pub(super) fn in_text(self, text: &str) -> NetworkError {
        let Self { entry, key, error } = self;
        match line_of(text, entry, key) {
            Some(line) => NetworkError::AtLine { line, error: Box::new(error) },
            None => error,
        }
    }

    /// The error alone.
    #[cfg(test)]
    pub(super) fn error(self) -> NetworkError {
        self.error
    }
}

#[derive(Default)]
#[cfg_attr(feature = "toml", derive(Deserialize, Serialize), serde(deny_unknown_fields))]
pub(super) struct NetworkFile {
    pub(super) name: String,
    pub(super) chain_id: u64,
    /// Seconds since 1970.
    pub(super) genesis_time: u64,
    pub(super) genesis_validators_root: B256,
    pub(super) slot_duration_ms: u64,
    pub(super) slots_per_epoch: u64,
    pub(super) epochs_per_sync_committee_period: u64,
    pub(super) sync_committee_size: u64,
    #[cfg_attr(feature = "toml", serde(default = "default_max_checkpoint_age"))]
    pub(super) max_checkpoint_age_epochs: u64,
    pub(super) genesis_fork_version: String,
    #[cfg_attr(feature = "toml", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) checkpoint: Option<String>,
    #[cfg_attr(feature = "toml", serde(default))]
    pub(super) forks: Vec<ForkEntry>,
    #[cfg_attr(feature = "toml", serde(default))]
    pub(super) blob_schedule: Vec<BlobEntry>,
    /// The same file may hold the three tables of a directory of endpoints. Other code reads those.
    #[cfg(feature = "toml")]
    #[serde(default, rename = "rpc", skip_serializing)]
    pub(super) _rpc: Option<IgnoredAny>,
    #[cfg(feature = "toml")]
    #[serde(default, rename = "beacon", skip_serializing)]
    pub(super) _beacon: Option<IgnoredAny>,
    #[cfg(feature = "toml")]
    #[serde(default, rename = "checkpoint_source", skip_serializing)]
    pub(super) _checkpoint_source: Option<IgnoredAny>,
}

#[cfg_attr(feature = "toml", derive(Deserialize, Serialize), serde(deny_unknown_fields))]
pub(super) struct ForkEntry {
    pub(super) name: String,
    pub(super) version: String,
    #[cfg_attr(feature = "toml", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) epoch: Option<u64>,
    #[cfg_attr(feature = "toml", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) max_checkpoint_age_epochs: Option<u64>,
}

#[cfg_attr(feature = "toml", derive(Deserialize, Serialize), serde(deny_unknown_fields))]
pub(super) struct BlobEntry {
    pub(super) epoch: u64,
    pub(super) max_blobs: u64,
}

#[cfg(feature = "toml")]
fn default_max_checkpoint_age() -> u64 {
    DEFAULT_MAX_CHECKPOINT_AGE
}

impl Network {
    /// Checks the values of a file.
    pub(super) fn of_file(file: NetworkFile) -> Result<Self, Misplaced> {
        for (field, got, expected) in [
            ("chain_id", file.chain_id, 1..=MAX_INTEGER),
            ("genesis_time", file.genesis_time, 0..=MAX_SECONDS),
            ("slot_duration_ms", file.slot_duration_ms, 1..=3_600_000),
            ("slots_per_epoch", file.slots_per_epoch, 1..=512),
            ("epochs_per_sync_committee_period", file.epochs_per_sync_committee_period, 1..=4096),
            ("sync_committee_size", file.sync_committee_size, 1..=512),
            ("max_checkpoint_age_epochs", file.max_checkpoint_age_epochs, CHECKPOINT_AGES),
        ] {
            within(field, got, expected).map_err(Misplaced::at(field))?;
        }
        if !file.sync_committee_size.is_power_of_two() {
            let error = NetworkError::CommitteeSize { got: file.sync_committee_size };
            return Err(Misplaced::at("sync_committee_size")(error));
        }
        let checkpoint = file.checkpoint.map(|text| text.parse::<Checkpoint>()).transpose();
        Ok(Self {
            name: name(file.name).map_err(Misplaced::at("name"))?,
            chain_id: file.chain_id,
            genesis_time: UnixTime::from_secs(file.genesis_time),
            genesis_validators_root: file.genesis_validators_root,
            slot_duration: Duration::from_millis(file.slot_duration_ms),
            slots_per_epoch: file.slots_per_epoch,
            epochs_per_sync_committee_period: file.epochs_per_sync_committee_period,
            sync_committee_size: usize::try_from(file.sync_committee_size).expect("at most 512"),
            max_checkpoint_age_epochs: file.max_checkpoint_age_epochs,
            genesis_fork_version: version(&file.genesis_fork_version)
                .map_err(Misplaced::at("genesis_fork_version"))?,
            forks: forks(file.forks)?,
            blob_schedule: blob_schedule(&file.blob_schedule)?,
            checkpoint: checkpoint.map_err(|error| Misplaced::at("checkpoint")(error.into()))?,
        })
    }

    /// Writes the network as TOML that [`Network::from_toml`] reads back to an equal value.
    #[cfg(feature = "toml")]
    pub fn to_toml(&self) -> String {
        let file = NetworkFile {
            name: self.name.clone(),
            chain_id: self.chain_id,
            genesis_time: self.genesis_time.as_secs(),
            genesis_validators_root: self.genesis_validators_root,
            slot_duration_ms: self.slot_millis(),
            slots_per_epoch: self.slots_per_epoch,
            epochs_per_sync_committee_period: self.epochs_per_sync_committee_period,
            sync_committee_size: u64::try_from(self.sync_committee_size).expect("at most 512"),
            max_checkpoint_age_epochs: self.max_checkpoint_age_epochs,
            genesis_fork_version: hex::encode_prefixed(self.genesis_fork_version),
            checkpoint: self.checkpoint.map(|checkpoint| checkpoint.to_string()),
            forks: self.forks.iter().map(ForkEntry::from).collect(),
            blob_schedule: self.blob_schedule.iter().map(BlobEntry::from).collect(),
            ..NetworkFile::default()
        };
        toml::to_string(&file).expect("strings, and numbers that fit TOML's: checked when built")
    }
}

#[cfg(feature = "toml")]
impl From<&ScheduledFork> for ForkEntry {
    fn from(fork: &ScheduledFork) -> Self {
        Self {
            name: fork.name.clone(),
            version: hex::encode_prefixed(fork.version),
            epoch: fork.epoch.map(Epoch::get),
            max_checkpoint_age_epochs: fork.max_checkpoint_age_epochs,
        }
    }
}

#[cfg(feature = "toml")]
impl From<&BlobParameters> for BlobEntry {
    fn from(parameters: &BlobParameters) -> Self {
        Self { epoch: parameters.epoch.get(), max_blobs: parameters.max_blobs }
    }
}

fn within(field: &'static str, got: u64, expected: RangeInclusive<u64>) -> Result<(), NetworkError> {
    if expected.contains(&got) { Ok(()) } else { Err(NetworkError::OutOfRange { field, got, expected }) }
}

fn few<T>(field: &'static str, entries: &[T]) -> Result<(), NetworkError> {
    if entries.len() <= MAX_SCHEDULE {
        return Ok(());
    }
    Err(NetworkError::TooMany { field, got: entries.len(), limit: MAX_SCHEDULE })
}

fn name(got: String) -> Result<String, NetworkError> {
    let plain = got.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain && (1..=MAX_NAME).contains(&got.len()) {
        Ok(got)
    } else {
        Err(NetworkError::Name { got: shown(got) })
    }
}

fn version(text: &str) -> Result<ForkVersion, NetworkError> {
    let malformed = || NetworkError::Version { got: shown(text.into()) };
    let digits = text.strip_prefix("0x").ok_or_else(malformed)?;
    hex::decode_to_array(digits).map_err(|_| malformed())
}

fn has_url(text: &str) -> bool {
    text.contains("://")
}

/// Returns the text for an error to quote, without a URL, because a URL is a secret.
fn shown(text: String) -> String {
    if has_url(&text) { A_URL.to_owned() } else { text }
}

/// Reads the forks. They must be in the order of their epochs, those without an epoch last. No known fork may follow a
/// later or an unknown one.
fn forks(entries: Vec<ForkEntry>) -> Result<Vec<ScheduledFork>, Misplaced> {
    few(FORKS, &entries).map_err(Misplaced::at(FORKS))?;
    let mut forks: Vec<ScheduledFork> = Vec::with_capacity(entries.len());
    for (number, entry) in entries.into_iter().enumerate() {
        let at = |key| Misplaced::in_entry(FORKS, number, key);
        if let Some(epoch) = entry.epoch {
            within("forks.epoch", epoch, 0..=MAX_INTEGER).map_err(at("epoch"))?;
        }
        if let Some(age) = entry.max_checkpoint_age_epochs {
            within("forks.max_checkpoint_age_epochs", age, CHECKPOINT_AGES)
                .map_err(at("max_checkpoint_age_epochs"))?;
        }
        let next = ScheduledFork {
            name: name(entry.name).map_err(at("name"))?,
            version: version(&entry.version).map_err(at("version"))?,
            epoch: entry.epoch.map(Epoch::new),
            max_checkpoint_age_epochs: entry.max_checkpoint_age_epochs,
        };
        let repeated = forks.iter().any(|fork| fork.name.eq_ignore_ascii_case(&next.name));
        if repeated || forks.last().is_some_and(|last| !follows(last, &next)) {
            return Err(at("name")(NetworkError::ForkOrder { name: next.name }));
        }
        forks.push(next);
    }
    Ok(forks)
}

fn follows(earlier: &ScheduledFork, later: &ScheduledFork) -> bool {
    let in_time = match (earlier.epoch, later.epoch) {
        (Some(earlier), Some(later)) => earlier <= later,
        (None, Some(_)) => false,
        (_, None) => true,
    };
    let in_order = match (earlier.fork(), later.fork()) {
        (Some(earlier), Some(later)) => earlier < later,
        (None, Some(_)) => false,
        (_, None) => true,
    };
    in_time && in_order
}

fn blob_schedule(entries: &[BlobEntry]) -> Result<Vec<BlobParameters>, Misplaced> {
    few(BLOBS, entries).map_err(Misplaced::at(BLOBS))?;
    let mut schedule: Vec<BlobParameters> = Vec::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        let at = |key| Misplaced::in_entry(BLOBS, number, key);
        within("blob_schedule.epoch", entry.epoch, 0..=MAX_INTEGER).map_err(at("epoch"))?;
        within("blob_schedule.max_blobs", entry.max_blobs, 0..=MAX_INTEGER).map_err(at("max_blobs"))?;
        let epoch = Epoch::new(entry.epoch);
        if schedule.last().is_some_and(|last| last.epoch >= epoch) {
            return Err(at("epoch")(NetworkError::BlobOrder { epoch }));
        }
        schedule.push(BlobParameters { epoch, max_blobs: entry.max_blobs });
    }
    Ok(schedule)
}

/// A schedule must have room for all forks that saldo can read.
const _: () = assert!(Fork::ALL.len() <= MAX_SCHEDULE);
