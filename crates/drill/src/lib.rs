//! A small signed chain, and providers that fail and lie.
//!
//! [`Chain`] is a complete toy of Ethereum: a state trie with accounts and token storage, execution headers, a beacon
//! chain with real keys, and the light-client objects of any period. [`Provider`] and [`BeaconSource`] serve it as
//! nodes do, honestly or with any [`Fault`]. They can be asked over loopback ([`serve`]) or, faster and the same
//! every time, in memory and in virtual time ([`simulate`]).
//!
//! ```
//! use alloy_primitives::{Address, U256};
//! use saldo_drill::{Chain, Fault, Provider};
//!
//! let chain = Chain::new(7);
//! let alice = Address::repeat_byte(0xa1);
//! chain.set_balance(alice, U256::from(5));
//! chain.advance(2);
//!
//! let honest = Provider::honest(&chain);
//! let liar = Provider::honest(&chain).with(Fault::TruncatedProof { nodes: 1 }.on("eth_getProof"));
//! assert_eq!(chain.balance_at(chain.signed().number, alice), Some(U256::from(5)));
//! # let _ = (honest, liar);
//! ```
//!
//! [`Rollup`] adds a rollup of the OP Stack: a chain of its own, and its contracts and games on the first one.
//!
//! # What is real and what is not
//! Tries, proofs, headers, hashes, committees and signatures are real: a verifier cannot tell them from mainnet's but
//! by their size. There are no transactions: state changes because a test says so. Validators do not vote; that an
//! epoch is final follows from its age. No key is secret: all follow from the seed.
//!
//! # Modules
//! - [`scenario`] reads scenario files, [`stage`] sets a scenario up, and [`replay`] runs saldo through it.
//! - [`fault`] lists all faults.
//! - [`http`] has the requests and replies that [`serve`] and [`simulate`] transport.
//! - [`trie`] is the Merkle Patricia trie, [`encode`] the wire form of light-client objects.

pub mod attach;
mod beacon_source;
mod block;
mod carry;
mod chain;
mod committee;
mod counted;
mod date;
pub mod encode;
pub mod fault;
mod header;
pub mod http;
mod ledger;
mod light_client;
pub mod naive;
mod provider;
pub mod proxy;
pub mod replay;
mod rlp;
mod rollup;
pub mod scenario;
mod schedule;
mod seed;
mod sequencer;
pub mod serve;
mod server;
pub mod simulate;
pub mod stage;
mod token;
mod tree;
pub mod trie;
mod world;

pub use beacon_source::{BeaconApi, BeaconSource};
pub use block::BlockInfo;
pub use chain::{Chain, ChainBuilder, Recording};
pub use fault::{BatchRefusal, Fault, OddError, Rule};
pub use header::ExecutionHeader;
pub use provider::{JsonRpc, Provider};
pub use rollup::{Proposal, Rollup, RollupKind};
pub use saldo_beacon::Fork;
pub use schedule::Preset;
pub use seed::Seed;
pub use sequencer::{SequencerApi, SequencerRelay};
pub use server::{Protocol, Served, Server};
pub use token::{ContractCode, Held};
pub use world::{HISTORY_CONTRACT, token_balance_key};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/in-your-tests.md")]
struct InYourTests;
