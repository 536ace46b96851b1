//! What a trie holds for an account and for a storage slot.

use alloy_primitives::{Address, B256, U256};

use crate::error::{LeafError, ProofError};
use crate::rlp::{self, Items};
use crate::root::StorageRoot;
use crate::trie::Lookup;

/// A kind of leaf: an [`Account`] or a [`Slot`]. No other type can implement it.
pub trait Leaf: sealed::Sealed + Clone + core::fmt::Debug + PartialEq + Eq {
    /// The subject of a proof.
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
    /// The account as the trie holds it.
    Present(AccountState),
    /// There is no such account: its balance and nonce are zero, it has no code and no storage.
    Absent,
}

/// An account as the state trie holds it ([Yellow Paper, section 4.1](https://ethereum.github.io/yellowpaper/paper.pdf)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Number of transactions sent or contracts created.
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

    /// Returns the root of the account's storage, which is the root of an empty trie if the account is absent.
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

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::error::RlpError;

    /// An account's RLP from its encoded fields (fewer than 256 bytes in all).
    fn account(fields: &[&[u8]]) -> Vec<u8> {
        let payload = fields.concat();
        match u8::try_from(payload.len()).unwrap() {
            length @ 0..=55 => [&[0xc0 | length][..], &payload].concat(),
            length => [&[0xf8, length][..], &payload].concat(),
        }
    }

    fn hash(byte: u8) -> Vec<u8> {
        [&[0xa0][..], &[byte; 32]].concat()
    }

    #[test]
    fn an_account_has_four_fields() {
        let (storage_root, code_hash) = (hash(1), hash(2));
        let fields: [&[u8]; 5] = [&[0x05], &[0x82, 1, 0], &storage_root, &code_hash, &[0x80]];
        assert_eq!(
            AccountState::decode(&account(&fields[..4])),
            Ok(AccountState {
                nonce: 5,
                balance: U256::from(256),
                storage_root: StorageRoot::new(B256::repeat_byte(1)),
                code_hash: B256::repeat_byte(2),
            })
        );
        for count in [0, 1, 2, 3, 5] {
            let refusal = AccountState::decode(&account(&fields[..count])).unwrap_err();
            assert_eq!(refusal, LeafError::FieldCount { got: count });
        }
    }

    #[test]
    fn an_account_is_canonical() {
        let (root, code) = (hash(1), hash(2));
        let nine = [&[0x89][..], &[1; 9]].concat();
        let eight = [&[0x88][..], &[0xff; 8]].concat();
        let too_long = [&[0xa1][..], &[1; 33]].concat();
        let short_hash = [&[0x9f][..], &[1; 31]].concat();
        let refused: [(Vec<u8>, LeafError); 9] = [
            (account(&[&nine, &[0x80], &root, &code]), LeafError::NonceTooLarge),
            (account(&[&[0x00], &[0x80], &root, &code]), RlpError::LeadingZero.into()),
            (account(&[&[0x80], &[0x82, 0, 1], &root, &code]), RlpError::LeadingZero.into()),
            (
                account(&[&[0x80], &too_long, &root, &code]),
                RlpError::IntegerTooLong { got: 33, limit: 32 }.into(),
            ),
            (account(&[&[0x80], &[0xc0], &root, &code]), RlpError::ListForString.into()),
            (account(&[&[0x80], &[0x80], &short_hash, &code]), RlpError::WordLength { got: 31 }.into()),
            (account(&[&[0x80], &[0x80], &root, &[0x80]]), RlpError::WordLength { got: 0 }.into()),
            (
                [account(&[&[0x80], &[0x80], &root, &code]), [0].to_vec()].concat(),
                RlpError::TrailingBytes { got: 1 }.into(),
            ),
            (hash(1), RlpError::StringForList.into()),
        ];
        for (bytes, expected) in refused {
            assert_eq!(AccountState::decode(&bytes), Err(expected), "{bytes:02x?}");
        }
        let largest = AccountState::decode(&account(&[&eight, &hash(0xff), &root, &code])).unwrap();
        assert_eq!((largest.nonce, largest.balance), (u64::MAX, U256::MAX));
    }

    #[test]
    fn a_storage_word_is_canonical_and_not_zero() {
        assert_eq!(decode_word(&[0x01]), Ok(U256::from(1)));
        assert_eq!(decode_word(&[0x81, 0x80]), Ok(U256::from(128)));
        assert_eq!(decode_word(&hash(0xff)), Ok(U256::MAX));
        let refused: [(&[u8], LeafError); 8] = [
            (&[0x80], LeafError::ZeroValue),
            (&[0x00], RlpError::LeadingZero.into()),
            (&[0x82, 0, 1], RlpError::LeadingZero.into()),
            (&[0x81, 0x01], RlpError::LongForm.into()),
            (&[0xc0], RlpError::ListForString.into()),
            (&[0xc1, 0x01], RlpError::ListForString.into()),
            (&[0x01, 0x00], RlpError::TrailingBytes { got: 1 }.into()),
            (&[], RlpError::PastTheEnd.into()),
        ];
        for (bytes, expected) in refused {
            assert_eq!(decode_word(bytes), Err(expected), "{bytes:?}");
        }
        let long = [&[0xa1][..], &[1; 33]].concat();
        assert_eq!(decode_word(&long), Err(RlpError::IntegerTooLong { got: 33, limit: 32 }.into()));
    }
}
