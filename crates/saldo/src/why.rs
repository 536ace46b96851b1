//! Chooses the one reason why nothing was proven: first for the light client, then for a holding.

use std::time::Duration;

use saldo_beacon::{AdvanceError, BootstrapError};
use saldo_chain::{Anchor, HeaderError};
use saldo_reading::{Attempt, Failure, Now, Outcome, Policy, Role, TlsFault, TransportError, Why};

use crate::env::Env;
use crate::head::Need;

/// The reason why a step of the light client failed.
///
/// `lag` is the reason that follows from the lag of the newest head. `epochs` converts a number of epochs to
/// their length.
pub(crate) fn of_heads(
    need: Need,
    round: &[Attempt],
    lag: Option<Why>,
    epochs: impl Fn(u64) -> Duration,
) -> Option<Why> {
    let failures = || round.iter().filter_map(|attempt| attempt.outcome.failure());
    if let Some(decisive) = failures().find_map(|failure| decisive(failure, lag.is_some(), &epochs)) {
        return Some(decisive);
    }
    let all = |test: fn(&Failure) -> bool| {
        !round.is_empty() && failures().count() == round.len() && failures().all(test)
    };
    if all(|failure| *failure == Failure::Transport(TransportError::Offline)) {
        return Some(Why::DeviceOffline);
    }
    let is_needed = need == Need::Start || lag.is_some();
    if let Some(why) = of_tls(round).filter(|_| is_needed) {
        return Some(why);
    }
    // One source alone can label its data as it likes: all sources must say it.
    let reached: Vec<_> = failures().filter(|failure| !failure.is_unreachable()).collect();
    let is_alone = reached.len() == 1 && round.len() > 1;
    if !reached.is_empty() && !is_alone && reached.into_iter().all(is_of_unknown_fork) {
        return Some(Why::UnknownFork);
    }
    let mut reached = failures().filter(|failure| !failure.is_unreachable()).peekable();
    if is_needed && reached.peek().is_some() && reached.all(is_denial) {
        return Some(Why::Denied);
    }
    if let Some(why) = of_sources(round).filter(|_| is_needed) {
        return Some(why);
    }
    match need {
        Need::Start if all(|failure| matches!(failure, Failure::NotServed { .. })) => {
            Some(Why::CheckpointNotServed)
        }
        Need::Start if failures().any(is_refusal) => Some(Why::HeadsRefused),
        Need::Start => Some(Why::LightClientBehind { newest: None }),
        Need::Updates { .. } if all(has_no_data) => lag,
        Need::Updates { .. }
            if all(|failure| {
                has_no_data(failure) || is_refusal(failure) || *failure == Failure::UnknownFork
            }) =>
        {
            Some(Why::HeadsRefused)
        }
        Need::Updates { start, .. } => Some(Why::HandOverMissing { period: start }),
        Need::Heads if lag.is_some() && failures().any(is_refusal) => Some(Why::HeadsRefused),
        Need::Heads | Need::Nothing | Need::Restart { .. } => lag,
    }
}

/// The reason if the connections of `attempts` could not be secured. If several providers have certificates that are not valid at this
/// device's time, it is the device's clock.
pub(crate) fn of_tls(attempts: &[Attempt]) -> Option<Why> {
    let faults = tls_faults(attempts)?;
    let (first, fault) = *faults.first()?;
    let is_one = faults.iter().all(|(attempt, _)| attempt.provider == first.provider);
    if !is_one && faults.iter().all(|(_, fault)| fault.may_be_the_clock()) {
        return Some(Why::ClockOff);
    }
    Some(Why::NotSecure { fault })
}

/// The attempts whose connection could not be secured, if no other one reached a server. What cannot be reached says nothing, and
/// trying again helps against neither.
fn tls_faults(attempts: &[Attempt]) -> Option<Vec<(&Attempt, TlsFault)>> {
    let mut faults = Vec::new();
    for attempt in attempts {
        match attempt.outcome.failure().map(latest) {
            Some(Failure::Transport(TransportError::Unsecured(fault))) => faults.push((attempt, *fault)),
            Some(Failure::Transport(error)) if !is_answer(error) => {}
            None if attempt.outcome == Outcome::Unfinished => {}
            _ => return None,
        }
    }
    (!faults.is_empty()).then_some(faults)
}

/// Whether an HTTP answer came, which cannot be used.
fn is_answer(error: &TransportError) -> bool {
    matches!(
        error,
        TransportError::Redirect { .. } | TransportError::TooLarge { .. } | TransportError::Encoding
    )
}

/// The reason that a single failure is enough for. Its data was verified, so it does not depend on the source.
fn decisive(failure: &Failure, lags: bool, epochs: &impl Fn(u64) -> Duration) -> Option<Why> {
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

/// The limit, the log-in page or the redirect that the sources have in common, as for providers of proofs.
fn of_sources(round: &[Attempt]) -> Option<Why> {
    let failures = || round.iter().filter_map(|attempt| attempt.outcome.failure()).map(latest);
    if let Some(why) = of_rate_limits(Role::Beacon, failures()) {
        return Some(why);
    }
    let mut reached = failures().filter(|failure| !failure.is_unreachable());
    if failures().any(|failure| *failure == Failure::QuotaExhausted) && reached.all(serves_nothing) {
        return Some(Why::QuotaExhausted { role: Role::Beacon });
    }
    let why = of_silence(round);
    let is_named = matches!(why, Why::LogInPage | Why::Moved);
    (is_named && round.iter().all(is_silent)).then_some(why)
}

/// Whether the source says nothing about what it has: it could not be asked, or its answer is no light-client data at all.
fn has_no_data(failure: &Failure) -> bool {
    matches!(failure, Failure::Malformed { .. }) || failure.is_unreachable()
}

/// Whether data came and did not verify, in contrast to no data. A misconfigured or overloaded source sends what is no data.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure, Failure::Update(_) | Failure::Bootstrap(_))
}

/// The facts about a read that proved nothing.
pub(crate) struct Case<'a> {
    /// The reason why the heads are not up to date, if they are not.
    pub(crate) problem: Option<&'a Why>,
    /// The attempts to fetch heads.
    pub(crate) heads: &'a [Attempt],
    /// The attempts to fetch the proof.
    pub(crate) attempts: &'a [Attempt],
    /// Whether the policy held back requests to some providers.
    pub(crate) held_back: bool,
    /// The newest block of enough assurance.
    pub(crate) head: Option<&'a Anchor>,
    pub(crate) now: Now,
    pub(crate) policy: &'a Policy,
    pub(crate) env: &'a Env,
}

/// The reason why nothing was proven. A fault of the device comes first, then one of the heads, then what the
/// providers have in common.
///
/// A checkpoint that is too old is named before all: it is known without any answer, and no answer can help.
pub(crate) fn of_read(case: &Case<'_>) -> Why {
    if let Some(problem @ Why::CheckpointTooOld { .. }) = case.problem {
        return problem.clone();
    }
    of_device(case).or_else(|| of_whole(case)).unwrap_or_else(|| of_providers(case))
}

/// Whether a reason can be wrong because this device's clock is fast: something looks old, or is asked for too early.
pub(crate) fn depends_on_time(why: &Why) -> bool {
    matches!(
        why,
        Why::LightClientBehind { .. }
            | Why::OnlyOldBlocks { .. }
            | Why::HandOverMissing { .. }
            | Why::CheckpointTooOld { .. }
            | Why::CheckpointNotServed
            | Why::TooFewCheckpointSources { .. }
    )
}

/// The fault of the device, if any: its network or its clock.
fn of_device(case: &Case<'_>) -> Option<Why> {
    let Case { heads, attempts, now, env, .. } = *case;
    // A provider that was not asked says nothing about the network.
    let is_asked = |attempt: &&Attempt| attempt.took > Duration::ZERO || !is_backed_off(attempt);
    let asked: Vec<Attempt> = heads.iter().chain(attempts).filter(is_asked).cloned().collect();
    let is_set_offline = env.dispatcher.is_offline() && asked.iter().all(is_silent);
    let says_offline =
        |attempt: &Attempt| attempt.outcome.failure() == Some(&Failure::Transport(TransportError::Offline));
    if is_set_offline
        || env.dispatcher.is_cut_off(&asked)
        || (!asked.is_empty() && asked.iter().all(says_offline))
    {
        return Some(Why::DeviceOffline);
    }
    let all = [heads, attempts].concat();
    (now.clock_off() || is_clock_by_certificates(env, &all)).then_some(Why::ClockOff)
}

/// Whether several servers, of one kind or of both, have certificates that are not valid at this device's time, and no other server
/// could be reached.
fn is_clock_by_certificates(env: &Env, attempts: &[Attempt]) -> bool {
    let Some(faults) = tls_faults(attempts) else { return false };
    let hosts = faults.iter().filter_map(|(attempt, _)| {
        let mut endpoints = env.execution.iter().chain(&env.beacon);
        let url = endpoints.find(|endpoint| *endpoint.id() == attempt.provider)?.url().expose();
        Some((url.host()?.to_owned(), url.port_or_known_default()))
    });
    let hosts: Vec<_> = hosts.collect();
    let are_several = hosts.iter().any(|host| Some(host) != hosts.first());
    are_several && faults.iter().all(|(_, fault)| fault.may_be_the_clock())
}

/// The fault of the heads, or of all providers together, if any.
fn of_whole(case: &Case<'_>) -> Option<Why> {
    let Case { problem, attempts, held_back, now, policy, .. } = *case;
    if let Some(problem) = problem.filter(|problem| problem.needs_action()) {
        return Some(problem.clone());
    }
    if held_back && !case.is_pending() {
        return Some(Why::PolicyForbidsMoreOperators);
    }
    if let Some(why) = of_tls(attempts) {
        return Some(why);
    }
    if !attempts.is_empty() && attempts.iter().all(is_silent) {
        // The time was used up before the providers were asked.
        let had_no_time = attempts.iter().all(|attempt| is_late(attempt) && attempt.took < Env::GRACE);
        let lacks_head = case.age_of_head().is_none_or(|age| !now.allows(age, policy));
        // It was used up by waiting, as the beacon sources asked.
        let limit = problem.filter(|problem| lacks_head && matches!(problem, Why::RateLimited { .. }));
        return Some(match (had_no_time, limit) {
            (true, Some(limit)) => limit.clone(),
            (true, None) => Why::Deadline,
            (false, _) => of_silence(attempts),
        });
    }
    // One provider alone could invent a field: all that answered must say it.
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

/// The reason why no provider gave a JSON answer: errors, web pages and redirects are answers of another kind.
fn of_silence(attempts: &[Attempt]) -> Why {
    let is_other_answer = |failure: &&Failure| match failure {
        Failure::Transport(TransportError::Redirect { .. }) => true,
        Failure::Transport(_) => false,
        _ => true,
    };
    let failures = attempts.iter().filter_map(|attempt| attempt.outcome.failure()).map(latest);
    let others: Vec<&Failure> = failures.filter(is_other_answer).collect();
    let is_redirect =
        |failure: &&Failure| matches!(failure, Failure::Transport(TransportError::Redirect { .. }));
    if others.is_empty() {
        Why::AllUnreachable
    } else if others.iter().all(|failure| **failure == Failure::WebPage) {
        Why::LogInPage
    } else if others.iter().all(is_redirect) {
        Why::Moved
    } else {
        Why::ProvidersFailing
    }
}

/// The rate limit, if one of the failures is one. The shortest pause that is asked for is enough.
fn of_rate_limits<'a>(role: Role, failures: impl Iterator<Item = &'a Failure>) -> Option<Why> {
    let pauses: Vec<Option<Duration>> = failures
        .filter_map(|failure| match failure {
            Failure::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        })
        .collect();
    let retry_after = pauses.iter().flatten().min().copied();
    (!pauses.is_empty()).then_some(Why::RateLimited { role, retry_after })
}

/// The reason that the providers that answered have in common. If there are several, the one that is resolved
/// soonest.
fn of_providers(case: &Case<'_>) -> Why {
    let failures = || case.failures();
    let all = |test: fn(&Failure) -> bool| {
        let fails = |attempt: &Attempt| attempt.outcome.failure().is_some_and(test);
        !case.attempts.is_empty() && case.attempts.iter().all(fails)
    };
    if let Some(why) = of_rate_limits(Role::Execution, failures()) {
        return why;
    }
    if failures().any(|failure| *failure == Failure::ProofWindowMissed) {
        return Why::ProofWindowMissed;
    }
    if failures().any(|failure| *failure == Failure::NotSynced) {
        return Why::ProvidersBehind { blocks: None };
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
        let any = |test: fn(&Failure) -> bool| failures().any(test);
        return if any(|failure| *failure == Failure::QuotaExhausted) {
            Why::QuotaExhausted { role: Role::Execution }
        } else if any(is_denial) {
            Why::Denied
        } else {
            Why::NobodyServesProofs
        };
    }
    if failures().any(Failure::is_false_answer) {
        return Why::ProofsRefused;
    }
    let mut reached = failures().filter(|failure| !failure.is_unreachable()).peekable();
    if reached.peek().is_some() && reached.all(is_denial) {
        return Why::Denied;
    }
    if failures().next().is_some() { Why::ProvidersFailing } else { Why::Deadline }
}

impl<'a> Case<'a> {
    fn failures(&self) -> impl Iterator<Item = &'a Failure> {
        self.attempts.iter().filter_map(|attempt| attempt.outcome.failure())
    }

    /// Whether there is a pending proof.
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

/// The latest failure of a provider that was not asked again.
fn latest(failure: &Failure) -> &Failure {
    match failure {
        Failure::Spared { last } => latest(last),
        other => other,
    }
}

fn is_denial(failure: &Failure) -> bool {
    matches!(failure, Failure::Denied { .. })
}

/// Whether the provider gave no JSON answer.
fn is_silent(attempt: &Attempt) -> bool {
    attempt.outcome == Outcome::Unfinished || attempt.outcome.failure().is_some_and(Failure::is_unreachable)
}

/// Whether the provider was not asked: it is backed off, or it is asked only if no other is left.
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

/// Whether the time ended before the provider answered.
fn is_late(attempt: &Attempt) -> bool {
    match &attempt.outcome {
        Outcome::Unfinished => true,
        outcome => matches!(outcome.failure(), Some(Failure::Transport(TransportError::Timeout { .. }))),
    }
}

/// The bytes are requested only if the JSON has an unknown layout.
fn is_of_unknown_layout(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Header(HeaderError::UnknownLayout) | Failure::NotServed { method: "debug_getRawHeader" }
    )
}
