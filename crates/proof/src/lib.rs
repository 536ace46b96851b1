//! What a Merkle proof says about an account or a storage slot: present, absent, or refused.
//!
//! A wallet may believe that a balance is zero only if a *complete* proof says so: a leaf that holds zero, or a path
//! that ends where the key would be. A proof that stops early, an empty list, a node of another trie and an extra byte
//! are each a [`ProofError`], never an absence.
//!
//! ```
//! use alloy_primitives::{Address, U256, b256, hex};
//! use saldo_proof::{Account, ProofError, StateRoot, verify_account};
//!
//! // A state with one account, so that its leaf is the root.
//! let leaf = hex!(
//!     "f872a120e2c07404b8c1df4c46226425cac68c28d27a766bbddce62309f36724839b22c0b84ef84c01880de0b6b3a7640000
//!      a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421
//!      a0c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
//! );
//! let root = StateRoot::new(b256!("b3e58fdbabd36dfe1519fdc910e208791c4d3fd0153ee4b650be5112ddcf41c6"));
//! let (alice, bob) = (Address::repeat_byte(0x11), Address::repeat_byte(0x22));
//!
//! let verified = verify_account(root, alice, &[leaf])?;
//! let Account::Present(account) = verified.leaf() else { panic!("proven absent") };
//! assert_eq!(account.balance, U256::from(1_000_000_000_000_000_000_u64));
//!
//! // The same node proves that Bob has no account. Without the node, nothing is known about Bob.
//! assert_eq!(verify_account(root, bob, &[leaf])?.leaf(), &Account::Absent);
//! let nothing: [&[u8]; 0] = [];
//! assert_eq!(verify_account(root, bob, &nothing), Err(ProofError::EmptyProof { expected: root.get() }));
//! # Ok::<(), ProofError>(())
//! ```
//!
//! # Trust
//!
//! All input comes from a provider that may lie. This crate believes none of it: not the address that a reply echoes,
//! not the balance that it claims, not the order, the number or the size of its nodes. The result is a [`Verified`]: the
//! subject that the caller asked for, its leaf, and the root that the leaf is proven under. `Verified` has no other
//! constructor. Storage is reached only [through the verified account](Verified::slot) that it belongs to.
//!
//! This crate cannot know whether the root belongs to the chain. An attacker can build a valid proof of absence under a
//! made-up root. A `Verified` therefore proves nothing until its root is found in a signed header.
//!
//! # Bounds
//!
//! At most [`trie::MAX_NODES`] nodes of [`trie::MAX_NODE_BYTES`] bytes are hashed, once each, and no bytes are copied.
//! Verifying a proof does not use the heap. Without the feature `alloc` this crate does not link an allocator.
//!
//! - [`verify_account`], [`Verified::slot`]: from proof to leaf.
//! - `verify_accounts`, `Verified::slots`: several accounts, or several slots; a node that they share is hashed once (feature `alloc`, part of `serde`).
//! - `ProvenState`, `Query`: what is proven under one root, and what has to be proven next (feature `alloc`).
//! - [`trie`]: the walk itself, for any key in any trie.
//! - `eip1186`: the JSON of `eth_getProof` (feature `serde`, on by default).
#![no_std]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;

#[cfg(feature = "serde")]
pub mod eip1186;
pub mod trie;

#[cfg(feature = "alloc")]
mod batch;
mod error;
mod leaf;
mod node;
mod path;
#[cfg(feature = "alloc")]
mod query;
mod rlp;
mod root;
#[cfg(feature = "alloc")]
mod state;
mod verified;

#[cfg(feature = "alloc")]
pub use batch::verify_accounts;
pub use error::{LeafError, NodeError, ProofError, RlpError};
pub use leaf::{Account, AccountState, Leaf, Slot, SlotSubject};
#[cfg(feature = "alloc")]
pub use query::Query;
pub use root::{StateRoot, StorageRoot};
#[cfg(feature = "alloc")]
pub use state::{HashedCode, OtherRoot, ProvenState};
pub use verified::{Verified, claimed_root, verify_account};
