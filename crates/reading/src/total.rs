//! What several holdings come to, by chain and asset, with what is not known of it.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;

use crate::amount::Amount;
use crate::holding::{Asset, Holding};
use crate::reading::{Proven, Reading};

/// Readings of several holdings, added up by chain and asset.
///
/// What is said of a holding last counts, and it counts once: so one `Totals` may be kept, and told of each change.
///
/// ```
/// use saldo_reading::{Holding, Reading, Sum, TotalError, Totals};
///
/// fn show(chain_id: u64, readings: &[(Holding, Reading)]) -> Result<Vec<String>, TotalError> {
///     let mut totals = Totals::new();
///     for (holding, reading) in readings {
///         totals.add(chain_id, *holding, reading)?;
///     }
///     let line = |sum: Sum<'_>| match sum {
///         Sum::Proven(amount) => amount.format(18),
///         Sum::Remembered { .. } => "not all of it is proven now".to_owned(),
///         Sum::Partial { missing, .. } => format!("{} addresses are not known", missing.len()),
///         Sum::TooLarge => "this token is broken".to_owned(),
///     };
///     Ok(totals.iter().map(|total| line(total.sum())).collect())
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Totals {
    of: BTreeMap<(u64, Asset), BTreeMap<Address, Part>>,
}

/// What one holding adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Proven { amount: Amount, at: UnixTime },
    Remembered { amount: Amount, at: UnixTime },
    Missing,
}

/// Why a reading was not added. The caller's fault: it paired a reading with what it is not about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TotalError {
    /// The reading is about another holding. Says neither address: both may end up in a log.
    #[error("the reading is about another holding")]
    Holding {
        /// What the reading is about.
        got: Holding,
        /// What it was given as.
        expected: Holding,
    },
    /// The reading is of another chain.
    #[error("the reading is of chain {got}, expected {expected}")]
    Chain {
        /// The chain id of the reading's block.
        got: u64,
        /// The chain id it was given as.
        expected: u64,
    },
}

impl Totals {
    /// Nothing was added yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `reading` as what is known of `holding` on the chain `chain_id`, in place of what was said of it before.
    ///
    /// A reading that is not proven adds what was proven before it, as remembered; if there is nothing, the holding is
    /// missing. The amount of a provisional reading is never added.
    ///
    /// # Errors
    /// [`TotalError`] if the reading is about something else. The holding then counts as missing.
    pub fn add(&mut self, chain_id: u64, holding: Holding, reading: &Reading) -> Result<(), TotalError> {
        let is_proven = matches!(reading, Reading::Proven(proven) if !proven.is_restored());
        self.take(chain_id, holding, reading.latest_proven(), is_proven)
    }

    /// Takes what is remembered of `holding` on the chain `chain_id`, as a watch tells before it has read it or after the
    /// chain took a block back. `None`: it is missing.
    ///
    /// # Errors
    /// [`TotalError`] if `last` is of something else. The holding then counts as missing.
    pub fn remember(
        &mut self,
        chain_id: u64,
        holding: Holding,
        last: Option<&Proven>,
    ) -> Result<(), TotalError> {
        self.take(chain_id, holding, last, false)
    }

    fn take(
        &mut self,
        chain_id: u64,
        holding: Holding,
        known: Option<&Proven>,
        is_proven: bool,
    ) -> Result<(), TotalError> {
        let checked = known.map_or(Ok(()), |proven| check(chain_id, holding, proven));
        let part = match known.filter(|_| checked.is_ok()) {
            None => Part::Missing,
            Some(proven) => {
                let (amount, at) = (proven.amount(), proven.anchor().timestamp());
                if is_proven { Part::Proven { amount, at } } else { Part::Remembered { amount, at } }
            }
        };
        self.put(chain_id, holding, part);
        checked
    }

    /// The totals, in the order of chain id and asset. There is none of what no reading was added of.
    pub fn iter(&self) -> impl Iterator<Item = Total> + '_ {
        self.of.iter().map(|((chain_id, asset), parts)| Total::of(*chain_id, *asset, parts))
    }

    /// The total of `asset` on the chain `chain_id`; `None` if no reading of it was added.
    pub fn of(&self, chain_id: u64, asset: Asset) -> Option<Total> {
        self.of.get(&(chain_id, asset)).map(|parts| Total::of(chain_id, asset, parts))
    }

    fn put(&mut self, chain_id: u64, holding: Holding, part: Part) {
        self.of.entry((chain_id, holding.asset)).or_default().insert(holding.owner, part);
    }
}

fn check(chain_id: u64, holding: Holding, proven: &Proven) -> Result<(), TotalError> {
    if *proven.holding() != holding {
        return Err(TotalError::Holding { got: *proven.holding(), expected: holding });
    }
    let got = proven.anchor().chain_id();
    if got != chain_id {
        return Err(TotalError::Chain { got, expected: chain_id });
    }
    Ok(())
}

/// What the holdings of one asset on one chain come to.
///
/// Its amounts are reachable by [`Total::sum`] alone, which has to be matched: a number that leaves something out cannot be
/// taken for the whole by forgetting to ask.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    chain_id: u64,
    asset: Asset,
    /// All that is proven; all that is remembered; both together. `None` where there is nothing, never zero for it.
    amounts: Option<[Option<Amount>; 3]>,
    missing: Vec<Holding>,
    oldest: Option<UnixTime>,
}

/// What is known of a [`Total`].
///
/// Exhaustive on purpose: code that forgets what is missing must not compile; a new variant is a major version.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum<'a> {
    /// All of it is proven.
    Proven(Amount),
    /// Every holding was proven once, but some, or all, not by this reading. To show one number for all take
    /// [`Total::as_of`], with its time.
    Remembered {
        /// What those come to that are proven; `None` if none is.
        proven: Option<Amount>,
        /// What the others came to when each was proven last.
        remembered: Amount,
    },
    /// Something is missing: neither number, nor both, is the whole.
    Partial {
        /// What those come to that are proven; `None` if none is.
        proven: Option<Amount>,
        /// What those came to that were proven once; `None` if there are none.
        remembered: Option<Amount>,
        /// The holdings of which nothing is known, by owner. At least one.
        missing: &'a [Holding],
    },
    /// More than 2²⁵⁶ − 1 base units. No honest asset has so many: what its contract says is not to be relied on.
    TooLarge,
}

impl Total {
    fn of(chain_id: u64, asset: Asset, parts: &BTreeMap<Address, Part>) -> Self {
        let proven = parts.values().filter_map(Part::proven);
        let remembered = parts.values().filter_map(Part::remembered);
        let together = proven.clone().chain(remembered.clone());
        let amounts = match (add_up(proven), add_up(remembered), add_up(together)) {
            (Ok(proven), Ok(remembered), Ok(together)) => Some([proven, remembered, together]),
            _ => None,
        };
        let missing = parts.iter().filter(|(_, part)| **part == Part::Missing);
        let missing = missing.map(|(owner, _)| Holding { owner: *owner, asset }).collect();
        let oldest = parts.values().filter_map(Part::at).min();
        Self { chain_id, asset, amounts, missing, oldest }
    }

    /// The chain id (EIP-155) of the chain.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The asset, in whose base units the amounts are.
    pub fn asset(&self) -> Asset {
        self.asset
    }

    /// What is known of it.
    pub fn sum(&self) -> Sum<'_> {
        let missing = self.missing.as_slice();
        match (self.amounts, missing) {
            (None, _) => Sum::TooLarge,
            (Some([Some(proven), None, _]), []) => Sum::Proven(proven),
            (Some([proven, Some(remembered), _]), []) => Sum::Remembered { proven, remembered },
            (Some([proven, remembered, _]), missing) => Sum::Partial { proven, remembered, missing },
        }
    }

    /// What all holdings come to, remembered ones as they were when each was proven last, with the time of the oldest block
    /// behind it: show both. `None` while a holding is missing, or where the sum is too large.
    pub fn as_of(&self) -> Option<(Amount, UnixTime)> {
        let [_, _, together] = self.amounts.filter(|_| self.missing.is_empty())?;
        together.zip(self.oldest)
    }

    /// The time of the oldest block that stands behind any of it; `None` if nothing is known.
    pub fn oldest(&self) -> Option<UnixTime> {
        self.oldest
    }
}

impl Part {
    fn proven(&self) -> Option<Amount> {
        match self {
            Self::Proven { amount, .. } => Some(*amount),
            Self::Remembered { .. } | Self::Missing => None,
        }
    }

    fn remembered(&self) -> Option<Amount> {
        match self {
            Self::Remembered { amount, .. } => Some(*amount),
            Self::Proven { .. } | Self::Missing => None,
        }
    }

    fn at(&self) -> Option<UnixTime> {
        match self {
            Self::Proven { at, .. } | Self::Remembered { at, .. } => Some(*at),
            Self::Missing => None,
        }
    }
}

/// More than fits.
struct Overflow;

/// `None` for nothing, never zero.
fn add_up(mut amounts: impl Iterator<Item = Amount>) -> Result<Option<Amount>, Overflow> {
    amounts.try_fold(None, |sum: Option<Amount>, amount| match sum {
        None => Ok(Some(amount)),
        Some(sum) => sum.checked_add(amount).map(Some).ok_or(Overflow),
    })
}

#[cfg(test)]
#[path = "total_tests.rs"]
mod tests;
