//! Bringing the light client up to the newest signed head: the driver of [`Course`].

use futures_util::future::{Either, select};
use saldo_reading::{Generation, Why};
use saldo_source::Deadline;

use super::Head;
use super::committee::UPDATES;
use super::step::{Course, Need, Request, Round, Synced};

impl Head {
    /// Brings the light client as far as the sources allow before `deadline`.
    pub(crate) async fn sync(&self, deadline: Deadline) -> Synced {
        // A second call waits for the first, to save requests. But not for long: the first may be a future that is not polled
        // any more, and doing the same twice does no harm.
        let patience = self.env.time_left(deadline).checked_div(4).unwrap_or_default();
        let _turn = match select(self.syncing.lock(), self.env.clock().sleep(patience)).await {
            Either::Left((turn, _)) => Some(turn),
            Either::Right(_) => None,
        };
        let mut course = Course::default();
        while let Some(request) = course.next_step(self.need()) {
            let generation = self.generation();
            match request {
                Request::LookAhead => self.look_ahead(deadline).await,
                Request::Fetch(Need::Heads) => {
                    let (heads, is_ahead) = self.newer_heads(deadline, course.may_look_ahead()).await;
                    let round = self.judge(Need::Heads, heads);
                    if !(is_ahead && course.is_ahead_of_clock(&round)) {
                        course.take(Need::Heads, round, self.need());
                    }
                }
                Request::Fetch(need) => {
                    let round = self.fetch_needed(need, generation, deadline).await;
                    course.take(need, round, self.need());
                }
            }
        }
        course.end(self.follow())
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
        match round.problem {
            Some(Why::HandOverMissing { .. }) => {
                self.go_round_missing_update(round, generation, deadline).await
            }
            _ => round,
        }
    }

    /// No source gives a committee update that is needed by this clock. A period is never skipped: either trust starts
    /// again, after it, or the light client stays where it is.
    async fn go_round_missing_update(
        &self,
        missing: Round,
        generation: Generation,
        deadline: Deadline,
    ) -> Round {
        if let Some(agreement) = self.trust_start.agreement() {
            let before = self.finalized_slot();
            let again = self.start_by_agreement(agreement, generation, deadline).await;
            let is_further = self.finalized_slot() > before;
            let attempts = [missing.attempts.clone(), again.attempts].concat();
            if again.won && is_further {
                return Round { attempts, ..again };
            }
        }
        match self.newest_by_known_committees(deadline).await {
            // The next committee was not signed in yet: this clock is ahead, or the chain stands still.
            Some(newest) => Round::lost(missing.attempts, Why::LightClientBehind { newest: Some(newest) }),
            None => missing,
        }
    }
}
