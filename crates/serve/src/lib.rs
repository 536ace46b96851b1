//! Proven answers over JSON-RPC on this machine, for programs in any language.
//!
//! A [`Server`] answers the methods of Ethereum's JSON-RPC from a [`saldo::Client`]: balances, nonces, code, storage, proofs, calls and
//! blocks, each proven at the block that the caller names. Where something is not proven, the answer is an error that says why, with
//! the last proven value and its age. It is never a zero, and never `null`.
//!
//! ```no_run
//! use saldo::Client;
//! use saldo_serve::{Route, ServeError, Server, Settings};
//!
//! async fn serve(client: Client) -> Result<(), ServeError> {
//!     let routes = vec![Route::new("/", client)];
//!     let server = Server::bind(([127, 0, 0, 1], 8545).into(), Settings::default(), routes).await?;
//!     server.run(std::future::pending()).await;
//!     Ok(())
//! }
//! ```
//!
//! # What is trusted
//! What the client trusts, and nothing else: see [`saldo`]. With [`Route::pass_through`] one provider is asked, without proof, what
//! cannot be proven; those answers name it.
//!
//! # Who may ask
//! Programs of this machine. Web pages may not, unless [`Settings::allowed_origins`] names theirs. A server that other machines can
//! reach needs [`Settings::allowed_hosts`].

mod accept;
mod access;
mod account;
mod answered;
mod block;
mod block_parameter;
mod claim;
pub mod claim_words;
mod connection;
mod error;
mod exchange;
mod feed;
mod http_service;
mod meter;
#[cfg(feature = "metrics")]
mod metrics;
mod network;
mod not_proven;
mod own;
mod params;
mod pass_through;
mod quantity;
mod request;
mod route;
#[cfg(feature = "execute")]
mod run;
mod serve_error;
mod server;
mod session;
mod settings;
mod state;
mod transaction;
mod unanswered;
mod websocket;

#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use route::Route;
pub use serve_error::ServeError;
pub use server::Server;
pub use settings::Settings;
