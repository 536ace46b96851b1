//! One question, or several side by side, to several providers: the first answer that the judge lets win ends each.

mod request;
mod retry;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};

use crate::clock::Deadline;
use crate::dispatcher::Dispatcher;
use crate::endpoint::Endpoint;
use crate::event;
use crate::standing::until_midnight;
use request::HedgedRequest;

/// What the judge makes of one provider's answer.
#[derive(Debug)]
pub enum Answer<T> {
    /// It answers the question: the race is over.
    Accepted(T),
    /// It may turn out to be worth something later. The race goes on: nobody wins by making a claim.
    Pending {
        /// Whether what this provider claimed before was confirmed. Then its word is worth waiting for, and no more
        /// operators than the policy names are asked meanwhile.
        was_right_before: bool,
    },
    /// It is not used.
    Failed(Failure),
    /// The provider was not asked after all: meanwhile, by another race, as many operators know of the question as may as
    /// long as one of them answers it.
    Withheld {
        /// Those that know of it by now.
        operators: BTreeSet<String>,
    },
}

/// A question whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its position among the audiences.
    pub item: usize,
    /// Whether it is asked of somebody beyond [`Audience::most`], because nobody within has answered it.
    pub over_policy: bool,
}

impl<T> Answer<T> {
    /// Why it is not used, if it is not.
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Accepted(_) | Self::Pending { .. } | Self::Withheld { .. } => None,
        }
    }
}

/// What is asked in a race, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct RequestSpec {
    /// What the providers are asked for; noted in the attempts.
    pub role: Role,
    /// The method or route that decides, under which it is remembered who was of use and how fast.
    pub method: &'static str,
    /// When the race is over, whoever has not answered.
    pub deadline: Deadline,
}

/// Who may be asked one question.
#[derive(Clone, Debug)]
pub struct DisclosureSet {
    /// The operators that know of it already, by [`Endpoint::operator_key`].
    pub operators: BTreeSet<String>,
    /// How many operators may know of it as long as one of them answers it, those who do already included. One that
    /// could not be reached does not.
    pub most: usize,
    /// Whether no more are asked even if none of them answers it.
    pub strict: bool,
    /// Who is known not to have what is asked for: they are asked after all others.
    pub last: BTreeSet<ProviderId>,
}

impl DisclosureSet {
    /// Everybody: the question tells nobody anything.
    pub fn unrestricted() -> Self {
        Self { operators: BTreeSet::new(), most: usize::MAX, strict: false, last: BTreeSet::new() }
    }
}

/// How the race for one question ended.
#[derive(Debug)]
pub struct Hedged<T> {
    /// The winning answer and whose it is.
    pub winner: Option<(ProviderId, T)>,
    /// Everyone who was asked, and who would have been but wants to be left alone or is not asked any more.
    pub attempts: Vec<Attempt>,
    /// Whether providers were left unasked because of [`Audience::strict`].
    pub held_back: bool,
}

impl Dispatcher {
    /// Asks `endpoints`, in the order of [`Asker::order`], one question for each of the `audiences`, until each is answered
    /// or all have been asked, or the deadline.
    ///
    /// The first is asked at once. When it has failed, or has not answered for as long as nine in ten of its answers take
    /// (400 ms where that is not known, 150 ms to 2 s in any case), another is asked as well, of another operator and if
    /// possible of other hosting. When both have failed, or after twice that time, all others whom the audience allows are
    /// asked; and when none of these has won either, all others, unless the audience is strict. Asking a second one for
    /// slowness alone is kept to one question in ten. Failures that pass are tried again twice, with full jitter, in one
    /// question of ten.
    ///
    /// Questions whose turn comes at the same provider at the same time are given to `ask` together; it gives their answers
    /// in the same order.
    pub async fn hedge<'a, T: Send + 'a>(
        &self,
        spec: RequestSpec,
        endpoints: &'a [Endpoint],
        disclosures: Vec<DisclosureSet>,
        ask: impl Fn(&'a Endpoint, Vec<Ask>) -> BoxFuture<'a, Vec<Answer<T>>>,
    ) -> Vec<Hedged<T>> {
        let clock = self.io().clock();
        let began = clock.monotonic();
        let left = spec.deadline.left(clock);
        let ends = began.saturating_add(left);
        if left.is_zero() {
            let unasked = |_| Hedged { winner: None, attempts: Vec::new(), held_back: false };
            return disclosures.iter().map(unasked).collect();
        }
        let ordered = self.order(spec.role, spec.method, endpoints);
        for folder in endpoints.iter().filter(|endpoint| endpoint.folder_path().is_some()) {
            self.standings().is_local(folder.id());
        }
        let pauses = retry::pauses(self);
        let request = |disclosure| HedgedRequest::new(self, spec, &ordered, disclosure, ends, pauses);
        let requests: Vec<HedgedRequest<'a, T>> = disclosures.into_iter().map(request).collect();
        let mut course = Course { dispatcher: self, method: spec.method, requests, looked: began };
        let mut running = FuturesUnordered::new();
        let mut over = clock.sleep(left);
        loop {
            course.looked = clock.monotonic();
            let requests = &mut course.requests;
            for (endpoint, turns) in turns(self, requests, course.looked) {
                let answers = ask(endpoint, turns.clone());
                running.push(answers.map(move |answers| (endpoint, turns, answers)));
            }
            let next = requests.iter().filter_map(HedgedRequest::wakes).min();
            let wake = match next {
                _ if requests.iter().all(HedgedRequest::is_won) => break,
                None if running.is_empty() => break,
                Some(at) => clock.sleep(at.saturating_sub(clock.monotonic())),
                None => std::future::pending().boxed(),
            };
            let answered = match running.is_empty() {
                true => std::future::pending().boxed(),
                false => running.next().boxed(),
            };
            match select(answered, select(wake, &mut over)).await {
                Either::Left((Some((endpoint, turns, answers)), _)) => {
                    let now = clock.monotonic();
                    for (Ask { item, .. }, answer) in turns.into_iter().zip(answers) {
                        if !matches!(answer, Answer::Withheld { .. }) {
                            self.standings().hear(endpoint.id(), answer.failure(), now);
                        }
                        if let Some(request) = requests.get_mut(item) {
                            request.take(endpoint, answer, now);
                        }
                    }
                }
                Either::Left((None, _)) | Either::Right((Either::Left(_), _)) => {}
                Either::Right((Either::Right(_), _)) => break,
            }
        }
        course.looked = clock.monotonic();
        course.end()
    }

    /// [`Asker::race`] for a single question.
    pub async fn hedge_one<'a, T: Send + 'a>(
        &self,
        spec: RequestSpec,
        endpoints: &'a [Endpoint],
        disclosure: DisclosureSet,
        ask: impl Fn(&'a Endpoint) -> BoxFuture<'a, Answer<T>>,
    ) -> Hedged<T> {
        let ask = |endpoint, _| ask(endpoint).map(|answer| vec![answer]).boxed();
        let mut races = self.hedge(spec, endpoints, vec![disclosure], ask).await;
        races.pop().unwrap_or(Hedged { winner: None, attempts: Vec::new(), held_back: false })
    }
}

/// A race under way. What it has shown of the providers is remembered however it ends, also where it is given up because
/// what it was begun for came another way.
struct Course<'r, 'a, T> {
    dispatcher: &'r Dispatcher,
    method: &'static str,
    requests: Vec<HedgedRequest<'a, T>>,
    /// When something happened in it last, on the monotonic clock: after that nobody may have looked whether answers came.
    looked: Duration,
}

impl<T> Course<'_, '_, T> {
    fn end(&mut self) -> Vec<Hedged<T>> {
        let (method, now) = (self.method, self.looked);
        let requests = std::mem::take(&mut self.requests);
        let hedge_delay = requests.iter().map(HedgedRequest::hedge_delay).max().unwrap_or_default();
        let told: Vec<(Hedged<T>, Vec<Attempt>)> =
            requests.into_iter().map(|request| request.finish(now)).collect();
        let asked = best_of_each(told.iter().flat_map(|(_, asked)| asked));
        let midnight = until_midnight(self.dispatcher.io().clock().wall().as_secs());
        event::failed(method, &asked);
        self.dispatcher.standings().note(method, &asked, hedge_delay, now, Some(midnight));
        told.into_iter().map(|(race, _)| race).collect()
    }
}

impl<T> Drop for Course<'_, '_, T> {
    fn drop(&mut self) {
        if !self.requests.is_empty() {
            self.requests.iter_mut().for_each(HedgedRequest::give_up);
            self.end();
        }
    }
}

/// Who is to be asked at `now`, and for which of the lanes.
fn turns<'a, T>(
    dispatcher: &Dispatcher,
    requests: &mut [HedgedRequest<'a, T>],
    now: Duration,
) -> Vec<(&'a Endpoint, Vec<Ask>)> {
    // What is asked of one provider at one time is one request, so it costs once.
    let (mut hedges, mut retries) = (None, None);
    let mut may_hedge = || *hedges.get_or_insert_with(|| dispatcher.standings().hedges.spend());
    let mut may_retry = || *retries.get_or_insert_with(|| dispatcher.standings().retries.spend());
    let mut turns: Vec<(&'a Endpoint, Vec<Ask>)> = Vec::new();
    for (item, request) in requests.iter_mut().enumerate() {
        for (endpoint, over_policy) in request.due(dispatcher, now, &mut may_hedge, &mut may_retry) {
            let turn = Ask { item, over_policy };
            match turns.iter_mut().find(|(known, _)| known.id() == endpoint.id()) {
                Some((_, turns)) => turns.push(turn),
                None => turns.push((endpoint, vec![turn])),
            }
        }
    }
    turns
}

/// One attempt for each provider, the most useful one.
fn best_of_each<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Vec<Attempt> {
    let usefulness = |attempt: &Attempt| match attempt.outcome {
        Outcome::Joined | Outcome::Accepted | Outcome::Named { .. } => 3_u8,
        Outcome::Pending => 2,
        Outcome::Failed(_) => 1,
        _ => 0,
    };
    let mut best: BTreeMap<&ProviderId, &Attempt> = BTreeMap::new();
    for attempt in attempts {
        let held = best.entry(&attempt.provider).or_insert(attempt);
        if usefulness(attempt) > usefulness(held) {
            *held = attempt;
        }
    }
    best.into_values().cloned().collect()
}
