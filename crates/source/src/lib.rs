//! Asking untrusted providers: who, when, how long, whom next.
//!
//! Everything that reaches the network goes through a [`Transport`], everything that waits through a [`Clock`]; both
//! can be replaced, by a phone's own HTTP stack or by a simulation in virtual time. Nothing here knows what a proof
//! is: [`Asker::race`] asks one provider after another, hands every answer to a judge, and ends with the first that
//! the judge lets win. Whatever else happens comes back as a typed reason per provider
//! ([`Failure`](saldo_reading::Failure)).
//!
//! Nothing is spawned: a dropped future leaves no work behind. A provider's URL is a secret ([`SecretUrl`]); only its
//! [`ProviderId`](saldo_reading::ProviderId) appears anywhere.

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
#[cfg(feature = "http")]
mod http;
mod io;
mod jsonrpc;
mod maybe_send;
pub mod mirror;
mod provider_stats;
mod retry_after;
mod standing;
mod transport;

pub use clock::{Clock, Deadline};
pub use co_failure::CoFailure;
pub use directory::{Directory, DirectoryError, Listed};
pub use dispatcher::Dispatcher;
pub use diversity::{Diversity, Domain};
pub use endpoint::{Declared, Endpoint, EndpointError, SecretUrl};
pub use hedge::{Answer, Ask, DisclosureSet, Hedged, RequestSpec};
#[cfg(feature = "http")]
pub use http::{HttpTransport, SystemClock};
pub use io::Io;
pub use maybe_send::{BoxedFuture, MaybeSend};
pub use provider_stats::ProviderStats;
pub use standing::FINAL_PROOFS;
pub use transport::{Method, Request, Response, Transport, TransportError};
