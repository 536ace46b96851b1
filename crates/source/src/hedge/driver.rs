//! Drives a [`HedgedCall`]: owns the futures, reads the clock, and locks what is known of the providers.

use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::{Either, pending, select};
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};

use super::call::{Action, Finished, HedgedCall};
use super::candidate::Candidate;
use super::request::Call;
use super::{Answer, Ask, DisclosureSet, Hedged, RequestSpec, retry};
use crate::backoff::until_midnight;
use crate::dispatcher::Dispatcher;
use crate::endpoint::Endpoint;
use crate::event;
use crate::maybe_send::{BoxedFuture, MaybeSend};
use crate::providers;

impl Dispatcher {
    /// Asks `endpoints`, in the order of [`Dispatcher::order`], one question for each of the `disclosures`, until each has an
    /// accepted answer, or no provider is left, or the deadline comes.
    ///
    /// The phases, where *d* is the hedge delay (what nine in ten answers of the first provider take, 150 ms to 2 s; 400 ms
    /// while that is not known):
    ///
    /// 1. primary: the best provider, at once;
    /// 2. hedge: one more after *d*, or when the first has failed; of another operator and other hosting if possible. Asking
    ///    it for slowness alone is limited to one call in ten;
    /// 3. fan-out: after 2*d*, or when both have failed, all others that the disclosure set allows;
    /// 4. over policy: *d* after the last of these, or when all have failed, all others, unless the disclosure set is strict;
    /// 5. retry: failures that may pass are asked again, twice, with full jitter, in one call of ten. Providers that asked for a
    ///    pause are asked after it, and silent ones after pauses that double.
    ///
    /// Questions that go to one provider at one time are given to `ask` together. Its answers are in the same order. Where there are many
    /// questions, they begin in groups, and each has its phases from then on.
    pub async fn hedge<'a, T: MaybeSend + 'a>(
        &self,
        spec: RequestSpec,
        endpoints: &'a [Endpoint],
        disclosures: Vec<DisclosureSet>,
        ask: impl Fn(&'a Endpoint, Vec<Ask>) -> BoxedFuture<'a, Vec<Answer<T>>>,
    ) -> Vec<Hedged<T>> {
        let clock = self.io().clock();
        if spec.deadline.left(clock).is_zero() {
            return disclosures.iter().map(|_| Hedged::unasked()).collect();
        }
        let mut recorded = self.begin(spec, endpoints, disclosures);
        let mut accepted = Accepted::new();
        let mut in_flight = FuturesUnordered::new();
        while let Some(call) = &mut recorded.call {
            // A name of its own, so that the lock is released before anything is awaited.
            let action = call.poll(clock.monotonic(), &mut self.providers().budgets);
            match action {
                Action::Send { endpoint, asks } => {
                    let answer = ask(endpoint, asks.clone());
                    in_flight.push(answer.map(move |answers| (endpoint, asks, answers)));
                }
                Action::Wait => {
                    let timer = clock.sleep(call.timeout().saturating_sub(clock.monotonic()));
                    // The answer comes first: one that arrives with the deadline still counts.
                    let event = match select(pin!(next(&mut in_flight)), timer).await {
                        Either::Left((answer, _)) => Some(answer),
                        Either::Right(((), _)) => None,
                    };
                    let now = clock.monotonic();
                    match event {
                        Some((endpoint, asks, answers)) => {
                            let answers = accepted.take(answers);
                            self.record_answers(endpoint, &answers);
                            call.handle_answers(now, endpoint, &asks, answers);
                        }
                        None => call.handle_timeout(now),
                    }
                }
                Action::Done => break,
            }
        }
        recorded.finish().into_iter().map(|hedged| accepted.put_back(hedged)).collect()
    }

    /// [`Dispatcher::hedge`] for a single question.
    pub async fn hedge_one<'a, T: MaybeSend + 'a>(
        &self,
        spec: RequestSpec,
        endpoints: &'a [Endpoint],
        disclosure: DisclosureSet,
        ask: impl Fn(&'a Endpoint) -> BoxedFuture<'a, Answer<T>>,
    ) -> Hedged<T> {
        let ask = |endpoint, _| -> BoxedFuture<'a, Vec<Answer<T>>> {
            Box::pin(ask(endpoint).map(|answer| vec![answer]))
        };
        let mut results = self.hedge(spec, endpoints, vec![disclosure], ask).await;
        results.pop().unwrap_or_else(Hedged::unasked)
    }

    fn begin<'a>(
        &self,
        spec: RequestSpec,
        endpoints: &'a [Endpoint],
        disclosures: Vec<DisclosureSet>,
    ) -> Recorded<'_, 'a> {
        let RequestSpec { role, method, deadline } = spec;
        let clock = self.io().clock();
        let began = clock.monotonic();
        let ends = began.saturating_add(deadline.left(clock));
        let mut providers = self.providers();
        for folder in endpoints.iter().filter(|endpoint| endpoint.folder_path().is_some()) {
            providers.reachability.mark_local(folder.id());
        }
        let pauses = retry::pauses(&mut providers.jitter);
        let candidates = Candidate::all(&providers, role, method, endpoints, began);
        drop(providers);
        let call = HedgedCall::new(Call { role, began, ends, pauses }, candidates, disclosures);
        Recorded { dispatcher: self, method, call: Some(call) }
    }

    /// Records at once that the provider answered: the call may be dropped before it ends.
    fn record_answers(&self, endpoint: &Endpoint, answers: &[Answer<usize>]) {
        let now = self.io().clock().monotonic();
        let mut providers = self.providers();
        for answer in answers.iter().filter(|answer| !matches!(answer, Answer::Withheld { .. })) {
            providers.reachability.record_answer(endpoint.id(), answer.failure(), now);
        }
    }
}

/// The next answer; never if no request is in flight.
async fn next<S: Stream + Unpin>(in_flight: &mut S) -> S::Item {
    match in_flight.next().await {
        Some(answer) => answer,
        None => pending().await,
    }
}

/// The answers that were accepted. The call itself has only their places, so that its code is there once for all types.
struct Accepted<T>(Vec<Option<T>>);

impl<T> Accepted<T> {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn take(&mut self, answers: Vec<Answer<T>>) -> Vec<Answer<usize>> {
        let place = |answer| match answer {
            Answer::Accepted(value) => {
                self.0.push(Some(value));
                Answer::Accepted(self.0.len().saturating_sub(1))
            }
            Answer::Pending { was_right_before } => Answer::Pending { was_right_before },
            Answer::Failed(failure) => Answer::Failed(failure),
            Answer::Withheld { operators } => Answer::Withheld { operators },
        };
        answers.into_iter().map(place).collect()
    }

    fn put_back(&mut self, hedged: Hedged<usize>) -> Hedged<T> {
        let Hedged { winner, attempts, held_back } = hedged;
        let winner = winner.and_then(|(provider, place)| Some((provider, self.0.get_mut(place)?.take()?)));
        Hedged { winner, attempts, held_back }
    }
}

/// A call whose outcome is recorded however it ends, also if its future is dropped.
struct Recorded<'d, 'a> {
    dispatcher: &'d Dispatcher,
    method: &'static str,
    call: Option<HedgedCall<'a, usize>>,
}

impl Recorded<'_, '_> {
    fn finish(mut self) -> Vec<Hedged<usize>> {
        let now = self.dispatcher.io().clock().monotonic();
        let finished = self.call.take().map(|call| call.finish(Some(now)));
        finished.map(|finished| self.record(finished)).unwrap_or_default()
    }

    fn record(&self, finished: Finished<usize>) -> Vec<Hedged<usize>> {
        let Finished { results, attempts, hedge_delay, now } = finished;
        let (method, attempts) = (self.method, attempts.as_slice());
        let until_midnight = until_midnight(self.dispatcher.io().clock().wall().as_secs());
        event::failed(self.dispatcher.io().network(), method, attempts);
        let finished = providers::Finished { method, attempts, hedge_delay, now, until_midnight };
        self.dispatcher.providers().record(finished);
        results
    }
}

impl Drop for Recorded<'_, '_> {
    fn drop(&mut self) {
        if let Some(mut call) = self.call.take() {
            call.cancel();
            self.record(call.finish(None));
        }
    }
}
