//! Storage in a file of this device.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::redb::{
    Builder, ConcurrencyMode, Database, ReadOnlyDatabase, ReadableDatabase, ReadableTable, TableDefinition,
    TableError,
};

use super::{Storage, StorageError, Write};

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("saldo");
/// Bytes of the file that are held in memory.
const CACHE: usize = 1 << 20;

/// Keeps everything in one file, by [redb](https://docs.rs/redb): a commit is there in full or not at all, also after a
/// loss of power.
///
/// One client writes, in one process; any number of others, as of a widget, may read at the same time
/// ([`RedbStorage::read_only`]). The file belongs into the app's private folder, one for each network.
#[derive(Debug)]
pub struct RedbStorage {
    file: File,
}

enum File {
    Writable(Database),
    ReadOnly(ReadOnlyDatabase),
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Writable(_)) { "Writable" } else { "ReadOnly" })
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
        guarded(|| {
            let database = builder().set_check_integrity_on_open(true).create(path)?;
            Ok(Self { file: File::Writable(database) })
        })
    }

    /// Opens the file at `path` for reading only, while the app may be writing it.
    ///
    /// # Errors
    /// [`StorageError::Io`] with `NotFound` if it is not there yet; [`StorageError::Damaged`] also where the app was killed
    /// while it wrote and has not been started since.
    pub fn read_only(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        guarded(|| Ok(Self { file: File::ReadOnly(builder().open_read_only(path)?) }))
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// A damaged file can bring redb to panic.
fn guarded<T>(access: impl FnOnce() -> Result<T, ::redb::Error>) -> Result<T, StorageError> {
    catch_unwind(AssertUnwindSafe(access))
        .map_err(|_| StorageError::Damaged)?
        .map_err(|error| refusal(&error))
}

fn refusal(error: &::redb::Error) -> StorageError {
    use ::redb::Error;
    match error {
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => StorageError::InUse,
        // What is no redb file at all is told by this kind.
        Error::Io(error) if error.kind() != std::io::ErrorKind::InvalidData => {
            StorageError::Io { kind: error.kind() }
        }
        _ => StorageError::Damaged,
    }
}

impl Storage for RedbStorage {
    fn all(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        guarded(|| {
            let read = match &self.file {
                File::Writable(database) => database.begin_read()?,
                File::ReadOnly(database) => database.begin_read()?,
            };
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
        })
    }

    fn apply(&self, batch: &[Write]) -> Result<(), StorageError> {
        let File::Writable(database) = &self.file else { return Err(StorageError::ReadOnly) };
        guarded(|| {
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
        })
    }

    fn is_read_only(&self) -> bool {
        matches!(self.file, File::ReadOnly(_))
    }
}

#[cfg(test)]
#[path = "redb_tests.rs"]
mod tests;
