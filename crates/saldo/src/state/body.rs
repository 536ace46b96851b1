//! The transactions and withdrawals of a block that the caller names.

use std::sync::Arc;

use alloy_primitives::B256;
use saldo_chain::{Body, ExecutionHeader};
use saldo_reading::Why;
use saldo_source::{Deadline, IntoBoxed, SortedSet};

use super::block::BlockId;
use super::counted::counted;
use super::header::{self, ProvenHeader};
use super::proven::NotProven;
use crate::inner::ClientInner;

/// A block with its header and its body: the hashes of its transactions, and its withdrawals, which rebuild the header's roots.
#[derive(Clone, Debug)]
pub struct ProvenBlock {
    header: ProvenHeader,
    body: Arc<Body>,
}

impl ProvenBlock {
    /// Returns the block's header, and how it is known.
    pub const fn header(&self) -> &ProvenHeader {
        &self.header
    }

    /// Returns the block's body.
    pub fn body(&self) -> &Body {
        &self.body
    }
}

/// Finds the block that `id` names, with its header and its body.
pub(crate) async fn full(inner: &Arc<ClientInner>, id: BlockId) -> Result<ProvenBlock, NotProven> {
    counted(inner, "full_block", find(inner, id)).await
}

async fn find(inner: &Arc<ClientInner>, id: BlockId) -> Result<ProvenBlock, NotProven> {
    // The rules of its blocks are not built in, so the request would fail.
    if inner.head.is_of_rollup() {
        return Err(NotProven::new(Why::UnknownFork, Vec::new()));
    }
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(id, inner.env.half(deadline)).await?;
    let header = header::of(inner, &found, deadline).await?;
    let hash = found.anchor.hash();
    let body = inner.bodies.get(hash, || ask(inner, hash, &header, deadline)).await;
    let body = body.map_err(|attempts| inner.why_no_answer(&found, attempts))?;
    let anchor = inner.let_out(&found, &SortedSet::new(), deadline).await?;
    Ok(ProvenBlock { header: ProvenHeader::new(anchor, header), body })
}

fn ask(
    inner: &Arc<ClientInner>,
    hash: B256,
    header: &ExecutionHeader,
    deadline: Deadline,
) -> saldo_source::BoxedFuture<'static, super::once::Answer<Body>> {
    let (inner, header) = (Arc::clone(inner), header.clone());
    let ask = async move {
        let (body, attempts) = inner.proofs.fetch_body(hash, &header, deadline).await;
        body.map(Arc::new).ok_or(attempts)
    };
    ask.into_boxed()
}
