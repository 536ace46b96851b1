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
            max_age: Self::max_age_at(Level::Signed),
            deadline: Duration::from_secs(4),
            operators_per_address: 2,
            strict: false,
        }
    }

    /// Returns the policy for a block of a rollup whose claim L1 checked a proof of, at most 3 hours old.
    ///
    /// A checked proof follows its block within the hour, and L1 makes it final 20 minutes later: 3 hours allow for one interval that
    /// is left out. The deadline is longer, because the contracts on L1 are read first.
    pub fn rollup() -> Self {
        Self {
            assurance: Level::L1ProofChecked,
            max_age: Self::max_age_at(Level::L1ProofChecked),
            deadline: Duration::from_secs(8),
            ..Self::signed()
        }
    }

    /// Returns how old a block of the assurance `level` may be, unless a policy says otherwise. A block of a rollup that L1 counts as
    /// final may be 8 days old: a game is final after up to 7 days, and the next one follows within hours.
    pub(crate) const fn max_age_at(level: Level) -> Duration {
        match level {
            Level::Signed => Duration::from_secs(5 * 60),
            Level::Finalized => Duration::from_secs(30 * 60),
            Level::L1ProofChecked => Duration::from_secs(3 * 60 * 60),
            Level::L1Finalized => Duration::from_secs(8 * 24 * 60 * 60),
        }
    }

    /// Returns the policy for a block of the assurance `level`. A block of the strongest level is older, so it may be older where the
    /// policy asks for less.
    #[must_use]
    pub fn at(self, level: Level) -> Self {
        if level <= self.assurance {
            return self;
        }
        Self { max_age: self.max_age.max(Self::max_age_at(level)), ..self }
    }

    /// Returns the same policy with a deadline of 20 s instead of 4 s, for work that no user waits for.
    #[must_use]
    pub fn in_background(self) -> Self {
        Self { deadline: Duration::from_secs(20), ..self }
    }

    /// Returns the policy for a finalized block, at most 30 minutes old as [`Policy::max_age`] counts it.
    pub fn finalized() -> Self {
        Self { assurance: Level::Finalized, max_age: Self::max_age_at(Level::Finalized), ..Self::signed() }
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

    /// L1 vouches for a block of a rollup an hour later, and counts it as final days later.
    #[test]
    fn a_block_of_a_rollup_may_be_as_old_as_l1_needs() {
        let policy = Policy::rollup();
        let hours = |level| policy.at(level).max_age.as_secs() / 3_600;
        assert_eq!((hours(Level::L1ProofChecked), hours(Level::L1Finalized)), (3, 192));
        assert_eq!(Policy::signed().at(Level::Finalized).max_age, Policy::finalized().max_age);
        assert_eq!(Policy::finalized().at(Level::Signed), Policy::finalized());
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
