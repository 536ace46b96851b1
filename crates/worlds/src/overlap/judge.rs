//! Holds each answer against what is true when the call ends.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::unit::UnixTime;
use saldo_drill::Chain;

use super::script::Script;
use super::wallet::{Amount, Answer};
use crate::OWNERS;

/// How many slots the newest block may be behind the clock when all is well.
const SLOTS_BEHIND: u64 = 5;

/// What the judge knows of one run.
pub(super) struct Judge {
    main: Chain,
    other: Chain,
    max_age: Duration,
    /// Whether trust starts from the other chain.
    is_other: bool,
    /// The newest block that a call which ended returned of each holding, by any call and by calls for finalized blocks.
    returned: BTreeMap<(u64, bool), (u64, B256)>,
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
        Self {
            main: main.clone(),
            other: other.clone(),
            max_age,
            is_other: false,
            returned: BTreeMap::new(),
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
        self.is_other = is_other;
        self.returned.clear();
    }

    pub(super) fn forgotten(&mut self, holding: u64) {
        self.returned.retain(|(held, _), _| *held != holding);
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
        if self.truth(holding, amount) != Some(amount.wei) {
            self.wrong(format!(
                "the last amount of {holding} at block {} is of no trusted chain",
                amount.number
            ));
        }
    }

    fn proven(&mut self, holding: u64, amount: &Amount, finalized: bool, at: Moment) {
        let number = amount.number;
        if self.truth(holding, amount) != Some(amount.wei) {
            self.wrong(format!("the proven amount of {holding} at block {number} is of no trusted chain"));
        }
        if amount.is_restored {
            self.wrong(format!("what is proven of {holding} was restored"));
        }
        if at.is_faulted {
            self.wrong(format!("something is proven of {holding} after a consensus fault"));
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
            if number < newest && is_canonical {
                self.wrong(format!("block {number} of {holding} is returned after block {newest}"));
            }
        }
        let returned = self.returned.entry((holding, finalized)).or_insert((number, amount.hash));
        if returned.0 <= number {
            *returned = (number, amount.hash);
        }
    }

    fn truth(&self, holding: u64, amount: &Amount) -> Option<alloy_primitives::U256> {
        let owner = usize::try_from(holding).ok().and_then(|holding| OWNERS.get(holding).copied())?;
        self.chain().balance_at_hash(amount.hash, owner)
    }

    fn wrong(&mut self, text: String) {
        self.violation.get_or_insert(text);
    }
}

/// The moment when a call ends.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: UnixTime,
    /// Whether the wallet knows of a consensus fault.
    pub(super) is_faulted: bool,
}

/// How old a block may be where a call asks for a finalized one: half an hour, and the slots that are allowed for.
fn finalized_age(finalized: bool) -> Duration {
    if finalized { Duration::from_secs(1_860) } else { Duration::ZERO }
}
