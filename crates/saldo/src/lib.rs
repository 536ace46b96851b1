//! Tells a wallet what an address holds, and proves it.

mod account;
mod builder;
mod client;
mod core;
mod explain;
mod parked;
mod read;
mod sync;

pub use account::AccountReading;
pub use builder::{BuildError, ClientBuilder, IntoEndpointError};
pub use client::Client;
