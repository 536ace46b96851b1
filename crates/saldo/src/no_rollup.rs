//! In the place of the owner of what L1 says about a rollup, where the feature `rollup` is off: there is none.

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_chain::rollup::Profile;
use saldo_reading::Why;
use saldo_source::{Deadline, SortedSet};

use crate::head::Synced;
use crate::proofs::Proofs;

/// No value.
pub(crate) enum Rollup {}

impl Rollup {
    pub(crate) fn profile(&self) -> &Profile {
        match *self {}
    }

    pub(crate) async fn sync(&self, _: &Proofs, _: SortedSet<Address>, _: Deadline) -> Synced {
        match *self {}
    }

    pub(crate) fn stopped(&self) -> Option<UnixTime> {
        match *self {}
    }

    pub(crate) fn problem(&self) -> Option<Why> {
        match *self {}
    }
}
