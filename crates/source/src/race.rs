//! One question to several providers: the first answer that the judge lets win ends it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};

use crate::clock::{Clock, Deadline};

/// What the judge makes of one provider's answer.
#[derive(Debug)]
pub enum Answer<T> {
    /// It answers the question: the race is over.
    Wins(T),
    /// It may turn out to be worth something later. The race goes on: nobody wins by making a claim.
    Parks,
    /// It is not used.
    Fails(Failure),
}

/// How a race is run.
#[derive(Clone, Debug)]
pub struct Contest {
    /// What the providers are asked for; noted in the attempts.
    pub role: Role,
    /// After how long without a winner the next provider is asked as well.
    pub hedge_after: Duration,
    /// When the race is over, whoever has not answered.
    pub deadline: Deadline,
    /// How many providers may see the question. One that could not be reached has not.
    pub most: usize,
    /// Who has seen it already.
    pub seen: BTreeSet<ProviderId>,
}

/// How a race ended.
#[derive(Debug)]
pub struct Race<T> {
    /// The winning answer and whose it is.
    pub winner: Option<(ProviderId, T)>,
    /// Everyone who was asked.
    pub attempts: Vec<Attempt>,
    /// Whether providers were left unasked because of [`Contest::most`].
    pub held_back: bool,
}

/// Asks `providers` in their order: the first at once, the next whenever one has answered without winning, or
/// [`Contest::hedge_after`] has passed. Ends with the first answer that wins, when all have answered, or at
/// the deadline. Every asked provider is in the attempts, with its outcome.
pub async fn race<'a, T>(
    clock: &dyn Clock,
    contest: Contest,
    providers: Vec<(ProviderId, BoxFuture<'a, Answer<T>>)>,
) -> Race<T> {
    let mut waiting = providers.into_iter().peekable();
    let mut running = FuturesUnordered::new();
    let mut asked: Vec<Asked> = Vec::new();
    let mut winner = None;
    let mut over = clock.sleep(contest.deadline.left(clock));
    let mut due = true;
    let mut may_ask;

    loop {
        let mut seen = contest.seen.clone();
        seen.extend(asked.iter().filter(|asked| asked.may_have_seen()).map(|asked| asked.provider.clone()));
        let next = waiting.peek().map(|(provider, _)| provider);
        may_ask = seen.len() < contest.most || next.is_some_and(|next| contest.seen.contains(next));
        if due
            && may_ask
            && let Some((provider, answer)) = waiting.next()
        {
            let index = asked.len();
            asked.push(Asked { provider, begun: clock.monotonic(), ended: None });
            running.push(answer.map(move |answer| (index, answer)));
        }
        if running.is_empty() {
            break;
        }
        let hedge = match waiting.peek() {
            Some(_) if may_ask => clock.sleep(contest.hedge_after),
            _ => std::future::pending().boxed(),
        };
        due = match select(running.next(), select(hedge, &mut over)).await {
            Either::Left((Some((index, answer)), _)) => {
                let ended = asked.get_mut(index).map(|asked| (asked.provider.clone(), &mut asked.ended));
                let Some((provider, ended)) = ended else { break };
                let outcome = match answer {
                    Answer::Wins(value) => {
                        winner = Some((provider, value));
                        match contest.role {
                            Role::Execution => Outcome::Joined,
                            Role::Beacon | Role::Checkpoint => Outcome::Accepted,
                        }
                    }
                    Answer::Parks => Outcome::Parked,
                    Answer::Fails(failure) => Outcome::Failed(failure),
                };
                *ended = Some((clock.monotonic(), outcome));
                if winner.is_some() {
                    break;
                }
                true // Somebody answered without winning: the next one's turn has come.
            }
            Either::Left((None, _)) => true,
            Either::Right((Either::Left(_), _)) => true,
            Either::Right((Either::Right(_), _)) => break,
        };
    }

    let unfinished = if winner.is_some() { Outcome::Overtaken } else { Outcome::Unfinished };
    let end = clock.monotonic();
    let attempts = asked.into_iter().map(|asked| asked.attempt(contest.role, end, &unfinished)).collect();
    let held_back = winner.is_none() && !may_ask && waiting.peek().is_some();
    Race { winner, attempts, held_back }
}

struct Asked {
    provider: ProviderId,
    begun: Duration,
    ended: Option<(Duration, Outcome)>,
}

impl Asked {
    fn may_have_seen(&self) -> bool {
        self.ended.as_ref().and_then(|(_, outcome)| outcome.failure()).is_none_or(Failure::may_have_been_seen)
    }

    fn attempt(self, role: Role, end: Duration, unfinished: &Outcome) -> Attempt {
        let (at, outcome) = self.ended.unwrap_or_else(|| (end, unfinished.clone()));
        Attempt { provider: self.provider, role, outcome, took: at.saturating_sub(self.begun) }
    }
}
