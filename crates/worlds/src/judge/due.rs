//! Liveness: with one honest provider and one honest source an amount is proven, and in time.

use std::collections::BTreeMap;

use saldo_beacon::Fork;
use saldo_beacon::unit::Slot;

use super::{Behaviour, Judge, Read, Worth, wrong};
use crate::holding::{HOLDINGS, of_token};
use crate::host::Role;
use crate::party::Party;
use crate::story::{Event, Story};
use crate::verdict::{Check, Violation};
use crate::wallet::Shown;
use crate::world::{Start, Table};

/// The length of a slot, in milliseconds.
const SLOT: u64 = 12_000;
/// How many seconds a clock may be off without any effect.
const SMALL_OFFSET: i64 = 12;

impl Judge<'_> {
    /// Checks 3, 7 and the second half of 9.
    pub(super) fn due(&mut self, read: &Read<'_>) -> Option<Violation> {
        let good = self.steady_providers(read, |worth| worth == Worth::Good);
        let Some(until_head) = self.time_to_head(read) else {
            self.tips.clear();
            return None;
        };
        let Some((provider, latency)) = good.into_iter().min_by_key(|(_, latency)| *latency) else {
            return self.due_of_tips(read, until_head);
        };
        self.tips.clear();
        if !self.may_ask_all(read) {
            return None;
        }
        let bound = until_head.saturating_add(self.time_to_proof(read, latency));
        if bound > self.world.wants.deadline {
            return None;
        }
        let took = read.until.saturating_sub(read.from);
        let limit = bound.saturating_add(self.bounds.afterwards).min(self.world.wants.deadline);
        let check = if self.failed_before { Check::Recovery } else { Check::Enough };
        for (place, shown) in read.places.iter().zip(read.shown) {
            if HOLDINGS.get(*place).is_some_and(|holding| self.may_lack_code(holding, read)) {
                return None;
            }
            if let Some(text) = self.missed(read, provider, shown) {
                return Some(wrong(check, read, text));
            }
        }
        let text = format!("it took {took} ms, {limit} ms are enough");
        (took > limit.saturating_add(self.bounds.grace)).then(|| wrong(check, read, text))
    }

    fn missed(&self, read: &Read<'_>, provider: usize, shown: &Shown) -> Option<String> {
        if shown.amount.is_none() && shown.is_settled() {
            // The check of reasons says whether it is true.
            return None;
        }
        let Some(amount) = shown.amount else {
            let is_asked = |visit: &&crate::Visit| visit.role == Role::Provider && visit.index == provider;
            let asked =
                if read.visits.iter().any(|visit| is_asked(&visit)) { "" } else { ", and was not asked" };
            let why = shown.why.unwrap_or("no reason");
            return Some(format!("not proven ({why}), and provider{provider} is honest{asked}"));
        };
        // A proof at an older block that the policy allows wins if it is the first.
        let is_partial = |behaviour: super::Behaviour| behaviour.worth() == Worth::Partial;
        let is_alone = !self.behaviours(&self.world.providers, read).into_iter().any(is_partial);
        let is_known = is_alone && self.steady_since(read, 24_000) && !self.may_believe_lag(read);
        let oldest = read.signed.number.saturating_sub(self.bounds.behind);
        // While a source is silent, a head that is young enough is kept, and no newer one is awaited.
        let is_silent = |behaviour: &Behaviour| matches!(behaviour, Behaviour::Hang | Behaviour::Trickle(_));
        let all_speak = !self.behaviours(&self.world.sources, read).iter().any(is_silent);
        let is_late = all_speak && amount.block.number < oldest;
        let is_old = is_known && !self.world.wants.finalized && is_late;
        is_old
            .then(|| format!("block {} is shown, and {} is signed", amount.block.number, read.signed.number))
    }

    /// If all providers prove only the tip: proven when as many blocks were signed as the tip is ahead, and one
    /// more, if there is a read in each slot.
    fn due_of_tips(&mut self, read: &Read<'_>, until_head: u64) -> Option<Violation> {
        let tips = self.steady_providers(read, |worth| worth == Worth::Tip);
        let latency = tips.iter().map(|(_, latency)| *latency).min();
        let bound = latency.map(|latency| until_head.saturating_add(self.time_to_proof(read, latency)));
        let fits = bound.is_some_and(|bound| bound.saturating_mul(2) <= self.world.wants.deadline);
        let others = self.steady_providers(read, |worth| worth != Worth::Tip && worth != Worth::False);
        let is_alone = others.len().saturating_add(tips.len()) == self.world.providers.len();
        if !fits || !is_alone || self.world.wants.finalized || !self.may_ask_all(read) {
            self.tips.clear();
            return None;
        }
        let gloas = u64::from(self.is_gloas(read));
        let enough = self.world.story.tip_lead.saturating_add(1).saturating_add(gloas);
        let mut first = None;
        for (place, shown) in read.places.iter().zip(read.shown) {
            let since = self.tips.get(place).copied();
            let since =
                since.filter(|(_, last)| read.from.saturating_sub(*last) <= SLOT.saturating_add(1_000));
            let began = since.map_or(read.signed.number, |(began, _)| began);
            if shown.is_settled() {
                self.tips.remove(place);
            } else {
                self.tips.insert(*place, (began, read.from));
                let signed = read.signed.number.saturating_sub(began);
                if signed >= enough {
                    let text =
                        format!("not proven after {signed} more blocks were signed, {enough} are enough");
                    first = first.or(Some(wrong(Check::Enough, read, text)));
                }
            }
        }
        first
    }

    /// Milliseconds until the newest head is known, if it must be fetched at all.
    fn time_to_head(&self, read: &Read<'_>) -> Option<u64> {
        let is_set_up = self.world.table == Table::Complete && self.world.trust != Start::GivenWithWrongSlot;
        if self.offline
            || self.offset.abs() > SMALL_OFFSET
            || !is_set_up
            || !self.is_calm(read)
            || self.is_reorganised(read)
        {
            return None;
        }
        self.time_to_any_head(read)
    }

    fn time_to_any_head(&self, read: &Read<'_>) -> Option<u64> {
        let sources = self.steady(&self.world.sources, Role::Source, read, Behaviour::is_good_source);
        let sources = sources.into_iter().filter(|(index, _)| self.is_found_at_once(*index));
        let (_, latency) = sources.min_by_key(|(_, latency)| *latency)?;
        let round = self
            .bounds
            .until_all_are_asked(turns(&self.world.sources), slowest(&self.world.sources))
            .saturating_add(self.bounds.way)
            .saturating_add(latency);
        // A period that began after the newest known head needs a committee update.
        let period = |slot: Slot| slot.get() / 64;
        let committee_updates = period(self.slot_of(read.until)).saturating_sub(period(self.known_head));
        let is_warm = self.proven_at.is_some() && committee_updates == 0;
        let wanted = match self.proven_at {
            Some(_) if is_warm => round,
            // One round for every eight committee updates, and one for the head. A mirror has one file for each: the first
            // is fetched alone, and the last too.
            Some(at) if read.from.saturating_sub(at) < 86_400_000 => {
                let has_mirror = self.world.sources.iter().any(|source| source.is_mirror);
                let rounds = committee_updates.div_ceil(8).saturating_add(if has_mirror { 3 } else { 1 });
                round.saturating_mul(rounds)
            }
            // Requests beside the bootstrap are awaited for a short time.
            _ => round.saturating_mul(3).saturating_add(self.time_to_start(read)?).saturating_add(400),
        };
        let wanted = wanted.saturating_add(self.time_for_newer(read));
        (wanted <= self.world.wants.deadline).then_some(wanted)
    }

    /// Whether the first path that is tried at a source exists. A file carries the name of its fork, and around a fork several
    /// are tried.
    fn is_found_at_once(&self, source: usize) -> bool {
        let is_mirror = self.world.sources.get(source).is_some_and(|source| source.is_mirror);
        !is_mirror || self.world.story.next_fork.is_none()
    }

    /// Milliseconds to find the trust start, without the bootstrap.
    fn time_to_start(&self, read: &Read<'_>) -> Option<u64> {
        let is_fresh = read.from < 3_600_000;
        match self.world.trust {
            Start::Given | Start::Both(_) if is_fresh => Some(0),
            Start::Agreement(_) | Start::Both(_) => {
                let good = self.steady(&self.world.witnesses, Role::Witness, read, |behaviour| {
                    behaviour.is_good_source()
                });
                let slowest = good.iter().map(|(_, latency)| *latency).max()?;
                let all = good.len() == self.world.witnesses.len();
                all.then(|| self.bounds.way.saturating_add(slowest).saturating_mul(4).saturating_add(200))
            }
            _ => None,
        }
    }

    /// If the newest head is older than usual, the client looks for newer ones for a while.
    fn time_for_newer(&self, read: &Read<'_>) -> u64 {
        let now = self.slot_of(read.from);
        let is_usual = read.signed.slot.saturating_add(1) >= now && self.offset == 0;
        // A finalized head is never the newest one.
        if is_usual && !self.world.wants.finalized { 0 } else { 1_200 }
    }

    fn time_to_proof(&self, read: &Read<'_>, latency: u64) -> u64 {
        let each = self.bounds.way.saturating_add(latency);
        // What a token is has to be learned step by step, if it was never read.
        let is_native = |place: &usize| HOLDINGS.get(*place).is_none_or(|it| of_token(it).is_none());
        let is_short = read.places.iter().all(is_native);
        let once = if is_short { each } else { each.saturating_mul(self.bounds.token_steps) };
        let (turns, slowest) = (turns(&self.world.providers), slowest(&self.world.providers));
        let all = self.bounds.until_all_are_asked(turns, slowest);
        // A provider over the policy is asked one delay after the last provider within it.
        let last =
            if self.names_a_third() { self.bounds.until_all_are_asked(turns.min(1), slowest) } else { 0 };
        if self.is_gloas(read) {
            // The header comes first, from any provider, and it may be requested again in another form.
            return all.saturating_mul(2).saturating_add(last).saturating_add(once.saturating_mul(4));
        }
        all.saturating_add(last).saturating_add(once)
    }

    /// Whether the policy excludes a provider, and allows operators beyond the two that are asked first.
    fn names_a_third(&self) -> bool {
        let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
        for provider in &self.world.providers {
            let size = sizes.entry(provider.operator).or_default();
            *size = size.saturating_add(1);
        }
        let mut sizes: Vec<usize> = sizes.into_values().collect();
        sizes.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
        let named: usize = sizes.iter().take(self.world.wants.operators).sum();
        named > 2 && named < self.world.providers.len()
    }

    /// Whether all may be asked. The client waits for a tip of a provider whose earlier tips were signed, so that no other
    /// provider sees the address meanwhile.
    fn may_ask_all(&self, read: &Read<'_>) -> bool {
        let behaviours = self.behaviours(&self.world.providers, read);
        let is_waited_for = behaviours.iter().any(|behaviour| behaviour.worth() == Worth::Tip);
        let is_allowed = self.world.wants.operators >= self.world.providers.len();
        let is_claimed =
            read.shown.iter().any(|shown| matches!(shown.why, Some("unsigned_tip" | "providers_behind")));
        is_allowed || (!self.world.wants.strict && !is_waited_for && !is_claimed)
    }

    /// Whether the light client must know the signed head: it is available, and no part of it is missing.
    pub(super) fn knows_newest_head(&self, read: &Read<'_>) -> bool {
        let is_set_up = self.world.table == Table::Complete && self.world.trust != Start::GivenWithWrongSlot;
        let is_well = !self.offline && self.offset == 0 && is_set_up && self.is_calm(read);
        is_well
            && !self.is_gloas(read)
            && self.proven_at.is_some()
            && self.steady_since(read, 24_000)
            && self.time_to_any_head(read).is_some()
            && self.is_told(read)
            && !self.changes_within(read)
    }

    /// Whether there is a reorganisation between the beginning of the read and its end.
    fn changes_within(&self, read: &Read<'_>) -> bool {
        let (from, until) = (read.from / SLOT, read.until / SLOT);
        let mut events = self.world.story.events.iter();
        events.any(|(at, event)| from < *at && *at <= until && matches!(event, Event::Abandon { .. }))
    }

    /// Whether a good source served its newest head in this read.
    fn is_told(&self, read: &Read<'_>) -> bool {
        let looked_until = read.until.min(read.from.saturating_add(self.bounds.gain));
        read.visits.iter().any(|visit| {
            let is_good = visit.behaviour.is_good_source() && !visit.limited;
            let is_head = visit.role == Role::Source && visit.asked.contains("optimistic");
            is_head && is_good && self.answered_at(visit) <= looked_until
        })
    }

    fn all_sources_are_good(&self, read: &Read<'_>) -> bool {
        self.behaviours(&self.world.sources, read).into_iter().all(Behaviour::is_good_source)
    }

    /// Whether the wallet may assume that all sources lag: for some slots after all that it asked were late.
    fn may_believe_lag(&self, read: &Read<'_>) -> bool {
        self.late_at.is_some_and(|at| read.from.saturating_sub(at) <= self.bounds.believes_lag)
    }

    /// Records whether all sources seemed late: the clock is fast, the chain stood still, or the sources did.
    pub(super) fn note_lag(&mut self, read: &Read<'_>) {
        let is_late = self.time_for_newer(read) > 0 || !self.all_sources_are_good(read);
        if is_late {
            self.late_at = Some(read.until);
        }
    }

    /// Whether a good source has been available for that long.
    fn steady_since(&self, read: &Read<'_>, millis: u64) -> bool {
        let from = read.from.saturating_sub(millis);
        self.world.sources.iter().any(|source| {
            let behaviour = source.during(from, read.until, &self.world.outages);
            source.limit.is_none() && behaviour.is_some_and(Behaviour::is_good_source)
        })
    }

    pub(super) fn is_gloas(&self, read: &Read<'_>) -> bool {
        let network = self.chains.main.network();
        network.fork_at(self.slot_of(read.until)).is_ok_and(|fork| fork >= Fork::Gloas)
    }

    /// The slot at which the world began.
    pub(super) fn world_slot(&self) -> Slot {
        Slot::new(self.world.story.history)
    }

    fn slot_of(&self, time: u64) -> Slot {
        self.world_slot().saturating_add(time / SLOT)
    }

    /// Whether there is a reorganisation during the read, or was shortly before.
    pub(super) fn is_reorganised(&self, read: &Read<'_>) -> bool {
        let (from, until) = (read.from / SLOT, self.longest(read) / SLOT);
        self.world.story.events.iter().any(|(at, event)| match event {
            Event::Abandon { depth } => {
                let lasting = self.world.story.tip_lead.saturating_add(2).saturating_add(*depth);
                *at <= until.saturating_add(1) && from <= at.saturating_add(lasting)
            }
            _ => false,
        })
    }

    /// The latest end of the read.
    fn longest(&self, read: &Read<'_>) -> u64 {
        read.until.max(read.from.saturating_add(self.world.wants.deadline))
    }

    /// Whether the chain is normal during the read: enough sign, and blocks become final in time.
    fn is_calm(&self, read: &Read<'_>) -> bool {
        let Story { events, tip_lead, stretch, .. } = &self.world.story;
        let from = read.from / SLOT;
        let until = self.longest(read) / SLOT;
        let troubles =
            |at: u64, lasting: u64| at <= until.saturating_add(1) && from <= at.saturating_add(lasting);
        let lead = tip_lead.saturating_add(2);
        let is_troubled = events.iter().any(|(at, event)| match event {
            Event::Signers(Some(_)) => troubles(*at, self.lasts(*at, *event).saturating_add(lead)),
            Event::Stall(true) => troubles(*at, self.lasts(*at, *event).saturating_add(48)),
            Event::Withhold => troubles(*at, lead),
            _ => false,
        });
        let is_leaping = stretch.is_some_and(|stretch| {
            let over = self.world.story.stretch_over_at().map_or(0, |over| over / 12);
            stretch.after <= until && from <= over
        });
        let is_beyond = read.from > 86_400_000 && self.world.trust == Start::Given;
        !is_troubled && !is_leaping && !is_beyond && !self.is_split()
    }

    /// How many slots an event lasts: until the next of its kind.
    fn lasts(&self, at: u64, event: Event) -> u64 {
        let kind = std::mem::discriminant(&event);
        let next =
            self.world.story.events.iter().filter(|(later, other)| {
                *later > at && std::mem::discriminant(other) == kind && *other != event
            });
        let over = next.map(|(later, _)| *later).min();
        over.unwrap_or(u64::MAX).saturating_sub(at)
    }
}

/// The number of hedge delays until each of them is asked: first one, then one more, then all.
fn turns(parties: &[Party]) -> u64 {
    match parties.len() {
        0 | 1 => 0,
        2 => 1,
        _ => 2,
    }
}

/// The longest latency of any of them, in milliseconds.
fn slowest(parties: &[Party]) -> u64 {
    let each = parties.iter().flat_map(|party| {
        party.phases.iter().map(|(_, behaviour)| party.latency.saturating_add(behaviour.latency()))
    });
    each.max().unwrap_or(0)
}
