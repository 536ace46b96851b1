//! Storage that lasts as long as the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Storage, StorageError, Write};

/// Keeps everything in memory, for as long as a clone of it is there: for tests, and for a client that is built anew
/// within one process.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    kept: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl MemoryStorage {
    /// Storage in which nothing is kept yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Storage for MemoryStorage {
    fn all(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    fn apply(&self, batch: &[Write]) -> Result<(), StorageError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for Write { name, value } in batch {
            match value {
                Some(value) => kept.insert(name.clone(), value.clone()),
                None => kept.remove(name),
            };
        }
        Ok(())
    }
}
