//! The outcome of one check.

use std::fmt;

use saldo_reading::Failure;

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check<T> {
    /// The check found this.
    Found(T),
    /// The check failed, for this reason.
    Failed(Failure),
    /// The check was not made.
    NotChecked(Unchecked),
}

/// Why a check was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unchecked {
    /// No beacon source gave a head that a sync committee signed.
    NoSignedHead,
    /// There is no checkpoint to start from.
    NoCheckpoint,
    /// The chain has no committee that signs heads: it is a rollup.
    NoCommittee,
    /// An earlier check failed.
    NotReached,
    /// The time or the number of requests is used up.
    OutOfBudget,
}

impl<T> Check<T> {
    /// What was found, if it was.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            _ => None,
        }
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Counts a check as not made if the rate limit stopped it, unless it is the last try.
    pub(crate) fn forget_limit(&mut self, at_last: bool) {
        if !at_last && self.is_rate_limited() {
            *self = Self::NotChecked(Unchecked::NotReached);
        }
    }

    /// Whether it failed because of the rate of requests.
    pub(crate) fn is_rate_limited(&self) -> bool {
        matches!(self, Self::Failed(Failure::RateLimited { .. }))
    }

    /// Whether it was made, or could not be made.
    pub(crate) fn is_tried(&self) -> bool {
        !matches!(self, Self::NotChecked(Unchecked::NotReached))
    }

    /// Whether it was found.
    pub fn is_found(&self) -> bool {
        self.found().is_some()
    }
}

impl<T> From<Result<T, Failure>> for Check<T> {
    fn from(outcome: Result<T, Failure>) -> Self {
        match outcome {
            Ok(found) => Self::Found(found),
            Err(failure) => Self::Failed(failure),
        }
    }
}

impl Unchecked {
    /// A stable name, in snake case.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSignedHead => "no_signed_head",
            Self::NoCheckpoint => "no_checkpoint",
            Self::NoCommittee => "no_committee",
            Self::NotReached => "not_reached",
            Self::OutOfBudget => "out_of_budget",
        }
    }
}

impl fmt::Display for Unchecked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoSignedHead => "no signed head",
            Self::NoCheckpoint => "no checkpoint",
            Self::NoCommittee => "a rollup has no committee",
            Self::NotReached => "an earlier check failed",
            Self::OutOfBudget => "time or requests used up",
        })
    }
}
