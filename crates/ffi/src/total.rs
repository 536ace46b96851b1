//! The sums of several holdings.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::amount::Amount;
use crate::holding::Holding;

/// The sum of the holdings of one asset on one network.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Total {
    /// The chain id of the network.
    pub network_id: u64,
    /// The contract of the token; none for the network's own coin.
    pub token: Option<String>,
    /// The amounts.
    pub sum: Sum,
    /// The time of the oldest block that any amount comes from, in seconds since 1970; none if no amount is known.
    pub oldest: Option<u64>,
}

/// The amounts of a total.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Sum {
    /// Every holding is proven.
    Proven {
        /// The sum.
        amount: Amount,
    },
    /// Every holding was proven at some time, but not all by their newest reading.
    Remembered {
        /// The sum of all holdings, each as it was proven last: show it with the time of `Total::oldest`.
        together: Amount,
        /// The sum of the holdings that are proven now.
        proven: PartialSum,
        /// The sum of the others.
        remembered: Amount,
    },
    /// Some holdings are missing. Neither number is the whole, and both together are not the whole.
    Partial {
        /// The sum of the proven holdings.
        proven: PartialSum,
        /// The sum of the holdings that were proven before.
        remembered: PartialSum,
        /// The holdings without any proven amount. At least one.
        missing: Vec<Holding>,
    },
    /// More than 2²⁵⁶ − 1 base units: the token's contract is not reliable.
    TooLarge,
    /// Something that these bindings do not know.
    Other {
        /// What it is, for people.
        text: String,
    },
}

/// The sum of a part of the holdings. An enum, not an optional amount, so that "no holding" cannot collapse into zero.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PartialSum {
    /// The sum of the holdings of this part.
    Of {
        /// The sum.
        amount: Amount,
    },
    /// No holding belongs to this part.
    NoHolding,
}

impl From<Option<saldo::Amount>> for PartialSum {
    fn from(amount: Option<saldo::Amount>) -> Self {
        amount.map_or(Self::NoHolding, |amount| Self::Of { amount: amount.into() })
    }
}

/// Which holdings the newest reading proved. The amounts themselves stay in the client.
#[derive(Default)]
pub(crate) struct Statements(Mutex<HashSet<saldo::Holding>>);

impl Statements {
    fn proven(&self) -> MutexGuard<'_, HashSet<saldo::Holding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, holding: saldo::Holding, reading: &saldo::Reading) {
        match reading.proven() {
            Some(_) => self.proven().insert(holding),
            None => self.proven().remove(&holding),
        };
    }

    pub(crate) fn note_change(&self, change: &saldo::Change) {
        match change {
            saldo::Change::Reading { holding, reading, .. } => self.note(*holding, reading),
            saldo::Change::Remembered { holding, .. } | saldo::Change::Withdrawn { holding, .. } => {
                self.forget(holding);
            }
            _ => {}
        }
    }

    pub(crate) fn forget(&self, holding: &saldo::Holding) {
        self.proven().remove(holding);
    }

    pub(crate) fn clear(&self) {
        self.proven().clear();
    }

    /// Adds up what `client` knows of `holdings`. A malformed holding is missing from the sum of its network and asset.
    pub(crate) fn totals(&self, client: &saldo::Client, holdings: &[Holding]) -> Vec<Total> {
        let mut totals = saldo::Totals::new();
        let mut malformed = Vec::new();
        for given in holdings {
            let Some(holding) = given.read() else {
                malformed.push(given.clone());
                continue;
            };
            let last = client.last(&holding);
            let was_proven = self.proven().contains(&holding);
            let is_fresh = |proven: &saldo::Proven| {
                let Some(client) = client.on(holding.network()) else { return false };
                let policy = client.policy().at(proven.anchor().assurance().level());
                matches!(proven.freshness(client.now(), &policy), saldo::Freshness::Fresh(_))
            };
            // The client's own record is of this holding, so nothing is refused.
            let _ = match last {
                Some(proven) if was_proven && is_fresh(&proven) => {
                    totals.add(holding, &saldo::Reading::Proven(proven))
                }
                last => totals.remember(holding, last.as_ref()),
            };
        }
        let mut totals: Vec<Total> = totals.iter().map(|total| Total::from(&total)).collect();
        for given in malformed {
            add_missing(&mut totals, given);
        }
        totals
    }
}

/// Adds a holding that cannot be read to the total of its network and asset.
fn add_missing(totals: &mut Vec<Total>, given: Holding) {
    let is_same = |total: &&mut Total| total.network_id == given.network_id && total.token == given.token;
    let Some(total) = totals.iter_mut().find(is_same) else {
        let nothing = || PartialSum::NoHolding;
        let (network_id, token) = (given.network_id, given.token.clone());
        let sum = Sum::Partial { proven: nothing(), remembered: nothing(), missing: vec![given] };
        totals.push(Total { network_id, token, sum, oldest: None });
        return;
    };
    match &mut total.sum {
        Sum::Partial { missing, .. } => missing.push(given),
        Sum::Proven { amount } => {
            let proven = PartialSum::Of { amount: amount.clone() };
            total.sum = Sum::Partial { proven, remembered: PartialSum::NoHolding, missing: vec![given] };
        }
        Sum::Remembered { remembered, proven, .. } => {
            let (remembered, proven) = (PartialSum::Of { amount: remembered.clone() }, proven.clone());
            total.sum = Sum::Partial { proven, remembered, missing: vec![given] };
        }
        Sum::TooLarge | Sum::Other { .. } => {}
    }
}

impl From<&saldo::Total> for Total {
    fn from(total: &saldo::Total) -> Self {
        let token = match total.asset() {
            saldo::Asset::Erc20(token) => Some(token.to_checksum(None)),
            _ => None,
        };
        let sum = match (total.sum(), total.as_of()) {
            (saldo::Sum::Proven(amount), _) => Sum::Proven { amount: amount.into() },
            (saldo::Sum::Remembered { proven, remembered }, Some((together, _))) => Sum::Remembered {
                together: together.into(),
                proven: proven.into(),
                remembered: remembered.into(),
            },
            (saldo::Sum::Partial { proven, remembered, missing }, _) => Sum::Partial {
                proven: proven.into(),
                remembered: remembered.into(),
                missing: missing.iter().map(Holding::from).collect(),
            },
            (saldo::Sum::TooLarge | saldo::Sum::Remembered { .. }, _) => Sum::TooLarge,
        };
        Self {
            network_id: total.network().chain_id(),
            token,
            sum,
            oldest: total.oldest().map(|time| time.as_secs()),
        }
    }
}
