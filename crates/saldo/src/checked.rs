//! A proof that was checked, with the bytes that it was checked from.

use std::sync::Arc;

use alloy_primitives::Bytes;
use saldo_proof::{Account, Verified};

/// A verified account, and the nodes that prove it.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) account: Verified<Account>,
    /// `None` where they are not needed any more, because nothing is kept or there are too many.
    pub(crate) nodes: Option<Arc<[Bytes]>>,
}

impl Checked {
    /// How much memory the nodes take, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.nodes.iter().flat_map(|nodes| nodes.iter()).map(|node| node.len()).sum()
    }
}
