//! A scenario's rollup, and what can happen to it.

use std::time::Duration;

use alloy_primitives::U256;

use crate::RollupKind;

/// The rollup of a scenario: a block every 2 s, and a claim about it on L1 every so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollupPlan {
    /// How L1 decides about its claims.
    pub kind: RollupKind,
    /// How much time of the rollup each claim is about.
    pub claims_every: Duration,
    /// How long after the last block that it is about a claim is made.
    pub claims_after: Duration,
}

impl RollupPlan {
    /// The time from one block to the next.
    pub const BLOCK_TIME: Duration = Duration::from_secs(2);
    /// How many blocks lie between two roots of a claim, where it has several: as on Base.
    pub(crate) const STEP: u64 = 30;

    /// The same with claims so many times as often, but at most one a minute: a claim is about whole minutes.
    #[must_use]
    pub fn faster(self, times: u32) -> Self {
        const MINUTE: u64 = 60;
        let minutes = self.claims_every.checked_div(times).unwrap_or_default().as_secs().checked_div(MINUTE);
        let claims_every = Duration::from_secs(minutes.unwrap_or_default().max(1).saturating_mul(MINUTE));
        let claims_after = self.claims_after.checked_div(times).unwrap_or_default();
        let faster = Self { claims_every, claims_after, ..self };
        match self.kind {
            RollupKind::Multiproof { step, .. } => {
                Self { kind: RollupKind::Multiproof { interval: faster.interval(), step }, ..faster }
            }
            RollupKind::Fault => faster,
        }
    }

    /// How many blocks each claim is about.
    pub fn interval(&self) -> u64 {
        self.claims_every.as_secs().checked_div(Self::BLOCK_TIME.as_secs()).unwrap_or_default().max(1)
    }
}

/// What can happen to a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnRollup {
    /// It makes no blocks any more.
    Stops,
    /// It makes blocks again, those too that are missing.
    GoesOn,
    /// Nothing is claimed about it any more.
    ClaimsStop,
    /// It is claimed again what its blocks are.
    ClaimsGoOn,
    /// From now on there are false claims too: of a branch on which the account holds this much, in wei.
    FalseClaims(U256),
    /// L1 is shown that the false claims are false, and there are no more.
    FalseClaimsRefuted,
    /// The guardian takes the newest true claim back.
    NewestClaimBlacklisted,
    /// The guardian takes all claims back that were made so far.
    ClaimsRetired,
    /// Whether its system is paused.
    Paused(bool),
}

impl OnRollup {
    /// The same in words.
    pub(crate) fn words(self) -> String {
        let words = match self {
            Self::Stops => "the rollup makes no blocks any more",
            Self::GoesOn => "the rollup makes blocks again, those too that are missing",
            Self::ClaimsStop => "nothing is claimed about the rollup any more",
            Self::ClaimsGoOn => "the rollup's blocks are claimed again",
            Self::FalseClaims(wei) => {
                let wei = super::ether(wei);
                return format!("there are false claims too: that the account holds {wei} ether");
            }
            Self::FalseClaimsRefuted => "the false claims are refuted, and there are no more",
            Self::NewestClaimBlacklisted => "the newest claim is taken back",
            Self::ClaimsRetired => "all claims are taken back",
            Self::Paused(true) => "the rollup is paused",
            Self::Paused(false) => "the rollup is not paused any more",
        };
        words.to_owned()
    }
}
