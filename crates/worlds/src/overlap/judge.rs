//! Holds each answer against what is true when the call ends.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::B256;
use saldo::Holding;
use saldo_beacon::unit::UnixTime;
use saldo_drill::Chain;

use super::script::{Act, Script};
use super::wallet::{Amount, Answer};
use crate::HOLDINGS;
use crate::holding::of_token;
use crate::token::{TokenEvent, Truth, leads_to, truth};

/// How many slots the newest block may be behind the clock when all is well.
const SLOTS_BEHIND: u64 = 5;

/// What the judge knows of one run.
pub(super) struct Judge {
    main: Chain,
    other: Chain,
    max_age: Duration,
    /// What happens to tokens in this script.
    events: Vec<TokenEvent>,
    /// Whether trust starts from the other chain.
    pub(super) is_other: bool,
    /// Whether a source showed the other chain since trust started: two thirds of the committee signed both, so that a light
    /// client may follow either.
    is_mixed: bool,
    /// The newest block that a call which ended returned of each holding, by any call and by calls for finalized blocks.
    returned: BTreeMap<(u64, bool), (u64, B256)>,
    /// The latest block that a call which ended returned of any holding: the wallet knows a head that is as late.
    latest: Option<Amount>,
    /// How often a holding was forgotten, and at which of these times each was forgotten last.
    forgets: u64,
    forgotten: BTreeMap<u64, u64>,
    pub(super) violation: Option<String>,
    pub(super) answers: u64,
    pub(super) proven: u64,
    pub(super) whys: BTreeMap<&'static str, u64>,
}

impl Judge {
    pub(super) fn new(script: &Script, main: &Chain, other: &Chain) -> Self {
        let slots = u32::try_from(SLOTS_BEHIND).unwrap_or(u32::MAX);
        let max_age = Duration::from_secs(script.max_age)
            .saturating_add(main.network().slot_duration().saturating_mul(slots));
        let events = script.acts.iter().filter_map(|(_, act)| match act {
            Act::Token(event) => Some(*event),
            _ => None,
        });
        Self {
            main: main.clone(),
            other: other.clone(),
            max_age,
            events: events.collect(),
            is_other: false,
            is_mixed: false,
            returned: BTreeMap::new(),
            latest: None,
            forgets: 0,
            forgotten: BTreeMap::new(),
            violation: None,
            answers: 0,
            proven: 0,
            whys: BTreeMap::new(),
        }
    }

    fn chain(&self) -> &Chain {
        if self.is_other { &self.other } else { &self.main }
    }

    pub(super) fn restarted(&mut self, is_other: bool) {
        (self.is_other, self.is_mixed) = (is_other, false);
        self.returned.clear();
        self.latest = None;
    }

    /// A source shows the other chain from now on.
    pub(super) fn mixed(&mut self) {
        self.is_mixed = true;
    }

    pub(super) fn forgotten(&mut self, holding: u64) {
        self.returned.retain(|(held, _), _| *held != holding);
        self.forgets = self.forgets.saturating_add(1);
        self.forgotten.insert(holding, self.forgets);
    }

    /// How often a holding was forgotten until now: marks the beginning of a call.
    pub(super) fn forgets(&self) -> u64 {
        self.forgets
    }

    pub(super) fn withdrawn(&mut self, holding: u64, amount: &Amount) {
        self.returned.retain(|(held, _), (_, hash)| *held != holding || *hash != amount.hash);
    }

    /// A call ends with these answers.
    pub(super) fn call(&mut self, holdings: &[u64], answers: &[Answer], finalized: bool, at: Moment) {
        if holdings.len() != answers.len() {
            self.wrong(format!("{} answers about {} holdings", answers.len(), holdings.len()));
        }
        for (place, (holding, answer)) in holdings.iter().zip(answers).enumerate() {
            let mut before = holdings.iter().zip(answers).take(place);
            if before.any(|(other, said)| other == holding && said != answer) {
                self.wrong(format!("holding {holding} has two answers in one call"));
            }
            self.answer(*holding, answer, finalized, at);
        }
    }

    pub(super) fn answer(&mut self, holding: u64, answer: &Answer, finalized: bool, at: Moment) {
        self.answers = self.answers.saturating_add(1);
        if let Some(code) = answer.why {
            if self.denies_a_token(holding, code) {
                self.wrong(format!("{code} is said of {holding}, which always has an amount"));
            }
            let count = self.whys.entry(code).or_default();
            *count = count.saturating_add(1);
        }
        if let Some(last) = &answer.last {
            self.last(holding, last);
        }
        if let Some(amount) = &answer.proven {
            self.proven = self.proven.saturating_add(1);
            self.proven(holding, amount, finalized, at);
        }
    }

    /// An amount that is shown as the last one: true on the chain that trust starts from.
    pub(super) fn last(&mut self, holding: u64, amount: &Amount) {
        if !self.is_true(holding, amount) {
            self.wrong(format!(
                "the last amount of {holding} at block {} is of no trusted chain",
                amount.number
            ));
        }
    }

    fn proven(&mut self, holding: u64, amount: &Amount, finalized: bool, at: Moment) {
        let number = amount.number;
        if !self.is_true(holding, amount) {
            self.wrong(format!("the proven amount of {holding} at block {number} is of no trusted chain"));
        }
        if amount.is_restored {
            self.wrong(format!("what is proven of {holding} was restored"));
        }
        if at.is_faulted {
            self.wrong(format!("something is proven of {holding} after a consensus fault"));
        }
        if at.has_wrong_chain_id {
            self.wrong(format!("something is proven of {holding} under the name of another chain"));
        }
        if at.time.saturating_sub(amount.time) > self.max_age.max(finalized_age(finalized)) {
            self.wrong(format!("what is proven of {holding} at block {number} is too old"));
        }
        if finalized && !amount.is_final {
            self.wrong(format!("block {number} is given as final for {holding} and is not"));
        }
        for of_finalized in [true, false] {
            // A finalized block is always older than the newest one.
            let is_compared = of_finalized || !finalized;
            let before = self.returned.get(&(holding, of_finalized)).copied().filter(|_| is_compared);
            let Some((newest, hash)) = before else { continue };
            let is_canonical = self.chain().block(newest).is_some_and(|block| block.hash == hash);
            if number < newest && is_canonical && !self.is_mixed {
                self.wrong(format!("block {number} of {holding} is returned after block {newest}"));
            }
        }
        // A later block at the same height or below excludes this one, if it is on the chain.
        let excludes = |latest: &Amount| {
            latest.time > amount.time && latest.number <= number && self.is_canonical(latest)
        };
        if self.latest.as_ref().is_some_and(excludes) && !self.is_canonical(amount) && !self.is_mixed {
            self.wrong(format!("block {number} of {holding} was taken back by the chain"));
        }
        if self.latest.is_none_or(|latest| latest.time < amount.time) {
            self.latest = Some(*amount);
        }
        // A call that began before its holding was forgotten belongs to the time before: later calls may return older blocks.
        if self.forgotten.get(&holding).is_some_and(|forgotten| *forgotten > at.began) {
            return;
        }
        let returned = self.returned.entry((holding, finalized)).or_insert((number, amount.hash));
        if returned.0 <= number {
            *returned = (number, amount.hash);
        }
    }

    /// Whether `code` says that there is no amount of a holding that has one after every block of every chain.
    fn denies_a_token(&self, holding: u64, code: &str) -> bool {
        let Some(holding) = usize::try_from(holding).ok().and_then(|place| HOLDINGS.get(place)) else {
            return true;
        };
        let wanted = match code {
            "not_a_token" => Truth::NotAToken,
            "token_not_run" => Truth::NotRun,
            "token_layout_unproven" => return true,
            _ => return false,
        };
        let Some((_, token)) = of_token(holding) else { return true };
        let newest = self.main.tip().hash;
        truth(&self.main, newest, holding) != Some(wanted)
            && self.events.iter().all(|event| leads_to(*event, token) != Some(wanted))
    }

    fn is_canonical(&self, amount: &Amount) -> bool {
        self.chain().block(amount.number).is_some_and(|block| block.hash == amount.hash)
    }

    /// Whether the amount is that of its block, which is of a trusted chain.
    fn is_true(&self, holding: u64, amount: &Amount) -> bool {
        let Some(holding) = usize::try_from(holding).ok().and_then(|place| HOLDINGS.get(place)) else {
            return false;
        };
        let known = |chain: &Chain| truth_at(chain, amount.hash, holding);
        let truth = known(self.chain())
            .or_else(|| [&self.main, &self.other].into_iter().filter(|_| self.is_mixed).find_map(known));
        match truth {
            Some(Truth::Units(units, is_frozen)) => (units, is_frozen) == (amount.units, amount.is_frozen),
            Some(Truth::Executed(units)) => units == amount.units && !amount.is_frozen,
            Some(Truth::NotRun | Truth::NoCode | Truth::NotAToken) | None => false,
        }
    }

    fn wrong(&mut self, text: String) {
        self.violation.get_or_insert(text);
    }
}

/// What the holding has after the block of that hash, if `chain` has the block.
fn truth_at(chain: &Chain, block: B256, holding: &Holding) -> Option<Truth> {
    match of_token(holding) {
        Some(_) => truth(chain, block, holding),
        None => Some(Truth::Units(chain.balance_at_hash(block, holding.owner())?, false)),
    }
}

/// The moment when a call ends.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: UnixTime,
    /// How often a holding had been forgotten when the call began.
    pub(super) began: u64,
    /// Whether the wallet knows of a consensus fault.
    pub(super) is_faulted: bool,
    /// Whether the wallet knows that its table names another chain than the providers.
    pub(super) has_wrong_chain_id: bool,
}

/// How old a block may be where a call asks for a finalized one: half an hour, and the slots that are allowed for.
fn finalized_age(finalized: bool) -> Duration {
    if finalized { Duration::from_secs(1_860) } else { Duration::ZERO }
}
