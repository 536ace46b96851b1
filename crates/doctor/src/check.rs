//! What came of looking at one thing.

use std::fmt;

use saldo_reading::Failure;

/// What came of looking at one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check<T> {
    /// It is there, and this was found.
    Found(T),
    /// It is not, and this is why.
    Failed(Failure),
    /// It was not looked at.
    NotChecked(Unchecked),
}

/// Why something was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unchecked {
    /// No beacon source gave a head that a sync committee signed.
    NoSignedHead,
    /// There is no checkpoint to start from.
    NoCheckpoint,
    /// Something that comes before it failed.
    NotReached,
    /// The time or the number of requests was used up.
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
            Self::NotReached => "what comes before it failed",
            Self::OutOfBudget => "time or requests used up",
        })
    }
}
