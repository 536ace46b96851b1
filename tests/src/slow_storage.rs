//! Storage that takes time, in virtual time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use saldo::{BoxedFuture, Clock, Entries, MemoryStorage, Storage, StorageError, Version, Write};
use saldo_drill::simulate::VirtualClock;

/// A storage that takes time to read and to write. Nothing happens while its futures are not polled.
#[derive(Clone)]
pub struct SlowStorage {
    /// What it writes to.
    pub inner: MemoryStorage,
    clock: VirtualClock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    load_takes: Duration,
    write_takes: Duration,
    fails: Option<StorageError>,
    loads: usize,
    writes: Vec<Vec<Write>>,
}

impl SlowStorage {
    /// A storage that is ready at once, until it is told otherwise.
    pub fn new(inner: &MemoryStorage, clock: VirtualClock) -> Self {
        Self { inner: inner.clone(), clock, state: Arc::default() }
    }

    /// From now on, reading takes that long.
    pub fn set_load(&self, takes: Duration) {
        self.state().load_takes = takes;
    }

    /// From now on, writing takes that long.
    pub fn set_write(&self, takes: Duration) {
        self.state().write_takes = takes;
    }

    /// From now on, every write fails with this error, or none does.
    pub fn set_failing(&self, fails: Option<StorageError>) {
        self.state().fails = fails;
    }

    /// How often it was read.
    pub fn loads(&self) -> usize {
        self.state().loads
    }

    /// What it was asked to write, in this order.
    pub fn writes(&self) -> Vec<Vec<Write>> {
        self.state().writes.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for SlowStorage {
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
        let takes = {
            let mut state = self.state();
            state.loads += 1;
            state.load_takes
        };
        let sleep = self.wait(takes);
        async move {
            sleep.await;
            self.inner.load().await
        }
        .boxed()
    }

    fn apply(
        &self,
        changes: Vec<Write>,
        expected: Version,
    ) -> BoxedFuture<'_, Result<Version, StorageError>> {
        let (takes, fails) = {
            let mut state = self.state();
            state.writes.push(changes.clone());
            (state.write_takes, state.fails)
        };
        let sleep = self.wait(takes);
        async move {
            sleep.await;
            match fails {
                Some(error) => Err(error),
                None => self.inner.apply(changes, expected).await,
            }
        }
        .boxed()
    }
}

impl SlowStorage {
    fn wait(&self, takes: Duration) -> BoxedFuture<'static, ()> {
        if takes.is_zero() { std::future::ready(()).boxed() } else { self.clock.sleep(takes) }
    }
}
