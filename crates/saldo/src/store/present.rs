//! What a client knows now, as far as it is kept.

use alloy_primitives::{Address, B256};
use saldo_beacon::{Checkpoint, LightClient};
use saldo_chain::Anchor;
use saldo_source::SortedSet;

use super::form::{ProviderState, StoredDisclosure};
use super::pending::{PendingKey, PendingRecord};
use super::unsaved::Unsaved;

/// What is known now.
pub(crate) struct Present<'a> {
    pub(crate) first: Vec<u8>,
    /// Where the caller restarted trust.
    pub(crate) start: Option<Checkpoint>,
    pub(crate) light_client: Option<&'a LightClient>,
    /// Readings that are not in the storage yet.
    pub(crate) unsaved: Vec<Unsaved>,
    /// The blocks that the chain took back since the last change set.
    pub(crate) withdrawn: &'a SortedSet<B256>,
    /// What is known now of a block that is stored.
    pub(crate) again: &'a dyn Fn(&Anchor) -> Option<Anchor>,
    /// Whether the chain excludes a block.
    pub(crate) is_lost: &'a dyn Fn(&Anchor) -> bool,
    /// Who knows of which address, where that changed since the last change set.
    pub(crate) disclosed: Vec<(Address, StoredDisclosure)>,
    pub(crate) providers: &'a dyn Fn() -> ProviderState,
    /// Proofs of a rollup that wait for L1 and are not in the storage yet.
    pub(crate) pending: Vec<PendingRecord>,
    /// Whether a proof that is stored still waits.
    pub(crate) is_pending: &'a dyn Fn(&PendingKey) -> bool,
}
