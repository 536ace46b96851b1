//! What a call about the state of a block returns.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_chain::Anchor;
use saldo_proof::{Account, Slot};
use saldo_reading::{Attempt, ProviderId, Why};

use super::facts::Facts;
use crate::proofs::{AccountFacts, SlotFacts};

/// Accounts of one block, each proven under the block's state root.
#[derive(Clone, Debug)]
pub struct BlockState {
    anchor: Anchor,
    accounts: BTreeMap<Address, ProvenAccount>,
}

impl BlockState {
    pub(crate) fn new(anchor: Anchor, facts: Facts) -> Self {
        let accounts = facts.into_accounts().into_iter();
        Self { anchor, accounts: accounts.map(|(address, facts)| (address, ProvenAccount(facts))).collect() }
    }

    /// Returns the block, and how its header is known.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns the account at `address`; `None` if it was not asked for.
    pub fn account(&self, address: Address) -> Option<&ProvenAccount> {
        self.accounts.get(&address)
    }

    /// Returns all accounts.
    pub fn accounts(&self) -> impl Iterator<Item = (Address, &ProvenAccount)> {
        self.accounts.iter().map(|(address, account)| (*address, account))
    }
}

/// One account at one block. An account that is proven not to exist has the values that the chain gives it: zero, no code, no
/// storage.
#[derive(Clone, Debug)]
pub struct ProvenAccount(Arc<AccountFacts>);

impl ProvenAccount {
    /// Whether the account exists.
    pub fn exists(&self) -> bool {
        matches!(self.0.account.leaf(), Account::Present(_))
    }

    /// Returns the balance of the native coin, in wei.
    pub fn balance(&self) -> U256 {
        match self.0.account.leaf() {
            Account::Present(state) => state.balance,
            Account::Absent => U256::ZERO,
        }
    }

    /// Returns the number of transactions sent from the account.
    pub fn nonce(&self) -> u64 {
        match self.0.account.leaf() {
            Account::Present(state) => state.nonce,
            Account::Absent => 0,
        }
    }

    /// Returns the keccak256 hash of the code, that of no bytes for an account without code.
    pub fn code_hash(&self) -> B256 {
        self.0.code_hash()
    }

    /// Returns the root of the account's storage; `None` if the account does not exist.
    pub fn storage_hash(&self) -> Option<B256> {
        match self.0.account.leaf() {
            Account::Present(state) => Some(state.storage_root.get()),
            Account::Absent => None,
        }
    }

    /// Returns the code; `None` if it was not asked for.
    pub fn code(&self) -> Option<&Bytes> {
        self.0.code.as_ref().map(saldo_proof::HashedCode::code)
    }

    /// Returns the slot at `key`; `None` if it was not asked for.
    pub fn slot(&self, key: B256) -> Option<ProvenSlot<'_>> {
        self.0.slots.get(&key).map(ProvenSlot)
    }

    /// Returns the nodes of the proof, from the state root down (EIP-1186).
    pub fn proof(&self) -> &[Bytes] {
        &self.0.nodes
    }

    /// Returns the provider that served the proof.
    pub fn provider(&self) -> &ProviderId {
        &self.0.provider
    }
}

/// One slot of an account's storage at one block.
#[derive(Clone, Copy, Debug)]
pub struct ProvenSlot<'a>(&'a SlotFacts);

impl<'a> ProvenSlot<'a> {
    /// Returns the word; zero if the slot is proven to be empty.
    pub fn word(self) -> U256 {
        match self.0.slot.leaf() {
            Slot::Present(word) => *word,
            Slot::Absent => U256::ZERO,
        }
    }

    /// Returns the nodes of the proof, from the root of the storage down.
    pub fn proof(self) -> &'a [Bytes] {
        &self.0.nodes
    }
}

/// Why nothing was proven. It never has a value.
#[derive(Clone, Debug, thiserror::Error)]
#[error("not proven: {why}")]
pub struct NotProven {
    why: Why,
    attempts: Vec<Attempt>,
}

impl NotProven {
    pub(crate) fn new(why: Why, attempts: Vec<Attempt>) -> Self {
        Self { why, attempts }
    }

    /// Returns the reason.
    pub const fn why(&self) -> &Why {
        &self.why
    }

    /// Returns the requests, and the outcome of each.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}
