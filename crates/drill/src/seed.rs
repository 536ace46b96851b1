//! Everything random about a drill, as a function of a seed, a label and a number.

use alloy_primitives::{B256, U256, keccak256};

/// A source of pseudo-random values that has no state: the same question always has the same answer, in any
/// order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// Starts from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 32 pseudo-random bytes for the `index`-th use of `label`.
    pub fn bytes(self, label: &str, index: u64) -> B256 {
        let mut input = label.as_bytes().to_vec();
        input.extend_from_slice(&self.0.to_be_bytes());
        input.extend_from_slice(&index.to_be_bytes());
        keccak256(input)
    }

    /// A pseudo-random number for the `index`-th use of `label`.
    pub fn number(self, label: &str, index: u64) -> u64 {
        let low = U256::from_be_bytes(self.bytes(label, index).0) & U256::from(u64::MAX);
        low.saturating_to()
    }

    /// A pseudo-random number below `bound` (0 if `bound` is 0).
    pub fn below(self, bound: u64, label: &str, index: u64) -> u64 {
        self.number(label, index).checked_rem(bound).unwrap_or(0)
    }

    /// Another seed, for a part that must not depend on how often its siblings ask.
    pub fn child(self, label: &str) -> Self {
        Self(self.number(label, 0))
    }
}
