//! A call of more questions than begin together.

use std::time::Duration;

use saldo_reading::{Failure, Outcome, TransportError};

use super::super::{Action, HedgedCall, TOGETHER};
use super::{Bench, DEADLINE, HEDGE_DELAY, assert_done, millis};
use crate::budget::Budgets;
use crate::hedge::{Answer, Ask, DisclosureSet};

/// So many groups of questions.
const GROUPS: usize = 20;

fn many(bench: &Bench) -> HedgedCall<'_, u32> {
    bench.call(vec![DisclosureSet::unrestricted(); GROUPS * TOGETHER])
}

/// What is sent at `now`: to whom, and which questions.
fn sent(call: &mut HedgedCall<'_, u32>, now: Duration) -> Vec<(String, Vec<Ask>)> {
    let (mut sent, mut budgets) = (Vec::new(), Budgets::default());
    while let Action::Send { endpoint, asks } = call.poll(now, &mut budgets) {
        sent.push((endpoint.id().to_string(), asks));
    }
    sent
}

fn take(
    call: &mut HedgedCall<'_, u32>,
    bench: &Bench,
    (name, asks): &(String, Vec<Ask>),
    answer: impl Fn(usize) -> Answer<u32>,
    now: Duration,
) {
    let answers = asks.iter().map(|ask| answer(ask.item)).collect();
    call.handle_answers(now, bench.endpoint(name), asks, answers);
}

fn number(item: usize) -> Answer<u32> {
    Answer::Accepted(u32::try_from(item).unwrap())
}

/// However long all of it takes, a provider that answers is asked for nothing twice, and no other is asked.
#[test]
fn a_provider_that_is_busy_is_asked_once() {
    let bench = Bench::new(&["a", "b"]);
    let mut call = many(&bench);
    let (mut now, mut in_flight) = (Duration::ZERO, sent(&mut call, Duration::ZERO));
    assert_eq!(in_flight.len(), 1, "nothing is known of the provider");
    let mut requests = 0;
    while !in_flight.is_empty() {
        now += HEDGE_DELAY / 5;
        let answered = in_flight.remove(0);
        assert_eq!((answered.0.as_str(), answered.1.len()), ("a", TOGETHER));
        take(&mut call, &bench, &answered, number, now);
        requests += 1;
        in_flight.extend(sent(&mut call, now));
        assert!(in_flight.len() <= 2);
    }
    assert_eq!(requests, GROUPS);
    assert!(now > HEDGE_DELAY * 3, "longer than a provider may be silent");
    assert_done(&mut call, now);
    let results = call.finish(Some(now)).results;
    let winners = results.iter().map(|it| it.winner.as_ref().unwrap().1);
    assert!(winners.eq(0..u32::try_from(GROUPS * TOGETHER).unwrap()), "each has its own answer");
}

/// The first group waits for the silent provider; all others ask it last.
#[test]
fn a_silent_provider_is_waited_for_once() {
    let bench = Bench::new(&["silent", "b"]);
    let mut call = many(&bench);
    assert_eq!(sent(&mut call, Duration::ZERO)[0].0, "silent");
    assert_eq!(call.timeout(), HEDGE_DELAY);
    let mut now = HEDGE_DELAY;
    let mut in_flight = sent(&mut call, now);
    let mut answered = 0;
    while !in_flight.is_empty() {
        now += millis(10);
        let next = in_flight.remove(0);
        assert_eq!(next.0, "b");
        answered += next.1.len();
        take(&mut call, &bench, &next, number, now);
        in_flight.extend(sent(&mut call, now));
    }
    assert_eq!(answered, GROUPS * TOGETHER);
    assert!(now < HEDGE_DELAY * 2, "{now:?}");
    assert_done(&mut call, now);
}

/// In an outage no question waits for another: each has its reason long before the deadline.
#[test]
fn in_an_outage_all_questions_are_asked() {
    let bench = Bench::new(&["a", "b"]);
    let mut call = many(&bench);
    let mut now = Duration::ZERO;
    while now < DEADLINE {
        sent(&mut call, now);
        now = call.timeout();
    }
    call.handle_timeout(DEADLINE);
    assert_done(&mut call, DEADLINE);
    let results = call.finish(Some(DEADLINE)).results;
    assert!(results.iter().all(|it| it.attempts.len() == 2 && it.winner.is_none()), "both were asked");
    let outcomes = results.iter().flat_map(|it| &it.attempts).map(|it| &it.outcome);
    assert!(outcomes.clone().all(|outcome| *outcome == Outcome::Unfinished));

    let mut call = many(&bench);
    let refused = || -> Failure { TransportError::Connect.into() };
    loop {
        let sent = sent(&mut call, Duration::ZERO);
        if sent.is_empty() {
            break;
        }
        for request in &sent {
            take(&mut call, &bench, request, |_| Answer::Failed(refused()), Duration::ZERO);
        }
    }
    let results = call.finish(Some(Duration::ZERO)).results;
    assert_eq!(results.len(), GROUPS * TOGETHER);
    assert!(results.iter().flat_map(|it| &it.attempts).all(|it| it.outcome == Outcome::Failed(refused())));
    assert!(results.iter().all(|it| it.attempts.len() == 2), "no moment has passed");
}

/// A provider that refuses everything is asked after the others by the groups that follow, and one that asks for a pause has it.
#[test]
fn a_provider_that_refuses_is_not_asked_by_each_group() {
    let limited = || Answer::Failed(Failure::RateLimited { retry_after: Some(Duration::from_secs(1)) });
    let bench = Bench::new(&["limited", "b"]);
    let mut call = many(&bench);
    let mut in_flight = sent(&mut call, Duration::ZERO);
    let mut refused = 0;
    while !in_flight.is_empty() {
        let next = in_flight.remove(0);
        let is_limited = next.0 == "limited";
        refused += usize::from(is_limited);
        take(&mut call, &bench, &next, |item| if is_limited { limited() } else { number(item) }, millis(10));
        in_flight.extend(sent(&mut call, millis(10)));
    }
    assert_eq!(refused, 1);
    assert_done(&mut call, millis(10));

    let bench = Bench::new(&["limited"]);
    let mut call = many(&bench);
    let only = sent(&mut call, Duration::ZERO).remove(0);
    take(&mut call, &bench, &only, |_| limited(), millis(10));
    assert!(sent(&mut call, millis(10)).is_empty(), "it asked for a pause");
    let pause = millis(1_010);
    assert_eq!(call.timeout(), pause);
    let again = sent(&mut call, pause);
    assert_eq!(again.iter().map(|(_, asks)| asks.len()).sum::<usize>(), TOGETHER);
    take(&mut call, &bench, &again[0], number, pause);
    assert_eq!(sent(&mut call, pause)[0].1.len(), TOGETHER, "it answers, so that the next ones follow");
}

/// A sole provider that takes a few questions in a second has one group of them in its hands, however long it takes.
#[test]
fn a_provider_that_is_paced_gets_one_group_after_another() {
    let bench = Bench::new(&["paced"]);
    let mut call = many(&bench);
    let first = sent(&mut call, Duration::ZERO).remove(0);
    assert!(sent(&mut call, HEDGE_DELAY).is_empty());
    take(&mut call, &bench, &first, number, HEDGE_DELAY * 2);
    let second = sent(&mut call, HEDGE_DELAY * 2);
    assert!(second.iter().all(|(_, asks)| asks.iter().all(|ask| ask.item >= TOGETHER)), "nothing twice");
    let later = call.timeout();
    assert!(later > HEDGE_DELAY * 2);
    let more: Vec<_> = sent(&mut call, DEADLINE - millis(1));
    let new = |(_, asks): &(String, Vec<Ask>)| asks.iter().any(|ask| ask.item >= 3 * TOGETHER);
    assert!(!more.iter().any(new), "it has not answered the second group");
}

/// It has answered once, and never again: what has not begun ends without an attempt, as the time is over.
#[test]
fn what_waits_for_a_provider_that_fell_silent_ends_with_the_call() {
    let bench = Bench::new(&["a"]);
    let mut call = many(&bench);
    let first = sent(&mut call, Duration::ZERO).remove(0);
    take(&mut call, &bench, &first, number, millis(10));
    let mut now = millis(10);
    while now < DEADLINE {
        sent(&mut call, now);
        now = call.timeout();
    }
    call.handle_timeout(DEADLINE);
    assert_done(&mut call, DEADLINE);
    let results = call.finish(Some(DEADLINE)).results;
    let count = |is_it: fn(usize) -> bool| results.iter().filter(|it| is_it(it.attempts.len())).count();
    assert_eq!(results.iter().filter(|it| it.winner.is_some()).count(), TOGETHER);
    assert_eq!((count(|attempts| attempts > 0), results.len()), (3 * TOGETHER, GROUPS * TOGETHER));
}
