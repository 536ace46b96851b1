//! Heads of which only the hash of an execution block is known: they wait for its header.

use alloy_primitives::B256;

use crate::assurance::Voucher;

/// A head whose header is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) hash: B256,
    pub(crate) voucher: Voucher,
}

/// The newest signed and the newest finalized head of which only a hash is known. It says nothing about any other block
/// until its header is there: without a number nobody can tell what it excludes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    pub(crate) signed: Option<Head>,
    pub(crate) finalized: Option<Head>,
    /// The signed head whose header showed that it lies below what is final: it is not asked for again.
    pub(crate) below_final: Option<B256>,
}
