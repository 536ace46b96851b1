//! What has to be proven next.

use alloc::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};

/// Accounts, slots of storage and codes that must be known. Each account is one `eth_getProof`, each code one `eth_getCode`; all
/// of them at one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    slots: BTreeMap<Address, BTreeSet<B256>>,
    codes: BTreeSet<Address>,
}

impl Query {
    /// Returns the accounts to prove, each with the slots of its storage.
    pub const fn slots(&self) -> &BTreeMap<Address, BTreeSet<B256>> {
        &self.slots
    }

    /// Returns the accounts whose code is needed.
    pub const fn codes(&self) -> &BTreeSet<Address> {
        &self.codes
    }

    /// Whether nothing is to be asked.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.codes.is_empty()
    }

    /// Asks for an account.
    pub fn account(address: Address) -> Self {
        let mut query = Self::default();
        query.add_account(address);
        query
    }

    /// Asks for an account and one of its slots.
    pub fn slot(address: Address, key: B256) -> Self {
        let mut query = Self::default();
        query.add_slot(address, key);
        query
    }

    /// Asks for the code of an account.
    pub fn code(address: Address) -> Self {
        let mut query = Self::default();
        query.add_code(address);
        query
    }

    /// Adds an account.
    pub fn add_account(&mut self, address: Address) {
        self.slots.entry(address).or_default();
    }

    /// Adds an account and one of its slots.
    pub fn add_slot(&mut self, address: Address, key: B256) {
        self.slots.entry(address).or_default().insert(key);
    }

    /// Adds the code of an account.
    pub fn add_code(&mut self, address: Address) {
        self.codes.insert(address);
    }

    /// Adds everything that `other` asks for.
    pub fn merge(&mut self, other: Self) {
        for (address, keys) in other.slots {
            self.slots.entry(address).or_default().extend(keys);
        }
        self.codes.extend(other.codes);
    }
}
