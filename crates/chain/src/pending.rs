//! Heads with only the hash of an execution block. Their headers are still missing.

use alloy_primitives::B256;

use crate::assurance::Voucher;

/// A head whose header is missing.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) hash: B256,
    pub(crate) voucher: Voucher,
}

/// The newest signed head and the newest finalized head with only a hash. Such a head excludes no other block until its
/// header has arrived, because its number is not known before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    pub(crate) signed: Option<Head>,
    pub(crate) finalized: Option<Head>,
    /// A signed head whose header showed that it lies below the final head. Its header is not requested again.
    pub(crate) below_final: Option<B256>,
}
