//! How long a provider is left unasked: because it asked for that, or because it failed too often.

use std::time::Duration;

use saldo_reading::{Failure, ProviderId, Role, TransportError};

use crate::budget::FailureBudget;
use crate::jitter::Jitter;
use crate::sorted::SortedMap;

type Key = (Role, ProviderId);

/// Whether a provider may be asked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Availability {
    Ready,
    /// It may be asked only when no other provider is left.
    BackedOff {
        /// From when on it may be asked then, on the monotonic clock; `None` if not in this call.
        last_resort_at: Option<Duration>,
        /// What is reported in place of an answer.
        why: Failure,
    },
}

/// The backoffs of all providers. All moments are on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Backoffs {
    of: SortedMap<Key, Backoff>,
}

#[derive(Debug, Default)]
struct Backoff {
    pause: Option<Pause>,
    /// How many times in a row the provider asked to wait without saying how long.
    unspecified_waits: u32,
    budget: FailureBudget,
    /// The last failure, and when it was recorded.
    last_failure: Option<(Failure, Duration)>,
}

/// A pause that the provider asked for.
#[derive(Clone, Debug)]
struct Pause {
    backed_off_until: Duration,
    /// From when on the provider is asked if no other is left.
    last_resort_at: Duration,
    why: Failure,
}

impl Backoffs {
    /// The longest pause that a provider can ask for. A used-up quota pauses longer, but only while others are left.
    const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
    /// The longest first pause where the provider did not say how long; it doubles each time.
    const FIRST_PAUSE: Duration = Duration::from_secs(1);
    const MOST_DOUBLINGS: u32 = 16;

    /// Whether a provider may be asked at `now`.
    pub(crate) fn availability(&self, key: &Key, now: Duration) -> Availability {
        let Some(backoff) = self.of.get(key) else { return Availability::Ready };
        if let Some(pause) = backoff.pause.as_ref().filter(|pause| pause.backed_off_until > now) {
            return Availability::BackedOff {
                last_resort_at: Some(pause.last_resort_at),
                why: pause.reported_at(now),
            };
        }
        if backoff.budget.is_spent(now) {
            let last = backoff.last_failure.clone().map_or(Failure::NoResult, |(failure, _)| failure);
            let why = Failure::Spared { last: Box::new(last) };
            return Availability::BackedOff { last_resort_at: None, why };
        }
        Availability::Ready
    }

    /// Ends a provider's pause, and forgets how often it failed.
    pub(crate) fn record_accepted(&mut self, key: &Key) {
        if let Some(backoff) = self.of.get_mut(key) {
            backoff.pause = None;
            backoff.unspecified_waits = 0;
            backoff.budget = FailureBudget::default();
        }
    }

    /// Records a failure. It may ask for a pause; a used-up quota comes back after `until_midnight`.
    pub(crate) fn record_failure(
        &mut self,
        key: Key,
        failure: &Failure,
        now: Duration,
        until_midnight: Duration,
        jitter: &mut Jitter,
    ) {
        let backoff = self.of.entry(key).or_default();
        backoff.pause = backoff.pause_asked_for(failure, now, until_midnight, jitter);
        backoff.last_failure = Some((failure.clone(), now));
        backoff.budget.spend(now);
    }

    /// Records that no answer came within `waited`. A pause that the provider asked for goes on.
    pub(crate) fn record_silence(&mut self, key: Key, waited: Duration, now: Duration) {
        let backoff = self.of.entry(key).or_default();
        backoff.last_failure = Some((TransportError::Timeout { after: waited }.into(), now));
        backoff.budget.spend(now);
    }

    /// Until when the provider is left unasked because it asked for that.
    pub(crate) fn backed_off_until(&self, key: &Key) -> Option<Duration> {
        self.of.get(key)?.pause.as_ref().map(|pause| pause.backed_off_until)
    }

    /// The last failure, and when it was recorded.
    pub(crate) fn last_failure(&self, key: &Key) -> Option<&(Failure, Duration)> {
        self.of.get(key)?.last_failure.as_ref()
    }
}

impl Backoff {
    fn pause_asked_for(
        &mut self,
        failure: &Failure,
        now: Duration,
        until_midnight: Duration,
        jitter: &mut Jitter,
    ) -> Option<Pause> {
        let (pause, longest_as_last_resort) = match failure {
            Failure::RateLimited { retry_after: Some(after) } => {
                ((*after).min(Backoffs::LONGEST_PAUSE), Backoffs::LONGEST_PAUSE)
            }
            // The length is a guess: a wallet without another provider does not wait for a guess.
            Failure::RateLimited { retry_after: None } => {
                (jitter.up_to(self.double_pause()), Backoffs::FIRST_PAUSE)
            }
            Failure::QuotaExhausted => (until_midnight, Backoffs::LONGEST_PAUSE),
            _ => return None,
        };
        Some(Pause {
            backed_off_until: now.saturating_add(pause),
            last_resort_at: now.saturating_add(pause.min(longest_as_last_resort)),
            why: failure.clone(),
        })
    }

    /// The longest pause this time where the provider did not say how long: twice that of the last time.
    fn double_pause(&mut self) -> Duration {
        let times = 1_u32.checked_shl(self.unspecified_waits).unwrap_or(u32::MAX);
        self.unspecified_waits = self.unspecified_waits.saturating_add(1).min(Backoffs::MOST_DOUBLINGS);
        Backoffs::FIRST_PAUSE.saturating_mul(times).min(Backoffs::LONGEST_PAUSE)
    }
}

impl Pause {
    /// The failure to report at `now`: a rate limit says how long it still lasts.
    fn reported_at(&self, now: Duration) -> Failure {
        match &self.why {
            Failure::RateLimited { .. } => {
                Failure::RateLimited { retry_after: Some(self.backed_off_until.saturating_sub(now)) }
            }
            other => other.clone(),
        }
    }
}

/// How long it is until the next midnight (UTC), when providers renew their quotas.
pub(crate) fn until_midnight(unix_seconds: u64) -> Duration {
    const DAY: u64 = 24 * 60 * 60;
    let today = unix_seconds.checked_rem(DAY).unwrap_or(0);
    Duration::from_secs(DAY.saturating_sub(today))
}

#[cfg(test)]
#[path = "backoff_tests.rs"]
mod tests;
