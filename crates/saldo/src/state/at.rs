//! The calls about a block, and about its state.

use std::sync::Arc;

use saldo_chain::Anchor;
use saldo_source::{Deadline, SortedSet};
use saldo_token::Query;

use super::block::BlockId;
use super::counted::counted;
use super::prove::prove;
use super::proven::{BlockState, NotProven};
use crate::inner::ClientInner;

/// Finds the block that `id` names, and proves that it still counts.
pub(crate) async fn block(inner: &ClientInner, id: BlockId) -> Result<Anchor, NotProven> {
    counted(inner, "block", find(inner, id)).await
}

async fn find(inner: &ClientInner, id: BlockId) -> Result<Anchor, NotProven> {
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(id, deadline).await?;
    inner.let_out(&found, &SortedSet::default(), deadline).await
}

/// Proves what `query` asks for at the block that `id` names.
pub(crate) async fn at(
    inner: &Arc<ClientInner>,
    id: BlockId,
    query: &Query,
) -> Result<BlockState, NotProven> {
    counted(inner, "state", prove_at(inner, id, query)).await
}

async fn prove_at(inner: &Arc<ClientInner>, id: BlockId, query: &Query) -> Result<BlockState, NotProven> {
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(id, inner.env.half(deadline)).await?;
    let facts = prove(inner, &found, query, deadline).await?;
    let providers = facts.providers().cloned().collect();
    let anchor = inner.let_out(&found, &providers, deadline).await?;
    Ok(BlockState::new(anchor, facts))
}
