//! The only way from proof bytes to a checked leaf.

use alloy_primitives::{Address, B256, keccak256};

use crate::error::ProofError;
use crate::leaf::{Account, Leaf, Slot, SlotSubject};
use crate::root::StateRoot;
use crate::trie::{self, Lookup};

/// A leaf that a complete proof proves for its subject under a state root.
///
/// It holds on the chain only *if* this root belongs to the chain, which this crate cannot know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<L: Leaf> {
    subject: L::Subject,
    state_root: StateRoot,
    leaf: L,
}

impl<L: Leaf> Verified<L> {
    /// Returns the subject of the proof. It comes from the request, never from the reply.
    pub const fn subject(&self) -> &L::Subject {
        &self.subject
    }

    /// Returns the state root that the proof was checked under.
    pub const fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns what the state holds for the subject.
    pub const fn leaf(&self) -> &L {
        &self.leaf
    }
}

/// Verifies what the state under `state_root` holds for `address` ([EIP-1186](https://eips.ethereum.org/EIPS/eip-1186)
/// `accountProof`: RLP nodes, root first).
///
/// # Errors
/// Any [`ProofError`]. The account is then unknown. In particular, it is not known to be empty.
pub fn verify_account<N: AsRef<[u8]>>(
    state_root: StateRoot,
    address: Address,
    proof: &[N],
) -> Result<Verified<Account>, ProofError> {
    let found = trie::lookup(state_root.get(), keccak256(address).as_slice(), proof)?;
    Verified::account(address, state_root, found)
}

impl Verified<Account> {
    /// Makes the account from the result of a walk from `state_root` along the hash of `address`.
    pub(crate) fn account(
        address: Address,
        state_root: StateRoot,
        found: Lookup<'_>,
    ) -> Result<Self, ProofError> {
        Ok(Self { subject: address, state_root, leaf: Account::read(found)? })
    }

    /// Verifies what this account's storage holds in the slot `key` (not hashed; EIP-1186 `storageProof[].proof`).
    ///
    /// If the account is absent or has no storage, every slot is absent; the proof then has no nodes (or the one node
    /// 0x80).
    ///
    /// # Errors
    /// Any [`ProofError`]. The slot is then unknown. In particular, it is not known to be zero.
    pub fn slot<N: AsRef<[u8]>>(&self, key: B256, proof: &[N]) -> Result<Verified<Slot>, ProofError> {
        let found = trie::lookup(self.leaf.storage_root().get(), keccak256(key).as_slice(), proof)?;
        self.slot_of(key, found)
    }

    /// Makes the slot from the result of a walk from this account's storage root along the hash of `key`.
    pub(crate) fn slot_of(&self, key: B256, found: Lookup<'_>) -> Result<Verified<Slot>, ProofError> {
        let subject = SlotSubject { address: self.subject, key };
        Ok(Verified { subject, state_root: self.state_root, leaf: Slot::read(found)? })
    }
}

/// Returns the state root that `proof` claims to be under: the hash of its first node.
///
/// A proof at a block that is not signed yet can be kept until a signed header contains this root.
///
/// # Errors
/// [`ProofError::TooManyNodes`] or [`ProofError::NodeTooLarge`], before any node is hashed; [`ProofError::EmptyProof`] if
/// the proof has no nodes.
pub fn claimed_root<N: AsRef<[u8]>>(proof: &[N]) -> Result<StateRoot, ProofError> {
    trie::check_limits(proof)?;
    match proof {
        [] => Err(ProofError::EmptyProof { expected: B256::ZERO }),
        [first, ..] => Ok(StateRoot::new(keccak256(first.as_ref()))),
    }
}
