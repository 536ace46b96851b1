//! In the place of the relays of the sequencer's signatures, where the feature `sequencer` is off: there are none.

use std::sync::Arc;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_chain::ExecutionHeader;
use saldo_source::{Deadline, Endpoint};

use crate::env::Env;
use crate::proofs::Proofs;
use crate::rollup_health::RelayHealth;

/// No relay.
pub(crate) struct Relays;

impl Relays {
    pub(crate) fn new(_: Arc<Env>, _: u64, _: Vec<Endpoint>) -> Self {
        Self
    }

    pub(super) fn is_empty(&self) -> bool {
        true
    }

    pub(super) fn health(&self) -> Vec<RelayHealth> {
        Vec::new()
    }

    pub(super) async fn heads(&self, _: Address, _: Deadline) -> Vec<(String, UnixTime)> {
        Vec::new()
    }

    pub(super) async fn announced(
        &self,
        _: Address,
        _: &[ExecutionHeader],
        _: &Proofs,
        _: Deadline,
    ) -> Vec<bool> {
        Vec::new()
    }
}
