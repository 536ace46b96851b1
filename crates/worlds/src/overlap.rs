//! Calls that overlap on one client: reads of coins and tokens of every kind, restarts of trust onto another chain, storage that
//! becomes readable late, tokens that are upgraded, holdings named twice, and futures that are dropped.
//!
//! [`draw_overlap`] makes a [`Script`] of a seed, [`play_overlap`] runs a wallet through it in virtual time. A judge that
//! knows both chains holds each answer against what is true at the moment when the call ends.

use saldo::{Holding, Network, NetworkId};
use saldo_drill::Chain;

use crate::HOLDINGS;
use crate::holding::of_token;

mod judge;
mod omission;
mod plain;
mod real;
mod run;
mod script;
mod token;
mod wallet;
mod wire;

pub use omission::Omission as GateOmission;
pub use run::{OverlapRun, OverlapWallet, play_overlap};
pub use script::{Act, Call, Mood, Script, draw_overlap};

/// The table of a script's wallet. Both chains of a script have the same chain id; the table may name another one.
fn table(script: &Script, chain: &Chain) -> Network {
    let line = |chain_id: u64| format!("chain_id = {chain_id}");
    let text = chain.network().to_toml().replacen(&line(Chain::CHAIN_ID), &line(script.chain_id), 1);
    Network::from_toml(&text).expect("a table that is made here can be read")
}

/// The holding in place `number` of [`HOLDINGS`], in a wallet with this table.
fn holding(table: &Network, number: u64) -> Holding {
    let network = NetworkId::new(table.chain_id());
    let place = usize::try_from(number).unwrap_or_default();
    let first = HOLDINGS.get(place).or(HOLDINGS.first()).expect("there are some");
    match of_token(first) {
        Some((owner, token)) => Holding::erc20(network, owner, token),
        None => Holding::native(network, first.owner()),
    }
}

/// The place of `holding` in [`HOLDINGS`], whatever its network.
fn number(holding: &Holding) -> u64 {
    let is_same = |other: &Holding| (other.owner(), other.asset()) == (holding.owner(), holding.asset());
    HOLDINGS.iter().position(is_same).and_then(|place| u64::try_from(place).ok()).unwrap_or(u64::MAX)
}
