//! What is known about an amount right now.

use crate::amount::Amount;
use crate::attempt::Attempt;
use crate::block::Block;
use crate::derivation::Derivation;
use crate::ended::Ended;
use crate::holding::Holding;
use crate::number::narrow;
use crate::why::Why;

/// What is known about an amount right now. An unknown amount is a value, not an error.
///
/// A closed enum, as `Verdict` is: code that forgets `Unknown` must not compile; a new variant is a major version.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Reading {
    /// A Merkle proof shows it, under a header that the chain's sync committee signed.
    Proven {
        /// The amount, and where it stands.
        proven: Proven,
    },
    /// A provider claims an amount that cannot be proven yet.
    Provisional {
        /// The claim.
        provisional: Provisional,
    },
    /// Nothing was proven. Show the reason, and the last proven amount with its age.
    Unknown {
        /// The reason.
        unknown: Unknown,
    },
}

/// An amount that a Merkle proof shows, with everything that says where it stands.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Proven {
    /// The holding that was asked about.
    pub holding: Holding,
    /// The amount, in base units.
    pub amount: Amount,
    /// Whether the token's issuer has frozen the amount, so that it cannot be moved. Show it. False where the token's code does not
    /// say, and for the network's own coin.
    pub is_frozen: bool,
    /// How the balance of a token was derived; none for the network's own coin.
    pub derivation: Option<Derivation>,
    /// The account's nonce, which the same proof shows; none for a token.
    pub nonce: Option<u64>,
    /// The block that it is true at.
    pub block: Block,
    /// The provider that served the proof. The amount does not depend on the provider.
    pub provider: String,
    /// Whether it was proven before the app was started. Show it with its age.
    pub is_restored: bool,
    /// The requests that led to it; empty for a remembered amount.
    pub attempts: Vec<Attempt>,
}

/// A claim that cannot be proven yet. Anyone can invent one, so it never replaces an amount.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Provisional {
    /// The claimed amount.
    pub unconfirmed: Unconfirmed,
    /// The state root of the claim, which is not signed yet.
    pub state_root: String,
    /// The provider that claims it.
    pub provider: String,
    /// How many operators name the block of the claim; none for fewer than two, and where they were not asked.
    pub quorum: Option<Quorum>,
    /// Why it is not proven.
    pub why: Why,
    /// The newest proven amount before it. Continue to show it, with its age.
    pub last: Option<Proven>,
    /// The requests for this reading.
    pub attempts: Vec<Attempt>,
}

/// Several independent operators name the block of a claim. A label: it makes nothing proven.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Quorum {
    /// How many operators name it.
    pub operators: u32,
    /// What one trusts in that, for people.
    pub text: String,
}

/// The amount of a claim. An enum, not an optional amount, so that "no claim" cannot collapse into zero.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Unconfirmed {
    /// To be shown as unconfirmed.
    Claimed {
        /// The claimed amount, never zero.
        amount: Amount,
    },
    /// The claim is zero, and a claim is not enough to show zero.
    NotShown,
}

/// Nothing was proven.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Unknown {
    /// Why nothing was proven.
    pub why: Why,
    /// The newest proven amount before it. Continue to show it, with its age.
    pub last: Option<Proven>,
    /// The requests for this reading.
    pub attempts: Vec<Attempt>,
}

/// The balance of an account, and the nonce that the same proof shows.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccountReading {
    /// The reading of the native balance.
    pub balance: Reading,
    /// The number of transactions sent from the account; none if the balance is not proven, and the reading says why.
    pub nonce: Option<u64>,
}

/// A holding and its reading.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HeldReading {
    /// The holding.
    pub holding: Holding,
    /// Its reading.
    pub reading: Reading,
}

/// How old an amount is, by the client's policy. True at the moment when it was made.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Freshness {
    /// `fresh`: within the policy. `old`: show it with its age. `unknown`: the device's clock is off.
    pub code: String,
    /// The age in seconds; none if the device's clock is off.
    pub age_seconds: Option<u64>,
}

/// The time that the protocol uses.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Now {
    /// The later of the device's clock and the chain's certain time, in seconds since 1970.
    pub timestamp: u64,
    /// Whether the device's clock is behind a time that has certainly come, so that no age is known.
    pub is_clock_off: bool,
}

impl Reading {
    pub(crate) fn unknown(why: Why) -> Self {
        Self::Unknown { unknown: Unknown { why, last: None, attempts: Vec::new() } }
    }

    pub(crate) fn ended(ended: Ended) -> Self {
        Self::unknown(ended.into())
    }
}

fn attempts(attempts: &[saldo::Attempt]) -> Vec<Attempt> {
    attempts.iter().map(Attempt::from).collect()
}

impl From<&saldo::Reading> for Reading {
    fn from(reading: &saldo::Reading) -> Self {
        let attempts = attempts(reading.attempts());
        let last = || reading.latest_proven().map(Proven::from);
        match reading {
            saldo::Reading::Proven(proven) => {
                Self::Proven { proven: Proven { attempts, ..Proven::from(proven) } }
            }
            saldo::Reading::Provisional(claim) => {
                let unconfirmed = match claim.unconfirmed_amount() {
                    Some(amount) => Unconfirmed::Claimed { amount: amount.into() },
                    None => Unconfirmed::NotShown,
                };
                let provisional = Provisional {
                    unconfirmed,
                    state_root: claim.state_root().to_string(),
                    provider: claim.provider().as_str().to_owned(),
                    quorum: claim.quorum().map(Quorum::from),
                    why: claim.why().into(),
                    last: last(),
                    attempts,
                };
                Self::Provisional { provisional }
            }
            saldo::Reading::Unknown(unknown) => Self::Unknown { unknown: unknown.into() },
        }
    }
}

impl From<saldo::Quorum> for Quorum {
    fn from(quorum: saldo::Quorum) -> Self {
        Self { operators: narrow(quorum.operators()), text: quorum.to_string() }
    }
}

impl From<&saldo::Unknown> for Unknown {
    fn from(unknown: &saldo::Unknown) -> Self {
        let last = unknown.last().map(Proven::from);
        Self { why: unknown.why().into(), last, attempts: attempts(unknown.attempts()) }
    }
}

/// Without the attempts: they belong to the reading.
impl From<&saldo::Proven> for Proven {
    fn from(proven: &saldo::Proven) -> Self {
        Self {
            holding: proven.holding().into(),
            amount: proven.amount().into(),
            is_frozen: proven.is_frozen(),
            derivation: proven.token().map(|balance| balance.derivation().into()),
            nonce: proven.nonce(),
            block: proven.anchor().into(),
            provider: proven.provider().as_str().to_owned(),
            is_restored: proven.is_restored(),
            attempts: Vec::new(),
        }
    }
}

impl From<saldo::Freshness> for Freshness {
    fn from(freshness: saldo::Freshness) -> Self {
        let age_seconds = match freshness {
            saldo::Freshness::Fresh(age) | saldo::Freshness::Old(age) => Some(age.as_secs()),
            saldo::Freshness::Unknown => None,
        };
        Self { code: freshness.code().to_owned(), age_seconds }
    }
}

impl From<saldo::Now> for Now {
    fn from(now: saldo::Now) -> Self {
        Self { timestamp: now.time().as_secs(), is_clock_off: now.clock_off() }
    }
}
