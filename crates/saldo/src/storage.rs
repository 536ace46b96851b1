//! Where a client keeps what it must not forget over a restart.

mod memory;
#[cfg(feature = "redb")]
mod redb;
mod shared;

use std::fmt;
use std::io;

use alloy_primitives::B256;
use saldo_beacon::SnapshotError;
use saldo_beacon::unit::UnixTime;
use saldo_chain::StoredAnchorError;
use saldo_proof::ProofError;
use saldo_reading::{Holding, Why};
use saldo_source::{BoxedFuture, MaybeSend, MaybeSync};
use sha2::{Digest, Sha256};

pub(crate) use shared::SharedStorage;

pub use memory::MemoryStorage;
#[cfg(feature = "redb")]
pub use redb::RedbStorage;

/// Bytes under names, with a version, kept in the app's private storage. Names that saldo does not know are not changed.
///
/// What is in it is as trusted as a checkpoint: software that can write there can have the wallet show any amount after a
/// restart, and any further one with a committee of its own. A [`StorageKey`] closes that.
///
/// Several clients may share one storage, as the tabs of a browser do: each write names the version that it builds on, and
/// a client whose write is refused reads again, merges and writes anew.
///
/// A client calls it while it is built, and at the end of a read that proved something new, or took a proof at the head of a rollup. A call of the client waits for
/// it until its own deadline and no longer; the next call goes on waiting. One client calls it for one thing at a time.
pub trait Storage: MaybeSend + MaybeSync {
    /// Reads everything that is kept, as it was at one moment, in any order, with the version of that moment.
    ///
    /// [`ClientBuilder::build`] polls the future once: what is ready by then is there when `build` returns. Otherwise the
    /// first call that awaits goes on with it.
    ///
    /// # Errors
    /// [`StorageError`]; the client then goes on as if nothing were kept, says so in [`Client::storage_faults`], writes
    /// nothing, and tries again with the next reading.
    ///
    /// [`Client::storage_faults`]: crate::Client::storage_faults
    /// [`ClientBuilder::build`]: crate::ClientBuilder::build
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>>;

    /// Writes all of `changes` if the version is still `expected`, or else nothing of it, also if the device loses power
    /// meanwhile. Durable when the future completes; gives the version after it.
    ///
    /// Starts the work when it is called, if the platform allows that: the app may stop polling at any time.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if the version is another; the client then reads again, merges, and tries again. Any other
    /// [`StorageError`]: the client reads again with its next reading, to learn what is there, and then writes.
    fn apply(&self, changes: Vec<Write>, expected: Version)
    -> BoxedFuture<'_, Result<Version, StorageError>>;

    /// Whether [`Storage::apply`] always refuses: for a widget beside the app. The client then keeps nothing.
    fn is_read_only(&self) -> bool {
        false
    }
}

/// Counts the changes of one storage: after each write it is another than it ever was before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The version of a storage into which nothing was written yet.
    pub const FIRST: Self = Self(0);

    /// The version with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number, to be kept beside the entries.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version after one more write.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Names, and what is kept under each.
pub type Entries = Vec<(String, Vec<u8>)>;

/// One change of what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The name, of printable ASCII, at most 224 bytes.
    pub name: String,
    /// What is kept under it from now on; `None`: nothing.
    pub value: Option<Vec<u8>>,
}

/// Why something cannot be read or written. The device's fault, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// It was opened for reading only. The caller's fault.
    #[error("the storage was opened for reading only")]
    ReadOnly,
    /// Another client, of this or another process, has it open for writing. The caller's fault: open it once and clone the
    /// client, or open it for reading only.
    #[error("the storage is open for writing elsewhere: open it once, or for reading only")]
    InUse,
    /// Another client wrote since the version that the write builds on. No fault: the client merges and tries again.
    #[error("another client wrote at the same time")]
    Conflict,
    /// The file is damaged, or no storage.
    #[error("the file is damaged, or not a storage")]
    Damaged,
    /// The path names a pipe, a socket or a device. The caller's fault.
    #[error("it is a pipe, a socket or a device, and not a regular file")]
    NotAFile,
    /// The system refused.
    #[error("the system refused: {kind}")]
    Io {
        /// The kind of failure.
        kind: io::ErrorKind,
    },
}

impl StorageError {
    /// Returns a stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::InUse => "in_use",
            Self::Conflict => "conflict",
            Self::Damaged => "damaged",
            Self::Io { .. } if self.is_full() => "full",
            Self::NotAFile | Self::Io { .. } => "io",
        }
    }

    /// Returns whether there is no room: the disk, the user's quota, or the largest size of a file. Freeing space helps.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Io { kind: StorageFull | QuotaExceeded | FileTooLarge })
    }
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind() }
    }
}

/// A secret of 32 bytes from the system's key store (Keychain, Keystore), under which everything that is kept gets an
/// HMAC-SHA-256. Software that can write the app's storage but does not have the key can then delete, or put back what was
/// there before, and nothing else.
///
/// What was kept without it, or under another one, is dropped.
#[derive(Clone)]
pub struct StorageKey([u8; 32]);

impl StorageKey {
    /// Takes the key: 32 bytes of the system's randomness, made once and kept there.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of one of several networks in one storage: what is kept of one is nothing under the name of another.
    pub(crate) fn of_network(&self, chain_id: u64) -> Self {
        let digest = Sha256::new().chain_update(self.0).chain_update(chain_id.to_be_bytes());
        Self(digest.finalize().into())
    }
}

/// Never shows the key.
impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageKey(..)")
    }
}

/// Why a whole storage is refused, so that nothing of it is read and nothing overwritten. The caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageRefusal {
    /// It was written by a later version of saldo, in which the same bytes may mean something else.
    #[error(
        "the storage has format {got}, this version of saldo reads up to {known}: update saldo, or give it another place"
    )]
    NewerFormat {
        /// The format found.
        got: u16,
        /// The latest format this version knows.
        known: u16,
    },
    /// It was written by an earlier version of saldo, whose format is not read any more.
    #[error(
        "the storage has format {got}, which this version of saldo does not read any more: delete it; all that is in it can be \
         proven again"
    )]
    OlderFormat {
        /// The format found.
        got: u16,
        /// The format that this version reads.
        known: u16,
    },
    /// It belongs to another network: each needs its own place.
    #[error(
        "the storage is of chain {got}, this client reads chain {expected}: give each chain a place of its own"
    )]
    OtherNetwork {
        /// Its chain id.
        got: u64,
        /// The chain id of the client's network.
        expected: u64,
    },
    /// It belongs to another chain that has the same chain id: often a development chain that was started anew.
    #[error(
        "the storage belongs to another chain with the same chain id {chain_id} (its {field} differs; its genesis was \
         {genesis}): a development chain that was started anew is another chain; give it a place of its own or delete the \
         old one"
    )]
    OtherChain {
        /// The chain id of both.
        chain_id: u64,
        /// The first field of the table that differs, as in the network file.
        field: &'static str,
        /// When the other chain began.
        genesis: UnixTime,
    },
}

/// Something that was kept and had to be dropped, or that could not be written. The rest is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageFault {
    /// Nothing could be read.
    #[error("nothing could be read: {0}")]
    Unreadable(StorageError),
    /// Something could not be written. This client still knows it, and writes it with the next reading.
    #[error("what was learned could not be written: {0}")]
    Unwritten(StorageError),
    /// It could be read only after the client was built, and then it was refused. Nothing of it was changed.
    #[error(transparent)]
    Refused(StorageRefusal),
    /// Everything was dropped: its first record changed since it was written, or it is under another [`StorageKey`] or none.
    #[error("everything that was kept is damaged, or under another key")]
    AllDropped,
    /// It changed since it was written, or was put under another name.
    #[error("something that was kept is damaged")]
    Damaged,
    /// The light client does not pass its checks, or is too old to go on from. Trust starts as if there were none.
    #[error("the light client was dropped: {0}")]
    LightClient(SnapshotError),
    /// A block does not pass its checks; the readings at it are dropped with it.
    #[error("a block was dropped: {0}")]
    Block(StoredAnchorError),
    /// The proof of a reading does not verify under its block, or a proof that waits for L1 does not under its own header.
    #[error("a reading was dropped: {error}")]
    Reading {
        /// What was read.
        holding: Holding,
        /// Why it does not verify.
        error: ProofError,
    },
    /// The proofs of a token give no balance, for example because this version has smaller bounds for running its code.
    #[error("a reading was dropped: {why}")]
    NoBalance {
        /// What was read.
        holding: Holding,
        /// Why there is no balance.
        why: Why,
    },
    /// The block of a reading is missing.
    #[error("a reading was dropped: its block {block} is not there")]
    BlockMissing {
        /// What was read.
        holding: Holding,
        /// The block's hash.
        block: B256,
    },
}
