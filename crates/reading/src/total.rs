//! The sums of several holdings by network and asset, with the holdings that are missing.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;

use crate::amount::Amount;
use crate::holding::{Asset, Holding, NetworkId};
use crate::reading::{Proven, Reading};

/// Readings of several holdings, added up by network and asset.
///
/// The newest statement about a holding counts, and it counts once. So an app can keep one `Totals` and add each change.
///
/// ```
/// use saldo_reading::{Holding, Reading, Sum, TotalError, Totals};
///
/// fn show(readings: &[(Holding, Reading)]) -> Result<Vec<String>, TotalError> {
///     let mut totals = Totals::new();
///     for (holding, reading) in readings {
///         totals.add(*holding, reading)?;
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
    of: BTreeMap<(NetworkId, Asset), BTreeMap<Address, Part>>,
}

/// The contribution of one holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Proven { amount: Amount, at: UnixTime },
    Remembered { amount: Amount, at: UnixTime },
    Missing,
}

/// Why a reading was not added. Fault: the caller, which paired the reading with another holding.
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
}

impl Totals {
    /// Makes totals without holdings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `reading` as the newest statement about `holding`. It replaces the one before.
    ///
    /// A reading that is not proven adds the last proven amount, as remembered. If there is none, the holding is missing.
    /// The amount of a provisional reading is never added.
    ///
    /// # Errors
    /// [`TotalError`] if the reading is about another holding. The holding then counts as missing.
    pub fn add(&mut self, holding: Holding, reading: &Reading) -> Result<(), TotalError> {
        let is_proven = matches!(reading, Reading::Proven(proven) if !proven.is_restored());
        self.take(holding, reading.latest_proven(), is_proven)
    }

    /// Takes `last` as the remembered amount of `holding`. A watch reports one before the first
    /// read, and after a withdrawal. With `None` the holding is missing.
    ///
    /// # Errors
    /// [`TotalError`] if `last` is about another holding. The holding then counts as missing.
    pub fn remember(&mut self, holding: Holding, last: Option<&Proven>) -> Result<(), TotalError> {
        self.take(holding, last, false)
    }

    fn take(&mut self, holding: Holding, known: Option<&Proven>, is_proven: bool) -> Result<(), TotalError> {
        let checked = known.map_or(Ok(()), |proven| check(holding, proven));
        let part = match known.filter(|_| checked.is_ok()) {
            None => Part::Missing,
            Some(proven) => {
                let (amount, at) = (proven.amount(), proven.anchor().timestamp());
                if is_proven { Part::Proven { amount, at } } else { Part::Remembered { amount, at } }
            }
        };
        self.put(holding, part);
        checked
    }

    /// Returns the totals, in the order of network and asset. An asset without any added reading has no total.
    pub fn iter(&self) -> impl Iterator<Item = Total> + '_ {
        self.of.iter().map(|((network, asset), parts)| Total::of(*network, *asset, parts))
    }

    /// Returns the total of `asset` on `network`; `None` if no reading of it was added.
    pub fn of(&self, network: NetworkId, asset: Asset) -> Option<Total> {
        self.of.get(&(network, asset)).map(|parts| Total::of(network, asset, parts))
    }

    fn put(&mut self, holding: Holding, part: Part) {
        self.of.entry((holding.network(), holding.asset())).or_default().insert(holding.owner(), part);
    }
}

fn check(holding: Holding, proven: &Proven) -> Result<(), TotalError> {
    match *proven.holding() {
        got if got == holding => Ok(()),
        got => Err(TotalError::Holding { got, expected: holding }),
    }
}

/// The sum of the holdings of one asset on one network.
///
/// Only [`Total::sum`] gives the amounts, and code must match its variants. So no code can take a part for the whole by
/// mistake.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    network: NetworkId,
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
    fn of(network: NetworkId, asset: Asset, parts: &BTreeMap<Address, Part>) -> Self {
        let proven = parts.values().filter_map(Part::proven);
        let remembered = parts.values().filter_map(Part::remembered);
        let together = proven.clone().chain(remembered.clone());
        let amounts = match (add_up(proven), add_up(remembered), add_up(together)) {
            (Ok(proven), Ok(remembered), Ok(together)) => Some([proven, remembered, together]),
            _ => None,
        };
        let missing = parts.iter().filter(|(_, part)| **part == Part::Missing);
        let missing = missing.map(|(owner, _)| Holding::of(network, *owner, asset)).collect();
        let oldest = parts.values().filter_map(Part::at).min();
        Self { network, asset, amounts, missing, oldest }
    }

    /// Returns the network.
    pub fn network(&self) -> NetworkId {
        self.network
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
