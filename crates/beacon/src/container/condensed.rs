//! So much of a sync committee as one signature needs.

use alloy_primitives::B256;

use super::committee::{PublicKeyBytes, SyncAggregate, SyncCommittee, key_root};
use crate::merkle::{hash_pair, merkleize};

/// So much of a sync committee as one signature needs, for anyone who knows the committee's root: the sum of all keys, and
/// the keys of the members that did not sign, with their proof under that root.
///
/// The sum of the signers' keys is the sum of all keys minus those of the absent members. The root commits to all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CondensedCommittee {
    /// The sum of all keys.
    pub aggregate_pubkey: PublicKeyBytes,
    /// The keys of the members that did not sign, in their order.
    pub absent: Vec<PublicKeyBytes>,
    /// The roots of the largest subtrees of the list of keys in which every member signed, from left to right.
    pub siblings: Vec<B256>,
}

impl CondensedCommittee {
    /// Condenses a committee for the signature `aggregate`.
    pub fn of(committee: &SyncCommittee, aggregate: &SyncAggregate) -> Self {
        let roots: Vec<B256> = committee.pubkeys.iter().map(key_root).collect();
        let members = committee.pubkeys.iter().enumerate();
        let absent = members.filter(|(member, _)| !aggregate.has_signed(*member)).map(|(_, key)| *key);
        let mut siblings = Vec::new();
        let mut keep = |first: usize, width: usize| {
            let last = first.saturating_add(width).min(roots.len());
            let within = roots.get(first.min(last)..last).unwrap_or_default();
            siblings.push(merkleize(within, width.checked_ilog2().unwrap_or(0)));
            Some(B256::ZERO)
        };
        let _ = walk(aggregate, 0, width_of(roots.len()), &mut keep, &mut || Some(B256::ZERO));
        Self { aggregate_pubkey: committee.aggregate_pubkey, absent: absent.collect(), siblings }
    }

    /// Returns the hash tree root of the committee, if the members that `aggregate` shows as absent are those of this value, and
    /// nothing is left over.
    pub fn hash_tree_root(&self, aggregate: &SyncAggregate) -> Option<B256> {
        let (mut siblings, mut absent) = (self.siblings.iter(), self.absent.iter());
        let mut next_sibling = |_, _| siblings.next().copied();
        let mut next_absent = || absent.next().map(key_root);
        let keys = walk(aggregate, 0, width_of(aggregate.size), &mut next_sibling, &mut next_absent)?;
        let is_all = siblings.next().is_none() && absent.next().is_none();
        is_all.then(|| hash_pair(keys, key_root(&self.aggregate_pubkey)))
    }
}

/// The leaves of the tree of that many keys.
fn width_of(members: usize) -> usize {
    members.checked_next_power_of_two().unwrap_or(0)
}

/// Returns the root of the subtree of `width` members from `first` on. The recursion is as deep as the width has bits.
fn walk(
    aggregate: &SyncAggregate,
    first: usize,
    width: usize,
    sibling: &mut impl FnMut(usize, usize) -> Option<B256>,
    absent: &mut impl FnMut() -> Option<B256>,
) -> Option<B256> {
    let end = first.saturating_add(width).min(aggregate.size);
    if (first..end).all(|member| aggregate.has_signed(member)) {
        return sibling(first, width);
    }
    if width <= 1 {
        return absent();
    }
    let half = width / 2;
    let left = walk(aggregate, first, half, sibling, absent)?;
    let right = walk(aggregate, first.saturating_add(half), half, sibling, absent)?;
    Some(hash_pair(left, right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::SignatureBytes;

    fn committee(size: u8) -> SyncCommittee {
        let pubkeys = (0..size).map(PublicKeyBytes::repeat_byte).collect();
        SyncCommittee { pubkeys, aggregate_pubkey: PublicKeyBytes::repeat_byte(0xaa) }
    }

    fn aggregate(size: usize, absent: &[usize]) -> SyncAggregate {
        let mut bits = vec![0; size.div_ceil(8)];
        for member in (0..size).filter(|member| !absent.contains(member)) {
            bits[member / 8] |= 1 << (member % 8);
        }
        SyncAggregate { bits, size, signature: SignatureBytes::ZERO }
    }

    #[test]
    fn a_condensed_committee_has_the_root_of_the_whole() {
        for size in [1, 2, 3, 5, 8, 32, 100] {
            let committee = committee(size);
            let size = usize::from(size);
            for absent in [vec![], vec![0], vec![size - 1], vec![0, size / 2], (0..size).collect()] {
                let aggregate = aggregate(size, &absent);
                let condensed = CondensedCommittee::of(&committee, &aggregate);
                let mut members = absent.clone();
                members.dedup();
                assert_eq!(condensed.absent.len(), members.len(), "{size} {absent:?}");
                assert_eq!(condensed.hash_tree_root(&aggregate), Some(committee.hash_tree_root()));
            }
        }
    }

    #[test]
    fn one_absent_member_takes_one_branch() {
        let condensed = CondensedCommittee::of(&committee(32), &aggregate(32, &[9]));
        assert_eq!((condensed.absent.len(), condensed.siblings.len()), (1, 5));
        let condensed = CondensedCommittee::of(&committee(32), &aggregate(32, &[]));
        assert_eq!((condensed.absent.len(), condensed.siblings.len()), (0, 1));
    }

    #[test]
    fn other_absent_members_do_not_fit() {
        let (committee, signed) = (committee(32), aggregate(32, &[3, 4, 20]));
        let root = Some(committee.hash_tree_root());
        let condensed = CondensedCommittee::of(&committee, &signed);
        for absent in [&[3, 4][..], &[3, 5, 20], &[3, 4, 21], &[], &[3, 4, 20, 21], &[2, 3, 20]] {
            assert_ne!(condensed.hash_tree_root(&aggregate(32, absent)), root, "{absent:?}");
        }
        for place in 0..condensed.absent.len() {
            let mut other = condensed.clone();
            other.absent[place] = PublicKeyBytes::repeat_byte(31);
            assert_ne!(other.hash_tree_root(&signed), root);
            other.absent.remove(place);
            assert_eq!(other.hash_tree_root(&signed), None);
        }
        for place in 0..condensed.siblings.len() {
            let mut other = condensed.clone();
            other.siblings[place].0[7] ^= 1;
            assert_ne!(other.hash_tree_root(&signed), root);
            other.siblings.remove(place);
            assert_eq!(other.hash_tree_root(&signed), None);
        }
        let mut longer = condensed.clone();
        longer.siblings.push(B256::ZERO);
        assert_eq!(longer.hash_tree_root(&signed), None);
        let mut longer = condensed;
        longer.absent.push(PublicKeyBytes::ZERO);
        assert_eq!(longer.hash_tree_root(&signed), None);
    }
}
