//! How long a patient read waits before it reads again.

use std::time::Duration;

use saldo_reading::{Attempt, Failure, Reading, Role, Why};

/// The first pause, unless a server asks for a longer one; it doubles each time, because a server may refuse again after the pause
/// that it asked for.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that no server asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pause after which reading again may prove `reading`; `None` if waiting cannot help, or is not needed. `refusals` counts the
/// pauses before this one.
pub(crate) fn pause(reading: &Reading, until_next_head: Duration, refusals: u32) -> Option<Duration> {
    match reading {
        Reading::Proven(_) => None,
        Reading::Provisional(provisional) => match provisional.why() {
            // L1 vouches for a block of a rollup an hour after it.
            Why::NotVouchedYet | Why::RollupNotVouched { .. } | Why::RollupStopped { .. } => None,
            why => (!why.needs_action()).then_some(until_next_head),
        },
        Reading::Unknown(unknown) => after_rate_limit(unknown.why(), reading.attempts(), refusals),
    }
}

/// The pause that the servers ask for, if their rate limit is the reason.
fn after_rate_limit(why: &Why, attempts: &[Attempt], refusals: u32) -> Option<Duration> {
    let asked_for = match why {
        Why::RateLimited { retry_after, .. } => *retry_after,
        Why::LightClientBehind { .. } | Why::HandOverMissing { .. } => limit_of_sources(attempts)?,
        _ => return None,
    };
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(refusals)).min(LONGEST_PAUSE);
    Some(asked_for.map_or(doubled, |pause| pause.max(doubled)))
}

/// The shortest pause that a beacon source asks for, if one does.
fn limit_of_sources(attempts: &[Attempt]) -> Option<Option<Duration>> {
    let limit = |attempt: &Attempt| match attempt.outcome.failure() {
        Some(Failure::RateLimited { retry_after }) if attempt.role != Role::Execution => Some(*retry_after),
        _ => None,
    };
    let limits: Vec<Option<Duration>> = attempts.iter().filter_map(limit).collect();
    let shortest = limits.iter().flatten().min().copied();
    (!limits.is_empty()).then_some(shortest)
}
