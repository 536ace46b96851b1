//! The state machine alone: no future, no clock, no lock.

#[path = "call_tests/again.rs"]
mod again;
#[path = "call_tests/many.rs"]
mod many;

use std::time::Duration;

use saldo_reading::{Failure, Outcome, Role, TransportError};

use super::{Action, HedgedCall};
use crate::budget::Budgets;
use crate::endpoint::Endpoint;
use crate::hedge::candidate::Candidate;
use crate::hedge::request::Call;
use crate::hedge::{Answer, Ask, DisclosureSet};
use crate::latency::Latencies;
use crate::providers::{Finished, Providers};

const METHOD: &str = "eth_getProof";
const HEDGE_DELAY: Duration = Latencies::DEFAULT_HEDGE_DELAY;
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];
const DEADLINE: Duration = Duration::from_secs(4);

/// A call without a network: the test reads what is to be sent, and answers.
struct Bench {
    endpoints: Vec<Endpoint>,
    providers: Providers,
}

impl Bench {
    fn new(names: &[&str]) -> Self {
        let endpoint = |name: &&str| format!("{name}=http://{name}.example").parse().unwrap();
        Self { endpoints: names.iter().map(endpoint).collect(), providers: Providers::new(0) }
    }

    fn endpoint(&self, name: &str) -> &Endpoint {
        self.endpoints.iter().find(|endpoint| endpoint.id().as_str() == name).unwrap()
    }

    fn call(&self, disclosures: Vec<DisclosureSet>) -> HedgedCall<'_, u32> {
        let (role, began) = (Role::Execution, Duration::ZERO);
        let candidates = Candidate::all(&self.providers, role, METHOD, &self.endpoints, began);
        HedgedCall::new(Call { role, began, ends: DEADLINE, pauses: PAUSES }, candidates, disclosures)
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at_most(most: usize) -> DisclosureSet {
    DisclosureSet { most, ..DisclosureSet::unrestricted() }
}

fn strict(most: usize) -> DisclosureSet {
    DisclosureSet { strict: true, ..at_most(most) }
}

fn broken() -> Failure {
    TransportError::Broken.into()
}

/// The providers to ask at `now`, by name; one over the policy with a `+`.
fn sent_by(call: &mut HedgedCall<'_, u32>, now: Duration, budgets: &mut Budgets) -> (String, bool) {
    let mut sent = Vec::new();
    loop {
        match call.poll(now, budgets) {
            Action::Send { endpoint, asks } => {
                let over = if asks.iter().any(|ask| ask.over_policy) { "+" } else { "" };
                sent.push(format!("{}{over}", endpoint.id()));
            }
            Action::Wait => return (sent.join(" "), false),
            Action::Done => return (sent.join(" "), true),
        }
    }
}

/// The providers to ask at `now`, in a call that goes on.
#[track_caller]
fn sent(call: &mut HedgedCall<'_, u32>, now: Duration) -> String {
    let (sent, is_done) = sent_by(call, now, &mut Budgets::default());
    assert!(!is_done, "the call is over");
    sent
}

#[track_caller]
fn assert_done(call: &mut HedgedCall<'_, u32>, now: Duration) {
    assert_eq!(sent_by(call, now, &mut Budgets::default()), (String::new(), true));
}

fn answer(call: &mut HedgedCall<'_, u32>, bench: &Bench, name: &str, answer: Answer<u32>, now: Duration) {
    let asks = [Ask { item: 0, over_policy: false }];
    call.handle_answers(now, bench.endpoint(name), &asks, vec![answer]);
}

fn fail(call: &mut HedgedCall<'_, u32>, bench: &Bench, name: &str, failure: Failure, now: Duration) {
    answer(call, bench, name, Answer::Failed(failure), now);
}

#[test]
fn the_primary_is_asked_alone_and_the_hedge_after_the_hedge_delay() {
    let bench = Bench::new(&["a", "b", "c"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    assert_eq!(call.timeout(), HEDGE_DELAY);
    assert_eq!(sent(&mut call, HEDGE_DELAY - millis(1)), "");
    assert_eq!(sent(&mut call, HEDGE_DELAY), "b");
    assert_eq!(call.timeout(), HEDGE_DELAY * 2);
    assert_eq!(sent(&mut call, HEDGE_DELAY * 2), "c");
    answer(&mut call, &bench, "b", Answer::Accepted(7), HEDGE_DELAY * 3);
    assert_done(&mut call, HEDGE_DELAY * 3);
    let finished = call.finish(Some(HEDGE_DELAY * 3));
    let hedged = &finished.results[0];
    assert_eq!(hedged.winner.as_ref().map(|(id, value)| (id.as_str(), *value)), Some(("b", 7)));
    let outcomes: Vec<_> = hedged.attempts.iter().map(|it| (it.provider.as_str(), &it.outcome)).collect();
    let expected = [("a", &Outcome::Overtaken), ("b", &Outcome::Joined), ("c", &Outcome::Overtaken)];
    assert_eq!(outcomes, expected);
    assert_eq!(hedged.attempts[0].took, HEDGE_DELAY * 3);
    assert_eq!(hedged.attempts[1].took, HEDGE_DELAY * 2);
}

#[test]
fn a_failure_skips_to_the_next_phase() {
    let bench = Bench::new(&["a", "b", "c", "d"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    fail(&mut call, &bench, "a", Failure::NoResult, millis(10));
    assert_eq!(sent(&mut call, millis(10)), "b");
    fail(&mut call, &bench, "b", Failure::NoResult, millis(20));
    assert_eq!(sent(&mut call, millis(20)), "c d");
    fail(&mut call, &bench, "c", Failure::NoResult, millis(30));
    assert_eq!(sent(&mut call, millis(30)), "");
    fail(&mut call, &bench, "d", Failure::NoResult, millis(30));
    assert_done(&mut call, millis(30));
    assert!(call.finish(Some(millis(30))).results[0].winner.is_none());
}

#[test]
fn without_budget_the_hedge_waits_for_the_fan_out() {
    let bench = Bench::new(&["a", "b", "c"]);
    let mut budgets = Budgets::default();
    while budgets.hedges.spend() {}
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent_by(&mut call, Duration::ZERO, &mut budgets).0, "a");
    assert_eq!(sent_by(&mut call, HEDGE_DELAY, &mut budgets).0, "");
    assert_eq!(call.timeout(), HEDGE_DELAY * 2);
    assert_eq!(sent_by(&mut call, HEDGE_DELAY * 2, &mut budgets).0, "b c");
}

#[test]
fn the_questions_of_a_call_spend_the_budget_once() {
    let bench = Bench::new(&["a", "b"]);
    let mut budgets = Budgets::default();
    while budgets.hedges.spend() {}
    (0..9).for_each(|_| budgets.hedges.earn());
    let mut call = bench.call(vec![DisclosureSet::unrestricted(); 3]);
    let Action::Send { endpoint, asks } = call.poll(Duration::ZERO, &mut budgets) else { panic!("sends") };
    assert_eq!((endpoint.id().as_str(), asks.len()), ("a", 3), "all questions in one request");
    assert!(matches!(call.poll(Duration::ZERO, &mut budgets), Action::Wait));
    // Nine tenths, and three more for the three questions: enough for one extra request.
    assert_eq!(sent_by(&mut call, HEDGE_DELAY, &mut budgets).0, "b");
    assert!(!budgets.hedges.spend());
}

#[test]
fn operators_over_the_policy_come_one_hedge_delay_after_the_last() {
    let bench = Bench::new(&["a", "b", "c"]);
    let mut call = bench.call(vec![at_most(2)]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    assert_eq!(sent(&mut call, HEDGE_DELAY), "b");
    assert_eq!(call.timeout(), HEDGE_DELAY * 2);
    assert_eq!(sent(&mut call, HEDGE_DELAY * 2), "c+");
    // Without a connection the operator has not seen the question: there is room for another.
    let mut call = bench.call(vec![at_most(1)]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    fail(&mut call, &bench, "a", TransportError::Connect.into(), millis(10));
    assert_eq!(sent(&mut call, millis(10)), "b");
}

#[test]
fn a_strict_policy_holds_the_others_back() {
    let bench = Bench::new(&["a", "b"]);
    let mut call = bench.call(vec![strict(1)]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    fail(&mut call, &bench, "a", Failure::NoResult, millis(10));
    assert_done(&mut call, millis(10));
    let hedged = call.finish(Some(millis(10))).results.remove(0);
    assert!(hedged.held_back && hedged.winner.is_none());
    assert_eq!(hedged.attempts.len(), 1);
}

#[test]
fn a_failure_that_may_pass_is_retried_twice_after_its_pauses() {
    let bench = Bench::new(&["a"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    fail(&mut call, &bench, "a", broken(), millis(10));
    assert_eq!(sent(&mut call, millis(10)), "");
    assert_eq!(call.timeout(), millis(10) + PAUSES[0]);
    assert_eq!(sent(&mut call, millis(110)), "a");
    fail(&mut call, &bench, "a", broken(), millis(120));
    assert_eq!(sent(&mut call, millis(120)), "");
    assert_eq!(call.timeout(), millis(120) + PAUSES[1]);
    assert_eq!(sent(&mut call, millis(420)), "a");
    fail(&mut call, &bench, "a", broken(), millis(430));
    assert_done(&mut call, millis(430));
    let finished = call.finish(Some(millis(430)));
    assert_eq!(finished.results[0].attempts.len(), 1, "the last attempt at each provider is reported");
}

#[test]
fn a_lasting_failure_is_not_retried_and_no_budget_means_no_retry() {
    let bench = Bench::new(&["a"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    fail(&mut call, &bench, "a", Failure::NoResult, millis(10));
    assert_done(&mut call, millis(10));

    let mut budgets = Budgets::default();
    while budgets.retries.spend() {}
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent_by(&mut call, Duration::ZERO, &mut budgets).0, "a");
    fail(&mut call, &bench, "a", broken(), millis(10));
    assert_eq!(sent_by(&mut call, millis(10), &mut budgets), (String::new(), false));
    assert_eq!(sent_by(&mut call, millis(110), &mut budgets), (String::new(), true));
}

#[test]
fn a_claim_ends_nothing_and_one_worth_waiting_for_keeps_the_policy() {
    let bench = Bench::new(&["a", "b"]);
    for (was_right_before, next) in [(false, "b+"), (true, "")] {
        let mut call = bench.call(vec![at_most(1)]);
        assert_eq!(sent(&mut call, Duration::ZERO), "a");
        answer(&mut call, &bench, "a", Answer::Pending { was_right_before }, millis(10));
        assert_eq!(sent_by(&mut call, millis(10), &mut Budgets::default()).0, next);
        let finished = call.finish(Some(millis(10)));
        assert_eq!(finished.results[0].attempts[0].outcome, Outcome::Pending);
        assert_eq!(finished.results[0].held_back, was_right_before);
    }
}

#[test]
fn a_withheld_provider_is_asked_over_the_policy() {
    let bench = Bench::new(&["a", "b"]);
    let mut call = bench.call(vec![at_most(1)]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    let withheld = || Answer::Withheld { operators: ["elsewhere".to_owned()].into() };
    answer(&mut call, &bench, "a", withheld(), Duration::ZERO);
    // `a` waits again, behind `b`, and both are over the policy by now.
    assert_eq!(sent(&mut call, Duration::ZERO), "b+ a+");
    let mut call = bench.call(vec![strict(1)]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    answer(&mut call, &bench, "a", withheld(), Duration::ZERO);
    assert_done(&mut call, Duration::ZERO);
    let hedged = call.finish(None).results.remove(0);
    assert!(hedged.held_back && hedged.attempts.is_empty());
}

#[test]
fn a_backed_off_provider_is_the_last_resort() {
    let mut bench = Bench::new(&["a", "b"]);
    let (role, id) = (Role::Execution, bench.endpoints[0].id().clone());
    let limited = Failure::RateLimited { retry_after: Some(millis(1_500)) };
    let (midnight, jitter) = (DEADLINE, &mut bench.providers.jitter);
    bench.providers.backoffs.record_failure((role, id), &limited, Duration::ZERO, midnight, jitter);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "b");
    // While `b` may still answer, `a` is asked after half the time and not before. `b` is asked again meanwhile.
    assert_eq!(sent(&mut call, millis(1_500)), "b");
    assert!(call.timeout() <= DEADLINE / 2);
    assert_eq!(sent(&mut call, DEADLINE / 2), "a");

    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "b");
    fail(&mut call, &bench, "b", Failure::NoResult, millis(10));
    assert_eq!(sent(&mut call, millis(10)), "");
    assert_eq!(call.timeout(), millis(1_500), "`b` failed, so that `a` is asked as soon as it may be");
    let attempts = call.finish(Some(millis(10))).results.remove(0).attempts;
    assert_eq!(attempts[1].outcome, Outcome::Failed(limited));
}

#[test]
fn a_pause_that_an_answer_asks_for_is_waited_for() {
    let bench = Bench::new(&["a"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    let limited = Failure::RateLimited { retry_after: Some(Duration::from_secs(1)) };
    fail(&mut call, &bench, "a", limited, millis(10));
    assert_eq!(sent(&mut call, millis(10)), "");
    assert_eq!(call.timeout(), millis(1_010));
    assert_eq!(sent(&mut call, millis(1_010)), "a");
}

/// The pauses double, for at most as long as the call lasts.
#[test]
fn a_pause_of_unknown_length_is_guessed() {
    let bench = Bench::new(&["a"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    let (mut now, mut waited) = (Duration::ZERO, Vec::new());
    loop {
        fail(&mut call, &bench, "a", Failure::RateLimited { retry_after: None }, now);
        let (sent_now, is_done) = sent_by(&mut call, now, &mut Budgets::default());
        assert_eq!(sent_now, "");
        if is_done {
            break;
        }
        waited.push(call.timeout() - now);
        now = call.timeout();
        assert_eq!(sent(&mut call, now), "a");
    }
    assert_eq!(waited, [millis(1_300), millis(2_300)], "the next pause would end after the deadline");
}

/// A request can be lost while its server works.
#[test]
fn a_provider_that_is_silent_is_asked_again_if_there_is_no_other() {
    let bench = Bench::new(&["a"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    let mut resent = Vec::new();
    while call.timeout() < DEADLINE {
        let now = call.timeout();
        assert_eq!(sent(&mut call, now), "a");
        resent.push(now);
    }
    assert_eq!(resent, [3, 9].map(|delays| HEDGE_DELAY * delays));
    // The answer to any of the requests counts, and is what is reported.
    answer(&mut call, &bench, "a", Answer::Accepted(1), DEADLINE);
    assert_done(&mut call, DEADLINE);
    let attempts = call.finish(Some(DEADLINE)).results.remove(0).attempts;
    assert_eq!(attempts.iter().map(|it| &it.outcome).collect::<Vec<_>>(), [&Outcome::Joined]);
}

#[test]
fn the_deadline_ends_the_call_and_an_answer_that_comes_with_it_counts() {
    let bench = Bench::new(&["a"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    call.handle_timeout(DEADLINE - millis(1));
    assert_eq!(sent(&mut call, DEADLINE - millis(1)), "a", "it is silent, so it is asked again");
    assert_eq!(call.timeout(), DEADLINE);
    answer(&mut call, &bench, "a", Answer::Accepted(1), DEADLINE);
    assert_done(&mut call, DEADLINE);
    assert!(call.finish(Some(DEADLINE)).results[0].winner.is_some());

    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    call.handle_timeout(DEADLINE);
    assert_done(&mut call, DEADLINE);
    assert_eq!(call.finish(Some(DEADLINE)).results[0].attempts[0].outcome, Outcome::Unfinished);
}

#[test]
fn a_cancelled_call_reports_what_it_has_shown() {
    let mut bench = Bench::new(&["a", "b"]);
    let order = |bench: &Bench| -> String {
        let ordered = bench.providers.order(Role::Execution, METHOD, &bench.endpoints);
        ordered.iter().map(|endpoint| endpoint.id().as_str()).collect()
    };
    for (looked, expected) in [(HEDGE_DELAY / 2, "ab"), (HEDGE_DELAY, "ba")] {
        let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
        assert_eq!(sent(&mut call, Duration::ZERO), "a");
        let _ = sent_by(&mut call, looked, &mut Budgets::default());
        call.cancel();
        let finished = call.finish(None);
        assert_eq!(finished.now, looked);
        assert_eq!(finished.attempts[0].outcome, Outcome::Overtaken);
        let (attempts, hedge_delay, now) = (&finished.attempts[..], finished.hedge_delay, finished.now);
        bench.providers.record(Finished {
            method: METHOD,
            attempts,
            hedge_delay,
            now,
            until_midnight: DEADLINE,
        });
        assert_eq!(order(&bench), expected, "{looked:?}");
    }
}

#[test]
fn each_question_ends_for_itself() {
    let bench = Bench::new(&["a", "b"]);
    let mut call = bench.call(vec![DisclosureSet::unrestricted(); 2]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    let asks = [0, 1].map(|item| Ask { item, over_policy: false });
    let answers = vec![Answer::Accepted(1), Answer::Failed(Failure::NoResult)];
    call.handle_answers(millis(10), bench.endpoint("a"), &asks, answers);
    let Action::Send { endpoint, asks } = call.poll(millis(10), &mut Budgets::default()) else {
        panic!("the second question goes to the next provider")
    };
    assert_eq!((endpoint.id().as_str(), &asks[..]), ("b", &[Ask { item: 1, over_policy: false }][..]));
    call.handle_answers(millis(20), endpoint, &asks, vec![Answer::Accepted(2)]);
    assert_done(&mut call, millis(20));
    let finished = call.finish(Some(millis(20)));
    let winners: Vec<_> = finished.results.iter().map(|it| it.winner.as_ref().unwrap().1).collect();
    assert_eq!(winners, [1, 2]);
    assert_eq!(
        finished.attempts[0].outcome,
        Outcome::Joined,
        "the best attempt at each provider is recorded"
    );
}
