//! What is asked again, and how often.

use super::*;

/// How many of twelve questions are asked again, if the only provider fails all of them, or stays silent.
fn asked_again(counts_calls: bool, is_silent: bool) -> usize {
    let mut bench = Bench::new(&["a"]);
    if counts_calls {
        bench.providers.counting_calls.insert(bench.endpoints[0].id().clone());
    }
    let mut budgets = Budgets::default();
    while budgets.hedges.spend() && budgets.retries.spend() {}
    budgets.retries.spend();
    let mut call = bench.call(vec![DisclosureSet::unrestricted(); 12]);
    let Action::Send { asks, .. } = call.poll(Duration::ZERO, &mut budgets) else { panic!("sends") };
    assert_eq!(asks.len(), 12);
    // Enough for three extra requests.
    (0..30 - 12).for_each(|_| (budgets.hedges.earn(), budgets.retries.earn()).1);
    let mut now = millis(10);
    if !is_silent {
        let failures = asks.iter().map(|_| Answer::Failed(broken())).collect();
        call.handle_answers(now, bench.endpoint("a"), &asks, failures);
    }
    while now < DEADLINE {
        match call.poll(now, &mut budgets) {
            Action::Send { asks, .. } => return asks.len(),
            Action::Wait => now = call.timeout().max(now.saturating_add(millis(1))),
            Action::Done => break,
        }
    }
    0
}

/// To a provider that counts the calls inside a request, each question is one extra request.
#[test]
fn the_budget_counts_the_calls_that_a_provider_counts() {
    for is_silent in [false, true] {
        assert_eq!(asked_again(false, is_silent), 12, "silent: {is_silent}");
        assert_eq!(asked_again(true, is_silent), 3, "silent: {is_silent}");
    }
}

/// A provider that failed for a moment is asked again, although another one may still answer.
#[test]
fn a_failure_that_may_pass_is_asked_again_once_beside_a_silent_provider() {
    let bench = Bench::new(&["a", "b"]);
    for failure in [broken(), Failure::WebPage, Failure::Malformed { what: "" }] {
        let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
        assert_eq!(sent(&mut call, Duration::ZERO), "a");
        fail(&mut call, &bench, "a", failure.clone(), millis(10));
        assert_eq!(sent(&mut call, millis(10)), "b");
        let again = millis(10) + HEDGE_DELAY * 3;
        assert_eq!(sent(&mut call, again - millis(1)), "", "{failure:?}");
        assert_eq!(call.timeout(), again, "{failure:?}");
        assert_eq!(sent(&mut call, again), "a", "{failure:?}");
        fail(&mut call, &bench, "a", failure, again + millis(10));
        // The silent one may be asked again.
        assert_ne!(sent(&mut call, DEADLINE - millis(1)), "a", "only once");
    }
    // A failure that lasts is not asked again.
    let mut call = bench.call(vec![DisclosureSet::unrestricted()]);
    assert_eq!(sent(&mut call, Duration::ZERO), "a");
    fail(&mut call, &bench, "a", Failure::NoResult, millis(10));
    assert_eq!(sent(&mut call, millis(10)), "b");
    assert_eq!(sent(&mut call, millis(10) + HEDGE_DELAY * 3), "");
}
