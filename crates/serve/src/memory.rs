//! What was proven last of an address, to be shown with its age when nothing is proven now.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use saldo::{Address, Anchor, Client};
use serde_json::{Value, json};

use crate::quantity::quantity;

/// A number of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The balance of the native coin, in wei.
    Balance,
    /// The number of transactions sent.
    Nonce,
}

/// Remembers the last proven numbers of a bounded number of addresses.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    of: BTreeMap<(Address, Kind), (String, Anchor)>,
    /// The oldest entry is the first.
    order: VecDeque<(Address, Kind)>,
}

impl Memory {
    /// The most numbers. One takes about 200 bytes, and shares its block with others.
    const CAPACITY: usize = 8_192;

    /// Remembers `value`, unless one of a newer block is known.
    pub(crate) fn note(&self, address: Address, kind: Kind, value: String, anchor: &Anchor) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (address, kind);
        let known = remembered.of.get(&key).map(|(_, known)| known.number());
        if known.is_some_and(|known| known > anchor.number()) {
            return;
        }
        if known.is_none() {
            remembered.order.push_back(key);
        }
        remembered.of.insert(key, (value, anchor.clone()));
        if remembered.order.len() > Self::CAPACITY
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.of.remove(&oldest);
        }
    }

    /// The last proven number, with its block and age; `null` if there is none, or if the chain withdrew its block.
    pub(crate) fn last(&self, client: &Client, address: Address, kind: Kind) -> Value {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = remembered.of.get(&(address, kind)).cloned();
        drop(remembered);
        let Some((value, anchor)) = known.filter(|(_, anchor)| !client.is_withdrawn(anchor)) else {
            return Value::Null;
        };
        let age = client.now().age_of(anchor.timestamp()).map(|age| age.as_secs());
        json!({
            "value": value,
            "block": {
                "number": quantity(anchor.number()),
                "hash": anchor.hash(),
                "timestamp": quantity(anchor.timestamp().as_secs()),
            },
            "age_seconds": age,
        })
    }
}
