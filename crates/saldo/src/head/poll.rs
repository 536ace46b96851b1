//! Asks all checkpoint sources one question at the same time.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use saldo_beacon::unit::{Epoch, Slot};
use saldo_reading::{Attempt, Failure, Outcome, Role, TransportError, Why};
use saldo_source::checkpoint::{block_root, finalized_epoch};
use saldo_source::{BoxedFuture, Deadline, Endpoint, IntoBoxed, SortedMap, SortedSet, sort_by};

use super::Head;
use super::agreement::{Verdict, Votes};
use super::trust_start::Agreement;

/// The poll result: the votes of the sources on the block at one slot.
pub(super) struct PollResult {
    pub(super) votes: Votes,
    pub(super) attempts: Vec<Attempt>,
}

impl PollResult {
    /// The cause that at least `lacking` operators share that named no block: without it, the poll could have succeeded.
    pub(super) fn shared_cause(&self, agreement: &Agreement, lacking: usize) -> Option<Why> {
        let operator_of = |attempt: &Attempt| {
            let mut sources = agreement.sources.iter();
            sources.find(|source| *source.id() == attempt.provider).map(Endpoint::operator_key)
        };
        let is_vote = |attempt: &&Attempt| matches!(attempt.outcome, Outcome::Named { .. });
        let voted: SortedSet<String> = self.attempts.iter().filter(is_vote).filter_map(operator_of).collect();
        let mut causes = SortedMap::<String, &Failure>::new();
        for attempt in &self.attempts {
            if let (Some(operator), Some(failure)) = (operator_of(attempt), attempt.outcome.failure())
                && !voted.iter().any(|voted| *voted == operator)
            {
                causes.insert(operator, failure);
            }
        }
        let share =
            |test: fn(&Failure) -> bool| causes.values().filter(|failure| test(failure)).count() >= lacking;
        let role = Role::Checkpoint;
        if share(is_rate_limit) {
            Some(Why::RateLimited { role, retry_after: shortest_pause(causes.values(), lacking) })
        } else if share(|failure| *failure == Failure::QuotaExhausted) {
            Some(Why::QuotaExhausted { role })
        } else if share(|failure| matches!(failure, Failure::Denied { .. })) {
            Some(Why::Denied)
        } else if share(|failure| *failure == Failure::WebPage) {
            Some(Why::LogInPage)
        } else {
            share(is_redirect).then_some(Why::Moved)
        }
    }
}

fn is_rate_limit(failure: &Failure) -> bool {
    matches!(failure, Failure::RateLimited { .. })
}

fn is_redirect(failure: &Failure) -> bool {
    matches!(failure, Failure::Transport(TransportError::Redirect { .. }))
}

/// The pause after which `lacking` sources may be asked again, if these said how long to wait.
fn shortest_pause<'a>(failures: impl Iterator<Item = &'a &'a Failure>, lacking: usize) -> Option<Duration> {
    let mut pauses: Vec<Option<Duration>> = failures
        .filter_map(|failure| match failure {
            Failure::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        })
        .collect();
    sort_by(&mut pauses, Option::cmp);
    pauses.get(lacking.saturating_sub(1)).copied().flatten()
}

impl Head {
    /// How long to wait for the other sources once there is an agreement: each of them might break it.
    const LATECOMERS: Duration = Duration::from_millis(1_500);

    /// Asks all sources for the root of the block at `slot`.
    pub(super) async fn ask_which_block<'a>(
        &'a self,
        agreement: &'a Agreement,
        slot: Slot,
        deadline: Deadline,
    ) -> PollResult {
        let mut votes = Votes::default();
        let attempts = self
            .ask_all(
                &agreement.sources,
                deadline,
                |source| block_root(self.env.dispatcher.io(), source, slot, deadline).into_boxed(),
                |source, root| {
                    votes.count(source.run_by(), root);
                    (Outcome::Named { root }, matches!(votes.verdict(agreement.k), Verdict::Agreed { .. }))
                },
            )
            .await;
        self.env.dispatcher.note("checkpoint", &attempts);
        PollResult { votes, attempts }
    }

    /// Asks all sources for the newest finalized epoch. Returns the newest one that each operator names.
    pub(super) async fn ask_finalized_epoch<'a>(
        &'a self,
        agreement: &'a Agreement,
        deadline: Deadline,
    ) -> SortedMap<String, Epoch> {
        let mut finalized = SortedMap::<String, Epoch>::new();
        self.ask_all(
            &agreement.sources,
            deadline,
            |source| finalized_epoch(self.env.dispatcher.io(), source, deadline).into_boxed(),
            |source, epoch| {
                let newest = finalized.entry(source.operator_key()).or_insert(epoch);
                *newest = epoch.max(*newest);
                (Outcome::Accepted, false)
            },
        )
        .await;
        finalized
    }

    /// Asks all `sources` and passes each answer to `count`. It returns the outcome of the answer, and whether
    /// the answers suffice.
    async fn ask_all<'a, T>(
        &'a self,
        sources: &'a [Endpoint],
        deadline: Deadline,
        ask: impl Fn(&'a Endpoint) -> BoxedFuture<'a, Result<T, Failure>>,
        mut count: impl FnMut(&'a Endpoint, T) -> (Outcome, bool),
    ) -> Vec<Attempt> {
        let clock = self.env.clock();
        let began = clock.monotonic();
        let attempt = |source: &Endpoint, outcome| {
            let took = clock.monotonic().saturating_sub(began);
            Attempt {
                provider: source.id().clone(),
                role: Role::Checkpoint,
                outcome,
                took,
                over_policy: false,
            }
        };
        let mut asked: FuturesUnordered<_> =
            sources.iter().map(|source| ask(source).map(move |answer| (source, answer))).collect();
        let mut over = clock.sleep(deadline.left(clock));
        let mut waits_for_all = true;
        let mut attempts: Vec<Attempt> = Vec::new();
        while let Either::Left((Some((source, answer)), _)) = select(asked.next(), &mut over).await {
            let (outcome, suffices) = match answer {
                Ok(answer) => count(source, answer),
                Err(failure) => (Outcome::Failed(failure), false),
            };
            attempts.push(attempt(source, outcome));
            if suffices && waits_for_all {
                waits_for_all = false;
                over = clock.sleep(Self::LATECOMERS.min(deadline.left(clock)));
            }
        }
        let silent =
            sources.iter().filter(|source| attempts.iter().all(|attempt| attempt.provider != *source.id()));
        let silent: Vec<Attempt> = silent.map(|source| attempt(source, Outcome::Unfinished)).collect();
        [attempts, silent].concat()
    }
}
