//! A layer for [alloy](alloy_provider) providers: what it reads of the chain's state is proven, or an error.
//!
//! ```no_run
//! # use alloy_primitives::Address;
//! # use alloy_provider::{Provider, ProviderBuilder};
//! # use saldo_alloy::{ProvenLayer, not_proven};
//! # async fn show(inner: impl Provider, client: saldo::Client, owner: Address) {
//! let provider = ProviderBuilder::new().layer(ProvenLayer::new(client)).connect_provider(inner);
//! match provider.get_balance(owner).await {
//!     Ok(wei) => println!("{wei}"),
//!     Err(error) => match not_proven(&error) {
//!         Some(reason) => println!("not known: {}", reason.why()),
//!         None => println!("{error}"),
//!     },
//! }
//! # }
//! ```
//!
//! # What is proven
//! Balances, nonces, code, storage, proofs and accounts, the number of the newest block, and with the feature `execute` calls and
//! estimates of gas. Each answers at the very block that is named. `latest` is the newest block that the committee signed, one slot
//! behind a node's own tip; `safe` and `finalized` are the newest finalized block. The chain id is that of the client's network.
//!
//! The layer works on requests, so that raw requests, multicalls and bindings are proven too.
//!
//! # What is refused
//! `pending` and `earliest` in these requests; a multicall asks for `pending` unless it names a block. Calls with overrides, with access
//! lists, and without a receiver. Code that asks for the gas price of a call that names one.
//!
//! # What passes through, not proven
//! Every other request: blocks, transactions, receipts, logs, fees, filters, `eth_callMany`, `eth_simulateV1`, `eth_createAccessList`,
//! and everything that is sent. Subscriptions are not available behind the layer: use the inner provider.

mod answered;
mod block;
mod call;
mod error;
mod layer;
mod method;
mod nonces;

pub use error::{Last, NotAnswered, NotProven, not_proven};
pub use layer::{ProvenLayer, ProvenProvider};
pub use nonces::ProvenNonces;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/alloy.md")]
struct Guide;
