//! The sync committee and its aggregate signature.

use alloy_primitives::{B256, FixedBytes};

use crate::merkle::{chunks, hash_pair, merkleize};

/// A compressed BLS12-381 public key.
pub type PublicKeyBytes = FixedBytes<48>;

/// A compressed BLS12-381 signature.
pub type SignatureBytes = FixedBytes<96>;

/// The validators that sign heads for one period.
///
/// Source: `SyncCommittee`, consensus-specs `altair/beacon-chain.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncCommittee {
    /// The members' keys in order. A validator that was drawn twice is listed twice.
    pub pubkeys: Vec<PublicKeyBytes>,
    /// The sum of all keys.
    pub aggregate_pubkey: PublicKeyBytes,
}

impl SyncCommittee {
    /// Returns the hash tree root, for a committee of `pubkeys.len()` members.
    pub fn hash_tree_root(&self) -> B256 {
        let keys: Vec<B256> = self.pubkeys.iter().map(key_root).collect();
        hash_pair(merkleize(&keys, 0), key_root(&self.aggregate_pubkey))
    }
}

/// Returns the root of a key, which fills one chunk and half of another.
pub(super) fn key_root(key: &PublicKeyBytes) -> B256 {
    let (first, rest) = key.split_at(32);
    hash_pair(B256::right_padding_from(first), B256::right_padding_from(rest))
}

/// Which members of a sync committee signed, and their aggregate signature.
///
/// Source: `SyncAggregate`, consensus-specs `altair/beacon-chain.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncAggregate {
    /// One bit for every member, the first member in the lowest bit of the first byte.
    pub bits: Vec<u8>,
    /// Number of members, signed or not.
    pub size: usize,
    /// The aggregate signature over the attested block's root.
    pub signature: SignatureBytes,
}

impl SyncAggregate {
    /// Returns how many members signed.
    pub fn signers(&self) -> usize {
        (0..self.size).filter(|member| self.has_signed(*member)).count()
    }

    /// Whether the member at that position signed.
    pub fn has_signed(&self, member: usize) -> bool {
        member < self.size && self.bit(member)
    }

    /// Whether there is exactly one bit for every member, and no bit is set beyond them.
    pub fn is_well_formed(&self) -> bool {
        let bits = self.bits.len().saturating_mul(8);
        self.bits.len() == self.size.div_ceil(8) && !(self.size..bits).any(|bit| self.bit(bit))
    }

    /// Returns the hash tree root.
    pub fn hash_tree_root(&self) -> B256 {
        hash_pair(merkleize(&chunks(&self.bits), 0), merkleize(&chunks(self.signature.as_slice()), 2))
    }

    fn bit(&self, index: usize) -> bool {
        self.bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregate(bits: &[u8], size: usize) -> SyncAggregate {
        SyncAggregate { bits: bits.to_vec(), size, signature: SignatureBytes::ZERO }
    }

    #[test]
    fn signers_are_counted_within_the_committee() {
        assert_eq!(aggregate(&[0xff, 0x01], 16).signers(), 9);
        assert_eq!(aggregate(&[0xff], 4).signers(), 4);
        assert_eq!(aggregate(&[], 16).signers(), 0);
    }

    #[test]
    fn bits_beyond_the_committee_are_detected() {
        assert!(aggregate(&[0x18], 4).has_signed(3));
        assert!(!aggregate(&[0x18], 4).has_signed(4), "there is no such member");
        assert!(aggregate(&[0x0f], 4).is_well_formed());
        assert!(!aggregate(&[0x1f], 4).is_well_formed());
        assert!(!aggregate(&[0xff, 0xff], 8).is_well_formed());
        assert!(!aggregate(&[], 8).is_well_formed());
    }
}
