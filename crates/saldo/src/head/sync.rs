//! Syncs the light client to the newest signed head: the driver of [`SyncPlan`].

use futures_util::future::{Either, select};
use saldo_chain::Level;
use saldo_reading::{Attempt, Failure, Generation, Why};
use saldo_source::Deadline;

use super::Head;
use super::committee::UPDATES;
use super::step::{Need, Request, Round, SyncPlan, Synced};

impl Head {
    /// Syncs the light client as far as the sources allow before `deadline`.
    pub(crate) async fn sync(&self, deadline: Deadline) -> Synced {
        // A second call waits for the first, to save requests. It does not wait long: the first future may no
        // longer be polled, and syncing twice does no harm.
        let longest_wait = self.env.time_left(deadline).checked_div(4).unwrap_or_default();
        let _turn = match select(self.syncing.lock(), self.env.clock().sleep(longest_wait)).await {
            Either::Left((turn, _)) => Some(turn),
            Either::Right(_) => None,
        };
        let mut plan = SyncPlan::default();
        while let Some(request) = plan.next_step(self.need()) {
            let generation = self.generation();
            match request {
                Request::LookAhead => self.look_ahead(deadline).await,
                Request::Fetch(Need::Heads) => {
                    let (heads, is_ahead) = self.newer_heads(deadline, plan.may_look_ahead()).await;
                    let round = self.judge(Need::Heads, heads);
                    if !(is_ahead && plan.note_later_period(&round)) {
                        let round = self.name_missing_routes(round, deadline).await;
                        plan.record(Need::Heads, round, self.need());
                    }
                }
                Request::Fetch(need) => {
                    let round = self.fetch_needed(need, generation, deadline).await;
                    plan.record(need, round, self.need());
                }
            }
        }
        let mut synced = plan.end(self.follow());
        if self.env.policy.assurance == Level::Finalized {
            synced.problem = synced.problem.or_else(|| self.why_finality_is_late());
        }
        synced
    }

    async fn fetch_needed(&self, need: Need, generation: Generation, deadline: Deadline) -> Round {
        let round = match need {
            Need::Start => self.start(generation, deadline).await,
            Need::Restart { held } => self.restart(held, generation, deadline).await,
            Need::Updates { start, count } => {
                let has_agreement = self.trust_start.agreement().is_some();
                let deadline = if has_agreement { self.env.half(deadline) } else { deadline };
                let ask = |source| self.updates(source, start, count, deadline);
                let attempts = self.ask_sources(UPDATES, deadline, ask).await;
                self.judge(need, attempts)
            }
            Need::Heads | Need::Nothing => Round::default(),
        };
        let may_be_missing = matches!(need, Need::Updates { .. }) && may_be_missing(&round);
        let round = if may_be_missing {
            self.handle_missing_update(round, generation, deadline).await
        } else {
            round
        };
        self.name_missing_routes(round, deadline).await
    }

    /// Handles a committee update that is needed by this clock but that no source gives. A period is never
    /// skipped: trust restarts after it, or the light client stays where it is.
    async fn handle_missing_update(
        &self,
        missing: Round,
        generation: Generation,
        deadline: Deadline,
    ) -> Round {
        if let Some(agreement) = self.trust_start.agreement() {
            let before = self.finalized_slot();
            let again = self.start_by_agreement(agreement, generation, deadline).await;
            let has_advanced = self.finalized_slot() > before;
            let attempts = [missing.attempts.clone(), again.attempts].concat();
            if again.won && has_advanced {
                return Round { attempts, ..again };
            }
        }
        match self.newest_by_known_committees(deadline).await {
            // The known committees still sign: this clock is ahead, or the chain stands still.
            Some(newest) => Round::lost(missing.attempts, Why::LightClientBehind { newest: Some(newest) }),
            None => missing,
        }
    }
}

/// Whether the update may be missing at a source. Some servers answer HTTP 500 for a period that they do not have.
fn may_be_missing(round: &Round) -> bool {
    let may_lack = |attempt: &Attempt| attempt.outcome.failure() == Some(&Failure::Http { status: 500 });
    match &round.problem {
        Some(Why::HandOverMissing { .. }) => true,
        Some(Why::LightClientBehind { .. } | Why::HeadsRefused) => round.attempts.iter().any(may_lack),
        _ => false,
    }
}
