//! How fuzz targets make proofs out of bytes, and what `alloy-trie` says of them.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_trie::Nibbles;
use alloy_trie::proof::{ProofVerificationError, verify_proof};

/// Splits input into nodes: two bytes of length (at most 2,047), then as many bytes.
///
/// If `chained`, each node's hash is written over the first run of 32 equal bytes in the node before, from the last to
/// the first: random bytes would never get past the first hash.
pub fn nodes(mut input: &[u8], chained: bool) -> Vec<Bytes> {
    let mut nodes = Vec::new();
    while let Some((length, rest)) = input.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length) & 0x07ff);
        let (node, rest) = rest.split_at(length.min(rest.len()));
        nodes.push(node.to_vec());
        input = rest;
    }
    if chained {
        for index in (1..nodes.len()).rev() {
            let hash = keccak256(&nodes[index]);
            let above = &mut nodes[index - 1];
            if let Some(place) = above.windows(32).position(|run| run.iter().all(|byte| *byte == run[0])) {
                above[place..place + 32].copy_from_slice(hash.as_slice());
            }
        }
    }
    nodes.into_iter().map(Bytes::from).collect()
}

/// Whether `alloy-trie` takes the proof for one of this value (or of absence), or says that it does not read such tries.
/// None of the three kinds it does not read occurs where keys are hashed.
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
