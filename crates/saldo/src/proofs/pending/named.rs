//! A header of a block that is not trusted.

use saldo_chain::ExecutionHeader;
use saldo_reading::ProviderId;

/// A header that a provider names.
pub(super) struct Named {
    pub(super) provider: ProviderId,
    pub(super) header: ExecutionHeader,
    /// How often it could not be linked.
    pub(super) tries: u32,
    /// Whether it was stored by an earlier run. Then it is no head of now.
    pub(super) is_restored: bool,
}
