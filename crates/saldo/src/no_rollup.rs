//! In the place of the owner of what L1 says about a rollup, where the feature `rollup` is off: there is none.

use std::time::Duration;

use alloy_primitives::Address;
use saldo_chain::rollup::Profile;
use saldo_chain::{Anchor, ExecutionHeader};
use saldo_reading::Why;
use saldo_source::{Deadline, SortedSet};

use crate::head::Synced;
use crate::proofs::Proofs;
use crate::rollup_health::RollupHealth;

/// No value.
pub(crate) enum Rollup {}

/// What the recorded readings of a rollup rest on.
pub(crate) struct Recorded {
    #[expect(dead_code, reason = "there is no rollup")]
    pub(crate) games: SortedSet<Address>,
    #[expect(dead_code, reason = "there is no rollup")]
    pub(crate) remembered: Vec<ExecutionHeader>,
}

impl Rollup {
    pub(crate) fn profile(&self) -> &Profile {
        match *self {}
    }

    pub(crate) async fn sync(&self, _: &Proofs, _: Recorded, _: Deadline) -> Synced {
        match *self {}
    }

    pub(crate) fn reach(&self) -> Option<Duration> {
        match *self {}
    }

    pub(crate) fn why_not_vouched(&self, _: &Synced) -> Why {
        match *self {}
    }

    pub(crate) fn health(&self, _: Option<Anchor>) -> RollupHealth {
        match *self {}
    }
}
