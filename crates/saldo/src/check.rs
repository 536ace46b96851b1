//! Checks amounts that a wallet already shows.

use std::sync::Arc;

use alloy_primitives::U256;
use futures_util::future::join_all;
use saldo_chain::Anchor;
use saldo_reading::gate;
use saldo_reading::{Attempt, Holding, Proven, Reading, Unknown, Why};
use saldo_source::Deadline;

use crate::inner::ClientInner;
use crate::read::Kind;
use crate::state::{self, BlockId};

/// An amount that another source named: an indexer, or a provider that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is about.
    pub holding: Holding,
    /// The amount, in the smallest unit.
    pub amount: U256,
    /// The number of the block that the source read it at, if it said so. Without it, an amount that changed a moment ago cannot be
    /// told from a wrong one.
    pub block: Option<u64>,
}

/// What is known about a [`Claim`].
///
/// Exhaustive on purpose: code that forgets [`Verdict::NotChecked`] must not compile. It is no confirmation, whatever the claimed
/// amount is.
#[must_use]
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The amount is proven: it is the newest one.
    Confirmed(Proven),
    /// Another amount is proven.
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

/// Checks `claims`, and returns a verdict for each, in their order.
pub(crate) async fn check(inner: &Arc<ClientInner>, claims: &[Claim]) -> Vec<Verdict> {
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let holdings: Vec<Holding> = claims.iter().map(|claim| claim.holding).collect();
    let readings = inner.read(&holdings, Kind::Newest, deadline).await;
    let verdicts = claims.iter().zip(readings).map(|(claim, reading)| judge(inner, claim, reading));
    join_all(verdicts).await
}

async fn judge(inner: &Arc<ClientInner>, claim: &Claim, reading: Reading) -> Verdict {
    let proven = match reading {
        Reading::Proven(proven) => proven,
        // A claim of a provider confirms no claim of another.
        Reading::Provisional(_) => {
            let (why, last) = (reading.why().cloned(), reading.latest_proven().cloned());
            return not_checked(why.unwrap_or(Why::InternalFault), reading.attempts(), last);
        }
        Reading::Unknown(unknown) => return Verdict::NotChecked(unknown),
    };
    let claimed = claim.amount;
    if proven.amount().base_units() == claimed {
        return Verdict::Confirmed(proven);
    }
    let newest = proven.anchor().number();
    let Some(number) = claim.block.filter(|number| *number != newest) else {
        return Verdict::Different { proven, claimed };
    };
    match state::amount(inner, BlockId::Number(number), claim.holding).await {
        Ok((at, amount)) if amount == claimed => Verdict::Changed { proven, claimed, at: Box::new(at) },
        Ok(_) => Verdict::Different { proven, claimed },
        // It may have been right there.
        Err(failed) => not_checked(failed.why().clone(), failed.attempts(), Some(proven)),
    }
}

fn not_checked(why: Why, attempts: &[Attempt], last: Option<Proven>) -> Verdict {
    Verdict::NotChecked(gate::not_known(why, attempts, last))
}
