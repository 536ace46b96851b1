//! An amount that was joined and has not passed the gate yet.

use std::fmt;
use std::sync::Arc;

use saldo_chain::{Anchor, Chain, Level, Standing};
use saldo_token::VerifiedBalance;

use crate::amount::Amount;
use crate::holding::Holding;
use crate::provider::ProviderId;

/// The number of a client's trust start. A reading from one trust start is not valid after the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

impl Generation {
    /// The generation of the first trust start.
    pub const FIRST: Self = Self(0);

    /// Returns the generation after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// An amount that was proven under a trusted header. Only [`join`](crate::join) and
/// [`join_token`](crate::join_token) build it.
///
/// It can have become false since then: trust was restarted, the chain withdrew its block, or a newer amount is known. So
/// it does not show its amount. Only the [gate](crate::gate) turns it into a [`Proven`](crate::Proven).
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    pub(crate) holding: Holding,
    pub(crate) amount: Amount,
    pub(crate) nonce: Option<u64>,
    pub(crate) token: Option<Arc<VerifiedBalance>>,
    pub(crate) anchor: Anchor,
    pub(crate) provider: ProviderId,
    pub(crate) restored: bool,
    pub(crate) generation: Generation,
}

impl Candidate {
    /// Returns the holding that was asked about.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Returns the block that it was true at, and how that block's header was known at the join.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns the provider that served the proof.
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// Returns whether it comes from storage and was not proven again since the start.
    pub fn is_restored(&self) -> bool {
        self.restored
    }

    /// Returns the trust start that it follows from.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Marks it as restored from storage.
    #[must_use]
    pub fn as_restored(self) -> Self {
        Self { restored: true, ..self }
    }

    /// Returns the same amount under `anchor`, which the chain holds and which may know more about the same block; `None` if it is
    /// another block.
    ///
    /// A restored candidate stays restored, except on a rollup: its proof was verified again when it was restored, and no block of a
    /// rollup is held that L1 did not vouch for in this run. There no newer proof replaces it within seconds.
    pub(crate) fn under(&self, anchor: &Anchor) -> Option<Self> {
        let identity = |anchor: &Anchor| (anchor.hash(), anchor.state_root());
        let restored = self.restored && !anchor.assurance().level().is_of_rollup();
        let again = || Self { anchor: anchor.clone(), restored, ..self.clone() };
        (identity(anchor) == identity(&self.anchor)).then(again)
    }

    /// Returns whether `chain` is known to exclude its block.
    ///
    /// A chain never withdraws a finalized block that was proven in this generation: a chain that excludes one is a
    /// consensus fault. While the newest signed block is older than a restored block, the chain says nothing about it.
    pub fn is_withdrawn_by(&self, chain: &Chain) -> bool {
        if chain.is_taken_back(&self.anchor) {
            return true;
        }
        let is_final = self.anchor.assurance().level() == Level::Finalized && !self.restored;
        !is_final && chain.standing(&self.anchor) == Standing::Withdrawn && !self.is_ahead_of(chain)
    }

    /// Returns whether it was restored, and the newest signed block of `chain` is older than its block.
    pub(crate) fn is_ahead_of(&self, chain: &Chain) -> bool {
        self.restored && chain.head().is_none_or(|newest| newest.timestamp() < self.anchor.timestamp())
    }
}

/// Leaves out the amount, because only the gate shows it.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("holding", &self.holding)
            .field("anchor", &self.anchor)
            .field("provider", &self.provider)
            .field("restored", &self.restored)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
