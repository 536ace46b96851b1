//! Several accounts of one state, or several slots of one account, at once. A node that their proofs share is hashed once.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, keccak256};

use crate::error::ProofError;
use crate::leaf::{Account, Leaf, Slot};
use crate::root::StateRoot;
use crate::trie::{self, Lookup, MAX_NODES, Memory};
use crate::verified::Verified;

/// Verifies what the state under `state_root` holds for each of several accounts, as
/// [`verify_account`](crate::verify_account) does for one, but hashes a node that several proofs share only once.
///
/// Returns one answer for each proof, in the order of `proofs`. The answers are independent: a refused proof does not
/// affect the others. The function allocates a few words for each proof.
///
/// # Errors
/// For each proof, those of [`verify_account`](crate::verify_account).
pub fn verify_accounts<N: AsRef<[u8]>>(
    state_root: StateRoot,
    proofs: &[(Address, &[N])],
) -> Vec<Result<Verified<Account>, ProofError>> {
    let keys = proofs.iter().map(|(address, _)| keccak256(address)).collect();
    walk_all(state_root.get(), keys, proofs, |(address, found)| {
        Verified::account(*address, state_root, found)
    })
}

impl Verified<Account> {
    /// Verifies what this account's storage holds in several slots, as [`slot`](Self::slot) does for one, but hashes a node that
    /// several proofs share only once.
    ///
    /// Returns one answer for each proof, in the order of `proofs`. The answers are independent.
    ///
    /// # Errors
    /// For each proof, those of [`slot`](Self::slot).
    pub fn slots<N: AsRef<[u8]>>(&self, proofs: &[(B256, &[N])]) -> Vec<Result<Verified<Slot>, ProofError>> {
        let keys = proofs.iter().map(|(key, _)| keccak256(key)).collect();
        walk_all(self.leaf().storage_root().get(), keys, proofs, |(key, found)| self.slot_of(*key, found))
    }
}

/// Walks from `root` along each of the hashed `keys`, and reads what is there.
///
/// In the order of the keys, proofs that share nodes are neighbours, so remembering the last proof is enough.
fn walk_all<S, N: AsRef<[u8]>, L: Leaf>(
    root: B256,
    keys: Vec<B256>,
    proofs: &[(S, &[N])],
    read: impl Fn((&S, Lookup<'_>)) -> Result<Verified<L>, ProofError>,
) -> Vec<Result<Verified<L>, ProofError>> {
    let mut sorted: Vec<_> = keys.into_iter().zip(proofs).enumerate().collect();
    sorted.sort_unstable_by_key(|(place, (key, _))| (*key, *place));

    let mut trail = Trail { nodes: [(B256::ZERO, &[]); MAX_NODES], length: 0 };
    let mut answers: Vec<_> = sorted
        .into_iter()
        .map(|(place, (key, (subject, proof)))| {
            let found = trie::walk(root, key.as_slice(), proof, &mut trail);
            (place, found.and_then(|found| read((subject, found))))
        })
        .collect();
    answers.sort_unstable_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Nodes that were hashed, by their place from the root, each with its hash.
///
/// The nodes can be of different proofs. Every pair within `length` is a node and its true hash.
struct Trail<'a> {
    nodes: [(B256, &'a [u8]); MAX_NODES],
    length: usize,
}

impl<'a> Memory<'a> for Trail<'a> {
    fn knows(&self, node: usize, hash: &B256, bytes: &[u8]) -> bool {
        node < self.length && self.nodes.get(node).is_some_and(|known| known.0 == *hash && known.1 == bytes)
    }

    fn note(&mut self, node: usize, hash: &B256, bytes: &'a [u8]) {
        if let Some(place) = self.nodes.get_mut(node) {
            *place = (*hash, bytes);
            self.length = node.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node may skip hashing only if the same bytes were hashed at the same place.
    #[test]
    fn only_the_nodes_of_the_last_proof_are_known() {
        let (one, other) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let mut trail = Trail { nodes: [(B256::ZERO, &[]); MAX_NODES], length: 0 };
        assert!(!trail.knows(0, &B256::ZERO, &[]), "no node was hashed yet");
        trail.note(0, &one, &[1]);
        trail.note(1, &other, &[2]);
        assert!(trail.knows(0, &one, &[1]) && trail.knows(1, &other, &[2]));
        for (node, hash, bytes) in
            [(1, one, [1]), (0, other, [2]), (0, one, [2]), (0, other, [1]), (2, other, [2])]
        {
            assert!(!trail.knows(node, &hash, &bytes), "{node} {hash} {bytes:?}");
        }
        assert!(!trail.knows(2, &B256::ZERO, &[]));
        trail.note(0, &other, &[2]);
        assert!(trail.knows(0, &other, &[2]) && !trail.knows(0, &one, &[1]));
        assert!(!trail.knows(1, &other, &[2]), "the node is of the proof before");
        trail.note(MAX_NODES, &one, &[1]);
        assert!(!trail.knows(MAX_NODES, &one, &[1]));
    }
}
