//! Merkle trees of 32-byte chunks over SHA-256.
//!
//! Source: consensus-specs `ssz/simple-serialize.md` (merkleization) and `ssz/merkle-proofs.md` (generalized indices).

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

/// Hashes two sibling nodes into their parent.
pub fn hash_pair(left: B256, right: B256) -> B256 {
    let mut hasher = Sha256::new();
    hasher.update(left);
    hasher.update(right);
    B256::from(<[u8; 32]>::from(hasher.finalize()))
}

/// Returns the root of a tree with 2^`limit_depth` leaves, of which `chunks` are the first and the rest are zero.
///
/// More chunks than that do not fit. They deepen the tree, so the root then belongs to no value of that type.
pub fn merkleize(chunks: &[B256], limit_depth: u32) -> B256 {
    let depth = chunks.len().checked_next_power_of_two().map_or(0, usize::trailing_zeros);
    let mut root = subtree(chunks, depth);
    if depth < limit_depth {
        let mut zero = subtree(&[], depth);
        for _ in depth..limit_depth {
            root = hash_pair(root, zero);
            zero = hash_pair(zero, zero);
        }
    }
    root
}

/// Returns the root of a tree of this depth. `chunks` must fit into it; the recursion is as deep as `depth`, at most the
/// bits of a length.
fn subtree(chunks: &[B256], depth: u32) -> B256 {
    let Some(below) = depth.checked_sub(1) else { return chunks.first().copied().unwrap_or_default() };
    if chunks.is_empty() {
        let zero = subtree(&[], below);
        return hash_pair(zero, zero);
    }
    let half = 1_usize.checked_shl(below).unwrap_or(usize::MAX);
    let (left, right) = chunks.split_at(half.min(chunks.len()));
    hash_pair(subtree(left, below), subtree(right, below))
}

/// Whether `branch` proves that the node at the generalized index `gindex` of the tree under `root` is `leaf`.
///
/// The branch must be exactly as long as that node is deep.
/// Source: `is_valid_merkle_branch`, consensus-specs `phase0/beacon-chain.md`.
pub fn branch_is_valid(leaf: B256, branch: &[B256], gindex: u64, root: B256) -> bool {
    let Some(depth) = gindex.checked_ilog2() else { return false };
    if u32::try_from(branch.len()) != Ok(depth) {
        return false;
    }
    let mut index = gindex;
    let mut node = leaf;
    for sibling in branch {
        node = if index & 1 == 1 { hash_pair(*sibling, node) } else { hash_pair(node, *sibling) };
        index >>= 1;
    }
    node == root
}

/// As [`branch_is_valid`], for a branch that zeros may have extended at its start to the length of a later fork.
///
/// Source: `is_valid_normalized_merkle_branch`, consensus-specs `altair/light-client/sync-protocol.md`.
pub fn normalized_branch_is_valid(leaf: B256, branch: &[B256], gindex: u64, root: B256) -> bool {
    let Some(depth) = gindex.checked_ilog2().and_then(|depth| usize::try_from(depth).ok()) else {
        return false;
    };
    let Some(padding) = branch.len().checked_sub(depth) else { return false };
    let (padding, branch) = branch.split_at(padding);
    padding.iter().all(B256::is_zero) && branch_is_valid(leaf, branch, gindex, root)
}

/// Returns the chunks of `bytes`, the last one padded with zeros.
pub(crate) fn chunks(bytes: &[u8]) -> Vec<B256> {
    bytes.chunks(32).map(B256::right_padding_from).collect()
}

/// Returns the chunk of an unsigned integer: little-endian, padded with zeros.
pub(crate) fn uint(number: u64) -> B256 {
    B256::right_padding_from(&number.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(number: u64) -> B256 {
        uint(number)
    }

    #[test]
    fn missing_chunks_are_zero() {
        let whole = merkleize(&[chunk(1), chunk(2), chunk(3), B256::ZERO], 2);
        assert_eq!(merkleize(&[chunk(1), chunk(2), chunk(3)], 2), whole);
        let left = hash_pair(chunk(1), chunk(2));
        assert_eq!(whole, hash_pair(left, hash_pair(chunk(3), B256::ZERO)));
    }

    #[test]
    fn empty_trees_have_the_zero_root_of_their_depth() {
        assert_eq!(merkleize(&[], 0), B256::ZERO);
        let one = hash_pair(B256::ZERO, B256::ZERO);
        assert_eq!(merkleize(&[], 2), hash_pair(one, one));
    }

    #[test]
    fn a_branch_is_valid_for_its_own_index_only() {
        let leaves = [chunk(1), chunk(2), chunk(3), chunk(4)];
        let root = merkleize(&leaves, 2);
        let branch = [chunk(4), hash_pair(chunk(1), chunk(2))];
        assert!(branch_is_valid(chunk(3), &branch, 6, root));
        for gindex in [0, 1, 2, 3, 4, 5, 7, 12, 13] {
            assert!(!branch_is_valid(chunk(3), &branch, gindex, root), "{gindex}");
        }
        assert!(!branch_is_valid(chunk(3), &branch[..1], 6, root));
        assert!(!branch_is_valid(chunk(3), &[branch[0], branch[1], root], 6, root));
    }

    #[test]
    fn only_zeros_may_precede_a_branch() {
        let root = merkleize(&[chunk(1), chunk(2)], 1);
        let holds = |branch: &[B256]| normalized_branch_is_valid(chunk(1), branch, 2, root);
        assert!(holds(&[chunk(2)]) && holds(&[B256::ZERO, B256::ZERO, chunk(2)]));
        assert!(!holds(&[]) && !holds(&[B256::ZERO]));
        assert!(!holds(&[chunk(9), B256::ZERO, chunk(2)]) && !holds(&[B256::ZERO, chunk(9), chunk(2)]));
        assert!(!holds(&[B256::ZERO, chunk(2), B256::ZERO]));
        assert!(!normalized_branch_is_valid(chunk(1), &[chunk(2)], 3, root));
        assert!(!normalized_branch_is_valid(chunk(1), &[chunk(2)], 0, root));
    }

    #[test]
    fn the_root_is_its_own_proof_at_index_one() {
        assert!(branch_is_valid(chunk(9), &[], 1, chunk(9)));
        assert!(!branch_is_valid(chunk(9), &[], 0, chunk(9)));
    }
}
