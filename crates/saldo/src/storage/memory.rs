//! Storage that lasts as long as the process.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use saldo_source::BoxedFuture;

use super::{Entries, Storage, StorageError, Version, Write};

/// Keeps everything in memory, for as long as a clone of it exists: for tests, and for a client that is built again within
/// one process. Several clients may share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    version: Version,
    entries: BTreeMap<String, Vec<u8>>,
}

impl MemoryStorage {
    /// Makes an empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
        let kept = self.kept();
        let entries = kept.entries.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Box::pin(ready(Ok((entries, kept.version))))
    }

    fn apply(
        &self,
        changes: Vec<Write>,
        expected: Version,
    ) -> BoxedFuture<'_, Result<Version, StorageError>> {
        let mut kept = self.kept();
        if kept.version != expected {
            return Box::pin(ready(Err(StorageError::Conflict)));
        }
        for Write { name, value } in changes {
            match value {
                Some(value) => kept.entries.insert(name, value),
                None => kept.entries.remove(&name),
            };
        }
        kept.version = kept.version.next();
        Box::pin(ready(Ok(kept.version)))
    }
}
