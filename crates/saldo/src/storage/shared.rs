//! One storage for the networks of one client. Each has its own names in it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use saldo_source::{BoxedFuture, IntoBoxed};

use super::{Entries, Storage, StorageError, Version, Write};

/// The most versions that are remembered. A network that saw none of them reads again.
const MOST_VERSIONS: usize = 64;

/// A storage that several networks share.
pub(crate) struct SharedStorage {
    storage: Arc<dyn Storage>,
    /// Held while the storage does something: one client calls it for one thing at a time.
    turn: futures_util::lock::Mutex<()>,
    /// The latest versions. Each came of the one before by a write of one of these networks.
    versions: Mutex<Vec<Version>>,
}

impl SharedStorage {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Arc<Self> {
        Arc::new(Self { storage, turn: Default::default(), versions: Mutex::default() })
    }

    /// The part of the first network. It has the names that it has where it is the only one.
    pub(crate) fn first(self: &Arc<Self>) -> Arc<dyn Storage> {
        Arc::new(Part { shared: Arc::clone(self), prefix: String::new() })
    }

    /// The part of a further network, the one with this chain id.
    pub(crate) fn part(self: &Arc<Self>, chain_id: u64) -> Arc<dyn Storage> {
        Arc::new(Part { shared: Arc::clone(self), prefix: format!("{OF_NETWORK}{chain_id}/") })
    }

    fn versions(&self) -> MutexGuard<'_, Vec<Version>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that a write builds on which expects `expected`. The other networks' writes since then change nothing of it.
    fn newest_of(&self, expected: Version) -> Version {
        let versions = self.versions();
        let newest = versions.last().filter(|_| versions.contains(&expected));
        newest.copied().unwrap_or(expected)
    }

    fn note_read(&self, version: Version) {
        let mut versions = self.versions();
        if versions.last() != Some(&version) {
            *versions = vec![version];
        }
    }

    fn note_write(&self, before: Version, after: Version) {
        let mut versions = self.versions();
        // Another client may have written since, and this network read that.
        if versions.last() == Some(&before) {
            versions.push(after);
            if versions.len() > MOST_VERSIONS {
                versions.remove(0);
            }
        }
    }
}

type MutexGuardOfTurn<'a> = futures_util::lock::MutexGuard<'a, ()>;

/// Begins the names of all networks but the first.
const OF_NETWORK: &str = "network/";

/// The part of one network.
struct Part {
    shared: Arc<SharedStorage>,
    prefix: String,
}

impl Part {
    /// The name as this network knows it; `None` if it is another network's.
    fn own_name(&self, name: &str) -> Option<String> {
        let own = name.strip_prefix(&*self.prefix)?;
        (!own.starts_with(OF_NETWORK)).then(|| own.to_owned())
    }

    fn finish(
        &self,
        written: Result<Version, StorageError>,
        before: Version,
        _turn: MutexGuardOfTurn<'_>,
    ) -> Result<Version, StorageError> {
        let after = written?;
        self.shared.note_write(before, after);
        Ok(after)
    }
}

impl Storage for Part {
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
        let read = async move {
            let _turn = self.shared.turn.lock().await;
            let (entries, version) = self.shared.storage.load().await?;
            self.shared.note_read(version);
            let own = |(name, value): (String, _)| Some((self.own_name(&name)?, value));
            Ok((entries.into_iter().filter_map(own).collect(), version))
        };
        read.into_boxed()
    }

    fn apply(
        &self,
        changes: Vec<Write>,
        expected: Version,
    ) -> BoxedFuture<'_, Result<Version, StorageError>> {
        let named = |Write { name, value }| Write { name: format!("{}{name}", self.prefix), value };
        let changes = changes.into_iter().map(named).collect();
        // The work starts when it is called, unless another network's is under way.
        match self.shared.turn.try_lock() {
            Some(turn) => {
                let before = self.shared.newest_of(expected);
                let written = self.shared.storage.apply(changes, before);
                async move { self.finish(written.await, before, turn) }.into_boxed()
            }
            None => {
                let written = async move {
                    let turn = self.shared.turn.lock().await;
                    let before = self.shared.newest_of(expected);
                    self.finish(self.shared.storage.apply(changes, before).await, before, turn)
                };
                written.into_boxed()
            }
        }
    }

    fn is_read_only(&self) -> bool {
        self.shared.storage.is_read_only()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::storage::MemoryStorage;

    fn now<T>(future: BoxedFuture<'_, T>) -> T {
        future.now_or_never().expect("memory is ready at once")
    }

    fn write(name: &str, value: u8) -> Vec<Write> {
        vec![Write { name: name.to_owned(), value: Some(vec![value]) }]
    }

    #[test]
    fn each_network_has_its_own_names() {
        let storage = MemoryStorage::new();
        let shared = SharedStorage::new(Arc::new(storage.clone()));
        let parts = [shared.first(), shared.part(100), shared.part(10)];
        for (part, value) in parts.iter().zip(1..) {
            let (entries, version) = now(part.load()).unwrap();
            assert_eq!(entries, []);
            now(part.apply(write("light-client", value), version)).unwrap();
        }
        for (part, value) in parts.iter().zip(1..) {
            assert_eq!(now(part.load()).unwrap().0, [("light-client".to_owned(), vec![value])]);
        }
        let names: Vec<String> = now(storage.load()).unwrap().0.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["light-client", "network/10/light-client", "network/100/light-client"]);
        // A network that was alone goes on as the first one.
        let alone = now(storage.load()).unwrap().0.into_iter().find(|(name, _)| name == "light-client");
        assert_eq!(alone.unwrap().1, [1]);
    }

    #[test]
    fn a_write_of_another_network_is_no_conflict_and_one_of_another_client_is() {
        let storage = MemoryStorage::new();
        let shared = SharedStorage::new(Arc::new(storage.clone()));
        let (one, other) = (shared.first(), shared.part(100));
        let (version, of_other) = (now(one.load()).unwrap().1, now(other.load()).unwrap().1);
        let of_one = now(one.apply(write("a", 1), version)).unwrap();
        let of_other = now(other.apply(write("a", 2), of_other)).unwrap();
        let of_one = now(one.apply(write("b", 3), of_one)).unwrap();
        // Another client of the same storage.
        let elsewhere = now(storage.load()).unwrap().1;
        now(storage.apply(write("b", 4), elsewhere)).unwrap();
        assert_eq!(now(one.apply(write("c", 5), of_one)), Err(StorageError::Conflict));
        assert_eq!(now(other.apply(write("c", 5), of_other)), Err(StorageError::Conflict));
        // It reads again, and the other network, which has not, is still refused.
        let of_one = now(one.load()).unwrap().1;
        assert_eq!(now(other.apply(write("c", 5), of_other)), Err(StorageError::Conflict));
        let of_one = now(one.apply(write("c", 5), of_one)).unwrap();
        let of_other = now(other.load()).unwrap().1;
        assert_eq!(of_other, of_one);
        now(other.apply(write("c", 6), of_other)).unwrap();
    }

    #[test]
    fn a_network_that_waits_for_long_reads_again() {
        let shared = SharedStorage::new(Arc::new(MemoryStorage::new()));
        let (one, other) = (shared.first(), shared.part(100));
        let (mut version, of_other) = (now(one.load()).unwrap().1, now(other.load()).unwrap().1);
        for _ in 0..2 * MOST_VERSIONS {
            version = now(one.apply(write("a", 1), version)).unwrap();
        }
        assert_eq!(now(other.apply(write("a", 2), of_other)), Err(StorageError::Conflict));
    }
}
