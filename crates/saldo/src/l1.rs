//! A client of Ethereum as the L1 of a rollup.

use std::sync::Arc;

use saldo_beacon::unit::UnixTime;
use saldo_proof::{ProvenState, Query};
use saldo_reading::Generation;
use saldo_source::{BoxedFuture, Deadline, IntoBoxed};

use crate::head::{FinalBlock, L1, NothingOfL1};
use crate::inner::ClientInner;
use crate::state::{self, BlockId, NotProven};

/// The client of an L1.
pub(crate) struct ClientOfL1(pub(crate) Arc<ClientInner>);

impl L1 for ClientOfL1 {
    fn generation(&self) -> Generation {
        self.0.head.generation()
    }

    fn is_faulted(&self) -> bool {
        self.0.head.look(|view| view.is_faulted || view.wrong_chain_id.is_some())
    }

    fn newest_signed_time(&self) -> Option<UnixTime> {
        self.0.head.look(|view| view.newest_signed_time)
    }

    fn final_block(&self, deadline: Deadline) -> BoxedFuture<'_, Result<FinalBlock, NothingOfL1>> {
        async move {
            let found = self
                .0
                .find_block(BlockId::Finalized, deadline)
                .await
                .map_err(|not_proven| nothing(&not_proven))?;
            Ok(FinalBlock { anchor: found.anchor, generation: found.generation })
        }
        .into_boxed()
    }

    fn prove<'a>(
        &'a self,
        block: &'a FinalBlock,
        query: &'a Query,
        deadline: Deadline,
    ) -> BoxedFuture<'a, Result<ProvenState, NothingOfL1>> {
        async move {
            state::prove_under(&self.0, &block.anchor, block.generation, query, deadline)
                .await
                .map_err(|not_proven| nothing(&not_proven))
        }
        .into_boxed()
    }
}

fn nothing(not_proven: &NotProven) -> NothingOfL1 {
    NothingOfL1 { why: not_proven.why().clone(), attempts: not_proven.attempts().to_vec() }
}
