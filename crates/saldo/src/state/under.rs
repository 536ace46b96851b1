//! The state of a final block that a rollup's contracts are read under.

use std::sync::Arc;

use saldo_chain::{Anchor, Level};
use saldo_proof::{ProvenState, Query};
use saldo_reading::Generation;
use saldo_source::Deadline;

use super::found::FoundBlock;
use super::prove::prove;
use super::proven::NotProven;
use crate::inner::ClientInner;

/// Proves what `query` asks for at the final block `anchor`, which was found under the trust start `generation`.
pub(crate) async fn prove_under(
    inner: &Arc<ClientInner>,
    anchor: &Anchor,
    generation: Generation,
    query: &Query,
    deadline: Deadline,
) -> Result<ProvenState, NotProven> {
    let anchor = anchor.clone();
    let found =
        FoundBlock { anchor, generation, level: Level::Finalized, attempts: Vec::new(), problem: None };
    let facts = prove(inner, &found, query, deadline).await?;
    let providers = facts.providers().cloned().collect();
    let anchor = inner.let_out(&found, &providers, deadline).await?;
    Ok(facts.state(anchor.state_root()))
}
