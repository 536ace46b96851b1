//! Storage in a file of this device.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ::redb::backends::InMemoryBackend;
use ::redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, Error, ReadOnlyDatabase, ReadTransaction,
    ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError,
};

use super::{Storage, StorageError, Write};

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("saldo");
/// Bytes of the file that are held in memory.
const CACHE: usize = 1 << 20;
/// The most bytes of a file into which nothing was written yet.
const BLANK: u64 = 1 << 21;

/// Keeps everything in one file, by [redb](https://docs.rs/redb): a commit is there in full or not at all, also after a
/// loss of power.
///
/// One client writes, in one process; any number of others, as of a widget, may read at the same time
/// ([`RedbStorage::read_only`]). The file belongs into the app's private folder, one for each network; on Unix only its owner
/// may read it.
///
/// A damaged file can bring redb to panic. That is caught and told as [`StorageError::Damaged`], unless the app is built with
/// `panic = "abort"`.
#[derive(Debug)]
pub struct RedbStorage {
    file: File,
}

enum File {
    /// Closed after the system refused something: it is opened again with the next write.
    Writable {
        path: PathBuf,
        database: Mutex<Option<Database>>,
    },
    ReadOnly(ReadOnlyDatabase),
    /// As it was when it was opened.
    Copy(Database),
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Writable { .. } => "Writable",
            Self::ReadOnly(_) => "ReadOnly",
            Self::Copy(_) => "Copy",
        })
    }
}

impl RedbStorage {
    /// Opens the file at `path` for reading and writing, and makes it if it is not there.
    ///
    /// Every page is checked, so that a damaged file is found out here.
    ///
    /// # Errors
    /// [`StorageError::InUse`] if it is open for writing already, [`StorageError::Damaged`] if it is no such file any more:
    /// delete it then, nothing in it is lost that cannot be proven again.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref().to_owned();
        let database = Mutex::new(Some(writable(&path)?));
        Ok(Self { file: File::Writable { path, database } })
    }

    /// Opens the file at `path` for reading only, while the app may be writing it. Where the app was killed and has not been
    /// started since, it is the state after the last write.
    ///
    /// # Errors
    /// [`StorageError::Io`] with `NotFound` if it is not there yet; [`StorageError::Damaged`] if it is no such file any more.
    pub fn read_only(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref();
        let opened = guarded(|| match builder().open_read_only(path) {
            Ok(database) => Ok(Some(database)),
            Err(DatabaseError::RepairAborted) => Ok(None),
            Err(error) => Err(error.into()),
        })?;
        if let Some(database) = opened {
            return Ok(Self { file: File::ReadOnly(database) });
        }
        // Its writer did not close it: what has to be mended is mended in memory.
        let bytes = std::fs::read(path)?;
        let copied = guarded(|| {
            let backend = InMemoryBackend::new();
            backend.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).map_err(Error::from)?;
            backend.write(0, &bytes).map_err(Error::from)?;
            let mut builder = Builder::new();
            let builder = builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
            Ok(builder.create_with_backend(backend)?)
        });
        Ok(Self { file: File::Copy(copied?) })
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

fn writable(path: &Path) -> Result<Database, StorageError> {
    let open = || guarded(|| Ok(builder().set_check_integrity_on_open(true).create(path)?));
    private(path)?;
    match open() {
        // Power was lost before anything was ever written.
        Err(StorageError::Damaged) if is_blank(path) => {
            std::fs::OpenOptions::new().write(true).open(path)?.set_len(0)?;
            open()
        }
        opened => opened,
    }
}

/// Makes the file so that nobody else can read it, if it is not there.
fn private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Whether a file was made and nothing written into it: it holds zeros, and not many.
fn is_blank(path: &Path) -> bool {
    let is_small = std::fs::metadata(path).is_ok_and(|file| file.len() <= BLANK);
    is_small && std::fs::read(path).is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0))
}

fn guarded<T>(access: impl FnOnce() -> Result<T, Error>) -> Result<T, StorageError> {
    catch_unwind(AssertUnwindSafe(access))
        .map_err(|_| StorageError::Damaged)?
        .map_err(|error| refusal(&error))
}

fn refusal(error: &Error) -> StorageError {
    match error {
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => StorageError::InUse,
        // What is no redb file at all is told by this kind.
        Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => {
            StorageError::Io { kind: error.kind() }
        }
        Error::PreviousIo => StorageError::Io { kind: io::ErrorKind::Other },
        _ => StorageError::Damaged,
    }
}

fn all(read: &ReadTransaction) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let table = match read.open_table(TABLE) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut all = Vec::new();
    for entry in table.iter()? {
        let (name, value) = entry?;
        all.push((name.value().to_owned(), value.value().to_vec()));
    }
    Ok(all)
}

fn apply(database: &Database, batch: &[Write]) -> Result<(), Error> {
    let write = database.begin_write()?;
    {
        let mut table = write.open_table(TABLE)?;
        for Write { name, value } in batch {
            match value {
                Some(value) => table.insert(name.as_str(), value.as_slice())?,
                None => table.remove(name.as_str())?,
            };
        }
    }
    write.commit()?;
    Ok(())
}

impl RedbStorage {
    /// Does something with the database of `path`, opened again if it had to be closed.
    fn with<T>(
        path: &Path,
        database: &Mutex<Option<Database>>,
        access: impl FnOnce(&Database) -> Result<T, Error>,
    ) -> Result<T, StorageError> {
        let mut held = database.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match held.take() {
            Some(open) => open,
            None => writable(path)?,
        };
        let done = guarded(|| access(&open));
        if !matches!(done, Err(StorageError::Io { .. })) {
            *held = Some(open);
        }
        done
    }
}

impl Storage for RedbStorage {
    fn all(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        match &self.file {
            File::Writable { path, database } => Self::with(path, database, |open| all(&open.begin_read()?)),
            File::ReadOnly(database) => guarded(|| all(&database.begin_read()?)),
            File::Copy(database) => guarded(|| all(&database.begin_read()?)),
        }
    }

    fn apply(&self, batch: &[Write]) -> Result<(), StorageError> {
        let File::Writable { path, database } = &self.file else { return Err(StorageError::ReadOnly) };
        Self::with(path, database, |open| apply(open, batch))
    }

    fn is_read_only(&self) -> bool {
        !matches!(self.file, File::Writable { .. })
    }
}

#[cfg(test)]
#[path = "redb_tests.rs"]
mod tests;
