//! What L1 says of a rollup, for a status screen.

use std::time::Duration;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_chain::Anchor;
use saldo_chain::rollup::Refusal;
use saldo_reading::{Failure, ProviderId, Why};

/// Reports how far L1 vouches for a rollup.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RollupHealth {
    /// The newest block for which L1 vouches.
    pub newest: Option<Anchor>,
    /// Why L1 vouches for none of the newest claims, if it does not.
    pub problem: Option<Why>,
    /// What the contracts on L1 say against it, if that is the problem.
    pub refusal: Option<Refusal>,
    /// When claims about its blocks are made; `None` until the contracts were read.
    pub claims: Option<ClaimsHealth>,
    /// The time of the newest block of the rollup, if it stands still: the heads of several operators are the same, and old.
    pub stopped: Option<UnixTime>,
    /// What the relays of the sequencer's signatures showed. They are asked for a label of a claim, and where the rollup may stand still.
    pub relays: Vec<RelayHealth>,
}

/// Reports what a relay of the sequencer's signatures showed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayHealth {
    /// The relay.
    pub relay: ProviderId,
    /// The time of the newest block that the sequencer signed; `None` if it showed none.
    pub newest: Option<UnixTime>,
    /// Why its last answer was no block that the sequencer signed, if it was none.
    pub problem: Option<RelayProblem>,
}

/// Says why the answer of a relay was no block that the sequencer signed. It is the relay's fault, and no danger: the signature is only a
/// label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayProblem {
    /// The request failed.
    #[error("{0}")]
    Failed(Failure),
    /// The answer is no signed block.
    #[error("its answer is no block that a sequencer signed")]
    NotSigned,
    /// Another key signed it than the one that L1 names.
    #[error("{got} signed its block, and L1 names the sequencer {expected}")]
    OtherSigner {
        /// The address of the key.
        got: Address,
        /// The address that L1 names.
        expected: Address,
    },
}

impl RelayProblem {
    /// Returns the name of the kind of problem, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.code(),
            Self::NotSigned => "not_signed",
            Self::OtherSigner { .. } => "other_signer",
        }
    }
}

impl RollupHealth {
    /// How old the newest block of a rollup is at least where the rollup may stand still, or its provider lags. Blocks come every
    /// second or two.
    pub const STANDSTILL: Duration = Duration::from_secs(5 * 60);
}

/// Reports when claims about a rollup's blocks are made on L1, by the newest ones of known types. On some rollups anybody can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimsHealth {
    /// The time of the L1 block under which they were read.
    pub read_at: UnixTime,
    /// When the newest one was made.
    pub newest: UnixTime,
    /// The usual time between two of them; `None` if there are fewer than three.
    pub usual: Option<Duration>,
}

impl ClaimsHealth {
    /// What follows from claims that were `made` then, newest first, and read under an L1 block of that time.
    #[cfg(feature = "rollup")]
    pub(crate) fn of(made: &[UnixTime], read_at: UnixTime) -> Option<Self> {
        /// One time between two claims is no usual time.
        const LEAST: usize = 2;
        let earlier = made.iter().skip(1);
        let mut between: Vec<Duration> =
            made.iter().zip(earlier).map(|(later, earlier)| later.saturating_sub(*earlier)).collect();
        between.sort_unstable();
        let usual = between.get(between.len() / 2).copied().filter(|_| between.len() >= LEAST);
        Some(Self { read_at, newest: *made.first()?, usual })
    }

    /// Returns whether no new claim was made for more than twice the usual time, by L1's time.
    pub fn are_late(&self) -> bool {
        let since = self.read_at.saturating_sub(self.newest);
        self.usual.is_some_and(|usual| since > usual.saturating_mul(2))
    }
}

#[cfg(all(test, feature = "rollup"))]
mod tests {
    use super::*;

    #[test]
    fn claims_are_late_after_twice_the_usual_time() {
        let claims = |made: &[u64], read_at| {
            let made: Vec<UnixTime> = made.iter().copied().map(UnixTime::from_secs).collect();
            ClaimsHealth::of(&made, UnixTime::from_secs(read_at))
        };
        let usual = claims(&[5_000, 4_000, 3_000, 2_990], 7_000).unwrap();
        assert_eq!((usual.usual, usual.are_late()), (Some(Duration::from_secs(1_000)), false));
        assert!(claims(&[5_000, 4_000, 3_000, 2_990], 7_001).unwrap().are_late());
        let few = claims(&[5_000, 4_999], 1_000_000).unwrap();
        assert_eq!((few.usual, few.are_late()), (None, false));
        assert_eq!(claims(&[], 1), None);
    }
}
