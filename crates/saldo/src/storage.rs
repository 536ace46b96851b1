//! Where a client keeps what it must not forget over a restart.

mod memory;
#[cfg(feature = "redb")]
mod redb;

use std::fmt;
use std::io;

use alloy_primitives::B256;
use saldo_beacon::SnapshotError;
use saldo_beacon::unit::UnixTime;
use saldo_chain::StoredAnchorError;
use saldo_proof::ProofError;
use saldo_reading::Holding;

pub use memory::MemoryStorage;
#[cfg(feature = "redb")]
pub use redb::RedbStorage;

/// Bytes under names, kept in the app's private storage, for one client that writes. Names that saldo does not know are left
/// alone.
///
/// What is in it is as trusted as a checkpoint: whoever can write there can have the wallet show what he likes after a
/// restart, and with a committee of his own go on with it. A [`StorageKey`] closes that.
///
/// A client calls it while it is built, and at the end of a read that proved something new; readings do not wait for it,
/// but the next write does. Both calls should take milliseconds.
pub trait Storage: Send + Sync {
    /// Everything that is kept, as it was at one moment, in any order.
    ///
    /// # Errors
    /// [`StorageError`]; the client then goes on as if nothing were kept, and says so in [`Client::storage_faults`].
    ///
    /// [`Client::storage_faults`]: crate::Client::storage_faults
    fn all(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError>;

    /// Writes all of `batch` or nothing of it, also if the device loses power meanwhile. Durable when it returns.
    ///
    /// # Errors
    /// [`StorageError`]; nothing is written then. The client tries again with its next reading.
    fn apply(&self, batch: &[Write]) -> Result<(), StorageError>;

    /// Whether [`Storage::apply`] always refuses: for a widget beside the app. The client then keeps nothing.
    fn is_read_only(&self) -> bool {
        false
    }
}

/// One change of what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The name, of printable ASCII, at most 160 bytes.
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
    /// The file is damaged, or no storage.
    #[error("the file is damaged, or not a storage")]
    Damaged,
    /// The system refused.
    #[error("the system refused: {kind}")]
    Io {
        /// How.
        kind: io::ErrorKind,
    },
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind() }
    }
}

/// A secret of 32 bytes from the system's key store (Keychain, Keystore), under which everything that is kept gets an
/// HMAC-SHA-256. Whoever can write the app's storage but does not have it can then delete, or put back what was there
/// before, and nothing else.
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
    /// It was written by a later version of saldo, which may mean something else by the same bytes.
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
        "the storage belongs to another chain with the same chain id {chain_id} (its {field} differs; its genesis was {} \
         seconds after 1970): a development chain that was started anew is another chain; give it a place of its own or \
         delete the old one",
        genesis.as_secs()
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

/// Something that was kept and had to be dropped, or could not be kept. The rest goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageFault {
    /// Nothing could be read.
    #[error("nothing could be read: {0}")]
    Unreadable(StorageError),
    /// Something could not be written. It is known to this client, and written with the next reading.
    #[error("what was learned could not be written: {0}")]
    Unwritten(StorageError),
    /// It could be read only after the client was opened, and then turned out to be another's. Nothing of it was changed.
    #[error(transparent)]
    Refused(StorageRefusal),
    /// Everything was dropped: its first record changed since it was written, or it is under another [`StorageKey`] or none.
    #[error("everything that was kept is damaged, or under another key")]
    AllDropped,
    /// Changed since it was written, or put under another name.
    #[error("something that was kept is damaged")]
    Damaged,
    /// The light client does not hold, or is too old to go on from. Trust starts again as if it were new.
    #[error("the light client was dropped: {0}")]
    LightClient(SnapshotError),
    /// A block does not hold, and the readings at it are dropped.
    #[error("a block was dropped: {0}")]
    Block(StoredAnchorError),
    /// The proof of a reading does not hold under its block.
    #[error("a reading was dropped: {error}")]
    Reading {
        /// Of what.
        holding: Holding,
        /// Why.
        error: ProofError,
    },
    /// The block of a reading is not kept.
    #[error("a reading was dropped: its block {block} is not there")]
    BlockMissing {
        /// Of what.
        holding: Holding,
        /// The block's hash.
        block: B256,
    },
}
