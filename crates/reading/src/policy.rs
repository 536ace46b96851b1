//! The conditions under which a reading may be called proven.

use std::time::Duration;

use saldo_chain::Level;

/// The conditions that a proven reading must meet, and the limits of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The least assurance of the block that the proof is checked under.
    pub assurance: Level,
    /// How old that block may be, beyond an allowance of [`Now::SLOTS_BEHIND`](crate::Now::SLOTS_BEHIND) slots of the
    /// network (60 s on mainnet). The newest signed block is always some slots behind the clock. Without the allowance a
    /// clock that is fast by `max_age` would make every block too old. The age that is shown does not subtract the
    /// allowance. Finalized blocks are 13 to 20 minutes old on mainnet.
    pub max_age: Duration,
    /// How long a read may take.
    pub deadline: Duration,
    /// How many operators may see one address while one of them proves its balance. If none does, the others are asked as
    /// well, and the attempts of the reading show that ([`Attempt::over_policy`](crate::Attempt::over_policy)). Later reads
    /// ask the same operators again. A provider that could not be reached has not seen the address.
    pub operators_per_address: usize,
    /// Whether no more operators may see an address even if these prove nothing. The reading is then unknown.
    pub strict: bool,
}

impl Policy {
    /// Returns the policy for a block that at least two thirds of the sync committee signed, at most 5 minutes old as
    /// [`Policy::max_age`] counts it.
    pub fn signed() -> Self {
        Self {
            assurance: Level::Signed,
            max_age: Duration::from_secs(5 * 60),
            deadline: Duration::from_secs(4),
            operators_per_address: 2,
            strict: false,
        }
    }

    /// Returns the same policy with a deadline of 20 s instead of 4 s, for work that no user waits for.
    #[must_use]
    pub fn in_background(self) -> Self {
        Self { deadline: Duration::from_secs(20), ..self }
    }

    /// Returns the policy for a finalized block, at most 30 minutes old as [`Policy::max_age`] counts it.
    pub fn finalized() -> Self {
        Self { assurance: Level::Finalized, max_age: Duration::from_secs(30 * 60), ..Self::signed() }
    }
}

impl Default for Policy {
    /// Returns [`Policy::signed`].
    fn default() -> Self {
        Self::signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block becomes final 13 to 20 minutes after it was made. The age limit of a signed block would refuse every final
    /// block.
    #[test]
    fn a_finalized_block_may_be_older_than_a_signed_one() {
        let (signed, finalized) = (Policy::signed(), Policy::finalized());
        assert_eq!((signed.assurance, signed.max_age), (Level::Signed, Duration::from_secs(300)));
        assert_eq!((finalized.assurance, finalized.max_age), (Level::Finalized, Duration::from_secs(1_800)));
        assert_eq!(Policy { assurance: Level::Signed, max_age: signed.max_age, ..finalized }, signed);
    }

    #[test]
    fn background_work_has_a_longer_deadline() {
        let (signed, finalized) = (Policy::signed(), Policy { strict: true, ..Policy::finalized() });
        assert_eq!(signed.deadline, Duration::from_secs(4));
        for policy in [signed, finalized] {
            let expected = Policy { deadline: Duration::from_secs(20), ..policy };
            assert_eq!(policy.in_background(), expected);
        }
    }
}
