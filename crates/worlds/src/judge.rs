//! The judge knows the truth, and checks the wallet against it after every step.

mod due;
mod plain;
mod reason;
mod safe;
mod token;

use std::collections::BTreeMap;

use saldo_beacon::unit::Slot;

use super::behaviour::{Behaviour, Chains, Worth};
use super::bound::Bounds;
use super::host::{Role, Visit};
use super::party::Party;
use super::verdict::{Check, Violation};
use super::wallet::{Shown, ShownBlock};
use super::world::World;
use saldo_drill::BlockInfo;

/// Number of signers, of the minimal committee's 32, that make a head valid.
const TWO_THIRDS: usize = 22;
/// Slots from a block to the first head that calls it final: two epochs of the minimal preset.
const FINALITY_LAG: u64 = 16;
/// After this many false proofs a provider is asked only when no other is left.
const FALSE_PROOFS: usize = 2;

/// One read, as seen from outside.
#[derive(Clone, Debug)]
pub(super) struct Read<'a> {
    /// The number of its step.
    pub(super) step: usize,
    /// When it began and ended, in milliseconds since the beginning.
    pub(super) from: u64,
    pub(super) until: u64,
    /// The places of the holdings that were read, and what the screen shows of each.
    pub(super) places: &'a [usize],
    pub(super) shown: &'a [Shown],
    /// The newest signed head when it began.
    pub(super) signed: BlockInfo,
    /// The requests made for it.
    pub(super) visits: &'a [Visit],
    /// The providers that the wallet does not ask any more.
    pub(super) quarantined: Vec<usize>,
}

/// Checks one wallet in one world.
pub(super) struct Judge<'a> {
    world: &'a World,
    chains: &'a Chains,
    bounds: Bounds,
    /// Whether the device has no network, and whether the app says so.
    pub(super) offline: bool,
    pub(super) is_said_offline: bool,
    /// How many seconds its clock is off, and whether it ever was.
    pub(super) offset: i64,
    pub(super) clock_was_touched: bool,
    /// For how many milliseconds it slept.
    pub(super) slept: u64,
    /// The last time when the newest head seemed late.
    late_at: Option<u64>,
    /// The newest amount that was shown of each holding.
    newest: BTreeMap<usize, ShownBlock>,
    /// The time of the last proven read, the newest slot of a head that the wallet knew by then, and whether
    /// the previous read was proven.
    proven_at: Option<u64>,
    known_head: Slot,
    failed_before: bool,
    /// The parties that asked for a pause or had no quota left, and how long they may be skipped.
    backoffs: Vec<(Role, usize, u64)>,
    /// The latest slot of a head that the wallet may have received.
    told: Slot,
    /// How often each provider sent something false for a proof at a block given by its hash.
    false_proofs: BTreeMap<usize, usize>,
    /// When each read began, and its number of holdings.
    reads: Vec<(u64, usize)>,
    /// When the app was restarted: rate limits from before are forgotten then.
    restarts: Vec<u64>,
    /// Since which signed block each holding has been read slot by slot from providers that prove their tip alone, and
    /// when last.
    tips: BTreeMap<usize, (u64, u64)>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(world: &'a World, chains: &'a Chains, bounds: Bounds) -> Self {
        Self {
            world,
            chains,
            bounds,
            offline: false,
            is_said_offline: false,
            offset: 0,
            clock_was_touched: false,
            slept: 0,
            late_at: None,
            newest: BTreeMap::new(),
            proven_at: None,
            known_head: Slot::new(0),
            failed_before: false,
            backoffs: Vec::new(),
            told: Slot::new(0),
            false_proofs: BTreeMap::new(),
            reads: Vec::new(),
            restarts: Vec::new(),
            tips: BTreeMap::new(),
        }
    }

    /// The app was restarted. The screen had shown the withdrawals of the holdings in `withdrawn` before.
    pub(super) fn restarted(&mut self, at: u64, withdrawn: &[bool]) {
        self.restarts.push(at);
        self.tips.clear();
        // Strikes are not stored.
        self.false_proofs.clear();
        self.backoffs.retain(|(.., until)| *until < u64::MAX);
        self.newest.retain(|place, _| !withdrawn.get(*place).copied().unwrap_or(false));
    }

    /// The violations of a read: at most one of each kind, the worst first.
    pub(super) fn judge(&mut self, read: &Read<'_>, log: &[Visit]) -> Vec<Violation> {
        self.reads.push((read.from, read.places.len()));
        self.note_backoffs(read);
        let mut found = self.safe(read);
        found.extend(self.in_time(read));
        found.extend(self.reasons(read));
        found.extend(self.due(read));
        found.extend(self.plain(read, log));
        let is_proven = read.shown.iter().all(Shown::is_settled);
        if is_proven {
            self.proven_at = Some(read.from);
            let blocks = read.shown.iter().filter_map(|shown| Some(shown.amount?.block));
            let heads = blocks.filter_map(|block| {
                let slot = self.chains.main.block(block.number)?.slot;
                Some(if block.finalized { slot.saturating_add(FINALITY_LAG) } else { slot })
            });
            self.known_head = heads.fold(self.known_head, Slot::max);
        }
        self.failed_before = !is_proven;
        self.told = self.told.max(read.signed.slot);
        self.note_lag(read);
        found
    }

    fn note_backoffs(&mut self, read: &Read<'_>) {
        for visit in read.visits {
            let wants_rest = matches!(visit.behaviour, Behaviour::RateLimited(_) | Behaviour::QuotaExhausted);
            if wants_rest || visit.limited {
                self.backoffs.push((
                    visit.role,
                    visit.index,
                    visit.at.saturating_add(self.bounds.longest_backoff),
                ));
            }
        }
        let told = read.visits.iter().filter(|visit| visit.role == Role::Provider);
        for visit in
            told.filter(|visit| visit.behaviour.worth() == Worth::False && visit.asked.contains("blockHash"))
        {
            let count = self.false_proofs.entry(visit.index).or_default();
            *count = count.saturating_add(1);
            if *count >= FALSE_PROOFS {
                self.backoffs.push((Role::Provider, visit.index, u64::MAX));
            }
        }
        let slept = self.slept;
        self.backoffs.retain(|(.., until)| until.saturating_add(slept) >= read.from);
    }

    /// Whether a party may be skipped.
    fn may_rest(&self, role: Role, index: usize) -> bool {
        self.backoffs.iter().any(|(of, which, _)| *of == role && *which == index)
    }

    fn in_time(&self, read: &Read<'_>) -> Option<Violation> {
        let took = read.until.saturating_sub(read.from);
        let limit = self.world.wants.deadline.saturating_add(self.bounds.grace);
        let text = format!("the read took {took} ms, the deadline is {} ms", self.world.wants.deadline);
        (took > limit).then(|| wrong(Check::Deadline, read, text))
    }

    /// Whether a block is on the canonical branch. After two thirds signed two branches there is none.
    fn is_canonical(&self, block: &ShownBlock) -> bool {
        let at = self.chains.main.block(block.number);
        !self.is_split() && at.is_some_and(|at| at.hash == block.hash)
    }

    /// Whether two thirds signed both branches.
    fn is_split(&self) -> bool {
        self.world.story.twin.is_some_and(|twin| twin.signers.is_none_or(|signers| signers >= TWO_THIRDS))
    }

    /// All behaviours of the parties during the read.
    fn behaviours(&self, parties: &[Party], read: &Read<'_>) -> Vec<Behaviour> {
        let outages = &self.world.outages;
        parties.iter().flat_map(|party| party.all_during(read.from, read.until, outages)).collect()
    }

    /// The providers that behave as `wanted` for as long as the read may take, each with the
    /// latency of an answer.
    fn steady_providers(&self, read: &Read<'_>, wanted: impl Fn(Worth) -> bool) -> Vec<(usize, u64)> {
        self.steady(&self.world.providers, Role::Provider, read, |behaviour| wanted(behaviour.worth()))
    }

    /// The latest time of an answer to a request; `None` if there is none.
    fn answered_at(&self, visit: &Visit) -> u64 {
        let parties = match visit.role {
            Role::Provider => &self.world.providers,
            Role::Source => &self.world.sources,
            Role::Witness => &self.world.witnesses,
        };
        let latency = parties.get(visit.index).map_or(0, |party| party.latency);
        let latency = latency.saturating_add(visit.behaviour.latency());
        visit.at.saturating_add(self.bounds.way).saturating_add(latency)
    }

    fn steady(
        &self,
        parties: &[Party],
        role: Role,
        read: &Read<'_>,
        wanted: impl Fn(Behaviour) -> bool,
    ) -> Vec<(usize, u64)> {
        let end = read.from.saturating_add(self.world.wants.deadline);
        let limited = |index: usize| {
            read.visits.iter().any(|visit| visit.role == role && visit.index == index && visit.limited)
        };
        let each = parties.iter().enumerate().filter_map(|(index, party)| {
            let behaviour = party.during(read.from, end, &self.world.outages)?;
            let latency = party.latency.saturating_add(behaviour.delay());
            let is_owed = !limited(index) && !self.may_rest(role, index);
            (wanted(behaviour) && is_owed).then_some((index, latency))
        });
        each.collect()
    }
}

fn wrong(check: Check, read: &Read<'_>, text: impl Into<String>) -> Violation {
    Violation { check, step: read.step, text: text.into() }
}
