//! Tells a wallet what an address holds, and proves it.

mod account;
mod ask;
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

pub use alloy_primitives::Address;
pub use saldo_beacon::unit::UnixTime;
pub use saldo_beacon::{Checkpoint, Finality, Network, NetworkError};
pub use saldo_chain::{Anchor, Assurance, Level};
pub use saldo_reading::{
    Amount, Asset, Attempt, Failure, Fault, Freshness, Holding, Now, Outcome, Policy, Proven, ProviderId,
    Provisional, Reading, Role, Unknown, Why,
};
pub use saldo_source::{Clock, Endpoint, EndpointError, Transport, TransportError};
