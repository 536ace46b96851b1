//! Asking again after failures that may pass: which failures, when, and how often.

use std::time::Duration;

use saldo_reading::{Failure, TransportError};

use crate::jitter::Jitter;

/// How often what failed is asked again.
pub(super) const ROUNDS: usize = 2;
/// How often silent providers are asked again.
pub(super) const RESENDS: u32 = 4;
/// After how many hedge delays they are asked again the first time. Over a slow link an answer takes longer than one delay.
pub(super) const FIRST_RESEND: u32 = 3;
/// The pause after a refusal for too many requests, where the provider does not say how long; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest jitter before the first round; before the second it is twice that.
const LONGEST_JITTER: Duration = Duration::from_millis(400);
/// The shortest pause before a round.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// The pauses before the rounds, with full jitter. All questions of a call have the same, so that they are asked together
/// again.
pub(super) type Pauses = [Duration; ROUNDS];

pub(super) fn pauses(jitter: &mut Jitter) -> Pauses {
    let mut longest = Duration::ZERO;
    [(); ROUNDS].map(|()| {
        longest = longest.saturating_add(LONGEST_JITTER);
        SHORTEST_PAUSE.saturating_add(jitter.up_to(longest))
    })
}

/// Returns the pause after a refusal for too many requests. `before` counts the refusals in this call before it.
///
/// A pause that is guessed has jitter, because two requests may have come together. If a provider refuses again after the pause
/// that it asked for, the shortest pause becomes four times as long.
pub(super) fn wait(asked_for: Option<Duration>, before: u32, pauses: &Pauses) -> Duration {
    let jitter = pauses.last().copied().unwrap_or(SHORTEST_PAUSE);
    match asked_for {
        Some(pause) => pause.max(SHORTEST_PAUSE.saturating_mul(4_u32.saturating_pow(before))),
        None => FIRST_WAIT.saturating_mul(2_u32.saturating_pow(before)).saturating_add(jitter),
    }
}

/// Whether the same question may be answered a moment later. What is no answer of the protocol comes from a server that is overloaded
/// or starts, or from one in front of it.
pub(super) fn is_transient(failure: &Failure) -> bool {
    const INTERNAL_ERROR: i64 = -32_603;
    match failure {
        Failure::Transport(error) => matches!(error, TransportError::Broken),
        Failure::Http { status } => matches!(status, 408 | 500..=599),
        Failure::OutOfService { .. } | Failure::NotSynced => true,
        Failure::WebPage | Failure::Malformed { .. } => true,
        // 0 is an error without a code.
        Failure::Rpc { code } => matches!(*code, 0 | INTERNAL_ERROR),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_have_full_jitter_and_the_second_may_be_twice_as_long() {
        let mut jitter = Jitter::new(1);
        let drawn: Vec<Pauses> = (0..1_000).map(|_| pauses(&mut jitter)).collect();
        let longest = |round: usize| drawn.iter().map(|pauses| pauses[round]).max().unwrap();
        assert!(drawn.iter().flatten().all(|pause| *pause >= SHORTEST_PAUSE));
        assert!(longest(0) > Duration::from_millis(440) && longest(0) <= Duration::from_millis(450));
        assert!(longest(1) > Duration::from_millis(840) && longest(1) <= Duration::from_millis(850));
    }

    #[test]
    fn only_failures_that_may_pass_are_transient() {
        let transient = [
            TransportError::Broken.into(),
            Failure::Http { status: 408 },
            Failure::Http { status: 503 },
            Failure::OutOfService { code: -32046 },
            Failure::NotSynced,
            Failure::WebPage,
            Failure::Malformed { what: "" },
            Failure::Rpc { code: -32_603 },
            Failure::Rpc { code: 0 },
        ];
        let lasting = [
            TransportError::Connect.into(),
            TransportError::Timeout { after: SHORTEST_PAUSE }.into(),
            Failure::Http { status: 404 },
            Failure::NoResult,
            Failure::RateLimited { retry_after: None },
            Failure::Rpc { code: -32_602 },
        ];
        assert!(transient.iter().all(is_transient));
        assert!(!lasting.iter().any(is_transient));
    }
}
