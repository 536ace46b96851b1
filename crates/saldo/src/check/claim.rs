//! A claimed amount, and what is known about it.

use alloy_primitives::U256;
use saldo_chain::Anchor;
use saldo_reading::{Holding, Proven, Unknown};

/// An amount that another source named: an indexer, or a provider that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is about.
    pub holding: Holding,
    /// The amount, in the smallest unit.
    pub amount: U256,
    /// The number of the block that the source read it at, if it said so. Without it, an amount that changed a moment ago cannot be
    /// told from a wrong one, unless [`Client::check_patiently`](crate::Client::check_patiently) waits for a newer block.
    pub block: Option<u64>,
}

/// What is known about a [`Claim`].
///
/// Exhaustive on purpose: code that forgets [`Verdict::NotChecked`] must not compile. It is no confirmation, whatever the claimed
/// amount is.
#[must_use]
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The amount is proven: it is the newest proven one, whatever block the claim names.
    Confirmed(Proven),
    /// Another amount is proven, and if the claim names a block, it was another one there too.
    Different {
        /// The newest proven amount.
        proven: Proven,
        /// The amount that was claimed.
        claimed: U256,
    },
    /// The claim was right at its block, which is proven too. The amount changed since.
    Changed {
        /// The newest proven amount.
        proven: Proven,
        /// The amount that was claimed, and right.
        claimed: U256,
        /// The block of the claim.
        at: Box<Anchor>,
    },
    /// Nothing was proven that tells whether the claim is right.
    NotChecked(Unknown),
}

impl Verdict {
    /// Returns the verdict as a word that stays: `confirmed`, `different`, `changed` or `not_checked`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Confirmed(_) => "confirmed",
            Self::Different { .. } => "different",
            Self::Changed { .. } => "changed",
            Self::NotChecked(_) => "not_checked",
        }
    }

    /// Returns the newest proven amount; `None` if the claim was not checked.
    pub const fn proven(&self) -> Option<&Proven> {
        match self {
            Self::Confirmed(proven) | Self::Different { proven, .. } | Self::Changed { proven, .. } => {
                Some(proven)
            }
            Self::NotChecked(_) => None,
        }
    }
}
