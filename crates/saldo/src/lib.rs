//! Tells a wallet what an address holds, and proves it.
//!
//! A [`Client`] asks several providers that it does not trust. Each answer is a Merkle proof, and the client
//! checks it against a header that the chain's sync committee signed. The result is a [`Reading`]: proven,
//! provisional, or unknown with a reason ([`Why`]). Only a checked proof becomes an [`Amount`], so an outage
//! cannot become a zero.
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
//! Providers and beacon sources are trusted only to answer. If they withhold data, readings become old or
//! unknown, but never false. The sync committee is trusted: two thirds of 512 validators drawn at random could
//! together prove anything, and a lie costs them no stake. The checkpoint is trusted, because all trust follows
//! from it. Either the app gives it, or at least two of three or more operators must name it
//! ([`ClientBuilder::checkpoint_source`]). For large sums wait for [`Policy::finalized`], which guards against
//! reorganisations; even there, the committee's signature tells which block is final. The README has the whole
//! table.
//!
//! # Time and work
//! [`ClientBuilder::build`] opens no socket, and saldo spawns no task. All work is done inside the futures that
//! the caller polls, and a dropped future leaves no work behind. Every read ends by [`Policy::deadline`]. With
//! the feature `http` (on by default), requests use reqwest and rustls, which need a tokio runtime. Without it,
//! [`ClientBuilder::transport`] and [`ClientBuilder::clock`] take the app's own. The feature
//! `serde` writes readings as JSON.

mod account;
mod builder;
mod check;
mod client;
mod clock_fault;
mod env;
mod event;
mod finality;
#[cfg(feature = "serde")]
mod form;
mod gate;
#[cfg(feature = "metrics")]
mod gauges;
mod head;
mod health;
mod hub;
mod inner;
#[cfg(feature = "rollup")]
mod l1;
#[cfg(feature = "rollup")]
mod labels;
#[cfg_attr(not(feature = "last-answers"), path = "no_last_answers.rs")]
mod last_answers;
mod link;
#[cfg(test)]
mod made;
mod meter;
mod networks;
mod notify;
mod pace;
mod patience;
mod proof_file;
mod proofs;
mod prove;
mod proven_balance;
mod read;
#[cfg(feature = "rollup")]
mod read_rollup;
mod readings;
#[cfg_attr(not(feature = "rollup"), path = "no_rollup.rs")]
mod rollup;
mod rollup_health;
mod state;
mod storage;
mod store;
mod token_proof;
mod token_run;
mod trust;
mod watch;
mod why;

pub use account::AccountReading;
pub use builder::{BuildError, ClientBuilder, IntoEndpointError};
pub use check::{Claim, Verdict};
pub use client::Client;
pub use health::{EndpointHealth, EndpointState, HeadsHealth, Health};
#[cfg(feature = "last-answers")]
pub use last_answers::LastAnswer;
pub use pace::Pace;
pub use proof_file::ProofFileError;
pub use proofs::Evidence;
pub use rollup_health::{ClaimsHealth, RelayHealth, RelayProblem, RollupHealth};
#[cfg(feature = "execute")]
pub use saldo_execute::{Call, Estimate, Output};
#[cfg(feature = "rollup")]
pub use state::RollupCodes;
pub use state::{
    BlockId, BlockState, NotProven, ProvenAccount, ProvenBlock, ProvenHeader, ProvenSlot, ProvenToken,
    TokenReading,
};
#[cfg(feature = "execute")]
pub use state::{CallError, CallReading, GasReading};
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
pub use saldo_chain::rollup::{
    Code, Contract, GameCode, GameKind, Observed, Pause, Profile, ProfileError, Provers, Refusal,
    RegistryCode, Release, Vouched,
};
pub use saldo_chain::{
    Anchor, Assurance, Body, BodyError, ExecutionHeader, HeaderError, Level, Path, StoredAnchorError,
    Withdrawal,
};
pub use saldo_proof_file as proof_files;
pub use saldo_reading::{
    Amount, Announced, Asset, Attempt, Failure, Fault, Freshness, Holding, NetworkId, Now, Outcome, Policy,
    Proven, ProviderId, Provisional, Quorum, Reading, Role, Sum, Total, TotalError, Totals, Unknown, Why,
};
pub use saldo_source::{
    BoxedFuture, Clock, CoFailure, Declared, Directory, DirectoryError, Diversity, Domain, Endpoint,
    EndpointError, Listed, Method, ProviderStats, Request, Response, SecretUrl, TlsFault, Transport,
    TransportError,
};
pub use saldo_token::{
    CheckedGuard, Coverage, Derivation, Guard, InfoSource, Layout, ListError, ListedToken, Mapping,
    NotAToken, Place, Provability, Query, Symbol, SymbolFlaw, TokenDescription, TokenInfo, TokenList,
    Touched, VerifiedBalance, Word,
};

#[cfg(feature = "_transport")]
pub use saldo_source::{HttpTransport, Proxies, ProxyError, SetupError, SystemClock};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/show-balances-honestly.md")]
struct ShowBalancesHonestly;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/check.md")]
struct Check;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/tokens.md")]
struct Tokens;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/networks.md")]
struct Networks;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/rollups.md")]
struct Rollups;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/migrating.md")]
struct Migrating;
