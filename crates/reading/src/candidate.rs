//! What was joined and has not left through the gate yet.

use std::fmt;

use alloy_primitives::U256;
use saldo_chain::{Anchor, Chain, Level, Standing};

use crate::amount::Amount;
use crate::holding::Holding;
use crate::provider::ProviderId;

/// Counts the trust starts of one client. What follows from one start says nothing after the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

impl Generation {
    /// The generation of the first trust start.
    pub const FIRST: Self = Self(0);

    /// The generation after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// An amount that was proven under a trusted header. Built by [`join`](crate::join) alone.
///
/// It may have stopped being true since: trust was restarted, the chain took its block back, a newer one is known. So it
/// does not show its amount: only the [gate](crate::gate) makes a [`Proven`](crate::Proven) of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    pub(crate) holding: Holding,
    pub(crate) amount: Amount,
    pub(crate) nonce: Option<u64>,
    pub(crate) anchor: Anchor,
    pub(crate) provider: ProviderId,
    pub(crate) restored: bool,
    pub(crate) generation: Generation,
}

impl Candidate {
    /// What was asked about.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// The block it was true at, and how that block's header was known when it was joined.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Who served the proof.
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// Whether it comes from storage, and no provider was asked since whether the chain still has its block.
    pub fn is_restored(&self) -> bool {
        self.restored
    }

    /// The trust start that it follows from.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Whether `claimed`, in base units, is another amount than this one. A claim can ask for a new proof, and for
    /// nothing else.
    pub fn differs_from(&self, claimed: U256) -> bool {
        self.amount.base_units() != claimed
    }

    /// Marks it as coming from storage.
    #[must_use]
    pub fn as_restored(self) -> Self {
        Self { restored: true, ..self }
    }

    /// The same amount under the same block, of which more may be known now. What was restored stays so.
    pub(crate) fn under(&self, anchor: &Anchor) -> Option<Self> {
        let identity = |anchor: &Anchor| (anchor.hash(), anchor.state_root());
        (identity(anchor) == identity(&self.anchor)).then(|| Self { anchor: anchor.clone(), ..self.clone() })
    }

    /// Whether `chain` is known to exclude its block.
    ///
    /// A chain never withdraws a finalized block that was proven in this generation: a chain that excludes one is a
    /// consensus fault. A chain that has not come as far in time as a restored block says nothing about it yet.
    pub fn is_withdrawn_by(&self, chain: &Chain) -> bool {
        let is_final = self.anchor.assurance().level() == Level::Finalized && !self.restored;
        !is_final && chain.standing(&self.anchor) == Standing::Withdrawn && !self.is_ahead_of(chain)
    }

    /// Whether it was restored, and `chain` has not come as far in time since.
    pub(crate) fn is_ahead_of(&self, chain: &Chain) -> bool {
        let newest = chain.newest(Level::Signed);
        self.restored && newest.is_none_or(|newest| newest.timestamp() < self.anchor.timestamp())
    }
}

/// Without the amount: nothing but the gate shows it.
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
