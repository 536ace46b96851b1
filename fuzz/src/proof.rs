//! How targets make proofs from bytes, and what `alloy-trie` says about them.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_trie::Nibbles;
use alloy_trie::proof::{ProofVerificationError, verify_proof};

use crate::input::{Input, part};

/// Stands in a template for the hash of the next node.
const PLACEHOLDER: [u8; 32] = [0xaa; 32];

/// Reads a proof. If the first byte is odd, it is a template. The nodes follow, each after its length.
///
/// In a template, each node's hash replaces the [`PLACEHOLDER`] in the node before, from the last node to the first.
/// Random bytes would never pass the first hash check.
pub fn nodes(input: &mut Input<'_>) -> Vec<Bytes> {
    let is_template = input.byte() % 2 == 1;
    let mut nodes = Vec::new();
    while !input.is_empty() {
        nodes.push(input.part().to_vec());
    }
    if is_template {
        for index in (1..nodes.len()).rev() {
            let hash = keccak256(&nodes[index]);
            replace(&mut nodes[index - 1], &PLACEHOLDER, &hash.0);
        }
    }
    nodes.into_iter().map(Bytes::from).collect()
}

/// Writes a proof as a template from which [`nodes`] makes the same proof.
pub fn template(proof: &[Bytes]) -> Vec<u8> {
    let mut nodes: Vec<Vec<u8>> = proof.iter().map(|node| node.to_vec()).collect();
    for index in 1..nodes.len() {
        let hash = keccak256(&proof[index]);
        replace(&mut nodes[index - 1], &hash.0, &PLACEHOLDER);
    }
    let mut input = vec![1];
    input.extend(nodes.iter().flat_map(|node| part(node)));
    input
}

fn replace(node: &mut [u8], old: &[u8; 32], new: &[u8; 32]) {
    if let Some(place) = node.windows(32).position(|window| window == old) {
        node[place..place + 32].copy_from_slice(new);
    }
}

/// Whether `alloy-trie` accepts the proof for this value (or for absence), or does not support such tries. The three
/// kinds of tries that it does not support do not occur with hashed keys.
pub fn alloy_agrees(root: B256, key: B256, value: Option<&[u8]>, proof: &[Bytes]) -> bool {
    match verify_proof(root, Nibbles::unpack(key), value.map(<[u8]>::to_vec), proof) {
        Ok(()) => true,
        Err(ProofVerificationError::Rlp(alloy_rlp::Error::Custom(why))) => {
            why == "branch node values are not supported"
                || why == "in-place extension node child is not a branch node"
        }
        Err(_) => proof.first().is_some_and(|node| node.len() < 32),
    }
}
