//! What a Merkle proof says about an account or a storage slot: present, absent, or refused.
//!
//! A balance may be believed to be zero only if a *complete* proof says so: a leaf that holds zero, or a path that
//! ends where the key would have to be. A proof that stops early, an empty list, a node of another trie, a byte too
//! many: each is a [`ProofError`], and never an absence.
//!
//! ```
//! use alloy_primitives::{Address, B256};
//! use saldo_proof::{ProofError, StateRoot, verify_account};
//!
//! let (root, address) = (StateRoot::new(B256::repeat_byte(1)), Address::repeat_byte(2));
//! let nothing: [&[u8]; 0] = [];
//! let refusal = verify_account(root, address, &nothing).unwrap_err();
//! assert_eq!(refusal, ProofError::EmptyProof { expected: root.get() });
//! ```
#![no_std]

#[cfg(any(feature = "serde", test))]
extern crate alloc;

#[cfg(feature = "serde")]
pub mod eip1186;
pub mod trie;

mod error;
mod leaf;
mod node;
mod path;
mod rlp;
mod root;
mod verified;

pub use error::{LeafError, NodeError, ProofError, RlpError};
pub use leaf::{Account, AccountState, Leaf, Slot, SlotSubject};
pub use root::{StateRoot, StorageRoot};
pub use verified::{Verified, claimed_root, verify_account};
