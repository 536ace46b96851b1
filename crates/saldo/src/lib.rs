//! Tells a wallet what an address holds, and proves it.
//!
//! A [`Client`] asks several providers that it does not trust, and checks each answer, a Merkle proof, against a header
//! that the chain's sync committee signed. What it finds is a [`Reading`]: proven, provisional, or unknown with a reason
//! ([`Why`]). Nothing else ever becomes an [`Amount`], so an outage cannot become a zero.
//!
//! ```no_run
//! use saldo::{Address, BuildError, Checkpoint, Client, Network, Proven, Reading, Why};
//!
//! /// Keep one client: it remembers the chain and what was proven.
//! fn set_up(checkpoint: Checkpoint) -> Result<Client, BuildError> {
//!     Client::builder(Network::mainnet())
//!         .rpc("alice=https://rpc.alice.example/v1/KEY")
//!         .rpc("https://rpc.bob.example")
//!         .beacon("https://beacon.carol.example")
//!         .checkpoint(checkpoint)
//!         .build()
//! }
//!
//! async fn show(client: &Client, owner: Address) -> String {
//!     match client.balance(owner).await {
//!         Reading::Proven(proven) => format!("{} ether", proven.amount().format(18)),
//!         Reading::Provisional(claim) => not_proven(claim.why(), claim.last()),
//!         Reading::Unknown(unknown) => not_proven(unknown.why(), unknown.last()),
//!     }
//! }
//!
//! fn not_proven(why: &Why, last: Option<&Proven>) -> String {
//!     match last {
//!         Some(last) => format!("{} ether at block {}; {why}", last.amount().format(18), last.anchor().number()),
//!         None => format!("not known: {why}"),
//!     }
//! }
//! ```
//!
//! # What is trusted
//! Providers and beacon sources: nothing but to answer. They can withhold, and with that make readings old or unknown,
//! but not false. The sync committee: two thirds of 512 validators drawn at random could together prove anything, and
//! lying costs them no stake. The checkpoint: everything follows from it; either it is given, or at least two of three or
//! more operators must name it ([`ClientBuilder::checkpoint_source`]). [`Policy::finalized`] guards against
//! reorganisations, for which large sums should wait; what is final is still told by the committee's signature. The
//! README has the whole table.
//!
//! # Time and work
//! [`ClientBuilder::build`] opens no socket, and saldo spawns nothing: all work is done inside the futures that the caller
//! polls, and dropping one leaves none behind. Every read ends by [`Policy::deadline`]. With the feature `http` (on by
//! default) requests go out by reqwest and rustls, which need a tokio runtime; without it
//! [`ClientBuilder::transport`] and [`ClientBuilder::clock`] take the app's own. The feature `serde` writes readings as JSON.

mod account;
mod builder;
mod client;
mod env;
mod event;
mod finality;
#[cfg(feature = "serde")]
mod form;
mod gate;
mod head;
mod health;
mod hub;
mod inner;
mod link;
mod notify;
mod pace;
mod proofs;
mod prove;
mod read;
mod readings;
mod storage;
mod store;
mod trust;
mod watch;
mod why;

pub use account::AccountReading;
pub use builder::{BuildError, ClientBuilder, IntoEndpointError};
pub use client::Client;
pub use health::{EndpointHealth, EndpointState, HeadsHealth, Health};
pub use pace::Pace;
pub use proofs::Evidence;
#[cfg(feature = "redb")]
pub use storage::RedbStorage;
pub use storage::{
    Entries, MemoryStorage, Storage, StorageError, StorageFault, StorageKey, StorageRefusal, Version, Write,
};
pub use trust::Trust;
pub use watch::{Activity, Change, Watch};

pub use alloy_primitives::{Address, B256, U256};
pub use saldo_beacon::unit::{Slot, UnixTime};
pub use saldo_beacon::{
    AdoptError, Checkpoint, ConsensusFault, Contradiction, Finality, Network, NetworkError, Origin,
    SnapshotError, Voucher,
};
pub use saldo_chain::{Anchor, Assurance, Level, Path, StoredAnchorError};
pub use saldo_reading::{
    Amount, Asset, Attempt, Failure, Fault, Freshness, Holding, Now, Outcome, Policy, Proven, ProviderId,
    Provisional, Reading, Role, Sum, Total, TotalError, Totals, Unknown, Why,
};
pub use saldo_source::{
    BoxedFuture, Clock, CoFailure, Declared, Directory, DirectoryError, Diversity, Domain, Endpoint,
    EndpointError, Listed, Method, ProviderStats, Request, Response, SecretUrl, Transport, TransportError,
};

#[cfg(feature = "http")]
pub use saldo_source::{HttpTransport, SystemClock};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/show-balances-honestly.md")]
struct ShowBalancesHonestly;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/migrating.md")]
struct Migrating;
