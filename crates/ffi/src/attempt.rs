//! The requests behind a reading.

use crate::number::millis;

/// One request to a provider, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Attempt {
    /// The name of the provider, never its URL.
    pub provider: String,
    /// The kind of data that it was asked for: `execution`, `beacon` or `checkpoint`.
    pub role: String,
    /// A stable name of the outcome, in snake case.
    pub outcome: String,
    /// The outcome, for people.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whether it was asked beyond `Policy::operators_per_address`.
    pub over_policy: bool,
}

impl From<&saldo::Attempt> for Attempt {
    fn from(attempt: &saldo::Attempt) -> Self {
        Self {
            provider: attempt.provider.as_str().to_owned(),
            role: attempt.role.code().to_owned(),
            outcome: attempt.outcome.code().to_owned(),
            detail: attempt.outcome.to_string(),
            took_ms: millis(attempt.took),
            over_policy: attempt.over_policy,
        }
    }
}
