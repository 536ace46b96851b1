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

mod acquaintance;
mod asker;
pub mod beacon;
mod budget;
pub mod checkpoint;
mod classify;
mod clock;
mod co_failure;
pub mod date;
mod directory;
mod diversity;
mod endpoint;
mod event;
pub mod execution;
#[cfg(feature = "http")]
mod http;
mod jsonrpc;
pub mod mirror;
mod network;
mod race;
mod retry_after;
mod standing;
mod transport;

pub use acquaintance::Acquaintance;
pub use asker::Asker;
pub use clock::{Clock, Deadline};
pub use co_failure::CoFailure;
pub use directory::{Directory, DirectoryError, Listed};
pub use diversity::{Diversity, Domain};
pub use endpoint::{Declared, Endpoint, EndpointError, SecretUrl};
#[cfg(feature = "http")]
pub use http::{HttpTransport, SystemClock};
pub use network::Network;
pub use race::{Answer, Audience, Contest, Race, Turn};
pub use standing::FINAL_PROOFS;
pub use transport::{Method, Request, Response, Transport, TransportError};
