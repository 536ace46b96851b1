//! Whether the given reason is true: no party is blamed for a fault that it did not have.

use saldo_beacon::Fork;

use super::{Behaviour, Judge, Read, Worth, wrong};
use crate::holding::HOLDINGS;
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

    /// Whether `code` is true of this read.
    fn is_reason(&self, code: &str, read: &Read<'_>) -> bool {
        let agreement = matches!(self.world.trust, Start::Agreement(_) | Start::Both(_));
        match code {
            "device_offline" => self.seems_offline(read),
            "clock_off" => self.clock_was_touched || agreement && self.has_bad_beacon(read),
            "consensus_fault" => self.is_split(),
            "policy_forbids_more_operators" => {
                self.world.wants.strict && self.world.wants.operators < self.world.providers.len()
            }
            "checkpoint_slot_wrong" => self.world.trust == Start::GivenWithWrongSlot,
            "checkpoint_too_old" => read.from > 86_400_000 || self.clock_was_touched,
            "checkpoint_not_served" | "no_light_client_routes" => self.has_bad_beacon(read),
            "checkpoint_sources_disagree" | "too_few_checkpoint_sources" => agreement,
            "unknown_fork" => {
                let mut sources = self.behaviours(&self.world.sources, read).into_iter();
                let is_of_another = |behaviour| behaviour == Behaviour::OtherChain;
                self.world.table != Table::Complete || sources.any(is_of_another)
            }
            "heads_refused" | "hand_over_missing" | "light_client_behind" => {
                self.may_lack_heads(read) || self.world.table != Table::Complete
            }
            "not_a_token" | "token_not_run" => self.has_no_balance(code, read),
            "providers_failing" if self.lacks_code(read) => true,
            "denied" | "rate_limited" | "quota_exhausted" | "log_in_page" | "moved"
                if self.is_said_by_a_source(code, read) =>
            {
                true
            }
            // Reasons that no wallet of these worlds gets fit no provider either.
            _ => self.is_reason_of_providers(code, read),
        }
    }

    /// Whether `code` is what a beacon or checkpoint source answers.
    fn is_said_by_a_source(&self, code: &str, read: &Read<'_>) -> bool {
        let parties = [&self.world.sources, &self.world.witnesses];
        let mut behaviours = parties.into_iter().flat_map(|parties| self.behaviours(parties, read));
        let is_backed_off = self.backoffs.iter().any(|(role, ..)| *role != Role::Provider);
        let is_limited = |visit: &Visit| visit.limited && visit.role != Role::Provider;
        match code {
            "rate_limited" => {
                is_backed_off
                    || read.visits.iter().any(is_limited)
                    || behaviours.any(|behaviour| matches!(behaviour, Behaviour::RateLimited(_)))
            }
            "quota_exhausted" => {
                is_backed_off || behaviours.any(|behaviour| behaviour == Behaviour::QuotaExhausted)
            }
            "log_in_page" => {
                behaviours.any(|behaviour| matches!(behaviour, Behaviour::Html | Behaviour::PageAtFirst(_)))
            }
            "moved" => behaviours.any(|behaviour| behaviour == Behaviour::Redirect),
            _ => behaviours.any(|behaviour| behaviour == Behaviour::Forbidden),
        }
    }

    /// Whether a code that this read needs is one that no provider has.
    fn lacks_code(&self, read: &Read<'_>) -> bool {
        let mut holdings = read.places.iter().filter_map(|place| HOLDINGS.get(*place));
        holdings.any(|holding| self.may_lack_code(holding, read))
    }

    /// Whether `code` is true of this read, as far as it is about execution providers.
    fn is_reason_of_providers(&self, code: &str, read: &Read<'_>) -> bool {
        let providers = self.behaviours(&self.world.providers, read);
        let any_provider = |test: fn(&Behaviour) -> bool| providers.iter().any(test);
        // A provider that has recovered from a used-up quota or a rate limit may still be backed off for as long as it
        // asked for; a wallet without another provider cannot shorten that.
        let is_backed_off = self.backoffs.iter().any(|(.., until)| *until < u64::MAX);
        match code {
            "unknown_header_layout" => any_provider(|behaviour| *behaviour == Behaviour::OddHeader),
            "wrong_chain" => any_provider(|behaviour| *behaviour == Behaviour::OtherChain),
            "rate_limited" => {
                is_backed_off
                    || read.visits.iter().any(|visit| visit.limited)
                    || any_provider(|behaviour| {
                        matches!(behaviour, Behaviour::RateLimited(_) | Behaviour::CallRate(_))
                    })
            }
            "quota_exhausted" => {
                is_backed_off || any_provider(|behaviour| *behaviour == Behaviour::QuotaExhausted)
            }
            // A quarantined provider is there because of earlier answers.
            "proofs_refused" => {
                let is_quarantined = self.backoffs.iter().any(|(.., until)| *until == u64::MAX);
                is_quarantined || any_provider(is_false) || self.is_split()
            }
            // After a reorganisation a provider no longer proves the old block, and neither branch proves the other's blocks.
            "nobody_serves_proofs"
            | "providers_failing"
            | "denied"
            | "log_in_page"
            | "moved"
            | "all_unreachable"
            | "proof_window_missed"
            | "providers_behind"
            | "unsigned_tip" => {
                any_provider(is_not_good) || self.is_slow() || self.is_reorganised(read) || self.is_split()
            }
            "only_old_blocks" => {
                // The claim of a stale provider is false; its proof is genuine, and old.
                self.may_lack_heads(read)
                    || any_provider(|behaviour| behaviour.worth() == Worth::Partial)
                    || any_provider(|behaviour| {
                        matches!(behaviour, Behaviour::StaleBlock(_) | Behaviour::MixedBlocks)
                    })
            }
            "deadline" => {
                // A provider whose backoff ends shortly before the deadline is asked then, and has no time.
                let took = read.until.saturating_sub(read.from);
                let is_over = took.saturating_add(self.bounds.grace) >= self.world.wants.deadline;
                is_backed_off && is_over
                    || self.has_bad_beacon(read)
                    || any_provider(is_not_good)
                    || self.is_slow()
            }
            _ => false,
        }
    }

    /// Whether the device has no network, or it looks so: no name resolves.
    fn seems_offline(&self, read: &Read<'_>) -> bool {
        let is_lost = |behaviour| matches!(behaviour, Behaviour::Unresolvable | Behaviour::Refuse);
        // A request shortly before the end has no answer yet.
        let is_answered = |visit: &&Visit| is_lost(visit.behaviour) || self.answered_at(visit) <= read.until;
        let mut met = read.visits.iter().filter(is_answered).map(|visit| visit.behaviour);
        let all_lost = met.clone().filter(|behaviour| *behaviour != Behaviour::Hang).all(is_lost);
        self.offline || self.is_said_offline || met.any(|one| one == Behaviour::Unresolvable) && all_lost
    }

    /// Whether some beacon or checkpoint source may fail this read.
    fn has_bad_beacon(&self, read: &Read<'_>) -> bool {
        let parties = [&self.world.sources, &self.world.witnesses];
        let mut behaviours = parties.into_iter().flat_map(|parties| self.behaviours(parties, read));
        behaviours.any(|behaviour| !behaviour.is_good_source())
            || self.world.sources.iter().any(|source| source.limit.is_some() || source.latency > 400)
            || self.backoffs.iter().any(|(role, ..)| *role != Role::Provider)
    }

    /// Whether the newest heads may be missing or late.
    fn may_lack_heads(&self, read: &Read<'_>) -> bool {
        self.has_bad_beacon(read) || self.is_unusual() || self.clock_was_touched
    }

    /// Whether the chain is not normal at some time, or has reached a fork.
    fn is_unusual(&self) -> bool {
        let story = &self.world.story;
        let is_event = |(_, event): &(u64, Event)| !matches!(event, Event::Balance { .. } | Event::Token(_));
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
fn is_false(behaviour: &Behaviour) -> bool {
    behaviour.worth() == Worth::False
}

fn is_not_good(behaviour: &Behaviour) -> bool {
    behaviour.worth() != Worth::Good
}
