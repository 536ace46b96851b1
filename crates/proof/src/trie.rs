//! The Merkle-Patricia trie: what a proof says about one key of any trie.
//!
//! Wallet code uses [`verify_account`](crate::verify_account). This module also serves other tries and tests.

use alloy_primitives::{B256, b256, keccak256};

use crate::error::ProofError;
use crate::node::{self, Child, Step};
use crate::path::KeyPath;
use crate::rlp;

/// The root of an empty trie: keccak256 of the RLP empty string, 0x80.
pub const EMPTY_ROOT_HASH: B256 = b256!("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/// The most nodes a proof may have: a branch for each of the 64 nibbles of a hashed key, and a leaf.
pub const MAX_NODES: usize = 65;

/// The most bytes a node may have. The largest node of a state trie, a full branch, has 532 bytes, and an account's leaf
/// has fewer than 200. The rest is for values in other tries. Together with [`MAX_NODES`], one proof costs at most the
/// hashing of 65 KiB.
pub const MAX_NODE_BYTES: usize = 1024;

/// What a complete proof says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// The trie holds this value under the key.
    Present(&'a [u8]),
    /// The trie holds nothing under the key.
    Absent,
}

/// Walks `proof` from `root` along `key` to the value, or to the place where the value would be. If the trie hashes its
/// keys, `key` is the hash.
///
/// The proof holds the nodes on that path and no others, root first. The empty trie has no nodes; the single node 0x80,
/// which some clients send for it, is accepted.
///
/// # Errors
/// Any [`ProofError`] if a node is missing, is not the node that its parent names, or is not valid. The key is then
/// neither known to be present nor known to be absent.
pub fn lookup<'a, N: AsRef<[u8]>>(root: B256, key: &[u8], proof: &'a [N]) -> Result<Lookup<'a>, ProofError> {
    walk(root, key, proof, &mut Forgetful)
}

/// Remembers nodes whose hashes were checked, so that they are not hashed again.
pub(crate) trait Memory<'a> {
    /// Whether `bytes`, at this place of a proof, are known to have the hash `hash`.
    fn knows(&self, node: usize, hash: &B256, bytes: &[u8]) -> bool;
    /// Records that `bytes`, at this place of a proof, have the hash `hash`.
    fn note(&mut self, node: usize, hash: &B256, bytes: &'a [u8]);
}

/// Remembers no node, so every node is hashed.
struct Forgetful;

impl<'a> Memory<'a> for Forgetful {
    fn knows(&self, _: usize, _: &B256, _: &[u8]) -> bool {
        false
    }

    fn note(&mut self, _: usize, _: &B256, _: &'a [u8]) {}
}

/// Does the work of [`lookup`], with a memory of nodes that were hashed before.
pub(crate) fn walk<'a, N: AsRef<[u8]>>(
    root: B256,
    key: &[u8],
    proof: &'a [N],
    memory: &mut impl Memory<'a>,
) -> Result<Lookup<'a>, ProofError> {
    check_limits(proof)?;
    if root == EMPTY_ROOT_HASH {
        return match proof {
            [] => Ok(Lookup::Absent),
            [only] if only.as_ref() == [0x80] => Ok(Lookup::Absent),
            _ => Err(ProofError::ExtraNodes { got: proof.len(), used: 0 }),
        };
    }

    let mut nodes = proof.iter().map(AsRef::as_ref).enumerate();
    let mut path = KeyPath::new(key);
    let (mut node, first) = nodes.next().ok_or(ProofError::EmptyProof { expected: root })?;
    let mut payload = open(first, node, path.depth(), &root, memory)?;
    // The loop ends: every turn takes a node from the proof or enters a strictly smaller part of the current node.
    let answer = loop {
        let child = match node::step(payload, path, node)? {
            Step::Down(child, nibbles) => {
                path = path.skip(nibbles);
                child
            }
            Step::Value(value) => break Lookup::Present(value),
            Step::Nowhere => break Lookup::Absent,
        };
        payload = match child {
            Child::Embedded(payload) => payload,
            Child::Hash(expected) => {
                let truncated = ProofError::Truncated { nodes: proof.len(), depth: path.depth() };
                let (index, bytes) = nodes.next().ok_or(truncated)?;
                node = index;
                open(bytes, node, path.depth(), expected, memory)?
            }
        };
    };
    match nodes.next() {
        None => Ok(answer),
        Some((used, _)) => Err(ProofError::ExtraNodes { got: proof.len(), used }),
    }
}

/// Refuses a proof that is too large, before any of its nodes is hashed.
pub(crate) fn check_limits<N: AsRef<[u8]>>(proof: &[N]) -> Result<(), ProofError> {
    if proof.len() > MAX_NODES {
        return Err(ProofError::TooManyNodes { got: proof.len(), limit: MAX_NODES });
    }
    match proof
        .iter()
        .map(|bytes| bytes.as_ref().len())
        .enumerate()
        .find(|(_, length)| *length > MAX_NODE_BYTES)
    {
        None => Ok(()),
        Some((node, got)) => Err(ProofError::NodeTooLarge { node, got, limit: MAX_NODE_BYTES }),
    }
}

/// Checks that `bytes` hash to `expected`, and returns the payload of the node's list.
fn open<'a>(
    bytes: &'a [u8],
    node: usize,
    depth: usize,
    expected: &B256,
    memory: &mut impl Memory<'a>,
) -> Result<&'a [u8], ProofError> {
    if !memory.knows(node, expected, bytes) {
        let got = keccak256(bytes);
        if got != *expected {
            return Err(ProofError::HashMismatch { node, expected: *expected, got });
        }
        memory.note(node, expected, bytes);
    }
    // A node shorter than a hash is embedded in its parent. Only the root has no parent.
    if node > 0 && bytes.len() < 32 {
        return Err(ProofError::NodeTooShort { node, got: bytes.len() });
    }
    rlp::only_item(bytes).and_then(rlp::list).map_err(|cause| ProofError::MalformedNode {
        node,
        depth,
        cause: cause.into(),
    })
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    const ROOT: B256 = B256::repeat_byte(1);

    fn refusal(proof: &[Vec<u8>]) -> ProofError {
        lookup(ROOT, &[0; 32], proof).unwrap_err()
    }

    #[test]
    fn as_many_nodes_and_bytes_are_hashed_as_the_limits_say_and_no_more() {
        for (length, is_hashed) in [(MAX_NODES, true), (MAX_NODES + 1, false), (MAX_NODES + 2, false)] {
            let refusal = refusal(&vec![vec![0x80]; length]);
            assert_eq!(matches!(refusal, ProofError::HashMismatch { node: 0, .. }), is_hashed, "{refusal}");
            let too_many = ProofError::TooManyNodes { got: length, limit: MAX_NODES };
            assert_eq!(refusal == too_many, !is_hashed, "{refusal}");
        }
        for (bytes, is_hashed) in
            [(MAX_NODE_BYTES, true), (MAX_NODE_BYTES + 1, false), (MAX_NODE_BYTES + 2, false)]
        {
            let refusal = refusal(&[vec![0x80], vec![0x80; bytes]]);
            assert_eq!(matches!(refusal, ProofError::HashMismatch { node: 0, .. }), is_hashed, "{refusal}");
            let too_large = ProofError::NodeTooLarge { node: 1, got: bytes, limit: MAX_NODE_BYTES };
            assert_eq!(refusal == too_large, !is_hashed, "{refusal}");
        }
    }
}
