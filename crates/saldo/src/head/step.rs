//! Decides what a sync requests next. The decisions are pure: no request, no clock, no lock.

use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{LightClient, Network, Wants};
use saldo_reading::{Attempt, Outcome, Why};
use saldo_source::beacon::MAX_UPDATES;

/// What the light client lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A trust start.
    Start,
    /// A new trust start: the light client was away for longer than the weak subjectivity period.
    Restart {
        /// The slot of the newest finalized head.
        held: Slot,
    },
    /// The committee updates from the period `start` on.
    Updates {
        /// The first period.
        start: Period,
        /// The number of periods.
        count: u64,
    },
    /// Newer heads.
    Heads,
    /// Nothing.
    Nothing,
}

impl Need {
    /// The need of `light_client` at the time `now`, if its newest head is `slots_missing` slots behind what
    /// the sources are known to have.
    pub(super) fn of(
        light_client: Option<&LightClient>,
        network: &Network,
        now: UnixTime,
        slots_missing: Option<u64>,
    ) -> Self {
        let Some(light_client) = light_client else { return Self::Start };
        let held = light_client.finalized_head().slot();
        let (age, limit) = network.checkpoint_age(held, now);
        if age > limit {
            return Self::Restart { held };
        }
        match light_client.wants(now) {
            Wants::Updates { start, count } if !light_client.knows_committee_at(now) => {
                Self::Updates { start, count: count.min(MAX_UPDATES) }
            }
            _ if slots_missing == Some(0) => Self::Nothing,
            _ => Self::Heads,
        }
    }
}

/// The result of one request.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(super) attempts: Vec<Attempt>,
    /// Whether it advanced the light client.
    pub(super) won: bool,
    /// The reason for a failure, if one is known.
    pub(super) problem: Option<Why>,
}

impl Round {
    pub(super) fn lost(attempts: Vec<Attempt>, why: Why) -> Self {
        Self { attempts, won: false, problem: Some(why) }
    }
}

/// The result of a sync.
#[derive(Clone, Debug, Default)]
pub(crate) struct Synced {
    /// The attempts, one for each source that was asked.
    pub(crate) attempts: Vec<Attempt>,
    /// The reason why the light client is behind, if it is.
    pub(crate) problem: Option<Why>,
}

/// The next request of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Fetch what the light client lacks.
    Fetch(Need),
    /// Fetch the committee updates after the known ones, whatever the clock says.
    LookAhead,
}

/// The progress of one sync.
#[derive(Debug, Default)]
pub(super) struct SyncPlan {
    synced: Synced,
    turns: usize,
    /// A source gave heads of a later period than the clock says.
    wants_to_look_ahead: bool,
    looked_ahead: bool,
    is_over: bool,
}

impl SyncPlan {
    /// Each turn learns a committee or fails. The bound protects against a light client that does not advance.
    const MAX_TURNS: usize = 1_000;

    /// The next request, if the light client lacks `need`; `None` if the sync is over.
    pub(super) fn next_step(&mut self, need: Need) -> Option<Request> {
        self.turns = self.turns.saturating_add(1);
        if self.is_over || self.turns > Self::MAX_TURNS {
            return None;
        }
        if std::mem::take(&mut self.wants_to_look_ahead) {
            self.looked_ahead = true;
            return Some(Request::LookAhead);
        }
        (need != Need::Nothing).then_some(Request::Fetch(need))
    }

    /// Whether heads of a later period may still start a look-ahead.
    pub(super) fn may_look_ahead(&self) -> bool {
        !self.looked_ahead
    }

    /// Notes that a source gave heads of a period whose committee is not known. According to them, the chain is
    /// in a later period than this clock. The committee updates in between can be verified, and prove the time.
    /// Returns whether a look-ahead follows.
    pub(super) fn note_later_period(&mut self, round: &Round) -> bool {
        self.wants_to_look_ahead = !round.won && self.may_look_ahead();
        self.wants_to_look_ahead
    }

    /// Records the result of fetching `need`; `lacks` is what the light client lacks after it.
    pub(super) fn record(&mut self, need: Need, round: Round, lacks: Need) {
        let has_aged = !matches!(need, Need::Restart { .. }) && matches!(lacks, Need::Restart { .. });
        if !round.won && has_aged {
            return; // During the request the clock was set, or the device slept.
        }
        self.synced.problem = round.problem;
        self.synced.attempts.retain(|attempt| attempt.outcome != Outcome::Accepted);
        self.synced.attempts.extend(round.attempts);
        self.is_over = !round.won || need == Need::Heads;
    }

    /// The result of the sync. A contradiction of the chain is a stronger reason than all others.
    pub(super) fn end(mut self, is_sound: bool) -> Synced {
        if !is_sound {
            self.synced.problem = Some(Why::ConsensusFault);
        }
        self.synced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(won: bool, problem: Option<Why>) -> Round {
        Round { attempts: Vec::new(), won, problem }
    }

    fn updates(start: u64) -> Need {
        Need::Updates { start: Period::new(start), count: 1 }
    }

    #[test]
    fn one_step_follows_another_until_heads_are_fetched() {
        let mut plan = SyncPlan::default();
        assert_eq!(plan.next_step(Need::Start), Some(Request::Fetch(Need::Start)));
        plan.record(Need::Start, round(true, None), updates(7));
        assert_eq!(plan.next_step(updates(7)), Some(Request::Fetch(updates(7))));
        plan.record(updates(7), round(true, None), Need::Heads);
        assert_eq!(plan.next_step(Need::Heads), Some(Request::Fetch(Need::Heads)));
        plan.record(Need::Heads, round(true, None), Need::Heads);
        assert_eq!(plan.next_step(Need::Heads), None, "heads are asked for once");
        assert_eq!(plan.end(true).problem, None);
    }

    #[test]
    fn nothing_is_fetched_where_nothing_is_missing() {
        assert_eq!(SyncPlan::default().next_step(Need::Nothing), None);
    }

    #[test]
    fn a_step_that_failed_ends_the_sync_with_its_reason() {
        let mut plan = SyncPlan::default();
        plan.record(Need::Start, round(false, Some(Why::CheckpointNotServed)), Need::Start);
        assert_eq!(plan.next_step(Need::Start), None);
        assert_eq!(plan.end(true).problem, Some(Why::CheckpointNotServed));
        let mut plan = SyncPlan::default();
        plan.record(Need::Start, round(false, Some(Why::CheckpointNotServed)), Need::Start);
        assert_eq!(plan.end(false).problem, Some(Why::ConsensusFault));
    }

    #[test]
    fn heads_of_a_later_period_start_one_look_ahead() {
        let mut plan = SyncPlan::default();
        assert!(plan.note_later_period(&round(false, None)));
        assert_eq!(plan.next_step(Need::Heads), Some(Request::LookAhead));
        assert_eq!(plan.next_step(Need::Heads), Some(Request::Fetch(Need::Heads)));
        assert!(!plan.note_later_period(&round(false, None)));
        assert!(!SyncPlan::default().note_later_period(&round(true, None)));
    }

    #[test]
    fn a_light_client_that_aged_meanwhile_restarts() {
        let mut plan = SyncPlan::default();
        let restart = Need::Restart { held: Slot::new(3) };
        plan.record(Need::Heads, round(false, Some(Why::HeadsRefused)), restart);
        assert_eq!(plan.next_step(restart), Some(Request::Fetch(restart)));
        plan.record(restart, round(false, Some(Why::CheckpointNotServed)), restart);
        assert_eq!(plan.next_step(restart), None);
    }

    #[test]
    fn a_light_client_that_does_not_move_ends_the_sync() {
        let mut plan = SyncPlan::default();
        for _ in 0..SyncPlan::MAX_TURNS {
            assert!(plan.next_step(updates(7)).is_some());
            plan.record(updates(7), round(true, None), updates(7));
        }
        assert_eq!(plan.next_step(updates(7)), None);
    }
}
