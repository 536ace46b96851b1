//! The one way from proof bytes to a checked leaf.

use alloy_primitives::{Address, B256, keccak256};

use crate::error::ProofError;
use crate::leaf::{Account, Leaf, Slot, SlotSubject};
use crate::root::StateRoot;
use crate::trie::{self, Lookup};

/// A leaf that a complete proof gives for its subject under a state root.
///
/// It says: *if* this root is the chain's, then so it is. Whether it is, is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<L: Leaf> {
    subject: L::Subject,
    state_root: StateRoot,
    leaf: L,
}

impl<L: Leaf> Verified<L> {
    /// What the proof is about: what was asked, never what a reply echoed.
    pub const fn subject(&self) -> &L::Subject {
        &self.subject
    }

    /// The state root that the proof stands under.
    pub const fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// What the state holds for the subject.
    pub const fn leaf(&self) -> &L {
        &self.leaf
    }
}

/// Verifies what the state under `state_root` holds for `address` ([EIP-1186](https://eips.ethereum.org/EIPS/eip-1186)
/// `accountProof`: RLP nodes, root first).
///
/// # Errors
/// Any [`ProofError`]; then nothing is known about the account, and in particular not that it is empty.
pub fn verify_account<N: AsRef<[u8]>>(
    state_root: StateRoot,
    address: Address,
    proof: &[N],
) -> Result<Verified<Account>, ProofError> {
    let found = trie::lookup(state_root.get(), keccak256(address).as_slice(), proof)?;
    Verified::account(address, state_root, found)
}

impl Verified<Account> {
    /// What a walk from `state_root` along the hash of `address` has found.
    pub(crate) fn account(
        address: Address,
        state_root: StateRoot,
        found: Lookup<'_>,
    ) -> Result<Self, ProofError> {
        Ok(Self { subject: address, state_root, leaf: Account::read(found)? })
    }

    /// Verifies what this account's storage holds in the slot `key` (not hashed; EIP-1186 `storageProof[].proof`).
    ///
    /// An account that is absent or has no storage proves every slot absent, with no nodes (or the one node 0x80).
    ///
    /// # Errors
    /// Any [`ProofError`]; then nothing is known about the slot, and in particular not that it is zero.
    pub fn slot<N: AsRef<[u8]>>(&self, key: B256, proof: &[N]) -> Result<Verified<Slot>, ProofError> {
        let found = trie::lookup(self.leaf.storage_root().get(), keccak256(key).as_slice(), proof)?;
        let subject = SlotSubject { address: self.subject, key };
        Ok(Verified { subject, state_root: self.state_root, leaf: Slot::read(found)? })
    }
}

/// The state root under which `proof` *would* stand: the hash of its first node.
///
/// With it a proof at a block that nobody has signed yet can be kept until its root turns up in a signed header.
///
/// # Errors
/// [`ProofError::TooManyNodes`] and [`ProofError::NodeTooLarge`] before anything is hashed, [`ProofError::EmptyProof`]
/// if there are no nodes.
pub fn claimed_root<N: AsRef<[u8]>>(proof: &[N]) -> Result<StateRoot, ProofError> {
    trie::check_limits(proof)?;
    match proof {
        [] => Err(ProofError::EmptyProof { expected: B256::ZERO }),
        [first, ..] => Ok(StateRoot::new(keccak256(first.as_ref()))),
    }
}
