//! A client of Ethereum as the L1 of a rollup.

use std::sync::Arc;

use saldo_chain::rollup::Profile;
use saldo_proof::{ProvenState, Query};
use saldo_source::{BoxedFuture, Deadline, IntoBoxed};

use crate::env::Env;
use crate::head::{AnyL1, FinalBlock, L1, NothingOfL1, PresentL1};
use crate::inner::ClientInner;
use crate::state::{self, BlockId, NotProven};

/// The client of an L1.
struct ClientOfL1(Arc<ClientInner>);

impl L1 for ClientOfL1 {
    fn present(&self) -> PresentL1 {
        self.0.head.look(|view| PresentL1 {
            generation: view.generation,
            is_faulted: view.is_faulted,
            newest_signed_time: view.newest_signed_time,
        })
    }

    fn final_block(&self, deadline: Deadline) -> BoxedFuture<'_, Result<FinalBlock, NothingOfL1>> {
        async move {
            // A wallet may read nothing of L1 itself: its light client is loaded and stored here.
            let clock = self.0.env.clock();
            let grace = || Deadline::after(clock, Env::GRACE).min(deadline);
            self.0.open_storage(grace()).await;
            let found = self.0.beside_storage(self.0.find_block(BlockId::Finalized, deadline)).await;
            self.0.persist(grace()).await;
            let found = found.map_err(|not_proven| nothing(&not_proven))?;
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

/// The client of the rollup's L1, if it is among `built`.
pub(crate) fn l1_of(profile: &Profile, built: &[Arc<ClientInner>]) -> Option<AnyL1> {
    let found = built.iter().find(|network| network.head.network().chain_id() == profile.l1_chain_id())?;
    Some(Arc::new(ClientOfL1(Arc::clone(found))))
}
