//! A block that a chain holds.

use alloy_primitives::B256;
use saldo_beacon::unit::Slot;

use crate::anchor::Anchor;

#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) anchor: Anchor,
    /// Known once the block's own header is known.
    pub(super) parent_hash: Option<B256>,
    /// The slot of the newest signed head that this block was learned from.
    pub(super) known_at: Slot,
}
