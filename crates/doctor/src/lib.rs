//! Examines providers and sources: what they serve, whether it verifies, and which single failure would stop a
//! configuration.
//!
//! [`Doctor::examine`] asks every execution provider, beacon source and checkpoint source of a configuration
//! concurrently, and returns a typed [`Report`]. It believes no claim of theirs. A proof counts if it verifies under
//! the state root of a header that has the claimed hash. Light-client data counts if a
//! [`LightClient`](saldo_beacon::LightClient) accepts it. Proofs are requested for one address, [`PROBED`], which
//! reveals nothing about the user.
//!
//! ```
//! use std::sync::Arc;
//!
//! use saldo_beacon::Network;
//! use saldo_doctor::{Doctor, Verdict};
//! use saldo_source::{Clock, Transport};
//!
//! async fn works(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> bool {
//!     let doctor = Doctor::new(Network::mainnet(), transport, clock);
//!     let report = doctor.examine(&|progress| eprintln!("{} of {}", progress.done, progress.of)).await;
//!     println!("{}", report.diagnosis.summary);
//!     report.diagnosis.verdict == Verdict::Works
//! }
//! # let _ = works;
//! ```
//!
//! [`RollupDoctor`] examines a rollup with its L1. It also reads one balance with a client of `saldo`, and says what that reading says.
//!
//! Each endpoint receives at most [`Limits::requests`] requests; the largest is a batch of 50 cheap calls. Where an
//! endpoint limits the rate, the doctor waits as long as it asks for and keeps a distance, within [`Limits::total`]. A URL
//! is a secret: reports hold only names.

mod batch;
mod beacon;
mod capabilities;
mod check;
mod checkpoint;
mod clock;
mod counted;
mod depth;
mod diagnosis;
mod doctor;
mod execution;
mod finding;
mod kind;
mod meter;
mod pace;
mod probe;
mod provider;
mod remedy;
mod reply;
mod report;
mod rollup;
mod rollup_client;
mod rollup_diagnosis;
mod rollup_finding;
mod rollup_report;
mod source;
mod words;

pub use check::{Check, Unchecked};
pub use doctor::{Doctor, Limits, Progress};
pub use finding::{Finding, Severity};
pub use kind::{Kind, only_kind};
pub use pace::Rate;
pub use provider::{Capabilities, Depth, ProviderReport, Tip};
pub use reply::PROBED;
pub use report::{Diagnosis, Report, SingleFailure, Verdict};
pub use rollup::RollupDoctor;
pub use rollup_finding::RollupFinding;
pub use rollup_report::RollupReport;
pub use source::{CheckpointReport, NamesFork, SeenHead, SourceReport};
