//! Examines providers and sources: what they serve, whether it is true, and what would stop a configuration.
//!
//! [`Doctor::examine`] asks every execution provider, beacon source and checkpoint source of a configuration, side by
//! side, and gives a typed [`Report`]: no word of theirs is believed. A proof counts if it holds under the state root of a
//! header that has its own hash, light-client data if a [`LightClient`](saldo_beacon::LightClient) takes it. Proofs are
//! asked of one address, [`PROBED`], which tells nothing of the user.
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
//! An examination costs each of them at most [`Limits::requests`] requests, of which the largest is a batch of 50 light
//! calls. One that asks to be left alone gets no further request. A URL is a secret: reports hold names alone.

mod beacon;
mod check;
mod checkpoint;
mod depth;
mod diagnosis;
mod doctor;
mod execution;
mod finding;
mod meter;
mod probe;
mod provider;
mod report;
mod source;

pub use check::{Check, Unchecked};
pub use doctor::{Doctor, Limits, Progress};
pub use execution::PROBED;
pub use finding::{Finding, Severity};
pub use provider::{Capabilities, Depth, ProviderReport, Tip};
pub use report::{Diagnosis, Report, SingleFailure, Verdict};
pub use source::{CheckpointReport, NamesFork, SeenHead, SourceReport};
