//! What a trie holds for an account and for a storage slot.

use alloy_primitives::{Address, B256, U256};

use crate::error::{LeafError, ProofError};
use crate::rlp::{self, Items};
use crate::root::StorageRoot;
use crate::trie::Lookup;

/// Something a proof can be about: an [`Account`] or a [`Slot`]. No other type can implement it.
pub trait Leaf: sealed::Sealed + Clone + core::fmt::Debug + PartialEq + Eq {
    /// What the proof is about.
    type Subject: Clone + core::fmt::Debug + PartialEq + Eq;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Account {}
    impl Sealed for super::Slot {}
}

/// What a state trie holds under an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// The account, as the trie has it.
    Present(AccountState),
    /// There is no such account: its balance and nonce are zero, it has no code and no storage.
    Absent,
}

/// An account as the state trie has it ([Yellow Paper, section 4.1](https://ethereum.github.io/yellowpaper/paper.pdf)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Root of the account's storage trie.
    pub storage_root: StorageRoot,
    /// keccak256 of the account's code.
    pub code_hash: B256,
}

/// What a storage trie holds under a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The word in the slot. Never zero.
    Present(U256),
    /// Nothing is stored in the slot: it reads as zero.
    Absent,
}

/// A slot of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotSubject {
    /// The account.
    pub address: Address,
    /// The slot's key, as a contract uses it (not hashed).
    pub key: B256,
}

impl Leaf for Account {
    type Subject = Address;
}

impl Leaf for Slot {
    type Subject = SlotSubject;
}

impl Account {
    pub(crate) fn read(found: Lookup<'_>) -> Result<Self, ProofError> {
        match found {
            Lookup::Absent => Ok(Self::Absent),
            Lookup::Present(bytes) => match AccountState::decode(bytes) {
                Ok(state) => Ok(Self::Present(state)),
                Err(cause) => Err(ProofError::MalformedLeaf { cause }),
            },
        }
    }

    /// The root of the account's storage; that of an empty trie if the account is absent.
    pub const fn storage_root(&self) -> StorageRoot {
        match self {
            Self::Present(state) => state.storage_root,
            Self::Absent => StorageRoot::EMPTY,
        }
    }
}

impl AccountState {
    fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        let mut fields = Items::new(rlp::list(rlp::only_item(bytes)?)?);
        let mut field = |index| fields.next()?.ok_or(LeafError::FieldCount { got: index });
        let (nonce, balance, storage_root, code_hash) = (field(0)?, field(1)?, field(2)?, field(3)?);
        if !fields.is_empty() {
            return Err(LeafError::FieldCount { got: 5 });
        }
        Ok(Self {
            nonce: rlp::integer(nonce)?.try_into().map_err(|_| LeafError::NonceTooLarge)?,
            balance: rlp::integer(balance)?,
            storage_root: StorageRoot::new(rlp::word(storage_root)?),
            code_hash: rlp::word(code_hash)?,
        })
    }
}

impl Slot {
    pub(crate) fn read(found: Lookup<'_>) -> Result<Self, ProofError> {
        match found {
            Lookup::Absent => Ok(Self::Absent),
            Lookup::Present(bytes) => match decode_word(bytes) {
                Ok(word) => Ok(Self::Present(word)),
                Err(cause) => Err(ProofError::MalformedLeaf { cause }),
            },
        }
    }
}

fn decode_word(bytes: &[u8]) -> Result<U256, LeafError> {
    let word = rlp::integer(rlp::only_item(bytes)?)?;
    if word.is_zero() { Err(LeafError::ZeroValue) } else { Ok(word) }
}
