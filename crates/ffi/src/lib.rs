//! The saldo client for other languages: Kotlin, Swift, Python and TypeScript, by [UniFFI](https://mozilla.github.io/uniffi-rs).
//!
//! There are two objects, [`SaldoClient`] and [`Watch`]. Everything else is an immutable record or enum that mirrors the type of
//! the crate `saldo` with the same name. A record can be made by anyone, so no function takes one as a proof.
//!
//! Reads never throw. What cannot be known is [`Reading::Unknown`], also after [`SaldoClient::shutdown`] (`closed`) and after a
//! panic (`internal_fault`). All work is done on one thread of the client (`worker`), so that no exported function computes
//! on the caller's thread. On `wasm32`, which has no threads, the calls of the app do the work, and the app gives the clock.
//!
//! The app gives the HTTP stack ([`HttpTransport`]), the storage ([`Storage`]) and the log ([`LogSink`]). Each may throw, hang or
//! answer nonsense: that becomes a typed failure, and ends by a deadline of this crate.

mod address;
mod amount;
mod app_clock;
mod attempt;
mod block;
mod change;
mod claim;
mod client;
mod clock;
mod config;
mod derivation;
mod ended;
mod endpoint;
mod fault;
mod handle;
mod health;
mod holding;
mod http;
mod log;
mod maybe_send;
mod network;
mod number;
mod reading;
mod rollup_health;
mod sample;
mod setup;
mod start;
mod storage;
mod token;
mod total;
mod version;
mod watch;
mod why;
mod worker;

pub use address::normalize_address;
pub use amount::{Amount, format_amount, format_amount_short};
pub use app_clock::Clock;
pub use attempt::Attempt;
pub use block::{Assurance, Block, Origin, Vouched};
pub use change::{Activity, Change};
pub use claim::{Claim, Verdict};
pub use client::SaldoClient;
pub use config::{Checkpoint, ClientConfig, NetworkConfig, Pace, Policy};
pub use derivation::Derivation;
pub use endpoint::Endpoint;
pub use fault::{ConsensusFault, Evidence, StorageFault};
pub use health::{CoFailure, Diversity, EndpointHealth, HeadsHealth, Health};
pub use holding::Holding;
pub use http::{HttpHeader, HttpRequest, HttpResponse, HttpTransport, TransportFailure};
pub use log::{LogFailure, LogLine, LogSink};
pub use reading::{
    AccountReading, Freshness, HeldReading, Now, Proven, Provisional, Quorum, Reading, Unconfirmed, Unknown,
};
pub use rollup_health::RollupHealth;
pub use sample::{Sample, samples};
pub use setup::SetupError;
pub use storage::{Storage, StorageAck, StorageChange, StorageEntry, StorageFailure, StorageSnapshot};
pub use token::{
    ListedToken, ProvenToken, TokenGuard, TokenImplementation, TokenInfo, TokenLayout, TokenList,
    TokenReading, TokenSymbol,
};
pub use total::{PartialSum, Sum, Total};
pub use version::library_version;
pub use watch::{Changes, Watch};
pub use why::{Why, why_codes};

uniffi::setup_scaffolding!();
