//! The gate of a client: every reading leaves through here and is checked against the state of that moment.
//!
//! [`saldo_reading::gate`] has the rules. This file reads the state that they need, under one lock
//! ([`Readings::at_present`]).

use std::time::Duration;

use saldo_chain::{Anchor, Level};
use saldo_reading::gate::{self, Demand, Found};
use saldo_reading::{Attempt, Candidate, Freshness, Generation, Holding, Mark, Proven, Reading, Record, Why};

use crate::inner::ClientInner;

/// What a call found for one holding, and the conditions under which the gate may hand it out.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) holding: Holding,
    pub(crate) found: Found,
    pub(crate) attempts: Vec<Attempt>,
    /// The demand of the call when it began to read this holding.
    pub(crate) demand: Demand,
    /// The record of the holding at that time.
    pub(crate) before: Mark,
}

impl ClientInner {
    /// The demand of a call that begins now.
    pub(crate) fn demand(&self, level: Level) -> Demand {
        Demand { generation: self.head.generation(), level, policy: self.env.policy_at(level) }
    }

    /// The marks of the records of `holdings` now.
    pub(crate) fn marks(&self, holdings: &[Holding], level: Level) -> Vec<Mark> {
        self.readings.at_present(|moment| {
            let mark = |record: &Record| record.mark_at(level);
            let record = |holding| moment.present(holding).record;
            holdings.iter().map(|holding| record(holding).map(mark).unwrap_or_default()).collect()
        })
    }

    /// Turns the findings of a call into readings, all by the state of one moment.
    pub(crate) fn hand_out(&self, findings: Vec<Finding>) -> Vec<Reading> {
        self.readings.at_present(|moment| {
            let hand_out = |finding| {
                let Finding { holding, found, attempts, demand, before } = finding;
                gate::hand_out(found, before, attempts, &demand, &moment.present(&holding))
            };
            findings.into_iter().map(hand_out).collect()
        })
    }

    /// Whether the gate would refuse `finding` now for a reason that a second read removes: trust was
    /// restarted, or the chain withdrew its block.
    pub(crate) fn is_overtaken(&self, finding: &Finding) -> bool {
        self.readings.at_present(|moment| {
            let Finding { holding, found, demand, .. } = finding;
            let present = moment.present(holding);
            let has_restarted = demand.generation != present.generation;
            match found {
                Found::Candidate(candidate) => {
                    has_restarted || gate::admit(candidate, demand, &present) == Err(gate::Refusal::NotHeld)
                }
                Found::Claim { .. } | Found::NoBalance { .. } | Found::Nothing(_) => has_restarted,
            }
        })
    }

    /// The last proven reading of `holding`, to be shown with its age.
    pub(crate) fn last(&self, holding: &Holding) -> Option<Proven> {
        self.readings.at_present(|moment| gate::last(&moment.present(holding)))
    }

    /// The recorded reading of `holding`, if the gate may hand it out as proven now.
    pub(crate) fn recorded(&self, holding: &Holding) -> Option<Proven> {
        let demand = self.demand(self.env.policy.assurance);
        self.readings.at_present(|moment| gate::recorded(&demand, &moment.present(holding)))
    }

    /// The reading `proven` as the gate hands it out now: itself, or a newer one of its holding that is recorded meanwhile.
    /// `generation` is the trust start that it belongs to.
    ///
    /// # Errors
    /// [`Why`] none may be handed out.
    pub(crate) fn hand_out_later(&self, proven: Proven, generation: Generation) -> Result<Proven, Why> {
        self.held_now(proven.anchor(), generation)?;
        let newest = self.recorded(proven.holding()).ok_or(Why::BlockWithdrawn)?;
        // The present trust start is the same one still: what was recorded meanwhile belongs to it.
        self.held_now(newest.anchor(), generation)?;
        let is_newer = newest.anchor().number() > proven.anchor().number();
        Ok(if is_newer { newest } else { proven })
    }

    /// The reading of `holding` that was withdrawn last.
    pub(crate) fn withdrawn(&self, holding: &Holding) -> Option<Proven> {
        self.readings.at_present(|moment| {
            gate::withdrawn(moment.withdrawn(holding)?, moment.present(holding).generation)
        })
    }

    /// The block `anchor` as the chain has it now, for a call that began under the trust start `generation`.
    ///
    /// # Errors
    /// [`Why`] nothing of that block may be handed out.
    pub(crate) fn held_now(&self, anchor: &Anchor, generation: Generation) -> Result<Anchor, Why> {
        self.head.look(|view| match (view.wrong_chain_id, view.chain.anchor_again(anchor).cloned()) {
            _ if view.generation != generation => Err(Why::TrustRestarted),
            (Some(expected), _) => Err(Why::WrongChain { expected }),
            _ if view.is_faulted => Err(Why::ConsensusFault),
            (None, None) => Err(Why::BlockWithdrawn),
            (None, Some(held)) if held.state_root() != anchor.state_root() => Err(Why::BlockWithdrawn),
            (None, Some(held)) if view.chain.is_taken_back(&held) => Err(Why::BlockWithdrawn),
            (None, Some(held)) => gate::is_vouched_for(&held, &view.now).map(|()| held),
        })
    }

    /// The withdrawn reading `candidate`, unless trust was restarted since.
    pub(crate) fn withdrawal(&self, candidate: &Candidate) -> Option<Proven> {
        gate::withdrawn(candidate, self.head.generation())
    }

    /// How long `proven` stays fresh; `None` if it is old already, or its age is not known.
    pub(crate) fn fresh_for(&self, proven: &Proven) -> Option<Duration> {
        let policy = self.env.policy_at(proven.anchor().assurance().level());
        self.head.now().fresh_for(proven.anchor().timestamp(), &policy)
    }

    /// The age of `proven`, compared with the policy for its assurance.
    pub(crate) fn freshness(&self, proven: &Proven) -> Freshness {
        let policy = self.env.policy_at(proven.anchor().assurance().level());
        proven.freshness(self.head.now(), &policy)
    }
}
