//! A small signed chain, and providers that fail and lie.

mod beacon_source;
mod block;
mod carry;
mod chain;
mod committee;
pub mod encode;
pub mod fault;
mod header;
pub mod http;
mod ledger;
mod light_client;
mod provider;
mod rlp;
mod seed;
pub mod trie;
mod world;
pub use beacon_source::BeaconSource;
pub use block::BlockInfo;
pub use chain::{Chain, ChainBuilder};
pub use fault::{Fault, Rule};
pub use header::ExecutionHeader;
pub use provider::Provider;
pub use seed::Seed;
pub use world::{HISTORY_CONTRACT, token_balance_key};
