//! Whether the given reason is true: no party is blamed for a fault that it did not have.

use saldo_beacon::Fork;

use super::{Behaviour, Judge, Read, Worth, wrong};
use crate::host::{Role, Visit};
use crate::story::Event;
use crate::verdict::{Check, Violation};
use crate::world::{Start, Table};

impl Judge<'_> {
    /// The third part of check 4.
    pub(super) fn reasons(&self, read: &Read<'_>) -> Option<Violation> {
        for shown in read.shown {
            match (shown.amount, shown.why) {
                (None, None) => {
                    return Some(wrong(Check::Reason, read, "neither an amount nor a reason"));
                }
                (None, Some(code)) if !self.is_reason(code, read) => {
                    let text = format!("`{code}` is given as the reason, and is not true");
                    return Some(wrong(Check::Reason, read, text));
                }
                _ => {}
            }
        }
        None
    }

    fn is_reason(&self, code: &str, read: &Read<'_>) -> bool {
        let providers = self.behaviours(&self.world.providers, read);
        let sources = self.behaviours(&self.world.sources, read);
        let witnesses = self.behaviours(&self.world.witnesses, read);
        let any_provider = |test: fn(&Behaviour) -> bool| providers.iter().any(test);
        let is_resting = self.rests.iter().any(|(.., until)| *until < u64::MAX);
        let is_limited = is_resting || read.visits.iter().any(|visit| visit.limited);
        // A provider that has recovered from a used-up quota or a rate limit may still be backed off for as long as it
        // asked for; a wallet without another provider cannot shorten that.
        let is_spared = self.rests.iter().any(|(role, ..)| *role != Role::Provider);
        let agreement = matches!(self.world.trust, Start::Agreement(_) | Start::Both(_));
        let is_old = read.from > 86_400_000;
        let beacon_fails = sources.iter().chain(&witnesses).any(|behaviour| !behaviour.is_good_source())
            || self.world.sources.iter().any(|source| source.limit.is_some() || source.latency > 400)
            || is_spared;
        let restless = self.is_restless();
        match code {
            // If no name resolves, the device looks offline.
            "device_offline" => {
                let is_lost = |behaviour| matches!(behaviour, Behaviour::Unresolvable | Behaviour::Refuse);
                // A request shortly before the end has no answer yet.
                let is_heard =
                    |visit: &&Visit| is_lost(visit.behaviour) || self.answered_at(visit) <= read.until;
                let mut met = read.visits.iter().filter(is_heard).map(|visit| visit.behaviour);
                let is_met = |behaviour: &Behaviour| *behaviour != Behaviour::Hang;
                let all = met.clone().filter(is_met).all(is_lost);
                self.offline || self.is_said_offline || met.any(|one| one == Behaviour::Unresolvable) && all
            }
            "clock_off" => self.clock_was_touched || agreement && beacon_fails,
            "consensus_fault" => self.is_split(),
            "unknown_fork" => {
                let is_of_another = |behaviour: &Behaviour| {
                    matches!(behaviour, Behaviour::Relabelled(_) | Behaviour::OtherChain)
                };
                self.world.table != Table::Complete || sources.iter().any(is_of_another)
            }
            "unknown_header_layout" => any_provider(|behaviour| *behaviour == Behaviour::OddHeader),
            "wrong_chain" => any_provider(|behaviour| *behaviour == Behaviour::OtherChain),
            "rate_limited" => {
                is_limited || any_provider(|behaviour| matches!(behaviour, Behaviour::RateLimited(_)))
            }
            "quota_exhausted" => {
                is_resting || any_provider(|behaviour| *behaviour == Behaviour::QuotaExhausted)
            }
            // A quarantined provider is there because of earlier answers.
            "proofs_refused" => {
                let is_quarantined = self.rests.iter().any(|(.., until)| *until == u64::MAX);
                is_quarantined || any_provider(|behaviour| is_false(*behaviour)) || self.is_split()
            }
            // After a reorganisation a provider no longer proves the old block, and neither branch proves the other's blocks.
            "nobody_serves_proofs"
            | "providers_failing"
            | "all_unreachable"
            | "proof_window_missed"
            | "unsigned_tip" => {
                any_provider(|behaviour| behaviour.worth() != Worth::Good)
                    || self.is_slow()
                    || self.is_reorganised(read)
                    || self.is_split()
            }
            "policy_forbids_more_operators" => {
                self.world.wants.strict && self.world.wants.operators < self.world.providers.len()
            }
            "checkpoint_slot_wrong" => self.world.trust == Start::GivenWithWrongSlot,
            "checkpoint_too_old" => is_old || self.clock_was_touched,
            "checkpoint_not_served" => beacon_fails,
            "checkpoint_sources_disagree" | "too_few_checkpoint_sources" => agreement,
            "heads_refused" | "hand_over_missing" | "light_client_behind" => {
                beacon_fails || restless || self.clock_was_touched || self.world.table != Table::Complete
            }
            "only_old_blocks" => {
                beacon_fails
                    || restless
                    || self.clock_was_touched
                    || any_provider(|behaviour| behaviour.worth() == Worth::Partial)
                    // Its claim is false; its proof is genuine, and old.
                    || any_provider(|behaviour| matches!(behaviour, Behaviour::StaleBlock(_)))
            }
            "deadline" => {
                let is_bad = any_provider(|behaviour| behaviour.worth() != Worth::Good);
                // A provider whose backoff ends shortly before the deadline is asked then, and has no time.
                let took = read.until.saturating_sub(read.from);
                let is_over = took.saturating_add(self.bounds.grace) >= self.world.wants.deadline;
                is_resting && is_over || beacon_fails || is_bad || self.is_slow()
            }
            // Reasons that a wallet that reads native balances never gets.
            _ => false,
        }
    }

    /// Whether the chain is not normal at some time, or has reached a fork.
    fn is_restless(&self) -> bool {
        let story = &self.world.story;
        let is_event = |(_, event): &(u64, Event)| !matches!(event, Event::Balance { .. });
        story.events.iter().any(is_event)
            || story.stretch.is_some()
            || story.twin.is_some()
            || story.next_fork.is_some()
            || story.tip_lead > 2
            || story.fork >= Fork::Gloas
    }

    fn is_slow(&self) -> bool {
        let slow = |behaviour: Behaviour| behaviour.latency() > 400;
        let parties = self.world.providers.iter().chain(&self.world.sources).chain(&self.world.witnesses);
        let mut phases = parties.flat_map(|party| &party.phases);
        phases.any(|(_, behaviour)| slow(*behaviour)) || self.world.wants.deadline < 4_000
    }
}

/// Whether a reply may count as false: also one that is cut off or in no known form.
fn is_false(behaviour: Behaviour) -> bool {
    behaviour.worth() == Worth::False
}
