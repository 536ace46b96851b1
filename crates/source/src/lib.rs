//! Asks untrusted providers: which one, when, for how long, and which one next.
//!
//! Every request goes through a [`Transport`], and every wait through a [`Clock`]. An app can replace both: with a phone's
//! own HTTP stack, or with a simulation in virtual time. This crate knows no proofs: [`Dispatcher::hedge`] asks several
//! providers, gives every answer to its caller, and ends with the first answer that the caller accepts. Everything else that
//! happened comes back as one typed reason per provider ([`Failure`](saldo_reading::Failure)).
//!
//! Nothing is spawned: a dropped future leaves no work behind. A provider's URL is a secret ([`SecretUrl`]); only its
//! [`ProviderId`](saldo_reading::ProviderId) is shown.

mod backoff;
mod batch_size;
pub mod beacon;
mod budget;
pub mod checkpoint;
mod classify;
mod clock;
mod co_failure;
pub mod date;
mod directory;
mod dispatcher;
mod diversity;
mod endpoint;
mod event;
pub mod execution;
mod hedge;
#[cfg(feature = "_transport")]
mod http;
mod io;
mod jitter;
mod jsonrpc;
mod latency;
mod maybe_send;
mod meter;
pub mod mirror;
mod provider_stats;
mod providers;
mod quarantine;
mod ranking;
mod reachability;
pub mod relay;
mod retry_after;
mod server_dates;
mod sorted;
mod transport;

pub use batch_size::BatchSize;
pub use clock::{Clock, Deadline};
pub use co_failure::CoFailure;
pub use directory::{Directory, DirectoryError, Listed};
pub use dispatcher::Dispatcher;
pub use diversity::{Diversity, Domain};
pub use endpoint::{Declared, Endpoint, EndpointError, SecretUrl};
pub use hedge::{Answer, Ask, DisclosureSet, Hedged, RequestSpec};
#[cfg(feature = "_transport")]
pub use http::{HttpTransport, Proxies, ProxyError, SetupError, SystemClock};
pub use io::Io;
pub use maybe_send::{BoxedFuture, IntoBoxed, MaybeSend, MaybeSync};
pub use provider_stats::ProviderStats;
pub use ranking::FINAL_PROOFS;
pub use server_dates::is_clock_fast;
pub use sorted::{SortedMap, SortedSet, sort_by, sort_by_key};
pub use transport::{Method, Request, Response, TlsFault, Transport, TransportError};
