//! In the place of the owner of what L1 says about a rollup, where the feature `rollup` is off: there is none.

use alloy_primitives::Address;
use saldo_chain::Anchor;
use saldo_chain::rollup::Profile;
use saldo_source::{Deadline, SortedSet};

use crate::head::Synced;
use crate::proofs::Proofs;
use crate::rollup_health::RollupHealth;

/// No value.
pub(crate) enum Rollup {}

impl Rollup {
    pub(crate) fn profile(&self) -> &Profile {
        match *self {}
    }

    pub(crate) async fn sync(&self, _: &Proofs, _: SortedSet<Address>, _: Deadline) -> Synced {
        match *self {}
    }

    pub(crate) fn health(&self, _: Option<Anchor>) -> RollupHealth {
        match *self {}
    }
}
