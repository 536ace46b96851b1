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
//! `get_balance`, `get_transaction_count`, `get_code_at`, `get_storage_at`, `get_storage_values`, `get_proof`, `get_account`,
//! `get_account_info`, `get_block_number`, and with the feature `execute` `call` and `estimate_gas`. Each answers at the very block
//! that is named. `latest` is the newest block that the committee signed, one slot behind a node's own tip; `safe` and `finalized` are
//! the newest finalized block. `get_chain_id` is the chain id of the client's network.
//!
//! # What is refused
//! `pending` and `earliest` in these methods, and these methods by [`raw_request`](Provider::raw_request): they would bypass the
//! proof. Calls with overrides, with access lists, with a gas price, and without a receiver.
//!
//! # What passes through, not proven
//! Every other method: blocks, transactions, receipts, logs, fees, filters, subscriptions, `call_many`, `simulate`,
//! `create_access_list`, and everything that is sent. So does what is asked of [`Provider::client`] and [`Provider::root`] themselves.

mod block;
mod call;
mod error;
mod provider;

pub use error::{NotAnswered, not_proven};
pub use provider::{ProvenLayer, ProvenProvider};

#[cfg(doc)]
use alloy_provider::Provider;
