//! `light_client/single_merkle_proof`: the indices and depths of saldo's table are those of the executable spec.
//!
//! The state or body itself is not decoded, so its root is taken from the branch.

use alloy_primitives::B256;
use saldo_beacon::Fork;
use saldo_beacon::fork::ForkRules;
use saldo_beacon::merkle::{branch_is_valid, hash_pair};
use serde::Deserialize;

use super::{Case, Counts, count, name, yaml};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MerkleProof {
    leaf: B256,
    leaf_index: u64,
    branch: Vec<B256>,
}

/// A fork without a name in this version. The vectors have only its indices, which are those of Gloas.
const HEZE: (&str, Fork) = ("heze", Fork::Gloas);

fn rules(fork: &str) -> &'static ForkRules {
    let known = if fork == HEZE.0 { Some(HEZE.1) } else { Fork::from_name(fork) };
    known.unwrap_or_else(|| panic!("no such fork: {fork}")).rules()
}

pub(super) fn run(case: &Case, counts: &mut Counts) {
    let proof: MerkleProof = yaml(&case.folder.join("proof.yaml"));
    let rules = rules(&case.fork);
    let expected = match name(&case.folder) {
        "current_sync_committee_merkle_proof" => rules.current_sync_committee,
        "next_sync_committee_merkle_proof" => rules.next_sync_committee,
        "finality_root_merkle_proof" => rules.finalized_root,
        "execution_merkle_proof" => rules.execution.unwrap(),
        "execution_block_hash_merkle_proof" => rules.execution_block_hash.unwrap(),
        other => panic!("no such proof: {other}"),
    };
    assert_eq!(proof.leaf_index, expected);
    let siblings = proof.branch.iter().enumerate();
    let root = siblings.fold(proof.leaf, |node, (level, sibling)| match expected >> level & 1 {
        1 => hash_pair(*sibling, node),
        _ => hash_pair(node, *sibling),
    });
    assert!(branch_is_valid(proof.leaf, &proof.branch, expected, root));
    let is_twin = proof.branch.first() == Some(&proof.leaf);
    assert_eq!(branch_is_valid(proof.leaf, &proof.branch, expected ^ 1, root), is_twin);
    count(counts, "single_merkle_proof");
}
