//! What a wallet asks of a reading before it may be called proven.

use std::time::Duration;

use saldo_chain::Level;

/// What a reading must reach, and what may be spent on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The least assurance of the block that is proven under.
    pub assurance: Level,
    /// How old that block may be, beyond an allowance of [`Now::SLOTS_BEHIND`](crate::Now::SLOTS_BEHIND) slots of the
    /// network (60 s on mainnet): the newest signed block is always some slots behind the clock, so that without it a
    /// clock that is fast by `max_age` would make everything too old. Only the verdict has the allowance: the age that is
    /// shown is the whole one, by the device's clock. Finalized blocks are 13 to 20 minutes old on mainnet.
    pub max_age: Duration,
    /// How long a read may take.
    pub deadline: Duration,
    /// How many operators may see one address, as long as one of them proves what it holds; if none does, the others are
    /// asked as well, and the attempts of the reading say so ([`Attempt::over_policy`](crate::Attempt::over_policy)). The same ones
    /// are asked again. A provider that could not be reached has not seen the address.
    pub operators_per_address: usize,
    /// Whether no more operators see an address even if none of these proves anything: then the reading is unknown.
    pub strict: bool,
}

impl Policy {
    /// A block signed by at least two thirds of the sync committee, at most 5 minutes old as [`Policy::max_age`] counts it.
    pub fn signed() -> Self {
        Self {
            assurance: Level::Signed,
            max_age: Duration::from_secs(5 * 60),
            deadline: Duration::from_secs(4),
            operators_per_address: 2,
            strict: false,
        }
    }

    /// The same with a deadline of 20 s instead of 4 s: for work that nobody waits for.
    #[must_use]
    pub fn in_background(self) -> Self {
        Self { deadline: Duration::from_secs(20), ..self }
    }

    /// A finalized block, at most 30 minutes old as [`Policy::max_age`] counts it.
    pub fn finalized() -> Self {
        Self { assurance: Level::Finalized, max_age: Duration::from_secs(30 * 60), ..Self::signed() }
    }
}

impl Default for Policy {
    /// [`Policy::signed`].
    fn default() -> Self {
        Self::signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block is final 13 to 20 minutes after it was made: the age that is right for a signed one would refuse them all.
    #[test]
    fn what_is_final_may_be_older_than_what_is_signed() {
        let (signed, finalized) = (Policy::signed(), Policy::finalized());
        assert_eq!((signed.assurance, signed.max_age), (Level::Signed, Duration::from_secs(300)));
        assert_eq!((finalized.assurance, finalized.max_age), (Level::Finalized, Duration::from_secs(1_800)));
        assert_eq!(Policy { assurance: Level::Signed, max_age: signed.max_age, ..finalized }, signed);
    }

    #[test]
    fn what_nobody_waits_for_may_take_longer() {
        let (signed, finalized) = (Policy::signed(), Policy { strict: true, ..Policy::finalized() });
        assert_eq!(signed.deadline, Duration::from_secs(4));
        for policy in [signed, finalized] {
            let expected = Policy { deadline: Duration::from_secs(20), ..policy };
            assert_eq!(policy.in_background(), expected);
        }
    }
}
