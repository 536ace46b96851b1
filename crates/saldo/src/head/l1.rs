//! What a rollup's client asks of the client of its L1.

use std::sync::Arc;

use saldo_chain::Anchor;
use saldo_proof::{ProvenState, Query};
use saldo_reading::{Attempt, Generation, Why};
use saldo_source::{BoxedFuture, Deadline, MaybeSend, MaybeSync};

use super::state::PresentL1;

/// The newest final block of L1, under the trust start of that moment.
#[derive(Clone, Debug)]
pub(crate) struct FinalBlock {
    pub(crate) anchor: Anchor,
    pub(crate) generation: Generation,
}

/// Why L1 gave nothing.
#[derive(Clone, Debug)]
pub(crate) struct NothingOfL1 {
    pub(crate) why: Why,
    pub(crate) attempts: Vec<Attempt>,
}

/// The L1 of a rollup.
pub(crate) trait L1: MaybeSend + MaybeSync {
    fn present(&self) -> PresentL1;

    /// Syncs it, and returns its newest final block.
    fn final_block(&self, deadline: Deadline) -> BoxedFuture<'_, Result<FinalBlock, NothingOfL1>>;

    /// Proves what `query` asks for at `block`.
    fn prove<'a>(
        &'a self,
        block: &'a FinalBlock,
        query: &'a Query,
        deadline: Deadline,
    ) -> BoxedFuture<'a, Result<ProvenState, NothingOfL1>>;
}

/// The L1 of a head that has one.
pub(crate) type AnyL1 = Arc<dyn L1>;
