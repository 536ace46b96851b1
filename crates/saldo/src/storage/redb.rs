//! Storage in a file of this device.

mod writer;

use std::fmt;
use std::future::ready;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::redb::backends::InMemoryBackend;
use ::redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, Error, ReadOnlyDatabase, ReadTransaction,
    ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError,
};

use saldo_source::BoxedFuture;

use super::{Entries, Storage, StorageError, Version, Write};
use writer::Writer;

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("saldo");
/// Has one row, which changes with each write.
const VERSION: TableDefinition<'_, &str, u64> = TableDefinition::new("saldo-version");
const VERSION_ROW: &str = "version";
/// Bytes of the file that are held in memory.
const CACHE: usize = 1 << 20;
/// The most bytes of a file into which nothing was written yet.
const BLANK: u64 = 1 << 21;

/// Keeps everything in one file, by [redb](https://docs.rs/redb): a commit is there in full or not at all, also after a
/// loss of power.
///
/// One process writes; any number of others, as of a widget, may read at the same time ([`RedbStorage::read_only`]). The file
/// belongs into the app's private folder, one for each network; on Unix only its owner may read it. Clones are the same
/// storage, and several clients may share it.
///
/// A storage that is opened for writing has a thread of its own, which waits for the disk, so that no task of the app does. A
/// write is handed over to it when [`Storage::apply`] is called, and is finished also if the future is dropped. When the last
/// clone is dropped, the thread finishes what it was given and ends; dropping waits for that.
///
/// A damaged file can make redb panic. The panic is caught and becomes [`StorageError::Damaged`], unless the app is built with
/// `panic = "abort"`.
#[derive(Clone, Debug)]
pub struct RedbStorage {
    file: Arc<File>,
}

enum File {
    Writable {
        database: Arc<Reopened>,
        writer: Writer,
    },
    ReadOnly(ReadOnlyDatabase),
    /// As it was when it was opened.
    Copy(Database),
}

/// A database that is closed after the system refused something, and opened again when it is needed.
struct Reopened {
    path: PathBuf,
    database: Mutex<Option<Arc<Database>>>,
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
    /// Opens the file at `path` for reading and writing, and makes it if it is missing. Starts the thread that writes it.
    ///
    /// Checks every page, so that a damaged file is found here.
    ///
    /// # Errors
    /// [`StorageError::InUse`] if it is open for writing already, [`StorageError::Damaged`] if it is not such a file any more:
    /// delete it then; all that was in it can be proven again.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref().to_owned();
        let database = writable(&path)?;
        Self::of(path, database)
    }

    fn of(path: PathBuf, database: Database) -> Result<Self, StorageError> {
        let database = Arc::new(Reopened { path, database: Mutex::new(Some(Arc::new(database))) });
        let file = Arc::clone(&database);
        let writer = Writer::start(move |changes, expected| file.apply(&changes, expected))?;
        Ok(Self { file: Arc::new(File::Writable { database, writer }) })
    }

    /// Opens the file at `path` for reading only, while the app may be writing it. Where the app was killed and has not been
    /// started since, it is the state after the last write.
    ///
    /// # Errors
    /// [`StorageError::Io`] with `NotFound` if it is not there yet; [`StorageError::Damaged`] if it is no such file any more.
    pub fn read_only(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref();
        regular(path)?;
        let opened = guarded(|| match builder().open_read_only(path) {
            Ok(database) => Ok(Some(database)),
            Err(DatabaseError::RepairAborted) => Ok(None),
            Err(error) => Err(error.into()),
        })?;
        if let Some(database) = opened {
            return Ok(Self { file: Arc::new(File::ReadOnly(database)) });
        }
        // Its writer did not close it: it is repaired in memory.
        let bytes = std::fs::read(path)?;
        let copied = guarded(|| {
            let backend = InMemoryBackend::new();
            backend.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).map_err(Error::from)?;
            backend.write(0, &bytes).map_err(Error::from)?;
            let mut builder = Builder::new();
            let builder = builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
            Ok(builder.create_with_backend(backend)?)
        });
        Ok(Self { file: Arc::new(File::Copy(copied?)) })
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

/// Makes the file if it is missing. Only its owner may read it, also if it was there before.
fn private(path: &Path) -> Result<(), StorageError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => take_from_others(path),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// Takes an existing file away from other users.
fn take_from_others(path: &Path) -> Result<(), StorageError> {
    let metadata = regular(path)?;
    // The system lets an administrator write such a file all the same; its owner did not mean that.
    if metadata.permissions().readonly() {
        return Err(StorageError::Io { kind: io::ErrorKind::PermissionDenied });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700))?;
        }
    }
    Ok(())
}

/// The metadata of a file that is neither a folder nor a device. To open a pipe would wait for its other end.
fn regular(path: &Path) -> Result<std::fs::Metadata, StorageError> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(StorageError::Io { kind: io::ErrorKind::IsADirectory });
    }
    if !metadata.is_file() {
        return Err(StorageError::NotAFile);
    }
    Ok(metadata)
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
        // redb uses this kind for a file that is no redb file.
        Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => {
            StorageError::Io { kind: error.kind() }
        }
        Error::PreviousIo => StorageError::Io { kind: io::ErrorKind::Other },
        _ => StorageError::Damaged,
    }
}

type Loaded = (Entries, Version);

fn load(read: &ReadTransaction) -> Result<Loaded, Error> {
    let version = match read.open_table(VERSION) {
        Ok(table) => table.get(VERSION_ROW)?.map_or(Version::FIRST, |row| Version::new(row.value())),
        Err(TableError::TableDoesNotExist(_)) => Version::FIRST,
        Err(error) => return Err(error.into()),
    };
    let table = match read.open_table(TABLE) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok((Vec::new(), version)),
        Err(error) => return Err(error.into()),
    };
    let mut entries = Entries::new();
    for entry in table.iter()? {
        let (name, value) = entry?;
        entries.push((name.value().to_owned(), value.value().to_vec()));
    }
    Ok((entries, version))
}

/// Gives the version after the write; `None` if the version before it was not `expected`.
fn apply(database: &Database, changes: &[Write], expected: Version) -> Result<Option<Version>, Error> {
    let write = database.begin_write()?;
    {
        let mut versions = write.open_table(VERSION)?;
        let version = versions.get(VERSION_ROW)?.map_or(Version::FIRST, |row| Version::new(row.value()));
        if version != expected {
            return Ok(None);
        }
        versions.insert(VERSION_ROW, version.next().get())?;
        let mut table = write.open_table(TABLE)?;
        for Write { name, value } in changes {
            match value {
                Some(value) => table.insert(name.as_str(), value.as_slice())?,
                None => table.remove(name.as_str())?,
            };
        }
    }
    write.commit()?;
    Ok(Some(expected.next()))
}

impl Reopened {
    fn load(&self) -> Result<Loaded, StorageError> {
        self.with(|open| load(&open.begin_read()?))
    }

    fn apply(&self, changes: &[Write], expected: Version) -> Result<Version, StorageError> {
        self.with(|open| apply(open, changes, expected))?.ok_or(StorageError::Conflict)
    }

    /// Does something with the database, without holding its lock: reading does not wait for a write.
    fn with<T>(&self, access: impl FnOnce(&Database) -> Result<T, Error>) -> Result<T, StorageError> {
        let open = self.open()?;
        let done = guarded(|| access(&open));
        if matches!(done, Err(StorageError::Io { .. })) {
            self.database.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        done
    }

    fn open(&self) -> Result<Arc<Database>, StorageError> {
        let mut held = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match held.take() {
            Some(open) => open,
            None => Arc::new(writable(&self.path)?),
        };
        *held = Some(Arc::clone(&open));
        Ok(open)
    }
}

impl Storage for RedbStorage {
    fn load(&self) -> BoxedFuture<'_, Result<Loaded, StorageError>> {
        let loaded = match &*self.file {
            File::Writable { database, .. } => database.load(),
            File::ReadOnly(database) => guarded(|| load(&database.begin_read()?)),
            File::Copy(database) => guarded(|| load(&database.begin_read()?)),
        };
        Box::pin(ready(loaded))
    }

    fn apply(
        &self,
        changes: Vec<Write>,
        expected: Version,
    ) -> BoxedFuture<'_, Result<Version, StorageError>> {
        match &*self.file {
            File::Writable { writer, .. } => Box::pin(writer.write(changes, expected)),
            File::ReadOnly(_) | File::Copy(_) => Box::pin(ready(Err(StorageError::ReadOnly))),
        }
    }

    fn is_read_only(&self) -> bool {
        !matches!(*self.file, File::Writable { .. })
    }
}

#[cfg(test)]
#[path = "redb_tests.rs"]
mod tests;
