//! The judge knows both chains and every claim, and checks what the wallet shows against them.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use saldo_drill::{BlockInfo, Chain, Rollup};

use super::scale::Scale;
use super::script::{ACCOUNTS, Games};
use crate::OWNERS;

const MINUTE: u64 = 60;
/// For how long what L1 vouched for counts while L1 is silent, with ten minutes for the block to become final.
const VOUCHED_FOR: u64 = 100 * MINUTE;
/// After so long without trouble, an account that was read before must be proven.
const CALM: u64 = 80 * MINUTE;
/// How long before it must have been read, at least and at most: the proof waits for L1, and turns too old.
const READ_BEFORE: std::ops::Range<u64> = 35 * MINUTE..110 * MINUTE;
/// The same where a claim counts after seven days: of the claims of 16 hours one is proven, and eight hours are for claim and reads.
const CALM_DAYS: u64 = 8 * 24 * 60 * MINUTE;
/// How often an account must have been read in this time: often enough for each claim.
const READ_EVERY: u64 = 180 * MINUTE;
/// How many final blocks of L1 a watching app may be behind.
const BEHIND: usize = 6;

/// An amount of the rollup, with its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) wei: U256,
    pub(super) number: u64,
    pub(super) hash: B256,
    pub(super) timestamp: u64,
}

/// How an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// By a call that began after so many final blocks of L1.
    ByCall {
        /// The number of blocks.
        began: usize,
    },
    /// By a watch.
    ByWatch,
    /// By a watch, before it asked anybody: what L1 said since is not known.
    FromMemory,
}

/// What the screen says of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// What it shows as the present amount.
    pub(super) amount: Option<Amount>,
    /// What it shows as an earlier amount.
    pub(super) last: Option<Amount>,
    pub(super) why: Option<&'static str>,
}

/// A claim on L1 about blocks of `chain`, of which `last` is the last one.
#[derive(Clone, Debug)]
struct Claim {
    game: Address,
    last: u64,
    chain: Chain,
}

/// Checks one run.
pub(super) struct Judge {
    games: Games,
    scale: Scale,
    l1: Chain,
    rollup: Rollup,
    branch: Chain,
    claims: Vec<Claim>,
    /// The final blocks of L1, each with the time when it became final.
    finals: Vec<(u64, BlockInfo)>,
    /// Since when L1 can be reached.
    pub(super) l1_since: Option<u64>,
    /// Since when it cannot be reached, the last time.
    pub(super) l1_until: Option<u64>,
    /// Since when nothing is wrong, and nothing changes; `None` while something is.
    pub(super) calm_since: Option<u64>,
    /// Since when the sequencer makes no blocks.
    pub(super) stopped_since: Option<u64>,
    /// Whether something was taken back that L1 had accepted.
    pub(super) takes_back: bool,
    reads: BTreeMap<u64, Vec<u64>>,
    /// When the balance of each account changed last.
    changed: BTreeMap<u64, u64>,
    shown: BTreeMap<u64, Amount>,
    pub(super) violation: Option<String>,
    pub(super) answers: u64,
    pub(super) proven: u64,
    pub(super) whys: BTreeMap<&'static str, u64>,
}

impl Judge {
    pub(super) fn new(l1: &Chain, rollup: &Rollup, branch: &Chain, games: Games) -> Self {
        let now = l1.now().as_secs();
        Self {
            games,
            scale: Scale::of(games),
            l1: l1.clone(),
            rollup: rollup.clone(),
            branch: branch.clone(),
            claims: Vec::new(),
            finals: vec![(now, l1.finalized())],
            l1_since: Some(now),
            l1_until: None,
            calm_since: Some(now),
            stopped_since: None,
            takes_back: false,
            reads: BTreeMap::new(),
            changed: BTreeMap::new(),
            shown: BTreeMap::new(),
            violation: None,
            answers: 0,
            proven: 0,
            whys: BTreeMap::new(),
        }
    }

    pub(super) fn claimed(&mut self, game: Address, last: u64, chain: &Chain) {
        self.claims.push(Claim { game, last, chain: chain.clone() });
    }

    pub(super) fn changed(&mut self, account: u64) {
        let now = self.now();
        self.changed.insert(account, now);
    }

    /// Looks which block of L1 is final now.
    pub(super) fn look(&mut self) {
        let newest = self.l1.finalized();
        if self.finals.last().is_none_or(|(_, block)| block.hash != newest.hash) {
            self.finals.push((self.now(), newest));
        }
    }

    /// How many final blocks there were.
    pub(super) fn finals(&self) -> usize {
        self.finals.len()
    }

    fn now(&self) -> u64 {
        self.l1.now().as_secs()
    }

    /// An answer about `account`.
    pub(super) fn answer(&mut self, account: u64, answer: &Answer, told: Told) {
        self.look();
        self.answers = self.answers.saturating_add(1);
        if let Some(why) = answer.why {
            let sum = self.whys.entry(why).or_default();
            *sum = sum.saturating_add(1);
        }
        let found = self.wrong(account, answer, told);
        if let Some(wrong) = found {
            let text = format!("at {}, account {account}: {wrong}: {answer:?}", self.now());
            self.violation.get_or_insert(text);
        }
        if let Some(amount) = answer.amount {
            self.proven = self.proven.saturating_add(1);
            self.shown.insert(account, amount);
        }
        if matches!(told, Told::ByCall { .. }) {
            let now = self.now();
            self.reads.entry(account).or_default().push(now);
        }
    }

    fn wrong(&self, account: u64, answer: &Answer, told: Told) -> Option<&'static str> {
        if let Some(amount) = answer.amount {
            if self.now().saturating_sub(amount.timestamp) > self.scale.longest_age {
                return Some("too old for a present amount");
            }
            if let Some(wrong) = self.untrue(account, &amount, self.finals_for(told)) {
                return Some(wrong);
            }
            let before = self.shown.get(&account).filter(|before| before.number > amount.number);
            // After days another claim than the nearest may have vouched for it, which was taken back.
            let is_certain = self.games == Games::ProofChecked || !self.takes_back;
            if is_certain && before.is_some_and(|before| self.is_surely_vouched(before, told)) {
                return Some("it goes back");
            }
        }
        let finals = self.finals_for_last(told);
        if let Some(wrong) = answer.last.and_then(|last| self.untrue(account, &last, finals)) {
            return Some(wrong);
        }
        if answer.why == Some("rollup_stopped") && !self.is_stopped(4 * MINUTE) {
            return Some("the rollup has not stopped");
        }
        let is_missing = matches!(told, Told::ByCall { .. }) && answer.amount.is_none();
        let is_due = match self.games {
            Games::ProofChecked => self.is_due(account),
            Games::AfterDays => self.is_due_after_days(account, answer),
        };
        (is_missing && is_due).then_some("it could be proven")
    }

    /// Why it is wrong to show `amount`, if the wallet may have read one of these final blocks of L1 last.
    fn untrue(&self, account: u64, amount: &Amount, finals: &[(u64, BlockInfo)]) -> Option<&'static str> {
        let owner = usize::try_from(account).ok().and_then(|place| OWNERS.get(place).copied())?;
        let held = [self.rollup.chain(), &self.branch].map(|chain| chain.balance_at_hash(amount.hash, owner));
        if !held.contains(&Some(amount.wei)) {
            return Some("the account holds another amount in that block");
        }
        (!self.is_vouched(amount, finals)).then_some("L1 does not vouch for that block")
    }

    /// Whether L1 accepted a claim about the block of `amount`, or about one that follows, at one of these blocks.
    fn is_vouched(&self, amount: &Amount, finals: &[(u64, BlockInfo)]) -> bool {
        let is_accepted =
            |claim: &Claim| finals.iter().rev().any(|(_, block)| self.rollup.accepts(claim.game, block.hash));
        self.claims_about(amount).any(is_accepted)
    }

    /// Whether L1 accepted the claim that is about the block of `amount` itself at all blocks that the wallet may have read.
    fn is_surely_vouched(&self, amount: &Amount, told: Told) -> bool {
        let finals = self.finals_for(told);
        let own = |claim: &&Claim| claim.last.saturating_sub(amount.number) < self.scale.interval;
        let is_accepted =
            |claim: &Claim| finals.iter().all(|(_, block)| self.rollup.accepts(claim.game, block.hash));
        self.claims_about(amount).filter(own).any(is_accepted)
    }

    /// The claims about the block of `amount`, or about one that follows.
    fn claims_about<'a>(&'a self, amount: &'a Amount) -> impl Iterator<Item = &'a Claim> {
        self.claims.iter().filter(|claim| {
            claim.last >= amount.number
                && claim.chain.block(amount.number).is_some_and(|block| block.hash == amount.hash)
        })
    }

    /// The final blocks of L1 that the wallet may have read last: the newest ones, or where L1 was silent, those of the last time.
    fn finals_for(&self, told: Told) -> &[(u64, BlockInfo)] {
        let now = self.now();
        let is_reachable = self.l1_since.is_some_and(|since| now.saturating_sub(since) > 3 * MINUTE);
        let first = match told {
            Told::FromMemory => 0,
            // The block that was final when the call began, or the one before.
            Told::ByCall { began } if is_reachable => began.saturating_sub(2),
            Told::ByWatch if is_reachable => self.finals.len().saturating_sub(BEHIND),
            Told::ByCall { .. } | Told::ByWatch => {
                self.finals.iter().position(|(at, _)| now.saturating_sub(*at) <= VOUCHED_FOR).unwrap_or(0)
            }
        };
        self.finals.get(first..).unwrap_or_default()
    }

    /// The same for an earlier amount. Where worlds last for days, so does an outage of L1: what it took back meanwhile is not known.
    fn finals_for_last(&self, told: Told) -> &[(u64, BlockInfo)] {
        let finals = self.finals_for(told);
        let is_reachable = self.l1_since.is_some_and(|since| self.now().saturating_sub(since) > 3 * MINUTE);
        match self.l1_until {
            Some(until) if self.games == Games::AfterDays && !is_reachable => {
                // The app asked L1 when it read the last time before that.
                let asked = self.reads.values().flatten().filter(|at| **at <= until).max();
                let asked = asked.copied().unwrap_or_default();
                let read = self.finals.partition_point(|(at, _)| *at <= asked);
                let first = read.saturating_sub(BEHIND).min(self.finals.len().saturating_sub(finals.len()));
                self.finals.get(first..).unwrap_or_default()
            }
            _ => finals,
        }
    }

    fn is_stopped(&self, seconds: u64) -> bool {
        self.stopped_since.is_some_and(|since| self.now().saturating_sub(since) >= seconds)
    }

    /// Whether the account must be proven: all has been well for long, and it was read before.
    fn is_due(&self, account: u64) -> bool {
        let now = self.now();
        let Some(calm) = self.calm_since.filter(|since| now.saturating_sub(*since) >= CALM) else {
            return false;
        };
        let in_time = |read: &u64| *read >= calm && READ_BEFORE.contains(&now.saturating_sub(*read));
        account < ACCOUNTS && self.reads.get(&account).is_some_and(|reads| reads.iter().any(in_time))
    }

    /// The same where L1 counts a claim after days: all has been well for eight days, in which the app was opened again and again. Where
    /// the balance changed meanwhile, the earlier amount is all that can be proven.
    fn is_due_after_days(&self, account: u64, answer: &Answer) -> bool {
        let now = self.now();
        let is_calm = self.calm_since.is_some_and(|since| now.saturating_sub(since) >= CALM_DAYS);
        let since = now.saturating_sub(CALM_DAYS);
        let is_changed = self.changed.get(&account).is_some_and(|at| *at >= since);
        let is_shown = answer.last.is_some() && is_changed;
        let mut reads = self.reads.get(&account).into_iter().flatten().copied().filter(|at| *at >= since);
        let mut before = since;
        let is_often = reads.all(|at| at.saturating_sub(std::mem::replace(&mut before, at)) <= READ_EVERY);
        is_calm && !is_shown && is_often && now.saturating_sub(before) <= READ_EVERY
    }
}
