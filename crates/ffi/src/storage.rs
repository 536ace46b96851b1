//! Storage by the app.

use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use saldo::{BoxedFuture, Entries, StorageError, Version, Write};

use crate::clock::Timer;
use crate::http::first_line;
use crate::maybe_send::Shared;
use crate::number::narrow;

/// Keeps bytes under names for saldo, with a version, in the app's private storage.
#[uniffi::export(with_foreign)]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
pub trait Storage: Shared {
    /// Reads everything that is kept, as it was at one moment, with the version of that moment. A new storage has version 0.
    async fn load(&self) -> Result<StorageSnapshot, StorageFailure>;

    /// Writes all of `changes` if the version is still `expected_version`, or else nothing of it and throws `Conflict`. Durable
    /// when it returns. It must not stop in the middle when its task or coroutine is cancelled.
    ///
    /// Returns the version after the write, and what was written ([`StorageAck`]).
    async fn apply(
        &self,
        changes: Vec<StorageChange>,
        expected_version: u64,
    ) -> Result<StorageAck, StorageFailure>;
}

/// Everything that is kept.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StorageSnapshot {
    /// The entries, in any order.
    pub entries: Vec<StorageEntry>,
    /// The version; 0 for a storage into which nothing was written yet.
    pub version: u64,
}

/// Bytes under a name.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StorageEntry {
    /// The name, of printable ASCII, at most 224 bytes.
    pub name: String,
    /// The bytes.
    pub value: Vec<u8>,
}

/// One change of what is kept.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StorageChange {
    /// The name.
    pub name: String,
    /// What is kept under it from now on; none: the entry is removed.
    pub value: Option<Vec<u8>>,
}

/// What a storage has written, counted from what it wrote and not from what it was given. saldo compares it, so that a lost write
/// is noticed in every language.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StorageAck {
    /// The version after the write: another than it ever was before. It must not be 0.
    pub version: u64,
    /// The number of changes, removals included.
    pub written: u32,
    /// The sum of all bytes of the names (UTF-8) and the values, modulo 2³².
    pub checksum: u32,
}

/// Why the storage cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum StorageFailure {
    /// Another client wrote since `expected_version`. saldo reads again, merges and tries again.
    #[error("another client wrote at the same time")]
    Conflict,
    /// It must not be written.
    #[error("the storage is read-only")]
    ReadOnly,
    /// Another process has it open for writing.
    #[error("the storage is in use")]
    InUse,
    /// It is damaged, or no storage.
    #[error("the storage is damaged")]
    Damaged,
    /// There is no room.
    #[error("there is no room")]
    Full,
    /// Anything else, also whatever an implementation throws without naming it.
    #[error("unexpected: {detail}")]
    Unexpected {
        /// What happened, in one line. saldo does not show it.
        detail: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for StorageFailure {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unexpected { detail: first_line(&error.reason) }
    }
}

impl From<StorageFailure> for StorageError {
    fn from(failure: StorageFailure) -> Self {
        match failure {
            StorageFailure::Conflict => Self::Conflict,
            StorageFailure::ReadOnly => Self::ReadOnly,
            StorageFailure::InUse => Self::InUse,
            StorageFailure::Damaged => Self::Damaged,
            StorageFailure::Full => Self::Io { kind: ErrorKind::StorageFull },
            StorageFailure::Unexpected { .. } => Self::Io { kind: ErrorKind::Other },
        }
    }
}

impl StorageAck {
    /// Returns the acknowledgement of a storage that has written all of `changes` and then has `version`.
    pub fn of(changes: &[StorageChange], version: u64) -> Self {
        let bytes = changes
            .iter()
            .flat_map(|change| change.name.bytes().chain(change.value.iter().flatten().copied()));
        let checksum = bytes.fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(byte)));
        Self { version, written: narrow(changes.len()), checksum }
    }
}

/// The app's storage, as saldo calls it.
pub(crate) struct ForeignStorage {
    inner: Arc<dyn Storage>,
    timer: Timer,
    is_read_only: bool,
}

impl ForeignStorage {
    /// How long the app's storage may take for one call.
    const DEADLINE: Duration = Duration::from_secs(10);
    /// The most bytes that are read. saldo keeps far less.
    const MAX_BYTES: usize = 64 << 20;

    pub(crate) fn new(inner: Arc<dyn Storage>, timer: Timer, is_read_only: bool) -> Self {
        Self { inner, timer, is_read_only }
    }

    /// Waits for `answer`, at most until the deadline. A panic is only a failed call.
    async fn ask<T>(
        timer: &Timer,
        answer: impl Future<Output = Result<T, StorageFailure>> + crate::maybe_send::MaybeSend,
    ) -> Result<T, StorageError> {
        match timer.within(Self::DEADLINE, AssertUnwindSafe(answer).catch_unwind()).await {
            None => Err(StorageError::Io { kind: ErrorKind::TimedOut }),
            Some(Err(_)) => Err(StorageError::Io { kind: ErrorKind::Other }),
            Some(Ok(answer)) => Ok(answer?),
        }
    }

    async fn read(inner: Arc<dyn Storage>, timer: Timer) -> Result<(Entries, Version), StorageError> {
        let snapshot = Self::ask(&timer, inner.load()).await?;
        let size = |entry: &StorageEntry| entry.name.len().saturating_add(entry.value.len());
        let bytes = snapshot.entries.iter().map(size).fold(0_usize, usize::saturating_add);
        if bytes > Self::MAX_BYTES {
            return Err(StorageError::Damaged);
        }
        let entries = snapshot.entries.into_iter().map(|entry| (entry.name, entry.value)).collect();
        Ok((entries, Version::new(snapshot.version)))
    }

    async fn write(
        inner: Arc<dyn Storage>,
        timer: Timer,
        changes: Vec<Write>,
        expected: Version,
    ) -> Result<Version, StorageError> {
        let changes: Vec<StorageChange> =
            changes.into_iter().map(|Write { name, value }| StorageChange { name, value }).collect();
        let right = StorageAck::of(&changes, 0);
        let told = Self::ask(&timer, inner.apply(changes, expected.get())).await?;
        let is_whole = (told.written, told.checksum) == (right.written, right.checksum);
        let is_new = told.version != expected.get() && told.version != Version::FIRST.get();
        if is_whole && is_new {
            Ok(Version::new(told.version))
        } else {
            // It is not known what was written: saldo reads everything again.
            Err(StorageError::Io { kind: ErrorKind::InvalidData })
        }
    }
}

impl saldo::Storage for ForeignStorage {
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
        self.timer.detached(Self::read(Arc::clone(&self.inner), self.timer.clone()))
    }

    fn apply(
        &self,
        changes: Vec<Write>,
        expected: Version,
    ) -> BoxedFuture<'_, Result<Version, StorageError>> {
        let write = Self::write(Arc::clone(&self.inner), self.timer.clone(), changes, expected);
        self.timer.detached(write)
    }

    fn is_read_only(&self) -> bool {
        self.is_read_only
    }
}
