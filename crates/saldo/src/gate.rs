//! The gate of a client: every reading leaves through here, by the state of that moment.
//!
//! [`saldo_reading::gate`] has the rules. This file reads the state for them, all of it under one lock
//! ([`Readings::at_present`]).

use std::time::Duration;

use saldo_chain::Level;
use saldo_reading::gate::{self, Demand, Found};
use saldo_reading::{Attempt, Candidate, Freshness, Holding, Mark, Proven, Reading, Record};

use crate::inner::ClientInner;

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

impl ClientInner {
    /// What a call that begins now asks of its readings.
    pub(crate) fn demand(&self, level: Level) -> Demand {
        Demand { generation: self.head.generation(), level, policy: self.env.policy_at(level) }
    }

    /// What is recorded of each of the `holdings` now.
    pub(crate) fn marks(&self, holdings: &[Holding], level: Level) -> Vec<Mark> {
        self.readings.at_present(|moment| {
            let mark = |record: &Record| record.mark_at(level);
            let record = |holding| moment.present(holding).record;
            holdings.iter().map(|holding| record(holding).map(mark).unwrap_or_default()).collect()
        })
    }

    /// Hands out what a call found, all of it by the state of one moment.
    pub(crate) fn hand_out(&self, findings: Vec<Finding>) -> Vec<Reading> {
        self.readings.at_present(|moment| {
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
        self.readings.at_present(|moment| {
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
        self.readings.at_present(|moment| gate::last(&moment.present(holding)))
    }

    /// What is recorded of `holding`, if it may be handed out as proven now.
    pub(crate) fn recorded(&self, holding: &Holding) -> Option<Proven> {
        let demand = self.demand(self.env.policy.assurance);
        self.readings.at_present(|moment| gate::recorded(&demand, &moment.present(holding)))
    }

    /// The reading of `holding` that the chain took back last.
    pub(crate) fn withdrawn(&self, holding: &Holding) -> Option<Proven> {
        self.readings.at_present(|moment| {
            gate::withdrawn(moment.withdrawn(holding)?, moment.present(holding).generation)
        })
    }

    /// A reading that the chain took back, unless trust was restarted since.
    pub(crate) fn withdrawal(&self, candidate: &Candidate) -> Option<Proven> {
        gate::withdrawn(candidate, self.head.generation())
    }

    /// For how long more `proven` is fresh; `None` if it is not, or its age is not known.
    pub(crate) fn fresh_for(&self, proven: &Proven) -> Option<Duration> {
        let policy = self.env.policy_at(proven.anchor().assurance().level());
        self.head.now().fresh_for(proven.anchor().timestamp(), &policy)
    }

    /// How old `proven` is, against the policy for its assurance.
    pub(crate) fn freshness(&self, proven: &Proven) -> Freshness {
        let policy = self.env.policy_at(proven.anchor().assurance().level());
        proven.freshness(self.head.now(), &policy)
    }
}
