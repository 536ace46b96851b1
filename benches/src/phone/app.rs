//! The app: its holdings, its settings, its storage, and how it waits for a call.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use alloy_primitives::{Address, U256, hex, keccak256};
use saldo_drill::{Chain, ChainBuilder, Preset};
use saldo_ffi::{
    Checkpoint, ClientConfig, Endpoint, Holding, Storage, StorageAck, StorageChange, StorageEntry,
    StorageFailure, StorageSnapshot,
};

use crate::Failure;

/// How many holdings a home screen has.
pub(crate) const HOLDINGS: u64 = 100;

fn owner(number: u64) -> Address {
    Address::from_word(keccak256(number.to_be_bytes()))
}

/// The first `number` holdings.
pub(crate) fn holdings(number: u64) -> Vec<Holding> {
    let holding =
        |number| Holding { network_id: Chain::CHAIN_ID, owner: owner(number).to_checksum(None), token: None };
    (0..number).map(holding).collect()
}

/// A chain of mainnet's shape with the balances of all holdings.
pub(crate) fn chain() -> ChainBuilder {
    let accounts =
        (0..HOLDINGS).map(|number| (owner(number), U256::from(number).saturating_add(U256::from(1))));
    Chain::builder(1).preset(Preset::Mainnet).mainnet_shape(true).accounts(accounts)
}

/// The settings of a client with one provider and one beacon source.
pub(crate) fn config(chain: &Chain, provider: &str, source: &str) -> ClientConfig {
    let checkpoint = chain.checkpoint();
    ClientConfig {
        rpc: vec![Endpoint::new(provider)],
        beacon: vec![Endpoint::new(source)],
        checkpoint: Some(Checkpoint {
            root: checkpoint.root.to_string(),
            slot: checkpoint.slot.map(|slot| slot.get()),
        }),
        ..ClientConfig::new(chain.network().to_toml())
    }
}

/// A storage in memory.
pub(crate) struct Kept(Mutex<StorageSnapshot>);

impl Kept {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(StorageSnapshot { entries: Vec::new(), version: 0 }))
    }

    fn kept(&self) -> MutexGuard<'_, StorageSnapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the entries that [`Kept::to_text`] wrote.
    pub(crate) fn from_text(text: &str) -> Result<Self, Failure> {
        let entry = |line: &str| -> Result<StorageEntry, Failure> {
            let (name, value) = line.split_once(' ').ok_or("a line without a value")?;
            Ok(StorageEntry { name: name.to_owned(), value: hex::decode(value)? })
        };
        let entries = text.lines().map(entry).collect::<Result<_, Failure>>()?;
        Ok(Self(Mutex::new(StorageSnapshot { entries, version: 1 })))
    }

    /// Returns each entry as a line: the name, and the value in hexadecimal digits.
    pub(crate) fn to_text(&self) -> String {
        let line = |entry: &StorageEntry| format!("{} {}\n", entry.name, hex::encode(&entry.value));
        self.kept().entries.iter().map(line).collect()
    }
}

#[async_trait::async_trait]
impl Storage for Kept {
    async fn load(&self) -> Result<StorageSnapshot, StorageFailure> {
        Ok(self.kept().clone())
    }

    async fn apply(&self, changes: Vec<StorageChange>, expected: u64) -> Result<StorageAck, StorageFailure> {
        let mut kept = self.kept();
        if kept.version != expected {
            return Err(StorageFailure::Conflict);
        }
        kept.version = expected.saturating_add(1);
        let ack = StorageAck::of(&changes, kept.version);
        for StorageChange { name, value } in changes {
            kept.entries.retain(|entry| entry.name != name);
            kept.entries.extend(value.map(|value| StorageEntry { name, value }));
        }
        Ok(ack)
    }
}

/// Waits for `future` by parking this thread: a runtime would cost time of its own.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
