//! What a client tells of a rollup.

use crate::block::Block;
use crate::why::Why;

/// What Ethereum says of a rollup, and whether the rollup goes on.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RollupHealth {
    /// The newest block for which L1 vouches.
    pub newest: Option<Block>,
    /// Why L1 vouches for none of the newest claims, if it does not.
    pub problem: Option<Why>,
    /// What the contracts on L1 say against it, if that is the problem, for people.
    pub refusal_text: Option<String>,
    /// When the newest claim about its blocks was made on L1, in seconds since 1970; none until the contracts were read.
    pub newest_claim_timestamp: Option<u64>,
    /// Whether no new claim was made for more than twice the usual time.
    pub are_claims_late: bool,
    /// The time of its newest block, in seconds since 1970, if it stands still: the heads of several operators are the same, and old.
    pub stopped_timestamp: Option<u64>,
}

impl From<&saldo::RollupHealth> for RollupHealth {
    fn from(rollup: &saldo::RollupHealth) -> Self {
        Self {
            newest: rollup.newest.as_ref().map(Block::from),
            problem: rollup.problem.as_ref().map(Why::from),
            refusal_text: rollup.refusal.as_ref().map(ToString::to_string),
            newest_claim_timestamp: rollup.claims.map(|claims| claims.newest.as_secs()),
            are_claims_late: rollup.claims.is_some_and(|claims| claims.are_late()),
            stopped_timestamp: rollup.stopped.map(|time| time.as_secs()),
        }
    }
}
