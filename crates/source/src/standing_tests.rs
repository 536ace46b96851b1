use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role, TransportError};

use super::{Leave, Standings, until_midnight};
use crate::endpoint::Endpoint;

const METHOD: &str = "eth_getProof";
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn endpoints() -> [Endpoint; 3] {
    ["a=http://a", "b=http://b", "c=http://c"].map(|url| url.parse().unwrap())
}

fn attempt(name: &str, outcome: Outcome, millis: u64) -> Attempt {
    let (provider, took) = (ProviderId::new(name).unwrap(), Duration::from_millis(millis));
    Attempt { provider, role: Role::Execution, outcome, took, over_policy: false }
}

fn failed(name: &str, failure: Failure) -> Attempt {
    attempt(name, Outcome::Failed(failure), 10)
}

fn note_at(standings: &mut Standings, attempts: &[Attempt], now: Duration) {
    standings.note(METHOD, attempts, Standings::USUAL_HEDGE_DELAY, now, Some(HOUR));
}

fn note(standings: &mut Standings, attempt: Attempt) {
    note_at(standings, &[attempt], Duration::ZERO);
}

fn order(standings: &Standings, role: Role, method: &'static str) -> String {
    let endpoints = endpoints();
    standings
        .order(role, method, &endpoints)
        .iter()
        .map(|endpoint| endpoint.id().as_str().to_owned())
        .collect()
}

fn leave(standings: &Standings, name: &str, now: Duration) -> Leave {
    standings.leave(Role::Execution, METHOD, &ProviderId::new(name).unwrap(), now)
}

#[test]
fn who_is_of_no_use_goes_to_the_back_until_he_is() {
    let mut standings = Standings::new(0);
    let of = |standings: &Standings| order(standings, Role::Execution, METHOD);
    note(&mut standings, failed("a", Failure::NoResult));
    assert_eq!(of(&standings), "bca");
    assert_eq!(order(&standings, Role::Beacon, METHOD), "abc");
    note(&mut standings, attempt("b", Outcome::Overtaken, 900));
    assert_eq!(of(&standings), "cab");
    note(&mut standings, attempt("c", Outcome::Overtaken, 100));
    assert_eq!(of(&standings), "cab");
    note(&mut standings, attempt("c", Outcome::Pending, 100));
    assert_eq!(of(&standings), "abc");
    note(&mut standings, attempt("b", Outcome::Joined, 100));
    assert_eq!(of(&standings), "bac");
}

/// Whoever has no headers may well have proofs; whoever does not answer at all has neither.
#[test]
fn what_is_missing_counts_for_the_method_and_silence_for_all() {
    let mut standings = Standings::new(0);
    note(&mut standings, failed("a", Failure::NotServed { method: METHOD }));
    assert_eq!(order(&standings, Role::Execution, METHOD), "bca");
    assert_eq!(order(&standings, Role::Execution, "eth_getBlockByHash"), "abc");
    note(&mut standings, failed("b", Failure::Http { status: 502 }));
    assert_eq!(order(&standings, Role::Execution, "eth_getBlockByHash"), "acb");
}

#[test]
fn within_a_factor_of_two_the_wallets_order_stays() {
    let mut standings = Standings::new(0);
    for _ in 0..3 {
        note(&mut standings, attempt("a", Outcome::Joined, 390));
        note(&mut standings, attempt("b", Outcome::Joined, 210));
        note(&mut standings, attempt("c", Outcome::Joined, 90));
    }
    assert_eq!(order(&standings, Role::Execution, METHOD), "cab");
}

#[test]
fn patience_is_what_nine_in_ten_answers_take() {
    let mut standings = Standings::new(0);
    let (a, b) = (ProviderId::new("a").unwrap(), ProviderId::new("b").unwrap());
    let of = |standings: &Standings, id| standings.hedge_delay(Role::Execution, METHOD, id);
    assert_eq!(of(&standings, &a), Duration::from_millis(400));
    for millis in [700, 200, 300, 250, 220, 210, 230, 240, 260, 270] {
        note(&mut standings, attempt("a", Outcome::Joined, millis));
    }
    assert_eq!(of(&standings, &a), Duration::from_millis(300));
    assert_eq!(standings.hedge_delay(Role::Execution, "eth_getBlockByHash", &a), Duration::from_millis(400));
    (0..3).for_each(|_| note(&mut standings, attempt("b", Outcome::Joined, 20)));
    assert_eq!(of(&standings, &b), Duration::from_millis(150));
    (0..40).for_each(|_| note(&mut standings, attempt("b", Outcome::Joined, 9_000)));
    assert_eq!(of(&standings, &b), SECOND * 2);
}

#[test]
fn who_asks_to_wait_is_left_alone_for_as_long_as_it_says_but_no_longer_than_five_minutes() {
    let limited = |after| Failure::RateLimited { retry_after: Some(after) };
    let mut standings = Standings::new(0);
    note_at(&mut standings, &[failed("a", limited(SECOND * 30))], SECOND);
    let later = Leave::Not { until: Some(SECOND * 31), why: limited(SECOND * 21) };
    assert_eq!(leave(&standings, "a", SECOND * 10), later);
    assert_eq!(leave(&standings, "a", SECOND * 31), Leave::Free);
    note_at(&mut standings, &[failed("a", limited(SECOND * 86_400))], Duration::ZERO);
    assert_eq!(leave(&standings, "a", SECOND * 300), Leave::Free);
    note_at(&mut standings, &[failed("a", Failure::QuotaExhausted)], Duration::ZERO);
    let tomorrow = Leave::Not { until: Some(SECOND * 300), why: Failure::QuotaExhausted };
    assert_eq!(leave(&standings, "a", SECOND * 3_599), tomorrow);
    assert_eq!(leave(&standings, "a", SECOND * 3_600), Leave::Free);
    assert_eq!(leave(&standings, "b", Duration::ZERO), Leave::Free);
}

#[test]
fn who_does_not_say_how_long_is_left_alone_longer_each_time() {
    let mut standings = Standings::new(7);
    let longest = |standings: &mut Standings| {
        note(standings, failed("a", Failure::RateLimited { retry_after: None }));
        match leave(standings, "a", Duration::ZERO) {
            Leave::Not { why: Failure::RateLimited { retry_after: Some(rest) }, until } => {
                assert!(until <= Some(SECOND));
                rest
            }
            _ => Duration::ZERO,
        }
    };
    let backed_off: Vec<Duration> = (0..12).map(|_| longest(&mut standings)).collect();
    for (rest, times) in backed_off.iter().zip(0_u32..) {
        assert!(*rest <= SECOND * 2_u32.pow(times).min(300), "{backed_off:?}");
    }
    assert!(backed_off.iter().max() > Some(&(SECOND * 20)), "{backed_off:?}");
    note(&mut standings, attempt("a", Outcome::Joined, 10));
    assert!(longest(&mut standings) <= SECOND);
}

#[test]
fn who_is_asked_in_vain_again_and_again_is_spared() {
    let mut standings = Standings::new(0);
    (0..30).for_each(|_| note(&mut standings, failed("a", Failure::NoResult)));
    let spared = Leave::Not { until: None, why: Failure::Spared { last: Box::new(Failure::NoResult) } };
    assert_eq!(leave(&standings, "a", Duration::ZERO), spared);
    assert_eq!(leave(&standings, "a", SECOND), Leave::Free);
}

#[test]
fn two_false_proofs_and_it_is_asked_last_of_all() {
    let mut standings = Standings::new(0);
    let id = ProviderId::new("a").unwrap();
    (0..5).for_each(|_| note(&mut standings, failed("a", Failure::Malformed { what: "" })));
    assert_eq!(leave(&standings, "a", Duration::ZERO), Leave::Free);
    standings.strike(&id);
    assert_eq!(leave(&standings, "a", Duration::ZERO), Leave::Free);
    standings.strike(&id);
    let at_worst = Leave::Not { until: Some(Duration::ZERO), why: Failure::Quarantined };
    assert_eq!(leave(&standings, "a", SECOND * 1_000_000), at_worst);
    let for_headers = standings.leave(Role::Execution, "eth_getBlockByHash", &id, Duration::ZERO);
    assert_eq!(for_headers, Leave::Free);
}

/// Where nobody can be connected to it is this device's network: nobody is worse for it.
#[test]
fn offline_nobody_is_worse() {
    let mut standings = Standings::new(0);
    let down = [failed("a", TransportError::Dns.into()), failed("b", TransportError::Connect.into())];
    let is_cut_off =
        |standings: &Standings, attempts: &[Attempt]| standings.is_cut_off(attempts, SECOND * 20);
    assert!(is_cut_off(&standings, &down));
    (0..40).for_each(|_| note_at(&mut standings, &down, Duration::ZERO));
    assert_eq!(order(&standings, Role::Execution, METHOD), "abc");
    assert_eq!(leave(&standings, "a", Duration::ZERO), Leave::Free);
    let one = [down[0].clone(), failed("b", Failure::NoResult)];
    let refused = ["a", "b"].map(|name| failed(name, TransportError::Connect.into()));
    for others in [&one[..], &refused, &down[..1], &[]] {
        assert!(!is_cut_off(&standings, others), "{others:?}");
    }
    note_at(&mut standings, &one, SECOND * 11);
    standings.hear(&ProviderId::new("a").unwrap(), Some(&TransportError::Dns.into()), SECOND * 11);
    assert!(is_cut_off(&standings, &down), "silence is not heard");
    standings.hear(&ProviderId::new("b").unwrap(), Some(&Failure::NoResult), SECOND * 11);
    assert_eq!(order(&standings, Role::Execution, METHOD), "cab");
    assert!(!is_cut_off(&standings, &down), "somebody was heard a moment ago");
    standings.network_changed(false);
    note(&mut standings, failed("c", TransportError::Timeout { after: SECOND }.into()));
    assert_eq!(order(&standings, Role::Execution, METHOD), "acb");
    note(&mut standings, attempt("b", Outcome::Joined, 10));
    assert!(!standings.is_offline);
}

#[test]
fn another_network_is_another_chance() {
    let mut standings = Standings::new(0);
    note(&mut standings, failed("a", TransportError::Timeout { after: SECOND }.into()));
    note(&mut standings, failed("b", Failure::NoResult));
    assert_eq!(order(&standings, Role::Execution, METHOD), "cab");
    standings.network_changed(true);
    assert_eq!(order(&standings, Role::Execution, METHOD), "acb");
}

#[test]
fn quotas_come_back_at_midnight() {
    assert_eq!(until_midnight(1_795_521_600), SECOND * 43_200);
    assert_eq!(until_midnight(0), SECOND * 86_400);
}

/// The device itself says that it is offline, which it may have become since somebody was heard a moment ago.
#[test]
fn nobody_is_worse_for_a_device_that_says_it_is_offline() {
    let mut standings = Standings::new(0);
    note(&mut standings, failed("a", Failure::NoResult));
    standings.hear(&ProviderId::new("b").unwrap(), None, Duration::ZERO);
    let offline = || Failure::from(TransportError::Offline);
    note_at(&mut standings, &[failed("b", offline()), failed("c", offline())], SECOND);
    assert_eq!(order(&standings, Role::Execution, METHOD), "bca");
    note_at(&mut standings, &[failed("b", TransportError::Dns.into())], SECOND);
    assert_eq!(order(&standings, Role::Execution, METHOD), "cab");
}
