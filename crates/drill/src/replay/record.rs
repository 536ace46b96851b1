//! What came of a scenario.

use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Assurance, Why};

use super::lane::Lane;
use crate::scenario::{Event, Happening};

/// What came of a scenario: plain data, from which it is drawn.
#[derive(Clone, Debug)]
pub struct Record {
    /// What the scenario is called.
    pub name: String,
    /// What goes wrong.
    pub title: String,
    /// The same at more length.
    pub about: Option<String>,
    /// How long it lasts.
    pub lasts: Duration,
    /// The state of every source over time.
    pub lanes: Vec<Lane>,
    /// What happened.
    pub events: Vec<Happened>,
    /// What the two wallets showed.
    pub looks: Vec<Look>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Happened {
    /// When.
    pub at: Duration,
    /// What, in words.
    pub says: String,
    /// Whether it happened to the device or the chain, and stands in no lane.
    pub is_general: bool,
}

impl From<&Event> for Happened {
    fn from(event: &Event) -> Self {
        let is_general =
            matches!(event.happening, Happening::Device(_) | Happening::Chain(_) | Happening::Rollup(_));
        Self { at: event.at, says: event.says.clone(), is_general }
    }
}

/// One look at both wallets.
#[derive(Clone, Debug)]
pub struct Look {
    /// When.
    pub at: Duration,
    /// What the account really held at the newest block, in base units; 0 where no code says it.
    pub truth: U256,
    /// What the naive wallet showed, in base units.
    pub naive: U256,
    /// Whether that is not what the account held at any of the newest blocks.
    pub naive_is_wrong: bool,
    /// What saldo showed.
    pub shown: Shown,
}

/// What saldo showed.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Which kind of reading it was.
    pub standing: Standing,
    /// The amount, if it was proven.
    pub proven: Option<Known>,
    /// The amount that was proven last, if this one was not.
    pub last: Option<Known>,
    /// The amount of a claim without a joined proof, in base units.
    pub claimed: Option<U256>,
    /// Why it was not proven.
    pub why: Option<WhyUnproven>,
    /// Whether the chain took an earlier reading back, and no other has replaced it.
    pub withdrawn: bool,
    /// How old the rollup's newest block is, if saldo says that the rollup stands still.
    pub stopped_for: Option<Duration>,
    /// Who was asked, and what came of it.
    pub attempts: Vec<String>,
}

/// The kinds of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Proven.
    Proven,
    /// Claimed, and not proven yet.
    Provisional,
    /// Not known.
    Unknown,
}

impl Standing {
    /// Its name, as in the JSON of a reading.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Provisional => "provisional",
            Self::Unknown => "unknown",
        }
    }
}

/// A proven amount.
#[derive(Clone, Debug)]
pub struct Known {
    /// How much: in wei, or in base units of the token.
    pub amount: U256,
    /// What it is called with 18 decimals: `ether` or `tokens`.
    pub unit: &'static str,
    /// Whether the token's issuer has frozen it.
    pub is_frozen: bool,
    /// The number of the block it was proven at.
    pub block: u64,
    /// That block's age; unknown if the device's clock is off.
    pub age: Option<Duration>,
    /// How its header is known.
    pub assurance: Assurance,
    /// Who served the proof.
    pub provider: String,
    /// Whether the account held just that at that block; of a rollup also: and L1 had accepted a claim about it.
    pub is_true: bool,
}

/// Why an amount was not proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyUnproven {
    /// The stable name.
    pub code: &'static str,
    /// In words.
    pub text: String,
    /// Whose fault it is.
    pub fault: &'static str,
    /// What to do about it.
    pub next_step: &'static str,
}

impl From<&Why> for WhyUnproven {
    fn from(why: &Why) -> Self {
        let (code, fault, next_step) = (why.code(), why.fault().code(), why.next_step());
        Self { code, text: why.to_string(), fault, next_step }
    }
}

impl Shown {
    /// Nothing at all.
    pub(super) const fn nothing() -> Self {
        Self {
            standing: Standing::Unknown,
            proven: None,
            last: None,
            claimed: None,
            why: None,
            withdrawn: false,
            stopped_for: None,
            attempts: Vec::new(),
        }
    }

    /// Whether it shows an amount as proven that the account did not hold at the block that it names.
    pub fn is_false(&self) -> bool {
        [&self.proven, &self.last].into_iter().flatten().any(|known| !known.is_true)
    }
}

impl Record {
    /// Whether saldo ever showed a false amount.
    pub fn was_false(&self) -> bool {
        self.looks.iter().any(|look| look.shown.is_false())
    }

    /// Whether the naive wallet ever showed a wrong amount.
    pub fn naive_was_wrong(&self) -> bool {
        self.looks.iter().any(|look| look.naive_is_wrong)
    }

    /// For how much of the time that condition held, of the looks.
    pub fn share(&self, of: impl Fn(&Look) -> bool) -> (usize, usize) {
        (self.looks.iter().filter(|look| of(look)).count(), self.looks.len())
    }

    /// The look in the middle of those at which the naive wallet was wrong; `None` if it never was.
    pub fn telling(&self) -> Option<&Look> {
        let wrong: Vec<&Look> = self.looks.iter().filter(|look| look.naive_is_wrong).collect();
        wrong.get(wrong.len().checked_div(2)?).copied()
    }

    /// The looks, those together that one after another showed the same but for age and block.
    pub fn phases(&self) -> Vec<&[Look]> {
        self.looks.chunk_by(|one, next| one.is_like(next)).collect()
    }
}

impl Look {
    /// Whether the other look showed the same, but for age and block.
    fn is_like(&self, other: &Self) -> bool {
        let amount = |known: &Option<Known>| {
            known.as_ref().map(|known| (known.amount, known.is_frozen, known.is_true))
        };
        let why = |shown: &Shown| shown.why.as_ref().map(|why| why.code);
        let of = |look: &Self| {
            let shown = &look.shown;
            let amounts = (amount(&shown.proven), amount(&shown.last), shown.claimed);
            let is_stopped = shown.stopped_for.is_some();
            (look.truth, look.naive, shown.standing, amounts, why(shown), shown.withdrawn, is_stopped)
        };
        of(self) == of(other)
    }
}
