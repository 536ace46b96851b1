//! Calls that overlap on one client: reads of every kind, restarts of trust onto another chain, storage that becomes readable
//! late, holdings named twice, and futures that are dropped.
//!
//! [`draw_overlap`] makes a [`Script`] of a seed, [`play_overlap`] runs a wallet through it in virtual time. A judge that
//! knows both chains holds each answer against what is true at the moment when the call ends.

use alloy_primitives::Address;
use saldo::{Holding, Network, NetworkId};
use saldo_drill::Chain;

mod judge;
mod omission;
mod plain;
mod real;
mod run;
mod script;
mod wallet;

pub use omission::Omission as GateOmission;
pub use run::{OverlapRun, OverlapWallet, play_overlap};
pub use script::{Act, Call, Mood, Script, draw_overlap};

/// The table of a script's wallet. Both chains of a script have the same chain id; the table may name another one.
fn table(script: &Script, chain: &Chain) -> Network {
    let line = |chain_id: u64| format!("chain_id = {chain_id}");
    let text = chain.network().to_toml().replacen(&line(Chain::CHAIN_ID), &line(script.chain_id), 1);
    Network::from_toml(&text).expect("a table that is made here can be read")
}

/// The holding of the coin by `owner`, in a wallet with this table.
fn native(table: &Network, owner: Address) -> Holding {
    Holding::native(NetworkId::new(table.chain_id()), owner)
}
