//! What is proven under one state root.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use saldo_proof::{Account, Slot, StateRoot, Verified};

use crate::route::View;

/// Accounts, slots and codes that are proven under one state root. Proofs of other roots cannot be added, so what is read from it
/// is of one moment.
#[derive(Clone, Debug)]
pub struct ProvenState {
    root: StateRoot,
    accounts: BTreeMap<Address, Account>,
    slots: BTreeMap<(Address, B256), U256>,
    codes: BTreeMap<B256, Bytes>,
}

/// A proof is of another state root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof is of another state root")]
pub struct OtherRoot;

impl ProvenState {
    /// Makes a state in which nothing is proven yet.
    pub const fn new(root: StateRoot) -> Self {
        Self { root, accounts: BTreeMap::new(), slots: BTreeMap::new(), codes: BTreeMap::new() }
    }

    /// Returns the state root that everything was proven under.
    pub const fn root(&self) -> StateRoot {
        self.root
    }

    /// Adds a proven account.
    ///
    /// # Errors
    /// [`OtherRoot`] if it was proven under another state root.
    pub fn add_account(&mut self, account: &Verified<Account>) -> Result<(), OtherRoot> {
        self.same_root(account.state_root())?;
        self.accounts.insert(*account.subject(), *account.leaf());
        Ok(())
    }

    /// Adds a proven slot.
    ///
    /// # Errors
    /// [`OtherRoot`] if it was proven under another state root.
    pub fn add_slot(&mut self, slot: &Verified<Slot>) -> Result<(), OtherRoot> {
        self.same_root(slot.state_root())?;
        let word = match slot.leaf() {
            Slot::Present(word) => *word,
            Slot::Absent => U256::ZERO,
        };
        self.slots.insert((slot.subject().address, slot.subject().key), word);
        Ok(())
    }

    /// Adds code. It is kept under its own hash, so code that no proven account has is never read.
    pub fn add_code(&mut self, code: Bytes) {
        self.codes.insert(keccak256(&code), code);
    }

    /// Adds code whose hash is `hash`.
    pub(crate) fn add_hashed_code(&mut self, hash: B256, code: Bytes) {
        self.codes.insert(hash, code);
    }

    /// Returns the hash of the code of `address`, that of no bytes for an account without code; `None` if it is not proven.
    pub fn code_hash_of(&self, address: Address) -> Option<B256> {
        self.code_hash(address)
    }

    pub(crate) fn bytes(&self, hash: B256) -> Option<&Bytes> {
        self.codes.get(&hash)
    }

    fn same_root(&self, root: StateRoot) -> Result<(), OtherRoot> {
        if root == self.root { Ok(()) } else { Err(OtherRoot) }
    }
}

impl View for ProvenState {
    fn code_hash(&self, address: Address) -> Option<B256> {
        self.accounts.get(&address).map(|account| match account {
            Account::Present(state) => state.code_hash,
            Account::Absent => KECCAK256_EMPTY,
        })
    }

    fn slot(&self, address: Address, key: B256) -> Option<U256> {
        self.slots.get(&(address, key)).copied()
    }

    fn code(&self, hash: B256) -> Option<&[u8]> {
        self.codes.get(&hash).map(AsRef::as_ref)
    }
}
