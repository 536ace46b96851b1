//! The gate of a client: every reading leaves through here, by the state of that moment.
//!
//! [`saldo_reading::gate`] has the rules. This file reads the state for them, all of it under one lock.

use saldo_chain::Level;
use saldo_reading::gate::{self, Demand, Found, Present};
use saldo_reading::{Attempt, Candidate, Holding, Mark, Now, Proven, Reading};

use crate::core::{Core, Known};

/// What a call found for one holding, and under which conditions it may be handed out.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) holding: Holding,
    pub(crate) found: Found,
    pub(crate) attempts: Vec<Attempt>,
    /// What the call asked for when it began to read this holding.
    pub(crate) demand: Demand,
    /// What was recorded then.
    pub(crate) before: Mark,
}

impl Core {
    /// What a call that begins now asks of its readings.
    pub(crate) fn demand(&self, level: Level) -> Demand {
        let policy = self.policy_at(level);
        Demand { generation: self.known().generation, level, policy }
    }

    /// What is recorded of each of the `holdings` now.
    pub(crate) fn marks(&self, holdings: &[Holding], level: Level) -> Vec<Mark> {
        let known = self.known();
        let mark =
            |holding| known.records.get(holding).map(|record| record.mark_at(level)).unwrap_or_default();
        holdings.iter().map(mark).collect()
    }

    /// Hands out what a call found, all of it by the state of one moment.
    pub(crate) fn hand_out(&self, findings: Vec<Finding>) -> Vec<Reading> {
        self.at_present(|moment| {
            let hand_out = |finding| {
                let Finding { holding, found, attempts, demand, before } = finding;
                gate::hand_out(found, before, attempts, &demand, &moment.present(&holding))
            };
            findings.into_iter().map(hand_out).collect()
        })
    }

    /// Whether the gate would refuse `finding` now for a reason that reading it again removes: trust was restarted, or the
    /// chain took its block back.
    pub(crate) fn is_overtaken(&self, finding: &Finding) -> bool {
        self.at_present(|moment| {
            let Finding { holding, found, demand, .. } = finding;
            let present = moment.present(holding);
            let is_of_before = demand.generation != present.generation;
            match found {
                Found::Candidate(candidate) => {
                    is_of_before || gate::admit(candidate, demand, &present) == Err(gate::Refusal::NotHeld)
                }
                Found::Claim { .. } | Found::Nothing(_) => is_of_before,
            }
        })
    }

    /// The reading of `holding` that was proven last, to be shown with its age.
    pub(crate) fn last(&self, holding: &Holding) -> Option<Proven> {
        self.at_present(|moment| gate::last(&moment.present(holding)))
    }

    /// What is recorded of `holding`, if it may be handed out as proven now.
    pub(crate) fn recorded(&self, holding: &Holding) -> Option<Proven> {
        let demand = self.demand(self.policy.assurance);
        self.at_present(|moment| gate::recorded(&demand, &moment.present(holding)))
    }

    /// The reading of `holding` that the chain took back last.
    pub(crate) fn withdrawn(&self, holding: &Holding) -> Option<Proven> {
        let known = self.known();
        gate::withdrawn(known.withdrawn.get(holding)?, known.generation)
    }

    /// A reading that the chain took back, unless trust was restarted since.
    pub(crate) fn withdrawal(&self, candidate: &Candidate) -> Option<Proven> {
        gate::withdrawn(candidate, self.known().generation)
    }

    /// Runs `look` with what is known at this moment, while all of it is locked.
    fn at_present<T>(&self, look: impl FnOnce(&Moment<'_>) -> T) -> T {
        let (network, clock) = (self.network(), self.clock());
        let mut known = self.known();
        let now = known.now(&network, clock);
        look(&Moment { known: &known, now })
    }
}

/// What is known at one moment.
struct Moment<'a> {
    known: &'a Known,
    now: Now,
}

impl Moment<'_> {
    fn present(&self, holding: &Holding) -> Present<'_> {
        let Known { generation, faulted, chain, records, .. } = self.known;
        let record = records.get(holding);
        Present { generation: *generation, is_faulted: *faulted, chain, record, now: self.now }
    }
}
