//! The one reason why nothing was proven: what keeps the light client behind, and what keeps a holding from being proven.

use std::time::Duration;

use saldo_beacon::{AdvanceError, BootstrapError};
use saldo_chain::{Anchor, HeaderError};
use saldo_reading::{Attempt, Failure, Now, Outcome, Policy, TransportError, Why};
use saldo_source::Dispatcher;

use crate::env::Env;
use crate::head::Need;

/// The reason for a step of the light client that failed.
///
/// `lag` is the reason that follows from how far the newest head is behind the clock; `epochs` is the length of that many
/// epochs.
pub(crate) fn of_heads(
    need: Need,
    round: &[Attempt],
    lag: Option<Why>,
    epochs: impl Fn(u64) -> Duration,
) -> Option<Why> {
    let failures = || round.iter().filter_map(|attempt| attempt.outcome.failure());
    if let Some(telling) = failures().find_map(|failure| telling(failure, lag.is_some(), &epochs)) {
        return Some(telling);
    }
    let all = |test: fn(&Failure) -> bool| {
        !round.is_empty() && failures().count() == round.len() && failures().all(test)
    };
    if all(|failure| *failure == Failure::Transport(TransportError::Offline)) {
        return Some(Why::DeviceOffline);
    }
    // One source alone can label its data as it likes: it must be what all of them say.
    let reached: Vec<_> = failures().filter(|failure| !failure.is_unreachable()).collect();
    let is_alone = reached.len() == 1 && round.len() > 1;
    if !reached.is_empty() && !is_alone && reached.into_iter().all(is_of_unknown_fork) {
        return Some(Why::UnknownFork);
    }
    match need {
        Need::Start if all(|failure| matches!(failure, Failure::NotServed { .. })) => {
            Some(Why::CheckpointNotServed)
        }
        Need::Start if failures().any(is_refusal) => Some(Why::HeadsRefused),
        Need::Start => Some(Why::LightClientBehind { newest: None }),
        Need::Updates { .. } if all(Failure::is_unreachable) => lag,
        Need::Updates { .. } if all(|failure| failure.is_unreachable() || is_refusal(failure)) => {
            Some(Why::HeadsRefused)
        }
        Need::Updates { start, .. } => Some(Why::HandOverMissing { period: start }),
        Need::Heads if lag.is_some() && failures().any(is_refusal) => Some(Why::HeadsRefused),
        Need::Heads | Need::Nothing | Need::Restart { .. } => lag,
    }
}

/// What a single failure says of the whole, because it was verified: the same would be true whoever had been asked.
fn telling(failure: &Failure, lags: bool, epochs: &impl Fn(u64) -> Duration) -> Option<Why> {
    match failure {
        Failure::Bootstrap(BootstrapError::CheckpointTooOld { age_epochs, limit_epochs }) => {
            Some(Why::CheckpointTooOld { age: epochs(*age_epochs), limit: epochs(*limit_epochs) })
        }
        Failure::Bootstrap(BootstrapError::WrongSlot { .. }) => Some(Why::CheckpointSlotWrong),
        Failure::Bootstrap(BootstrapError::FromFuture { .. }) => Some(Why::ClockOff),
        Failure::Update(AdvanceError::ConsensusFault(_)) => Some(Why::ConsensusFault),
        Failure::Update(AdvanceError::FromFuture { .. }) if lags => Some(Why::ClockOff),
        _ => None,
    }
}

fn is_of_unknown_fork(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::UnknownFork
            | Failure::Bootstrap(BootstrapError::UnknownFork(_))
            | Failure::Update(AdvanceError::UnknownFork(_) | AdvanceError::UnsettledFork { .. })
    )
}

/// Whether data came and was refused, rather than not coming at all.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure, Failure::Update(_) | Failure::Bootstrap(_) | Failure::Malformed { .. })
}

/// What is known when nothing was proven.
pub(crate) struct Case<'a> {
    /// What is wrong with the heads, if anything.
    pub(crate) problem: Option<&'a Why>,
    /// Who was asked for heads.
    pub(crate) heads: &'a [Attempt],
    /// Who was asked for the proof.
    pub(crate) attempts: &'a [Attempt],
    /// Whether the policy forbade to ask all.
    pub(crate) held_back: bool,
    /// The newest block that is trusted enough.
    pub(crate) head: Option<&'a Anchor>,
    pub(crate) now: Now,
    pub(crate) policy: &'a Policy,
    pub(crate) dispatcher: &'a Dispatcher,
}

/// Why nothing was proven: what is wrong with the device first, then with the heads, then what the providers have in common.
pub(crate) fn of_read(case: &Case<'_>) -> Why {
    of_device(case).or_else(|| of_whole(case)).unwrap_or_else(|| of_providers(case))
}

/// What is wrong with the device: its network or its clock.
fn of_device(case: &Case<'_>) -> Option<Why> {
    let Case { heads, attempts, now, dispatcher, .. } = *case;
    // A provider that was not asked says nothing about the network.
    let is_asked = |attempt: &&Attempt| attempt.took > Duration::ZERO || !is_backed_off(attempt);
    let asked: Vec<Attempt> = heads.iter().chain(attempts).filter(is_asked).cloned().collect();
    let is_told = dispatcher.is_offline() && asked.iter().all(is_silent);
    let says_offline =
        |attempt: &Attempt| attempt.outcome.failure() == Some(&Failure::Transport(TransportError::Offline));
    if is_told || dispatcher.is_cut_off(&asked) || (!asked.is_empty() && asked.iter().all(says_offline)) {
        return Some(Why::DeviceOffline);
    }
    now.clock_off().then_some(Why::ClockOff)
}

/// What is wrong with the heads, or with all providers at once.
fn of_whole(case: &Case<'_>) -> Option<Why> {
    let Case { problem, attempts, held_back, now, policy, .. } = *case;
    if let Some(problem) = problem.filter(|problem| problem.needs_action()) {
        return Some(problem.clone());
    }
    if held_back && !case.is_pending() {
        return Some(Why::PolicyForbidsMoreOperators);
    }
    if !attempts.is_empty() && attempts.iter().all(is_silent) {
        // The time was spent before the providers were asked.
        let had_no_time = attempts.iter().all(|attempt| is_late(attempt) && attempt.took < Env::GRACE);
        return Some(if had_no_time { Why::Deadline } else { Why::AllUnreachable });
    }
    // One provider alone could make a field up: all that answered must say it.
    let mut reached = case.failures().filter(|failure| !failure.is_unreachable()).peekable();
    if reached.peek().is_some() && !case.is_pending() && reached.all(is_of_unknown_layout) {
        return Some(Why::UnknownHeaderLayout);
    }
    match (problem, case.age_of_head()) {
        (Some(problem), None) => Some(problem.clone()),
        (Some(problem), Some(age)) if !now.allows(age, policy) => Some(problem.clone()),
        (None, Some(age)) if !now.allows(age, policy) => Some(Why::OnlyOldBlocks { age }),
        _ => case.is_pending().then_some(Why::UnsignedTip),
    }
}

/// What the providers that answered have in common, and what helps soonest.
fn of_providers(case: &Case<'_>) -> Why {
    let failures = || case.failures();
    let all = |test: fn(&Failure) -> bool| {
        let fails = |attempt: &Attempt| attempt.outcome.failure().is_some_and(test);
        !case.attempts.is_empty() && case.attempts.iter().all(fails)
    };
    if failures().any(|failure| matches!(failure, Failure::RateLimited { .. })) {
        let retry_after = failures().filter_map(|failure| match failure {
            Failure::RateLimited { retry_after } => *retry_after,
            _ => None,
        });
        return Why::RateLimited { retry_after: retry_after.min() };
    }
    if failures().any(|failure| matches!(failure, Failure::ProofWindowMissed | Failure::NotSynced)) {
        return Why::ProofWindowMissed;
    }
    let is_old = |failure: &Failure| matches!(failure, Failure::OldBlock { .. });
    if let Some(age) = case.age_of_head().filter(|_| failures().any(is_old)) {
        return Why::OnlyOldBlocks { age };
    }
    if failures().any(is_of_unknown_layout) {
        return Why::UnknownHeaderLayout;
    }
    if let Some(Failure::WrongChain { expected, .. }) = failures().next()
        && all(|failure| matches!(failure, Failure::WrongChain { .. }))
    {
        return Why::WrongChain { expected: *expected };
    }
    if all(serves_nothing) {
        let is_used_up = failures().any(|failure| *failure == Failure::QuotaExhausted);
        return if is_used_up { Why::QuotaExhausted } else { Why::NobodyServesProofs };
    }
    if failures().any(Failure::is_false_answer) {
        return Why::ProofsRefused;
    }
    if failures().next().is_some() { Why::ProvidersFailing } else { Why::Deadline }
}

impl<'a> Case<'a> {
    fn failures(&self) -> impl Iterator<Item = &'a Failure> {
        self.attempts.iter().filter_map(|attempt| attempt.outcome.failure())
    }

    /// Whether a proof waits for its block to be signed.
    fn is_pending(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.outcome == Outcome::Pending)
    }

    fn age_of_head(&self) -> Option<Duration> {
        self.head.and_then(|head| self.now.age_of(head.timestamp()))
    }
}

fn serves_nothing(failure: &Failure) -> bool {
    matches!(failure, Failure::QuotaExhausted | Failure::NotServed { .. } | Failure::Denied { .. })
}

/// Whether the provider did not answer at all.
fn is_silent(attempt: &Attempt) -> bool {
    attempt.outcome == Outcome::Unfinished || attempt.outcome.failure().is_some_and(Failure::is_unreachable)
}

/// Whether the provider was not asked because it is backed off, or is asked only if no other is left.
fn is_backed_off(attempt: &Attempt) -> bool {
    matches!(
        attempt.outcome.failure(),
        Some(
            Failure::RateLimited { .. }
                | Failure::QuotaExhausted
                | Failure::Spared { .. }
                | Failure::Quarantined
        )
    )
}

/// Whether time was up before the provider answered.
fn is_late(attempt: &Attempt) -> bool {
    match &attempt.outcome {
        Outcome::Unfinished => true,
        outcome => matches!(outcome.failure(), Some(Failure::Transport(TransportError::Timeout { .. }))),
    }
}

/// The bytes are asked for only where the JSON has an unknown layout.
fn is_of_unknown_layout(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Header(HeaderError::UnknownLayout) | Failure::NotServed { method: "debug_getRawHeader" }
    )
}
