//! Calls that overlap on one client: reads of every kind, restarts of trust onto another chain, storage that becomes readable
//! late, holdings named twice, and futures that are dropped.
//!
//! [`draw_overlap`] makes a [`Script`] of a seed, [`play_overlap`] runs a wallet through it in virtual time. A judge that
//! knows both chains holds each answer against what is true at the moment when the call ends.

use alloy_primitives::Address;
use saldo::{Holding, NetworkId};
use saldo_drill::Chain;

mod judge;
mod plain;
mod real;
mod run;
mod script;
mod wallet;

pub use plain::Omission as GateOmission;
pub use run::{OverlapRun, OverlapWallet, play_overlap};
pub use script::{Act, Call, Mood, Script, draw_overlap};

/// The holding of the scripts' coin by `owner`. Both chains of a script have the same chain id.
fn native(owner: Address) -> Holding {
    Holding::native(NetworkId::new(Chain::CHAIN_ID), owner)
}
