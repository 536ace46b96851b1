use std::time::Duration;

use saldo_reading::{Failure, ProviderId, Role, TransportError};

use super::{Availability, Backoffs, Key, until_midnight};
use crate::jitter::Jitter;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn key(name: &str) -> Key {
    (Role::Execution, ProviderId::new(name).unwrap())
}

fn limited(retry_after: Option<Duration>) -> Failure {
    Failure::RateLimited { retry_after }
}

fn fail(backoffs: &mut Backoffs, failure: &Failure, now: Duration) {
    backoffs.record_failure(key("a"), failure, now, HOUR, &mut Jitter::new(7));
}

fn backed_off(last_resort_at: Option<Duration>, why: Failure) -> Availability {
    Availability::BackedOff { last_resort_at, why }
}

#[test]
fn a_rate_limit_is_kept_to_for_as_long_as_it_says() {
    let mut backoffs = Backoffs::default();
    fail(&mut backoffs, &limited(Some(SECOND * 30)), SECOND);
    let left = backed_off(Some(SECOND * 31), limited(Some(SECOND * 21)));
    assert_eq!(backoffs.availability(&key("a"), SECOND * 10), left);
    assert_eq!(backoffs.backed_off_until(&key("a")), Some(SECOND * 31));
    assert_eq!(backoffs.availability(&key("a"), SECOND * 31), Availability::Ready);
    assert_eq!(backoffs.availability(&key("b"), SECOND * 10), Availability::Ready);
}

#[test]
fn a_rate_limit_lasts_at_most_five_minutes() {
    let mut backoffs = Backoffs::default();
    fail(&mut backoffs, &limited(Some(SECOND * 86_400)), Duration::ZERO);
    assert_ne!(backoffs.availability(&key("a"), SECOND * 299), Availability::Ready);
    assert_eq!(backoffs.availability(&key("a"), SECOND * 300), Availability::Ready);
}

#[test]
fn a_used_up_quota_lasts_until_midnight_and_five_minutes_as_last_resort() {
    let mut backoffs = Backoffs::default();
    fail(&mut backoffs, &Failure::QuotaExhausted, Duration::ZERO);
    let tomorrow = backed_off(Some(SECOND * 300), Failure::QuotaExhausted);
    assert_eq!(backoffs.availability(&key("a"), SECOND * 3_599), tomorrow);
    assert_eq!(backoffs.availability(&key("a"), SECOND * 3_600), Availability::Ready);
    assert_eq!(until_midnight(1_795_521_600), SECOND * 43_200);
    assert_eq!(until_midnight(0), SECOND * 86_400);
}

#[test]
fn a_wait_without_a_length_doubles_each_time() {
    let (mut backoffs, mut jitter) = (Backoffs::default(), Jitter::new(7));
    let mut next_pause = |backoffs: &mut Backoffs| {
        backoffs.record_failure(key("a"), &limited(None), Duration::ZERO, HOUR, &mut jitter);
        match backoffs.availability(&key("a"), Duration::ZERO) {
            Availability::BackedOff {
                why: Failure::RateLimited { retry_after: Some(pause) },
                last_resort_at,
            } => {
                assert!(last_resort_at <= Some(SECOND), "as last resort the guess is not waited for");
                pause
            }
            _ => Duration::ZERO,
        }
    };
    let pauses: Vec<Duration> = (0..12).map(|_| next_pause(&mut backoffs)).collect();
    for (pause, times) in pauses.iter().zip(0_u32..) {
        assert!(*pause <= SECOND * 2_u32.pow(times).min(300), "{pauses:?}");
    }
    assert!(pauses.iter().max() > Some(&(SECOND * 20)), "{pauses:?}");
    backoffs.record_accepted(&key("a"));
    assert_eq!(backoffs.availability(&key("a"), Duration::ZERO), Availability::Ready);
    assert!(next_pause(&mut backoffs) <= SECOND);
}

#[test]
fn a_provider_that_keeps_failing_is_spared() {
    let mut backoffs = Backoffs::default();
    (0..29).for_each(|_| fail(&mut backoffs, &Failure::NoResult, Duration::ZERO));
    assert_eq!(backoffs.availability(&key("a"), Duration::ZERO), Availability::Ready);
    backoffs.record_silence(key("a"), SECOND, Duration::ZERO);
    let timeout = Failure::from(TransportError::Timeout { after: SECOND });
    let spared = backed_off(None, Failure::Spared { last: Box::new(timeout.clone()) });
    assert_eq!(backoffs.availability(&key("a"), Duration::ZERO), spared);
    assert_eq!(backoffs.last_failure(&key("a")), Some(&(timeout, Duration::ZERO)));
    assert_eq!(backoffs.availability(&key("a"), SECOND), Availability::Ready);
}

#[test]
fn silence_does_not_end_a_pause_and_another_failure_does() {
    let mut backoffs = Backoffs::default();
    fail(&mut backoffs, &limited(Some(SECOND * 30)), Duration::ZERO);
    backoffs.record_silence(key("a"), SECOND, SECOND);
    assert_ne!(backoffs.availability(&key("a"), SECOND), Availability::Ready);
    fail(&mut backoffs, &Failure::NoResult, SECOND);
    assert_eq!(backoffs.availability(&key("a"), SECOND), Availability::Ready);
}
