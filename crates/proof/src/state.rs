//! What is proven under one state root.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::any::Any;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};

use crate::leaf::{Account, Slot};
use crate::root::StateRoot;
use crate::verified::Verified;

/// Accounts, slots and codes that are proven under one state root. Proofs of other roots cannot be added, so what is read from it
/// is of one moment.
#[derive(Clone, Debug)]
pub struct ProvenState {
    root: StateRoot,
    accounts: BTreeMap<Address, Account>,
    slots: BTreeMap<(Address, B256), U256>,
    codes: BTreeMap<B256, HashedCode>,
}

/// A proof is of another state root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof is of another state root")]
pub struct OtherRoot;

/// Code with its hash, which was computed from it.
#[derive(Clone, Debug)]
pub struct HashedCode {
    hash: B256,
    code: Bytes,
    prepared: Option<Arc<dyn Any + Send + Sync>>,
}

impl HashedCode {
    /// Hashes `code`.
    pub fn new(code: Bytes) -> Self {
        Self { hash: keccak256(&code), code, prepared: None }
    }

    /// Keeps beside the code what a virtual machine made of it, so that it is made once.
    #[must_use]
    pub fn with_prepared(mut self, prepared: Arc<dyn Any + Send + Sync>) -> Self {
        self.prepared = Some(prepared);
        self
    }

    /// Returns what is kept beside the code, if it is a `T`. Code that cannot name this type cannot move it to another code.
    pub fn prepared<T: Any>(&self) -> Option<&T> {
        self.prepared.as_deref()?.downcast_ref()
    }

    /// Returns the keccak256 hash of the code.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Returns the code.
    pub const fn code(&self) -> &Bytes {
        &self.code
    }
}

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
        self.add_hashed_code(HashedCode::new(code));
    }

    /// Adds code that was hashed before.
    pub fn add_hashed_code(&mut self, code: HashedCode) {
        self.codes.insert(code.hash, code);
    }

    /// Returns the account at `address`; `None` if it is not proven.
    pub fn account(&self, address: Address) -> Option<&Account> {
        self.accounts.get(&address)
    }

    /// Returns the hash of the code of `address`, that of no bytes for an account without code; `None` if it is not proven.
    pub fn code_hash_of(&self, address: Address) -> Option<B256> {
        self.account(address).map(|account| match account {
            Account::Present(state) => state.code_hash,
            Account::Absent => KECCAK256_EMPTY,
        })
    }

    /// Returns the word in a slot of the storage of `address`; `None` if it is not proven.
    pub fn word(&self, address: Address, key: B256) -> Option<U256> {
        self.slots.get(&(address, key)).copied()
    }

    /// Returns the code with that hash; `None` if it was not added.
    pub fn code_with_hash(&self, hash: B256) -> Option<&HashedCode> {
        self.codes.get(&hash)
    }

    /// Returns all proven accounts.
    pub fn accounts(&self) -> impl Iterator<Item = (Address, &Account)> {
        self.accounts.iter().map(|(address, account)| (*address, account))
    }

    /// Returns all proven slots, each as address, key and word.
    pub fn words(&self) -> impl Iterator<Item = (Address, B256, U256)> {
        self.slots.iter().map(|((address, key), word)| (*address, *key, *word))
    }

    /// Drops the codes that no proven account has.
    pub fn drop_other_codes(&mut self) {
        let own: BTreeSet<B256> =
            self.accounts.keys().filter_map(|address| self.code_hash_of(*address)).collect();
        self.codes.retain(|hash, _| own.contains(hash));
    }

    /// Returns the memory that the state takes, in bytes, about.
    pub fn size(&self) -> usize {
        const ACCOUNT: usize = 160;
        const SLOT: usize = 120;
        let codes: usize = self.codes.values().map(|code| code.code.len()).sum();
        let accounts = self.accounts.len().saturating_mul(ACCOUNT);
        codes.saturating_add(accounts).saturating_add(self.slots.len().saturating_mul(SLOT))
    }

    fn same_root(&self, root: StateRoot) -> Result<(), OtherRoot> {
        if root == self.root { Ok(()) } else { Err(OtherRoot) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_beside_a_code_is_read_by_its_type_alone() {
        let code = HashedCode::new(Bytes::from_static(&[1]));
        assert_eq!(code.prepared::<u8>(), None);
        let prepared = code.with_prepared(Arc::new(7_u8));
        assert_eq!((prepared.clone().prepared::<u8>(), prepared.prepared::<u16>()), (Some(&7), None));
    }
}
