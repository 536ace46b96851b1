//! One question, or several side by side, to several providers: the first answer that the judge lets win ends each.

mod again;
mod lane;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};

use crate::asker::Asker;
use crate::clock::Deadline;
use crate::endpoint::Endpoint;
use crate::event;
use crate::standing::until_midnight;
use lane::Lane;

/// What the judge makes of one provider's answer.
#[derive(Debug)]
pub enum Answer<T> {
    /// It answers the question: the race is over.
    Wins(T),
    /// It may turn out to be worth something later. The race goes on: nobody wins by making a claim.
    Parks {
        /// Whether what this provider claimed before was confirmed. Then its word is worth waiting for, and no more
        /// operators than the policy names are asked meanwhile.
        was_right_before: bool,
    },
    /// It is not used.
    Fails(Failure),
    /// The provider was not asked after all: meanwhile, by another race, as many operators know of the question as may as
    /// long as one of them answers it.
    Withheld {
        /// Those that know of it by now.
        operators: BTreeSet<String>,
    },
}

/// A question whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its position among the audiences.
    pub item: usize,
    /// Whether it is asked of somebody beyond [`Audience::most`], because nobody within has answered it.
    pub widened: bool,
}

impl<T> Answer<T> {
    /// Why it is not used, if it is not.
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Fails(failure) => Some(failure),
            Self::Wins(_) | Self::Parks { .. } | Self::Withheld { .. } => None,
        }
    }
}

/// What is asked in a race, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Contest {
    /// What the providers are asked for; noted in the attempts.
    pub role: Role,
    /// The method or route that decides, under which it is remembered who was of use and how fast.
    pub method: &'static str,
    /// When the race is over, whoever has not answered.
    pub deadline: Deadline,
}

/// Who may be asked one question.
#[derive(Clone, Debug)]
pub struct Audience {
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

impl Audience {
    /// Everybody: the question tells nobody anything.
    pub fn everybody() -> Self {
        Self { operators: BTreeSet::new(), most: usize::MAX, strict: false, last: BTreeSet::new() }
    }
}

/// How the race for one question ended.
#[derive(Debug)]
pub struct Race<T> {
    /// The winning answer and whose it is.
    pub winner: Option<(ProviderId, T)>,
    /// Everyone who was asked, and who would have been but wants to be left alone or is not asked any more.
    pub attempts: Vec<Attempt>,
    /// Whether providers were left unasked because of [`Audience::strict`].
    pub held_back: bool,
}

impl Asker {
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
    pub async fn race<'a, T: Send + 'a>(
        &self,
        contest: Contest,
        endpoints: &'a [Endpoint],
        audiences: Vec<Audience>,
        ask: impl Fn(&'a Endpoint, Vec<Turn>) -> BoxFuture<'a, Vec<Answer<T>>>,
    ) -> Vec<Race<T>> {
        let clock = self.network().clock();
        let began = clock.monotonic();
        let left = contest.deadline.left(clock);
        let ends = began.saturating_add(left);
        if left.is_zero() {
            let unasked = |_| Race { winner: None, attempts: Vec::new(), held_back: false };
            return audiences.iter().map(unasked).collect();
        }
        let ordered = self.order(contest.role, contest.method, endpoints);
        for folder in endpoints.iter().filter(|endpoint| endpoint.folder_path().is_some()) {
            self.standings().is_local(folder.id());
        }
        let pauses = again::pauses(self);
        let lane = |audience| Lane::new(self, contest, &ordered, audience, ends, pauses);
        let lanes: Vec<Lane<'a, T>> = audiences.into_iter().map(lane).collect();
        let mut course = Course { asker: self, method: contest.method, lanes, looked: began };
        let mut running = FuturesUnordered::new();
        let mut over = clock.sleep(left);
        loop {
            course.looked = clock.monotonic();
            let lanes = &mut course.lanes;
            for (endpoint, turns) in turns(self, lanes, course.looked) {
                let answers = ask(endpoint, turns.clone());
                running.push(answers.map(move |answers| (endpoint, turns, answers)));
            }
            let next = lanes.iter().filter_map(Lane::wakes).min();
            let wake = match next {
                _ if lanes.iter().all(Lane::is_won) => break,
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
                    for (Turn { item, .. }, answer) in turns.into_iter().zip(answers) {
                        if !matches!(answer, Answer::Withheld { .. }) {
                            self.standings().hear(endpoint.id(), answer.failure(), now);
                        }
                        if let Some(lane) = lanes.get_mut(item) {
                            lane.take(endpoint, answer, now);
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
    pub async fn race_for_one<'a, T: Send + 'a>(
        &self,
        contest: Contest,
        endpoints: &'a [Endpoint],
        audience: Audience,
        ask: impl Fn(&'a Endpoint) -> BoxFuture<'a, Answer<T>>,
    ) -> Race<T> {
        let ask = |endpoint, _| ask(endpoint).map(|answer| vec![answer]).boxed();
        let mut races = self.race(contest, endpoints, vec![audience], ask).await;
        races.pop().unwrap_or(Race { winner: None, attempts: Vec::new(), held_back: false })
    }
}

/// A race under way. What it has shown of the providers is remembered however it ends, also where it is given up because
/// what it was begun for came another way.
struct Course<'r, 'a, T> {
    asker: &'r Asker,
    method: &'static str,
    lanes: Vec<Lane<'a, T>>,
    /// When something happened in it last, on the monotonic clock: after that nobody may have looked whether answers came.
    looked: Duration,
}

impl<T> Course<'_, '_, T> {
    fn end(&mut self) -> Vec<Race<T>> {
        let (method, now) = (self.method, self.looked);
        let lanes = std::mem::take(&mut self.lanes);
        let patience = lanes.iter().map(Lane::patience).max().unwrap_or_default();
        let told: Vec<(Race<T>, Vec<Attempt>)> = lanes.into_iter().map(|lane| lane.finish(now)).collect();
        let asked = best_of_each(told.iter().flat_map(|(_, asked)| asked));
        let midnight = until_midnight(self.asker.network().clock().wall().as_secs());
        event::failed(method, &asked);
        self.asker.standings().note(method, &asked, patience, now, Some(midnight));
        told.into_iter().map(|(race, _)| race).collect()
    }
}

impl<T> Drop for Course<'_, '_, T> {
    fn drop(&mut self) {
        if !self.lanes.is_empty() {
            self.lanes.iter_mut().for_each(Lane::give_up);
            self.end();
        }
    }
}

/// Who is to be asked at `now`, and for which of the lanes.
fn turns<'a, T>(asker: &Asker, lanes: &mut [Lane<'a, T>], now: Duration) -> Vec<(&'a Endpoint, Vec<Turn>)> {
    // What is asked of one provider at one time is one request, so it costs once.
    let (mut hedges, mut retries) = (None, None);
    let mut may_hedge = || *hedges.get_or_insert_with(|| asker.standings().hedges.spend());
    let mut may_retry = || *retries.get_or_insert_with(|| asker.standings().retries.spend());
    let mut turns: Vec<(&'a Endpoint, Vec<Turn>)> = Vec::new();
    for (item, lane) in lanes.iter_mut().enumerate() {
        for (endpoint, widened) in lane.due(asker, now, &mut may_hedge, &mut may_retry) {
            let turn = Turn { item, widened };
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
        Outcome::Parked => 2,
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
