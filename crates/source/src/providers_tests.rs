use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role, TransportError};

use super::{Finished, Providers};
use crate::backoff::Availability;
use crate::endpoint::Endpoint;
use crate::latency::Latencies;

const METHOD: &str = "eth_getProof";
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn endpoints() -> [Endpoint; 3] {
    ["a=http://a", "b=http://b", "c=http://c"].map(|url| url.parse().unwrap())
}

fn id(name: &str) -> ProviderId {
    ProviderId::new(name).unwrap()
}

fn attempt(name: &str, outcome: Outcome, millis: u64) -> Attempt {
    let took = Duration::from_millis(millis);
    Attempt { provider: id(name), role: Role::Execution, outcome, took, over_policy: false }
}

fn failed(name: &str, failure: impl Into<Failure>) -> Attempt {
    attempt(name, Outcome::Failed(failure.into()), 10)
}

fn record_at(providers: &mut Providers, attempts: &[Attempt], now: Duration) {
    let hedge_delay = Latencies::DEFAULT_HEDGE_DELAY;
    providers.record(Finished { method: METHOD, attempts, hedge_delay, now, until_midnight: HOUR });
}

fn record(providers: &mut Providers, attempt: Attempt) {
    record_at(providers, &[attempt], Duration::ZERO);
}

fn order_for(providers: &Providers, role: Role, method: &'static str) -> String {
    let endpoints = endpoints();
    let ordered = providers.order(role, method, &endpoints);
    ordered.iter().map(|endpoint| endpoint.id().as_str()).collect()
}

fn order(providers: &Providers) -> String {
    order_for(providers, Role::Execution, METHOD)
}

fn availability(providers: &Providers, name: &str, now: Duration) -> Availability {
    providers.availability(Role::Execution, METHOD, &id(name), now)
}

#[test]
fn providers_are_ranked_by_the_answers_that_were_accepted() {
    let mut providers = Providers::new(0);
    record(&mut providers, failed("a", Failure::NoResult));
    assert_eq!(order(&providers), "bca");
    assert_eq!(order_for(&providers, Role::Beacon, METHOD), "abc", "each role has its own ranking");
    record(&mut providers, attempt("b", Outcome::Overtaken, 900));
    assert_eq!(order(&providers), "cab");
    record(&mut providers, attempt("c", Outcome::Overtaken, 100));
    assert_eq!(order(&providers), "cab", "overtaken before the hedge delay");
    record(&mut providers, attempt("c", Outcome::Pending, 100));
    assert_eq!(order(&providers), "abc", "a claim is no accepted answer");
    record(&mut providers, attempt("b", Outcome::Joined, 100));
    assert_eq!(order(&providers), "bac");
}

/// A provider without headers may well have proofs; one that does not answer at all has neither.
#[test]
fn a_missing_method_counts_for_the_method_and_an_unreachable_provider_for_all() {
    let other = "eth_getBlockByHash";
    let mut providers = Providers::new(0);
    record(&mut providers, failed("a", Failure::NotServed { method: METHOD }));
    assert_eq!(order(&providers), "bca");
    assert_eq!(order_for(&providers, Role::Execution, other), "abc");
    record(&mut providers, failed("b", Failure::Http { status: 502 }));
    assert_eq!(order_for(&providers, Role::Execution, other), "acb");
}

#[test]
fn a_claim_costs_no_failure_budget_and_ends_no_pause() {
    let mut providers = Providers::new(0);
    (0..40).for_each(|_| record(&mut providers, attempt("a", Outcome::Pending, 10)));
    assert_eq!(availability(&providers, "a", Duration::ZERO), Availability::Ready);
    record(&mut providers, failed("a", Failure::QuotaExhausted));
    record(&mut providers, attempt("a", Outcome::Pending, 10));
    assert_ne!(availability(&providers, "a", SECOND), Availability::Ready);
    record(&mut providers, attempt("a", Outcome::Joined, 10));
    assert_eq!(availability(&providers, "a", SECOND), Availability::Ready);
}

#[test]
fn two_false_proofs_and_the_provider_is_the_last_resort() {
    let mut providers = Providers::new(0);
    (0..5).for_each(|_| record(&mut providers, failed("a", Failure::Malformed { what: "" })));
    assert_eq!(availability(&providers, "a", Duration::ZERO), Availability::Ready);
    providers.quarantine.strike(&id("a"));
    assert_eq!(availability(&providers, "a", Duration::ZERO), Availability::Ready);
    providers.quarantine.strike(&id("a"));
    let last_resort =
        Availability::BackedOff { last_resort_at: Some(Duration::ZERO), why: Failure::Quarantined };
    assert_eq!(availability(&providers, "a", SECOND * 1_000_000), last_resort);
    let for_headers = providers.availability(Role::Execution, "eth_getBlockByHash", &id("a"), Duration::ZERO);
    assert_eq!(for_headers, Availability::Ready);
}

/// If no provider can be connected to, this device has no network: that counts against no provider.
#[test]
fn a_device_without_network_counts_against_no_provider() {
    let mut providers = Providers::new(0);
    let down = [failed("a", TransportError::Dns), failed("b", TransportError::Connect)];
    (0..40).for_each(|_| record_at(&mut providers, &down, Duration::ZERO));
    assert_eq!(order(&providers), "abc");
    assert_eq!(availability(&providers, "a", Duration::ZERO), Availability::Ready);
    // One of two answered: so there is a network, and the other one's failure counts.
    record_at(&mut providers, &[down[0].clone(), failed("b", Failure::NoResult)], SECOND * 11);
    assert_eq!(order(&providers), "cab");
}

#[test]
fn while_the_app_says_offline_only_accepted_answers_count() {
    let mut providers = Providers::new(0);
    providers.network_changed(false);
    record(&mut providers, failed("c", TransportError::Timeout { after: SECOND }));
    record(&mut providers, failed("a", Failure::NoResult));
    assert_eq!(order(&providers), "abc");
    record(&mut providers, attempt("b", Outcome::Joined, 10));
    assert!(!providers.reachability.is_offline());
    record(&mut providers, failed("a", Failure::NoResult));
    assert_eq!(order(&providers), "bca");
}

#[test]
fn another_network_clears_the_unreachable() {
    let mut providers = Providers::new(0);
    record(&mut providers, failed("a", TransportError::Timeout { after: SECOND }));
    record(&mut providers, failed("b", Failure::NoResult));
    assert_eq!(order(&providers), "cab");
    providers.network_changed(true);
    assert_eq!(order(&providers), "acb");
}

/// The device says that it is offline. It may have become so since a provider answered a moment ago.
#[test]
fn a_reported_offline_device_counts_against_no_provider() {
    let mut providers = Providers::new(0);
    record(&mut providers, failed("a", Failure::NoResult));
    providers.reachability.record_answer(&id("b"), None, Duration::ZERO);
    let offline = ["b", "c"].map(|name| failed(name, TransportError::Offline));
    record_at(&mut providers, &offline, SECOND);
    assert_eq!(order(&providers), "bca");
    record_at(&mut providers, &[failed("b", TransportError::Dns)], SECOND);
    assert_eq!(order(&providers), "cab");
}
