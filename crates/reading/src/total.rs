//! The sums of several holdings by chain and asset, with the holdings that are missing.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;

use crate::amount::Amount;
use crate::holding::{Asset, Holding};
use crate::reading::{Proven, Reading};

/// Readings of several holdings, added up by chain and asset.
///
/// The newest statement about a holding counts, and it counts once. So an app can keep one `Totals` and add each change.
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
///         Sum::Remembered { .. } => "not all holdings are proven now".to_owned(),
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

/// The contribution of one holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Proven { amount: Amount, at: UnixTime },
    Remembered { amount: Amount, at: UnixTime },
    Missing,
}

/// Why a reading was not added. Fault: the caller, which paired the reading with another holding or chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TotalError {
    /// The reading is about another holding. The message has neither address, because it may be logged.
    #[error("the reading is about another holding")]
    Holding {
        /// The holding of the reading.
        got: Holding,
        /// The holding that the caller named.
        expected: Holding,
    },
    /// The reading belongs to another chain.
    #[error("the reading belongs to chain {got}, expected {expected}")]
    Chain {
        /// The chain id of the reading's block.
        got: u64,
        /// The chain id that the caller named.
        expected: u64,
    },
}

impl Totals {
    /// Makes totals without holdings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `reading` as the newest statement about `holding` on the chain `chain_id`. It replaces the one before.
    ///
    /// A reading that is not proven adds the last proven amount, as remembered. If there is none, the holding is missing.
    /// The amount of a provisional reading is never added.
    ///
    /// # Errors
    /// [`TotalError`] if the reading is about another holding or chain. The holding then counts as missing.
    pub fn add(&mut self, chain_id: u64, holding: Holding, reading: &Reading) -> Result<(), TotalError> {
        let is_proven = matches!(reading, Reading::Proven(proven) if !proven.is_restored());
        self.take(chain_id, holding, reading.latest_proven(), is_proven)
    }

    /// Takes `last` as the remembered amount of `holding` on the chain `chain_id`. A watch reports one before the first
    /// read, and after a withdrawal. With `None` the holding is missing.
    ///
    /// # Errors
    /// [`TotalError`] if `last` is about another holding or chain. The holding then counts as missing.
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

    /// Returns the totals, in the order of chain id and asset. An asset without any added reading has no total.
    pub fn iter(&self) -> impl Iterator<Item = Total> + '_ {
        self.of.iter().map(|((chain_id, asset), parts)| Total::of(*chain_id, *asset, parts))
    }

    /// Returns the total of `asset` on the chain `chain_id`; `None` if no reading of it was added.
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

/// The sum of the holdings of one asset on one chain.
///
/// Only [`Total::sum`] gives the amounts, and code must match its variants. So no code can take a part for the whole by
/// mistake.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    chain_id: u64,
    asset: Asset,
    /// The proven sum, the remembered sum, and the sum of both. `None` where there is no holding, never zero instead.
    /// `None` as a whole if the sum does not fit.
    amounts: Option<[Option<Amount>; 3]>,
    missing: Vec<Holding>,
    oldest: Option<UnixTime>,
}

/// The amounts of a [`Total`].
///
/// Exhaustive on purpose: code that forgets missing holdings must not compile; a new variant is a major version.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum<'a> {
    /// Every holding is proven.
    Proven(Amount),
    /// Every holding was proven at some time, but not all by their newest reading. [`Total::as_of`] gives one number for
    /// all, with its time.
    Remembered {
        /// The sum of the proven holdings; `None` if there is none.
        proven: Option<Amount>,
        /// The sum of the other holdings, each as it was proven last.
        remembered: Amount,
    },
    /// Some holdings are missing. Neither number is the whole, and both together are not the whole.
    Partial {
        /// The sum of the proven holdings; `None` if there is none.
        proven: Option<Amount>,
        /// The sum of the holdings that were proven before; `None` if there is none.
        remembered: Option<Amount>,
        /// The holdings without any proven amount, by owner. At least one.
        missing: &'a [Holding],
    },
    /// More than 2²⁵⁶ − 1 base units. No honest asset has that many, so its contract is not reliable.
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

    /// Returns the chain id (EIP-155) of the chain.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns the asset. The amounts are in its base units.
    pub fn asset(&self) -> Asset {
        self.asset
    }

    /// Returns the amounts.
    pub fn sum(&self) -> Sum<'_> {
        let missing = self.missing.as_slice();
        match (self.amounts, missing) {
            (None, _) => Sum::TooLarge,
            (Some([Some(proven), None, _]), []) => Sum::Proven(proven),
            (Some([proven, Some(remembered), _]), []) => Sum::Remembered { proven, remembered },
            (Some([proven, remembered, _]), missing) => Sum::Partial { proven, remembered, missing },
        }
    }

    /// Returns the sum of all holdings, with the time of the oldest block that it comes from: show both. A remembered
    /// holding counts as it was proven last. `None` while a holding is missing, or if the sum is too large.
    pub fn as_of(&self) -> Option<(Amount, UnixTime)> {
        let [_, _, together] = self.amounts.filter(|_| self.missing.is_empty())?;
        together.zip(self.oldest)
    }

    /// Returns the time of the oldest block that any amount comes from; `None` if no amount is known.
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

/// The sum does not fit.
struct Overflow;

/// Returns the sum; `None` if there are no amounts, never zero instead.
fn add_up(mut amounts: impl Iterator<Item = Amount>) -> Result<Option<Amount>, Overflow> {
    amounts.try_fold(None, |sum: Option<Amount>, amount| match sum {
        None => Ok(Some(amount)),
        Some(sum) => sum.checked_add(amount).map(Some).ok_or(Overflow),
    })
}

#[cfg(test)]
#[path = "total_tests.rs"]
mod tests;
