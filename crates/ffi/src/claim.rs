//! Amounts that another source named, and what is known about them.

use crate::amount::Amount;
use crate::block::Block;
use crate::ended::Ended;
use crate::holding::Holding;
use crate::reading::{Proven, Unknown};
use crate::why::Why;

/// An amount that another source named: an indexer, or a provider that proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Claim {
    /// What it is about.
    pub holding: Holding,
    /// The amount, in base units.
    pub amount: Amount,
    /// The number of the block that the source read it at, if it said so. Without it, an amount that changed a moment ago cannot be
    /// told from a wrong one, unless `check_patiently` waits for a newer block.
    #[uniffi(default = None)]
    pub block: Option<u64>,
}

/// What is known about a claim. `NotChecked` is no confirmation, whatever the claimed amount is.
///
/// A closed enum, as `Reading` is: code that forgets `NotChecked` must not compile.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Verdict {
    /// The amount is proven: it is the newest proven one, whatever block the claim names.
    Confirmed {
        /// The newest proven amount.
        proven: Proven,
    },
    /// Another amount is proven, and if the claim names a block, it was another one there too.
    Different {
        /// The newest proven amount.
        proven: Proven,
        /// The amount that was claimed.
        claimed: Amount,
    },
    /// The claim was right at its block, which is proven too. The amount changed since.
    Changed {
        /// The newest proven amount.
        proven: Proven,
        /// The amount that was claimed, and right.
        claimed: Amount,
        /// The block of the claim.
        at: Block,
    },
    /// Nothing was proven that tells whether the claim is right.
    NotChecked {
        /// The reason.
        unknown: Unknown,
    },
}

impl Claim {
    /// Returns the claim for the client; `None` if an address is malformed.
    pub(crate) fn read(&self) -> Option<saldo::Claim> {
        Some(saldo::Claim {
            holding: self.holding.read()?,
            amount: self.amount.base_units()?,
            block: self.block,
        })
    }
}

impl Verdict {
    pub(crate) fn not_checked(why: Why) -> Self {
        Self::NotChecked { unknown: Unknown { why, last: None, attempts: Vec::new() } }
    }

    pub(crate) fn ended(ended: Ended) -> Self {
        Self::not_checked(ended.into())
    }
}

impl From<&saldo::Verdict> for Verdict {
    fn from(verdict: &saldo::Verdict) -> Self {
        let proven = |proven: &saldo::Proven| {
            let attempts = proven.attempts().iter().map(Into::into).collect();
            Proven { attempts, ..Proven::from(proven) }
        };
        match verdict {
            saldo::Verdict::Confirmed(amount) => Self::Confirmed { proven: proven(amount) },
            saldo::Verdict::Different { proven: amount, claimed } => {
                Self::Different { proven: proven(amount), claimed: (*claimed).into() }
            }
            saldo::Verdict::Changed { proven: amount, claimed, at } => {
                Self::Changed { proven: proven(amount), claimed: (*claimed).into(), at: at.as_ref().into() }
            }
            saldo::Verdict::NotChecked(unknown) => Self::NotChecked { unknown: unknown.into() },
        }
    }
}
