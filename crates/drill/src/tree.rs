//! Merkle trees of which only a few nodes matter, named by generalized indices
//! (consensus-specs `ssz/merkle-proofs.md`).

use std::collections::BTreeMap;

use alloy_primitives::{B256, keccak256};
use saldo_beacon::merkle::hash_pair;

/// A tree with nodes that are given and, everywhere else, nodes that are made up.
///
/// Its root and its branches do not show which other fields the container has.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: BTreeMap<u64, B256>,
    filler: B256,
}

impl Tree {
    /// A tree with these nodes, none of which is above another; `filler` makes up the rest.
    pub(crate) fn new(filler: B256, nodes: impl IntoIterator<Item = (u64, B256)>) -> Self {
        Self { nodes: nodes.into_iter().collect(), filler }
    }

    pub(crate) fn root(&self) -> B256 {
        self.node(1)
    }

    /// The siblings on the way from the node at `index` up to the root, lowest first.
    pub(crate) fn branch(&self, index: u64) -> Vec<B256> {
        (0..depth(index)).map(|level| self.node((index >> level) ^ 1)).collect()
    }

    fn node(&self, index: u64) -> B256 {
        if let Some(node) = self.nodes.get(&index) {
            return *node;
        }
        if !self.is_above_one(index) {
            return keccak256([self.filler, B256::left_padding_from(&index.to_be_bytes())].concat());
        }
        let left = index << 1;
        hash_pair(self.node(left), self.node(left | 1))
    }

    fn is_above_one(&self, index: u64) -> bool {
        let below = |other: u64| depth(other).checked_sub(depth(index)).map(|levels| other >> levels);
        self.nodes.keys().any(|other| below(*other) == Some(index))
    }
}

/// How many levels below the root the node at `index` is.
fn depth(index: u64) -> u32 {
    index.checked_ilog2().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use saldo_beacon::merkle::branch_is_valid;

    use super::*;

    #[test]
    fn every_given_node_has_its_branch() {
        let node = |index: u64| B256::left_padding_from(&index.to_be_bytes());
        let given = [735_u64, 734, 2945, 2946, 20];
        let tree = Tree::new(B256::ZERO, given.map(|index| (index, node(index))));
        for index in given {
            assert!(branch_is_valid(node(index), &tree.branch(index), index, tree.root()), "{index}");
        }
        assert!(!branch_is_valid(node(735), &tree.branch(734), 734, tree.root()));
        let other = Tree::new(B256::with_last_byte(1), given.map(|index| (index, node(index))));
        assert_ne!(other.root(), tree.root());
    }
}
