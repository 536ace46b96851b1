//! Asking again what failed in passing: what that is, and when.

use std::time::Duration;

use saldo_reading::{Failure, TransportError};

use crate::dispatcher::Dispatcher;

/// So often what failed in passing is asked again.
pub(super) const ROUNDS: usize = 2;
/// The longest pause before the first time, beside the least one; before the second it is twice that.
const PAUSE: Duration = Duration::from_millis(400);
pub(super) const LEAST_PAUSE: Duration = Duration::from_millis(50);

/// Pauses before what failed in passing is asked again, with full jitter: for all questions of a race the same, so that they
/// are asked together again.
pub(super) fn pauses(dispatcher: &Dispatcher) -> [Duration; ROUNDS] {
    let mut longest = Duration::ZERO;
    [(); ROUNDS].map(|()| {
        longest = longest.saturating_add(PAUSE);
        LEAST_PAUSE.saturating_add(dispatcher.standings().jitter(longest))
    })
}

/// Whether the same question may be answered a moment later.
pub(super) fn passes(failure: &Failure) -> bool {
    match failure {
        Failure::Transport(error) => matches!(error, TransportError::Broken),
        Failure::Http { status } => matches!(status, 408 | 500..=599),
        Failure::OutOfService { .. } | Failure::NotSynced => true,
        _ => false,
    }
}
