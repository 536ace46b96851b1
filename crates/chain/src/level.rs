//! The order of strength of an assurance.

use std::cmp::Ordering;

/// How strong an [`Assurance`](crate::Assurance) is.
///
/// Levels are ordered within their family: `Signed < Finalized` for blocks that a chain's own committee signed, and
/// `L1ProofChecked < L1Finalized` for blocks of a rollup. Levels of two families are never compared: neither is stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Signed by at least two thirds of the sync committee.
    Signed,
    /// Finalized.
    Finalized,
    /// Of a rollup: Ethereum (L1) checked a proof of the claim when the game was created. The game can still be challenged.
    L1ProofChecked,
    /// Of a rollup: the game ended in favour of its claim, and the registry's delay is over by L1's time.
    L1Finalized,
}

impl Level {
    /// Returns a stable name, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Finalized => "finalized",
            Self::L1ProofChecked => "l1_proof_checked",
            Self::L1Finalized => "l1_finalized",
        }
    }

    /// Returns whether it is a level of a rollup's blocks.
    pub const fn is_of_rollup(self) -> bool {
        matches!(self, Self::L1ProofChecked | Self::L1Finalized)
    }

    /// Returns the strongest level of its family.
    #[must_use]
    pub const fn strongest(self) -> Self {
        if self.is_of_rollup() { Self::L1Finalized } else { Self::Finalized }
    }

    /// Returns whether it is of the same family as `least`, and not weaker.
    pub fn meets(self, least: Self) -> bool {
        self >= least
    }

    /// Returns whether it is the strongest level of its family.
    pub const fn is_strongest(self) -> bool {
        matches!(self, Self::Finalized | Self::L1Finalized)
    }
}

impl PartialOrd for Level {
    /// `None` for levels of two families.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let is_same_family = self.is_of_rollup() == other.is_of_rollup();
        is_same_family.then(|| self.is_strongest().cmp(&other.is_strongest()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_within_their_family() {
        assert!(Level::Signed < Level::Finalized && Level::L1ProofChecked < Level::L1Finalized);
        for own in [Level::Signed, Level::Finalized] {
            for of_rollup in [Level::L1ProofChecked, Level::L1Finalized] {
                assert!(own.partial_cmp(&of_rollup).is_none() && of_rollup.partial_cmp(&own).is_none());
                assert!(!(own >= of_rollup || of_rollup >= own || own == of_rollup));
            }
        }
        assert_eq!(Level::Signed.strongest(), Level::Finalized);
        assert_eq!(Level::L1ProofChecked.strongest(), Level::L1Finalized);
    }
}
