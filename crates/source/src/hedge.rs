//! Hedged requests: several providers are asked one question, and the first answer that the caller accepts ends it.
//!
//! `call` and `request` are pure state machines, which the caller of a network drives: [`Dispatcher::hedge`] is that driver.
//!
//! [`Dispatcher::hedge`]: crate::Dispatcher::hedge

mod asked;
mod call;
mod candidate;
mod driver;
mod poll_budgets;
mod queue;
mod request;
mod retry;

use saldo_reading::{Attempt, Failure, ProviderId, Role};

use crate::clock::Deadline;
use crate::sorted::SortedSet;

/// What the caller makes of one provider's answer.
#[derive(Debug)]
pub enum Answer<T> {
    /// It answers the question, which ends the hedged request.
    Accepted(T),
    /// It may be accepted later. Other providers are asked meanwhile: a claim ends nothing.
    Pending {
        /// Whether an earlier claim of this provider was confirmed. Then its claim is worth waiting for, and no more operators
        /// than the policy names are asked meanwhile.
        was_right_before: bool,
    },
    /// It is not used.
    Failed(Failure),
    /// The provider was not asked after all: another call has used up the operators that the policy names.
    Withheld {
        /// The operators that know of the question by now, by [`Endpoint::operator_key`](crate::Endpoint::operator_key).
        operators: SortedSet<String>,
    },
}

impl<T> Answer<T> {
    /// Why it is not used, if it is not.
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Accepted(_) | Self::Pending { .. } | Self::Withheld { .. } => None,
        }
    }
}

/// One question that is to be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The question, as its position among the disclosure sets.
    pub item: usize,
    /// Whether the operator is over [`DisclosureSet::most`], because none within it has answered.
    pub over_policy: bool,
}

/// What is asked, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct RequestSpec {
    /// The role in which the providers are asked; part of every attempt.
    pub role: Role,
    /// The method or route under which failures and latencies are recorded.
    pub method: &'static str,
    /// When the call ends at the latest.
    pub deadline: Deadline,
}

/// Which operators may learn of one question.
#[derive(Clone, Debug)]
pub struct DisclosureSet {
    /// The operators that know of it already, by [`Endpoint::operator_key`](crate::Endpoint::operator_key).
    pub operators: SortedSet<String>,
    /// How many operators may know of it while one of them may still answer, [`DisclosureSet::operators`] included. An operator
    /// that could not be reached does not count.
    pub most: usize,
    /// Whether no more are asked even if none of them answers.
    pub strict: bool,
    /// The providers that are known not to have the answer. They are asked after all others.
    pub last: SortedSet<ProviderId>,
}

impl DisclosureSet {
    /// Every operator may learn of the question: it tells nothing about the user.
    pub fn unrestricted() -> Self {
        Self { operators: SortedSet::new(), most: usize::MAX, strict: false, last: SortedSet::new() }
    }
}

/// How one hedged request ended.
#[derive(Debug)]
pub struct Hedged<T> {
    /// The accepted answer and the provider that gave it.
    pub winner: Option<(ProviderId, T)>,
    /// The last attempt at each provider that was asked. Without a winner also the providers that were backed off.
    pub attempts: Vec<Attempt>,
    /// Whether providers were left unasked because of [`DisclosureSet::strict`].
    pub held_back: bool,
}

impl<T> Hedged<T> {
    /// No provider was asked.
    fn unasked() -> Self {
        Self { winner: None, attempts: Vec::new(), held_back: false }
    }
}
