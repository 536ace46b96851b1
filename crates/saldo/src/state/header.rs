//! The whole header of a block that the caller names.

use std::sync::Arc;

use saldo_chain::{Anchor, ExecutionHeader};
use saldo_source::{Deadline, IntoBoxed, SortedSet};

use super::block::BlockId;
use super::counted::counted;
use super::found::FoundBlock;
use super::proven::NotProven;
use crate::inner::ClientInner;

/// A block with its whole header, which hashes to the block's hash.
#[derive(Clone, Debug)]
pub struct ProvenHeader {
    anchor: Anchor,
    header: ExecutionHeader,
}

impl ProvenHeader {
    pub(super) const fn new(anchor: Anchor, header: ExecutionHeader) -> Self {
        Self { anchor, header }
    }

    /// Returns the block, and how its header is known.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns the header.
    pub const fn header(&self) -> &ExecutionHeader {
        &self.header
    }
}

/// Finds the block that `id` names, with its header.
pub(crate) async fn header(inner: &Arc<ClientInner>, id: BlockId) -> Result<ProvenHeader, NotProven> {
    counted(inner, "header", find(inner, id)).await
}

async fn find(inner: &Arc<ClientInner>, id: BlockId) -> Result<ProvenHeader, NotProven> {
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(id, inner.env.half(deadline)).await?;
    let header = of(inner, &found, deadline).await?;
    let anchor = inner.let_out(&found, &SortedSet::new(), deadline).await?;
    Ok(ProvenHeader::new(anchor, header))
}

/// The header of the block `found`. A beacon block has it in another form, without all of its fields: then it is requested.
pub(super) async fn of(
    inner: &Arc<ClientInner>,
    found: &FoundBlock,
    deadline: Deadline,
) -> Result<ExecutionHeader, NotProven> {
    if let Some(header) = found.anchor.header() {
        return Ok(header);
    }
    let hash = found.anchor.hash();
    let ask = || {
        let inner = Arc::clone(inner);
        let ask = async move {
            let (header, attempts) = inner.proofs.fetch_header(hash, deadline).await;
            header.map(Arc::new).ok_or(attempts)
        };
        ask.into_boxed()
    };
    match inner.headers.get(hash, ask).await {
        Ok(header) => Ok(ExecutionHeader::clone(&header)),
        Err(attempts) => Err(inner.why_no_answer(found, attempts)),
    }
}
