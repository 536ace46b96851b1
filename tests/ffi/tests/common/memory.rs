//! A storage in memory with a switch: it works, or misbehaves.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use saldo_ffi::{Storage, StorageAck, StorageChange, StorageEntry, StorageFailure, StorageSnapshot};

/// A storage in memory, which outlives clients.
#[derive(Default)]
pub struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    does: String,
    version: u64,
    entries: BTreeMap<String, Vec<u8>>,
    writes: usize,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it does `what`, as the step `storage` of the table names it.
    pub fn set(&self, what: &str) {
        what.clone_into(&mut self.state().does);
    }

    /// The writes that it was asked for.
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    /// Everything that it keeps.
    pub fn entries(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().entries.clone()
    }

    /// Writes as another client would.
    pub fn overtake(&self) {
        self.state().version += 1;
    }
}

#[async_trait::async_trait]
impl Storage for Memory {
    async fn load(&self) -> Result<StorageSnapshot, StorageFailure> {
        let does = self.state().does.clone();
        match does.as_str() {
            "load_hangs" => std::future::pending().await,
            "load_panics" => panic!("a storage that panics"),
            "load_throws" => {
                return Err(StorageFailure::Unexpected { detail: "nothing can be read".to_owned() });
            }
            "load_floods" => {
                let entry = StorageEntry { name: "x".to_owned(), value: vec![0; 65 << 20] };
                return Ok(StorageSnapshot { entries: vec![entry], version: 1 });
            }
            _ => {}
        }
        let state = self.state();
        let entry =
            |(name, value): (&String, &Vec<u8>)| StorageEntry { name: name.clone(), value: value.clone() };
        Ok(StorageSnapshot { entries: state.entries.iter().map(entry).collect(), version: state.version })
    }

    async fn apply(
        &self,
        changes: Vec<StorageChange>,
        expected_version: u64,
    ) -> Result<StorageAck, StorageFailure> {
        let does = self.state().does.clone();
        self.state().writes += 1;
        match does.as_str() {
            "throws" => {
                return Err(StorageFailure::Unexpected { detail: "something without a name".to_owned() });
            }
            "full" => return Err(StorageFailure::Full),
            "loses" => return Ok(StorageAck { version: expected_version + 1, written: 0, checksum: 0 }),
            "lies_about_a_byte" => {
                let right = StorageAck::of(&changes, expected_version + 1);
                return Ok(StorageAck { checksum: right.checksum.wrapping_add(1), ..right });
            }
            "keeps_its_version" => return Ok(StorageAck::of(&changes, expected_version)),
            "hangs" => std::future::pending().await,
            "panics" => panic!("a storage that panics"),
            _ => {}
        }
        let mut state = self.state();
        if state.version != expected_version {
            return Err(StorageFailure::Conflict);
        }
        for change in &changes {
            match &change.value {
                Some(value) => drop(state.entries.insert(change.name.clone(), value.clone())),
                None => drop(state.entries.remove(&change.name)),
            }
        }
        state.version += 1;
        Ok(StorageAck::of(&changes, state.version))
    }
}
